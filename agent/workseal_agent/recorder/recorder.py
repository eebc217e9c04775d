"""The recorder: rounds, pauses and modes, from readings of the clocks to signed segments.

Rules: time is counted between looks at the monotonic clock and never depends on captures, input or
the network. A segment is signed when its round ends and at each pause, stop and change of mode. A
finished stretch that cannot be stored now waits in memory and is tried again at each look.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from workseal_agent.activity import ActivitySensor
from workseal_agent.chain import OwnChain
from workseal_agent.clock import Clock
from workseal_agent.errors import AgentError
from workseal_agent.ledger import Ledger
from workseal_agent.recorder.course import Course
from workseal_agent.recorder.moments import NS_PER_MS, Moment
from workseal_agent.recorder.schedule import Schedule
from workseal_agent.recorder.session import SessionBook
from workseal_protocol.commitment import Note, NoteCode
from workseal_protocol.records import SegmentState

# The longest pause between two looks at the clocks.
_LOOK_SECONDS = 1.0
# Less than this is not worth a segment before a sleep: who announces sleep over and over would
# otherwise write a statement each time.
_SETTLE_NS = 2_000_000_000


class RecorderState(StrEnum):
    """Say what the recorder does now."""

    WORKING = "working"
    OFF_SCREEN = "off-screen"
    SEALED = "sealed"
    PAUSED = "paused"
    LOCKED = "locked"
    STOPPED = "stopped"


Answer = TypeVar("Answer")

_STATES = {
    SegmentState.WORKING: RecorderState.WORKING,
    SegmentState.OFF_SCREEN: RecorderState.OFF_SCREEN,
    SegmentState.SEALED: RecorderState.SEALED,
}


@dataclass(frozen=True, slots=True)
class Running:
    """Describe a stretch that is not signed yet."""

    begin_ms: int
    worked_ms: int


class Recorder:
    """Record one engagement. All methods may be called from any thread."""

    def __init__(  # noqa: PLR0913 - the devices it is made of
        self,
        *,
        clock: Clock,
        chain: OwnChain,
        ledger: Ledger,
        book: SessionBook,
        schedule: Schedule,
        sensor: ActivitySensor,
        environment: bytes,
        on_statement: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._on_statement = on_statement
        self._engagement = chain.state.engagement
        self._lock = threading.RLock()
        self._shutter = schedule.shutter
        # Since when the screen is locked, and whether that is why nothing is counted.
        self._locked_ns: int | None = None
        self._held = False
        self._course = Course(
            clock=clock,
            chain=chain,
            ledger=ledger,
            book=book,
            schedule=schedule,
            sensor=sensor,
            environment=environment,
            on_statement=on_statement,
        )

    # What people ask for. Each reads the clocks before it waits for the lock, so that a capture
    # that is being stored does not move the moment of a pause. What ends the work on the screen
    # shuts the camera before that: no picture is of a moment after it, and a due one is missed.

    def start(self, correction_ms: int = 0) -> None:
        """Begin to record, after putting in order what a crash left behind.

        `correction_ms` is added to the wall clock when the verifier showed that it is wrong.
        """
        with self._lock:
            self._course.start(correction_ms)

    def pause(self) -> None:
        """Stop counting at this moment; the part of the round up to now counts."""
        at = Moment.read(self._clock)
        with self._shutter.shut(), self._lock:
            self._require_running()
            self._held = False
            self._course.halt(at)
            self._course.flush()

    def resume(self) -> None:
        """Count on from this moment."""
        at = Moment.read(self._clock)
        with self._lock:
            self._require_running()
            self._course.look(at)
            self._count_on()

    def settle(self) -> None:
        """Sign and store all time up to this moment, and count on: the machine may end now.

        A sleep that follows is seen by the clocks, as one that nobody announced. The first two
        seconds of a stretch wait, however often this is asked for.
        """
        at = Moment.read(self._clock)
        with self._lock:
            self._require_running()
            course = self._course
            course.look(at)
            now_ns = course.now_ns
            if course.stretch is not None and now_ns - course.stretch.begin_ns >= _SETTLE_NS:
                course.end(now_ns)
                course.begin(now_ns)
            course.flush()

    def put_forward(self, now_ms: int) -> None:
        """Move the session's time forward to an instant that has come; never back, no work lost.

        What is told of as an hour ago, next to a checkpoint of now, would look back-dated.
        """
        at = Moment.read(self._clock)
        with self._lock:
            self._require_running()
            self._course.look(at)
            behind_ms = self._course.put_forward(now_ms)
            if not behind_ms:
                return
            if self._locked_ns is not None:
                self._locked_ns += behind_ms * NS_PER_MS
            if self._course.active:
                self._course.begin(self._course.now_ns)
            self._course.flush()

    def lock(self, *, counts: bool) -> None:
        """Take note that the screen is locked; nothing is counted meanwhile.

        Unless time counts, or the work is off the screen.
        """
        at = Moment.read(self._clock)
        with self._shutter.shut(), self._lock:
            self._require_running()
            self._course.look(at)
            self._locked_ns = self._course.now_ns
            # Who works away from the screen touches nothing until it locks itself.
            away = self._course.mode is SegmentState.OFF_SCREEN
            if not counts and not away and self._course.active:
                self._held = True
                self._course.halt(at)
                self._course.flush()

    def unlock(self) -> None:
        """Note for how long the screen was locked, and count on if that was all that stopped it."""
        at = Moment.read(self._clock)
        with self._lock:
            self._require_running()
            self._course.look(at)
            since_ns, self._locked_ns = self._locked_ns, None
            if since_ns is not None:
                locked_ms = (self._course.now_ns - since_ns) // NS_PER_MS
                self._course.note(Note(NoteCode.LOCKED, locked_ms))
            if self._held:
                self._count_on()

    def _count_on(self) -> None:
        self._held = False
        self._course.count_on()

    def set_mode(self, mode: SegmentState, memo: str | None = None) -> None:
        """Change the kind of work at this moment; a memo describes off-screen work."""
        at = Moment.read(self._clock)
        with self._shutter.shut(), self._lock:
            self._require_running()
            self._course.look(at)
            now_ns = self._course.now_ns
            self._course.end(now_ns)
            self._course.mode = mode
            if self._course.active:
                self._course.begin(now_ns)
            self._course.flush()
            if memo is not None and mode is SegmentState.OFF_SCREEN:
                self._course.pending.declare_memo(self._engagement)
                with self._ledger.write() as writing:
                    writing.set_memo(self._engagement, now_ns // NS_PER_MS, memo)

    def toggle_sealed(self) -> None:
        """Seal from this moment on, or if that is so, go on with work on the screen."""
        with self._shutter.shut(), self._lock:
            sealed = self._course.mode is SegmentState.SEALED
            self.set_mode(SegmentState.WORKING if sealed else SegmentState.SEALED)

    def stop(self) -> None:
        """End the session at this moment.

        Raises `LedgerError` when the last segments cannot be stored; `stop` may be called again.
        """
        at = Moment.read(self._clock)
        with self._shutter.shut(), self._lock:
            if self._course.session is None:
                return
            self._held, self._locked_ns = False, None
            self._course.halt(at)
            self._course.mode = SegmentState.WORKING
            self._course.close()
            self._course.session = None
            self._on_statement()

    def between(self, action: Callable[[], Answer]) -> Answer:
        """Run something that adds to the chain, after all finished time was signed.

        So nothing that is signed later can make a segment look back-dated.
        """
        at = Moment.read(self._clock)
        with self._lock:
            if self._course.session is not None:
                self._course.look(at)
                self._course.store_all()
            return action()

    # What people see.

    @property
    def state(self) -> RecorderState:
        """Return what the recorder does now."""
        with self._lock:
            if self._course.session is None:
                return RecorderState.STOPPED
            if self._course.active:
                return _STATES[self._course.mode]
            return RecorderState.LOCKED if self._held else RecorderState.PAUSED

    @property
    def session(self) -> bytes | None:
        """Return the open session."""
        with self._lock:
            return self._course.session.id if self._course.session else None

    @property
    def trouble(self) -> str | None:
        """Return why finished segments are not stored, None when they are."""
        with self._lock:
            return self._course.pending.trouble

    def running(self) -> tuple[Running, ...]:
        """Return what is counted and not stored yet."""
        at = Moment.read(self._clock)
        with self._lock:
            if self._course.session is not None:
                self._course.look(at)
            drafts = self._course.pending.drafts
            found = [Running(draft.begin_ms, draft.worked_ms) for draft in drafts]
            if self._course.stretch is not None:
                begin, worked = self._course.stretch.begin_ns, self._course.stretch.worked_ns
                found.append(Running(begin // NS_PER_MS, worked // NS_PER_MS))
            return tuple(found)

    def recorded_from_ms(self) -> int | None:
        """Return from when on time is, or will be, recorded; None when nothing is recorded."""
        with self._lock:
            if self._course.session is None:
                return None
            if self._course.pending.drafts:
                return self._course.pending.drafts[0].begin_ms
            if self._course.stretch is not None:
                return self._course.stretch.begin_ns // NS_PER_MS
            return self._course.now_ns // NS_PER_MS

    def quiet_seconds(self) -> float:
        """Return for how long nothing is due: no end of a round, no draw, no capture."""
        at = Moment.read(self._clock)
        with self._lock:
            left = self._course.next_seconds(at)
            return _LOOK_SECONDS if left is None else left

    # The loop.

    def tick(self) -> float:
        """Do what is due now; returns the seconds until the next look."""
        at = Moment.read(self._clock)
        with self._lock:
            if self._course.session is None:
                return _LOOK_SECONDS
            self._course.look(at)
            self._course.flush()
            self._course.attended()
            left = self._course.next_seconds(self._course.seen)
            return _LOOK_SECONDS if left is None else min(_LOOK_SECONDS, max(0.0, left))

    def _require_running(self) -> None:
        if self._course.session is None:
            raise AgentError("nothing is being recorded")
