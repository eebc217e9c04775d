import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.examined import good, story
from workseal_protocol.bundle import write_archive
from workseal_protocol.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    add_cosignature,
    cosign,
    sign_checkpoint,
)
from workseal_protocol.cose import octets
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Algorithm, SeedSigner
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.policy import TlogPolicy, TrustPolicy, verify_checkpoint
from workseal_protocol.records import KeyRotate, sign
from workseal_protocol.verify import PARTS, Foreseen, ahead, examine_bundle
from workseal_protocol.verify.ahead import PutOff, name_of

ORIGIN = "log.example"
LOG, WITNESS = SeedSigner(b"\x01" * 32), SeedSigner(b"\x02" * 32, Algorithm.ML_DSA_44)
FIRST = SeedSigner(b"\x03" * 32)
SECOND = SeedSigner(b"\x04" * 32)
WITNESS_KEY = VerifierKey("w.example", WITNESS.public_key, NoteType.MLDSA_COSIGNATURE)
POLICY = TrustPolicy(
    TlogPolicy(
        (VerifierKey(ORIGIN, LOG.public_key, NoteType.LOG_ED25519),), {"w": WITNESS_KEY}, (), "w"
    ),
)


class Nobody:
    """Have checked nothing."""

    def held(self) -> frozenset[bytes]:
        return frozenset()


def names(data: bytes, policy: TrustPolicy) -> list[bytes]:
    foreseen = Foreseen(data, policy)
    return [
        joined[at : at + 32]
        for joined in map(foreseen.held, range(PARTS))
        for at in range(0, len(joined), 32)
    ]


def note(size: int) -> bytes:
    checkpoint = Checkpoint(ORIGIN, size, Digest(bytes(32)))
    signed = sign_checkpoint(checkpoint, LOG)
    return add_cosignature(signed, cosign(checkpoint, "w.example", WITNESS, 1_772_442_000)).encode()


def test_every_part_is_of_every_item_once() -> None:
    notes = [note(size) for size in range(1, 2 * PARTS + 4)]
    data = write_archive((("checkpoints.cbor", b"".join(map(octets, notes))),))
    found = names(data, POLICY)
    assert len(found) == len(set(found)) == 2 * len(notes)


def test_all_but_receipts_is_foreseen_as_the_steps_ask_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = story().bundle(dataclasses.replace(story().contents, receipts=())).encode()
    asked: list[bytes] = []

    def name(one: PutOff) -> bytes:
        asked.append(name_of(one))
        return asked[-1]

    monkeypatch.setattr(ahead, "name_of", name)
    assert examine_bundle(data, story().policy, checker=Nobody()).holds
    assert sorted(asked) == sorted(names(data, story().policy))


def test_lines_of_either_algorithm_are_foreseen() -> None:
    asked: list[bytes] = []
    data = note(3)
    verify_checkpoint(
        SignedCheckpoint.parse(data), POLICY.tlog, lambda *one: asked.append(name_of(one))
    )
    assert len(asked) == 2
    assert names(write_archive((("checkpoint", data),)), POLICY) == asked


def test_keys_that_come_in_the_bundle_are_known() -> None:
    rotation = sign(KeyRotate.make(claimed_at=1, old=FIRST.public_key, new=SECOND), FIRST)
    by_second = sign(KeyRotate.make(claimed_at=2, old=SECOND.public_key, new=LOG), SECOND)
    data = write_archive((("statements.cbor", rotation.encode() + by_second.encode()),))
    assert len(names(data, POLICY)) == 1
    # Without the rotation nobody knows the key.
    assert names(write_archive((("statements.cbor", by_second.encode()),)), POLICY) == []


def test_what_does_not_hold_is_not_named() -> None:
    spoiled = bytearray(note(3))
    at = spoiled.index(b" ", spoiled.index(b"\n\n") + 6) + 20
    spoiled[at] = ord("A") if spoiled[at] != ord("A") else ord("B")
    assert len(names(write_archive((("checkpoint", note(3)),)), POLICY)) == 2
    assert len(names(write_archive((("checkpoint", bytes(spoiled)),)), POLICY)) == 1


def test_of_many_lines_of_one_key_one_is_paid_for() -> None:
    text, _, lines = note(3).partition(b"\n\n")
    line = lines.splitlines(keepends=True)[0]
    data = write_archive((("checkpoint", text + b"\n\n" + 1000 * line),))
    assert len(names(data, POLICY)) == 1
    # Nor is what stands behind as many lines as a note may have.
    stranger = line.replace(ORIGIN.encode(), b"stranger")
    data = write_archive((("checkpoint", text + b"\n\n" + 64 * stranger + line),))
    assert names(data, POLICY) == []


@pytest.mark.parametrize("data", [b"", b"PK", good()[:-1]], ids=["empty", "begun", "cut"])
def test_what_is_no_bundle_foretells_nothing(data: bytes) -> None:
    assert names(data, story().policy) == []


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["statements.cbor", "checkpoints.cbor", "checkpoint", "manifest.cose"]),
        st.one_of(
            st.binary(max_size=300),
            st.tuples(st.integers(0, 320), st.binary(min_size=1, max_size=3)).map(
                lambda cut: note(3)[: cut[0]] + cut[1] + note(3)[cut[0] + len(cut[1]) :]
            ),
        ),
    )
)
def test_bytes_of_any_form_raise_nothing(entries: dict[str, bytes]) -> None:
    names(write_archive(tuple(entries.items())), POLICY)
