"""A worker that ended is started again, each time later; not when the server is told to stop."""

import resource
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.office import ORIGIN
from workseal_verifier import workers
from workseal_verifier.config import SETTINGS_FILE
from workseal_verifier.workers import Task

TASK = Task(Path("home"), 0, Path("room"), 60)


class FakeProcess:
    """Run until it is ended."""

    def __init__(self) -> None:
        self.stdin = self.stdout = None
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code


class Machine:
    """Start processes that are none; what is to happen later happens when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.started: list[FakeProcess] = []
        self.waits: list[float] = []
        self._due: list[Callable[[], None]] = []
        self.slot = workers._Slot()

    def monotonic(self) -> float:
        return self.now

    def start(self, *_: object, **__: object) -> FakeProcess:
        self.started.append(FakeProcess())
        return self.started[-1]

    def timer(self, wait: float, work: Callable[[Task], None], given: list[Task]) -> Any:
        self.waits.append(wait)
        return SimpleNamespace(start=lambda: self._due.append(lambda: work(*given)))

    def end_worker(self) -> None:
        self.started[-1].code = 1
        assert self.slot.ended() == 1
        self.slot.restart(TASK)
        # It is told once: what waits cannot end.
        assert self.slot.ended() is None

    def elapse(self) -> None:
        """Let the wait pass."""
        self.now += self.waits[-1]
        self._due.pop()()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    timing = SimpleNamespace(Timer=made.timer, Thread=threading.Thread)
    monkeypatch.setattr(workers, "time", made)
    monkeypatch.setattr(workers, "threading", timing)
    monkeypatch.setattr(workers, "subprocess", SimpleNamespace(Popen=made.start, PIPE=-1))
    made.slot.start(TASK)
    return made


def test_a_worker_that_keeps_ending_is_started_later_each_time(machine: Machine) -> None:
    for number in range(1, 10):
        machine.end_worker()
        assert len(machine.started) == number
        machine.elapse()
        assert len(machine.started) == number + 1
    assert machine.waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_one_that_ran_for_long_is_started_again_soon(machine: Machine) -> None:
    for _ in range(4):
        machine.end_worker()
        machine.elapse()
    machine.now += 60.5
    machine.end_worker()
    machine.elapse()
    machine.end_worker()
    assert machine.waits[-2:] == [0.5, 1]


def test_none_is_started_once_the_server_is_told_to_stop(machine: Machine) -> None:
    machine.end_worker()
    machine.slot.terminate()
    machine.elapse()
    assert len(machine.started) == 1


def test_the_socket_is_let_go_when_no_worker_is_begun_any_more() -> None:
    """Whoever comes then is refused, and not kept until the last worker has ended."""
    told: list[str] = []
    made: workers.Workers

    def announce() -> None:
        told.append("announced")
        made._on_signal(0, None)

    made = workers.Workers(TASK, 0, announce, lambda: told.append("let go"))
    made.run()
    assert told == ["announced", "let go"]


@pytest.mark.parametrize(("most", "possible"), [(600, 344), (20_000, 2_048)])
def test_a_worker_takes_as_many_connections_as_the_system_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, possible: int
) -> None:
    """Beyond, it would have no file left for its database: slow connections shut everybody out."""
    (tmp_path / SETTINGS_FILE).write_text(f'origin = "{ORIGIN}"\n')
    monkeypatch.setattr(resource, "getrlimit", lambda _: (600, most))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    settings = workers.settings_of(Task(tmp_path, 0, Path("room"), 60))
    assert (settings.max_connections, settings.stamp_interval_s) == (possible, 60)
