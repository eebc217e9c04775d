"""Derive the whole log again from its statements, and name whatever differs.

Nothing that is stored is believed: leaves come from the statements' bytes, every tile, root,
checkpoint and column is computed again and compared. Reads only; the server may run meanwhile.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import fields
from math import inf

from workseal_protocol import merkle
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.digest import Digest, sha256
from workseal_protocol.errors import MalformedError, WorksealError
from workseal_protocol.keys import PublicKey, Role, check_at_once
from workseal_protocol.policy import TlogPolicy, VerifiedCheckpoint, verify_checkpoint
from workseal_protocol.records import (
    Acceptance,
    BeaconCommitment,
    ChainedRecord,
    KeyAnnounce,
    KeyRecord,
    KeyRevoke,
    KeyRotate,
    LogPolicy,
    Offer,
    Record,
    read_record,
)
from workseal_protocol.statement import Statement
from workseal_protocol.timestamp import verify_token
from workseal_verifier.errors import StoreCorruptError
from workseal_verifier.services.casefold import filing_of
from workseal_verifier.services.casesteps import case_problems
from workseal_verifier.services.columns import entry_of, key_row, party_rows, segment_row
from workseal_verifier.services.derivedtree import DerivedTree
from workseal_verifier.services.identity import CLOCK_WITNESS, Identity
from workseal_verifier.services.keptforks import fork_problems
from workseal_verifier.services.keyevents import KeyEvents, logged_events
from workseal_verifier.services.milestonecheck import milestone_problems
from workseal_verifier.store.engine import Row
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import Entry, PartyRow, Tie, entry_row
from workseal_verifier.store.records import RecordStore

MAX_NAMED = 50
# Checkpoints that were found lately: work names new ones.
_REMEMBERED = 4_096


class LogCheck:
    """One check of one log."""

    def __init__(
        self, log: LogStore, records: RecordStore, identity: Identity, roots: tuple[bytes, ...]
    ) -> None:
        self._log = log
        self._records = records
        self._identity = identity
        self._roots = roots
        self._workers: dict[bytes, Digest] = {}
        self._commitments = 0
        # How many rows offers account for.
        self._parties = 0
        # By engagement, where its offer and its acceptance stand.
        self._offered: dict[bytes, int] = {}
        self._accepted: dict[bytes, int] = {}
        # How many rows key statements account for.
        self._key_rows = 0
        # How many steps statements of cases account for.
        self._case_statements = 0
        # Of the checkpoints that statements name: those found lately, and what to say of others.
        self._anchored: dict[int, bytes] = {}
        self._wrong_anchors: dict[tuple[int, bytes], str] = {}
        # Of the log's policies, the position of each: checkpoints above it must satisfy it.
        self._policies: list[tuple[int, TlogPolicy]] = []
        # What the operator says of the log itself: where it stands, and whose key signed it.
        self._own: list[tuple[int, Digest]] = []
        self.statements = 0
        self.checkpoints = 0

    def problems(self) -> Iterator[str]:
        """Give each difference as one line; none means that the log is as its statements say."""
        # A server may append meanwhile: head, statements and tiles are those of one moment.
        with self._records.database.snapshot():
            yield from self._problems()

    def _problems(self) -> Iterator[str]:
        head = self._log.head()
        if head is None:
            yield "head: missing"
            return
        tree = DerivedTree(self._log, MAX_NAMED)
        for page in self._pages(head.size):
            leaves: list[bytes] = []
            for row in page:
                yield from self._check_row(row, leaves)
            tree.extend(leaves)
        self.statements = tree.size
        if tree.size != head.size:
            yield f"statements: {tree.size} in a row, the head says {head.size}"
        if (tree.size, tree.root()) != (head.size, head.root):
            yield f"head: the statements have another root at size {head.size}"
        if outside := self._records.count_outside(head.size):
            yield f"statements: {outside} stand at places that the log does not have"
        if head.size and self._log.committed(head.size) is None:
            yield f"checkpoint {head.size}: missing, and it is the head's"
        yield from tree.end()
        yield from self._check_checkpoints(tree.wrong_roots)
        yield from self._wrong_anchors.values()
        yield from self._check_beacons()
        yield from self._check_no_other_parties()
        yield from self._check_ties()
        yield from self._check_no_other_keys()
        yield from self._check_of_events(head.size)

    def _pages(self, size: int) -> Iterator[list[Row]]:
        """Read the statements that stand in a row, and are below the size."""
        place = 0
        for page in self._records.pages():
            in_a_row = [row for place, row in enumerate(page, place) if row[0] == place < size]
            yield in_a_row
            place += len(in_a_row)
            if len(in_a_row) < len(page):
                return

    def _check_row(self, row: Row, leaves: list[bytes]) -> Iterable[str]:
        """Add the row's leaf, and give what differs: for nearly every row nothing."""
        position, stored, body = row[:3]
        digest = sha256(body)
        leaves.append(merkle.leaf_hash(digest))
        quick = segment_row(body, position, digest, self._workers)
        if quick is not None:
            derived, anchor = quick
            self._check_anchor(position, *anchor)
            return () if derived == row else _differences(row, derived)
        try:
            statement = Statement.parse(body)
            record = read_record(statement)
        except MalformedError as error:
            return _malformed(f"statement {position}", error, is_other=digest != stored)
        self._case_statements += filing_of(statement, record) is not None
        if isinstance(record, BeaconCommitment | LogPolicy):
            self._own.append((position, statement.issuer))
        if isinstance(record, ChainedRecord):
            self._check_anchor(position, record.anchor.size, record.anchor.digest.raw)
            found: Iterable[str] = ()
        else:
            found = self._check_record(position, record)
        worker = self._workers.get(getattr(record, "engagement", b""))
        derived = entry_row(entry_of(statement, record, position, worker))
        return found if derived == row else [*found, *_differences(row, derived)]

    def _check_record(self, position: int, record: Record) -> Iterable[str]:
        """Check what else is stored of a statement that is of no chain."""
        where = f"statement {position}"
        match record:
            case BeaconCommitment():
                self._commitments += 1
            case LogPolicy():
                return self._check_policy(where, position, record)
            case KeyAnnounce() | KeyRotate() | KeyRevoke():
                return self._check_key(where, position, record)
            case Offer():
                self._workers[record.engagement] = record.terms.freelancer.thumbprint
                self._offered[record.engagement] = position
                return self._check_parties(where, position, record)
            case Acceptance():
                self._accepted[record.engagement] = position
        return ()

    def _check_anchor(self, position: int, size: int, digest: bytes) -> None:
        """Look for what a statement names and the log no longer shows: else late looks timely."""
        if self._anchored.get(size) == digest:
            return
        found = self._log.anchor(size)
        if found is not None and found[0] == digest:
            if len(self._anchored) == _REMEMBERED:
                self._anchored.clear()
            self._anchored[size] = digest
        elif len(self._wrong_anchors) < MAX_NAMED:
            line = f"checkpoint {size}: it is not the one that statement {position} names"
            self._wrong_anchors.setdefault((size, digest), line)

    def _check_policy(self, where: str, position: int, record: LogPolicy) -> Iterator[str]:
        try:
            self._policies.append((position, TlogPolicy.parse(record.policy)))
        except MalformedError as error:
            yield f"{where}: {error}"

    def _check_parties(self, where: str, position: int, record: Offer) -> Iterator[str]:
        expected = party_rows(record, position)
        try:
            stored = self._records.parties.named_in(
                record.engagement, [row.thumbprint for row in expected]
            )
        except ValueError as error:
            yield f"{where}: the stored parties are malformed: {error}"
            return
        self._parties += len(stored)
        if set(map(_named, stored)) != set(map(_named, expected)):
            yield f"{where}: the stored parties are not those of the terms"

    def _check_ties(self) -> Iterator[str]:
        """Find agreements that would stand at another place in the list of a party, or in none."""
        moved = self._records.cases.newest_by_engagement()
        wrong = set()
        try:
            for row in self._records.parties.all():
                offered = self._offered.get(row.engagement)
                accepted = self._accepted.get(row.engagement)
                tie = Tie.of(row.role, accepted=accepted is not None)
                place = offered if accepted is None else accepted
                expected = (tie, place, moved.get(row.engagement))
                if offered is not None and (row.tie, row.place, row.moved) != expected:
                    wrong.add(offered)
        except ValueError:
            # A row that is malformed is named where it is looked for.
            return
        for position in sorted(wrong)[:MAX_NAMED]:
            yield f"statement {position}: its parties are tied otherwise than the log says"

    def _check_no_other_parties(self) -> Iterator[str]:
        """Find whom no terms name: such a key would read what is not its own."""
        if self._records.parties.count() == self._parties:
            return
        try:
            for row in self._records.parties.all():
                record = _record_of(self._records.first_of(row.engagement))
                if not isinstance(record, Offer) or _named(row) not in map(
                    _named, party_rows(record, row.place)
                ):
                    yield "parties: a key stands where no terms name it"
        except ValueError as error:
            yield f"parties: a row is malformed: {error}"

    def _check_key(self, where: str, position: int, record: KeyRecord) -> Iterator[str]:
        self._key_rows += 1
        if self._records.keys.at(position) != key_row(record, position):
            yield f"{where}: its row among the key events is missing or another"

    def _check_no_other_keys(self) -> Iterator[str]:
        stored = self._records.keys.count()
        if stored != self._key_rows:
            yield f"key events: {stored} rows, and the log has {self._key_rows} key statements"

    def _check_of_events(self, size: int) -> Iterator[str]:
        try:
            events = KeyEvents.of(logged_events(self._records, since=0, below=size))
        except (MalformedError, StoreCorruptError):
            yield (
                "conflicts, cases and milestones: not looked at, for a key statement is malformed"
            )
            return
        yield from self._check_own(events)
        yield from fork_problems(self._records, events)
        yield from case_problems(self._records, events, self._case_statements, size)
        yield from milestone_problems(self._records, events, size, most=MAX_NAMED)

    def _check_own(self, events: KeyEvents) -> Iterator[str]:
        """Find what the operator says of the log by a key that did not count there: no reader does.

        Each key of the operator counts from the rotation that led to it to the next one.
        """
        spans: dict[Digest, tuple[int, float]] = {}
        key, end = self._identity.operator.public_key.thumbprint, inf
        while key not in spans:
            came = events.came(key)
            spans[key] = (-1 if came is None else came.position, end)
            if came is not None:
                key, end = came.key, came.position
        for position, issuer in self._own:
            begin, end = spans.get(issuer, (inf, inf))
            if not begin < position < end:
                yield f"statement {position}: the key that signed it was not the operator's there"

    def _check_checkpoints(self, wrong_roots: Container[int]) -> Iterator[str]:
        known = self._identity.policy.witnesses
        timed = TlogPolicy((self._identity.log_key,), known, quorum=CLOCK_WITNESS)
        stamped = {size for size, _, _ in self._log.stamps()}
        messages: dict[int, bytes] = {}
        for size, root, encoded in self._log.checkpoint_roots():
            name = f"checkpoint {size}"
            self.checkpoints += 1
            if size in wrong_roots:
                yield f"{name}: the statements have another root"
            if encoded is None:
                # It was committed, and the next size signed instead.
                if not self._log.is_blank(size):
                    yield f"{name}: it is not signed, and has a digest or a time"
                continue
            try:
                signed = SignedCheckpoint.parse(encoded)
                check = _Once()
                verified = verify_checkpoint(signed, timed, check)
                for _, policy in (one for one in self._policies if one[0] < size):
                    verify_checkpoint(signed, policy, check)
            except WorksealError as error:
                yield f"{name}: {error}"
                continue
            checkpoint = signed.checkpoint
            if (checkpoint.size, checkpoint.root.raw) != (size, root):
                yield f"{name}: another size or root was signed"
            if self._log.anchor(size) != (signed.digest.raw, _signed_at(verified)):
                yield f"{name}: it has another digest or time than the columns"
            if size in stamped:
                messages[size] = signed.log_signed(self._identity.log_key)
        yield from self._check_tokens(messages)

    def _check_tokens(self, messages: dict[int, bytes]) -> Iterator[str]:
        for size, token, upper_ms in self._log.stamps():
            name = f"time-stamp {size}"
            message = messages.get(size)
            if message is None:
                yield f"{name}: there is no such checkpoint"
                continue
            if not self._roots:
                yield f"{name}: no root certificate is configured"
                continue
            try:
                stamp = verify_token(token, message=message, roots=self._roots)
            except WorksealError as error:
                yield f"{name}: {error}"
                continue
            if stamp.upper != upper_ms:
                yield f"{name}: it has another time than the column"

    def _check_beacons(self) -> Iterator[str]:
        rows = self._records.beacons()
        if len(rows) != self._commitments:
            yield f"beacon rows: {len(rows)}, and the log has {self._commitments} commitments"
        for row in rows:
            name = f"beacon {row.period_ms}/{row.first_round}"
            entry = self._records.by_digest(row.statement)
            record = _record_of(entry)
            stored = (row.period_ms, row.first_round, row.count, row.head)
            if entry is None or entry.position != row.position or stored != _beacon(record):
                yield f"{name}: the row is not what the logged commitment says"


class _Once:
    """Check each signature of a checkpoint once, however many policies ask for it."""

    def __init__(self) -> None:
        self._held: set[tuple[PublicKey, bytes, bytes]] = set()

    def __call__(self, key: PublicKey, signature: bytes, message: bytes, /) -> None:
        asked = (key, signature, message)
        if asked not in self._held:
            check_at_once(key, signature, message)
            self._held.add(asked)


def _malformed(where: str, error: MalformedError, *, is_other: bool) -> Iterator[str]:
    if is_other:
        yield f"{where}: its bytes have another digest than the column"
    yield f"{where}: malformed: {error}"


def _differences(row: Row, derived: Row) -> Iterator[str]:
    where = f"statement {row[0]}"
    for one, stored, wanted in zip(fields(Entry), row, derived, strict=True):
        if stored != wanted:
            yield (
                f"{where}: its bytes have another digest than the column"
                if one.name == "digest"
                else f"{where}: it has another {one.name} than the column"
            )


def _named(row: PartyRow) -> tuple[Digest, Role, bytes]:
    return row.thumbprint, row.role, row.key


def _record_of(entry: Entry | None) -> Record | None:
    """Read a stored statement; one that is malformed was named before."""
    try:
        return None if entry is None else read_record(Statement.parse(entry.body))
    except MalformedError:
        return None


def _signed_at(verified: VerifiedCheckpoint) -> int | None:
    # The clock's own time: outside witnesses cosign a moment later.
    times = (one.timestamp for one in verified.cosignatures if one.name == CLOCK_WITNESS)
    return next(times, None)


def _beacon(record: Record | None) -> tuple[object, ...]:
    names = ("period_ms", "first_round", "count", "head")
    return tuple(getattr(record, name, None) for name in names)
