import asyncio
import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from starlette.types import Receive, Scope, Send

from support.office import LiveServer, Office, stranger_offer
from workseal_verifier import connections, serving
from workseal_verifier.api.problems import PREFIX
from workseal_verifier.connections import MAX_FRAMING, MAX_PIPELINED
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.requestform import MAX_HEADER


def read_all(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(65_536):
        data += piece
    return data


def ask(connection: socket.socket) -> bytes:
    """Ask for /healthz and read the answer up to its body, which is "ok"."""
    connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    data = b""
    while not data.endswith(b"\r\n\r\nok"):
        piece = connection.recv(65_536)
        if not piece:
            break
        data += piece
    return data


def one_answer(connection: socket.socket) -> bytes:
    """Read one answer to its end, and leave the connection open."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    (length,) = [line for line in head.split(b"\r\n") if line.startswith(b"content-length: ")]
    while len(body) < int(length.rpartition(b" ")[2]):
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def send_until_cut(connection: socket.socket, piece: bytes, pause: float) -> None:
    for _ in range(1_000):
        connection.sendall(piece)
        time.sleep(pause)


def answers_of(connection: socket.socket) -> list[bytes]:
    """Read to the end, and return the status of each answer."""
    data = b""
    # A connection that is aborted may say so.
    with suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            data += piece
    return [part[:3] for part in data.split(b"HTTP/1.1 ")[1:]]


def problem_of(answer: bytes) -> str:
    kind: str = json.loads(answer.partition(b"\r\n\r\n")[2])["type"]
    return kind.removeprefix(PREFIX)


@pytest.fixture
def hasty(office: Office) -> Iterator[LiveServer]:
    with LiveServer(office, header_timeout_s=0.2) as server:
        yield server


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nhost"])
def test_a_slow_header_is_cut_off(hasty: LiveServer, begun: bytes) -> None:
    with hasty.connect() as connection:
        connection.sendall(begun)
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert problem_of(answer) == "timeout"


def test_a_slow_second_header_is_cut_off_too(hasty: LiveServer) -> None:
    with hasty.connect() as connection:
        assert ask(connection).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"GET /hea")
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")


def test_a_reader_who_does_not_read_is_cut_off(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers nobody takes would hold a connection for ever."""
    # Else the bound on requests would end the connection, and not the deadline.
    monkeypatch.setattr(connections, "MAX_PIPELINED", 1 << 30)
    # The longest answer that anybody gets.
    asking = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 1_000
    with LiveServer(office, body_timeout_s=0.2) as live, live.connect() as connection:
        connection.settimeout(20)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            connection.sendall(asking * 1_000)


def test_the_deadline_is_for_headers_alone(office: Office) -> None:
    with LiveServer(office, header_timeout_s=1.5) as live, live.connect() as connection:
        for _ in range(2):
            assert ask(connection).startswith(b"HTTP/1.1 200 ")
            # Longer than the deadline: what waits now is a finished request's connection.
            time.sleep(2)


def test_beyond_the_bound_the_one_that_waited_longest_gives_way(office: Office) -> None:
    with (
        LiveServer(office, max_connections=2) as live,
        live.connect() as slow,
        live.connect() as idle,
    ):
        slow.sendall(b"GET /hea")
        # An answer shows that the server has counted this connection.
        assert ask(idle).startswith(b"HTTP/1.1 200 ")
        with live.connect() as third:
            assert ask(third).startswith(b"HTTP/1.1 200 ")
            answer = read_all(slow)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert problem_of(answer) == "busy"
            with live.connect() as fourth:
                assert ask(fourth).startswith(b"HTTP/1.1 200 ")
                # Nothing was asked since its answer: it is closed without a word.
                assert read_all(idle) == b""
                assert ask(third).startswith(b"HTTP/1.1 200 ")


def test_a_request_that_is_worked_on_gives_no_way(office: Office) -> None:
    with LiveServer(office, max_connections=2, body_timeout_s=30) as live, ExitStack() as stack:
        working = [stack.enter_context(live.connect()) for _ in range(2)]
        for connection in working:
            connection.sendall(
                b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc"
            )
        while live.app.state.arrivals.count < 2:
            time.sleep(0.01)
        with live.connect() as third:
            answer = read_all(third)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert problem_of(answer) == "busy"
        for connection in working:
            connection.sendall(b"defghi")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 400 ")


def test_a_body_that_goes_on_after_its_answer_is_cut_off(office: Office) -> None:
    """An early answer must not leave a connection that nobody watches."""
    head = b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n"
    with LiveServer(office, header_timeout_s=0.3) as live, live.connect() as connection:
        connection.sendall(head)
        assert one_answer(connection).startswith(b"HTTP/1.1 404 ")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_until_cut(connection, b"x", 0.01)


def test_a_body_that_goes_on_for_long_after_its_answer_is_cut_off(office: Office) -> None:
    head = b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n"
    # No deadline is near: it is cut for its length.
    with LiveServer(office, header_timeout_s=60) as live, live.connect() as connection:
        connection.sendall(head)
        assert one_answer(connection).startswith(b"HTTP/1.1 404 ")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_until_cut(connection, bytes(65_536), 0)


TOO_LARGE = b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n"


@pytest.mark.parametrize("size", [1_100_000, 5_000_000])
def test_who_sends_all_before_it_looks_sees_the_refusal(office: Office, size: int) -> None:
    with LiveServer(office) as live:
        for path, status in (("/v1/statements", 413), ("/nowhere", 404)):
            client = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
            client.request("POST", path, bytes(size))
            answer = client.getresponse()
            assert answer.status == status
            answer.read()
            client.close()


def test_who_sends_all_before_it_looks_sees_that_it_is_no_request(office: Office) -> None:
    with LiveServer(office) as live, live.connect() as connection:
        connection.sendall(b"GET / HTTP/9.9\r\n\r\n" + bytes(3_000_000))
        assert problem_of(read_all(connection)) == "malformed"


def test_after_a_last_answer_our_side_ends_first(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nor is it a connection that waits for another request.
    monkeypatch.setattr(serving, "KEEP_ALIVE_S", 0)
    with LiveServer(office, header_timeout_s=60) as live, live.connect() as connection:
        connection.sendall(TOO_LARGE)
        # To its end, while the connection is still there to be written to.
        assert problem_of(read_all(connection)) == "too-large"
        for _ in range(3):
            connection.sendall(b"x")
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("piece", "pause", "changes"),
    [
        pytest.param(b"x", 0.01, {"header_timeout_s": 0.3}, id="for long"),
        pytest.param(bytes(65_536), 0, {"header_timeout_s": 60}, id="too much"),
    ],
)
def test_what_comes_after_a_last_answer_has_bounds(
    office: Office,
    caplog: pytest.LogCaptureFixture,
    piece: bytes,
    pause: float,
    changes: dict[str, float],
) -> None:
    with LiveServer(office, **changes) as live, live.connect() as connection:
        connection.sendall(TOO_LARGE)
        assert problem_of(read_all(connection)) == "too-large"
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_until_cut(connection, piece, pause)
    assert [one for one in caplog.records if one.levelname in {"WARNING", "ERROR"}] == []


def test_what_comes_after_a_last_answer_gives_way(office: Office) -> None:
    with (
        LiveServer(office, max_connections=1, header_timeout_s=60) as live,
        live.connect() as ended,
    ):
        ended.sendall(TOO_LARGE)
        assert problem_of(read_all(ended)) == "too-large"
        with live.connect() as next_one:
            assert ask(next_one).startswith(b"HTTP/1.1 200 ")
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                send_until_cut(ended, b"x", 0.01)


def test_who_was_sent_away_for_another_keeps_no_place(office: Office) -> None:
    with LiveServer(office, max_connections=1, header_timeout_s=60) as live, ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(live.connect()).sendall(b"GET /hea")
        last = stack.enter_context(live.connect())
        assert ask(last).startswith(b"HTTP/1.1 200 ")
        assert len(live._server.server_state.connections) == 1


def test_a_body_out_of_form_is_worked_on_no_more(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever waits for it hears of its end at once, not when the connection is gone."""
    head = b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    with (
        LiveServer(office, header_timeout_s=60, body_timeout_s=60) as live,
        live.connect() as connection,
    ):
        connection.sendall(head + b"1\r\na\r\n")
        while live.app.state.arrivals.count < 1:
            time.sleep(0.01)
        # With more than chunks may have beside a body: it is refused once.
        connection.sendall(b"1;" + b"a" * 60_000 + b"\r\na\r\n")
        time.sleep(0.1)
        connection.sendall(b"nonsense" + bytes(40_000))
        assert problem_of(read_all(connection)) == "malformed"
        deadline = time.monotonic() + 20
        while live.app.state.arrivals.count:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert [one for one in caplog.records if one.levelname in {"WARNING", "ERROR"}] == []


def test_a_client_that_finishes_its_refused_body_goes_on(office: Office) -> None:
    with LiveServer(office, header_timeout_s=0.5) as live, live.connect() as connection:
        connection.sendall(b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\nabc")
        assert one_answer(connection).startswith(b"HTTP/1.1 404 ")
        connection.sendall(b"def")
        # Longer than any header may take: what waits now is a finished request's connection.
        time.sleep(1)
        assert ask(connection).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_finished_its_refused_body_may_not_wait_for_ever(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "KEEP_ALIVE_S", 1)
    with LiveServer(office) as live, live.connect() as connection:
        connection.sendall(b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\nabc")
        assert one_answer(connection).startswith(b"HTTP/1.1 404 ")
        connection.sendall(b"def")
        connection.settimeout(10)
        assert read_all(connection) == b""


@pytest.mark.parametrize(
    "between", [pytest.param(b"\r\n", id="empty line"), pytest.param(b"\r\n" * 9, id="more")]
)
def test_empty_lines_between_requests_have_a_deadline(hasty: LiveServer, between: bytes) -> None:
    with hasty.connect() as connection:
        assert ask(connection).startswith(b"HTTP/1.1 200 ")
        connection.sendall(between)
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")


def half_closed(connection: socket.socket, asking: bytes) -> list[bytes]:
    # Sooner than a connection without a request is closed.
    connection.settimeout(10)
    connection.sendall(asking)
    connection.shutdown(socket.SHUT_WR)
    return answers_of(connection)


def test_who_asks_and_ends_its_side_is_answered(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office.verifier.sequencer, "_tick_s", 0.5)
    body = stranger_offer(office, 1).encode()
    head = f"POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    asking = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
    # Nothing but the answer itself ends these connections so soon.
    with LiveServer(office, header_timeout_s=60) as live:
        for told, statuses in (
            (asking, [b"200"]),
            (asking * 3, [b"200"] * 3),
            (head.encode() + body, [b"200"]),
            (head.encode() + body + b"GET /hea", [b"200"]),
            (head.encode() + body[:-1], []),
            (b"GET /hea", []),
        ):
            with live.connect() as connection:
                assert half_closed(connection, told) == statuses, told[-20:]
        deadline = time.monotonic() + 10
        while live._server.server_state.connections:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_requests_before_an_answer_are_answered_in_order(office: Office) -> None:
    paths = ("/healthz", "/nowhere", "/healthz")
    asking = [f"GET {path} HTTP/1.1\r\nhost: x\r\n" for path in paths]
    asking[-1] += "connection: close\r\n"
    with LiveServer(office) as live, live.connect() as connection:
        connection.sendall("\r\n".join((*asking, "")).encode())
        assert answers_of(connection) == [b"200", b"404", b"200"]


def test_one_too_many_requests_before_an_answer_are_left_unread(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """All that are taken are answered, and the last answer says that it is the last."""
    asking = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
    for more in (b"", asking, asking * 100, b"nonsense\r\n\r\n", b"\r\n"):
        with LiveServer(office) as live, live.connect() as connection:
            connection.sendall(asking * MAX_PIPELINED + more)
            answers = read_all(connection).split(b"HTTP/1.1 ")[1:]
        assert [one[:3] for one in answers] == [b"200"] * MAX_PIPELINED
        closing = [b"\r\nconnection: close\r\n" in one for one in answers]
        assert closing == [False] * (MAX_PIPELINED - 1) + [True]
    assert [one for one in caplog.records if one.levelname in {"WARNING", "ERROR"}] == []


def test_what_follows_the_last_request_does_not_take_its_answer(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office.verifier.sequencer, "_tick_s", 0.5)
    body = stranger_offer(office, 1).encode()
    head = "POST /v1/statements HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: "
    with LiveServer(office) as live, live.connect() as connection:
        connection.sendall(f"{head}{len(body)}\r\n\r\n".encode() + body + b"GET / HTTP/9")
        connection.sendall(bytes(100_000))
        assert [one[:3] for one in read_all(connection).split(b"HTTP/1.1 ")[1:]] == [b"200"]


def test_what_follows_the_last_request_is_left_outside(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office.verifier.sequencer, "_tick_s", 2.0)
    body = stranger_offer(office, 1).encode()
    head = "POST /v1/statements HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: "
    with LiveServer(office) as live, live.connect() as connection:
        connection.sendall(f"{head}{len(body)}\r\n\r\n".encode() + body)
        connection.settimeout(1)
        with pytest.raises(TimeoutError):
            connection.sendall(bytes(20_000_000))
        connection.settimeout(20)
        assert read_all(connection).startswith(b"HTTP/1.1 200 ")


def test_the_body_of_a_request_that_waits_is_left_outside(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody counts it before its request's turn, and each answer before it would let more in."""
    monkeypatch.setattr(office.verifier.sequencer, "_tick_s", 2.0)
    monkeypatch.setattr(connections, "MAX_PIPELINED", 128)
    offer = stranger_offer(office, 1).encode()
    head = "POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: "
    with LiveServer(office) as live, live.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n" * 100)
        connection.sendall(f"{head}{len(offer)}\r\n\r\n".encode() + offer)
        connection.sendall(f"{head}100000000\r\n\r\n".encode())
        connection.settimeout(1)
        with pytest.raises(TimeoutError):
            connection.sendall(bytes(20_000_000))
        (protocol,) = live._server.server_state.connections
        assert len(protocol.cycle.body) < 1_000_000  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"nonsense\r\n\r\n", id="not HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * MAX_HEADER, id="huge header"),
    ],
)
def test_what_is_no_request_is_not_answered_in_place_of_another(
    office: Office, caplog: pytest.LogCaptureFixture, bad: bytes
) -> None:
    """The first answer belongs to the first request, whatever comes behind it."""
    with LiveServer(office) as live, live.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n" + bad)
        assert answers_of(connection) == []
    # Nor does it leave a line: anybody could fill the log.
    assert [one for one in caplog.records if one.levelname in {"WARNING", "ERROR"}] == []


@pytest.mark.parametrize(
    ("head", "bad"),
    [
        pytest.param(b"transfer-encoding: chunked\r\n\r\n", b"nonsense", id="its own body"),
        pytest.param(b"\r\n", b"nonsense\r\n\r\n", id="what is behind it"),
    ],
)
def test_nothing_is_put_into_an_answer_that_has_begun(
    office: Office, monkeypatch: pytest.MonkeyPatch, head: bytes, bad: bytes
) -> None:
    ended = asyncio.Event()

    async def answers_half(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"10")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"half ", "more_body": True})
        await ended.wait()

    with LiveServer(office) as live, live.connect() as connection:
        monkeypatch.setattr(live.app, "middleware_stack", answers_half)
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\n" + head)
        data = b""
        while not data.endswith(b"half "):
            data += connection.recv(65_536)
        connection.sendall(bad)
        with suppress(ConnectionResetError):
            data += read_all(connection)
        assert data.endswith(b"half ")
        live._server.servers[0].get_loop().call_soon_threadsafe(ended.set)


def test_a_slow_header_waits_for_the_answer_before_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office.verifier.sequencer, "_tick_s", 1.0)
    body = stranger_offer(office, 1).encode()
    head = f"POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    with LiveServer(office, header_timeout_s=0.3) as live, live.connect() as connection:
        connection.sendall(head.encode() + body + b"GET /hea")
        assert answers_of(connection) == [b"200", b"408"]


def test_an_upgrade_is_not_made_and_ends_the_connection(office: Office) -> None:
    asking = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"
    with LiveServer(office) as live, live.connect() as connection:
        connection.sendall(asking * 2)
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "framing",
    [
        pytest.param(b"1;" + b"a" * 60_000 + b"\r\nx\r\n", id="long words at a chunk"),
        pytest.param(b"0\r\na: " + b"b" * 200_000, id="a trailer without an end"),
        pytest.param(b"0\r\n" + b"a: b\r\n" * 20_000, id="trailers without an end"),
    ],
)
def test_chunks_that_hold_little_end_the_connection(office: Office, framing: bytes) -> None:
    head = b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    with LiveServer(office, body_timeout_s=60) as live, live.connect() as connection:
        connection.settimeout(20)
        connection.sendall(head)
        with suppress(ConnectionResetError, BrokenPipeError):
            for _ in range(2 + MAX_FRAMING // len(framing)):
                connection.sendall(framing)
        assert answers_of(connection) in ([], [b"400"])


def test_one_large_body_after_another_is_read(office: Office) -> None:
    """What a body held must not count as what the next one's header holds."""
    body = bytes(2 * (MAX_HEADER + MAX_FRAMING))
    head = f"POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    with LiveServer(office) as live, live.connect() as connection:
        for _ in range(3):
            connection.sendall(head.encode())
            # By itself, as a client sends it that writes header and body apart.
            time.sleep(0.05)
            connection.sendall(body)
            assert b"at most 256 values in the sequence" in one_answer(connection)


def test_chunks_of_few_bytes_are_a_body(office: Office) -> None:
    body = stranger_offer(office, 1).encode()
    head = b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
    chunks = b"".join(b"1\r\n" + bytes([one]) + b"\r\n" for one in body)
    with LiveServer(office) as live, live.connect() as connection:
        connection.sendall(head + b"connection: close\r\n\r\n" + chunks + b"0\r\n\r\n")
        assert answers_of(connection) == [b"200"]


@pytest.mark.parametrize(
    "host",
    [b"", b"a b", b"a/b", b"a@b", b"a:b", b"a:1:2", b"a:123456", b"[::1", b"[g]", b"a%", b"\xe9"],
)
def test_a_host_out_of_form_is_refused(hasty: LiveServer, host: bytes) -> None:
    with hasty.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: " + host + b"\r\n\r\n")
        assert problem_of(read_all(connection)) == "malformed"


@pytest.mark.parametrize(
    "request_head",
    [
        pytest.param(b"/healthz HTTP/1.1\r\nhost: A-b_1.example:8", id="a name"),
        pytest.param(b"/healthz HTTP/1.1\r\nhost:\t[::1]:65535 \t", id="an address"),
        pytest.param(b"/healthz HTTP/1.1\r\nhost: a%20b:", id="escapes, and an empty port"),
        pytest.param(b"http://a:1/healthz HTTP/1.1\r\nhost: A:1", id="an absolute target"),
        pytest.param(b"/healthz HTTP/1.0\r\na: b", id="an older version without a host"),
    ],
)
@pytest.mark.parametrize("size", [1, 1_000], ids=["by letters", "at once"])
def test_a_request_in_form_is_answered(office: Office, request_head: bytes, size: int) -> None:
    asking = b"GET " + request_head + b"\r\nconnection: close\r\n\r\n"
    with LiveServer(office) as live, live.connect() as connection:
        for start in range(0, len(asking), size):
            connection.sendall(asking[start : start + size])
            time.sleep(0.001)
        assert answers_of(connection) == [b"200"]


@pytest.mark.parametrize(
    "coding",
    [
        b"transfer-encoding: gzip, chunked",
        b"transfer-encoding: chunked, chunked",
        b"transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        b"transfer-encoding: chunked\r\ntransfer-encoding: identity",
        b"transfer-encoding: identity",
        b"transfer-encoding: \x0bchunked",
        b"transfer-encoding:",
    ],
)
def test_a_body_has_no_coding_but_chunks(hasty: LiveServer, coding: bytes) -> None:
    head = b"POST /v1/statements HTTP/1.1\r\nhost: x\r\n"
    with hasty.connect() as connection:
        connection.sendall(head + coding + b"\r\n\r\n0\r\n\r\n")
        answer = read_all(connection)
    assert problem_of(answer) == "malformed"
    assert b"this is not a request" in answer


def test_an_older_version_has_no_chunks(hasty: LiveServer) -> None:
    head = b"POST /v1/statements HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    with hasty.connect() as connection:
        connection.sendall(head + b"0\r\n\r\n")
        assert b"this is not a request" in read_all(connection)


def test_who_speaks_an_older_version_is_not_told_to_continue(office: Office) -> None:
    head = b"POST /v1/statements HTTP/%b\r\nhost: x\r\nexpect: 100-continue\r\n"
    rest = b"content-length: 1\r\nconnection: close\r\n\r\n\xff"
    with LiveServer(office) as live:
        for version, statuses in ((b"1.0", [b"400"]), (b"1.1", [b"100", b"400"])):
            with live.connect() as connection:
                connection.sendall(head % version + rest)
                assert answers_of(connection) == statuses


def test_trailers_are_no_part_of_a_header(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come when the header has been looked at."""

    def reads(body: bytes, **_: object) -> None:
        assert body == b"a"
        raise RefusedError(Reason.CONFLICT, "this was read")

    monkeypatch.setattr(office.verifier.services.intake, "read", reads)
    head = b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
    body = b"1\r\na\r\n0\r\ncontent-type: text/plain\r\n\r\n"
    with LiveServer(office) as live, live.connect() as connection:
        connection.sendall(head + b"connection: close\r\n\r\n" + body)
        assert answers_of(connection) == [b"409"]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"nonsense\r\n\r\n", id="not HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 9_000, id="huge header"),
        pytest.param(
            b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 9_000 + b"\r\n",
            id="huge header that ends",
        ),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 60_000, id="huge value"),
        pytest.param(b"GET /" + b"a" * 60_000, id="huge address"),
        pytest.param(b"BREW / HTTP/1.1\r\nhost: x\r\n\r\n", id="a method of nobody"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", id="two hosts"),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: " + b"0" * 5_000 + b"1\r\n\r\n",
            id="a length of zeros",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n"
            b"transfer-encoding: chunked\r\n\r\n",
            id="two lengths",
        ),
        pytest.param(b"GET /healthz\r\n\r\n", id="no version"),
        pytest.param(b"GET /healthz HTTP/2.0\r\nhost: x\r\n\r\n", id="another version"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="another version's beginning"),
        pytest.param(b"GET /healthz HTTP/1.2\r\nhost: x\r\n\r\n", id="a version of nobody"),
        pytest.param(b"GET /healthz RTSP/1.0\r\nhost: x\r\n\r\n", id="another protocol"),
        pytest.param(b"OPTIONS /healthz RTSP/1.1\r\nhost: x\r\n\r\n", id="another protocol's"),
        pytest.param(b"SOURCE /healthz ICE/1.0\r\nhost: x\r\n\r\n", id="a third protocol"),
        pytest.param(b"GET /healthz#a HTTP/1.1\r\nhost: x\r\n\r\n", id="a fragment"),
        pytest.param(b"GET /healthz?\xff HTTP/1.1\r\nhost: x\r\n\r\n", id="not escaped"),
        pytest.param(b"GET * HTTP/1.1\r\nhost: x\r\n\r\n", id="no address"),
        pytest.param(b"GET http://y/healthz HTTP/1.1\r\nhost: x\r\n\r\n", id="another host"),
        pytest.param(b"GET http://a@x/healthz HTTP/1.1\r\nhost: x\r\n\r\n", id="a user"),
        pytest.param(b"GET http://x/healthz HTTP/1.0\r\n\r\n", id="a host in the target alone"),
        pytest.param(b"GET ftp://x/healthz HTTP/1.1\r\nhost: x\r\n\r\n", id="another scheme"),
        pytest.param(b"GET /healthz HTTP/1.0\r\nhost: x\r\nhost: x\r\n\r\n", id="two old hosts"),
    ],
)
def test_what_is_no_request_gets_a_problem(hasty: LiveServer, bad: bytes) -> None:
    with hasty.connect() as connection:
        connection.sendall(bad)
        answer = read_all(connection)
    assert problem_of(answer) == "malformed"
