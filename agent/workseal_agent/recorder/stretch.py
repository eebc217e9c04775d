"""One unbroken stretch of work inside one round, and what is left of it to sign."""

from dataclasses import dataclass, field

from workseal_agent.activity import Counts
from workseal_agent.recorder.camera import Shot
from workseal_agent.recorder.moments import NS_PER_MS
from workseal_agent.recorder.session import Draft, RunningSession
from workseal_protocol.commitment import (
    MAX_INPUT_SECONDS,
    MAX_NOTES,
    ActivityRecord,
    ActivitySource,
    Note,
    NoteCode,
    bucket,
    encode_notes,
)
from workseal_protocol.lottery import Draw
from workseal_protocol.records import Anchor, Capture, SegmentState


@dataclass(slots=True)
class Stretch:
    """Count the work of a stretch that still runs; times in the session's nanoseconds.

    `anchor` is the newest checkpoint known when it began: one that is signed late must not name a
    checkpoint that is younger than the time it tells of.
    """

    round: int
    state: SegmentState
    anchor: Anchor
    begin_ns: int
    cursor_ns: int
    value_deadline_ns: int
    worked_ns: int = 0
    decided: bool = False
    verifier_value: bytes | None = None
    draw: Draw | None = None
    shot: Shot | None = None
    notes: list[Note] = field(default_factory=list)

    def work_until(self, ns: int, asleep_ns: int) -> int:
        """Count the time to `ns`, less the time asleep; returns what of the sleep is still left."""
        passed = max(0, ns - self.cursor_ns)
        asleep = min(asleep_ns, passed)
        self.worked_ns += passed - asleep
        self.cursor_ns = max(self.cursor_ns, ns)
        return asleep_ns - asleep

    def finish(self, ns: int, last_end_ms: int, due_ns: int | None) -> "Finished | None":
        """Fix begin and end in milliseconds; None when nothing is left between them.

        `due_ns` is the moment of the round's capture. It belongs to the stretch, and is then owed,
        when it lies in [begin, end).
        """
        begin_ms = max(self.begin_ns // NS_PER_MS, last_end_ms)
        end_ms = max(ns // NS_PER_MS, begin_ms)
        owed_ms = None if due_ns is None else due_ns // NS_PER_MS
        if owed_ms is not None and self.shot is not None and self.shot.frames:
            end_ms = max(end_ms, owed_ms + 1)
        if begin_ms == end_ms:
            return None
        owed = owed_ms is not None and begin_ms <= owed_ms < end_ms
        unseen = Shot((), (Note(NoteCode.SCHEDULE_LATE, 0),))
        worked_ms = min(round(self.worked_ns / NS_PER_MS), end_ms - begin_ms)
        return Finished(self, begin_ms, end_ms, worked_ms, (self.shot or unseen) if owed else None)


@dataclass(frozen=True, slots=True)
class Finished:
    """Hold a stretch whose times are fixed; `shot` is None when no capture was owed in it."""

    stretch: Stretch
    begin_ms: int
    end_ms: int
    worked_ms: int
    shot: Shot | None

    def draft(self, session: RunningSession, counts: Counts | None) -> Draft:
        """Make what is signed; `counts` is None when the terms or the mode ask for no activity."""
        stretch, shot = self.stretch, self.shot
        notes = [*stretch.notes, *(shot.notes if shot else ())]
        capture = Capture.NONE
        if shot is not None:
            capture = Capture.CAPTURED if shot.frames else Capture.MISSED
        return Draft(
            session=session.id,
            anchor=stretch.anchor,
            round=stretch.round,
            state=stretch.state,
            begin_ms=self.begin_ms,
            end_ms=self.end_ms,
            worked_ms=self.worked_ms,
            agent_value=session.value(stretch.round),
            verifier_value=stretch.verifier_value,
            capture=capture,
            frames=shot.frames if shot else (),
            activity=None if counts is None else self._observed(counts).encode(),
            notes=encode_notes(notes[:MAX_NOTES]),
            secret=session.secret,
        )

    def _observed(self, counts: Counts) -> ActivityRecord:
        """Coarsen what was counted, over the time that was really worked."""
        seconds = min(counts.active_seconds, (self.worked_ms + 2000) // 1000, MAX_INPUT_SECONDS)
        told = counts.synthetic + counts.device
        knows_source = counts.source is ActivitySource.XINPUT2 and told > 0
        return ActivityRecord(
            observed_ms=self.worked_ms,
            input_seconds=seconds,
            keys=bucket(counts.keys),
            pointer=bucket(counts.pointer),
            synthetic_tenths=round(10 * counts.synthetic / told) if knows_source else None,
            changed_percent=self.shot.changed_percent if self.shot else None,
            source=counts.source,
        )
