"""What a party of a case may read of it: where it stands, what is due, and what everybody said.

Rule: everything here follows from the published statements, which go along: who reads can replay
them, and believes nobody.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import CLOSED, Case, CaseRecord, case_record, move_of
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    DisputeDisclosure,
    DisputeFiling,
    DisputeFinding,
    DisputeRequest,
    read_record,
)
from workseal_protocol.statement import Kind, Statement
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.access import TABLE, About, Verdict, decide
from workseal_verifier.services.casebook import SHUT, CaseBook
from workseal_verifier.services.casefold import knowing
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.keyevents import KeyEvents
from workseal_verifier.services.noticing import people
from workseal_verifier.services.seats import is_before
from workseal_verifier.services.standing import MOST_CASES, Standings
from workseal_verifier.store.logrows import CaseRow
from workseal_verifier.store.parties import Mark
from workseal_verifier.store.records import RecordStore

# On one page, the newest first; and of how many it is looked up whether the asker is in them: one
# of a panel may be in thousands of which they are in none. Fewer than are held in memory.
MAX_LISTED: Final = 100
MAX_LOOKED: Final = 200
_READING: Final = "GET /v1/cases/{name}"
FILING: Final = "filing"
IN_A_CASE: Final = (Role.CLIENT, Role.FREELANCER, Role.ARBITRATOR)


@dataclass(frozen=True, slots=True)
class Told:
    """Hold one statement of a case: by whom, at which instant, and where it led."""

    index: int
    digest: Digest
    by: Role
    move: str
    at_ms: int
    state: str
    is_late: bool
    text: str
    amount: int | None
    code: str | None
    record: DisputeFiling | CaseRecord


@dataclass(frozen=True, slots=True)
class CheckedBeside:
    """Hold a finding about a disclosure of a case that is no statement of the case."""

    index: int
    by: Role
    record: DisputeFinding


@dataclass(frozen=True, slots=True)
class View:
    """Hold a case as somebody in it sees it; `moves` are what they may do now."""

    case: Case
    you: Role
    moves: tuple[str, ...]
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class OwnCases:
    """Hold cases of a key, and after what more of them come, if any."""

    cases: tuple[Case, ...]
    following: Mark | None


def zones_of(case: Case) -> Mapping[Role, str]:
    """Name the zone of each party and of the arbitrator: as announced, or that of the terms."""
    announced = {role: calendar.zone for role, (calendar, _) in case.calendars.items()}
    return {role: announced.get(role, case.terms.zone) for role in IN_A_CASE}


class Hearings:
    """Answer the parties of cases; `size` tells how far the published log reaches."""

    def __init__(
        self,
        records: RecordStore,
        cases: CaseBook,
        standings: Standings,
        *,
        clock: Clock,
        size: Callable[[], int],
    ) -> None:
        self._records = records
        self._cases = cases
        self._standings = standings
        self._keys = cases.keys
        self._clock = clock
        self._size = size

    def view(self, filing: Digest, asker: Digest) -> View:
        """Return a case for a key that the door let in."""
        size = self._size()
        row = self._records.cases.last(filing, below=size)
        case = None if row is None else self._cases.at(row)
        if case is None:
            raise _absent()
        case = knowing(case, asker, self._keys.below(size).path)
        if asker not in case.parties.roles:
            raise _absent()
        moves = dict.fromkeys(case.allowed(asker, max(self._clock.now_ms(), case.known_at)))
        return View(case, case.parties.roles[asker], tuple(moves), tuple(self._told(case, size)))

    def earlier(self, case: Case) -> tuple[Case, ...]:
        """Return the cases over hours of this one that were filed before it, oldest first."""
        rows = self._records.cases.of_engagement(case.filing.engagement, below=self._size())
        found = map(self._cases.at, rows)
        return tuple(
            sorted(
                (one for one in found if one is not None and is_before(one, case)),
                key=lambda one: one.filed_at,
            )
        )

    def keyless(self, case: Case) -> tuple[Role, ...]:
        """Return who of a case ended their key, with no other in its place."""
        return tuple(sorted(self._cases.keyless(case, below=self._size())))

    def checked_beside(self, case: Case) -> tuple[CheckedBeside, ...]:
        """Return what checks of its disclosures found, and is logged beside the case."""
        size = self._size()
        path = self._keys.below(size).path
        found = []
        for disclosure in case.unexamined:
            about, kind = disclosure.raw, Kind.DISPUTE_FINDING.value
            for entry in self._records.about(about, kind, case.filing.engagement):
                statement = Statement.parse(entry.body)
                record = read_record(statement)
                if not isinstance(record, DisputeFinding) or record.place is not None:
                    continue
                by = knowing(case, statement.issuer, path).parties.roles.get(statement.issuer)
                if by is not None and entry.position < size:
                    found.append(CheckedBeside(entry.position, by, record))
        return tuple(found)

    def require_running(self, request: Statement) -> Case | None:
        """Return the case of a request, or refuse it where that is over; None for one of none."""
        asked = read_record(request)
        if not isinstance(asked, DisputeRequest) or asked.place is None:
            return None
        case = self._cases.case(asked.place.case, below=self._size())
        if case is None or case.state in CLOSED or case.state.value in SHUT:
            raise RefusedError(Reason.NOT_FOUND, "the case of this request is over")
        return case

    def is_in_case(self, request: Statement) -> bool:
        """Tell whether a request belongs to a case that is not over."""
        try:
            return self.require_running(request) is not None
        except RefusedError:
            return False

    def require_shown(self, request: Statement) -> None:
        """Refuse what was sealed for a request whose case is over, or whose answer was taken back.

        One that belongs to no case is let pass.
        """
        case = self.require_running(request)
        if case is None:
            return
        told = [Statement.parse(body) for body in self.statements(case.case)]
        answers = {
            one.digest
            for one in told
            if one.kind is Kind.DISPUTE_DISCLOSURE and _answers(one, request.digest)
        }
        if answers and answers <= case.clawed_back:
            raise RefusedError(Reason.NOT_FOUND, "what answered this request was taken back")

    def statements(self, filing: Digest) -> list[bytes]:
        """Return the statements of a case, in their order."""
        found = self._records.cases.statements(filing, below=self._size())
        if not found:
            raise _absent()
        return [body for _, body in found]

    def own(self, asker: Digest, after: Mark | None = None) -> OwnCases:
        """List the cases that a key may read, the latest changed first, a page of them.

        Those of agreements that the key signed come before those that it may judge. In each the
        key speaks for its person, also one that came by rotation.
        """
        size = self._size()
        keys = self._keys.below(size)
        lineage = keys.lineage(asker)
        page = self._records.parties.disputed(lineage, most=MOST_CASES, after=after)
        found: list[tuple[CaseRow, Case]] = []
        looked, last = 0, None
        for engagement, mark in page.engagements.items():
            rows = self._records.cases.of_engagement(engagement, below=size)
            looked += len(rows)
            # Those of an engagement stand on one page: it has few (`caserules.MAX_FILED`).
            if last and (looked > MAX_LOOKED or len(found) + len(rows) > MAX_LISTED):
                return OwnCases(_latest_first(found), last)
            found += self._readable(rows, asker, lineage, keys)
            last = mark
        return OwnCases(_latest_first(found), page.following)

    def _readable(
        self, rows: Sequence[CaseRow], asker: Digest, lineage: frozenset[Digest], keys: KeyEvents
    ) -> Iterator[tuple[CaseRow, Case]]:
        for row in reversed(rows):
            case = self._cases.at(row)
            # Who is in none of them costs a fold of each, and no more.
            if case is None or lineage.isdisjoint(people(case).values()):
                continue
            if self._may_read(row.filing, asker):
                yield row, knowing(case, asker, keys.path)

    def _may_read(self, filing: Digest, asker: Digest) -> bool:
        # What was said of a sealed case its arbitrator reads to its end, so they find it till then.
        standings = self._standings.of(asker, About.SAID, filing.raw)
        verdict = decide(TABLE[_READING], standings, fresh=True, now_ms=self._clock.now_ms())
        return verdict is Verdict.ALLOWED

    def _told(self, case: Case, size: int) -> list[Told]:
        bodies = self._records.cases.statements(case.case, below=size)
        steps = self._records.cases.steps(case.case, below=size)
        found: list[Told] = []
        at = 0
        for (_, body), step in zip(bodies, steps, strict=True):
            told = _told(case, Statement.parse(body), step, at)
            at = told.at_ms
            found.append(told)
        return found


def _latest_first(found: Iterable[tuple[CaseRow, Case]]) -> tuple[Case, ...]:
    ordered = sorted(found, key=lambda one: one[0].position, reverse=True)
    return tuple(case for _, case in ordered)


def _told(case: Case, statement: Statement, step: CaseRow, before: int) -> Told:
    record = read_record(statement)
    if not isinstance(record, DisputeFiling):
        record = case_record(statement)
    said = {name: getattr(record, name, None) for name in ("text", "reason", "code", "claim")}
    code = said["code"] or said["claim"]
    return Told(
        index=step.position,
        digest=statement.digest,
        by=case.statements[statement.digest],
        move=FILING if isinstance(record, DisputeFiling) else move_of(record),
        at_ms=max(record.claimed_at, before),
        state=step.state,
        is_late=statement.digest in case.late,
        text=str(said["text"] or said["reason"] or ""),
        amount=getattr(record, "amount", None),
        code=None if code is None else code.name.lower().replace("_", " "),
        record=record,
    )


def _answers(disclosure: Statement, request: Digest) -> bool:
    record = read_record(disclosure)
    return isinstance(record, DisputeDisclosure) and record.request == request


def _absent() -> RefusedError:
    return RefusedError(Reason.NOT_FOUND, "no such case")
