"""What arrives whole is answered as what the application answers, whoever checks its signatures."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import pytest

from support.office import LiveServer, Office, stranger_offer
from workseal_protocol.keys import SeedSigner
from workseal_protocol.receipt import SubmissionAnswer, verify_answer
from workseal_protocol.records import KeyRevoke, RevocationReason, sign
from workseal_protocol.statement import Statement
from workseal_verifier.api.together import Together
from workseal_verifier.api.whole import WholeRequest
from workseal_verifier.errors import StoreError, StoreFullError
from workseal_verifier.services.access import TABLE, Row, Shown, State, Who
from workseal_verifier.services.candidate import Intake

PATH = "/v1/statements"
CBOR = {"content-type": "application/cbor-seq"}
STRANGER = SeedSigner(bytes(32))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def request(
    body: bytes, path: str = PATH, headers: Mapping[str, str] = CBOR, *, chunked: bool = False
) -> bytes:
    """Write a request; in chunks, it never takes the short way."""
    if chunked:
        coding = "transfer-encoding: chunked"
        rest = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        body = rest + b"0\r\n\r\n"
    else:
        coding = f"content-length: {len(body)}"
    lines = [f"POST {path} HTTP/1.1", "host: localhost", coding]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answer_on(connection: socket.socket) -> tuple[bytes, list[bytes], bytes]:
    """Read one answer: status, headers without the date, body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    (length,) = [line for line in lines if line.startswith(b"content-length: ")]
    while len(body) < int(length.rpartition(b" ")[2]):
        body += connection.recv(65_536)
    return status, sorted(line for line in lines if not line.startswith(b"date: ")), body


def ask(live: LiveServer, data: bytes) -> tuple[bytes, list[bytes], bytes]:
    with live.connect() as connection:
        connection.sendall(data)
        return answer_on(connection)


def revocation(office: Office, signer: SeedSigner = STRANGER) -> Statement:
    key = office.people.client.public_key.thumbprint
    lost = RevocationReason.LOST
    return sign(KeyRevoke(claimed_at=office.now, key=key, reason=lost), signer)


def spoilt(one: Statement) -> bytes:
    data = one.encode()
    return data[:-1] + bytes((data[-1] ^ 1,))


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[WholeRequest]:
    """Keep what took the short way."""
    found: list[WholeRequest] = []
    take = Together.take

    def counted(self: Together, whole: WholeRequest) -> None:
        found.append(whole)
        take(self, whole)

    monkeypatch.setattr(Together, "take", counted)
    return found


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[WholeRequest]:
    """Keep what was handed back."""
    found: list[WholeRequest] = []
    hand_back = WholeRequest.hand_back

    def counted(self: WholeRequest) -> None:
        found.append(self)
        hand_back(self)

    monkeypatch.setattr(WholeRequest, "hand_back", counted)
    return found


def test_what_is_answered_is_what_the_application_answers(
    office: Office, taken: list[WholeRequest], handed: list[WholeRequest]
) -> None:
    offer = stranger_offer(office, 1)
    cases = [
        (offer.encode(), PATH, 200, False),
        (offer.encode(), f"{PATH}?old=1", 200, False),
        (offer.encode(), f"{PATH}?old=99", 400, False),
        (b"", PATH, 400, False),
        (b"\xff", PATH, 400, False),
        (offer.encode() + b"\xff", PATH, 400, False),
        (spoilt(offer), PATH, 422, False),
        # Memory knows no such key: a store is asked, in no thread that others need.
        (revocation(office).encode(), PATH, 403, True),
    ]
    with LiveServer(office) as live:
        for body, path, status, waits in cases:
            taken.clear()
            handed.clear()
            short = ask(live, request(body, path))
            assert len(taken) == 1
            assert len(handed) == waits
            assert short[0].startswith(b"HTTP/1.1 %d " % status), short
            # What is new once is not new again, and its answer is the same.
            assert ask(live, request(body, path, chunked=True)) == short
            assert len(taken) == 1
        assert live.app.state.together._gate._running == {"read": 0, "submission": 0}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        pytest.param(f"{PATH}?new=1", CBOR, id="an unknown parameter"),
        pytest.param(f"{PATH}?old=-1", CBOR, id="a parameter out of its form"),
        pytest.param(f"{PATH}?old=9999999999999999", CBOR, id="a size beyond 53 bits"),
        pytest.param(f"{PATH}?old=1&old=1", CBOR, id="a parameter twice"),
        pytest.param(f"{PATH}/", CBOR, id="another address"),
        pytest.param(PATH, {"content-type": "text/plain"}, id="another type"),
        pytest.param(PATH, {**CBOR, "Content-Type": CBOR["content-type"]}, id="a type twice"),
        pytest.param(PATH, {**CBOR, "expect": "100-continue"}, id="a body that waits"),
        pytest.param(PATH, {**CBOR, "upgrade": "h2c"}, id="an upgrade"),
    ],
)
def test_whatever_is_unusual_is_left_to_the_application(
    office: Office, taken: list[WholeRequest], path: str, headers: Mapping[str, str]
) -> None:
    with LiveServer(office) as live, live.connect() as connection:
        connection.sendall(request(stranger_offer(office, 1).encode(), path, headers))
        assert connection.recv(9) == b"HTTP/1.1 "
    assert not taken


def test_a_large_body_and_one_in_pieces_are_left_to_the_application(
    office: Office, taken: list[WholeRequest]
) -> None:
    offers = b"".join(stranger_offer(office, n).encode() for n in range(9))
    assert len(offers) > 4_096
    whole = request(stranger_offer(office, 1).encode())
    with LiveServer(office) as live:
        assert ask(live, request(offers))[0] == b"HTTP/1.1 200 OK"
        with live.connect() as connection:
            connection.sendall(whole[:-10])
            # Whatever is answered meanwhile, that piece was read before.
            assert ask(live, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")[2] == b"ok"
            connection.sendall(whole[-10:])
            assert answer_on(connection)[0] == b"HTTP/1.1 200 OK"
    assert not taken


def test_the_door_stands_before_this_way_too(
    office: Office, taken: list[WholeRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Row(Shown.SIGNATURE, {Who.CLIENT: frozenset(State)})
    monkeypatch.setitem(TABLE, f"POST {PATH}", row)
    with LiveServer(office) as live:
        answer = ask(live, request(stranger_offer(office, 1).encode()))
    assert answer[0] == b"HTTP/1.1 401 Unauthorized"
    assert not taken


def test_as_many_are_worked_on_as_anywhere(
    office: Office, taken: list[WholeRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[tuple[str, int]] = []
    monkeypatch.setattr(office.verifier.meters, "answered", lambda *told: counted.append(told))
    offer = stranger_offer(office, 1).encode()
    with LiveServer(office, max_submissions=1) as live:
        gate = live.app.state.together._gate
        assert ask(live, request(offer))[0] == b"HTTP/1.1 200 OK"
        gate._running["submission"] = 1
        short = ask(live, request(offer))
        assert short == ask(live, request(offer, chunked=True))
        assert gate._running["submission"] == 1
    assert short[0] == b"HTTP/1.1 503 Service Unavailable"
    assert len(taken) == 2
    assert [status for _, status in counted] == [200, 503, 503]
    # The other one was never routed.
    assert counted[0][0] == counted[1][0] == f"POST {PATH}"


@pytest.mark.parametrize(
    ("error", "status"),
    [(StoreError("x"), 503), (StoreFullError("x"), 503), (ValueError("x"), 500)],
)
def test_errors_are_told_as_the_application_tells_them(
    office: Office, error: Exception, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Intake, "_opened", fails)
    body = stranger_offer(office, 1).encode()
    with LiveServer(office) as live:
        short = ask(live, request(body))
        assert short[0].startswith(b"HTTP/1.1 %d " % status)
        assert short == ask(live, request(body, chunked=True))
        assert live.app.state.together._gate._running == {"read": 0, "submission": 0}


def test_what_is_sent_before_an_answer_is_answered_in_order(
    office: Office, taken: list[WholeRequest]
) -> None:
    offers = [stranger_offer(office, n) for n in range(4)]
    statuses = [b"200", b"200", b"400", b"200", b"200"]
    sent = b"".join(
        [
            *(request(one.encode()) for one in offers[:2]),
            request(b"\xff"),
            *(request(one.encode()) for one in offers[2:]),
        ]
    )
    with LiveServer(office) as live, live.connect() as connection:
        connection.sendall(sent)
        data = b""
        while data.count(b"HTTP/1.1 ") < len(statuses):
            data += connection.recv(65_536)
    assert [one[:3] for one in data.split(b"HTTP/1.1 ")[1:]] == statuses
    assert len(taken) == len(statuses)


def test_who_has_said_too_much_is_refused_here_too(
    office: Office, taken: list[WholeRequest], handed: list[WholeRequest]
) -> None:
    offer = stranger_offer(office, 1)
    office.verifier.services.signers.charge(offer.issuer.raw, 1_000_000)
    with LiveServer(office) as live:
        answer = ask(live, request(offer.encode()))
    assert answer[0] == b"HTTP/1.1 429 Too Many Requests"
    assert len(taken) == 1
    assert not handed


def test_what_memory_does_not_hold_is_read_in_no_thread_of_others(
    office: Office, handed: list[WholeRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office.verifier.sequencer, "is_prepared", lambda _candidates: False)
    with LiveServer(office) as live:
        answer = ask(live, request(stranger_offer(office, 1).encode()))
        assert live.app.state.together._gate._running == {"read": 0, "submission": 0}
    assert answer[0] == b"HTTP/1.1 200 OK"
    assert len(handed) == 1


# --- where a process checks ---------------------------------------------------------


@pytest.fixture
def checked(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[tuple[Office, LiveServer]]:
    """A server under load: its process checks signatures, and it has a line to it."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1}, raising=False)
    office: Office = request.getfixturevalue("office")
    with LiveServer(office, signer_rate=0, sender_rate=0) as live:
        beside(office, live)
        yield office, live


def beside(office: Office, live: LiveServer) -> None:
    """Send until a process checks."""
    body = request_of(stranger_offer(office, "load"))
    together = live.app.state.together

    def asked() -> bool:
        office.verifier.checks.note(128)
        ask(live, body)
        return together._line is not None and together._line.is_open

    wait_until(asked)


def request_of(one: Statement) -> bytes:
    return request(one.encode())


def test_a_process_answers_for_what_came_together(
    checked: tuple[Office, LiveServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, live = checked
    offers = [stranger_offer(office, n) for n in range(40)]
    # Nothing is checked in this process, or this would not be answered.
    monkeypatch.setattr("workseal_verifier.services.candidate._check_here", None)
    connections = [live.connect() for _ in offers]
    for number, (one, connection) in enumerate(zip(offers, connections, strict=True)):
        connection.sendall(request(spoilt(one)) if number % 4 == 1 else request_of(one))
    for number, (one, connection) in enumerate(zip(offers, connections, strict=True)):
        with connection:
            status, _, body = answer_on(connection)
        if number % 4 == 1:
            assert status.startswith(b"HTTP/1.1 422 "), body
        else:
            answer = SubmissionAnswer.parse(body)
            verify_answer(answer, [one.digest], None, office.policy)
    assert live.app.state.together._gate._running == {"read": 0, "submission": 0}


def test_nothing_is_lost_when_the_process_is_killed(checked: tuple[Office, LiveServer]) -> None:
    office, live = checked
    answered: list[bytes] = []

    def send(number: int) -> None:
        with live.connect() as connection:
            for _ in range(40):
                connection.sendall(request_of(stranger_offer(office, number)))
                answered.append(answer_on(connection)[0])

    senders = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for one in senders:
        one.start()
    wait_until(lambda: len(answered) > 40)
    for process in office.verifier.checks._processes:
        os.kill(process._process.pid, signal.SIGKILL)
    for one in senders:
        one.join()
    assert answered == [b"HTTP/1.1 200 OK"] * 320


def test_what_comes_while_it_has_enough_to_do_is_the_next_batch(
    checked: tuple[Office, LiveServer],
) -> None:
    office, live = checked
    together = live.app.state.together
    (process,) = [one._process.pid for one in office.verifier.checks._processes]
    connections = [live.connect() for _ in range(5)]
    os.kill(process, signal.SIGSTOP)
    try:
        for number, connection in enumerate(connections):
            connection.sendall(request_of(stranger_offer(office, number)))
            owed, waiting = min(number + 1, 2), max(number - 1, 0)
            wait_until(lambda: len(together._line._owed) == owed)  # noqa: B023 - called at once
            wait_until(lambda: len(together._come) == waiting)  # noqa: B023
        # Whatever is answered meanwhile, all of them were read before.
        assert ask(live, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")[2] == b"ok"
        assert (len(together._line._owed), len(together._come)) == (2, 3)
    finally:
        os.kill(process, signal.SIGCONT)
    for connection in connections:
        with connection:
            assert answer_on(connection)[0] == b"HTTP/1.1 200 OK"
    assert not together._come
