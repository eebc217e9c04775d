"""Rebuild the lost end of a log from copies that others hold, to a root that was signed before.

Rules: nothing is believed but what this log signed, or was seen to have signed: statements count
because the tree over them has that root. Nothing is signed here.
docs/spec/copies.md, "Rebuilding a log"
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from workseal_protocol import merkle
from workseal_protocol.checkpoint import SignedCheckpoint, verified_cosignatures, verify_log
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError, WorksealError
from workseal_protocol.logcopy import Copied, CopiedStatement, CopiedToken
from workseal_protocol.records import BeaconCommitment, KeyRecord, Offer, Record, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.timestamp import verify_token
from workseal_verifier.errors import RebuildError, StoreCorruptError
from workseal_verifier.services.casesteps import CaseRebuilder
from workseal_verifier.services.columns import beacon_row, entry_of, key_row, party_rows
from workseal_verifier.services.identity import CLOCK_WITNESS, Identity
from workseal_verifier.services.keyevents import KeyEvents, logged_events
from workseal_verifier.services.keyfold import KeyEvent
from workseal_verifier.services.tree import TileTree
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import BeaconRow, CaseRow, Change, Entry, Head, SignedRow
from workseal_verifier.store.records import RecordStore


@dataclass(frozen=True, slots=True)
class Floor:
    """A size and root that somebody saw signed: the log must not end before it."""

    who: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Say what a rebuild added."""

    size: int
    statements: int
    checkpoints: int
    tokens: int
    left_out: int


class Rebuilder:
    """Gather copies, then rebuild once; the log must not be served meanwhile."""

    def __init__(
        self, log: LogStore, records: RecordStore, identity: Identity, roots: Sequence[bytes]
    ) -> None:
        self._log = log
        self._records = records
        self._identity = identity
        self._roots = roots
        log.found(merkle.EMPTY_ROOT)
        head = log.head()
        if head is None:
            raise StoreCorruptError("the log has no head")
        self._head: Head = head
        self._tree = TileTree(head.size, log.tile)
        if self._tree.root() != head.root:
            raise StoreCorruptError("the tiles do not lead to the root of the head")
        self._bodies: dict[int, bytes] = {}
        self._signed: dict[int, SignedRow] = {}
        self._tokens: dict[int, bytes] = {}
        self._left_out = 0

    # --- gathering -----------------------------------------------------------------

    def gather(self, origin: str, items: Iterable[Copied]) -> None:
        """Take what one copy holds, or raise `RebuildError` where it contradicts what is held."""
        if origin != self._identity.origin:
            raise RebuildError(f"a copy is of another log: {origin!r}")
        for item in items:
            match item:
                case CopiedStatement():
                    self._take_statement(item)
                case SignedCheckpoint():
                    self._take_checkpoint(item)
                case CopiedToken():
                    self._tokens.setdefault(item.size, item.token)

    def _take_statement(self, item: CopiedStatement) -> None:
        if item.index < self._head.size:
            stored = self._records.digests(item.index, 1)
            if stored != [Digest.of(item.body)]:
                raise RebuildError(f"a copy has another statement {item.index} than the database")
        elif self._bodies.setdefault(item.index, item.body) != item.body:
            raise RebuildError(f"two copies have different statements {item.index}")

    def _take_checkpoint(self, signed: SignedCheckpoint) -> None:
        size, root = signed.checkpoint.size, signed.checkpoint.root.raw
        try:
            verify_log(signed, self._identity.log_key)
            clock = self._identity.policy.witnesses[CLOCK_WITNESS]
            (seen,) = verified_cosignatures(signed, [clock])
        except (VerificationError, ValueError):
            self._left_out += 1
            return
        row = SignedRow(size=size, root=root, signed=signed.encode(), signed_at=seen.timestamp)
        if self._signed.setdefault(size, row).root != root:
            raise RebuildError(f"this log signed two roots of size {size}")

    # --- rebuilding ----------------------------------------------------------------

    def rebuild(self, floors: Sequence[Floor]) -> Rebuilt:
        """Append what leads to the largest signed tree that can be reached, all or nothing.

        Raises `RebuildError` when that is below one of the floors, or contradicts a checkpoint.
        """
        reach = self._head.size
        while reach in self._bodies:
            reach += 1
        signed = {*self._signed, *(floor.size for floor in floors)}
        end = max({size for size in signed if size <= reach} | {self._head.size})
        for floor in floors:
            self._require(floor, end, reach)
        self._grow(end)
        for floor in floors:
            if self._tree.root(floor.size) != floor.root:
                raise RebuildError(f"{floor.who} saw another root of size {floor.size}")
        if end > self._head.size:
            self._log.append(self._change(end))
        # An earlier rebuild may have been from copies that lack what anchors in them name.
        lacking = self._lacking()
        self._log.keep_signed(lacking)
        tokens = self._store_tokens(end)
        return Rebuilt(
            size=end,
            statements=end - self._head.size,
            checkpoints=len(self._new_checkpoints(end)) + len(lacking),
            tokens=tokens,
            left_out=self._left_out,
        )

    def _require(self, floor: Floor, end: int, reach: int) -> None:
        if floor.size <= end:
            return
        missing = (
            f"statement {reach} is in none of the copies"
            if reach < floor.size
            else f"no copy has a checkpoint of size {floor.size} or more that verifies"
        )
        raise RebuildError(
            f"{floor.who} saw this log at size {floor.size}, the copies lead to {end}: {missing}"
        )

    def _grow(self, end: int) -> None:
        """Extend the tree to its new end, and compare it with every checkpoint on the way."""
        for size in sorted({size for size in self._signed if size <= end} | {end}):
            while self._tree.size < size:
                body = self._bodies[self._tree.size]
                self._tree.extend([merkle.leaf_hash(Digest.of(body).raw)])
            signed = self._signed.get(size)
            if signed is not None and self._tree.root(size) != signed.root:
                raise RebuildError(f"the statements do not lead to the signed root of size {size}")

    def _new_checkpoints(self, end: int) -> list[SignedRow]:
        found = {size: row for size, row in self._signed.items() if self._head.size < size <= end}
        return [found[size] for size in sorted(found)]

    def _lacking(self) -> list[SignedRow]:
        """Find the checkpoints that the database had no signature of."""
        stored = (row for size, row in sorted(self._signed.items()) if size <= self._head.size)
        return [row for row in stored if self._log.checkpoint(row.size) is None]

    def _change(self, end: int) -> Change:
        parsed = list(self._parsed(end))
        committed = [
            beacon_row(record, statement.digest, place)
            for place, statement, record in parsed
            if isinstance(record, BeaconCommitment)
        ]
        return Change(
            old=self._head,
            new=Head(end, self._tree.root()),
            entries=list(self._entries(parsed)),
            tiles=self._tree.pending(),
            beacons=committed,
            cases=self._case_rows(parsed, committed),
            parties=[
                row
                for place, _, record in parsed
                if isinstance(record, Offer)
                for row in party_rows(record, place)
            ],
            keys=[
                key_row(record, place)
                for place, _, record in parsed
                if isinstance(record, KeyRecord)
            ],
            checkpoints=self._checkpoints(end),
        )

    def _case_rows(
        self, parsed: Sequence[tuple[int, Statement, Record]], committed: Sequence[BeaconRow]
    ) -> list[CaseRow]:
        stored = logged_events(self._records, since=0, below=self._head.size)
        fresh = [
            KeyEvent(place, statement, record)
            for place, statement, record in parsed
            if isinstance(record, KeyRecord)
        ]
        events = KeyEvents.of([*stored, *fresh])
        cases = CaseRebuilder(self._records, events, [*self._records.beacons(), *committed])
        found: list[CaseRow] = []
        for place, statement, record in parsed:
            try:
                row = cases.step(place, statement, record)
            except (MalformedError, VerificationError) as error:
                raise RebuildError(f"statement {place} is not the next of its case") from error
            if row is not None:
                found.append(row)
        return found

    def _checkpoints(self, end: int) -> list[SignedRow]:
        rows = self._new_checkpoints(end)
        if end not in self._signed:
            # Somebody saw it signed, nobody has it: the next start signs the same tree again.
            root = self._tree.root()
            rows.append(SignedRow(size=end, root=root, signed=None, signed_at=None))
        return rows

    def _parsed(self, end: int) -> Iterator[tuple[int, Statement, Record]]:
        for place in range(self._head.size, end):
            try:
                statement = Statement.parse(self._bodies[place])
                yield place, statement, read_record(statement)
            except MalformedError as error:
                raise RebuildError(f"statement {place} is malformed: {error}") from error

    def _entries(self, parsed: Iterable[tuple[int, Statement, Record]]) -> Iterator[Entry]:
        workers: dict[bytes, Digest | None] = {}
        for place, statement, record in parsed:
            engagement = getattr(record, "engagement", None)
            if isinstance(record, Offer):
                workers[record.engagement] = record.terms.freelancer.thumbprint
            elif engagement is not None and engagement not in workers:
                workers[engagement] = self._stored_worker(engagement)
            yield entry_of(statement, record, place, workers.get(engagement or b""))

    def _stored_worker(self, engagement: bytes) -> Digest | None:
        offer = next(self._records.of_engagement(engagement, below=self._head.size), None)
        record = None if offer is None else read_record(Statement.parse(offer.body))
        return record.terms.freelancer.thumbprint if isinstance(record, Offer) else None

    def _store_tokens(self, end: int) -> int:
        """Keep the tokens that verify over a checkpoint of the log; they are checked one by one."""
        kept = 0
        for size, token in sorted(self._tokens.items()):
            encoded = self._log.checkpoint(size) if size <= end else None
            if encoded is None:
                self._left_out += 1
                continue
            message = SignedCheckpoint.parse(encoded).log_signed(self._identity.log_key)
            try:
                stamp = verify_token(token, message=message, roots=self._roots)
            except WorksealError:
                self._left_out += 1
                continue
            self._log.save_token(size, token, stamp.upper)
            kept += 1
        return kept
