"""The bytes of one vault object (docs/spec/vault.md): sealing, opening, names and size classes.

Rules: nothing of the content is outside the sealed part, not even its kind; the size of a file is
one of few classes; an object opens only under the name that it was made for.
"""

import secrets
import struct
from dataclasses import dataclass, field
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from workseal_agent.errors import VaultError
from workseal_agent.language import phrase
from workseal_agent.vaultkey import SEAL_OVERHEAD, OpeningKey, SealingKey

MAGIC = b"WSVAULT\x01"
ID_BYTES = 16
DATA_KEY_BYTES = 32
SEALED_BYTES = SEAL_OVERHEAD + 1 + DATA_KEY_BYTES
SEALED_AT = len(MAGIC) + ID_BYTES
BODY_AT = SEALED_AT + SEALED_BYTES
TAG_BYTES = 16
SMALLEST_CLASS = 65_536
LARGEST_CLASS = 2**27  # holds 2**25 pixels of noise, the largest frame

_INFO = b"workseal/vault/v1"
_NAME_INFO = b"workseal/vault-name/v1"
_NONCE = bytes(12)  # each data key encrypts one message
_LENGTHS = struct.Struct(">HHI")  # name, attributes, body


class ObjectKind(IntEnum):
    """Say what an object holds; inside the sealed part, so not visible from outside."""

    FRAME = 1
    SECRET = 2


@dataclass(frozen=True, slots=True)
class Content:
    """Hold what is inside an object, without its padding."""

    kind: ObjectKind
    name: bytes
    attributes: bytes = field(repr=False)
    body: bytes = field(repr=False)


def object_id(public: bytes, kind: ObjectKind, name: bytes) -> bytes:
    """Derive an object's file name.

    Whoever has the public key finds the object of a commitment without an index; whoever has only
    the folder (a backup, a sync service) sees random names. The public key is never published.
    """
    mac = hmac.HMAC(public, hashes.SHA256())
    mac.update(_NAME_INFO + bytes([kind]) + name)
    return mac.finalize()[:ID_BYTES]


def class_of(size: int) -> int:
    """Return the file size that a file of at least `size` bytes gets: a power of two from 64 KiB.

    Eight classes hold every 1080p frame, so a size tells at most three bits about a screen.
    """
    if size > LARGEST_CLASS:
        raise ValueError(f"a vault object has at most {LARGEST_CLASS} bytes")
    return max(SMALLEST_CLASS, 1 << (size - 1).bit_length())


def seal_object(key: SealingKey, identity: bytes, content: Content) -> bytes:
    """Make the complete bytes of one object."""
    head = MAGIC + identity
    lengths = _LENGTHS.pack(len(content.name), len(content.attributes), len(content.body))
    plain = lengths + content.name + content.attributes + content.body
    total = class_of(BODY_AT + len(plain) + TAG_BYTES)
    plain += bytes(total - BODY_AT - len(plain) - TAG_BYTES)
    data_key = secrets.token_bytes(DATA_KEY_BYTES)
    kind = bytes([content.kind])
    sealed = key.seal(kind + data_key, _INFO + identity)
    return head + sealed + AESGCM(data_key).encrypt(_NONCE, plain, head + kind)


def check_size(size: int) -> None:
    """Check what the length of a file tells, or raise `VaultError`."""
    if size > LARGEST_CLASS or size < SMALLEST_CLASS or size != class_of(size):
        raise VaultError(
            phrase("the object has {size} bytes, which no whole object has", size=size)
        )


def check_head(identity: bytes, head: bytes) -> None:
    """Check what shows without a key in the first `BODY_AT` bytes, or raise `VaultError`."""
    if not head.startswith(MAGIC):
        raise VaultError("not a vault object of version 1")
    if head[:SEALED_AT] != MAGIC + identity:
        raise VaultError("the object has another object's name")
    if head[SEALED_AT:BODY_AT] == bytes(SEALED_BYTES):
        raise VaultError("the object's key was destroyed; its file is still to be removed")


def open_object(key: OpeningKey, identity: bytes, data: bytes) -> Content:
    """Return what is inside; `VaultError` unless each byte is as it was written."""
    check_head(identity, data[:BODY_AT])
    head, sealed = data[:SEALED_AT], data[SEALED_AT:BODY_AT]
    opened = key.open(sealed, _INFO + identity)
    if opened is None:
        raise VaultError("the object's key is damaged, or for another vault key")
    try:
        plain = AESGCM(opened[1:]).decrypt(_NONCE, data[BODY_AT:], head + opened[:1])
        return _parse_content(ObjectKind(opened[0]), plain)
    except (InvalidTag, ValueError, struct.error) as error:
        raise VaultError("the object's content is damaged") from error


def _parse_content(kind: ObjectKind, plain: bytes) -> Content:
    name, attributes, body = _LENGTHS.unpack_from(plain)
    end_name = _LENGTHS.size + name
    end_attributes = end_name + attributes
    end = end_attributes + body
    if end > len(plain) or plain.count(0, end) != len(plain) - end:
        raise ValueError("lengths or padding")
    return Content(
        kind,
        plain[_LENGTHS.size : end_name],
        plain[end_name:end_attributes],
        plain[end_attributes:end],
    )
