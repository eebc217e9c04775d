"""The key file: the signing seed and the vault's private key, with several ways to open each.

Rules: unlocking one key for recording gives nothing of the other. A way in that its owner carries
(passphrase or recovery words) and that opens both keys always remains. A change is written aside
and takes the old file's place whole. No key and no passphrase appears in a repr or an error.

    file = CBOR map {1: version = 2, 2: number of the next slot, 3: signing public key,
                     4: vault public key, 5: [slot, …] by number}
    slot = [number, kind, cost or [], box of the signing seed, box of the vault key or []]
    kind = 1 passphrase, 2 keyring of the system, 3 recovery words;  cost = [memory KiB, passes,
           lanes] for a passphrase;  box = [salt 16, nonce 12, sealed]
    sealed = AES-256-GCM(K, key), associated data = "workseal/keystore/v2" || 5 for the signing
             seed or 6 for the vault key, as one byte || CBOR of [number, kind, cost or [],
             signing public key, vault public key]
    K = Argon2id(NFC passphrase, salt), or HKDF-SHA256(32 random bytes, salt, info =
        "workseal/keystore/v2")

Version 1 had one passphrase and no slots. It still opens, and its next change makes it version 2.

    file = CBOR map {1: version = 1, 2: cost, 3, 4: public keys, 5: [salt, nonce, sealed seed],
                     6: [salt, nonce, sealed vault key]}
    associated data = "workseal/keystore/v1" || 5 or 6 as one byte || CBOR of the map 1 to 4
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from workseal_agent.errors import KeystoreError, WrongPassphraseError
from workseal_agent.keyfile import read_file, write_new
from workseal_agent.keyslot import (
    LAST_NUMBER,
    SECRET_BYTES,
    SEED_BYTES,
    Box,
    Cost,
    Key,
    Slot,
    SlotKind,
    open_box,
    passphrase_secret,
)
from workseal_agent.language import phrase
from workseal_agent.recoverywords import RecoveryWordsError, looks_like_words, secret_of
from workseal_agent.vaultkey import PUBLIC_BYTES, generate_private, public_of
from workseal_protocol.encoding import Fields, Value, decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import SeedSigner

__all__ = [
    "MAX_FILE_BYTES",
    "SEED_BYTES",
    "SHORTEST_PASSPHRASE",
    "Cost",
    "Key",
    "Keystore",
    "Slot",
    "SlotKind",
    "random_secret",
]

VERSION = 2
SHORTEST_PASSPHRASE = 8
MAX_FILE_BYTES = 8192
# One passphrase, one keyring, and sheets of paper.
MAX_SLOTS = 8
_OLD_VERSION = 1
_OLD_CONTEXT = b"workseal/keystore/v1"
_PUBLIC_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keystore:
    """Hold the public keys in clear and the private ones sealed, in slots by number."""

    signing_public: bytes
    vault_public: bytes
    slots: tuple[Slot, ...]
    next_number: int
    version: int = VERSION

    def __post_init__(self) -> None:
        numbers = [slot.number for slot in self.slots]
        if numbers != sorted(set(numbers)) or len(numbers) > MAX_SLOTS:
            raise ValueError(f"at most {MAX_SLOTS} slots stand in order of their numbers")
        if self.slots and self.next_number <= numbers[-1]:
            raise ValueError("the next number is greater than every slot's")
        for kind in (SlotKind.PASSPHRASE, SlotKind.KEYRING):
            if sum(slot.kind is kind for slot in self.slots) > 1:
                raise ValueError("there is at most one passphrase and one keyring")
        if not any(slot.whole and slot.kind is not SlotKind.KEYRING for slot in self.slots):
            raise ValueError("a passphrase or recovery words that open both keys must remain")

    @classmethod
    def create(cls, path: Path, passphrase: str, *, cost: Cost | None = None) -> Self:
        """Make new keys and write them, durable; `KeystoreError` when the file exists."""
        seed = secrets.token_bytes(SEED_BYTES)
        store = cls.seal(seed, generate_private(), passphrase, cost=cost)
        write_new(path, store.encode())
        return store

    @classmethod
    def seal(
        cls, seed: bytes, vault_private: bytes, passphrase: str, *, cost: Cost | None = None
    ) -> Self:
        """Seal given keys under a passphrase of at least eight characters."""
        publics = (SeedSigner(seed).public_key.raw, public_of(vault_private))
        keys = {Key.SIGNING: seed, Key.VAULT: vault_private}
        slot = _passphrase_slot(1, publics, keys, passphrase, cost or Cost())
        return cls(*publics, (slot,), 2)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key file; nothing is decrypted."""
        data = read_file(path, MAX_FILE_BYTES)
        try:
            return cls.parse(data)
        except MalformedError as error:
            raise KeystoreError(phrase("the key file is damaged: {error}", error=error)) from error

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the bytes of a key file, or raise `MalformedError`."""
        fields = Fields(decode(data, max_bytes=MAX_FILE_BYTES), "key file")
        version = fields.integer(1, "version", minimum=_OLD_VERSION, maximum=VERSION)
        store = cls._parse_old(fields) if version == _OLD_VERSION else cls._parse_slots(fields)
        fields.close()
        return store

    @classmethod
    def _parse_old(cls, fields: Fields) -> Self:
        cost = Cost.read(fields.array(2, "cost", minimum=3, maximum=3))
        publics = _publics(fields)
        boxes = {key: Box.read(fields.array(key, "sealed key"), key) for key in Key}
        return cls(*publics, (Slot(1, SlotKind.PASSPHRASE, cost, boxes),), 2, _OLD_VERSION)

    @classmethod
    def _parse_slots(cls, fields: Fields) -> Self:
        number = fields.integer(2, "next slot", minimum=1, maximum=LAST_NUMBER + 1)
        publics = _publics(fields)
        slots = tuple(Slot.read(one) for one in fields.array(5, "slots", maximum=MAX_SLOTS))
        try:
            return cls(*publics, slots, number)
        except ValueError as error:
            raise MalformedError(f"key file: {error}") from error

    def encode(self) -> bytes:
        """Write the bytes of the key file; `parse` is its inverse."""
        if self.version == _OLD_VERSION:
            boxes = self.slots[0].boxes
            return encode(self._old_head() | {int(key): boxes[key].to_value() for key in Key})
        return encode(
            {
                1: VERSION,
                2: self.next_number,
                3: self.signing_public,
                4: self.vault_public,
                5: [slot.to_value() for slot in self.slots],
            }
        )

    def unlock_signer(self, typed: str) -> SeedSigner:
        """Return the signer; `WrongPassphraseError` also when the file was changed."""
        return SeedSigner(self.unlock_seed(typed))

    def unlock_seed(self, typed: str) -> bytes:
        """Return the signing seed (32 bytes), for the process that records."""
        return self.unlock(Key.SIGNING, typed)

    def unlock_vault(self, typed: str) -> bytes:
        """Return the vault's private key (96 bytes); needed only to review or to disclose."""
        return self.unlock(Key.VAULT, typed)

    def unlock(self, key: Key, typed: str) -> bytes:
        """Return a key by what a person typed: the passphrase, or recovery words."""
        return self._unlock(key, typed)[1]

    def opened_by(self, typed: str) -> SlotKind:
        """Tell what a person typed that opens both keys; `WrongPassphraseError` else."""
        kinds = {self._unlock(key, typed)[0].kind for key in Key}
        return SlotKind.WORDS if SlotKind.WORDS in kinds else SlotKind.PASSPHRASE

    def _unlock(self, key: Key, typed: str) -> tuple[Slot, bytes]:
        problem = "the passphrase does not open the key, or the key file was changed"
        for slot in self._typed_slots(typed):
            try:
                words = slot.kind is SlotKind.WORDS
                secret = secret_of(typed) if words else passphrase_secret(typed)
            except RecoveryWordsError as error:
                problem = str(error)
                continue
            found = self._open(slot, key, secret)
            if found is not None:
                return slot, found
        raise WrongPassphraseError(problem)

    def unlock_by_secret(self, key: Key, slot: Slot, secret: bytes) -> bytes:
        """Return a key by the secret of a slot, as a keyring keeps it."""
        found = self._open(slot, key, secret)
        if found is None:
            raise KeystoreError("what the keyring holds does not open the key")
        return found

    def slot(self, kind: SlotKind) -> Slot | None:
        """Return the slot of a kind, the oldest one of several."""
        return next((slot for slot in self.slots if slot.kind is kind), None)

    def with_passphrase(
        self, keys: Mapping[Key, bytes], passphrase: str, *, cost: Cost | None = None
    ) -> Self:
        """Return the same with this passphrase in place of the one before."""
        slot = _passphrase_slot(self.next_number, self._publics, keys, passphrase, cost or Cost())
        return self._with(slot)

    def with_secret(
        self, kind: SlotKind, keys: Mapping[Key, bytes], secret: Mapping[Key, bytes]
    ) -> Self:
        """Return the same with a slot more, for random secrets; there is one keyring at most."""
        return self._with(Slot.seal(self.next_number, kind, self._publics, keys, secret))

    def without(self, number: int) -> Self:
        """Return the same without a slot; `KeystoreError` when what is left is not enough."""
        left = tuple(slot for slot in self.slots if slot.number != number)
        if len(left) == len(self.slots):
            raise KeystoreError(phrase("there is no slot {number}", number=number))
        try:
            return replace(self, slots=left)
        except ValueError as error:
            raise KeystoreError(
                phrase("slot {number} is not removed: {error}", number=number, error=error)
            ) from error

    def upgraded(self, typed: str) -> Self:
        """Return the same in the newest version; what was typed opens it, by its only way in."""
        if self.version == VERSION:
            return self
        keys = {key: self.unlock(key, typed) for key in Key}
        return type(self).seal(keys[Key.SIGNING], keys[Key.VAULT], typed, cost=self.slots[0].cost)

    @property
    def _publics(self) -> tuple[bytes, bytes]:
        return self.signing_public, self.vault_public

    def _with(self, slot: Slot) -> Self:
        if self.version != VERSION:
            raise ValueError("a key file of version 1 is upgraded first")
        alone = slot.kind is not SlotKind.WORDS
        kept = [one for one in self.slots if not (alone and one.kind is slot.kind)]
        if len(kept) >= MAX_SLOTS or slot.number >= LAST_NUMBER:
            raise KeystoreError(
                phrase("there are {kept} slots already: remove one first", kept=len(kept))
            )
        return replace(self, slots=(*kept, slot), next_number=slot.number + 1)

    def _typed_slots(self, typed: str) -> list[Slot]:
        """Return the slots that this may open, those first that cost no time."""
        wanted = [SlotKind.PASSPHRASE]
        if looks_like_words(typed):
            wanted.insert(0, SlotKind.WORDS)
        return [slot for kind in wanted for slot in self.slots if slot.kind is kind]

    def _open(self, slot: Slot, key: Key, secret: bytes) -> bytes | None:
        if self.version == _OLD_VERSION:
            bound = _OLD_CONTEXT + bytes([key]) + encode(self._old_head())
            found = open_box(secret, slot.cost, slot.boxes[key], bound)
        else:
            found = slot.open(key, secret, self._publics)
        if found is not None and _public(key, found) not in self._publics:
            raise KeystoreError("a key of the key file does not belong to its public key")
        return found

    def _old_head(self) -> dict[int, Value]:
        cost = self.slots[0].cost or Cost()
        return {
            1: _OLD_VERSION,
            2: cost.to_value(),
            3: self.signing_public,
            4: self.vault_public,
        }


def _publics(fields: Fields) -> tuple[bytes, bytes]:
    return (
        fields.octets(3, "signing public key", length=_PUBLIC_BYTES),
        fields.octets(4, "vault public key", length=PUBLIC_BYTES),
    )


def _public(key: Key, private: bytes) -> bytes:
    return SeedSigner(private).public_key.raw if key is Key.SIGNING else public_of(private)


def _passphrase_slot(
    number: int,
    publics: tuple[bytes, bytes],
    keys: Mapping[Key, bytes],
    passphrase: str,
    cost: Cost,
) -> Slot:
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise KeystoreError(
            phrase("a passphrase has at least {least} characters", least=SHORTEST_PASSPHRASE)
        )
    secret = passphrase_secret(passphrase)
    return Slot.seal(
        number, SlotKind.PASSPHRASE, publics, keys, dict.fromkeys(keys, secret), cost=cost
    )


def random_secret() -> bytes:
    """Make what a keyring keeps, or what recovery words hold."""
    return secrets.token_bytes(SECRET_BYTES)
