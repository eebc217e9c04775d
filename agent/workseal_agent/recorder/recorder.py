"""The recorder: rounds, pauses and modes, from readings of the clocks to signed segments.

Rules: time is counted between looks at the monotonic clock and never depends on captures, input or
the network. A segment is signed when its round ends and at each pause, stop and change of mode. A
finished stretch that cannot be stored now waits in memory and is tried again at each look.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from workseal_agent.activity import ActivitySensor
from workseal_agent.chain import OwnChain
from workseal_agent.clock import Clock
from workseal_agent.errors import AgentError
from workseal_agent.ledger import Ledger, LedgerError
from workseal_agent.recorder.moments import (
    NS_PER_MS,
    GapKind,
    Moment,
    SessionClock,
    gap_between,
)
from workseal_agent.recorder.pending import Pending
from workseal_agent.recorder.schedule import Schedule
from workseal_agent.recorder.session import RunningSession, SessionBook
from workseal_agent.recorder.stretch import Stretch
from workseal_protocol.chain import earliest_begin
from workseal_protocol.commitment import MAX_NOTES, Note, NoteCode
from workseal_protocol.lottery import round_at, round_start
from workseal_protocol.records import SegmentState
from workseal_protocol.terms import Level, Terms

# The longest pause between two looks at the clocks.
_LOOK_SECONDS = 1.0
# A session that begins this far from the wall clock says so in its first note.
_STEP_MS = 2_000
# A chain whose newest time is this far ahead cannot be continued at a time that anybody believes.
_AHEAD_MS = 24 * 3_600_000
# Zones differ by up to 14 hours, and an hour of summer time. A verifier's clock that is further off
# is not a zone that was set wrong here: it is not followed.
MAX_CORRECTION_MS = 15 * 3_600_000
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
        self._chain = chain
        self._ledger = ledger
        self._book = book
        self._schedule = schedule
        self._sensor = sensor
        self._environment = environment
        self._on_statement = on_statement
        self._engagement = chain.state.engagement
        self._terms: Terms = chain.state.terms
        self._round_ns = self._terms.round_ms * NS_PER_MS
        self._lock = threading.RLock()
        self._mode = SegmentState.WORKING
        self._active = False
        # Since when the screen is locked, and whether that is why nothing is counted.
        self._locked_ns: int | None = None
        self._held = False
        self._session: RunningSession | None = None
        self._stretch: Stretch | None = None
        self._pending = Pending(book, ledger, on_statement)
        self._notes: list[Note] = []
        self._last_end_ms = 0
        # Since when no stretch could begin, although time should be counted.
        self._missed_ns: int | None = None
        self._seen = Moment.read(clock)
        self._attended_ns = self._seen.mono_ns
        self._time = SessionClock(self._seen, self._seen.wall_ms)

    # What people ask for. Each reads the clocks before it waits for the lock, so that a capture
    # that is being stored does not move the moment of a pause.

    def start(self, correction_ms: int = 0) -> None:
        """Begin to record, after putting in order what a crash left behind.

        `correction_ms` is added to the wall clock when the verifier showed that it is wrong.
        """
        with self._lock:
            if self._session is not None:
                raise AgentError("the recorder runs already")
            # Before anything is tidied: what a copy does not know of may be named by a segment.
            self._chain.require_caught_up()
            self._schedule.tidy()
            state = self._chain.refresh()
            self._see(Moment.read(self._clock))
            told_ms = max(state.last_end, *state.past.late.ends, self._chain.passed_ms(), 0)
            wanted_ms = self._seen.wall_ms + correction_ms
            if wanted_ms < told_ms <= self._seen.wall_ms:
                # A clock that says this is before what was told of already is the wrong one.
                wanted_ms = self._seen.wall_ms
            _require_plausible(told_ms - wanted_ms)
            # A wall clock that was set back must not record one moment twice.
            start_ms = max(wanted_ms, told_ms)
            early_ms = earliest_begin(state) - start_ms
            if early_ms > 0:
                raise AgentError(
                    f"the clock shows a time {early_ms} ms before the terms: set it, or wait"
                )
            if state.session is not None:
                self._book.close(state.session)
                begun_ms = round_start(state.session.first_round, self._terms.round_ms)
                gap_ms = start_ms - max(state.last_end, begun_ms)
                self._note(Note(NoteCode.CRASH_GAP, max(0, gap_ms)))
            self._pending.declare_memo(self._engagement)
            if abs(start_ms - self._seen.wall_ms) > _STEP_MS:
                self._note(Note(NoteCode.CLOCK_STEP, self._seen.wall_ms - start_ms))
            self._time = SessionClock(self._seen, start_ms)
            self._last_end_ms = state.last_end
            self._open(round_at(start_ms, self._terms.round_ms))
            self._active = True
            self._begin(start_ms * NS_PER_MS)

    def pause(self) -> None:
        """Stop counting at this moment; the part of the round up to now counts."""
        at = Moment.read(self._clock)
        with self._lock:
            self._require_running()
            self._held = False
            self._halt(at)
            self._flush()

    def resume(self) -> None:
        """Count on from this moment."""
        at = Moment.read(self._clock)
        with self._lock:
            self._require_running()
            self._look(at)
            self._count_on()

    def settle(self) -> None:
        """Sign and store all time up to this moment, and count on: the machine may end now.

        A sleep that follows is seen by the clocks, as one that nobody announced. The first two
        seconds of a stretch wait, however often this is asked for.
        """
        at = Moment.read(self._clock)
        with self._lock:
            self._require_running()
            self._look(at)
            if self._stretch is not None and self._now_ns - self._stretch.begin_ns >= _SETTLE_NS:
                self._end(self._now_ns)
                self._begin(self._now_ns)
            self._flush()

    def put_forward(self, now_ms: int) -> None:
        """Move the session's time forward to an instant that has come; never back, no work lost.

        What is told of as an hour ago, next to a checkpoint of now, would look back-dated.
        """
        at = Moment.read(self._clock)
        with self._lock:
            self._require_running()
            self._look(at)
            behind_ms = now_ms - self._now_ns // NS_PER_MS
            if not _STEP_MS < behind_ms <= MAX_CORRECTION_MS:
                return
            self._end(self._now_ns)
            self._note(Note(NoteCode.CLOCK_STEP, -behind_ms))
            self._time = SessionClock(self._seen, now_ms)
            if self._locked_ns is not None:
                self._locked_ns += behind_ms * NS_PER_MS
            if self._active:
                self._begin(self._now_ns)
            self._flush()

    def lock(self, *, counts: bool) -> None:
        """Take note that the screen is locked; unless time counts, nothing is counted meanwhile."""
        at = Moment.read(self._clock)
        with self._lock:
            self._require_running()
            self._look(at)
            self._locked_ns = self._now_ns
            if not counts and self._active:
                self._held = True
                self._halt(at)
                self._flush()

    def unlock(self) -> None:
        """Note for how long the screen was locked, and count on if that was all that stopped it."""
        at = Moment.read(self._clock)
        with self._lock:
            self._require_running()
            self._look(at)
            since_ns, self._locked_ns = self._locked_ns, None
            if since_ns is not None:
                self._note(Note(NoteCode.LOCKED, (self._now_ns - since_ns) // NS_PER_MS))
            if self._held:
                self._count_on()

    def _count_on(self) -> None:
        self._held = False
        if not self._active:
            self._active = True
            self._begin(self._now_ns)

    def set_mode(self, mode: SegmentState, memo: str | None = None) -> None:
        """Change the kind of work at this moment; a memo describes off-screen work."""
        at = Moment.read(self._clock)
        with self._lock:
            self._require_running()
            self._look(at)
            now_ns = self._now_ns
            self._end(now_ns)
            self._mode = mode
            if self._active:
                self._begin(now_ns)
            self._flush()
            if memo is not None and mode is SegmentState.OFF_SCREEN:
                self._pending.declare_memo(self._engagement)
                with self._ledger.write() as writing:
                    writing.set_memo(self._engagement, now_ns // NS_PER_MS, memo)

    def toggle_sealed(self) -> None:
        """Seal from this moment on, or if that is so, go on with work on the screen."""
        with self._lock:
            sealed = self._mode is SegmentState.SEALED
            self.set_mode(SegmentState.WORKING if sealed else SegmentState.SEALED)

    def stop(self) -> None:
        """End the session at this moment.

        Raises `LedgerError` when the last segments cannot be stored; `stop` may be called again.
        """
        at = Moment.read(self._clock)
        with self._lock:
            if self._session is None:
                return
            self._held, self._locked_ns = False, None
            self._halt(at)
            self._mode = SegmentState.WORKING
            self._close()
            self._session = None
            self._on_statement()

    def between(self, action: Callable[[], Answer]) -> Answer:
        """Run something that adds to the chain, after all finished time was signed.

        So nothing that is signed later can make a segment look back-dated.
        """
        at = Moment.read(self._clock)
        with self._lock:
            if self._session is not None:
                self._look(at)
                self._store_all()
            return action()

    # What people see.

    @property
    def state(self) -> RecorderState:
        """Return what the recorder does now."""
        with self._lock:
            if self._session is None:
                return RecorderState.STOPPED
            if self._active:
                return _STATES[self._mode]
            return RecorderState.LOCKED if self._held else RecorderState.PAUSED

    @property
    def session(self) -> bytes | None:
        """Return the open session."""
        with self._lock:
            return self._session.id if self._session else None

    @property
    def trouble(self) -> str | None:
        """Return why finished segments are not stored, None when they are."""
        with self._lock:
            return self._pending.trouble

    def running(self) -> tuple[Running, ...]:
        """Return what is counted and not stored yet."""
        at = Moment.read(self._clock)
        with self._lock:
            if self._session is not None:
                self._look(at)
            found = [Running(draft.begin_ms, draft.worked_ms) for draft in self._pending.drafts]
            if self._stretch is not None:
                begin, worked = self._stretch.begin_ns, self._stretch.worked_ns
                found.append(Running(begin // NS_PER_MS, worked // NS_PER_MS))
            return tuple(found)

    def recorded_from_ms(self) -> int | None:
        """Return from when on time is, or will be, recorded; None when nothing is recorded."""
        with self._lock:
            if self._session is None:
                return None
            if self._pending.drafts:
                return self._pending.drafts[0].begin_ms
            if self._stretch is not None:
                return self._stretch.begin_ns // NS_PER_MS
            return self._now_ns // NS_PER_MS

    def quiet_seconds(self) -> float:
        """Return for how long nothing is due: no end of a round, no draw, no capture."""
        at = Moment.read(self._clock)
        with self._lock:
            if self._session is None or self._stretch is None:
                return _LOOK_SECONDS
            now_ns = self._time.ns(at)
            return (self._schedule.next_ns(self._stretch, now_ns) - now_ns) / 1e9

    # The loop.

    def tick(self) -> float:
        """Do what is due now; returns the seconds until the next look."""
        at = Moment.read(self._clock)
        with self._lock:
            if self._session is None:
                return _LOOK_SECONDS
            self._look(at)
            self._flush()
            self._attended_ns = self._clock.monotonic_ns()
            if self._stretch is None:
                return _LOOK_SECONDS
            now_ns = self._now_ns
            left = (self._schedule.next_ns(self._stretch, now_ns) - now_ns) / 1e9
            return min(_LOOK_SECONDS, max(0.0, left))

    @property
    def _now_ns(self) -> int:
        """Return the session's time of the last look."""
        return self._time.ns(self._seen)

    def _see(self, at: Moment) -> None:
        self._seen = at
        self._attended_ns = at.mono_ns

    def _look(self, at: Moment) -> None:
        """Account for the time since the last look."""
        before = self._seen
        if at.boot_ns < before.boot_ns:
            # Another thread looked in between.
            return
        gap = gap_between(before, at, self._attended_ns)
        self._see(at)
        step = self._time.step(at)
        if step is not None:
            self._note(Note(NoteCode.CLOCK_STEP, step))
        if self._stretch is None:
            if self._active:
                # Opening the next session failed before.
                self._begin(self._now_ns)
        elif gap is not None:
            code = NoteCode.SUSPEND if gap.kind is GapKind.SUSPEND else NoteCode.CRASH_GAP
            self._note(Note(code, gap.length_ns // NS_PER_MS))
            self._end(self._time.ns(before))
            self._begin(self._now_ns)
        else:
            asleep = (at.boot_ns - before.boot_ns) - (at.mono_ns - before.mono_ns)
            self._work(self._now_ns, max(0, asleep))
        self._attended_ns = self._clock.monotonic_ns()

    def _halt(self, at: Moment) -> None:
        """Count no more from this moment on, whatever fails."""
        self._active = False
        # Raised only while the next stretch begins: the time before is kept, and none is to begin.
        with suppress(LedgerError):
            self._look(at)
        self._end(self._now_ns)
        self._own_up(self._now_ns)

    def _work(self, now_ns: int, asleep_ns: int) -> None:
        while (stretch := self._stretch) is not None and self._session is not None:
            end_ns = (stretch.round + 1) * self._round_ns
            asleep_ns = stretch.work_until(min(now_ns, end_ns), asleep_ns)
            self._schedule.decide(stretch, self._session, now_ns)
            self._schedule.capture(stretch, self._session, now_ns)
            if now_ns < end_ns:
                return
            self._end(end_ns)
            self._begin(end_ns)

    def _begin(self, ns: int) -> None:
        """Begin a stretch at a moment, in a new session when the old one has no more rounds.

        What fails is tried again at the next look; the time until then is owned up to.
        """
        if self._missed_ns is None:
            self._missed_ns = ns
        round_ = ns // self._round_ns
        if self._session is None or not self._session.covers(round_):
            self._close()
            self._open(round_)
        # What was typed while nothing was counted is forgotten here.
        self._sensor.take()
        self._schedule.want(round_)
        self._stretch = Stretch(
            round=round_,
            state=self._mode,
            anchor=self._chain.newest_anchor(),
            begin_ns=ns,
            cursor_ns=ns,
            value_deadline_ns=ns + self._schedule.value_wait_ns,
            notes=self._notes,
        )
        self._notes = []
        self._own_up(ns)

    def _own_up(self, ns: int) -> None:
        """Note how long no stretch could begin."""
        missed_ns, self._missed_ns = self._missed_ns, None
        if missed_ns is not None and ns - missed_ns >= NS_PER_MS:
            self._note(Note(NoteCode.CRASH_GAP, (ns - missed_ns) // NS_PER_MS))

    def _end(self, ns: int) -> None:
        """Finish the stretch that runs; what is left of it waits as a draft."""
        stretch, session = self._stretch, self._session
        if stretch is None or session is None:
            return
        self._stretch = None
        stretch.work_until(ns, 0)
        self._schedule.decide(stretch, session, ns, force=True)
        finished = stretch.finish(ns, self._last_end_ms, self._schedule.due_ns(stretch))
        if stretch.shot is not None and (finished is None or finished.shot is None):
            self._schedule.discard(stretch.shot.frames)
        if finished is None:
            self._notes = stretch.notes
            return
        counts = self._sensor.take()
        observed = self._terms.level >= Level.ACTIVITY and stretch.state is not SegmentState.SEALED
        self._pending.add(finished.draft(session, counts if observed else None))
        self._last_end_ms = finished.end_ms

    def _flush(self) -> None:
        """Sign and store what is finished; what fails waits."""
        self._pending.flush(self._engagement, declare=self._mode is not SegmentState.OFF_SCREEN)
        if self._pending.lost_ms:
            self._note(Note(NoteCode.CRASH_GAP, self._pending.lost_ms))
            self._pending.lost_ms = 0

    def _store_all(self) -> None:
        self._flush()
        self._pending.require_stored(
            self._engagement, declare=self._mode is not SegmentState.OFF_SCREEN
        )

    def _open(self, first_round: int) -> None:
        self._session = self._book.open(first_round, self._environment)
        self._on_statement()

    def _close(self) -> None:
        """Close the open session; `LedgerError` while its last segments are not stored."""
        self._store_all()
        session = self._chain.refresh().session
        if session is not None:
            self._book.close(session)

    def _note(self, note: Note) -> None:
        notes = self._notes if self._stretch is None else self._stretch.notes
        if len(notes) < MAX_NOTES:
            notes.append(note)

    def _require_running(self) -> None:
        if self._session is None:
            raise AgentError("nothing is being recorded")


def _require_plausible(ahead_ms: int) -> None:
    """Refuse to continue a chain whose newest time is far in the future."""
    if ahead_ms > _AHEAD_MS:
        raise AgentError(
            f"the newest recorded time lies {ahead_ms // 3_600_000} hours ahead of the clock: set"
            " the clock if it is wrong; else time was recorded under a clock that was ahead, and"
            " work goes on in a new engagement"
        )
