"""A submitted statement on its way to the sequencer: parsed, read, its signature checked if known.

All of it is pure work on the request's own bytes, so it runs in the request's thread; what depends
on the log (may this key speak here?) is decided later, in order.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import split_sequence
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import SEED_BYTES, Algorithm, Check, PublicKey, SeedSigner
from workseal_protocol.receipt import MAX_BATCH
from workseal_protocol.records import KeyAnnounce, KeyRotate, Offer, Record, read_record
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.store.records import RecordStore

_REMEMBERED_KEYS = 4_096
# Fewer are checked before another process would have answered.
LEAST_BATCH: Final = 16

# Keys, signatures, and what was signed; returned is which hold, None where nobody else checks.
Elsewhere: TypeAlias = Callable[[Sequence[tuple[PublicKey, bytes, bytes]]], Sequence[bool] | None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One statement; `signed` tells whether its issuer's key signed it, None where none is known.

    Who has no key here and who has one are refused alike, in the same tick and after as much work:
    only then does a false signature not tell whether somebody's key is known.
    """

    statement: Statement
    record: Record
    digest: Digest
    signed: bool | None


class _AsksError(Exception):
    """Tell that memory alone is not enough."""


class Opened:
    """Statements that were read, whose signatures are still to be checked."""

    __slots__ = ("_found", "_keys", "_read")

    def __init__(self, read: Sequence[Candidate], keys: Mapping[Digest, PublicKey | None]) -> None:
        self._read = read
        self._keys = keys
        self._found: list[Candidate] | None = None

    @property
    def unsigned(self) -> int:
        """Count the statements that are not known to be signed."""
        return sum(not one.signed for one in self._read)

    def questions(self) -> list[tuple[PublicKey, bytes, bytes]]:
        """List what is to be checked: keys, signatures, and what was signed."""
        asked: list[tuple[PublicKey, bytes, bytes]] = []

        def put_off(key: PublicKey, signature: bytes, message: bytes) -> None:
            asked.append((key, signature, message))

        # Refused for another reason than its signature; one before it may be so for that.
        with suppress(RefusedError):
            self._found = _all_checked(self._read, self._keys, put_off)
        return asked

    def told(self, answers: Sequence[bool]) -> list[Candidate]:
        """Return what becomes of them as each question is answered, or refuse naming the item."""
        if self._found is not None and all(answers):
            return self._found
        told = iter(answers)

        def as_told(_key: PublicKey, _signature: bytes, _message: bytes) -> None:
            if not next(told):
                raise VerificationError("the signature does not match")

        # The same statements in the same order: each takes the answer to its own question.
        return _all_checked(self._read, self._keys, as_told)

    def checked_here(self) -> list[Candidate]:
        """Check each signature in this thread, or refuse naming the item."""
        return _all_checked(self._read, self._keys, _check_here)


class Intake:
    """Read submissions; remembers the keys of parties, which are few.

    Large batches of signatures are checked `elsewhere` where it answers; what is accepted, and what
    is said of the rest, is the same.
    """

    def __init__(self, records: RecordStore, elsewhere: Elsewhere | None = None) -> None:
        self._records = records
        self._elsewhere = elsewhere
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

    def open(self, body: bytes) -> Opened:
        """Read a CBOR sequence of statements, or refuse naming the item; check no signature."""
        return self._opened(_split(body))

    def read(self, body: bytes, *, asks: bool = True) -> list[Candidate]:
        """Read a CBOR sequence of statements, or refuse naming the item."""
        return self.read_items(_split(body), asks=asks)

    def read_items(self, items: Sequence[bytes], *, asks: bool = True) -> list[Candidate]:
        """Read statements one by one, or refuse naming the item.

        What no key in memory signed is looked up and checked again, whoever it is from: the work,
        and so its time, is the same where somebody's key is known and where it is not.
        """
        found = self._checked(self._opened(items))
        if is_decided(found):
            return found
        if not asks:
            raise _AsksError
        unsure = [one.statement.issuer for one in found if not one.signed]
        keys = {issuer: self._stored_key(issuer) for issuer in dict.fromkeys(unsure)}
        return self._checked(Opened(found, keys))

    def own(self, statement: Statement) -> Candidate:
        """Wrap a statement that this server has just signed."""
        return Candidate(statement, read_record(statement), statement.digest, signed=True)

    def _opened(self, items: Sequence[bytes]) -> Opened:
        read = [_read(number, item) for number, item in enumerate(items)]
        with self._lock:
            issuers = {one.statement.issuer for one in read}
            keys = {issuer: self._remembered(issuer) for issuer in issuers}
        return Opened(read, keys)

    def _checked(self, opened: Opened) -> list[Candidate]:
        """Check all that is not known to be signed, here or elsewhere."""
        answers = None
        if self._elsewhere is not None and opened.unsigned >= LEAST_BATCH:
            answers = self._elsewhere(opened.questions())
        return opened.checked_here() if answers is None else opened.told(answers)

    def _remembered(self, thumbprint: Digest) -> PublicKey | None:
        key = self._keys.get(thumbprint)
        if key is not None:
            self._keys.move_to_end(thumbprint)
        return key

    def _stored_key(self, thumbprint: Digest) -> PublicKey | None:
        # Both are asked: it takes about as long whoever has the key, and if nobody has it.
        named = self._records.parties.key(thumbprint)
        entry = self._records.rotation_to(thumbprint)
        record = None if entry is None else read_record(Statement.parse(entry.body))
        key = record.public_key if isinstance(record, KeyRotate) else None
        if named is not None:
            key = PublicKey.of_raw(named)
        if key is not None:
            with self._lock:
                self._keys[thumbprint] = key
                if len(self._keys) > _REMEMBERED_KEYS:
                    self._keys.popitem(last=False)
        return key


def is_decided(found: Sequence[Candidate]) -> bool:
    """Tell whether the store knows no more of who signed these than is known already."""
    return all(one.signed or _named_key(one.record) is not None for one in found)


def _split(body: bytes) -> Sequence[bytes]:
    try:
        items = split_sequence(body, max_items=MAX_BATCH)
    except MalformedError as error:
        raise RefusedError(Reason.MALFORMED, str(error)) from error
    if not items:
        raise RefusedError(Reason.MALFORMED, "expected at least one statement")
    return items


def _read(number: int, item: bytes) -> Candidate:
    try:
        statement = Statement.parse(item)
        record = read_record(statement)
    except MalformedError as error:
        raise RefusedError(Reason.MALFORMED, str(error), item=number) from error
    return Candidate(statement, record, statement.digest, signed=None)


def _all_checked(
    read: Sequence[Candidate], keys: Mapping[Digest, PublicKey | None], check: Check
) -> list[Candidate]:
    return [
        one if one.signed else _checked(number, one, keys, check) for number, one in enumerate(read)
    ]


def _checked(
    number: int, one: Candidate, keys: Mapping[Digest, PublicKey | None], check: Check
) -> Candidate:
    """Check a signature by the key that the record names, or else by the one that is known."""
    statement = one.statement
    own = _named_key(one.record)
    if own is None:
        key = keys[statement.issuer]
        if key is None:
            _check_in_vain(statement, check)
            return one
        return _told(one, signed=_is_signed(statement, key, check))
    # The admission tells an offer by somebody else from one with a bad signature.
    if own.thumbprint != statement.issuer:
        return one
    try:
        statement.verify_signature(own, check)
    except VerificationError as error:
        raise RefusedError(Reason.REFUSED, str(error), item=number) from error
    return _told(one, signed=True)


def _told(one: Candidate, *, signed: bool) -> Candidate:
    # Each field is named: `replace` looks them all up, for each statement.
    return Candidate(one.statement, one.record, one.digest, signed)


def _check_here(key: PublicKey, signature: bytes, message: bytes) -> None:
    key.verify(signature, message)


def _is_signed(statement: Statement, key: PublicKey, check: Check) -> bool:
    try:
        statement.verify_signature(key, check)
    except VerificationError:
        return False
    return True


def _check_in_vain(statement: Statement, check: Check) -> None:
    """Take as long as checking by a key that is known."""
    with suppress(VerificationError):
        check(_nobodys_key(statement.algorithm), statement.signature, statement.encode())


@cache
def _nobodys_key(algorithm: Algorithm) -> PublicKey:
    kind = Algorithm.EDDSA if algorithm is Algorithm.ED25519 else algorithm
    return SeedSigner(bytes(SEED_BYTES), kind).public_key


def _named_key(record: Record) -> PublicKey | None:
    """Return the key that a record names as its signer's, whoever knows it."""
    match record:
        case Offer():
            return record.terms.client
        case KeyAnnounce():
            return record.public_key
        case _:
            return None
