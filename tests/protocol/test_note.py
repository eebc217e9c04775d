import base64
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Algorithm, PublicKey, SeedSigner
from workseal_protocol.note import MAX_LINES, NoteLine, NoteType, SignedNote, VerifierKey

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/log/checkpoint.json").read_text())
# The example of c2sp.org/signed-note.
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2"
    "ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()

ED25519 = [SeedSigner(bytes([n]) * 32).public_key for n in range(1, 6)]
ML_DSA = SeedSigner(b"\x03" * 32, Algorithm.ML_DSA_44).public_key

names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Zs", "Zl", "Zp", "Cc")),
    min_size=1,
    max_size=60,
).filter(lambda name: "+" not in name and not any(map(str.isspace, name)))
lines = st.builds(
    NoteLine, names, st.binary(min_size=4, max_size=4), st.binary(min_size=2, max_size=80)
)
bodies = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\n"))
notes = st.builds(
    lambda body, found: SignedNote(f"{body}\n".encode(), tuple(found)),
    bodies,
    st.lists(lines, min_size=1, max_size=5, unique_by=lambda line: (line.name, line.key_id)),
)
keys = st.one_of(
    st.builds(
        VerifierKey,
        names,
        st.sampled_from(ED25519),
        st.sampled_from([NoteType.LOG_ED25519, NoteType.COSIGNATURE]),
    ),
    st.builds(VerifierKey, names, st.just(ML_DSA), st.just(NoteType.MLDSA_COSIGNATURE)),
)

GOOD = SignedNote(b"text\n", (NoteLine("n", b"\x00\x01\x02\x03", b"sig"),)).encode()


@st.composite
def near_notes(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(notes).encode())
    at = draw(st.integers(0, len(data) - 1))
    data[at] = draw(st.integers(0, 255))
    return bytes(data)


@given(notes)
def test_parse_is_the_inverse_of_encode(note: SignedNote) -> None:
    assert SignedNote.parse(note.encode()) == note


@given(st.binary() | near_notes())
def test_parse_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert SignedNote.parse(data).encode() == data


@given(lines)
def test_a_line_parses_alone(line: NoteLine) -> None:
    assert NoteLine.parse(line.encode()) == line


@given(st.binary() | lines.map(lambda line: line.encode().swapcase()))
def test_a_line_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert NoteLine.parse(data).encode() == data


@given(keys)
def test_key_parse_is_the_inverse_of_encode(key: VerifierKey) -> None:
    assert VerifierKey.parse(key.encode()) == key


@given(
    st.text(st.characters())
    | keys.map(lambda key: key.encode().swapcase())
    | st.builds(
        lambda raw: f"n+00000000+{base64.b64encode(raw).decode()}",
        st.binary(min_size=33, max_size=33),
    )
)
def test_key_parse_raises_only_malformed(text: str) -> None:
    with suppress(MalformedError):
        assert VerifierKey.parse(text).encode() == text


def test_the_example_of_c2sp_is_read_and_verified() -> None:
    key, note = VerifierKey.parse(C2SP_KEY), SignedNote.parse(C2SP_NOTE)
    assert key.type is NoteType.LOG_ED25519
    assert note.body == b"This is an example message.\n"
    assert note.lines[0].is_from(key)
    key.key.verify(note.lines[0].signature, note.body)


def test_keys_are_those_of_the_vectors() -> None:
    seeds = {name: bytes.fromhex(seed) for name, seed in VECTORS["seeds"].items()}
    origin, witness = "verifier.example/pow2026", "witness.example/w1"
    made = [
        VerifierKey(origin, SeedSigner(seeds["log"]).public_key, NoteType.LOG_ED25519),
        VerifierKey(witness, SeedSigner(seeds["witness"]).public_key, NoteType.COSIGNATURE),
        VerifierKey(
            witness,
            SeedSigner(seeds["mldsa"], Algorithm.ML_DSA_44).public_key,
            NoteType.MLDSA_COSIGNATURE,
        ),
    ]
    texts = [VECTORS[f"{who}_vkey"] for who in ("log", "witness", "mldsa")]
    assert [key.encode() for key in made] == texts


def test_text_is_split_at_the_last_empty_line() -> None:
    note = SignedNote.parse(GOOD.replace(b"text\n", b"text\n\n\nmore\n"))
    assert note.body == b"text\n\n\nmore\n"


def test_a_name_and_an_id_name_a_key_only_together() -> None:
    key = VerifierKey("n", ED25519[0], NoteType.COSIGNATURE)
    assert NoteLine("n", key.key_id, b"sig").is_from(key)
    assert not NoteLine("m", key.key_id, b"sig").is_from(key)
    assert not NoteLine("n", b"\x00" * 4, b"sig").is_from(key)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"text\n\n", id="no signature"),
        pytest.param(b"text\n", id="no empty line"),
        pytest.param(GOOD[:-1], id="no last newline"),
        pytest.param(GOOD + b"\n", id="two newlines at the end"),
        pytest.param(GOOD + b"more\n", id="text after the signatures"),
        pytest.param(GOOD.replace("—".encode(), b"-"), id="hyphen for the dash"),
        pytest.param(GOOD.replace("—".encode(), "—".encode()[:2]), id="cut dash, not UTF-8"),
        pytest.param(GOOD.replace(b"text", b"te\xffxt"), id="not UTF-8"),
        pytest.param(GOOD.replace(b"text", b"te\rxt"), id="carriage return"),
        pytest.param(GOOD.replace(b"text", b"te\txt"), id="tab"),
        pytest.param(GOOD.replace(b" n ", b"  "), id="empty name"),
        pytest.param(GOOD.replace(b" n ", b" n+m "), id="plus in the name"),
        pytest.param(GOOD.replace(b" n ", " n\u2003m ".encode()), id="Unicode space in the name"),
        pytest.param(
            GOOD.replace(b" n ", " {} ".format("é" * 200).encode()), id="name of 400 bytes"
        ),
        pytest.param(GOOD.replace(b"AAECA3NpZw==", b"AAECA3NpZx=="), id="stray bits in base64"),
        pytest.param(GOOD.replace(b"AAECA3NpZw==", b"AAECA3NpZw"), id="no padding"),
        pytest.param(GOOD.replace(b"AAECA3NpZw==", b"AAECAw=="), id="key id alone"),
        pytest.param(GOOD.replace(b"AAECA3NpZw==", b"A" * 20_000), id="signature too long"),
        pytest.param(GOOD + GOOD.partition(b"\n\n")[2], id="one key, two lines"),
        pytest.param(b"t" * 300_000 + GOOD, id="too long"),
    ],
)
def test_refuses(bad: bytes) -> None:
    assert bad != GOOD
    with pytest.raises(MalformedError):
        SignedNote.parse(bad)


def test_accepts_64_lines_and_refuses_65() -> None:
    found = [NoteLine("n", bytes([0, 0, 0, n]), b"sig") for n in range(MAX_LINES + 1)]
    data = b"text\n\n" + b"".join(line.encode() for line in found[:MAX_LINES])
    assert len(SignedNote.parse(data).lines) == MAX_LINES
    with pytest.raises(MalformedError):
        SignedNote.parse(data + found[-1].encode())


KEY = VerifierKey("n", ED25519[0], NoteType.LOG_ED25519).encode()


def _vkey(type_byte: int, raw: bytes) -> str:
    key_id = KEY.split("+")[1]
    return f"n+{key_id}+{base64.b64encode(bytes([type_byte]) + raw).decode()}"


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param("", id="empty"),
        pytest.param(KEY + "\n", id="newline"),
        pytest.param(KEY.replace("n+", "m+", 1), id="id of another name"),
        pytest.param(KEY.replace("n+", "+", 1), id="no name"),
        pytest.param(KEY.replace("n+", "n n+", 1), id="space in the name"),
        pytest.param(KEY.replace("n+", "\ud800+", 1), id="lone surrogate"),
        pytest.param(_vkey(2, ED25519[0].raw), id="ECDSA type"),
        pytest.param(_vkey(6, ED25519[0].raw), id="ML-DSA type with an Ed25519 key"),
        pytest.param(_vkey(1, ML_DSA.raw), id="Ed25519 type with an ML-DSA key"),
        pytest.param(_vkey(1, b"\x01" + bytes(31)), id="small-order key"),
        pytest.param(_vkey(1, b"\xff" * 32), id="non-canonical key"),
        pytest.param(
            "n+" + KEY.split("+")[1].upper() + "+" + KEY.split("+", 2)[2], id="upper case"
        ),
    ],
)
def test_key_refuses(bad: str) -> None:
    with pytest.raises(MalformedError):
        VerifierKey.parse(bad)


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\tb", "a\x00b", "a\u00a0b", "\ud800", "é" * 128]
)
def test_refuses_to_make_a_key_or_line_with_the_name(name: str) -> None:
    with pytest.raises(ValueError, match=r"name|surrogate"):
        VerifierKey(name, ED25519[0], NoteType.COSIGNATURE)
    with pytest.raises(ValueError, match=r"name|surrogate"):
        NoteLine(name, b"1234", b"sig")


@pytest.mark.parametrize(
    ("key", "note_type"),
    [
        (ED25519[0], NoteType.MLDSA_COSIGNATURE),
        (ML_DSA, NoteType.COSIGNATURE),
        (ML_DSA, NoteType.LOG_ED25519),
    ],
)
def test_refuses_a_type_that_the_algorithm_has_not(key: PublicKey, note_type: NoteType) -> None:
    with pytest.raises(ValueError, match="algorithm"):
        VerifierKey("n", key, note_type)


@pytest.mark.parametrize(
    ("body", "count", "reason"),
    [
        (b"text", 1, "newline"),
        (b"text\n", 0, "1 to 64"),
        (b"text\n", 65, "1 to 64"),
        (b"te\x00xt\n", 1, "control"),
        (b"te\xffxt\n", 1, "UTF-8"),
    ],
)
def test_refuses_to_make_a_note(body: bytes, count: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SignedNote(body, tuple(NoteLine("n", bytes([0, 0, 0, n]), b"sig") for n in range(count)))


@pytest.mark.parametrize(
    ("key_id", "signature"), [(b"123", b"sig"), (b"1234", b"s"), (b"1234", b"s" * 8193)]
)
def test_refuses_to_make_a_line(key_id: bytes, signature: bytes) -> None:
    with pytest.raises(ValueError, match=r"key id|signature"):
        NoteLine("n", key_id, signature)
