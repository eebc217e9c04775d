"""The real recording process while its clocks are moved: by the system's clock, and by sleep.

The wall clock is libfaketime's, read from a file while the process runs; the monotonic clocks stay
the kernel's. A sleep is a boot time that ran on without the monotonic one, which this machine
cannot have for real, so the process is told of it in Python.
"""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from support.bridge import Bridge, bridged, now_ms
from support.worker import PATIENCE_S, Worker
from support.worker import ended as end_workers
from workseal_agent.export import export
from workseal_agent.ledger import SendState
from workseal_protocol.commitment import Note, NoteCode, ValueKind, parse_notes
from workseal_protocol.records import Segment, read_record
from workseal_protocol.statement import Statement

HOUR_S = 3_600
# Two looks at a clock that is read from a file once a second, on a machine with others at work.
NEAR_MS = 5_000
LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
# The process reads from a file by how much its boot time ran on.
SLEPT = """
import pathlib, time
_clock_gettime_ns = time.clock_gettime_ns
def clock_gettime_ns(clock):
    slept = int(pathlib.Path({file!r}).read_text()) if clock == time.CLOCK_BOOTTIME else 0
    return _clock_gettime_ns(clock) + slept * 10**9
time.clock_gettime_ns = clock_gettime_ns
"""

pytestmark = pytest.mark.skipif(LIBRARY is None, reason="the package libfaketime is not installed")


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """End what a failing test left recording."""
    yield
    end_workers()


class Turned:
    """A recording process whose clocks the test turns."""

    def __init__(self, folder: Path, bridge: Bridge, patch: pytest.MonkeyPatch) -> None:
        self.bridge = bridge
        self.worker = Worker(folder / "home", bridge, capture_rate=0)
        self._wall, self._slept = folder / "wall", folder / "slept"
        self.turn(wall_s=0, slept_s=0)
        with patch.context() as preloaded:
            for name, value in {
                "LD_PRELOAD": str(LIBRARY),
                "FAKETIME_TIMESTAMP_FILE": str(self._wall),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
                "NO_FAKE_STAT": "1",
            }.items():
                preloaded.setenv(name, value)
            self.spawned = time.monotonic()
            self.process = self.worker.start(SLEPT.format(file=str(self._slept)))
        self.worker.wait(self.process)
        self.ready = time.monotonic()

    def turn(self, *, wall_s: int, slept_s: int) -> None:
        """Set how far the wall clock is off, and how long the machine has slept."""
        for file, text in ((self._wall, f"{wall_s:+}"), (self._slept, f"{slept_s}")):
            aside = file.with_suffix(".new")
            aside.write_text(text)
            aside.replace(file)

    def segments(self) -> list[tuple[Segment, tuple[Note, ...]]]:
        with self.worker.ledger() as ledger:
            return [
                (record, parse_notes(value.value))
                for row in ledger.chain(self.worker.engagement.id)
                if isinstance(record := read_record(Statement.parse(row.body)), Segment)
                for value in ledger.private_values(row.digest)
                if value.kind == ValueKind.NOTES
            ]

    def noted(self, code: NoteCode) -> list[int]:
        """Return the values of the notes of one kind, in order."""
        return [note.value for _, notes in self.segments() for note in notes if note.code is code]

    def until(self, done: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.5)


def test_a_clock_that_is_turned_and_a_machine_that_sleeps_change_no_worked_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bridged() as bridge:
        turned = Turned(tmp_path, bridge, monkeypatch)
        turned.until(turned.segments)
        turned.turn(wall_s=2 * HOUR_S, slept_s=0)
        turned.until(lambda: len(turned.noted(NoteCode.CLOCK_STEP)) == 1)
        turned.turn(wall_s=0, slept_s=0)
        turned.until(lambda: len(turned.noted(NoteCode.CLOCK_STEP)) == 2)
        # Asleep for an hour, and so is nobody else.
        bridge.ahead_ms = HOUR_S * 1_000
        turned.turn(wall_s=HOUR_S, slept_s=HOUR_S)
        turned.until(lambda: turned.noted(NoteCode.SUSPEND))
        # The two clocks are seen a moment apart: there is a step out, and one back.
        turned.until(lambda: abs(sum(turned.noted(NoteCode.CLOCK_STEP))) <= NEAR_MS)
        seen = len(turned.segments())
        turned.until(lambda: len(turned.segments()) > seen)
        told = turned.worker.ask("stop")
        stopped = time.monotonic()
        assert turned.process.wait(PATIENCE_S) == 0
        assert told["troubles"] == []

        worker, segments = turned.worker, [segment for segment, _ in turned.segments()]
        forward, back, *more = turned.noted(NoteCode.CLOCK_STEP)
        stepped = (2 * HOUR_S * 1_000, -2 * HOUR_S * 1_000)
        assert (forward, back) == pytest.approx(stepped, abs=2_000)
        assert abs(sum(more)) <= NEAR_MS
        # One hole, as long as the sleep; each other moment is told of once, and paid as it was.
        holes = [after.begin - before.end for before, after in pairwise(segments)]
        (hole,) = [one for one in holes if one]
        assert hole == pytest.approx(HOUR_S * 1_000, abs=NEAR_MS)
        assert all(0 <= one.end - one.begin - one.worked <= 250 for one in segments)
        worked_s = sum(one.worked for one in segments) / 1_000
        assert stopped - turned.ready - 2 <= worked_s <= stopped - turned.spawned
        with worker.ledger() as ledger:
            assert not ledger.statements(worker.engagement.id, SendState.PARKED)
            exported = export(
                ledger, worker.client, worker.engagement, worker.signer,
                now_ms=now_ms() + bridge.ahead_ms,
            )  # fmt: skip
    assert exported.unsent == 0
    assert exported.report.holds
