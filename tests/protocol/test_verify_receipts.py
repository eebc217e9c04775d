from dataclasses import replace
from functools import cache

from support.scripted import Story, tell_story
from workseal_protocol.merkle import inclusion_path, leaf_hash, root_of
from workseal_protocol.receipt import cose_receipt
from workseal_protocol.verify import Step, examine_bundle


@cache
def story() -> Story:
    return tell_story()


def receipt(size: int, index: int, leaves: list[bytes]) -> bytes:
    log = story().verifier
    return cose_receipt(
        root_of(leaves),
        size,
        index,
        inclusion_path(leaves, index),
        signer=log.log_signer,
        issuer="log",
        subject="engagement",
    )


def step_4(first: bytes) -> Step:
    contents = story().contents
    others = (b"",) * (len(contents.statements) - 1)
    data = story().bundle(replace(contents, receipts=(first, *others))).encode()
    return examine_bundle(data, story().policy).by_number()[4]


def fork(size: int, index: int) -> list[bytes]:
    leaves = [leaf_hash(b"fork %d" % number) for number in range(size)]
    leaves[index] = leaf_hash(story().contents.statements[0].digest.raw)
    return leaves


def test_step_04_takes_a_receipt_of_the_tree_of_the_bundle() -> None:
    size, index = story().contents.checkpoint.checkpoint.size, story().contents.indices[0]
    assert "receipts: 1" in step_4(receipt(size, index, story().verifier.leaves[:size])).why


def test_step_04_refuses_a_receipt_that_leads_to_another_tree() -> None:
    contents = story().contents
    index = contents.indices[0]
    for signed in (contents.checkpoint, contents.checkpoints[1]):
        size = signed.checkpoint.size
        found = step_4(receipt(size, index, fork(size, index)))
        assert f"leads to another tree of size {size}" in found.why


def test_step_04_takes_a_receipt_of_a_size_that_it_cannot_compare() -> None:
    sizes = {*story().contents.sizes, story().contents.checkpoint.checkpoint.size}
    index = story().contents.indices[0]
    size = next(n for n in range(index + 2, max(sizes)) if n not in sizes)
    assert "receipts: 1" in step_4(receipt(size, index, story().verifier.leaves[:size])).why


def test_step_04_refuses_a_receipt_of_another_index() -> None:
    size, index = story().contents.checkpoint.checkpoint.size, story().contents.indices[0]
    other = index + 1
    found = step_4(receipt(size, other, fork(size, other)))
    assert f"it is of index {other}, the statement is at {index}" in found.why
