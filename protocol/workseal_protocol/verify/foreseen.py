"""Signatures that an examination is going to ask for, told from the bytes of the bundle alone.

Rules: whoever checks them beside the examination begins at once, and need not be handed anything.
It is a short cut and decides nothing: what was checked is compared, by name, with what the steps
ask for. What is overlooked or misread here costs time only.
"""

import binascii
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from workseal_protocol.bundle import MAX_CHECKPOINTS, MAX_STATEMENTS, read_archive
from workseal_protocol.checkpoint import Checkpoint, cosigned_message, cosigned_text
from workseal_protocol.cose import Sign1, sig_structure
from workseal_protocol.encoding import each_of_sequence, read_octets
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import PublicKey
from workseal_protocol.note import MAX_LINES, MAX_NOTE_BYTES, NoteType, VerifierKey
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.records import KeyAnnounce, KeyRotate, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.verify.ahead import PutOff, name_of

# Small enough that nobody waits long for the last one, large enough that asking costs little.
PARTS: Final = 128

_KEY_KIND: Final = b"application/vnd.workseal.key."


class Foreseen:
    """Hold the parts of one bundle that are signed, cut from it as far as that can be done."""

    def __init__(self, data: bytes, policy: TrustPolicy) -> None:
        self._lines = {
            (one.name.encode(), one.key_id): one
            for one in (*policy.tlog.logs, *policy.tlog.witnesses.values())
        }
        self._keys = {key.thumbprint.raw: key for keys in policy.parties.values() for key in keys}
        # A session's statements share one header.
        self._signers: dict[bytes, PublicKey | None] = {}
        self._notes: list[bytes] = []
        self._statements: list[bytes] = []
        self._uncut: bytes | None = data

    def held(self, part: int) -> bytes:
        """Check one of the `PARTS`, and give the names of the signatures that held, joined."""
        if self._uncut is not None:
            # Not before: whoever is copied to do this should have little to copy.
            with suppress(MalformedError):
                self._cut(dict(read_archive(self._uncut)))
            self._uncut = None
        names = []
        for one in self._checks(part):
            key, signature, message = one
            try:
                key.verify(signature, message)
            except VerificationError:
                continue
            names.append(name_of(one))
        return b"".join(names)

    def _cut(self, entries: dict[str, bytes]) -> None:
        notes = each_of_sequence(
            entries.get("checkpoints.cbor", b""),
            max_items=MAX_CHECKPOINTS,
            max_item_bytes=MAX_NOTE_BYTES,
        )
        cut = (read_octets(item, 0) for item in notes)
        self._notes = [one[0] for one in cut if one is not None]
        self._notes.append(entries.get("checkpoint", b""))
        self._statements = list(
            each_of_sequence(entries.get("statements.cbor", b""), max_items=MAX_STATEMENTS)
        )
        for item in self._statements:
            # The name of its kind stands in the header, near the begin.
            if _KEY_KIND in item[:128]:
                self._learn(item)
        self._statements.append(entries.get("manifest.cose", b""))

    def _learn(self, item: bytes) -> None:
        try:
            record = read_record(Statement.parse(item))
        except MalformedError:
            return
        if isinstance(record, KeyAnnounce | KeyRotate):
            key = record.public_key
            self._keys[key.thumbprint.raw] = key

    def _checks(self, part: int) -> Iterator[PutOff]:
        for note in _share(self._notes, part):
            yield from self._of_note(note)
        for item in _share(self._statements, part):
            yield from self._of_statement(item)

    def _of_note(self, note: bytes) -> Iterator[PutOff]:
        text, _, lines = note.partition(b"\n\n")
        # Of a key only the first line counts, and is paid for.
        met: list[VerifierKey] = []
        for line in lines.split(b"\n", MAX_LINES)[:MAX_LINES]:
            try:
                _, name, digits = line.split(b" ")
                blob = binascii.a2b_base64(digits)
                key = self._lines.get((name, blob[:4]))
                if key is not None and key not in met:
                    met.append(key)
                    yield _of_line(text + b"\n", key, blob[4:])
            except (ValueError, MalformedError):
                continue

    def _of_statement(self, item: bytes) -> Iterator[PutOff]:
        try:
            parts = Sign1.read(item)
        except MalformedError:
            return
        key = self._signer(parts.protected)
        if key is not None and parts.payload is not None:
            yield key, parts.signature, sig_structure(parts.protected, parts.payload)

    def _signer(self, protected: bytes) -> PublicKey | None:
        """Find whose thumbprint stands in a header."""
        if protected not in self._signers:
            found = (key for raw, key in self._keys.items() if raw in protected)
            self._signers[protected] = next(found, None)
        return self._signers[protected]


def _of_line(text: bytes, key: VerifierKey, signature: bytes) -> PutOff:
    if key.type is NoteType.LOG_ED25519:
        return key.key, signature, text
    time = int.from_bytes(signature[:8])
    if key.type is NoteType.COSIGNATURE:
        return key.key, signature[8:], cosigned_text(text, time)
    return key.key, signature[8:], cosigned_message(Checkpoint.parse(text), key, time)


def _share(items: list[bytes], part: int) -> list[bytes]:
    return items[len(items) * part // PARTS : len(items) * (part + 1) // PARTS]
