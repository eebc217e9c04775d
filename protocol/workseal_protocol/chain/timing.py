"""Step 8: rounds, begin and end, worked time, and what declarations may cover."""

from typing import TYPE_CHECKING

from workseal_protocol.chain.rules import ChainError, Rule
from workseal_protocol.lottery import round_start
from workseal_protocol.records import (
    ChainedRecord,
    Declaration,
    DeclarationForm,
    Segment,
    SessionOpen,
)

if TYPE_CHECKING:
    from workseal_protocol.chain.state import ChainState

# Work is counted by one clock and its begin and end by another, each rounded to milliseconds. An
# agent never claims more than it spans; this much a round is rounding, and buys nobody anything.
WORKED_TOLERANCE = 10
# Client and freelancer each have a clock: work may seem to begin this much before the terms.
AGREED_TOLERANCE = 5000
# The start of the year 9999 less a day: every calendar can tell the date in every zone.
LAST_INSTANT = 253_370_678_400_000
# A declaration covers at most a week, so that cutting it into days is a bounded work.
LONGEST_DECLARATION = 7 * 86_400_000


def earliest_begin(state: "ChainState") -> int:
    """Give the first instant, in Unix milliseconds, that the chain may tell of."""
    return state.agreed_at - AGREED_TOLERANCE


def check_timing(state: "ChainState", record: ChainedRecord) -> None:
    """Check the times that a statement claims against the round grid, or raise `ChainError`."""
    match record:
        case SessionOpen():
            _check_instant(round_start(record.first_round + record.rounds, state.terms.round_ms))
            # The running round is one of the session's: it may have begun before the terms.
            _check_agreed(state, round_start(record.first_round + 1, state.terms.round_ms))
        case Segment():
            _check_grid(state, record)
            _check_agreed(state, record.begin)
            _check_worked(state, record)
            _check_overlap(state, record)
        case Declaration():
            _check_agreed(state, record.begin)
            _check_declaration(state, record)
        case _:
            pass


def _check_instant(instant: int) -> None:
    if instant > LAST_INSTANT:
        raise ChainError(Rule.ROUND, "a time lies after the year 9998")


def _check_agreed(state: "ChainState", begin: int) -> None:
    # (8) Nothing is told of the time before the terms.
    if begin < earliest_begin(state):
        raise ChainError(Rule.TERMS, "it begins before the terms were agreed")


def _check_grid(state: "ChainState", record: Segment) -> None:
    # (8) The round is one of the session's and not before the last one.
    session = state.session
    if session is None:
        raise ChainError(Rule.ROUND, "no session gives the rounds")
    if not session.first_round <= record.round < session.first_round + session.rounds:
        raise ChainError(Rule.ROUND, f"round {record.round} is not one of the session's")
    if record.round < state.last_round:
        raise ChainError(Rule.ROUND, f"round {record.round} comes after {state.last_round}")
    # (8) Begin and end lie inside the round, in order.
    start = round_start(record.round, state.terms.round_ms)
    _check_instant(start)
    if not start <= record.begin <= record.end <= start + state.terms.round_ms:
        raise ChainError(Rule.BOUNDS, f"begin and end leave round {record.round}")


def _check_worked(state: "ChainState", record: Segment) -> None:
    # (8) No more time was worked than passed. The tolerance is the round's, not the segment's:
    # many short segments must not add it up.
    if record.worked and record.begin == record.end:
        raise ChainError(Rule.WORKED, f"{record.worked} ms worked in no time")
    before, length = state.of_round(record.round)
    worked, length = before + record.worked, length + record.end - record.begin
    if worked > length + WORKED_TOLERANCE:
        raise ChainError(Rule.WORKED, f"{worked} ms worked in {length} ms of round {record.round}")
    if worked > state.terms.round_ms:
        raise ChainError(Rule.WORKED, f"round {record.round} has more work than it is long")


def _check_overlap(state: "ChainState", record: Segment) -> None:
    # (8) No moment is recorded twice.
    if record.begin < state.last_end:
        raise ChainError(Rule.OVERLAP, "a segment begins before the end of the one before it")
    if state.past.late.touching(record.begin, record.end):
        raise ChainError(Rule.OVERLAP, "a segment covers time that was declared")


def _check_declaration(state: "ChainState", record: Declaration) -> None:
    # (8) A declaration covers time that has passed. That it has no more work than time is a rule
    # of the record itself.
    _check_instant(record.end)
    if record.end - record.begin > LONGEST_DECLARATION:
        raise ChainError(Rule.DECLARATION, "a declaration covers more than a week")
    if record.end > record.claimed_at:
        raise ChainError(Rule.DECLARATION, "a declaration covers time that was still to come")
    if record.form is DeclarationForm.LATE:
        _check_late(state, record)
    else:
        _check_live(state, record)


def _check_late(state: "ChainState", record: Declaration) -> None:
    # (8) Late time was neither recorded nor declared before.
    past = state.past
    if past.recorded.touching(record.begin, record.end):
        raise ChainError(Rule.OVERLAP, "late time was recorded already")
    if past.late.touching(record.begin, record.end):
        raise ChainError(Rule.OVERLAP, "late time was declared already")


def _check_live(state: "ChainState", record: Declaration) -> None:
    # (8) What is described live was recorded as off-screen, from its begin to its end but for
    # pauses; its work is work that these segments recorded.
    past = state.past
    places = past.recorded.touching(record.begin, record.end)
    if not places or past.attended.touching(record.begin, record.end):
        raise ChainError(Rule.DECLARATION, "a live declaration covers time that was not off-screen")
    first, last = past.recorded.begins[places[0]], past.recorded.ends[places[-1]]
    if record.begin < first or record.end > last:
        raise ChainError(Rule.DECLARATION, "a live declaration reaches beyond off-screen segments")
    recorded = past.recorded.worked(places)
    if record.worked > recorded:
        raise ChainError(
            Rule.DECLARATION,
            f"a live declaration tells of {record.worked} ms worked, its segments of {recorded}",
        )
