import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.checkpoint import Checkpoint, SignedCheckpoint, cosign, sign_checkpoint
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Algorithm, SeedSigner
from workseal_protocol.merkle import EMPTY_ROOT, consistency_path, leaf_hash, root_of
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.witness import (
    MAX_REQUEST_BYTES,
    NOTHING_SEEN,
    AddCheckpoint,
    EmptyTreeError,
    Judgement,
    Seen,
    Verdict,
    encode_size,
    judge,
    monitoring_path,
    parse_size,
    read_cosignatures,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/log/witness.json").read_text("utf-8"))
LOG_KEY = VerifierKey.parse(VECTORS["log_vkey"])
WITNESS_KEY = VerifierKey.parse(VECTORS["witness_vkey"])
LOG, WITNESS = SeedSigner(b"\x01" * 32), SeedSigner(b"\x02" * 32)
LEAVES = tuple(leaf_hash(bytes([number]) * 32) for number in range(80))
EVIL = leaf_hash(b"evil" * 8)


def named(cases: Sequence[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases]


def answer(body: bytes, seen: Seen) -> Judgement:
    """Answer as a witness does that reads bytes."""
    try:
        return judge(AddCheckpoint.parse(body), seen, [LOG_KEY])
    except EmptyTreeError as error:
        return Judgement(Verdict.UNPROCESSABLE, str(error))
    except MalformedError as error:
        return Judgement(Verdict.MALFORMED, str(error))


@pytest.mark.parametrize("case", named(VECTORS["requests"]))
def test_answers_as_the_vector_says(case: dict[str, Any]) -> None:
    seen = Seen(case["seen"]["size"], Digest(bytes.fromhex(case["seen"]["root"])))
    found = answer(case["request"].encode(), seen)
    assert (found.verdict, found.proves_fork) == (case["verdict"], case["proves_fork"])
    assert bool(found.why) == (found.verdict is not Verdict.COSIGNED)


@pytest.mark.parametrize("case", named(VECTORS["requests"]))
def test_writes_again_what_it_reads(case: dict[str, Any]) -> None:
    body = case["request"].encode()
    try:
        request = AddCheckpoint.parse(body)
    except MalformedError:
        return
    assert request.encode() == body


@pytest.mark.parametrize("case", named(VECTORS["answers"]))
def test_keeps_the_cosignatures_that_the_vector_says(case: dict[str, Any]) -> None:
    checkpoint = Checkpoint.parse(VECTORS["checkpoint"].encode())
    body = case["answer"].encode()
    if case["kept"] is None:
        with pytest.raises(MalformedError):
            read_cosignatures(body, checkpoint, [WITNESS_KEY])
    else:
        kept = read_cosignatures(body, checkpoint, [WITNESS_KEY])
        assert [line.encode().decode() for line in kept] == case["kept"]


def test_shows_checkpoints_where_the_vector_says() -> None:
    assert monitoring_path(LOG_KEY.name) == VECTORS["monitoring_path"]


def signed(leaves: Sequence[bytes]) -> SignedCheckpoint:
    return sign_checkpoint(Checkpoint(LOG_KEY.name, len(leaves), Digest(root_of(leaves))), LOG)


def growth(old: int, leaves: Sequence[bytes]) -> AddCheckpoint:
    return AddCheckpoint(old, consistency_path(leaves, old), signed(leaves))


def seen_of(leaves: Sequence[bytes]) -> Seen:
    return Seen(len(leaves), Digest(root_of(leaves)))


@given(st.integers(0, 79), st.integers(0, 79))
def test_parse_is_the_inverse_of_encode(first: int, second: int) -> None:
    old, size = sorted((first, second))
    request = growth(old, LEAVES[:size])
    assert AddCheckpoint.parse(request.encode()) == request


@given(st.binary(max_size=400))
def test_only_malformed_leaves_the_parser(data: bytes) -> None:
    for body in (data, b"old 1\n" + data, b"old 1\n\n" + data):
        try:
            AddCheckpoint.parse(body)
        except MalformedError:
            continue


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=20), st.integers(0, 39))
def test_whatever_is_asked_one_history_is_cosigned(asked: list[tuple[int, int]], fork: int) -> None:
    """A log that shows two histories: of what a witness cosigned, each is a prefix of the next."""
    histories = (LEAVES[:40], (*LEAVES[:fork], EVIL, *LEAVES[fork + 1 : 40]))
    seen, cosigned = NOTHING_SEEN, [()]
    for number, (old, size) in enumerate(asked):
        leaves = tuple(histories[number % 2][:size])
        old = min(old, len(leaves))  # noqa: PLW2901 - what an honest proof can be made for
        if answer(growth(old, leaves).encode(), seen).verdict is Verdict.COSIGNED:
            seen = seen_of(leaves)
            cosigned.append(leaves)  # type: ignore[arg-type]
    for before, after in pairwise(cosigned):
        assert after[: len(before)] == before


@pytest.mark.parametrize("size", range(1, 65))
def test_no_fork_is_cosigned_at_any_size(size: int) -> None:
    true = LEAVES[:size]
    forked = (*true[:-1], EVIL)
    found = answer(growth(size, forked).encode(), seen_of(true))
    assert (found.verdict, found.proves_fork) == (Verdict.UNPROCESSABLE, True)
    grown = (*forked, *LEAVES[size : size + 9])
    assert answer(growth(size, grown).encode(), seen_of(true)).verdict is Verdict.UNPROCESSABLE


def test_a_log_may_have_several_keys_and_each_line_must_hold() -> None:
    second = SeedSigner(b"\x05" * 32)
    key = VerifierKey(LOG_KEY.name, second.public_key, NoteType.LOG_ED25519)
    checkpoint = signed(LEAVES[:3])
    (other,) = sign_checkpoint(checkpoint.checkpoint, second).lines
    both = AddCheckpoint(0, (), SignedCheckpoint(checkpoint.checkpoint, (*checkpoint.lines, other)))
    assert judge(both, NOTHING_SEEN, [LOG_KEY, key]).verdict is Verdict.COSIGNED
    assert judge(both, NOTHING_SEEN, [key]).verdict is Verdict.COSIGNED
    broken = replace(other, signature=bytes(64))
    false = replace(
        both, signed=SignedCheckpoint(checkpoint.checkpoint, (*checkpoint.lines, broken))
    )
    assert judge(false, NOTHING_SEEN, [LOG_KEY, key]).verdict is Verdict.FORBIDDEN
    assert judge(false, NOTHING_SEEN, [LOG_KEY]).verdict is Verdict.COSIGNED


def test_keeps_both_lines_of_a_witness_with_two_keys() -> None:
    ml_dsa = SeedSigner(b"\x03" * 32, Algorithm.ML_DSA_44)
    key = VerifierKey("witness.example/w1", ml_dsa.public_key, NoteType.MLDSA_COSIGNATURE)
    checkpoint = signed(LEAVES[:3]).checkpoint
    lines = [cosign(checkpoint, key.name, signer, 1_795_000_000) for signer in (WITNESS, ml_dsa)]
    body = b"".join(line.encode() for line in lines)
    assert read_cosignatures(body, checkpoint, [WITNESS_KEY, key]) == tuple(lines)
    assert read_cosignatures(body, checkpoint, [key]) == (lines[1],)


@pytest.mark.parametrize("size", [0, 7, 2**63 - 1])
def test_a_size_is_read_as_it_is_written(size: int) -> None:
    assert parse_size(encode_size(size)) == size


@pytest.mark.parametrize(
    "data", [b"", b"7", b"07\n", b"7\n\n", b"-7\n", b"7 \n", b"%d\n" % 2**63, b"9" * 5000 + b"\n"]
)
def test_refuses_what_is_no_size(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_size(data)


def test_refuses_more_bytes_than_a_request_may_have() -> None:
    with pytest.raises(MalformedError, match="at most"):
        AddCheckpoint.parse(b"old 0\n\n" + b"a" * MAX_REQUEST_BYTES)


def test_refuses_to_hold_what_no_log_can_claim() -> None:
    with pytest.raises(ValueError, match="empty tree"):
        Seen(0, Digest(bytes(32)))
    with pytest.raises(ValueError, match="63 bits"):
        AddCheckpoint(2**63, (), signed(LEAVES[:1]))
    with pytest.raises(ValueError, match="at most 63"):
        AddCheckpoint(1, (bytes(32),) * 64, signed(LEAVES[:1]))
    with pytest.raises(ValueError, match="32 bytes"):
        AddCheckpoint(1, (bytes(31),), signed(LEAVES[:1]))
    assert Seen(0, Digest(EMPTY_ROOT)) == NOTHING_SEEN
