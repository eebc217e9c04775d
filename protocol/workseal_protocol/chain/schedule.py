"""Step 9: revealed values match the session's head, and captures are exactly those drawn."""

from typing import TYPE_CHECKING

from workseal_protocol.chain.rules import ChainError, Rule
from workseal_protocol.errors import VerificationError
from workseal_protocol.lottery import ChainSide, drawn_offset, verify_value
from workseal_protocol.records import Capture, ChainedRecord, Segment, SegmentState
from workseal_protocol.terms import Level, Terms

if TYPE_CHECKING:
    from workseal_protocol.chain.state import ChainState


def check_schedule(state: "ChainState", record: ChainedRecord) -> tuple[int, bytes] | None:
    """Check one segment against the schedule, or raise `ChainError`.

    Gives the (round, agent value) that is now proved; None when the record is no segment. Whether
    the verifier's value is the one that the operator committed to is for the caller to check: the
    server compares it with the released value, verification with the logged commitment.
    """
    if not isinstance(record, Segment):
        return None
    _check_activity(state.terms, record)
    known = _check_agent_value(state, record)
    _check_one_draw(state, record)
    _check_capture(state, record)
    return known


def owed_instant(terms: Terms, engagement: bytes, record: Segment) -> int | None:
    """Give the instant at which a capture is drawn in the segment's round; None when none is."""
    if terms.level < Level.FRAMES:
        return None
    due, offset_ms = drawn_offset(
        record.agent_value,
        record.verifier_value,
        engagement,
        record.round,
        terms.capture_rate,
        terms.round_ms,
    )
    return record.round * terms.round_ms + offset_ms if due else None


def _check_activity(terms: Terms, record: Segment) -> None:
    # (9) Activity is committed exactly where the terms ask for it.
    wanted = terms.level >= Level.ACTIVITY and record.state is not SegmentState.SEALED
    if wanted and record.activity is None:
        raise ChainError(Rule.ACTIVITY, "a segment lacks the activity that the terms ask for")
    if not wanted and record.activity is not None:
        raise ChainError(Rule.ACTIVITY, "a segment has activity that the terms do not ask for")


def _check_agent_value(state: "ChainState", record: Segment) -> tuple[int, bytes]:
    # (9) The agent's value was fixed when the session was opened.
    session = state.session
    if session is None:
        raise ChainError(Rule.AGENT_VALUE, "no session gives the head of the agent's values")
    try:
        verify_value(
            ChainSide.AGENT,
            head=session.head,
            first_round=session.first_round,
            count=session.rounds,
            round=record.round,
            value=record.agent_value,
            known=session.known,
        )
    except VerificationError as error:
        raise ChainError(Rule.AGENT_VALUE, f"round {record.round}: {error}") from error
    return record.round, record.agent_value


def _check_one_draw(state: "ChainState", record: Segment) -> None:
    # (9) Who knows both draws of a round, online and offline, must not choose between them.
    drawn = state.session.drawn if state.session is not None else None
    if drawn is not None and drawn[0] == record.round and drawn[1] != record.verifier_value:
        raise ChainError(
            Rule.DRAW, f"round {record.round} changes its verifier value within one session"
        )


def _check_capture(state: "ChainState", record: Segment) -> None:
    # (9) A frame was taken, or is owned up as missed, exactly when the draw says so.
    instant = owed_instant(state.terms, state.engagement, record)
    owed = (
        instant is not None
        and record.state is SegmentState.WORKING
        and record.begin <= instant < record.end
    )
    if owed and record.capture is Capture.NONE:
        raise ChainError(Rule.CAPTURE, f"the capture drawn in round {record.round} is not told")
    if not owed and record.capture is not Capture.NONE:
        raise ChainError(Rule.CAPTURE, f"no capture was drawn in round {record.round}")
