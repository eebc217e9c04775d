import errno
import threading

import pytest

from support.office import Office
from workseal_verifier import loops
from workseal_verifier.errors import StoreError
from workseal_verifier.loops import RETRY_S, Loops
from workseal_verifier.services.health import HOUSEKEEPING, Health


def test_a_loop_outlives_a_full_disk(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The next day's commitment needs a file: it is made as soon as there is space again."""
    monkeypatch.setattr(loops, "RETRY_S", 0.01)
    tried = threading.Event()
    made = threading.Event()

    def work() -> float:
        if tried.is_set():
            made.set()
            return 60
        tried.set()
        raise OSError(errno.ENOSPC, "no space", "/a/home")

    office.verifier.loops.start("another loop", work, 0)
    assert made.wait(10)
    assert "another loop waits: OSError" in caplog.text
    assert "/a/home" not in caplog.text


def test_an_unforeseen_error_of_a_loop_is_told(office: Office) -> None:
    def broken() -> float:
        raise RuntimeError

    for _ in range(3):
        assert office.verifier.loops.attempt(HOUSEKEEPING, broken) == RETRY_S
    assert office.verifier.health.failing() == (HOUSEKEEPING,)


def test_what_fails_for_hours_is_one_line_and_one_when_it_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A database that is gone fails every loop of every worker each two seconds."""
    running, broken = Loops(Health()), True

    def work() -> float:
        if broken:
            raise StoreError("gone")
        return 60

    for _ in range(100):
        assert running.attempt("work", work) == RETRY_S
    broken = False
    for _ in range(2):
        assert running.attempt("work", work) == 60
    told = [one.getMessage() for one in caplog.records]
    assert told == ["work waits: StoreError", "work goes on"]


def test_what_runs_ends_before_the_server_does() -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()
    running = Loops(Health())

    def work() -> float:
        begun.set()
        may_end.wait(10)
        ended.set()
        return 0

    running.start("work", work, 0)
    assert begun.wait(10)
    running.end()
    assert running.are_ending
    may_end.set()
    running.join()
    assert ended.is_set()
    assert "work" not in {thread.name for thread in threading.enumerate()}
