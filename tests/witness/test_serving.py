import http.client
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.rivals import require_one_history
from support.twofaced import Leaves, TwoFacedLog
from workseal_protocol.checkpoint import SignedCheckpoint, verified_cosignatures
from workseal_protocol.witness import MAX_REQUEST_BYTES, monitoring_path, parse_size
from workseal_witness.errors import HomeError, StoreError
from workseal_witness.home import Home
from workseal_witness.serving import Limits, Server, bind
from workseal_witness.witness import SIZE, Answer, Witness

from .conftest import Stage

COMMAND = Path(sys.executable).parent / "workseal-witness"


@dataclass
class Live:
    port: int

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.settimeout(20)
        return connection

    def http(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)


@contextmanager
def served(witness: Witness, limits: Limits | None = None) -> Iterator[Live]:
    listener = bind("127.0.0.1", 0)
    server = Server(witness, listener, limits)
    ready = threading.Event()
    thread = threading.Thread(target=server.run, args=(ready.set,))
    thread.start()
    try:
        assert ready.wait(10)
        yield Live(listener.getsockname()[1])
    finally:
        server.stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def live(stage: Stage) -> Iterator[Live]:
    with served(stage.witness) as running:
        yield running


def read_all(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(65_536):
        data += piece
    return data


def test_one_connection_asks_again_and_again(live: Live, stage: Stage) -> None:
    connection = live.http()
    leaves = stage.log.history(6)
    for size in range(1, 6):
        connection.request("POST", "/add-checkpoint", stage.log.request(size - 1, leaves[:size]))
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200
        assert stage.times(Answer(200, body), leaves[:size])
    connection.request("POST", "/add-checkpoint", stage.log.request(0, leaves))
    answer = connection.getresponse()
    assert (answer.status, answer.headers["content-type"]) == (409, SIZE)
    assert parse_size(answer.read()) == 5
    connection.request("GET", monitoring_path(stage.log.key.name))
    shown = SignedCheckpoint.parse(connection.getresponse().read())
    assert shown.checkpoint == stage.log.signed(leaves[:5]).checkpoint
    assert len(verified_cosignatures(shown, stage.keys)) == 2
    connection.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/add-checkpoint", 405),
        ("POST", "/" + "0" * 64 + "/checkpoint", 405),
        ("HEAD", "/" + "0" * 64 + "/checkpoint", 405),
        ("GET", "/" + "0" * 64 + "/checkpoint", 404),
        ("GET", "/" + "A" * 64 + "/checkpoint", 404),
        ("POST", "/", 404),
        ("GET", "/../etc/passwd", 404),
    ],
)
def test_knows_two_addresses(live: Live, method: str, path: str, status: int) -> None:
    connection = live.http()
    for _ in range(2):
        connection.request(method, path, b"x" if method == "POST" else None)
        answer = connection.getresponse()
        assert answer.status == status
        answer.read()
    connection.close()


def test_a_body_in_chunks_and_one_that_waits_to_be_wanted(live: Live, stage: Stage) -> None:
    body = stage.log.request(0, stage.log.history(3))
    with live.connect() as connection:
        connection.sendall(
            b"POST /add-checkpoint HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
            b"expect: 100-continue\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        for at in range(0, len(body), 40):
            piece = body[at : at + 40]
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "head",
    [
        b"content-length: %d\r\n\r\n" % (MAX_REQUEST_BYTES + 1),
        b"transfer-encoding: chunked\r\n\r\n%x\r\n" % (MAX_REQUEST_BYTES + 1),
    ],
)
def test_a_body_above_the_limit_is_refused_while_it_arrives(live: Live, head: bytes) -> None:
    with live.connect() as connection:
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nhost: x\r\n" + head)
        connection.sendall(bytes(MAX_REQUEST_BYTES + 1))
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"nonsense\r\n\r\n", id="not HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 9_000, id="huge header"),
        pytest.param(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", id="length"),
    ],
)
def test_what_is_no_request_is_told_so(live: Live, bad: bytes) -> None:
    with live.connect() as connection:
        with suppress(ConnectionError):
            connection.sendall(bad)
        answer = read_all(connection)
    assert re.match(rb"HTTP/1\.1 4(00|31) ", answer)


@pytest.mark.parametrize(
    "begun",
    [
        b"POST /add-checkpoint HTT",
        b"POST /add-checkpoint HTTP/1.1\r\nhost: x\r\ncontent-length: 90\r\n\r\nold",
    ],
)
def test_a_request_that_drips_has_one_deadline(stage: Stage, begun: bytes) -> None:
    with served(stage.witness, Limits(request_s=0.5)) as live, live.connect() as connection:
        connection.sendall(begun)
        end = threading.Event()

        def drip() -> None:
            # Each byte comes in time, the whole never does.
            with suppress(OSError):
                while not end.wait(0.05):
                    connection.sendall(b"a")

        thread = threading.Thread(target=drip)
        thread.start()
        answer = connection.recv(100)
        end.set()
        thread.join()
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_connection_without_a_request_is_closed(stage: Stage) -> None:
    with served(stage.witness, Limits(idle_s=0.1)) as live, live.connect() as connection:
        assert read_all(connection) == b""


@pytest.mark.parametrize("begun", [b"", b"POST /add-checkpoint HTTP/1.1\r\nhost: x\r\n"])
def test_who_has_waited_longest_for_a_request_gives_way(stage: Stage, begun: bytes) -> None:
    """Else a stranger's few idle connections keep the log's requests out."""
    with served(stage.witness, Limits(connections=4)) as live, ExitStack() as held:
        idle = [held.enter_context(live.connect()) for _ in range(4)]
        for one in idle:
            one.sendall(begun)
        asking = live.http()
        for size in (3, 5):
            old = 0 if size == 3 else 3
            asking.request(
                "POST", "/add-checkpoint", stage.log.request(old, stage.log.history(size))
            )
            assert asking.getresponse().read().startswith("— ".encode())
        asking.close()
        assert read_all(idle[0]) == b""
        idle[3].sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" if not begun else b"\r\n")
        assert idle[3].recv(9) == b"HTTP/1.1 "


def test_more_requests_than_allowed_are_told_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def newest(_witness: Witness, _path: str) -> None:
        begun.release()
        go_on.wait(20)

    monkeypatch.setattr(Witness, "newest", newest)
    with served(stage.witness, Limits(connections=2)) as live, ExitStack() as held:
        for _ in range(2):
            one = held.enter_context(live.connect())
            one.sendall(f"GET /{'a' * 64}/checkpoint HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            assert begun.acquire(timeout=20)
        try:
            with live.connect() as third:
                assert read_all(third).startswith(b"HTTP/1.1 503 ")
        finally:
            go_on.set()


def test_a_reader_who_does_not_read_is_cut_off(stage: Stage) -> None:
    """Answers nobody takes would hold a connection for ever."""
    stage.ask(0, stage.log.history(3))
    path = monitoring_path(stage.log.key.name)
    asking = f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode() * 1_000_000
    with (
        served(stage.witness, Limits(request_s=0.2)) as live,
        live.connect() as connection,
        pytest.raises((ConnectionResetError, BrokenPipeError)),
    ):
        connection.sendall(asking)


def test_stops_while_somebody_waits(stage: Stage) -> None:
    with socket.socket() as connection:
        with served(stage.witness) as live:
            connection.connect(("127.0.0.1", live.port))
            connection.settimeout(20)
            connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            assert connection.recv(1_000).startswith(b"HTTP/1.1 404 ")
            connection.sendall(b"GET / HTT")
        with suppress(ConnectionError):
            assert read_all(connection) == b""


@pytest.mark.parametrize(
    ("error", "status"), [(StoreError("secret"), 503), (RuntimeError("secret"), 500)]
)
def test_an_error_is_an_answer_without_its_text(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(stage.witness, "newest", fail)
    with served(stage.witness) as live:
        connection = live.http()
        connection.request("GET", "/" + "0" * 64 + "/checkpoint")
        answer = connection.getresponse()
        assert answer.status == status
        assert b"secret" not in answer.read()
        connection.close()
    assert "127.0.0.1" not in caplog.text


def test_a_port_in_use_is_one_sentence() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(HomeError, match=f"port {port}: address already in use$"):
            bind("127.0.0.1", port)


# --- the real process ----------------------------------------------------------------


@contextmanager
def process(home: Home) -> Iterator[tuple[subprocess.Popen[str], Live]]:
    running = subprocess.Popen(
        [COMMAND, "serve", "--home", home.folder, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with running:
        assert running.stdout is not None
        found = re.search(r":([0-9]+)$", running.stdout.readline().strip())
        assert found is not None
        try:
            yield running, Live(int(found[1]))
        finally:
            running.kill()


def test_ends_when_it_is_told_to(home: Home) -> None:
    with process(home) as (running, _):
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0


def test_killed_at_any_moment_it_cosigns_one_history(home: Home, stage: Stage) -> None:
    """Several lives under load by forks; what was answered in any of them is one history."""
    cosigned: set[Leaves] = set()
    for life in range(5):
        with process(home) as (running, live):
            enough = threading.Event()
            sides = [
                threading.Thread(target=feed, args=(live, stage.log, f"{life}", cosigned, enough))
                for _ in range(2)
            ]
            for side in sides:
                side.start()
            assert enough.wait(30)
            running.kill()
            for side in sides:
                side.join()
    assert len(cosigned) >= 25
    require_one_history(cosigned)


def feed(
    live: Live, log: TwoFacedLog, word: str, cosigned: set[Leaves], enough: threading.Event
) -> None:
    """Grow the newest history that was answered, and ask for a fork of each size, until it dies."""
    count = 0
    with suppress(OSError, http.client.HTTPException):
        while True:
            history = max(cosigned, key=len, default=())
            size = len(history) + 1
            for leaves in (
                (*history, *log.history(size, size - 1, f"{word} {time.monotonic_ns()}")[-1:]),
                log.history(size + 1, len(history) // 2, word),
            ):
                status, body = ask(live, log.request(len(history), leaves))
                if status == 409 and (old := parse_size(body)) == len(leaves):
                    # Answered in a life before, or to the other side: the same, or a fork.
                    status, body = ask(live, log.request(old, leaves))
                if status == 200:
                    cosigned.add(leaves)
                    count += 1
                    if count >= 5:
                        enough.set()


def ask(live: Live, body: bytes) -> tuple[int, bytes]:
    connection = live.http()
    try:
        connection.request("POST", "/add-checkpoint", body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
