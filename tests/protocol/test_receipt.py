import base64
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.checkpoint import Checkpoint, add_cosignature, cosign, sign_checkpoint
from workseal_protocol.cose import Sign1, sig_structure
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Value, encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Algorithm, SeedSigner
from workseal_protocol.merkle import inclusion_path, leaf_hash, root_of, sparse_proof
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.receipt import (
    PATH_MARK,
    Receipt,
    SeenReceipts,
    SubmissionAnswer,
    cose_receipt,
    verify_answer,
    verify_cose_receipt,
    verify_receipt,
)

FOLDER = Path(__file__).parents[1] / "vectors/log"
VECTORS = json.loads((FOLDER / "receipt.json").read_text())
KEYS = json.loads((FOLDER / "checkpoint.json").read_text())
ANSWERS = json.loads((FOLDER / "answer.json").read_text())

ORIGIN = "log.example/1"
LOG, WITNESS = SeedSigner(b"\x01" * 32), SeedSigner(b"\x02" * 32)
ML_DSA = SeedSigner(b"\x03" * 32, Algorithm.ML_DSA_44)
LOG_KEY = VerifierKey(ORIGIN, LOG.public_key, NoteType.LOG_ED25519)
WITNESS_KEY = VerifierKey("w.example", WITNESS.public_key, NoteType.COSIGNATURE)
POLICY = TlogPolicy((LOG_KEY,))
QUORUM = TlogPolicy((LOG_KEY,), {"w": WITNESS_KEY}, (), "w")

ENTRIES = [Digest.of(number.to_bytes(4)) for number in range(40)]
LEAVES = [leaf_hash(entry.raw) for entry in ENTRIES]
SUBJECT = "urn:uuid:00000000-0000-4000-8000-000000000000"


def checkpoint_of(size: int, origin: str = ORIGIN) -> Checkpoint:
    return Checkpoint(origin, size, Digest(root_of(LEAVES[:size])))


def receipt_of(index: int, size: int) -> Receipt:
    path = inclusion_path(LEAVES[:size], index)
    return Receipt(index, path, sign_checkpoint(checkpoint_of(size), LOG))


def answer_of(size: int, indices: list[int], old: int) -> SubmissionAnswer:
    hashes = sparse_proof(
        lambda lo, hi: root_of(LEAVES[lo:hi]), size, sorted(set(indices)), [old] if old else []
    )
    return SubmissionAnswer(sign_checkpoint(checkpoint_of(size), LOG), tuple(indices), hashes)


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    size = draw(st.integers(1, 40))
    extra = draw(st.none() | st.binary(min_size=1, max_size=40))
    return replace(receipt_of(draw(st.integers(0, size - 1)), size), extra=extra)


@st.composite
def answers(draw: st.DrawFn) -> tuple[SubmissionAnswer, int]:
    size = draw(st.integers(1, 40))
    indices = draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=8))
    old = draw(st.integers(0, size))
    return answer_of(size, indices, old), old


def flipped(data: bytes, at: int, byte: int) -> bytes:
    return data[:at] + bytes([byte]) + data[at + 1 :]


# --- .tlog-proof ---


@given(receipts())
def test_parse_is_the_inverse_of_encode(receipt: Receipt) -> None:
    assert Receipt.parse(receipt.encode()) == receipt


GOOD = receipt_of(5, 7).encode()


@given(
    st.binary()
    | st.builds(flipped, st.just(GOOD), st.integers(0, len(GOOD) - 1), st.integers(0, 255))
)
def test_parse_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert Receipt.parse(data).encode() == data


@given(receipts())
def test_a_receipt_holds_for_its_entry_and_for_no_other(receipt: Receipt) -> None:
    verified = verify_receipt(receipt, ENTRIES[receipt.index], POLICY)
    assert verified.signed == receipt.signed
    for entry in (ENTRIES[receipt.index - 1], Digest(LEAVES[receipt.index])):
        with pytest.raises(VerificationError, match="path"):
            verify_receipt(receipt, entry, POLICY)


def test_a_receipt_needs_the_checkpoint_of_the_policy() -> None:
    receipt = receipt_of(5, 7)
    with pytest.raises(VerificationError, match="quorum"):
        verify_receipt(receipt, ENTRIES[5], QUORUM)
    line = cosign(checkpoint_of(7), "w.example", WITNESS, 77)
    cosigned = replace(receipt, signed=add_cosignature(receipt.signed, line))
    assert verify_receipt(cosigned, ENTRIES[5], QUORUM).not_before == 77_000
    forged = replace(receipt, signed=sign_checkpoint(checkpoint_of(7), WITNESS))
    with pytest.raises(VerificationError, match="no line"):
        verify_receipt(forged, ENTRIES[5], POLICY)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"", id="empty"),
        pytest.param(GOOD.replace(b"@v1", b"@v2"), id="other version"),
        pytest.param(GOOD.replace(b"index 5", b"index 05"), id="leading zero"),
        pytest.param(
            GOOD.replace(b"index 5", b"index " + b"9" * 5000), id="beyond int's own limit"
        ),
        pytest.param(
            GOOD.replace(b"index 5", b"index 9223372036854775807"), id="index of 2**63 - 1"
        ),
        pytest.param(GOOD.replace(b"index 5", b"extra \nindex 5"), id="empty extra"),
        pytest.param(GOOD.replace(b"index 5", b"extra AB==\nindex 5"), id="stray bits in extra"),
        pytest.param(GOOD.replace(b"index 5", b"extra A===\nindex 5"), id="extra is no base64"),
        pytest.param(
            GOOD.replace(b"index 5\n", b"index 5\n" + b"A" * 43 + b"B\n"), id="no padding"
        ),
        pytest.param(
            GOOD.replace(b"index 5\n", b"index 5\n" + b"A" * 42 + b"B=\n"), id="stray bits"
        ),
        pytest.param(
            GOOD.replace(b"index 5\n", b"index 5\n" + (b"A" * 43 + b"=\n") * 64),
            id="path of 64 more",
        ),
        pytest.param(GOOD.replace(b"\n\n", b"\n", 1), id="no empty line"),
        pytest.param(GOOD.partition(b"\n\n")[0] + b"\n\n", id="no checkpoint"),
        pytest.param(GOOD + b"\n", id="newline at the end"),
        pytest.param(GOOD[:-1], id="no last newline"),
        pytest.param(GOOD.replace(b"\n7\n", b"\n07\n"), id="malformed checkpoint"),
    ],
)
def test_refuses(bad: bytes) -> None:
    assert bad != GOOD
    with pytest.raises(MalformedError):
        Receipt.parse(bad)


def test_the_first_entry_of_a_log_has_an_empty_path() -> None:
    receipt = Receipt.parse(receipt_of(0, 1).encode())
    assert receipt.path == ()
    verify_receipt(receipt, ENTRIES[0], POLICY)


@pytest.mark.parametrize(
    ("index", "path", "extra"),
    [
        pytest.param(-1, (), None, id="negative index"),
        pytest.param(2**63 - 1, (), None, id="index too large"),
        pytest.param(0, (b"short",), None, id="short hash"),
        pytest.param(0, (bytes(32),) * 64, None, id="long path"),
        pytest.param(0, (), b"", id="empty extra"),
        pytest.param(0, (), bytes(4097), id="long extra"),
    ],
)
def test_refuses_to_make(index: int, path: tuple[bytes, ...], extra: bytes | None) -> None:
    with pytest.raises(ValueError, match=r"index|path|extra"):
        Receipt(index, path, sign_checkpoint(checkpoint_of(1), LOG), extra)


def test_the_proof_of_the_vectors_is_read_and_holds() -> None:
    receipt = Receipt.parse(VECTORS["tlog_proof"].encode())
    log, witness, mldsa = (
        VerifierKey.parse(KEYS[f"{who}_vkey"]) for who in ("log", "witness", "mldsa")
    )
    entry = Digest(bytes.fromhex(VECTORS["entry"]))
    assert receipt.index == VECTORS["index"]
    for name, key in (("w", witness), ("pq", mldsa)):
        verified = verify_receipt(receipt, entry, TlogPolicy((log,), {name: key}, (), name))
        assert verified.not_before == KEYS["timestamp"] * 1000


# --- answers to submissions ---


@given(answers())
def test_an_answer_parses_back_and_holds(case: tuple[SubmissionAnswer, int]) -> None:
    answer, old = case
    assert SubmissionAnswer.parse(answer.encode()) == answer
    digests = [ENTRIES[index] for index in answer.indices]
    seen = checkpoint_of(old) if old else None
    assert verify_answer(answer, digests, seen, POLICY).signed == answer.signed


@given(answers(), st.binary(), st.data())
def test_an_answer_raises_only_malformed(
    case: tuple[SubmissionAnswer, int], noise: bytes, data: st.DataObject
) -> None:
    encoded = case[0].encode()
    at = data.draw(st.integers(0, len(encoded) - 1))
    for candidate in (noise, flipped(encoded, at, data.draw(st.integers(0, 255)))):
        with suppress(MalformedError):
            assert SubmissionAnswer.parse(candidate).encode() == candidate


@given(answers(), st.data())
def test_an_answer_refuses_another_statement_index_old_tree_or_hash(
    case: tuple[SubmissionAnswer, int], data: st.DataObject
) -> None:
    answer, old = case
    digests = [ENTRIES[index] for index in answer.indices]
    seen = checkpoint_of(old) if old else None
    at = data.draw(st.integers(0, len(digests) - 1))
    wrong = [(answer, [*digests[:at], Digest(bytes(32)), *digests[at + 1 :]], seen)]
    wrong.append((replace(answer, hashes=(*answer.hashes, bytes(32))), digests, seen))
    if answer.hashes:
        wrong.append((replace(answer, hashes=answer.hashes[1:]), digests, seen))
    if seen:
        wrong.append((answer, digests, replace(seen, root=Digest(bytes(32)))))
    for bad, sent, before in wrong:
        with pytest.raises(VerificationError):
            verify_answer(bad, sent, before, POLICY)


def test_an_answer_names_an_index_for_each_statement() -> None:
    with pytest.raises(VerificationError, match="expected 2 indices, found 1"):
        verify_answer(answer_of(7, [3], 0), ENTRIES[3:5], None, POLICY)
    with pytest.raises(VerificationError, match="one index"):
        verify_answer(answer_of(7, [3, 3], 0), ENTRIES[3:5], None, POLICY)
    verify_answer(answer_of(7, [3, 3], 0), [ENTRIES[3]] * 2, None, POLICY)


def test_an_answer_never_goes_back_or_to_another_log() -> None:
    answer = answer_of(7, [3], 0)
    with pytest.raises(VerificationError, match="smaller"):
        verify_answer(answer, [ENTRIES[3]], checkpoint_of(8), POLICY)
    with pytest.raises(VerificationError, match="another log"):
        verify_answer(answer, [ENTRIES[3]], checkpoint_of(5, "other.example"), POLICY)
    with pytest.raises(VerificationError, match="too short"):
        verify_answer(answer, [ENTRIES[3]], checkpoint_of(5), POLICY)
    verify_answer(answer, [ENTRIES[3]], checkpoint_of(0), POLICY)


def test_an_answer_needs_the_policy() -> None:
    with pytest.raises(VerificationError, match="quorum"):
        verify_answer(answer_of(7, [3], 0), [ENTRIES[3]], None, QUORUM)


ANSWER = answer_of(7, [3], 0)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({1: ANSWER.signed.encode(), 2: [3]}, id="no hashes"),
        pytest.param({1: ANSWER.signed.encode(), 2: [], 3: b""}, id="no indices"),
        pytest.param({1: ANSWER.signed.encode(), 2: [0] * 257, 3: b""}, id="257 indices"),
        pytest.param({1: ANSWER.signed.encode(), 2: [-1], 3: b""}, id="negative index"),
        pytest.param({1: ANSWER.signed.encode(), 2: ["3"], 3: b""}, id="index is text"),
        pytest.param({1: ANSWER.signed.encode(), 2: [3], 3: bytes(33)}, id="33 bytes of hashes"),
        pytest.param({1: ANSWER.signed.encode(), 2: [3], 3: b"", 4: 1}, id="unknown key"),
        pytest.param({1: b"text", 2: [3], 3: b""}, id="no checkpoint"),
        pytest.param([1, 2, 3], id="array"),
    ],
)
def test_answer_refuses(bad: Value) -> None:
    with pytest.raises(MalformedError):
        SubmissionAnswer.parse(encode(bad))


@pytest.mark.parametrize(
    ("indices", "hashes"), [((), ()), ((0,) * 257, ()), ((-1,), ()), ((2**53,), ()), ((0,), (b"",))]
)
def test_refuses_to_make_an_answer(indices: tuple[int, ...], hashes: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match=r"statements|53 bits|32 bytes"):
        SubmissionAnswer(ANSWER.signed, indices, hashes)


@pytest.mark.parametrize("case", ANSWERS["cases"])
def test_answers_are_those_of_the_vectors(case: dict[str, str]) -> None:
    made = answer_of(int(case["size"]), [*map(int, case["indices"])], int(case["old"]))
    assert made.encode().hex() == case["answer"]


# --- RFC 9942 ---


def make_cose(index: int, size: int, signer: SeedSigner = LOG) -> bytes:
    path = inclusion_path(LEAVES[:size], index)
    root = root_of(LEAVES[:size])
    return cose_receipt(
        root, size, index, path, signer=signer, issuer="https://log.example", subject=SUBJECT
    )


COSE = make_cose(5, 7)


def test_the_receipt_of_the_vectors_is_written_and_holds() -> None:
    receipt = Receipt.parse(VECTORS["tlog_proof"].encode())
    root = bytes.fromhex(VECTORS["root"])
    made = cose_receipt(
        root,
        receipt.signed.checkpoint.size,
        receipt.index,
        receipt.path,
        signer=LOG,
        issuer=VECTORS["issuer"],
        subject=VECTORS["subject"],
    )
    assert made.hex() == VECTORS["cose_receipt"]
    entry = Digest(bytes.fromhex(VECTORS["entry"]))
    assert verify_cose_receipt(made, entry=entry, key=LOG.public_key).raw == root


@pytest.mark.parametrize("signer", [LOG, ML_DSA])
@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 7), (6, 7), (12, 40)])
def test_a_cose_receipt_gives_the_signed_root(signer: SeedSigner, index: int, size: int) -> None:
    data = make_cose(index, size, signer)
    root = verify_cose_receipt(data, entry=ENTRIES[index], key=signer.public_key)
    assert root == checkpoint_of(size).root
    with pytest.raises(VerificationError):
        verify_cose_receipt(data, entry=ENTRIES[index - 1], key=signer.public_key)
    with pytest.raises(VerificationError, match="not by the log's key"):
        verify_cose_receipt(data, entry=ENTRIES[index], key=WITNESS.public_key)


@pytest.mark.parametrize("at", range(len(COSE)))
def test_a_cose_receipt_with_a_changed_byte_gives_no_other_root(at: int) -> None:
    # Size and index are not signed, so a change of them may hold: of the same root.
    with suppress(MalformedError, VerificationError):
        root = verify_cose_receipt(
            flipped(COSE, at, COSE[at] ^ 1), entry=ENTRIES[5], key=LOG.public_key
        )
        assert root == checkpoint_of(7).root


@given(st.binary())
def test_a_cose_receipt_raises_only_our_errors(data: bytes) -> None:
    with pytest.raises((MalformedError, VerificationError)):
        verify_cose_receipt(data, entry=ENTRIES[5], key=LOG.public_key)


HEADER: dict[int, Value] = {
    1: -8,
    4: LOG.public_key.thumbprint.raw,
    15: {1: "https://log.example", 2: SUBJECT},
    395: 1,
}
PATH: list[Value] = list(inclusion_path(LEAVES[:7], 5))
PROOF = encode([7, 5, PATH])


def hand_made(
    header: dict[int, Value], unprotected: dict[int, Value], payload: bytes | None = None
) -> bytes:
    protected = encode(header)
    signature = LOG.sign(sig_structure(protected, root_of(LEAVES[:7])))
    return Sign1(protected, payload, signature, unprotected).encode()


def test_the_hand_made_receipt_is_the_real_one() -> None:
    assert hand_made(HEADER, {396: {-1: [PROOF]}}) == COSE


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(hand_made(HEADER | {395: 2}, {396: {-1: [PROOF]}}), id="other structure"),
        pytest.param(
            hand_made({k: v for k, v in HEADER.items() if k != 395}, {396: {-1: [PROOF]}, 395: 1}),
            id="structure outside the protected header",
        ),
        pytest.param(hand_made(HEADER | {1: -7}, {396: {-1: [PROOF]}}), id="unknown algorithm"),
        pytest.param(hand_made(HEADER | {4: b"kid"}, {396: {-1: [PROOF]}}), id="short kid"),
        pytest.param(hand_made(HEADER | {15: {1: "x"}}, {396: {-1: [PROOF]}}), id="no subject"),
        pytest.param(hand_made(HEADER | {99: 1}, {396: {-1: [PROOF]}}), id="unknown header"),
        pytest.param(hand_made(HEADER, {}), id="no proof"),
        pytest.param(hand_made(HEADER, {396: {-1: [PROOF, PROOF]}}), id="two proofs"),
        pytest.param(hand_made(HEADER, {396: {-2: [PROOF]}}), id="consistency proof"),
        pytest.param(hand_made(HEADER, {396: {-1: [PROOF], -2: []}}), id="both kinds"),
        pytest.param(hand_made(HEADER, {396: {-1: [PROOF]}, 394: 1}), id="more unprotected"),
        pytest.param(hand_made(HEADER, {396: {-1: [PROOF]}}, b"payload"), id="attached payload"),
        pytest.param(hand_made(HEADER, {396: {-1: [encode([7, 5])]}}), id="proof of two"),
        pytest.param(hand_made(HEADER, {396: {-1: [encode([7, -5, PATH])]}}), id="negative index"),
        pytest.param(hand_made(HEADER, {396: {-1: [encode([7, 5, [1]])]}}), id="path of numbers"),
        pytest.param(
            hand_made(HEADER, {396: {-1: [encode([7, 5, [bytes(32)] * 64])]}}), id="path of 64"
        ),
        pytest.param(hand_made(HEADER, {396: {-1: [PROOF + b"\x00"]}}), id="bytes after the proof"),
        pytest.param(COSE + b"\x00", id="trailing byte"),
    ],
)
def test_cose_receipt_refuses(bad: bytes) -> None:
    with pytest.raises(MalformedError):
        verify_cose_receipt(bad, entry=ENTRIES[5], key=LOG.public_key)


def test_base64_of_the_proof_is_what_a_stranger_decodes() -> None:
    lines = receipt_of(5, 7).encode().split(b"\n")
    assert base64.b64decode(lines[2]) == LEAVES[4]


# --- receipts like one that was checked ---


def made(index: int, path: list[bytes], *, subject: str = "s", size: int = 2**30) -> bytes:
    return cose_receipt(
        bytes(32), size, index, path, signer=LOG, issuer="https://log.example", subject=subject
    )


@pytest.mark.parametrize("length", [1, 23, 24, 63])
def test_a_receipt_like_one_before_it_has_its_own_place_and_path(length: int) -> None:
    path = [bytes([number]) * 32 for number in range(length)]
    joined = b"".join(PATH_MARK + one for one in path)
    seen = SeenReceipts()
    assert not seen.holds(made(5, path), 5, joined)
    seen.add(made(0, path), 2**30)
    for index in (0, 5, 300, 2**30 - 1):
        assert seen.holds(made(index, path), index, joined)
    assert not seen.holds(made(5, path), 4, joined)
    assert not seen.holds(made(0, path), 4, joined)
    assert not seen.holds(made(5, path), 5, joined[:-1] + b"\xff")
    assert not seen.holds(made(5, path, size=2**29), 5, joined)
    assert not seen.holds(made(5, path, subject="t"), 5, joined)
    assert not seen.holds(made(5, path) + b"\x00", 5, joined)


def test_the_newest_four_signatures_are_remembered() -> None:
    seen = SeenReceipts()
    for subject in "abcde":
        seen.add(made(1, [bytes(32)], subject=subject), 2**30)
    joined = PATH_MARK + bytes(32)
    found = [seen.holds(made(2, [bytes(32)], subject=one), 2, joined) for one in "abcde"]
    assert found == [False, True, True, True, True]
