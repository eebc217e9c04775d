"""A submitted statement on its way to the sequencer: parsed, read, its signature checked if known.

All of it is pure work on the request's own bytes, so it runs in the request's thread; what depends
on the log (may this key speak here?) is decided later, in order.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import split_sequence
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import PublicKey
from workseal_protocol.receipt import MAX_BATCH
from workseal_protocol.records import KeyAnnounce, KeyRotate, Offer, Record, read_record
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.store.records import RecordStore

_REMEMBERED_KEYS = 4_096


@dataclass(frozen=True, slots=True)
class Candidate:
    """One statement; `signed` tells whether its issuer's key signed it, None where none is known.

    Who has no key here and who has one are refused alike, in the same tick: only then does a false
    signature not tell whether somebody's key is known.
    """

    statement: Statement
    record: Record
    digest: Digest
    signed: bool | None


class _AsksError(Exception):
    """Tell that memory alone is not enough."""


class Intake:
    """Read submissions; remembers the keys of parties, which are few."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._lock = threading.Lock()
        self._keys: OrderedDict[Digest, PublicKey] = OrderedDict()

    def read_quickly(self, body: bytes) -> list[Candidate] | None:
        """Read as `read` does, or return None where the store would have to be asked for a key."""
        try:
            return self.read(body, asks=False)
        except _AsksError:
            return None

    def read_items_quickly(self, items: Sequence[bytes]) -> list[Candidate] | None:
        """Read as `read_items` does, or return None where the store would have to be asked."""
        try:
            return self.read_items(items, asks=False)
        except _AsksError:
            return None

    def read(self, body: bytes, *, asks: bool = True) -> list[Candidate]:
        """Read a CBOR sequence of statements, or refuse naming the item."""
        try:
            items = split_sequence(body, max_items=MAX_BATCH)
        except MalformedError as error:
            raise RefusedError(Reason.MALFORMED, str(error)) from error
        if not items:
            raise RefusedError(Reason.MALFORMED, "expected at least one statement")
        return self.read_items(items, asks=asks)

    def read_items(self, items: Sequence[bytes], *, asks: bool = True) -> list[Candidate]:
        """Read statements one by one, or refuse naming the item."""
        return [self._candidate(number, item, asks=asks) for number, item in enumerate(items)]

    def own(self, statement: Statement) -> Candidate:
        """Wrap a statement that this server has just signed."""
        return Candidate(statement, read_record(statement), statement.digest, signed=True)

    def _candidate(self, number: int, item: bytes, *, asks: bool) -> Candidate:
        try:
            statement = Statement.parse(item)
            record = read_record(statement)
        except MalformedError as error:
            raise RefusedError(Reason.MALFORMED, str(error), item=number) from error
        signed = None
        own = _named_key(record)
        key = self._known_key(statement.issuer, asks=asks) if own is None else own
        # The admission tells an offer by somebody else from one with a bad signature.
        if key is not None and key.thumbprint == statement.issuer:
            try:
                statement.verify_signature(key)
                signed = True
            except VerificationError as error:
                if own is not None:
                    raise RefusedError(Reason.REFUSED, str(error), item=number) from error
                signed = False
        return Candidate(statement, record, statement.digest, signed=signed)

    def _known_key(self, thumbprint: Digest, *, asks: bool) -> PublicKey | None:
        with self._lock:
            key = self._keys.get(thumbprint)
            if key is not None:
                self._keys.move_to_end(thumbprint)
                return key
        if not asks:
            raise _AsksError
        key = self._stored_key(thumbprint)
        if key is None:
            return None
        with self._lock:
            self._keys[thumbprint] = key
            if len(self._keys) > _REMEMBERED_KEYS:
                self._keys.popitem(last=False)
        return key

    def _stored_key(self, thumbprint: Digest) -> PublicKey | None:
        key = self._records.parties.key(thumbprint)
        if key is not None:
            return PublicKey.of_raw(key)
        entry = self._records.rotation_to(thumbprint)
        record = None if entry is None else read_record(Statement.parse(entry.body))
        return record.public_key if isinstance(record, KeyRotate) else None


def _named_key(record: Record) -> PublicKey | None:
    """Return the key that a record names as its signer's, whoever knows it."""
    match record:
        case Offer():
            return record.terms.client
        case KeyAnnounce():
            return record.public_key
        case _:
            return None
