import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from workseal_agent.errors import VaultError
from workseal_agent.vaultkey import OpeningKey, SealingKey, public_of
from workseal_agent.vaultobject import (
    BODY_AT,
    LARGEST_CLASS,
    SEALED_AT,
    SMALLEST_CLASS,
    Content,
    ObjectKind,
    class_of,
    object_id,
    open_object,
    seal_object,
)

PRIVATE = bytes(range(96))
PUBLIC = public_of(PRIVATE)
SEALING, OPENING = SealingKey(PUBLIC), OpeningKey(PRIVATE)
NAME = bytes(range(16))
CONTENT = Content(ObjectKind.FRAME, b"n" * 32, b"attributes", b"body of the frame")


@given(st.sampled_from(ObjectKind), st.binary(max_size=256), st.binary(max_size=99), st.binary())
@settings(max_examples=30)
def test_open_is_the_inverse_of_seal(
    kind: ObjectKind, name: bytes, attributes: bytes, body: bytes
) -> None:
    content = Content(kind, name, attributes, body)
    data = seal_object(SEALING, NAME, content)
    assert open_object(OPENING, NAME, data) == content
    assert len(data) == SMALLEST_CLASS


@given(st.data())
@settings(max_examples=60)
def test_any_changed_byte_is_noticed(data: st.DataObject) -> None:
    whole = seal_object(SEALING, NAME, CONTENT)
    at = data.draw(st.integers(0, len(whole) - 1) | st.integers(0, BODY_AT + 100))
    bit = data.draw(st.sampled_from([1, 128]))
    changed = whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]
    with pytest.raises(VaultError):
        open_object(OPENING, NAME, changed)


@given(st.binary(max_size=3000))
@settings(max_examples=60)
def test_only_vault_errors_leave_the_reader(junk: bytes) -> None:
    for data in (junk, seal_object(SEALING, NAME, CONTENT)[:SEALED_AT] + junk):
        with pytest.raises(VaultError):
            open_object(OPENING, NAME, data)


def test_an_object_opens_under_its_own_name_only() -> None:
    data = seal_object(SEALING, NAME, CONTENT)
    with pytest.raises(VaultError, match="another object's name"):
        open_object(OPENING, bytes(16), data)
    renamed = data[:8] + bytes(16) + data[SEALED_AT:]
    with pytest.raises(VaultError, match="key is damaged"):
        open_object(OPENING, bytes(16), renamed)


def test_each_object_has_a_key_of_its_own() -> None:
    first, second = (seal_object(SEALING, NAME, CONTENT) for _ in range(2))
    assert first[:SEALED_AT] == second[:SEALED_AT]
    assert first[SEALED_AT:BODY_AT] != second[SEALED_AT:BODY_AT]
    assert first[BODY_AT : BODY_AT + 64] != second[BODY_AT : BODY_AT + 64]


def test_the_bytes_are_what_the_specification_says() -> None:
    data = seal_object(SEALING, NAME, CONTENT)
    assert data[:24] == b"WSVAULT\x01" + NAME
    opened = OPENING.open(data[24:1193], b"workseal/vault/v1" + NAME)
    assert opened is not None
    assert opened[0] == 1
    plain = AESGCM(opened[1:]).decrypt(bytes(12), data[1193:], data[:24] + b"\x01")
    inside = b"\x00\x20\x00\x0a\x00\x00\x00\x11" + b"n" * 32 + b"attributes" + b"body of the frame"
    assert plain == inside.ljust(65_536 - 1193 - 16, b"\0")


def test_refuses_padding_that_is_not_zero_and_lengths_that_overrun() -> None:
    for plain in (b"\0" * 8 + b"\1" + bytes(63), b"\0\0\0\0\0\0\1\0" + bytes(8), b"\0" * 7):
        head = b"WSVAULT\x01" + NAME
        sealed = SEALING.seal(b"\x01" + bytes(32), b"workseal/vault/v1" + NAME)
        body = AESGCM(bytes(32)).encrypt(bytes(12), plain, head + b"\x01")
        with pytest.raises(VaultError):
            open_object(OPENING, NAME, head + sealed + body)


def test_refuses_an_unknown_kind() -> None:
    head = b"WSVAULT\x01" + NAME
    sealed = SEALING.seal(b"\x09" + bytes(32), b"workseal/vault/v1" + NAME)
    body = AESGCM(bytes(32)).encrypt(bytes(12), bytes(64), head + b"\x09")
    with pytest.raises(VaultError, match="content is damaged"):
        open_object(OPENING, NAME, head + sealed + body)


def test_a_name_needs_the_public_key() -> None:
    expected = hmac.digest(PUBLIC, b"workseal/vault-name/v1\x01" + b"x" * 32, hashlib.sha256)
    assert object_id(PUBLIC, ObjectKind.FRAME, b"x" * 32) == expected[:16]
    assert object_id(PUBLIC, ObjectKind.SECRET, b"x" * 32) != expected[:16]
    assert object_id(PUBLIC[1:], ObjectKind.FRAME, b"x" * 32) != expected[:16]


@pytest.mark.parametrize(
    ("size", "expected"),
    [(1, 65_536), (65_536, 65_536), (65_537, 131_072), (131_072, 131_072), (2**27, 2**27)],
)
def test_sizes_have_few_classes(size: int, expected: int) -> None:
    assert class_of(size) == expected


def test_refuses_a_size_without_class() -> None:
    with pytest.raises(ValueError, match="at most"):
        class_of(LARGEST_CLASS + 1)


def test_no_repr_shows_the_content() -> None:
    assert "body" not in repr(CONTENT).replace("body=", "")
