"""Timesheets: the freelancer's own sums of some days, signed, and what the client answered.

Rules: a timesheet counts up to the newest statement that is in the log, so that the client can
count the same. Days whose work is not all logged are not summed up: they would come out too short.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from workseal_agent.connection import VerifierClient
from workseal_agent.errors import AgentError
from workseal_agent.keyfollowing import followed
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger, SendState, StoredStatement
from workseal_agent.listing import listed
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import Role, Signer
from workseal_protocol.records import (
    Declaration,
    Record,
    Segment,
    Timesheet,
    TimesheetAnswer,
    read_record,
    sign,
)
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.timesheets import date_of, day_number, sums_of

# A statement as the verifier lists it, with its index in the log.
Listed = tuple[int, Statement]


@dataclass(frozen=True, slots=True)
class SheetRow:
    """Hold one timesheet of this home, how far it came, and the answers that the verifier lists.

    An answer counts when a key signed it that spoke for the client then, as far as the list tells.
    """

    digest: Digest
    record: Timesheet
    state: SendState
    answers: tuple[TimesheetAnswer, ...]
    replaced: bool


def draw_up(
    ledger: Ledger, engagement: Engagement, zone: tzinfo, first: date, last: date, *, now_ms: int
) -> Timesheet:
    """Sum up the days [first, last]; raises `AgentError` when that is not possible now."""
    logged, waiting = _chain(ledger, engagement)
    _require_none_of(waiting, zone, first, last)
    if not logged:
        raise AgentError("nothing is in the log yet that could be summed up")
    head = logged[-1][0]
    records = [record for _, record in logged]
    sums = sums_of(engagement.terms, records, zone, first=first, last=last)
    numbers = day_number(first), day_number(last)
    days = {row.day for row in sums.days}
    earlier = []
    for one in of_home(ledger, engagement):
        if one.replaced:
            continue
        if (one.record.first, one.record.last) == numbers:
            earlier.append(one.digest)
        elif any(row.day in days for row in one.record.days):
            same = phrase(
                "{first} to {last}", first=date_of(one.record.first), last=date_of(one.record.last)
            )
            raise AgentError(
                phrase(
                    "some of these hours stand in your timesheet of {same} already, and would be"
                    " counted twice: name exactly its days to replace it, or other days",
                    same=same,
                )
            )
    return Timesheet(
        engagement=engagement.id,
        claimed_at=now_ms,
        first=numbers[0],
        last=numbers[1],
        head=head,
        days=sums.days,
        billed_ms=sums.billed.ms,
        amount=sums.billed.amount,
        replaces=earlier[-1] if earlier else None,
    )


def require_logged(
    ledger: Ledger, engagement: Engagement, zone: tzinfo, first: date, last: date
) -> None:
    """Raise `AgentError` when work of these days is not in the log yet."""
    _, waiting = _chain(ledger, engagement)
    _require_none_of(waiting, zone, first, last)


def keep(ledger: Ledger, engagement: Engagement, record: Timesheet, signer: Signer) -> Statement:
    """Sign a timesheet and store it for sending."""
    statement = sign(record, signer)
    with ledger.write() as writing:
        writing.add_statement(engagement.id, statement)
    return statement


def of_home(
    ledger: Ledger, engagement: Engagement, logged: Iterable[Listed] = ()
) -> tuple[SheetRow, ...]:
    """Return the timesheets that were made here, with the answers among listed statements."""
    stored = ledger.of_kind(engagement.id, Kind.TIMESHEET)
    sheets = [(one, _timesheet(one)) for one in stored]
    answers = list(_answers(engagement, logged))
    replaced = {record.replaces for _, record in sheets}
    return tuple(
        SheetRow(
            one.digest,
            record,
            one.state,
            tuple(answer for answer in answers if answer.timesheet == one.digest),
            one.digest in replaced,
        )
        for one, record in sheets
    )


def logged_statements(client: VerifierClient, engagement: Engagement) -> Iterator[Listed]:
    """Ask the verifier for what it lists of an engagement; what is malformed is left out."""
    for index, body in listed(client, engagement):
        with suppress(MalformedError):
            yield index, Statement.parse(body)


def _answers(engagement: Engagement, logged: Iterable[Listed]) -> Iterator[TimesheetAnswer]:
    terms = engagement.terms
    keys = KeyHistory.start(
        {Role.CLIENT: (terms.client,), Role.ARBITRATOR: tuple(terms.arbitrators)}
    )
    for index, statement in logged:
        keys = followed(keys, index, statement)
        with suppress(MalformedError, VerificationError):
            record = read_record(statement)
            if isinstance(record, TimesheetAnswer) and record.engagement == engagement.id:
                statement.verify_signature(keys.valid_key(statement.issuer, index))
                if Role.CLIENT in keys.roles_of(statement.issuer, index):
                    yield record


def _chain(
    ledger: Ledger, engagement: Engagement
) -> tuple[list[tuple[Digest, Record]], list[Record]]:
    """Return the part of the chain that is logged, and what comes after it."""
    logged: list[tuple[Digest, Record]] = []
    waiting: list[Record] = []
    for stored in ledger.chain(engagement.id):
        record = read_record(Statement.parse(stored.body))
        if stored.state is SendState.RECEIPTED and not waiting:
            logged.append((stored.digest, record))
        else:
            waiting.append(record)
    return logged, waiting


def _require_none_of(waiting: Sequence[Record], zone: tzinfo, first: date, last: date) -> None:
    begin, end = _midnight(first, zone), _midnight(last + timedelta(days=1), zone)
    if any(_touches(record, begin, end) for record in waiting):
        raise AgentError(
            "work of these days is not in the log yet: `workseal-agent send`, then again"
        )


def _touches(record: Record, begin: int, end: int) -> bool:
    match record:
        case Segment() | Declaration():
            return record.begin < end and record.end > begin
        case _:
            return False


def _midnight(day: date, zone: tzinfo) -> int:
    return int(datetime.combine(day, time(), tzinfo=zone).timestamp() * 1000)


def _timesheet(stored: StoredStatement) -> Timesheet:
    record = read_record(Statement.parse(stored.body))
    if not isinstance(record, Timesheet):
        raise MalformedError("a statement that is stored as a timesheet is none")
    return record
