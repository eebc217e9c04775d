"""A chain moved on over many segments at once: what `follow` does, without a state after each.

Rule: only for statements that were admitted before; nothing is checked. The state that comes of it
is the one that `follow` comes to.
"""

from dataclasses import replace

from workseal_protocol.chain.state import ChainState
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import read_octets
from workseal_protocol.records.segmentform import Course, read_course
from workseal_protocol.records.work import Capture, SegmentState


class SegmentRun:
    """Segments that follow each other in a chain, from a state of it on."""

    def __init__(self, state: ChainState) -> None:
        self._before = state
        self._past = state.past.until(state.next_seq)
        self._head = state.head
        self._last: Course | None = None
        self._sums = [0, 0, 0, 0]
        self._round_worked, self._round_span = state.round_worked, state.round_span
        self._round = state.last_round

    def take(self, digest: Digest, statement: bytes) -> bool:
        """Take the bytes of the next statement, or tell that it is none for here."""
        course = _course_of(statement)
        if course is None or self._before.session is None:
            return False
        seq, _, number, begin, end, worked, state, _, _, capture, frames = course
        past = self._past
        past.length = seq + 1
        past.recorded.add(begin, end, seq, worked)
        if state != SegmentState.OFF_SCREEN:
            past.attended.add(begin, end, seq)
        if capture == Capture.CAPTURED:
            for frame in frames:
                past.frames[frame] = (seq, digest)
        self._count(number, begin, end, worked, capture)
        self._head, self._last = digest, course
        return True

    def _count(self, number: int, begin: int, end: int, worked: int, capture: int) -> None:
        if number != self._round:
            self._round, self._round_worked, self._round_span = number, 0, 0
        self._round_worked += worked
        self._round_span += end - begin
        sums = self._sums
        sums[0] += 1
        sums[1] += worked
        sums[2] += capture == Capture.CAPTURED
        sums[3] += capture == Capture.MISSED

    @property
    def state(self) -> ChainState:
        """The state after all that was taken."""
        before, last, session = self._before, self._last, self._before.session
        if last is None or session is None:
            return before
        seq, size, number, _, end, _, _, agent_value, verifier_value, _, _ = last
        segments, worked, captured, missed = self._sums
        return replace(
            before,
            next_seq=seq + 1,
            head=self._head,
            anchor_size=size,
            last_round=number,
            last_end=end,
            round_worked=self._round_worked,
            round_span=self._round_span,
            session=replace(
                session,
                known=(number, agent_value),
                drawn=(number, verifier_value),
                segments=session.segments + segments,
                worked=session.worked + worked,
                captured=session.captured + captured,
                missed=session.missed + missed,
            ),
            past=self._past,
        )


def _course_of(statement: bytes) -> Course | None:
    # Tag 18, an array of four; the protected header, an empty map, the payload.
    protected = read_octets(statement, 2)
    payload = None if protected is None else read_octets(statement, protected[1] + 1)
    return None if payload is None else read_course(payload[0])
