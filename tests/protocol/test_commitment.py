import hashlib
import hmac
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.commitment import (
    MAX_NOTES,
    MAX_VALUE_BYTES,
    ActivityRecord,
    ActivitySource,
    Note,
    NoteCode,
    Opening,
    ValueKind,
    bucket,
    commit,
    derive_salt,
    encode_notes,
    parse_notes,
    verify_opening,
)
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Value, decode, encode
from workseal_protocol.errors import MalformedError, VerificationError

VECTORS = Path(__file__).parent.parent / "vectors" / "frames" / "commitments.json"
SALT = bytes(range(16))
SECRET = bytes(range(32))

kinds = st.sampled_from(ValueKind)
salts = st.binary(min_size=16, max_size=16)
openings = st.builds(
    Opening,
    st.builds(Digest, st.binary(min_size=32, max_size=32)),
    kinds,
    salts,
    st.binary(max_size=200),
)
activities = st.builds(
    ActivityRecord,
    observed_ms=st.integers(30_000, 600_000),
    input_seconds=st.integers(0, 30),
    keys=st.integers(0, 5),
    pointer=st.integers(0, 5),
    synthetic_tenths=st.none() | st.integers(0, 10),
    changed_percent=st.none() | st.integers(0, 100),
    source=st.sampled_from(ActivitySource),
)
notes = st.lists(
    st.builds(Note, st.sampled_from(NoteCode), st.integers(-(2**53) + 1, 2**53 - 1)), max_size=8
).map(tuple)


# --- commitments -------------------------------------------------------------


@given(kinds, salts, st.binary(max_size=100))
def test_commitment_is_the_tagged_hash(kind: ValueKind, salt: bytes, value: bytes) -> None:
    plain = b"\x04" + bytes([kind]) + salt + value
    assert commit(kind, salt, value).raw == hashlib.sha256(plain).digest()


def test_commitment_changes_with_kind_salt_and_value() -> None:
    variants = {
        commit(ValueKind.MEMO, SALT, b"a"),
        commit(ValueKind.NOTES, SALT, b"a"),
        commit(ValueKind.MEMO, bytes(16), b"a"),
        commit(ValueKind.MEMO, SALT, b"b"),
        commit(ValueKind.MEMO, SALT, b""),
    }
    assert len(variants) == 5


@pytest.mark.parametrize("salt", [b"", bytes(15), bytes(17)])
def test_refuses_salt_of_another_length(salt: bytes) -> None:
    # Or the border between salt and value would be the writer's choice.
    with pytest.raises(ValueError, match="salt"):
        commit(ValueKind.MEMO, salt, b"")
    with pytest.raises(ValueError, match="salt"):
        Opening(Digest(bytes(32)), ValueKind.MEMO, salt, b"")


@given(kinds, st.integers(0, 2**64 - 1))
def test_salt_is_hkdf_with_its_own_label(kind: ValueKind, number: int) -> None:
    info = b"workseal/salt/v1" + bytes([kind]) + number.to_bytes(8, "big")
    extracted = hmac.digest(bytes(32), SECRET, "sha256")
    expanded = hmac.digest(extracted, info + b"\x01", "sha256")[:16]
    assert derive_salt(SECRET, kind, number) == expanded


def test_every_kind_and_number_has_a_salt_of_its_own() -> None:
    derived = {derive_salt(SECRET, kind, number) for kind in ValueKind for number in range(100)}
    assert len(derived) == 100 * len(ValueKind)


def test_salts_of_two_sessions_differ() -> None:
    assert derive_salt(SECRET, ValueKind.NOTES, 0) != derive_salt(bytes(32), ValueKind.NOTES, 0)


@pytest.mark.parametrize(
    ("secret", "number"), [(bytes(31), 0), (b"", 0), (SECRET, -1), (SECRET, 2**64)]
)
def test_refuses_to_derive_outside_the_form(secret: bytes, number: int) -> None:
    with pytest.raises(ValueError, match=r"session secret|number"):
        derive_salt(secret, ValueKind.MEMO, number)


# --- openings ----------------------------------------------------------------


@given(openings)
def test_opening_parse_is_the_inverse_of_encode(opening: Opening) -> None:
    assert Opening.parse(opening.encode()) == opening
    verify_opening(opening, commit(opening.kind, opening.salt, opening.value))


@given(st.binary(max_size=120) | openings.map(Opening.encode).map(bytes.swapcase))
def test_opening_parse_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert Opening.parse(data).encode() == data


GOOD: list[Value] = [bytes(32), 4, SALT, b"memo"]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param([bytes(31), *GOOD[1:]], id="short digest"),
        pytest.param([GOOD[0], 0, *GOOD[2:]], id="kind 0"),
        pytest.param([GOOD[0], 7, *GOOD[2:]], id="kind 7"),
        pytest.param([*GOOD[:2], bytes(15), GOOD[3]], id="short salt"),
        pytest.param([*GOOD[:3], "memo"], id="value is text"),
        pytest.param([*GOOD[:3], bytes(MAX_VALUE_BYTES + 1)], id="long value"),
        pytest.param(GOOD[:3], id="no value"),
        pytest.param([*GOOD, 0], id="one item more"),
        pytest.param({1: bytes(32)}, id="a map"),
    ],
)
def test_refuses_opening(bad: Value) -> None:
    assert Opening.parse(encode(GOOD)).value == b"memo"
    with pytest.raises(MalformedError):
        Opening.parse(encode(bad))


@given(openings, st.data())
def test_refuses_an_opening_of_anything_else(opening: Opening, data: st.DataObject) -> None:
    commitment = commit(opening.kind, opening.salt, opening.value)
    kind = data.draw(kinds.filter(lambda kind: kind != opening.kind))
    changed_salt = bytes([opening.salt[0] ^ 1]) + opening.salt[1:]
    for other in (
        Opening(opening.statement, kind, opening.salt, opening.value),
        Opening(opening.statement, opening.kind, changed_salt, opening.value),
        Opening(opening.statement, opening.kind, opening.salt, opening.value + b"\x00"),
    ):
        with pytest.raises(VerificationError):
            verify_opening(other, commitment)


# --- activity ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((0,), 0),
        ((1, 9), 1),
        ((10, 29), 2),
        ((30, 99), 3),
        ((100, 299), 4),
        ((300, 10**9), 5),
    ],
)
def test_bucket(counts: tuple[int, ...], expected: int) -> None:
    assert {bucket(count) for count in counts} == {expected}


def test_refuses_a_negative_count() -> None:
    with pytest.raises(ValueError, match="negative"):
        bucket(-1)


@given(activities)
def test_activity_parse_is_the_inverse_of_encode(activity: ActivityRecord) -> None:
    assert ActivityRecord.parse(activity.encode()) == activity


@given(st.binary(max_size=60) | activities.map(ActivityRecord.encode).map(lambda d: d[::-1]))
def test_activity_parse_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert ActivityRecord.parse(data).encode() == data


ACTIVITY = ActivityRecord(30_000, 12, 3, 2, 0, 14, ActivitySource.XINPUT2)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({1: 600_001}, id="observed longer than any round"),
        pytest.param({1: -1}, id="negative time"),
        pytest.param({1: 9_000, 2: 12}, id="more input than time"),
        pytest.param({2: 601}, id="input beyond any round"),
        pytest.param({3: 6}, id="bucket 6"),
        pytest.param({3: "a"}, id="a key's name"),
        pytest.param({4: 6}, id="pointer bucket 6"),
        pytest.param({5: 11}, id="eleven tenths"),
        pytest.param({6: 101}, id="101 percent"),
        pytest.param({7: 4}, id="unknown source"),
        pytest.param({8: 0}, id="unknown key"),
    ],
)
def test_refuses_activity(change: dict[int, Value]) -> None:
    value = decode(ACTIVITY.encode())
    assert isinstance(value, dict)
    with pytest.raises(MalformedError):
        ActivityRecord.parse(encode({**value, **change}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("observed_ms", 600_001),
        ("input_seconds", -1),
        ("keys", 6),
        ("pointer", -1),
        ("synthetic_tenths", 11),
        ("changed_percent", 101),
    ],
)
def test_refuses_to_build_activity_out_of_range(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=name):
        replace(ACTIVITY, **{name: value})  # type: ignore[arg-type]


# --- notes -------------------------------------------------------------------


@given(notes)
def test_notes_parse_is_the_inverse_of_encode(some: tuple[Note, ...]) -> None:
    assert parse_notes(encode_notes(some)) == some


@given(st.binary(max_size=40) | notes.map(encode_notes).map(lambda data: data[:-1]))
def test_notes_parse_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert encode_notes(parse_notes(data)) == data


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param([[0, 1]], id="code 0"),
        pytest.param([[9, 1]], id="unknown code"),
        pytest.param([[1]], id="no value"),
        pytest.param([[1, "title"]], id="text"),
        pytest.param([[1, 1, 1]], id="three items"),
        pytest.param([1, 1], id="not nested"),
        pytest.param([[1, 1]] * (MAX_NOTES + 1), id="too many"),
        pytest.param({}, id="a map"),
    ],
)
def test_refuses_notes(bad: Value) -> None:
    with pytest.raises(MalformedError):
        parse_notes(encode(bad))


def test_refuses_to_write_more_notes_than_can_be_read() -> None:
    with pytest.raises(ValueError, match="notes"):
        encode_notes([Note(NoteCode.OFFLINE, 1)] * (MAX_NOTES + 1))
    with pytest.raises(ValueError, match="53 bits"):
        Note(NoteCode.CLOCK_STEP, 2**53)


# --- vectors -----------------------------------------------------------------


def test_vectors() -> None:
    vectors = json.loads(VECTORS.read_text())
    for vector in vectors["commitments"]:
        kind, salt = ValueKind(vector["kind"]), bytes.fromhex(vector["salt"])
        value = bytes.fromhex(vector["value"])
        assert str(commit(kind, salt, value)) == vector["commitment"]
        opening = Opening(Digest(bytes.fromhex(vector["statement"])), kind, salt, value)
        assert opening.encode().hex() == vector["opening"]
    for vector in vectors["salts"]:
        secret = bytes.fromhex(vector["secret"])
        salt = derive_salt(secret, ValueKind(vector["kind"]), vector["number"])
        assert salt.hex() == vector["salt"]
    for vector in vectors["activity"]:
        fields = {**vector["fields"], "source": ActivitySource(vector["fields"]["source"])}
        assert ActivityRecord(**fields).encode().hex() == vector["bytes"]
    for vector in vectors["notes"]:
        some = tuple(Note(NoteCode(code), value) for code, value in vector["notes"])
        assert encode_notes(some).hex() == vector["bytes"]
    assert all(len(vectors[part]) >= 2 for part in ("commitments", "salts", "activity", "notes"))
