import errno
import itertools
import json
import os
import random
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.bridge import bridged, now_ms
from support.inspected import core_limit, in_memory, pid_behind, seen_of
from support.rig import Rig
from support.wayland import wait_for
from support.wire import Fault, problem
from support.worker import PASSPHRASE, PATIENCE_S, PROGRAM, Worker
from support.worker import ended as end_workers
from workseal_agent.chain import OwnChain
from workseal_agent.cli.handover import PASSPHRASE_VARIABLE
from workseal_agent.daemon import (
    AlreadyRunningError,
    ControlError,
    HomeLock,
    NotRunningError,
    ask,
    build,
)
from workseal_agent.daemon import control as control_module
from workseal_agent.daemon.build import Options, build_service, clock_correction, greeted
from workseal_agent.daemon.clockcheck import ClockCheck
from workseal_agent.daemon.control import ControlServer
from workseal_agent.daemon.service import Correction, Service, Wakers
from workseal_agent.errors import AgentError, NoScreenError
from workseal_agent.export import export
from workseal_agent.language import Phrase, phrase
from workseal_agent.ledger import LedgerError
from workseal_agent.submission import Log
from workseal_agent.uplink import BeaconClient, Uplink
from workseal_agent.vault import VaultReader
from workseal_agent.vaultkey import generate_private, public_of
from workseal_protocol.cli.png import encode_png
from workseal_protocol.commitment import ValueKind
from workseal_protocol.records import SessionClose, SessionOpen, read_record
from workseal_protocol.statement import Statement

# The control socket


def echo(request: dict[str, Any]) -> dict[str, Any]:
    if request.get("command") == "fail":
        raise AgentError("not possible now")
    if request.get("command") == "refuse":
        raise AgentError(phrase("the disk of {size} MiB is full", size=3))
    if request.get("command") == "overflow":
        raise OverflowError("a number is too large")
    if request.get("command") == "slow":
        time.sleep(0.3)
    return {"heard": request}


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "control.sock"
    server = ControlServer(path, echo)
    server.start()
    yield path
    server.close()
    assert not path.exists()


def test_answers_one_line_with_one_line(control: Path) -> None:
    assert ask(control, {"command": "status"}) == {"heard": {"command": "status"}}
    with pytest.raises(ControlError, match="not possible now"):
        ask(control, {"command": "fail"})
    with pytest.raises(ControlError, match=r"unexpected failed \(OverflowError\)$"):
        ask(control, {"command": "overflow"})


def test_what_is_refused_can_be_said_in_the_owners_language(control: Path) -> None:
    with pytest.raises(ControlError, match="the disk of 3 MiB is full") as refused:
        ask(control, {"command": "refuse"})
    told = refused.value.args[0]
    assert isinstance(told, Phrase)
    assert (told.one, dict(told.values)) == ("the disk of {size} MiB is full", {"size": 3})


def test_only_the_user_reaches_the_socket(control: Path) -> None:
    assert stat.S_IMODE(control.stat().st_mode) == 0o600


def test_another_users_process_is_not_heard(control: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_module, "_peer", lambda _connection: (1, os.geteuid() + 1))
    with pytest.raises(ControlError, match="does not answer"):
        ask(control, {"command": "status"})


_SERVING = """
import sys, time
from pathlib import Path
from workseal_agent.daemon.control import ControlServer
ControlServer(Path(sys.argv[1]), lambda request: {"heard": request}).start()
time.sleep(600)
"""


def test_a_stopped_process_is_told_apart_from_a_slow_one(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with subprocess.Popen([sys.executable, "-c", _SERVING, str(path)]) as serving:
        try:
            wait_for("the socket", path.exists)
            os.kill(serving.pid, signal.SIGSTOP)
            with pytest.raises(ControlError, match=f"process {serving.pid} is stopped .*-CONT"):
                ask(path, {"command": "status"})
            os.kill(serving.pid, signal.SIGCONT)
            assert "heard" in ask(path, {"command": "status"})
        finally:
            serving.kill()


def test_a_slow_answer_of_a_process_that_runs_is_waited_for(
    control: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_module, "_SILENCE_SECONDS", 0.05)
    assert "heard" in ask(control, {"command": "slow"})


def test_works_in_a_home_with_a_long_name(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("name" * 30)
    folder.mkdir(parents=True)
    server = ControlServer(folder / "control.sock", echo)
    server.start()
    assert "heard" in ask(folder / "control.sock", {})
    server.close()


@pytest.mark.parametrize(
    "line",
    [b"\n", b"[]\n", b"nonsense\n", b"\xff\xfe\n", b"[" * 5_000 + b"\n", b"x" * 70_000 + b"\n"],
)
def test_what_is_no_request_is_told_so_and_the_next_one_is_heard(
    control: Path, line: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(control))
        with suppress(BrokenPipeError):
            raw.sendall(line)
        with suppress(ConnectionResetError):
            assert "error" in json.loads(raw.recv(4096))
    assert "heard" in ask(control, {"still": "there"})


def test_a_client_that_says_nothing_holds_up_no_other(
    control: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_module, "_REQUEST_SECONDS", 60.0)
    monkeypatch.setattr(control_module, "_ANSWER_SECONDS", 10.0)
    with ExitStack() as silent:
        for _ in range(control_module._PLACES - 1):
            one = silent.enter_context(socket.socket(socket.AF_UNIX))
            one.connect(str(control))
            one.sendall(b"{")
        assert "heard" in ask(control, {"command": "pause"})


def test_a_client_that_drips_is_cut_off(control: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_module, "_REQUEST_SECONDS", 0.3)
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(control))
        with pytest.raises(OSError, match=r"pipe|reset"):
            drip(raw)


def drip(connection: socket.socket) -> None:
    for _ in range(500):
        connection.sendall(b" ")
        time.sleep(0.02)


def test_more_clients_than_places_wait_and_are_heard(
    control: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_module, "_REQUEST_SECONDS", 0.3)
    with ExitStack() as silent:
        for _ in range(2 * control_module._PLACES):
            one = silent.enter_context(socket.socket(socket.AF_UNIX))
            one.settimeout(10)
            one.connect(str(control))
        assert "heard" in ask(control, {"command": "pause"})


def test_nobody_there_is_one_kind_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "control.sock", tmp_path / "no home" / "control.sock"):
        with pytest.raises(NotRunningError, match="workseal-agent"):
            ask(path, {"command": "status"})


def test_a_leftover_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.touch()
    server = ControlServer(path, echo)
    server.start()
    assert "heard" in ask(path, {})
    server.close()


def test_a_home_that_takes_no_socket_is_named(tmp_path: Path) -> None:
    (tmp_path / "control.sock").mkdir()
    server = ControlServer(tmp_path / "control.sock", echo)
    with pytest.raises(ControlError, match=f"the folder {tmp_path} cannot be written: is a dir"):
        server.start()
    server.close()


def test_who_finds_the_socket_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "control.sock"
    found: list[bool] = []

    class Watched(socket.socket):
        def listen(self, backlog: int = 0) -> None:
            found.append(path.exists())
            super().listen(backlog)

    monkeypatch.setattr(socket, "socket", Watched)
    server = ControlServer(path, echo)
    server.start()
    assert found == [False]
    assert "heard" in ask(path, {})
    server.close()
    assert list(tmp_path.iterdir()) == []


def test_one_process_records_for_a_home(tmp_path: Path) -> None:
    with HomeLock(tmp_path), pytest.raises(AlreadyRunningError), HomeLock(tmp_path):
        pass
    with HomeLock(tmp_path):
        pass


# The service, with the rig's parts


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def service_of(rig: Rig, folder: Path, wakers: Wakers) -> Service:
    return Service(
        engagement=rig.engagement.id,
        socket_file=folder / "control.sock",
        recorder=rig.recorder,
        uplink=rig.uplink,
        beacon=BeaconClient(rig.client, rig.simulator.round_ms),
        wakers=wakers,
        acts={"act": lambda _request: {"done": True}},
        clock_check=ClockCheck(rig.client, rig.recorder),
    )


def meant(rig: Rig, command: str, **more: Any) -> dict[str, Any]:
    """Give a request that means the rig's engagement."""
    return {"command": command, "engagement": rig.engagement.id.hex(), **more}


def test_an_act_that_means_another_engagement_is_refused_and_changes_nothing(
    rig: Rig, tmp_path: Path
) -> None:
    service = service_of(rig, tmp_path, Wakers.make())
    rig.recorder.start()
    rig.work(12)
    before = rig.records()
    for command in ("status", "pause", "resume", "stop", "act"):
        with pytest.raises(ControlError, match=f"{rig.engagement.id.hex()[:8]} is being recorded"):
            service.handle({"command": command, "engagement": "ab" * 16})
    for request in ({"command": "pause"}, {"command": "act", "engagement": 7}):
        with pytest.raises(ControlError, match="does not say which engagement"):
            service.handle(request)
    assert rig.records() == before
    assert service.handle({"command": "status"})["state"] == "working"


def test_every_answer_names_the_engagement(rig: Rig, tmp_path: Path) -> None:
    service = service_of(rig, tmp_path, Wakers.make())
    rig.recorder.start()
    for command in ("status", "pause", "act", "stop"):
        told = service.handle(meant(rig, command))
        assert told["engagement"] == rig.engagement.id.hex()


def test_who_is_recorded_is_told_also_while_a_capture_holds_up_the_rest(
    rig: Rig, tmp_path: Path
) -> None:
    service = service_of(rig, tmp_path, Wakers.make())
    rig.recorder.start()
    with ThreadPoolExecutor(1) as pool:
        # What is done in between holds the recorder as a capture does.
        asked = rig.recorder.between(
            lambda: pool.submit(service.handle, {"command": "engagement"}).result(60)
        )
    assert asked == {"engagement": rig.engagement.id.hex()}


def test_a_device_that_does_not_greet_is_told_as_a_missing_screen() -> None:
    greeting = threading.Event()
    with pytest.raises(NoScreenError, match="does not answer within 0 seconds"):
        greeted(greeting.wait, 0.01)
    greeting.set()
    assert greeted(greeting.wait)


def test_does_what_is_asked_for(rig: Rig, tmp_path: Path) -> None:
    service = service_of(rig, tmp_path, Wakers.make())
    rig.recorder.start()
    rig.work(12)
    assert service.handle({"command": "status"})["state"] == "working"
    assert service.handle(meant(rig, "pause"))["state"] == "paused"
    assert service.handle(meant(rig, "resume"))["state"] == "working"
    answer = service.handle(meant(rig, "mode", mode="off-screen", memo="a call"))
    assert answer["state"] == "off-screen"
    assert service.handle(meant(rig, "mode", mode="sealed", memo=None))["state"] == "sealed"
    assert service.handle(meant(rig, "act"))["done"] is True
    for strange in (meant(rig, "dance"), meant(rig, "mode", mode="dancing"), meant(rig, "mode")):
        with pytest.raises(ControlError, match="does not know"):
            service.handle(strange)
    assert service.handle(meant(rig, "stop"))["state"] == "stopped"


def test_an_answer_holds_no_memo(rig: Rig, tmp_path: Path) -> None:
    service = service_of(rig, tmp_path, Wakers.make())
    rig.recorder.start()
    told = service.handle(meant(rig, "mode", mode="off-screen", memo="zanzibar"))
    assert "zanzibar" not in json.dumps(told)


def test_runs_until_it_is_stopped_and_sends_what_is_left(rig: Rig, tmp_path: Path) -> None:
    wakers, joined = Wakers.make(), len(rig.wire.requests)
    service = service_of(rig, tmp_path, wakers)
    thread = threading.Thread(target=service.run)
    thread.start()
    path = tmp_path / "control.sock"
    wait_for("the socket", path.exists)
    # A session that has stopped is not put forward, so nothing is asked for one.
    wait_for(
        "the time", lambda: "/v1/operator" in [path for _, path, _ in rig.wire.requests[joined:]]
    )
    rig.clock.run(5)
    rig.simulator.now = rig.clock.true_ms
    assert ask(path, meant(rig, "stop"))["state"] == "stopped"
    thread.join(20)
    assert not thread.is_alive()
    assert not path.exists()
    assert rig.worked_ms == 5_000
    assert rig.ledger.counts(rig.engagement.id).unsent == 0
    # The time is asked for before anything of the session is sent.
    told = [path for _, path, _ in rig.wire.requests[joined:]]
    asked = [path for path in told if path in {"/v1/operator", "/v1/statements"}]
    assert asked[0] == "/v1/operator"
    assert "/v1/statements" in asked


@pytest.fixture
def turned(rig: Rig) -> Iterator[Callable[[], None]]:
    """Hold the ledger as another program may, and let it go: each call is one of the two."""
    rig.ledger._sql.execute("PRAGMA busy_timeout = 5")
    with closing(sqlite3.connect(rig.path, isolation_level=None)) as other:

        def turn() -> None:
            other.execute("ROLLBACK" if other.in_transaction else "BEGIN IMMEDIATE")

        yield turn


def test_a_stop_that_cannot_be_stored_counts_no_more_and_ends_once_it_can(
    rig: Rig, tmp_path: Path, turned: Callable[[], None]
) -> None:
    service = service_of(rig, tmp_path, Wakers.make())
    thread = threading.Thread(target=service.run, daemon=True)
    thread.start()
    path = tmp_path / "control.sock"
    wait_for("the socket", path.exists)
    rig.clock.run(5)
    rig.simulator.now = rig.clock.true_ms
    turned()
    with pytest.raises(ControlError, match=r"nothing is counted any more, .* another program"):
        ask(path, meant(rig, "stop"))
    rig.clock.run(30)
    wait_for("the reason", lambda: "nothing is counted any more" in str(status_of(rig, path)))
    assert status_of(rig, path)["state"] == "paused"
    turned()
    thread.join(20)
    assert not thread.is_alive()
    assert rig.worked_ms == 5_000
    assert isinstance(rig.records()[-1], SessionClose)


def status_of(rig: Rig, path: Path) -> dict[str, Any]:
    return ask(path, meant(rig, "status"))


def test_who_resumes_after_such_a_stop_is_not_stopped_later(
    rig: Rig, tmp_path: Path, turned: Callable[[], None]
) -> None:
    service = service_of(rig, tmp_path, Wakers.make())
    rig.recorder.start()
    rig.clock.run(5)
    turned()
    with pytest.raises(ControlError):
        service.handle(meant(rig, "stop"))
    turned()
    assert service.handle(meant(rig, "resume"))["state"] == "working"
    rig.clock.run(3)
    service._look()
    assert service.status()["state"] == "working"
    rig.recorder.stop()
    assert rig.worked_ms == 8_000


@contextmanager
def begun_paused(service: Service, path: Path, correct: Correction) -> Iterator[None]:
    """Have a service wait, paused, and end it."""
    thread = threading.Thread(target=service.run_paused, args=(correct,))
    thread.start()
    try:
        wait_for("the socket", path.exists)
        yield
    finally:
        service.request_stop()
        thread.join(20)


def test_a_session_that_begins_paused_signs_nothing_before_it_is_resumed(
    rig: Rig, tmp_path: Path
) -> None:
    service, path = service_of(rig, tmp_path, Wakers.make()), tmp_path / "control.sock"
    before = rig.ledger.counts(rig.engagement.id).statements
    corrections = [5_000]
    with begun_paused(service, path, lambda **_: corrections.pop()):
        rig.clock.run(60)
        told = ask(path, {"command": "status"})
        assert (told["state"], told["session"], told["running"]) == ("paused", None, [])
        assert ask(path, meant(rig, "pause"))["state"] == "paused"
        with pytest.raises(ControlError, match="`workseal-agent resume` begins it"):
            ask(path, meant(rig, "mode", mode="sealed"))
        assert rig.ledger.counts(rig.engagement.id).statements == before
        assert corrections  # the clocks are compared when recording begins, not at log-in
        assert ask(path, meant(rig, "resume"))["state"] == "working"
        rig.clock.run(7)
        assert ask(path, meant(rig, "pause"))["state"] == "paused"
        assert ask(path, meant(rig, "resume"))["state"] == "working"
        ask(path, meant(rig, "stop"))
    assert rig.worked_ms == 7_000


def test_a_resume_that_cannot_begin_may_be_asked_for_again(rig: Rig, tmp_path: Path) -> None:
    service, path = service_of(rig, tmp_path, Wakers.make()), tmp_path / "control.sock"
    real, service._recorder.start = service._recorder.start, refused  # type: ignore[method-assign]
    with begun_paused(service, path, lambda **_: 0):
        with pytest.raises(ControlError, match="set the clock"):
            ask(path, meant(rig, "resume"))
        assert ask(path, {"command": "status"})["state"] == "paused"
        service._recorder.start = real  # type: ignore[method-assign]
        assert ask(path, meant(rig, "resume"))["state"] == "working"


def refused(correction_ms: int = 0) -> None:  # noqa: ARG001 - as it is called
    raise AgentError("set the clock, or wait")


def test_what_nobody_foresaw_ends_no_loop_and_tells_its_class_alone(
    rig: Rig, tmp_path: Path
) -> None:
    wakers = Wakers.make()
    service = service_of(rig, tmp_path, wakers)
    ticked, stepped = Failing(rig.recorder.tick), Failing(rig.uplink.step)
    rig.recorder.tick = ticked  # type: ignore[method-assign]
    rig.uplink.step = stepped  # type: ignore[method-assign]
    thread = threading.Thread(target=service.run)
    thread.start()
    assert ticked.failed.wait(10)
    assert stepped.failed.wait(10)
    until = time.monotonic() + 10
    while len(troubles := service.status()["troubles"]) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert troubles == ["something unexpected failed (ZeroDivisionError)"] * 2
    ticked.mended.set()
    stepped.mended.set()
    wakers.recorder.set()
    assert ticked.again.wait(10)
    assert stepped.again.wait(10)
    service.request_stop()
    thread.join(20)
    assert not thread.is_alive()
    assert isinstance(rig.records()[-1], SessionClose)


class Failing:
    """Do something only once it is mended; until then fail with words that nobody may read."""

    def __init__(self, real: Callable[[], Any]) -> None:
        self._real = real
        self.failed, self.mended, self.again = (threading.Event() for _ in range(3))

    def __call__(self) -> Any:
        if not self.mended.is_set():
            self.failed.set()
            raise ZeroDivisionError("zanzibar")
        self.again.set()
        return self._real()


def test_a_loop_that_is_broken_off_still_closes_the_session(rig: Rig, tmp_path: Path) -> None:
    service = service_of(rig, tmp_path, Wakers.make())

    def broken_off() -> float:
        raise KeyboardInterrupt

    rig.recorder.tick = broken_off  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        service.run()
    assert isinstance(rig.records()[-1], SessionClose)


@pytest.mark.parametrize("seconds", [0.5, 60.0])
def test_at_the_end_what_cannot_be_stored_is_tried_again_for_a_while(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    service = service_of(rig, tmp_path, Wakers.make())
    service.request_stop()
    monkeypatch.setattr("workseal_agent.daemon.service._AGAIN_SECONDS", 0.001)
    monkeypatch.setattr("workseal_agent.daemon.service._DRAIN_SECONDS", seconds)
    real, failures = rig.recorder.stop, itertools.count()

    def full() -> None:
        if seconds < 1 or next(failures) < 20:
            raise LedgerError("the disk is full")
        real()

    rig.recorder.stop = full  # type: ignore[method-assign]
    if seconds < 1:
        with pytest.raises(LedgerError, match="full"):
            service.run()
        return
    service.run()
    assert next(failures) == 21
    assert isinstance(rig.records()[-1], SessionClose)


def test_a_request_to_stop_ends_the_session_too(rig: Rig, tmp_path: Path) -> None:
    service = service_of(rig, tmp_path, Wakers.make())
    service.request_stop()
    service.run()
    assert isinstance(rig.records()[-1], SessionClose)


def test_a_verifier_that_refuses_to_describe_itself_stops_no_recording(rig: Rig) -> None:
    rig.clock.offset_ms = 3_600_000
    rig.wire.fault = _refuse
    assert clock_correction(rig.client, rig.clock) == 0


def _refuse(_request: object) -> Fault:
    return Fault(problem(404, "gone", "nobody is here any more"))


def test_the_clock_is_corrected_by_seconds_not_by_noise(rig: Rig) -> None:
    assert clock_correction(rig.client, rig.clock) == 0
    rig.clock.offset_ms = 1_500
    assert clock_correction(rig.client, rig.clock) == 0
    rig.clock.offset_ms = 3_600_000
    assert clock_correction(rig.client, rig.clock) == -3_600_000
    rig.clock.offset_ms = 15 * 3_600_000
    assert clock_correction(rig.client, rig.clock) == -15 * 3_600_000
    rig.clock.offset_ms = 3_600_000
    rig.wire.fault = _down
    assert clock_correction(rig.client, rig.clock) == 0


@pytest.mark.parametrize(
    ("hours", "told"),
    [(16, "16 hours ahead of"), (-30, "30 hours behind"), (26_280, "26280 hours")],
)
def test_more_than_a_wrong_zone_is_not_followed_and_not_passed_over(
    rig: Rig, hours: int, told: str
) -> None:
    # What is recorded years ahead is taken by nobody, and its engagement could not be continued.
    rig.clock.offset_ms = hours * 3_600_000
    with pytest.raises(AgentError, match=rf"{told}.* set it.*--own-clock"):
        clock_correction(rig.client, rig.clock)
    assert clock_correction(rig.client, rig.clock, own_clock=True) == 0


def test_a_resume_under_such_a_clock_is_refused_until_it_is_set(rig: Rig, tmp_path: Path) -> None:
    service = service_of(rig, tmp_path, Wakers.make())
    service._waiting = partial(clock_correction, rig.client, rig.clock)
    rig.clock.offset_ms = 94_608_000_000
    with pytest.raises(AgentError, match="hours ahead"):
        service.handle(meant(rig, "resume"))
    assert rig.records() == []
    rig.clock.offset_ms = 0
    assert service.handle(meant(rig, "resume"))["state"] == "working"
    rig.recorder.stop()


def test_a_resume_goes_by_the_own_clock_where_its_owner_says_so(rig: Rig, tmp_path: Path) -> None:
    # Whoever begins with the log-in waits already: a second `start` is refused.
    service = service_of(rig, tmp_path, Wakers.make())
    service._waiting = partial(clock_correction, rig.client, rig.clock)
    rig.clock.offset_ms = 16 * 3_600_000
    for word in (None, "true", 1, False):
        with pytest.raises(AgentError, match="`resume` with `--own-clock`"):
            service.handle({**meant(rig, "resume"), "own_clock": word})
    assert service.handle({**meant(rig, "resume"), "own_clock": True})["state"] == "working"
    rig.recorder.stop()


def _down(_request: object) -> None:
    raise OSError("down")


# A real process


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """End what a failing test left recording."""
    yield
    end_workers()


def test_a_process_killed_at_any_moment_leaves_a_chain_that_holds(tmp_path: Path) -> None:
    seed = 20_261_123
    moments = random.Random(seed)
    with bridged() as bridge:
        worker = Worker(tmp_path / "home", bridge)
        bodies: list[bytes] = []
        for _ in range(6):
            process = worker.start()
            worker.wait(process)
            time.sleep(moments.uniform(0.0, 2.5))
            process.send_signal(signal.SIGKILL)
            process.wait()
            bodies = _read_and_check(worker, bodies)
        process = worker.start()
        worker.wait(process)
        time.sleep(1.2)
        worker.ask("stop")
        assert process.wait(PATIENCE_S) == 0
        with worker.ledger() as ledger:
            made = export(
                ledger, worker.client, worker.engagement, worker.signer, now_ms=now_ms(),
                openings=[ValueKind.NOTES],
            )  # fmt: skip
            assert made.unsent == 0
            assert made.report.holds
            rows = ledger.captures(worker.engagement.id)
            kinds = [read_record(Statement.parse(row.body)) for row in
                     ledger.chain(worker.engagement.id)]  # fmt: skip
        opens = sum(isinstance(record, SessionOpen) for record in kinds)
        closes = sum(isinstance(record, SessionClose) for record in kinds)
        assert opens == closes
        # The vault holds the frames that segments name, and no other.
        reader = VaultReader(worker.home / "vault", worker.keystore.unlock_vault(PASSPHRASE))
        assert set(reader.commitments()) == {row.commitment for row in rows}


def _read_and_check(worker: Worker, before: list[bytes]) -> list[bytes]:
    """After a kill: what was signed before is there with the same bytes, and all of it holds."""
    with worker.ledger() as ledger:
        bodies = [row.body for row in ledger.chain(worker.engagement.id)]
        OwnChain(ledger, worker.engagement, worker.signer)
    assert bodies[: len(before)] == before
    return bodies


def test_a_term_signal_ends_the_session_and_exits_with_0(tmp_path: Path) -> None:
    with bridged() as bridge:
        worker = Worker(tmp_path / "home", bridge, capture_rate=0)
        process = worker.start()
        worker.wait(process)
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
        with worker.ledger() as ledger:
            *_, last = ledger.chain(worker.engagement.id)
        assert last.kind == "session.close"


@pytest.mark.parametrize("more", [["--foreground"], []], ids=["foreground", "background"])
def test_the_recording_process_holds_no_passphrase_and_leaves_no_core(
    tmp_path: Path, more: list[str]
) -> None:
    with bridged() as bridge:
        worker = Worker(tmp_path / "home", bridge, capture_rate=0)
        words = ["start", "--screen", "replay", "--replay", str(worker.pictures), *more]
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "--home", str(worker.home), *words],
            stdout=subprocess.DEVNULL,
            env={**os.environ, PASSPHRASE_VARIABLE: PASSPHRASE},
        )
        if more:
            worker.wait(process)
        else:
            assert process.wait(PATIENCE_S) == 0
        pid = pid_behind(worker.home / "control.sock")
        assert (pid == process.pid) is bool(more)
        arguments = seen_of(pid, "cmdline")
        assert b"import record;" in arguments
        # Nothing of the folder where one stood is taken for a library.
        assert b"\0-P\0" in arguments
        assert worker.engagement.id.hex().encode() not in arguments
        assert PASSPHRASE.encode() not in seen_of(pid, "environ")
        assert core_limit(pid) == [b"0", b"0"]
        # What is there is found, where the system lets anybody look.
        assert in_memory(pid, worker.engagement.id.hex().encode()) != 0
        for coding in ("utf-8", "utf-16-le", "utf-32-le"):
            assert not in_memory(pid, PASSPHRASE.encode(coding))
        worker.ask("stop")
        assert process.wait(PATIENCE_S) == 0


def test_a_second_process_for_one_home_is_refused(tmp_path: Path) -> None:
    with bridged() as bridge:
        worker = Worker(tmp_path / "home", bridge, capture_rate=0)
        first = worker.start()
        worker.wait(first)
        second = worker.start()
        assert second.wait(PATIENCE_S) == 1
        assert worker.ask("status")["state"] == "working"
        worker.ask("stop")
        assert first.wait(PATIENCE_S) == 0


def test_the_composition_names_a_missing_screen(rig: Rig, tmp_path: Path) -> None:
    from workseal_agent.config import Settings  # noqa: PLC0415

    settings = Settings(tmp_path)
    with pytest.raises(AgentError):
        build_service(
            settings,
            rig.engagement,
            rig.ledger,
            rig.signer,
            bytes(1216),
            client=rig.client,
            beacon_client=rig.client,
            running=frozenset,
            options=Options("replay", tmp_path / "nothing here"),
        )


def test_a_witness_that_cannot_run_is_told_and_holds_up_nothing(rig: Rig, tmp_path: Path) -> None:
    from workseal_agent.config import Settings, WitnessSettings  # noqa: PLC0415

    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.png").write_bytes(encode_png(2, 2, bytes(12)))
    service = build_service(
        Settings(tmp_path, witness=WitnessSettings("127.0.0.1", 1)),
        rig.engagement,
        rig.ledger,
        rig.signer,
        public_of(generate_private()),
        client=rig.client,
        beacon_client=rig.client,
        running=frozenset,
        options=Options("replay", tmp_path / "pictures"),
    )
    running = threading.Thread(target=service.run)
    running.start()
    try:
        for _ in range(200):
            told = service.status()
            without = any(
                "your witness does not run: there is none yet" in trouble
                for trouble in told["troubles"]
            )
            if without and told["state"] == "working":
                break
            time.sleep(0.05)
        assert without, told["troubles"]
        assert told["state"] == "working"
    finally:
        service.request_stop()
        running.join(30)


def test_a_socket_that_cannot_be_asked_is_not_taken_for_no_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(ControlError, match="cannot be used: Too many open files"):
        ask(tmp_path / "control.sock", {"command": "status"})


class Looked:
    """Hold a recording whose weekly look is replaced, and whether it began and ended."""

    def __init__(self, rig: Rig, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from workseal_agent.config import Settings  # noqa: PLC0415
        from workseal_agent.daemon.holding import Holding  # noqa: PLC0415
        from workseal_agent.daemon.othersheld import OthersHeld  # noqa: PLC0415

        (folder / "pictures").mkdir()
        (folder / "pictures" / "1.png").write_bytes(encode_png(2, 2, bytes(12)))
        self.begun, self.ended = threading.Event(), threading.Event()
        self.others_begun = threading.Event()

        def run_others(others: OthersHeld, stop: threading.Event) -> None:
            others.trouble = "engagement 0123: whatever"
            self.others_begun.set()
            assert stop.wait(PATIENCE_S)

        def run(holding: Holding, stop: threading.Event) -> None:
            holding.trouble = "1 of 16 frames drawn for the weekly proof is not there"
            self.begun.set()
            assert stop.wait(PATIENCE_S)
            self.ended.set()

        monkeypatch.setattr(Holding, "run", run)
        monkeypatch.setattr(OthersHeld, "run", run_others)
        self.service = build_service(
            Settings(folder),
            rig.engagement,
            rig.ledger,
            rig.signer,
            public_of(generate_private()),
            client=rig.client,
            beacon_client=rig.client,
            proof_client=rig.client,
            running=frozenset,
            options=Options("replay", folder / "pictures"),
        )


def test_a_recording_looks_each_week_for_what_it_still_holds(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Looked(rig, tmp_path, monkeypatch)
    running = threading.Thread(target=looked.service.run)
    running.start()
    try:
        assert looked.begun.wait(PATIENCE_S)
        assert looked.others_begun.wait(PATIENCE_S)
        told = looked.service.status()["troubles"]
        assert "1 of 16 frames drawn for the weekly proof is not there" in told
        assert "engagement 0123: whatever" in told
    finally:
        looked.service.request_stop()
        running.join(30)
    assert looked.ended.is_set()


def test_a_notice_tells_of_the_case_that_holds_up_the_forgetting(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr(build, "Telling", lambda *_, **looks: told.update(looks))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    service = Looked(rig, tmp_path, monkeypatch).service
    assert service._forgetting is not None
    assert not told["unread"]()
    service._forgetting.unread = True
    assert told["unread"]()
    # Nor does the status promise that old frames go soon.
    assert service.status()["withdrawing"]
    service._forgetting.trouble = "old frames are not withdrawn: a case runs"
    assert not service.status()["withdrawing"]


def test_before_the_first_resume_nothing_is_looked_for(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Looked(rig, tmp_path, monkeypatch)
    running = threading.Thread(target=looked.service.run_paused, args=(lambda **_: 0,))
    running.start()
    try:
        asked = {"engagement": rig.engagement.id.hex(), "command": "resume"}
        # By then every thread runs.
        for _ in range(400):
            if (tmp_path / "control.sock").exists():
                break
            time.sleep(0.05)
        assert not looked.begun.is_set()
        looked.service.handle(asked)
        assert looked.begun.wait(PATIENCE_S)
    finally:
        looked.service.request_stop()
        running.join(30)
    assert looked.ended.is_set()


def test_who_stops_before_the_first_resume_waits_for_nothing(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Looked(rig, tmp_path, monkeypatch)
    looked.service.request_stop()
    looked.service.run_paused(lambda **_: 0)
    assert not looked.begun.is_set() or looked.ended.wait(PATIENCE_S)


def test_each_start_tries_parked_statements_once_more(rig: Rig, tmp_path: Path) -> None:
    from workseal_agent.config import Settings  # noqa: PLC0415

    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.png").write_bytes(encode_png(2, 2, bytes(12)))
    rig.recorder.start()
    with rig.ledger.write() as writing:
        (waiting,) = rig.ledger.sendable(rig.engagement.id, 1)
        writing.park(waiting.digest, "refused: once")
    assert rig.ledger.counts(rig.engagement.id).parked == 1
    build_service(
        Settings(tmp_path),
        rig.engagement,
        rig.ledger,
        rig.signer,
        public_of(generate_private()),
        client=rig.client,
        beacon_client=rig.client,
        running=frozenset,
        options=Options("replay", tmp_path / "pictures"),
    )
    assert rig.ledger.counts(rig.engagement.id).parked == 0


def test_the_uplink_of_a_service_is_its_own(rig: Rig) -> None:
    assert isinstance(rig.uplink, Uplink)
    assert Log.of(rig.engagement).policy == rig.simulator.policy
