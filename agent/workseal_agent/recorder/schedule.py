"""What a round asks for: the verifier's value, the draw, and the capture when one is due.

Rule: nothing here knows what is on the screen, which program is in front, or whether anyone types.
"""

from collections.abc import Iterable
from typing import Protocol

from workseal_agent.recorder.camera import Camera, Due, Shot, Shutter
from workseal_agent.recorder.moments import NS_PER_MS
from workseal_agent.recorder.session import RunningSession
from workseal_agent.recorder.stretch import Stretch
from workseal_protocol.commitment import Note, NoteCode
from workseal_protocol.digest import Digest
from workseal_protocol.lottery import draw
from workseal_protocol.records import SegmentState
from workseal_protocol.terms import Level, Terms

# How long a round waits for the verifier's value before it is drawn offline.
_VALUE_WAIT_MS = 2_000
# A capture that comes later than this (beyond that wait) is owned up as missed.
_LATEST_MS = 1_000
# Later than this is worth a note.
_LATE_MS = 500


class BeaconSource(Protocol):
    """Give the verifier's values of rounds; verified, or not at all."""

    def want(self, round_: int) -> None:
        """Ask for a round's value; returns at once."""
        ...

    def value(self, round_: int) -> bytes | None:
        """Return the value when it is here."""
        ...


class Schedule:
    """Draw rounds and take their captures."""

    def __init__(
        self, engagement: bytes, terms: Terms, beacon: BeaconSource, camera: Camera | None
    ) -> None:
        self._engagement = engagement
        self._terms = terms
        self._beacon = beacon
        self._camera = camera
        self._shutter = Shutter() if camera is None else camera.shutter
        self._fixed: tuple[bytes, int, bytes | None] | None = None

    @property
    def shutter(self) -> Shutter:
        """Return what keeps pictures from being taken."""
        return self._shutter

    @property
    def value_wait_ns(self) -> int:
        """Return how long a stretch waits for the verifier's value."""
        return min(_VALUE_WAIT_MS, self._terms.round_ms // 4) * NS_PER_MS

    def want(self, round_: int) -> None:
        """Ask for the value of the round that begins."""
        self._beacon.want(round_)

    def tidy(self) -> None:
        """Destroy what a crash left behind; only while no finished stretch waits to be signed."""
        if self._camera is not None:
            self._camera.discard_orphans()

    def discard(self, frames: Iterable[Digest]) -> None:
        """Destroy frames of a capture that belongs to no stretch."""
        if self._camera is not None:
            self._camera.discard(frames)

    def decide(
        self, stretch: Stretch, session: RunningSession, now_ns: int, *, force: bool = False
    ) -> None:
        """Draw the round when the value is here; offline when it is late or `force` is set.

        The first stretch of a round decides for the whole round: a pause or another mode must not
        choose between two draws.
        """
        if stretch.decided:
            return
        if self._fixed is not None and self._fixed[:2] == (session.id, stretch.round):
            value = self._fixed[2]
        else:
            value = self._beacon.value(stretch.round)
            if value is None and not force and now_ns < stretch.value_deadline_ns:
                return
            self._fixed = (session.id, stretch.round, value)
        stretch.decided = True
        stretch.verifier_value = value
        if value is None:
            stretch.notes.append(Note(NoteCode.OFFLINE, 0))
        if self._terms.level is Level.FRAMES and stretch.state is SegmentState.WORKING:
            stretch.draw = draw(
                agent_value=session.value(stretch.round),
                verifier_value=stretch.verifier_value,
                engagement=self._engagement,
                round=stretch.round,
                rate=self._terms.capture_rate,
                round_ms=self._terms.round_ms,
            )

    def capture(self, stretch: Stretch, session: RunningSession, now_ns: int) -> None:
        """Take the capture of the round when its moment lies in the stretch and has come."""
        due_ns = self.due_ns(stretch)
        if due_ns is None or stretch.shot is not None or not stretch.begin_ns <= due_ns <= now_ns:
            return
        late_ms = (now_ns - due_ns) // NS_PER_MS
        late = Note(NoteCode.SCHEDULE_LATE, late_ms)
        if self._camera is None or late_ms > _LATEST_MS + self.value_wait_ns // NS_PER_MS:
            stretch.shot = Shot((), (late,))
            return
        offset_ms = due_ns // NS_PER_MS - stretch.round * self._terms.round_ms
        stretch.shot = self._camera.shoot(
            Due(self._engagement, session.id, stretch.round, offset_ms, now_ns // NS_PER_MS)
        )
        if late_ms > _LATE_MS:
            stretch.notes.append(late)

    def due_ns(self, stretch: Stretch) -> int | None:
        """Return when a capture is due in the stretch's round, None when none is."""
        if stretch.draw is None or not stretch.draw.due:
            return None
        return (stretch.round * self._terms.round_ms + stretch.draw.offset_ms) * NS_PER_MS

    def next_ns(self, stretch: Stretch, now_ns: int) -> int:
        """Return when this stretch needs the next look."""
        due = [(stretch.round + 1) * self._terms.round_ms * NS_PER_MS]
        if not stretch.decided:
            due.append(stretch.value_deadline_ns)
        capture_ns = self.due_ns(stretch)
        if capture_ns is not None and stretch.shot is None and capture_ns > now_ns:
            due.append(capture_ns)
        return min(due)
