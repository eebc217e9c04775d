"""Bad input around a recording: no screen, no process, two processes, no room on the disk."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.world import IN_CHAIN, REPLAY, Worker, World, attempt, unharmed, wait_for

pytestmark = pytest.mark.journey
pytest_plugins = ["support.told"]

TOO_SMALL = 4_096  # bytes: less than any row or object that is added needs


@pytest.fixture(scope="module")
def worker(world: World) -> Worker:
    return world.hire("recorder")


@contextmanager
def full_disk(worker: Worker) -> Iterator[None]:
    """Let no file of the recording process grow, as on a disk without room."""
    assert worker.process is not None
    pid = worker.process.pid
    unlimited = resource.RLIM_INFINITY
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (TOO_SMALL, unlimited))
    try:
        yield
    finally:
        if worker.process.poll() is None:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))


@pytest.mark.parametrize(
    "words", [("pause",), ("stop",), ("mode", "sealed")], ids=lambda words: words[0]
)
def test_nobody_is_told_when_nothing_records(world: World, words: tuple[str, ...]) -> None:
    with unharmed(world.freelancer):
        assert "not recording" in world.freelancer.attempt(*words).told(1)


@pytest.mark.parametrize(
    ("display", "words", "named"),
    [
        (None, (), "neither DISPLAY nor WAYLAND_DISPLAY is set"),
        (None, ("--screen", "x11"), "DISPLAY"),
        (":987", (), ":987"),
        ("nonsense", ("--screen", "x11"), "nonsense"),
    ],
)
def test_without_a_screen_nothing_is_recorded(
    world: World, display: str | None, words: tuple[str, ...], named: str
) -> None:
    with unharmed(world.freelancer, world.server):
        done = world.freelancer.attempt("start", "--foreground", *words, env={"DISPLAY": display})
        assert named in done.told(1)


def test_no_sentence_blames_a_display_that_was_not_asked_for(world: World) -> None:
    words = ("start", "--foreground", "--screen", "replay")
    told = world.freelancer.attempt(*words, env={"DISPLAY": ":987"}).told(2)
    assert "--replay" in told
    assert "DISPLAY" not in told


def test_the_background_start_tells_why_it_did_not_begin(world: World) -> None:
    with unharmed(world.freelancer):
        told = world.freelancer.attempt("start", env={"DISPLAY": ":987"}).told(1)
        assert "did not begin: no X11 display answers at :987" in told


@pytest.mark.parametrize("name", ["missing", "empty", "file"])
def test_a_replay_without_pictures_is_refused(world: World, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("no picture")
    with unharmed(world.freelancer):
        words = ("start", "--foreground", "--screen", "replay", "--replay", tmp_path / name)
        assert "recorded" in world.freelancer.attempt(*words).told(1)


def test_pictures_that_are_none_are_missed_captures(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "00.png").write_bytes(b"not a picture")
    before = worker.stored("segments")
    with worker.recording("--screen", "replay", "--replay", str(tmp_path)):
        wait_for(lambda: worker.stored("segments") >= before + 2, "segments")
    assert worker.frames() == []
    assert worker.status()["worked_ms_today"] > 0


def test_a_second_start_and_wrong_acts_leave_the_first_alone(worker: Worker) -> None:
    with worker.recording():
        session = worker.status()["session"]
        for words in (("start", "--foreground", *REPLAY), ("start", *REPLAY)):
            assert "runs already" in worker.attempt(*words).told(1)
        told = worker.attempt("mode", "working", "--memo", "x").told(2)
        assert "memo" in told
        told = worker.attempt("withdraw", "99", "--reason", "private", "--yes").told(1)
        assert "no such frame" in told
        late = ("--begin", "2099-01-01T10:00", "--end", "2099-01-01T11:00", "--memo", "x")
        worker.attempt("declare", *late).told(1)
        status = worker.status()
        assert (status["daemon"], status["session"]) == (True, session)


def holds(worker: Worker, name: str) -> None:
    """Export, and let the client's own command verify under a policy for this freelancer."""
    worker.attempt("export", name, "--no-receipts").fine()
    verified = attempt(worker, "workseal", "verify", name, "--policy", "policy")
    assert "HOLDS: all 13 steps hold" in verified.fine()


def test_a_full_disk_is_told_and_loses_nothing_when_there_is_room_again(worker: Worker) -> None:
    with worker.recording():
        before = worker.stored("captures", IN_CHAIN)
        wait_for(lambda: worker.stored("captures", IN_CHAIN) > before, "a frame")
        with full_disk(worker):
            wait_for(worker.troubles, "the trouble")
            assert "trouble: the ledger cannot be written" in worker.agent("status")
            stored = worker.status()["statements"]
            told = worker.attempt("stop").told(1)
            assert "the recording ends as soon as its end can be stored" in told
            # Who resumes meanwhile is not stopped later.
            worker.agent("resume")
            told = worker.attempt("withdraw", "1", "--reason", "private", "--yes").told(1)
            assert "ledger cannot be written" in told
            counted = worker.status()
            assert (counted["daemon"], counted["statements"]) == (True, stored)
            holds(worker, "while-full.workseal")
        assert list(worker.home.rglob("*.part")) == []
        worker.agent("pause")
        status = worker.status()
        assert status["statements"] > stored
        assert status["worked_ms_today"] >= counted["worked_ms_today"]
        # Sending failed on the same disk, and is tried again some seconds later.
        wait_for(lambda: "trouble" not in worker.agent("status"), "the trouble to end")
    wait_for(worker.sent, "the queue to empty")
    holds(worker, "after.workseal")


def test_a_process_that_ends_on_a_full_disk_says_so_and_keeps_what_was_stored(
    worker: Worker,
) -> None:
    stored = worker.stored("segments")
    worker.work(*REPLAY)
    assert worker.process is not None
    wait_for(lambda: worker.stored("segments") > stored, "a segment")
    with full_disk(worker):
        wait_for(worker.troubles, "the trouble")
        worker.process.send_signal(signal.SIGTERM)
        assert worker.end() == 1
    last = worker.log().splitlines()[-1]
    assert last.startswith("workseal-agent: the ledger cannot be written")
    assert "Traceback" not in worker.log()
    with worker.recording():
        pass
    wait_for(worker.sent, "the queue to empty")
    assert worker.status()["parked"] == 0
    holds(worker, "after-the-end.workseal")


def test_a_home_on_a_full_disk_is_not_half_made(world: World, tmp_path: Path) -> None:
    home = tmp_path / "home"
    full = {resource.RLIMIT_FSIZE: (TOO_SMALL, TOO_SMALL)}
    assert "ledger" in world.freelancer.attempt("--home", home, "init", limits=full).told(1)
    assert not (home / "keys").exists()
    world.freelancer.attempt("--home", home, "init").fine()
    assert "no engagement" in world.freelancer.attempt("--home", home, "status").fine()
