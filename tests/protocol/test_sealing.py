import hashlib
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.sealing import (
    ENCAPSULATED_BYTES,
    MAX_DISCLOSURES,
    MAX_PACKAGE_BYTES,
    MAX_SEALED_BYTES,
    MIN_SEALED_BYTES,
    PUBLIC_BYTES,
    case_public,
    encode_package,
    open_package,
    pad,
    padded_length,
    parse_package,
    require_public,
    require_sealed_length,
    seal_package,
    unpad,
)

VECTORS = Path(__file__).parent.parent / "vectors" / "frames" / "sealing.json"
PRIVATE = hashlib.shake_256(b"case key").digest(96)
PUBLIC = case_public(PRIVATE)
REQUEST = Digest.of(b"request")
STATEMENT = b"\xd2" + encode([b"protected", {}, b"payload", b"signature"])
ITEMS = (STATEMENT, b"first disclosure", b"")

packages = st.lists(st.binary(max_size=60), max_size=5).map(lambda rest: (STATEMENT, *rest))


# --- packages ----------------------------------------------------------------


@given(packages)
def test_package_parse_is_the_inverse_of_encode(items: tuple[bytes, ...]) -> None:
    assert parse_package(encode_package(items)) == items


@given(st.binary(max_size=60) | packages.map(encode_package).map(lambda data: data[:-1]))
def test_package_parse_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        parse_package(data)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"", id="empty"),
        pytest.param(STATEMENT + encode(1), id="an integer after the statement"),
        pytest.param(STATEMENT + b"\xd2" + encode(b"x"), id="a tag after the statement"),
        pytest.param(STATEMENT + b"\x58\x01x", id="length not in shortest form"),
        pytest.param(STATEMENT + encode(b"x") * (MAX_DISCLOSURES + 1), id="too many"),
    ],
)
def test_refuses_package(bad: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_package(bad)


def test_refuses_more_bytes_than_the_limit_before_reading_them() -> None:
    with pytest.raises(MalformedError, match=f"at most {MAX_PACKAGE_BYTES}"):
        parse_package(bytes(MAX_PACKAGE_BYTES + 1))


def test_refuses_to_write_more_bytes_than_can_be_read() -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_PACKAGE_BYTES}"):
        encode_package((STATEMENT, bytes(MAX_PACKAGE_BYTES)))


@pytest.mark.parametrize("items", [(), (STATEMENT,) * (MAX_DISCLOSURES + 2)])
def test_refuses_to_write_what_cannot_be_read(items: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="package"):
        encode_package(items)


# --- sealing -----------------------------------------------------------------


@given(packages)
@settings(max_examples=20)
def test_opens_what_was_sealed(items: tuple[bytes, ...]) -> None:
    sealed = seal_package(PUBLIC, REQUEST, items)
    assert open_package(PRIVATE, REQUEST, sealed) == items
    assert len(sealed) == ENCAPSULATED_BYTES + padded_length(len(encode_package(items))) + 16


def test_sealing_twice_never_gives_the_same_bytes() -> None:
    first, second = (seal_package(PUBLIC, REQUEST, ITEMS) for _ in range(2))
    assert first[:ENCAPSULATED_BYTES] != second[:ENCAPSULATED_BYTES]
    assert first[ENCAPSULATED_BYTES:] != second[ENCAPSULATED_BYTES:]


def test_nothing_of_the_content_is_readable() -> None:
    assert ITEMS[1] not in seal_package(PUBLIC, REQUEST, ITEMS)


def test_every_changed_byte_is_noticed() -> None:
    sealed = seal_package(PUBLIC, REQUEST, ITEMS)
    for at in range(0, len(sealed), 7):
        changed = sealed[:at] + bytes([sealed[at] ^ 0x80]) + sealed[at + 1 :]
        with pytest.raises(VerificationError):
            open_package(PRIVATE, REQUEST, changed)


def test_refuses_another_request() -> None:
    sealed = seal_package(PUBLIC, REQUEST, ITEMS)
    with pytest.raises(VerificationError, match="not sealed"):
        open_package(PRIVATE, Digest.of(b"another request"), sealed)


@pytest.mark.parametrize("half", [slice(0, 64), slice(64, 96)], ids=["ml-kem", "x25519"])
def test_refuses_a_key_of_which_one_half_differs(half: slice) -> None:
    sealed = seal_package(PUBLIC, REQUEST, ITEMS)
    other = bytearray(PRIVATE)
    other[half] = hashlib.shake_256(b"other").digest(half.stop - half.start)
    with pytest.raises(VerificationError, match="not sealed"):
        open_package(bytes(other), REQUEST, sealed)


def test_refuses_a_point_of_small_order_in_a_sealed_package() -> None:
    sealed = seal_package(PUBLIC, REQUEST, ITEMS)
    forged = sealed[:1088] + bytes(32) + sealed[ENCAPSULATED_BYTES:]
    with pytest.raises(VerificationError):
        open_package(PRIVATE, REQUEST, forged)


LEAST = ENCAPSULATED_BYTES + padded_length(0) + 16


@pytest.mark.parametrize("length", [0, ENCAPSULATED_BYTES, LEAST - 1, MAX_SEALED_BYTES + 1])
def test_refuses_bytes_too_few_or_too_many_to_be_sealed(length: int) -> None:
    with pytest.raises(MalformedError, match=f"{LEAST} to {MAX_SEALED_BYTES} bytes"):
        open_package(PRIVATE, REQUEST, bytes(length))


@pytest.mark.parametrize("length", [1, 16_376, 16_377, 65_537, 1_000_003, MAX_PACKAGE_BYTES])
def test_every_length_of_a_sealed_package_is_one_of_the_padding(length: int) -> None:
    sealed = MIN_SEALED_BYTES - 16_384 + padded_length(length)
    require_sealed_length(sealed)
    for other in (sealed - 1, sealed + 1):
        with pytest.raises(MalformedError, match=f"{other}"):
            require_sealed_length(other)


def test_a_sealed_package_has_a_length_that_may_be_carried() -> None:
    require_sealed_length(len(seal_package(PUBLIC, REQUEST, (*ITEMS, bytes(40_000)))))


def test_refuses_content_that_is_no_package() -> None:
    # A sender may seal anything: what comes out is parsed like any other input.
    from workseal_protocol import sealing  # noqa: PLC0415 - reaches inside on purpose

    suite, info = sealing._suite(), sealing._info(REQUEST)
    sealed = suite.encrypt(pad(b"\xff"), sealing._public_key(PUBLIC), info=info)
    with pytest.raises(MalformedError):
        open_package(PRIVATE, REQUEST, sealed)


# --- padding -----------------------------------------------------------------


@given(st.binary(max_size=40_000))
def test_unpad_is_the_inverse_of_pad(package: bytes) -> None:
    padded = pad(package)
    assert unpad(padded) == package
    assert len(padded) == padded_length(len(package))


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda data: pad(data)[:-1]))
def test_unpad_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert pad(unpad(data)) == data


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"", id="empty"),
        pytest.param(pad(b"x")[:-1], id="one byte less"),
        pytest.param(pad(b"x") + b"\x00", id="one byte more"),
        pytest.param(pad(b"x") + bytes(512), id="the next length"),
        pytest.param(pad(b"x")[:-1] + b"\x01", id="a last byte that is no zero"),
        pytest.param(bytes(8) + b"x" + pad(b"x")[9:], id="a length that is too short"),
        pytest.param(b"\xff" * 8 + pad(b"x")[8:], id="a length beyond any package"),
    ],
)
def test_refuses_padding(bad: bytes) -> None:
    with pytest.raises(MalformedError, match="padding"):
        unpad(bad)


def test_refuses_a_length_above_what_a_package_can_have() -> None:
    """The longest padding is cut off, so that its length alone would fit."""
    data = (MAX_PACKAGE_BYTES + 1).to_bytes(8) + bytes(MAX_PACKAGE_BYTES)
    with pytest.raises(MalformedError, match="another length"):
        unpad(data)


def test_packages_of_a_few_tiles_have_one_length() -> None:
    lengths = {len(seal_package(PUBLIC, REQUEST, (STATEMENT, bytes(n)))) for n in (1, 900, 16_000)}
    assert lengths == {LEAST}


@given(st.integers(0, MAX_PACKAGE_BYTES))
def test_padding_costs_at_most_a_sixteenth_and_never_cuts(length: int) -> None:
    padded = padded_length(length)
    assert 8 + length <= padded <= max(16_384, (8 + length) * 17 / 16)
    assert padded <= padded_length(min(length + 1, MAX_PACKAGE_BYTES))


def test_few_lengths_are_told_apart() -> None:
    # From one power of two to the next, both counted, in steps that miss no class.
    assert len({padded_length(length) for length in range(2**20 - 8, 2**21 - 8, 997)}) == 33


# --- keys --------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"", id="empty"),
        pytest.param(PUBLIC[:-1], id="one byte less"),
        pytest.param(PUBLIC + b"\x00", id="one byte more"),
        pytest.param(b"\xff" * 1184 + PUBLIC[1184:], id="ML-KEM coefficients out of range"),
        pytest.param(PUBLIC[:1184] + bytes(32), id="X25519 point zero"),
        pytest.param(PUBLIC[:1184] + b"\x01" + bytes(31), id="X25519 point of small order"),
    ],
)
def test_refuses_public_key(bad: bytes) -> None:
    require_public(PUBLIC)
    reason = "is not a public key" if len(bad) == PUBLIC_BYTES else f"has {PUBLIC_BYTES} bytes"
    with pytest.raises(MalformedError, match=reason):
        require_public(bad)
    with pytest.raises(MalformedError):
        seal_package(bad, REQUEST, ITEMS)


@pytest.mark.parametrize("length", [0, 95, 97])
def test_refuses_private_key_of_another_length(length: int) -> None:
    with pytest.raises(ValueError, match="96 bytes"):
        case_public(bytes(length))
    with pytest.raises(ValueError, match="96 bytes"):
        open_package(bytes(length), REQUEST, bytes(LEAST))


def test_public_key_has_the_form_of_the_standard() -> None:
    # Test vector of draft-ietf-hpke-pq, MLKEM768-X25519 (0x647a): 32-byte private key, expanded by
    # SHAKE256 to the ML-KEM seed and the X25519 key; SHA-256 of its 1,216-byte public key.
    seed = bytes.fromhex("3ec47fa82dd5689d27c6190e724c74ec8f608df3331ce331929e37b829676630")
    expected = "ad8aaf3f00d8a39bfeec2947a7d5dde68be08bba19bd301a348a45dc5fcc8341"
    public = case_public(hashlib.shake_256(seed).digest(96))
    assert len(public) == PUBLIC_BYTES
    assert hashlib.sha256(public).hexdigest() == expected


# --- vectors -----------------------------------------------------------------


def test_vectors() -> None:
    vectors = json.loads(VECTORS.read_text())
    assert vectors["packages"]
    for vector in vectors["packages"]:
        private = bytes.fromhex(vector["private"])
        assert case_public(private).hex() == vector["public"]
        items = tuple(bytes.fromhex(item) for item in vector["items"])
        assert encode_package(items).hex() == vector["package"]
        request = Digest(bytes.fromhex(vector["request"]))
        assert open_package(private, request, bytes.fromhex(vector["sealed"])) == items
    assert [[length, padded_length(length)] for length, _ in vectors["padding"]] == vectors[
        "padding"
    ]
