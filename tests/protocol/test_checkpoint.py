import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    add_cosignature,
    cosign,
    sign_checkpoint,
    verified_cosignatures,
    verify_log,
)
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Algorithm, SeedSigner
from workseal_protocol.merkle import EMPTY_ROOT
from workseal_protocol.note import NoteLine, NoteType, VerifierKey

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/log/checkpoint.json").read_text())
LOG, WITNESS = SeedSigner(b"\x01" * 32), SeedSigner(b"\x02" * 32)
ML_DSA = SeedSigner(b"\x03" * 32, Algorithm.ML_DSA_44)
ORIGIN, NAME, NOW = "verifier.example/pow2026", "witness.example/w1", 1_795_000_000
LOG_KEY = VerifierKey(ORIGIN, LOG.public_key, NoteType.LOG_ED25519)
WITNESS_KEY = VerifierKey(NAME, WITNESS.public_key, NoteType.COSIGNATURE)
ML_DSA_KEY = VerifierKey(NAME, ML_DSA.public_key, NoteType.MLDSA_COSIGNATURE)

digests = st.builds(Digest, st.binary(min_size=32, max_size=32))
origins = st.from_regex(r"[!-*,-~]{1,255}", fullmatch=True)
checkpoints = st.builds(Checkpoint, origins, st.integers(1, 2**63 - 1), digests)

CHECKPOINT = Checkpoint(ORIGIN, 7, Digest(bytes(32)))
GOOD = CHECKPOINT.encode()
SIGNED = sign_checkpoint(CHECKPOINT, LOG)
COSIGNED = add_cosignature(SIGNED, cosign(CHECKPOINT, NAME, WITNESS, NOW))


def with_line(line: NoteLine) -> SignedCheckpoint:
    return add_cosignature(SIGNED, line)


@given(checkpoints)
def test_parse_is_the_inverse_of_encode(checkpoint: Checkpoint) -> None:
    assert Checkpoint.parse(checkpoint.encode()) == checkpoint


@given(st.binary() | checkpoints.map(Checkpoint.encode).map(bytes.swapcase))
def test_parse_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert Checkpoint.parse(data).encode() == data


@given(checkpoints)
def test_signed_parse_is_the_inverse_of_encode(checkpoint: Checkpoint) -> None:
    signed = add_cosignature(
        sign_checkpoint(checkpoint, LOG), cosign(checkpoint, NAME, WITNESS, NOW)
    )
    assert SignedCheckpoint.parse(signed.encode()) == signed
    assert signed.digest == Digest.of(signed.encode())


@given(st.binary(), st.integers(0, len(COSIGNED.encode()) - 1), st.integers(0, 255))
def test_signed_parse_raises_only_malformed(noise: bytes, at: int, byte: int) -> None:
    changed = bytearray(COSIGNED.encode())
    changed[at] = byte
    for data in (noise, bytes(changed)):
        with suppress(MalformedError):
            assert SignedCheckpoint.parse(data).encode() == data


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(GOOD.replace(b"\n7", b"\n07", 1), id="leading zero"),
        pytest.param(GOOD.replace(b"\n7", b"\n" + b"9" * 5000), id="size beyond int's own limit"),
        pytest.param(GOOD.replace(b"\n7", b"\n9223372036854775808"), id="size of 2**63"),
        pytest.param(GOOD.replace(b"\n7", b"\n-1"), id="negative size"),
        pytest.param(GOOD.replace(b"\n7", b"\n0"), id="empty log with a root"),
        pytest.param(GOOD.replace(b"A=", b"B="), id="stray bits in base64"),
        pytest.param(GOOD + b"more\n", id="extension line"),
        pytest.param(GOOD[:-1], id="no last newline"),
        pytest.param(GOOD.replace(b"verifier", b"\xff"), id="not UTF-8"),
        pytest.param(GOOD.replace(b"verifier", b"a+b"), id="plus in the origin"),
        pytest.param(GOOD.replace(b"verifier", b"a b"), id="space in the origin"),
        pytest.param(GOOD.replace(ORIGIN.encode(), b""), id="no origin"),
        pytest.param(GOOD.replace(ORIGIN.encode(), b"o" * 256), id="origin of 256 bytes"),
        pytest.param(GOOD.replace(b"\n", b"\r\n"), id="carriage returns"),
    ],
)
def test_refuses(bad: bytes) -> None:
    assert bad != GOOD
    with pytest.raises(MalformedError):
        Checkpoint.parse(bad)
    with pytest.raises(MalformedError):
        SignedCheckpoint.parse(SIGNED.encode().replace(GOOD, bad))


def test_the_empty_log_has_the_root_of_the_empty_tree() -> None:
    empty = Checkpoint(ORIGIN, 0, Digest(EMPTY_ROOT))
    assert Checkpoint.parse(empty.encode()) == empty


@pytest.mark.parametrize(
    ("origin", "size"),
    [("", 1), ("a b", 1), ("o\n", 1), ("é", 1), (ORIGIN, -1), (ORIGIN, 2**63), (ORIGIN, 0)],
)
def test_refuses_to_make(origin: str, size: int) -> None:
    with pytest.raises(ValueError, match=r"origin|leaves|empty"):
        Checkpoint(origin, size, Digest(bytes(32)))


# --- the log's line ---


def test_lines_are_those_of_the_vectors() -> None:
    vector = SignedCheckpoint.parse(VECTORS["checkpoint"].encode())
    assert sign_checkpoint(vector.checkpoint, LOG).lines[0] == vector.lines[0]
    stamp = VECTORS["timestamp"]
    assert cosign(vector.checkpoint, NAME, WITNESS, stamp) == vector.lines[1]
    verify_log(vector, VerifierKey.parse(VECTORS["log_vkey"]))
    keys = [VerifierKey.parse(VECTORS[f"{who}_vkey"]) for who in ("witness", "mldsa")]
    found = verified_cosignatures(vector, keys)
    assert [(one.name, one.timestamp, one.key) for one in found] == [
        (NAME, stamp, keys[0]),
        (NAME, stamp, keys[1]),
    ]


def test_log_signed_is_the_checkpoint_with_the_log_line_alone() -> None:
    assert COSIGNED.log_signed(LOG_KEY) == SIGNED.encode()
    assert SIGNED.encode().startswith(GOOD + "\n— ".encode())
    with pytest.raises(VerificationError, match="no line"):
        COSIGNED.log_signed(replace(LOG_KEY, name="other"))


def test_verify_log_accepts_its_own_and_ignores_other_lines() -> None:
    verify_log(COSIGNED, LOG_KEY)
    verify_log(with_line(NoteLine("stranger", b"1234", b"not a signature")), LOG_KEY)


def test_verify_log_refuses_another_key_a_changed_body_and_another_name() -> None:
    other = VerifierKey(ORIGIN, WITNESS.public_key, NoteType.LOG_ED25519)
    with pytest.raises(VerificationError, match="no line"):
        verify_log(SIGNED, other)
    with pytest.raises(VerificationError, match="does not verify"):
        verify_log(replace(SIGNED, checkpoint=replace(CHECKPOINT, size=8)), LOG_KEY)
    named = sign_checkpoint(CHECKPOINT, LOG, name="other.example")
    with pytest.raises(VerificationError, match="origin"):
        verify_log(named, VerifierKey("other.example", LOG.public_key, NoteType.LOG_ED25519))
    with pytest.raises(ValueError, match="0x01"):
        verify_log(COSIGNED, WITNESS_KEY)


def test_every_changed_bit_of_the_log_signature_is_refused() -> None:
    line = SIGNED.lines[0]
    for bit in range(8 * 64):
        changed = bytearray(line.signature)
        changed[bit // 8] ^= 1 << bit % 8
        bad = replace(SIGNED, lines=(replace(line, signature=bytes(changed)),))
        with pytest.raises(VerificationError):
            verify_log(bad, LOG_KEY)


# --- cosignatures ---


@pytest.mark.parametrize(("signer", "key"), [(WITNESS, WITNESS_KEY), (ML_DSA, ML_DSA_KEY)])
def test_a_cosignature_verifies_for_its_checkpoint_time_and_name_only(
    signer: SeedSigner, key: VerifierKey
) -> None:
    line = cosign(CHECKPOINT, NAME, signer, NOW)
    assert [one.timestamp for one in verified_cosignatures(with_line(line), [key])] == [NOW]
    later = NoteLine(line.name, line.key_id, (NOW + 1).to_bytes(8) + line.signature[8:])
    longer = replace(line, signature=line.signature + b"\x00")
    shorter = replace(line, signature=line.signature[:-1])
    tiny = replace(line, signature=b"ab")
    for bad in (longer, shorter, tiny):
        with pytest.raises(VerificationError, match="wrong length"):
            verified_cosignatures(with_line(bad), [key])
    with pytest.raises(VerificationError, match="does not verify"):
        verified_cosignatures(with_line(later), [key])
    moved = replace(with_line(line), checkpoint=replace(CHECKPOINT, size=8))
    with pytest.raises(VerificationError, match="does not verify"):
        verified_cosignatures(moved, [key])


def test_the_ml_dsa_cosignature_binds_the_name_of_the_cosigner() -> None:
    line = cosign(CHECKPOINT, NAME, ML_DSA, NOW)
    other = replace(ML_DSA_KEY, name="other")
    with pytest.raises(VerificationError, match="does not verify"):
        verified_cosignatures(with_line(NoteLine("other", other.key_id, line.signature)), [other])


def test_unknown_cosigners_are_ignored_and_order_is_that_of_the_keys() -> None:
    both = add_cosignature(COSIGNED, cosign(CHECKPOINT, NAME, ML_DSA, NOW + 1))
    assert verified_cosignatures(both, []) == ()
    found = verified_cosignatures(both, iter([ML_DSA_KEY, WITNESS_KEY]))
    assert [one.timestamp for one in found] == [NOW + 1, NOW]


def test_a_known_cosigner_with_a_bad_signature_rejects_all() -> None:
    bad = NoteLine(NAME, ML_DSA_KEY.key_id, NOW.to_bytes(8) + bytes(2420))
    with pytest.raises(VerificationError, match="does not verify"):
        verified_cosignatures(add_cosignature(COSIGNED, bad), [WITNESS_KEY, ML_DSA_KEY])


def test_a_timestamp_has_63_bits() -> None:
    assert cosign(CHECKPOINT, NAME, WITNESS, 2**63 - 1).signature[:8] == b"\x7f" + b"\xff" * 7
    for wrong in (-1, 2**63):
        with pytest.raises(ValueError, match="63 bits"):
            cosign(CHECKPOINT, NAME, WITNESS, wrong)
    message = f"cosignature/v1\ntime {2**63}\n".encode() + GOOD
    line = NoteLine(NAME, WITNESS_KEY.key_id, (2**63).to_bytes(8) + WITNESS.sign(message))
    with pytest.raises(VerificationError, match="63 bits"):
        verified_cosignatures(with_line(line), [WITNESS_KEY])


def test_one_cosigner_has_one_line_the_newest_given() -> None:
    again = add_cosignature(COSIGNED, cosign(CHECKPOINT, NAME, WITNESS, NOW + 60))
    assert len(again.lines) == 2
    assert [one.timestamp for one in verified_cosignatures(again, [WITNESS_KEY])] == [NOW + 60]


def test_refuses_keys_that_cannot_cosign() -> None:
    with pytest.raises(ValueError, match="share one name"):
        verified_cosignatures(SIGNED, [WITNESS_KEY, WITNESS_KEY])
    with pytest.raises(ValueError, match="0x04"):
        verified_cosignatures(SIGNED, [LOG_KEY])
    with pytest.raises(ValueError, match="ML-DSA-44"):
        cosign(CHECKPOINT, NAME, SeedSigner(b"\x04" * 32, Algorithm.ML_DSA_65), NOW)


def test_a_signed_checkpoint_has_a_line() -> None:
    with pytest.raises(ValueError, match="signature lines"):
        SignedCheckpoint(CHECKPOINT, ())
