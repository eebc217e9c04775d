"""The weeks of a chain: which were said to be held, which is due, and when the next one begins.

Rules: nothing is made, sent or read of the vault here, so that `status` and the pages can ask while
somebody else records; what is told comes from the ledger alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from workseal_agent.ledger import Engagement, Ledger, SendState, StoredStatement
from workseal_protocol.lottery import round_at, round_start
from workseal_protocol.possession import WEEK_MS, weeks_round
from workseal_protocol.records import Held, Possession, SessionOpen, read_record
from workseal_protocol.statement import Statement


@dataclass(frozen=True, slots=True)
class Said:
    """Tell of the newest weekly statement of an engagement, and which week is to be said now.

    `week` is 0 while none was made, `due` None while none is. Of a week whose statement was
    refused no other is made: the next start sends the same again. `next_ms` is when the next
    week's first round begins, None before the first session.
    """

    week: int
    shown: int
    lost: int
    state: SendState | None
    due: int | None
    next_ms: int | None


def said_of(ledger: Ledger, engagement: Engagement, now_ms: int) -> Said:
    """Tell how far the weekly statements have come, without reading the chain."""
    first = first_round(ledger, engagement)
    last = _newest(ledger, engagement)
    outcomes = [one.outcome for one in last[1].answers] if last else []
    week = 0 if last is None or first is None else _week(engagement, first, last[1].round)
    due = None
    if first is not None and ledger.has_captures(engagement.id):
        newest = _week(engagement, first, round_at(now_ms, engagement.terms.round_ms))
        due = newest if newest > week else None
    return Said(
        week,
        outcomes.count(Held.SHOWN),
        outcomes.count(Held.LOST),
        last[0].state if last else None,
        due,
        _next_ms(engagement, first, now_ms),
    )


def next_week_ms(ledger: Ledger, engagement: Engagement, now_ms: int) -> int | None:
    """Return when the next week's first round begins, None before the first session."""
    return _next_ms(engagement, first_round(ledger, engagement), now_ms)


def _next_ms(engagement: Engagement, first: int | None, now_ms: int) -> int | None:
    if first is None:
        return None
    round_ms = engagement.terms.round_ms
    week = _week(engagement, first, round_at(now_ms, round_ms)) + 1
    return round_start(weeks_round(first, round_ms, week), round_ms)


def first_round(ledger: Ledger, engagement: Engagement) -> int | None:
    """Return the round in which a chain began, None before its first session."""
    for stored in ledger.chain(engagement.id):
        record = read_record(Statement.parse(stored.body))
        if isinstance(record, SessionOpen):
            return record.first_round
    return None


def _week(engagement: Engagement, first: int, number: int) -> int:
    return max(0, (number - first) // (WEEK_MS // engagement.terms.round_ms))


def weekly_statements(
    ledger: Ledger, engagement: Engagement
) -> Iterator[tuple[StoredStatement, Possession]]:
    """Yield the weekly statements, in the order of their making."""
    for stored in ledger.of_kind(engagement.id, Possession.KIND.value):
        record = read_record(Statement.parse(stored.body))
        if isinstance(record, Possession):
            yield stored, record


def _newest(ledger: Ledger, engagement: Engagement) -> tuple[StoredStatement, Possession] | None:
    found = None
    for found in weekly_statements(ledger, engagement):  # noqa: B007 - the last one stays
        pass
    return found
