from dataclasses import replace
from functools import cache

from support.scripted import Story, tell_story
from workseal_protocol.cose import Sign1
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


def every_receipt() -> tuple[bytes, ...]:
    verifier = story().verifier
    return tuple(verifier.cose_receipt(one.digest) for one in story().contents.statements)


def step_4_of(receipts: tuple[bytes, ...]) -> Step:
    data = story().bundle(replace(story().contents, receipts=receipts)).encode()
    return examine_bundle(data, story().policy).by_number()[4]


def test_step_04_takes_a_receipt_for_each_statement() -> None:
    receipts = every_receipt()
    assert f"receipts: {len(receipts)}" in step_4_of(receipts).why


def test_step_04_looks_at_each_byte_of_a_receipt_like_one_before_it() -> None:
    receipts = every_receipt()
    place = len(receipts) - 1
    good = receipts[place]
    # The protected header, the heads, size, index and path, and the signature.
    for at in (*range(0, len(good), 61), len(good) - 66, len(good) - 65, len(good) - 1):
        bad = good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :]
        found = step_4_of((*receipts[:place], bad))
        assert found.why.startswith(f"the receipt of statement {place}"), at


def test_step_04_takes_no_signature_over_an_earlier_tree_for_one_over_the_latest() -> None:
    contents, leaves = story().contents, story().verifier.leaves
    size, earlier = contents.checkpoint.checkpoint.size, contents.sizes[-1]
    first, second = contents.indices[:2]
    of_earlier = receipt(earlier, first, leaves[:earlier])
    signature = Sign1.parse(of_earlier).signature
    forged = receipt(size, second, leaves[:size])[: -len(signature)] + signature
    others = (b"",) * (len(contents.statements) - 2)
    found = step_4_of((of_earlier, forged, *others))
    assert found.why.startswith("the receipt of statement 1")


def test_step_04_refuses_the_receipt_of_another_statement() -> None:
    first, *others = every_receipt()
    for wrong in ((others[-1], *others), (first, *others[:-1], others[-2])):
        assert step_4_of(wrong).why.startswith("the receipt of statement")


def test_step_04_refuses_a_receipt_with_bytes_after_it() -> None:
    *others, last = every_receipt()
    assert "the receipt of statement" in step_4_of((*others, last + b"\x00")).why
