"""The key file: the signing seed and the vault's private key, each under the passphrase.

Rules: the two keys have salts of their own, so unlocking one for recording gives nothing of the
other; the public halves and the cost parameters are authenticated with each key. No key and no
passphrase appears in a repr or an error.

    file = CBOR map {1: version = 1, 2: [memory KiB, passes, lanes], 3: signing public key,
                     4: vault public key, 5: [salt 16, nonce 12, sealed seed],
                     6: [salt 16, nonce 12, sealed vault key]}
    sealed = AES-256-GCM(Argon2id(NFC passphrase, salt), key), associated data =
             "workseal/keystore/v1" || the number 5 or 6 as one byte || CBOR of the map 1 to 4
"""

import contextlib
import os
import secrets
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from workseal_agent.errors import KeystoreError, WrongPassphraseError
from workseal_agent.vaultkey import PRIVATE_BYTES, PUBLIC_BYTES, generate_private, public_of
from workseal_protocol.encoding import Fields, Value, decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import SeedSigner

VERSION = 1
SHORTEST_PASSPHRASE = 8
MAX_FILE_BYTES = 8192
SEED_BYTES = 32
_LEAST_MEMORY_KIB = 65_536
_LEAST_PASSES = 3
_SALT_BYTES = 16
_NONCE_BYTES = 12
_TAG_BYTES = 16
_SIGNING: Final = 5
_VAULT: Final = 6
_CONTEXT = b"workseal/keystore/v1"


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


@dataclass(frozen=True, slots=True)
class _Box:
    """Hold one sealed key."""

    salt: bytes
    nonce: bytes
    sealed: bytes = field(repr=False)

    def to_value(self) -> Value:
        return [self.salt, self.nonce, self.sealed]

    @classmethod
    def read(cls, items: list[Value], key_bytes: int) -> Self:
        lengths = [_SALT_BYTES, _NONCE_BYTES, key_bytes + _TAG_BYTES]
        found = [item for item in items if isinstance(item, bytes)]
        if [len(item) for item in found] != lengths or len(found) != len(items):
            raise MalformedError("a sealed key has a salt, a nonce and a ciphertext")
        return cls(*found)


@dataclass(frozen=True, slots=True)
class Keystore:
    """Hold the public keys in clear and the private ones sealed."""

    signing_public: bytes
    vault_public: bytes
    cost: Cost
    _signing: _Box
    _vault: _Box

    @classmethod
    def create(cls, path: Path, passphrase: str, *, cost: Cost | None = None) -> Self:
        """Make new keys and write them, durable; `KeystoreError` when the file exists."""
        seed = secrets.token_bytes(SEED_BYTES)
        store = cls.seal(seed, generate_private(), passphrase, cost=cost)
        _write_new(path, store.encode())
        return store

    @classmethod
    def seal(
        cls, seed: bytes, vault_private: bytes, passphrase: str, *, cost: Cost | None = None
    ) -> Self:
        """Seal given keys under a passphrase of at least eight characters."""
        cost = cost or Cost()
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise KeystoreError(f"a passphrase has at least {SHORTEST_PASSPHRASE} characters")
        signing_public = SeedSigner(seed).public_key.raw
        vault_public = public_of(vault_private)
        head = _head(cost, signing_public, vault_public)
        return cls(
            signing_public,
            vault_public,
            cost,
            _close(head, _SIGNING, cost, passphrase, seed),
            _close(head, _VAULT, cost, passphrase, vault_private),
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key file; nothing is decrypted."""
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise KeystoreError(f"the key file cannot be read: {error.strerror}") from error
        try:
            return cls.parse(data)
        except MalformedError as error:
            raise KeystoreError(f"the key file is damaged: {error}") from error

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the bytes of a key file, or raise `MalformedError`."""
        fields = Fields(decode(data, max_bytes=MAX_FILE_BYTES), "key file")
        fields.integer(1, "version", minimum=VERSION, maximum=VERSION)
        store = cls(
            cost=_read_cost(fields.array(2, "cost", minimum=3, maximum=3)),
            signing_public=fields.octets(3, "signing public key", length=32),
            vault_public=fields.octets(4, "vault public key", length=PUBLIC_BYTES),
            _signing=_Box.read(
                fields.array(_SIGNING, "signing key", minimum=3, maximum=3), SEED_BYTES
            ),
            _vault=_Box.read(
                fields.array(_VAULT, "vault key", minimum=3, maximum=3), PRIVATE_BYTES
            ),
        )
        fields.close()
        return store

    def encode(self) -> bytes:
        """Write the bytes of the key file; `parse` is its inverse."""
        value = _head_value(self.cost, self.signing_public, self.vault_public)
        return encode(value | {_SIGNING: self._signing.to_value(), _VAULT: self._vault.to_value()})

    def unlock_signer(self, passphrase: str) -> SeedSigner:
        """Return the signer; `WrongPassphraseError` also when the file was changed."""
        return SeedSigner(self.unlock_seed(passphrase))

    def unlock_seed(self, passphrase: str) -> bytes:
        """Return the signing seed (32 bytes), for the process that records."""
        seed = self._open(_SIGNING, self._signing, passphrase)
        if SeedSigner(seed).public_key.raw != self.signing_public:
            raise KeystoreError("the signing key does not belong to its public key")
        return seed

    def unlock_vault(self, passphrase: str) -> bytes:
        """Return the vault's private key (96 bytes); needed only to review or to disclose."""
        private = self._open(_VAULT, self._vault, passphrase)
        if public_of(private) != self.vault_public:
            raise KeystoreError("the vault key does not belong to its public key")
        return private

    def _open(self, number: int, box: _Box, passphrase: str) -> bytes:
        key = _stretch(passphrase, box.salt, self.cost)
        head = _head(self.cost, self.signing_public, self.vault_public)
        try:
            return AESGCM(key).decrypt(box.nonce, box.sealed, _bound(head, number))
        except InvalidTag as error:
            raise WrongPassphraseError(
                "the passphrase does not open the key, or the key file was changed"
            ) from error


def _head_value(cost: Cost, signing_public: bytes, vault_public: bytes) -> dict[int, Value]:
    return {
        1: VERSION,
        2: [cost.memory_kib, cost.passes, cost.lanes],
        3: signing_public,
        4: vault_public,
    }


def _head(cost: Cost, signing_public: bytes, vault_public: bytes) -> bytes:
    return encode(_head_value(cost, signing_public, vault_public))


def _read_cost(items: list[Value]) -> Cost:
    numbers = [item for item in items if isinstance(item, int)]
    if len(numbers) != 3:
        raise MalformedError("the cost has three integers")
    try:
        return Cost(*numbers)
    except ValueError as error:
        raise MalformedError(f"the cost is out of bounds: {error}") from error


def _bound(head: bytes, number: int) -> bytes:
    return _CONTEXT + bytes([number]) + head


def _close(head: bytes, number: int, cost: Cost, passphrase: str, key: bytes) -> _Box:
    salt = secrets.token_bytes(_SALT_BYTES)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    stretched = _stretch(passphrase, salt, cost)
    return _Box(salt, nonce, AESGCM(stretched).encrypt(nonce, key, _bound(head, number)))


def _stretch(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    """Derive 32 bytes; NFC, so that one passphrase typed on two keyboards is one."""
    kdf = Argon2id(
        salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib
    )
    return kdf.derive(unicodedata.normalize("NFC", passphrase).encode("utf-8"))


def _write_new(path: Path, data: bytes) -> None:
    """Write aside, fsync, link into place: never over a key file that exists."""
    part = path.with_name(f"{path.name}-{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        os.link(part, path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError as error:
        raise KeystoreError("there is a key file already; it is never replaced") from error
    except OSError as error:
        raise KeystoreError(f"the key file cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
