"""A case: where it stands after each statement, who may do what, and until when.

A value: `after` gives the next case and leaves this one as it is. Everybody who replays the same
statements with the same instants has the same head, state and deadline.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from workseal_protocol.digest import Digest
from workseal_protocol.dispute.contents import CaseRecord, check_record
from workseal_protocol.dispute.deadlines import DAY_MS, Span, Wanted
from workseal_protocol.dispute.facts import Facts
from workseal_protocol.dispute.moves import changed, moved
from workseal_protocol.dispute.obstacles import obstacle
from workseal_protocol.dispute.parties import Parties
from workseal_protocol.dispute.rules import CaseError, Rule
from workseal_protocol.dispute.table import (
    AFTER_THE_DEADLINE,
    CLOCKS,
    DISCLOSED,
    FOUND,
    REQUEST,
    TABLE,
    Row,
    State,
    Who,
    move_of_act,
)
from workseal_protocol.dispute.values import MAX_INSTANT, Released
from workseal_protocol.dispute.written import check_announced, span_of, timed
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    CaseCalendar,
    DisputeAct,
    DisputeDisclosure,
    DisputeFiling,
    DisputeFinding,
    DisputeRequest,
    read_record,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms

_ROWS: Mapping[tuple[State, str], tuple[Row, ...]] = {
    key: tuple(row for row in TABLE if (row.state, row.move) == key)
    for key in {(row.state, row.move) for row in TABLE}
}
_IN_STATE: Mapping[State, tuple[Row, ...]] = {
    state: tuple(row for row in TABLE if row.state is state) for state in State
}
_NOTICE_DAYS = CLOCKS[State.NOTICE].days


@dataclass(frozen=True, slots=True)
class Case(Facts):
    """Fold a filing and the statements after it.

    `Facts` has what is known: state, due, waiting_for, limit, drawn and the rest.
    """

    @classmethod
    def begin(
        cls,
        statement: Statement,
        known_at: int,
        *,
        terms: Terms,
        released: Released,
        parties: Parties | None = None,
    ) -> "Case":
        """Begin a case with its filing, or raise `CaseError` or `MalformedError`.

        `known_at` is when the log took the statement; `released` says whether a value is the one
        that the operator's beacon committed to for a round. Signatures are checked by the caller.
        """
        record = read_record(statement)
        if not isinstance(record, DisputeFiling):
            raise CaseError(
                Rule.CASE, "the case", expected="dispute.filing first", found=statement.kind
            )
        known = Parties.of(terms) if parties is None else parties
        role = known.roles.get(statement.issuer)
        if role not in {Role.CLIENT, Role.FREELANCER}:
            raise _refused(Rule.PARTY, role, "filing", expected="client or freelancer")
        _require_written(known_at, "the filing")
        if record.begin > known_at or record.end > known_at + DAY_MS:
            # What is still to be worked cannot be disputed: it could be arranged for it.
            raise CaseError(
                Rule.FILING,
                "the filing",
                expected="hours that have begun, and end within a day",
                found=f"{record.begin} to {record.end}",
            )
        calendars: dict[Role, tuple[CaseCalendar, int]] = {}
        if record.calendar is not None:
            calendars[role] = (record.calendar, known_at // DAY_MS)
        case = cls(
            filing=record,
            terms=terms,
            parties=known,
            released=released,
            case=statement.digest,
            head=statement.digest,
            state=State.NOTICE,
            since=known_at,
            filer=role,
            filed_at=known_at,
            known_at=known_at,
            statements={statement.digest: role},
            calendars=calendars,
        )
        check_announced(case, role, record.calendar)
        return timed(case, record.due, Span(known_at, _NOTICE_DAYS))

    def after(self, statement: Statement, known_at: int) -> "Case":
        """Give the case after one more statement, or raise `CaseError` or `MalformedError`."""
        record = case_record(statement)
        place = record.place
        if place is None or record.engagement != self.filing.engagement or place.case != self.case:
            found = "none" if place is None else str(place.case)
            raise CaseError(Rule.CASE, "the case", expected=str(self.case), found=found)
        if place.prev != self.head:
            raise CaseError(
                Rule.LINK, "the statement before", expected=str(self.head), found=str(place.prev)
            )
        following, span = self._moved(record, statement.issuer, statement.digest, known_at)
        written = timed(following, place.due, span)
        written = replace(written, stopped_ms=written.stopped_ms + _postponed(self, written))
        role = self.parties.roles[statement.issuer]
        return replace(
            written,
            head=statement.digest,
            known_at=known_at,
            statements={**self.statements, statement.digest: role},
            late=self.late
            | ({statement.digest} if self._is_late(role, record, known_at) else set()),
        )

    def wanted(self, record: CaseRecord, issuer: Digest, known_at: int) -> Wanted | None:
        """Return the deadline that a statement of this content must write; None for none.

        Refuses as `after` does, so that a sender learns everything before signing. The content is
        what counts: its place and its deadline are not looked at.
        """
        following, span = self._moved(record, issuer, self.head, known_at)
        if span is None:
            return None
        return Wanted(span, following.roles_of(CLOCKS[following.state].counted))

    def allowed(self, issuer: Digest, known_at: int | None = None) -> tuple[str, ...]:
        """Return the moves that a key has now; without an instant, at the best one for them."""
        role = self.parties.roles.get(issuer)
        if role is None:
            return ()
        return tuple(
            row.move
            for row in _IN_STATE[self.state]
            if self._is_meant(row, issuer)
            and obstacle(self, row.move, role, row.then, known_at) is None
        )

    def _moved(
        self, record: CaseRecord, issuer: Digest, digest: Digest, known_at: int
    ) -> tuple["Case", Span | None]:
        move = move_of(record)
        row, role = self._row(move, issuer)
        if known_at < self.known_at:
            raise CaseError(
                Rule.TIME, move, expected=f"{self.known_at} or later", found=f"{known_at}"
            )
        _require_written(known_at, move)
        if found := obstacle(self, move, role, row.then, known_at):
            rule, expected, seen = found
            raise CaseError(rule, f"{role.name.lower()}: {move}", expected=expected, found=seen)
        check_record(self, role, record, known_at)
        if isinstance(record, DisputeAct):
            check_announced(self, role, record.calendar)
        told = changed(self, role, record, digest, known_at)
        sits = self.parties.persons[issuer] == self.arbitrator
        following = moved(told, role, record, row.then, known_at, sits=sits)
        return following, span_of(self, following, record, known_at)

    def _row(self, move: str, issuer: Digest) -> tuple[Row, Role]:
        role = self.parties.roles.get(issuer)
        rows = _ROWS.get((self.state, move), ())
        for row in rows:
            if role is not None and self._is_meant(row, issuer):
                return row, role
        if rows:
            expected = " or ".join(sorted({row.who for row in rows}))
            raise _refused(Rule.PARTY, role, f"{move} in {self.state}", expected=expected)
        moves = ", ".join(sorted({row.move for row in _IN_STATE[self.state]}))
        who = f"{_called(role)} in {self.state}"
        raise CaseError(Rule.TABLE, who, expected=moves or "nothing", found=move)

    def _is_meant(self, row: Row, issuer: Digest) -> bool:
        role = self.parties.roles[issuer]
        if role not in self.roles_of(row.who):
            return False
        if role is not Role.ARBITRATOR or row.who is Who.ANYONE:
            return True
        return self.parties.persons[issuer] == self.arbitrator

    def _is_late(self, role: Role, record: CaseRecord, known_at: int) -> bool:
        if isinstance(record, DisputeAct) and record.act in AFTER_THE_DEADLINE:
            return False
        return self.due is not None and role in self.due.binds and known_at > self.due.until


def _require_written(known_at: int, what: str) -> None:
    if known_at >= MAX_INSTANT:
        raise CaseError(Rule.TIME, what, expected=f"before {MAX_INSTANT}", found=f"{known_at}")


def _postponed(before: Case, after: Case) -> int:
    """Return by how much an outage or the end of a stay moved a deadline while the limit ran."""
    old = before.due if before.paused is None else before.paused.deadline
    moved_on = before.paused is not None and after.paused is None
    if after.due is None or after.due.due is None or old is None:
        return 0
    # While the limit stands still, that time counts already.
    outage = after.outages > before.outages and before.halted_at is None
    if moved_on or outage:
        return after.due.until - old.until
    return 0


def case_record(statement: Statement) -> CaseRecord:
    """Read a statement that may follow a filing, or raise `CaseError` or `MalformedError`."""
    record = read_record(statement)
    if isinstance(record, DisputeAct | DisputeRequest | DisputeDisclosure | DisputeFinding):
        return record
    raise CaseError(Rule.CASE, "the case", expected="a dispute statement", found=statement.kind)


def move_of(record: CaseRecord) -> str:
    """Name a record as the table does."""
    match record:
        case DisputeAct():
            return move_of_act(record.act)
        case DisputeRequest():
            return REQUEST
        case DisputeDisclosure():
            return DISCLOSED
        case DisputeFinding():
            return FOUND


def _refused(rule: Rule, role: Role | None, what: str, *, expected: str) -> CaseError:
    return CaseError(rule, what, expected=expected, found=_called(role))


def _called(role: Role | None) -> str:
    return "somebody whom the terms do not name" if role is None else role.name.lower()
