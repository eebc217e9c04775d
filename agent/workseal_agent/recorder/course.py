"""The course of a recording: what passed between two looks at the clocks, and what becomes of it.

Rules: time is counted between looks at the monotonic clock and never depends on captures, input or
the network. What cannot begin is tried again at the next look, and the time until then is owned up
to. Nothing here takes a lock: `Recorder` holds one around each call.
"""

from collections.abc import Callable
from contextlib import suppress

from workseal_agent.activity import ActivitySensor
from workseal_agent.chain import OwnChain
from workseal_agent.clock import Clock
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
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

# A session that begins this far from the wall clock says so in its first note.
_STEP_MS = 2_000
# A session may run so far ahead of the verifier: it follows no clock, and little is let be.
_RAN_AHEAD_MS = 60_000
# A chain whose newest time is this far ahead cannot be continued at a time that anybody believes.
_AHEAD_MS = 24 * 3_600_000
# Zones differ by up to 14 hours, and an hour of summer time. A verifier's clock that is further off
# is not a zone that was set wrong here: it is not followed.
MAX_CORRECTION_MS = 15 * 3_600_000


class Course:
    """Count time into stretches, and turn each finished one into a draft of a segment.

    `active` says whether time is to be counted, `mode` as what; `stretch` is the one that runs.
    """

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
        on_statement: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._chain = chain
        self._book = book
        self._schedule = schedule
        self._sensor = sensor
        self._environment = environment
        self._on_statement = on_statement
        self._engagement = chain.state.engagement
        self._terms: Terms = chain.state.terms
        self._round_ns = self._terms.round_ms * NS_PER_MS
        self.mode = SegmentState.WORKING
        self.active = False
        self.session: RunningSession | None = None
        self.stretch: Stretch | None = None
        self.pending = Pending(book, ledger, on_statement)
        self._notes: list[Note] = []
        self._last_end_ms = 0
        # Since when no stretch could begin, although time should be counted.
        self._missed_ns: int | None = None
        self.seen = Moment.read(clock)
        self._attended_ns = self.seen.mono_ns
        self._time = SessionClock(self.seen, self.seen.wall_ms)

    def start(self, correction_ms: int) -> None:
        """Open a session, after putting in order what a crash left behind."""
        if self.session is not None:
            raise AgentError("the recorder runs already")
        # Before anything is tidied: what a copy does not know of may be named by a segment.
        self._chain.require_caught_up()
        self._schedule.tidy()
        state = self._chain.refresh()
        self._see(Moment.read(self._clock))
        told_ms = max(state.last_end, *state.past.late.ends, self._chain.passed_ms(), 0)
        wanted_ms = self.seen.wall_ms + correction_ms
        if wanted_ms < told_ms - _RAN_AHEAD_MS and told_ms <= self.seen.wall_ms:
            # A clock that says this is long before what was told of already is the wrong one.
            wanted_ms = self.seen.wall_ms
        _require_plausible(told_ms - wanted_ms)
        # A wall clock that was set back must not record one moment twice.
        start_ms = max(wanted_ms, told_ms)
        early_ms = earliest_begin(state) - start_ms
        if early_ms > 0:
            raise AgentError(
                phrase(
                    "the clock shows a time {early} ms before the terms: set it, or wait",
                    early=early_ms,
                )
            )
        if state.session is not None:
            self._book.close(state.session)
            begun_ms = round_start(state.session.first_round, self._terms.round_ms)
            gap_ms = start_ms - max(state.last_end, begun_ms)
            self.note(Note(NoteCode.CRASH_GAP, max(0, gap_ms)))
        self.pending.declare_memo(self._engagement)
        if abs(start_ms - self.seen.wall_ms) > _STEP_MS:
            self.note(Note(NoteCode.CLOCK_STEP, self.seen.wall_ms - start_ms))
        self._time = SessionClock(self.seen, start_ms)
        self._last_end_ms = state.last_end
        self._open(round_at(start_ms, self._terms.round_ms))
        self.active = True
        self.begin(start_ms * NS_PER_MS)

    def put_forward(self, now_ms: int) -> int:
        """Move the session's time forward to an instant; returns by how many milliseconds.

        The stretch that ran is ended; the next one is the caller's to begin.
        """
        behind_ms = now_ms - self.now_ns // NS_PER_MS
        if not _STEP_MS < behind_ms <= MAX_CORRECTION_MS:
            return 0
        self.end(self.now_ns)
        self.note(Note(NoteCode.CLOCK_STEP, -behind_ms))
        self._time = SessionClock(self.seen, now_ms)
        return behind_ms

    def count_on(self) -> None:
        """Count from the last look on, if nothing is counted."""
        if not self.active:
            self.active = True
            self.begin(self.now_ns)

    def attended(self) -> None:
        """Take note that the loop is here: from now on, standing still is a gap."""
        self._attended_ns = self._clock.monotonic_ns()

    def next_seconds(self, at: Moment) -> float | None:
        """Return for how long nothing is due; None while nothing is counted."""
        if self.session is None or self.stretch is None:
            return None
        now_ns = self._time.ns(at)
        return (self._schedule.next_ns(self.stretch, now_ns) - now_ns) / 1e9

    @property
    def now_ns(self) -> int:
        """Return the session's time of the last look."""
        return self._time.ns(self.seen)

    def _see(self, at: Moment) -> None:
        self.seen = at
        self._attended_ns = at.mono_ns

    def look(self, at: Moment) -> None:
        """Account for the time since the last look."""
        before = self.seen
        if at.boot_ns < before.boot_ns:
            # Another thread looked in between.
            return
        gap = gap_between(before, at, self._attended_ns)
        self._see(at)
        step = self._time.step(at)
        if step is not None:
            self.note(Note(NoteCode.CLOCK_STEP, step))
        if self.stretch is None:
            if self.active:
                # Opening the next session failed before.
                self.begin(self.now_ns)
        elif gap is not None:
            code = NoteCode.SUSPEND if gap.kind is GapKind.SUSPEND else NoteCode.CRASH_GAP
            self.note(Note(code, gap.length_ns // NS_PER_MS))
            self.end(self._time.ns(before))
            self.begin(self.now_ns)
        else:
            asleep = (at.boot_ns - before.boot_ns) - (at.mono_ns - before.mono_ns)
            self._work(self.now_ns, max(0, asleep))
        self.attended()

    def halt(self, at: Moment) -> None:
        """Count no more from this moment on, whatever fails."""
        self.active = False
        # Raised only while the next stretch begins: the time before is kept, and none is to begin.
        with suppress(LedgerError):
            self.look(at)
        self.end(self.now_ns)
        self._own_up(self.now_ns)

    def _work(self, now_ns: int, asleep_ns: int) -> None:
        while (stretch := self.stretch) is not None and self.session is not None:
            end_ns = (stretch.round + 1) * self._round_ns
            asleep_ns = stretch.work_until(min(now_ns, end_ns), asleep_ns)
            self._schedule.decide(stretch, self.session, now_ns)
            self._schedule.capture(stretch, self.session, now_ns)
            if now_ns < end_ns:
                return
            self.end(end_ns)
            self.begin(end_ns)

    def begin(self, ns: int) -> None:
        """Begin a stretch at a moment, in a new session when the old one has no more rounds.

        What fails is tried again at the next look; the time until then is owned up to.
        """
        if self._missed_ns is None:
            self._missed_ns = ns
        round_ = ns // self._round_ns
        if self.session is None or not self.session.covers(round_):
            self.close()
            self._open(round_)
        # What was typed while nothing was counted is forgotten here.
        self._sensor.take()
        self._schedule.want(round_)
        self.stretch = Stretch(
            round=round_,
            state=self.mode,
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
            self.note(Note(NoteCode.CRASH_GAP, (ns - missed_ns) // NS_PER_MS))

    def end(self, ns: int) -> None:
        """Finish the stretch that runs; what is left of it waits as a draft."""
        stretch, session = self.stretch, self.session
        if stretch is None or session is None:
            return
        self.stretch = None
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
        self.pending.add(finished.draft(session, counts if observed else None))
        self._last_end_ms = finished.end_ms

    def flush(self) -> None:
        """Sign and store what is finished; what fails waits."""
        self.pending.flush(self._engagement, declare=self.mode is not SegmentState.OFF_SCREEN)
        if self.pending.lost_ms:
            self.note(Note(NoteCode.CRASH_GAP, self.pending.lost_ms))
            self.pending.lost_ms = 0

    def store_all(self) -> None:
        """Sign and store all that is finished, or raise `LedgerError`."""
        self.flush()
        self.pending.require_stored(
            self._engagement, declare=self.mode is not SegmentState.OFF_SCREEN
        )

    def _open(self, first_round: int) -> None:
        self.session = self._book.open(first_round, self._environment)
        self._on_statement()

    def close(self) -> None:
        """Close the open session; `LedgerError` while its last segments are not stored."""
        self.store_all()
        session = self._chain.refresh().session
        if session is not None:
            self._book.close(session)

    def note(self, note: Note) -> None:
        """Note something on the stretch that runs, or on the next one."""
        notes = self._notes if self.stretch is None else self.stretch.notes
        if len(notes) < MAX_NOTES:
            notes.append(note)


def _require_plausible(ahead_ms: int) -> None:
    """Refuse to continue a chain whose newest time is far in the future."""
    if ahead_ms > _AHEAD_MS:
        raise AgentError(
            phrase(
                "the newest recorded time lies {hours} hours ahead of the clock: set the"
                " clock if it is wrong; else time was recorded under a clock that was ahead,"
                " and work goes on in a new engagement",
                hours=ahead_ms // 3600000,
            )
        )
