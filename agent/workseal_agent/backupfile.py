"""The outside of a backup file: who can open it, and how long it is made (docs/spec/backup.md).

Rules: the header tells that this is a backup and how it is opened, and nothing of whose it is,
unless it was made without asking for a passphrase. Everything after it is one sealed stream, bound
to the header, and to a secret that only its owner has: what was typed, or what the home keeps for
this (ADR 0036). Bad bytes are `MalformedError`.
"""

import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import BinaryIO, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from workseal_agent.backupmaker import maker_secret
from workseal_agent.errors import AgentError, WrongPassphraseError
from workseal_agent.keyslot import Box, Cost, SlotKind, close_box, open_box, passphrase_secret
from workseal_agent.keystore import Keystore
from workseal_agent.recoverywords import RecoveryWordsError, looks_like_words, secret_of
from workseal_agent.sealedstream import OpeningStream, SealingStream
from workseal_agent.vaultkey import SEAL_OVERHEAD, OpeningKey, SealingKey
from workseal_protocol.encoding import Value, decode, encode
from workseal_protocol.errors import MalformedError

MAGIC = b"WSBACKUP\x01"
CONTEXT = b"workseal/backup/v1"
MAX_HEADER_BYTES = 16_384
FILE_KEY_BYTES = 32
_LENGTH = struct.Struct(">I")
_BOX = [16, 12, FILE_KEY_BYTES + 16]
_SEALED_BYTES = SEAL_OVERHEAD + FILE_KEY_BYTES
_PIECE = 65_536


# Says in the header that the content is bound to the maker's secret too.
_VOUCHED = 1


class UnknownMakerError(AgentError):
    """Say that nothing shows who made a backup."""


@dataclass(frozen=True, slots=True)
class TypedDoor:
    """Hold the file's key, sealed under what was typed: a passphrase, or recovery words."""

    kind: SlotKind
    cost: Cost | None
    box: Box

    @classmethod
    def seal(cls, kind: SlotKind, typed: str, file_key: bytes, cost: Cost) -> Self:
        """Seal a file key under what somebody typed."""
        own = cost if kind is SlotKind.PASSPHRASE else None
        secret = _secret(kind, typed)
        return cls(kind, own, close_box(secret, own, file_key, _bound(kind, own)))

    def open(self, typed: str) -> bytes | None:
        """Return the file key; None when something else was typed."""
        try:
            secret = _secret(self.kind, typed)
        except RecoveryWordsError:
            if looks_like_words(typed):
                raise
            return None
        return open_box(secret, self.cost, self.box, _bound(self.kind, self.cost))

    def secret(self, file_key: bytes) -> bytes:
        """Return what the content is sealed under: who has the file key typed what opens it."""
        return file_key

    def to_value(self) -> Value:
        """Return what the header holds."""
        return [int(self.kind), self.cost.to_value() if self.cost else [], *self.box.to_value()]


@dataclass(frozen=True, slots=True)
class KeyDoor:
    """Hold the file's key, sealed to the vault's public key, and the key file that opens that.

    Everybody who knows that public key can seal to it: the maker's secret shows who did. `vouched`
    is False for files from before there was one.
    """

    keys: bytes
    sealed: bytes = field(repr=False)
    vouched: bool
    maker: bytes = field(repr=False, default=b"")

    @classmethod
    def seal(cls, store: Keystore, file_key: bytes, maker: bytes) -> Self:
        """Seal a file key with nothing but the key file, closed, and the maker's secret."""
        sealed = SealingKey(store.vault_public).seal(file_key, CONTEXT)
        return cls(store.encode(), sealed, vouched=True, maker=maker)

    def open(self, typed: str) -> bytes | None:
        """Return the secret, by what opens the key file; `WrongPassphraseError` otherwise."""
        store = Keystore.parse(self.keys)
        file_key = OpeningKey(store.unlock_vault(typed)).open(self.sealed, CONTEXT)
        if file_key is None or not self.vouched:
            return file_key
        return file_key + maker_secret(store.unlock_signer(typed))

    def secret(self, file_key: bytes) -> bytes:
        """Return what the content is sealed under."""
        return file_key + self.maker

    def to_value(self) -> Value:
        """Return what the header holds."""
        return [self.keys, self.sealed, *([_VOUCHED] if self.vouched else [])]


Door = TypedDoor | KeyDoor


def start_backup(file: BinaryIO, make_door: Callable[[bytes], Door]) -> SealingStream:
    """Write the header, and return what takes the content; `end_backup` is called at its end."""
    file_key = secrets.token_bytes(FILE_KEY_BYTES)
    door = make_door(file_key)
    header = encode(door.to_value())
    head = MAGIC + _LENGTH.pack(len(header)) + header
    file.write(head)
    return SealingStream(file, _payload_key(door.secret(file_key), head))


def end_backup(stream: SealingStream) -> None:
    """Pad with zero bytes to one of few lengths, and write the last chunk."""
    left = padded(stream.plain_bytes) - stream.plain_bytes
    while left:
        left -= stream.write(bytes(min(left, _PIECE)))
    stream.finish()


def open_backup(file: BinaryIO, typed: str, *, unknown_maker: bool = False) -> OpeningStream:
    """Read the header and open the content by what somebody typed.

    Raises `MalformedError` for what is no backup, `WrongPassphraseError` when it does not open, and
    `UnknownMakerError` for what anybody could have made, unless that is wanted.
    """
    head = file.read(len(MAGIC) + _LENGTH.size)
    if not head.startswith(MAGIC):
        raise MalformedError("this is no backup of a home, version 1")
    if len(head) != len(MAGIC) + _LENGTH.size:
        raise MalformedError("the backup ends in its header")
    (length,) = _LENGTH.unpack(head[len(MAGIC) :])
    if length > MAX_HEADER_BYTES:
        raise MalformedError(f"the backup's header has at most {MAX_HEADER_BYTES} bytes")
    header = file.read(length)
    if len(header) != length:
        raise MalformedError("the backup ends in its header")
    door = _read_door(header)
    if isinstance(door, KeyDoor) and not door.vouched and not unknown_maker:
        raise UnknownMakerError(
            "nothing shows who made this backup: whoever ever had an unattended one of yours could"
            " have, with other settings. If you know where it lay: --unknown-maker"
        )
    secret = door.open(typed)
    if secret is None:
        raise WrongPassphraseError("this does not open the backup, or its header was changed")
    return OpeningStream(file, _payload_key(secret, head + header))


def padded(size: int) -> int:
    """Return the length that so many bytes get: Padmé, at most 12 % more (PURBs, 2019)."""
    exponent = max(size, 1).bit_length() - 1
    free = max(exponent - exponent.bit_length(), 0)
    mask = (1 << free) - 1
    return (size + mask) & ~mask


def _read_door(header: bytes) -> Door:
    match decode(header, max_bytes=MAX_HEADER_BYTES):
        case [int(kind), list(cost), bytes(salt), bytes(nonce), bytes(sealed)]:
            if [len(salt), len(nonce), len(sealed)] != _BOX:
                raise MalformedError("a sealed key has a salt, a nonce and a ciphertext")
            return _typed_door(kind, cost, Box(salt, nonce, sealed))
        case [bytes(keys), bytes(sealed), *vouched] if len(sealed) == _SEALED_BYTES and vouched in (
            [],
            [_VOUCHED],
        ):
            Keystore.parse(keys)
            return KeyDoor(keys, sealed, vouched=bool(vouched))
        case _:
            raise MalformedError("the backup's header has an unknown form")


def _typed_door(kind: int, cost: list[Value], box: Box) -> TypedDoor:
    if kind == SlotKind.PASSPHRASE:
        return TypedDoor(SlotKind.PASSPHRASE, Cost.read(cost), box)
    if kind == SlotKind.WORDS and not cost:
        return TypedDoor(SlotKind.WORDS, None, box)
    raise MalformedError("the backup's header has an unknown form")


def _secret(kind: SlotKind, typed: str) -> bytes:
    return passphrase_secret(typed) if kind is SlotKind.PASSPHRASE else secret_of(typed)


def _bound(kind: SlotKind, cost: Cost | None) -> bytes:
    return CONTEXT + encode([int(kind), cost.to_value() if cost else []])


def _payload_key(secret: bytes, head: bytes) -> bytes:
    salt = sha256(head).digest()
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=CONTEXT).derive(secret)
