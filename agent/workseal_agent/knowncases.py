"""The cases that this ledger knows of: how it learns of them, and which frames they hold.

Rules: a case holds the frames of all rounds that its hours touch, from its filing until this agent
has seen it ended; what is not known holds. A filing is known by its maker's signature alone, so
nobody but the parties can have a frame kept, and that no case can be seen destroys nothing earlier.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from workseal_agent.keyfollowing import followed
from workseal_agent.ledger import CaptureRow, CaseRow, Engagement, Ledger, SendState, Transaction
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import Role
from workseal_protocol.lottery import round_start
from workseal_protocol.records import DisputeFiling, DisputeRequest, Record, read_record
from workseal_protocol.statement import Kind, Statement

# What the log refused for good is no case.
_REFUSED = frozenset({SendState.PARKED, SendState.REPLACED})
_ALL_HOURS = (0, 1 << 62)


@dataclass(frozen=True, slots=True)
class Held:
    """Say what the cases that have not ended hold: frames by name, and hours.

    `filings` are the cases whose hours are known here, those that have ended too; `outside` are
    frames that a request outside of all cases names, whose end nothing tells.
    """

    filings: frozenset[Digest]
    frames: frozenset[Digest]
    outside: frozenset[Digest]
    hours: tuple[tuple[int, int], ...]
    round_ms: int

    @classmethod
    def of(cls, ledger: Ledger, engagement: Engagement) -> Self:
        """Read it from what was filed, done and received in cases, and from cases that were read.

        Where it is known that there is a case and not which hours it has, it holds all of them.
        """
        read = ledger.cases(engagement.id)
        ended = {row.filing for row in read if row.ended}
        hours = {row.filing: (row.begin_ms, row.end_ms) for row in read}
        frames: set[Digest] = set()
        outside: set[Digest] = set()
        named: set[Digest] = set()
        for digest, record in _said(ledger, engagement.id):
            case = _case_of(record)
            if isinstance(record, DisputeFiling):
                hours.setdefault(digest, (record.begin, record.end))
            elif case is not None:
                named.add(case)
            if isinstance(record, DisputeRequest) and case not in ended:
                (outside if case is None else frames).update(one.frame for one in record.frames)
        held = [span for case, span in hours.items() if case not in ended]
        if named - hours.keys():
            held.append(_ALL_HOURS)
        return cls(
            frozenset(hours),
            frozenset(frames),
            frozenset(outside),
            tuple(held),
            engagement.terms.round_ms,
        )

    def holds(self, row: CaptureRow) -> bool:
        """Tell whether a frame must not be destroyed by its age."""
        return row.commitment in self.outside or self.holds_in_case(row)

    def holds_in_case(self, row: CaptureRow) -> bool:
        """Tell whether a case holds a frame: reading it again may tell that it has ended."""
        # A segment may have any part of its round.
        begin, end = (round_start(one, self.round_ms) for one in (row.round, row.round + 1))
        return row.commitment in self.frames or any(
            begin < last and first < end for first, last in self.hours
        )


class ListedFilings:
    """Find the cases of an engagement in what the verifier lists of it, in the order of the log."""

    def __init__(self, engagement: Engagement) -> None:
        self._engagement = engagement
        terms = engagement.terms
        self._keys = KeyHistory.start(
            {Role.CLIENT: (terms.client,), Role.FREELANCER: (terms.freelancer,)}
        )
        self._found: list[CaseRow] = []

    def meet(self, index: int, statement: Statement) -> None:
        """Look at one statement; what is no filing by a party of the terms is passed over."""
        self._keys = followed(self._keys, index, statement)
        if statement.kind is not Kind.DISPUTE_FILING:
            return
        with suppress(MalformedError, VerificationError):
            record = read_record(statement)
            if isinstance(record, DisputeFiling) and record.engagement == self._engagement.id:
                self._keys.check_signature(statement, index)
                self._found.append(row_of(statement.digest, record, ended=False))

    def note(self, writing: Transaction) -> None:
        """Note them in the ledger."""
        for row in self._found:
            writing.note_case(self._engagement.id, row)

    def keep(self, ledger: Ledger) -> None:
        """Note them in a transaction of their own, if one is new."""
        known = {row.filing for row in ledger.cases(self._engagement.id)}
        if any(row.filing not in known for row in self._found):
            with ledger.write() as writing:
                self.note(writing)


def row_of(filing: Digest, record: DisputeFiling, *, ended: bool) -> CaseRow:
    """Say what the ledger keeps of a case."""
    return CaseRow(filing, record.begin, record.end, ended)


def _said(ledger: Ledger, engagement: bytes) -> Iterable[tuple[Digest, Record]]:
    # Nothing of a case has a place in the chain, which is long.
    for stored in ledger.unchained(engagement):
        if not stored.kind.startswith("dispute."):
            continue
        record = read_record(Statement.parse(stored.body))
        if stored.state not in _REFUSED or not isinstance(record, DisputeFiling):
            yield stored.digest, record


def _case_of(record: Record) -> Digest | None:
    place = getattr(record, "place", None)
    return None if place is None else place.case
