"""One way to open the keys of a key file: a slot, with one sealed box for each key.

Rules: each box has a salt of its own, so opening one key gives nothing of the other. Number, kind,
cost and the public keys are authenticated with each box: no slot passes for another, and none
works in another file. Random secrets are not stretched, passphrases are.
"""

import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from workseal_agent.vaultkey import PRIVATE_BYTES
from workseal_protocol.encoding import Value, encode
from workseal_protocol.errors import MalformedError

CONTEXT = b"workseal/keystore/v2"
SEED_BYTES = 32
SECRET_BYTES = 32
LAST_NUMBER = 65_535
_LEAST_MEMORY_KIB = 65_536
_LEAST_PASSES = 3
_SALT_BYTES = 16
_NONCE_BYTES = 12
_TAG_BYTES = 16


class Key(IntEnum):
    """Name the two keys of a key file."""

    SIGNING = 5
    VAULT = 6


class SlotKind(IntEnum):
    """Say where the secret of a slot is."""

    PASSPHRASE = 1
    KEYRING = 2
    WORDS = 3


KEY_BYTES = {Key.SIGNING: SEED_BYTES, Key.VAULT: PRIVATE_BYTES}


@dataclass(frozen=True, slots=True)
class Cost:
    """Hold Argon2id parameters; the default is the second choice of RFC 9106, section 4.

    The lower bounds keep a changed file from weakening what is written next, the upper ones from
    taking the machine's memory.
    """

    memory_kib: int = _LEAST_MEMORY_KIB
    passes: int = _LEAST_PASSES
    lanes: int = 4

    def __post_init__(self) -> None:
        if not _LEAST_MEMORY_KIB <= self.memory_kib <= 4_194_304:
            raise ValueError("memory must be 64 MiB to 4 GiB")
        if not _LEAST_PASSES <= self.passes <= 64 or not 1 <= self.lanes <= 64:
            raise ValueError("passes must be 3 to 64, lanes 1 to 64")

    def to_value(self) -> list[Value]:
        """Return what `read` reads."""
        return [self.memory_kib, self.passes, self.lanes]

    @classmethod
    def read(cls, items: list[Value]) -> Self:
        """Read the three integers, or raise `MalformedError`."""
        numbers = [item for item in items if isinstance(item, int)]
        if len(numbers) != 3 or len(items) != 3:
            raise MalformedError("the cost has three integers")
        try:
            return cls(*numbers)
        except ValueError as error:
            raise MalformedError(f"the cost is out of bounds: {error}") from error


@dataclass(frozen=True, slots=True)
class Box:
    """Hold one sealed key."""

    salt: bytes
    nonce: bytes
    sealed: bytes = field(repr=False)

    def to_value(self) -> list[Value]:
        """Return what `read` reads."""
        return [self.salt, self.nonce, self.sealed]

    @classmethod
    def read(cls, items: Value, key: Key) -> Self:
        """Read a box, or raise `MalformedError`."""
        lengths = [_SALT_BYTES, _NONCE_BYTES, KEY_BYTES[key] + _TAG_BYTES]
        listed = items if isinstance(items, list) else []
        found = [item for item in listed if isinstance(item, bytes)]
        if [len(item) for item in found] != lengths or len(found) != len(listed):
            raise MalformedError("a sealed key has a salt, a nonce and a ciphertext")
        return cls(*found)


@dataclass(frozen=True, slots=True)
class Slot:
    """Hold one way in; the vault's box is missing in a slot that is for recording alone."""

    number: int
    kind: SlotKind
    cost: Cost | None
    boxes: Mapping[Key, Box]

    def __post_init__(self) -> None:
        if not 1 <= self.number <= LAST_NUMBER:
            raise ValueError(f"a slot's number is 1 to {LAST_NUMBER}")
        if (self.cost is not None) != (self.kind is SlotKind.PASSPHRASE):
            raise ValueError("a passphrase is stretched, and nothing else is")
        if Key.SIGNING not in self.boxes:
            raise ValueError("every slot opens the signing key")
        if not self.whole and self.kind is not SlotKind.KEYRING:
            raise ValueError("only a slot of the keyring may open one key alone")

    @property
    def whole(self) -> bool:
        """Tell whether it opens both keys."""
        return len(self.boxes) == len(Key)

    @classmethod
    def seal(
        cls,
        number: int,
        kind: SlotKind,
        publics: tuple[bytes, bytes],
        keys: Mapping[Key, bytes],
        secret: Mapping[Key, bytes],
        *,
        cost: Cost | None = None,
    ) -> Self:
        """Seal the given keys, each under the secret for it."""
        return cls(
            number,
            kind,
            cost,
            {
                key: close_box(secret[key], cost, plain, _bound(number, kind, cost, publics, key))
                for key, plain in keys.items()
            },
        )

    def open(self, key: Key, secret: bytes, publics: tuple[bytes, bytes]) -> bytes | None:
        """Return a key; None when the secret is another one, or the file was changed."""
        box = self.boxes.get(key)
        if box is None:
            return None
        bound = _bound(self.number, self.kind, self.cost, publics, key)
        return open_box(secret, self.cost, box, bound)

    def to_value(self) -> Value:
        """Return what `read` reads."""
        return [
            self.number,
            int(self.kind),
            self.cost.to_value() if self.cost else [],
            *(self.boxes[key].to_value() if key in self.boxes else [] for key in Key),
        ]

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read a slot, or raise `MalformedError`."""
        match value:
            case [int(number), int(kind), list(cost), signing, vault]:
                boxes = {Key.SIGNING: Box.read(signing, Key.SIGNING)}
                if vault != []:
                    boxes[Key.VAULT] = Box.read(vault, Key.VAULT)
                try:
                    return cls(number, SlotKind(kind), Cost.read(cost) if cost else None, boxes)
                except ValueError as error:
                    raise MalformedError(f"a slot is malformed: {error}") from error
            case _:
                raise MalformedError("a slot has a number, a kind, a cost and two boxes")


def _bound(
    number: int, kind: SlotKind, cost: Cost | None, publics: tuple[bytes, bytes], key: Key
) -> bytes:
    head = encode([number, int(kind), cost.to_value() if cost else [], *publics])
    return CONTEXT + bytes([key]) + head


def close_box(secret: bytes, cost: Cost | None, plain: bytes, bound: bytes) -> Box:
    """Seal one key under one secret."""
    salt = secrets.token_bytes(_SALT_BYTES)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    wrapping = _wrapping_key(secret, salt, cost)
    return Box(salt, nonce, AESGCM(wrapping).encrypt(nonce, plain, bound))


def open_box(secret: bytes, cost: Cost | None, box: Box, bound: bytes) -> bytes | None:
    """Return a sealed key; None when the secret or anything that it is bound to is another."""
    wrapping = _wrapping_key(secret, box.salt, cost)
    try:
        return AESGCM(wrapping).decrypt(box.nonce, box.sealed, bound)
    except InvalidTag:
        return None


def passphrase_secret(passphrase: str) -> bytes:
    """Return the bytes to stretch; NFC, so that one passphrase typed on two keyboards is one."""
    return unicodedata.normalize("NFC", passphrase).encode("utf-8")


def _wrapping_key(secret: bytes, salt: bytes, cost: Cost | None) -> bytes:
    if cost is None:
        return HKDF(algorithm=SHA256(), length=32, salt=salt, info=CONTEXT).derive(secret)
    kdf = Argon2id(
        salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib
    )
    return kdf.derive(secret)
