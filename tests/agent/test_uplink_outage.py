"""Hours without a verifier: every way in which it can be gone, and one item that it refuses."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from support.rig import Rig
from support.wire import Fault
from workseal_agent.connection import VerifierClient, default_transport
from workseal_agent.ledger import SendState
from workseal_agent.pages.machine import _queue
from workseal_agent.submission import Log
from workseal_agent.uplink import Uplink
from workseal_protocol.records import ChainedRecord, read_record

HOUR = 3_600


def refused(_request: httpx.Request) -> Fault | None:
    raise httpx.ConnectError("refused")


def timed_out(_request: httpx.Request) -> Fault | None:
    raise httpx.ReadTimeout("late")


def answering(status: int, content: bytes = b"") -> Any:
    return lambda _request: Fault(httpx.Response(status, content=content))


FAULTS = (
    refused, answering(500), lambda _request: Fault(None), answering(502, b"<html>"), timed_out,
    answering(503), answering(200, b"\xd2\x84"), answering(404, b"nginx"),
)  # fmt: skip


def queue(rig: Rig) -> dict[str, Any]:
    """Return the queue as the pages show it; `status` counts the same rows."""
    return _queue(cast("Any", SimpleNamespace(ledger=rig.ledger)), rig.engagement)


def require_whole(rig: Rig) -> None:
    """Everything is receipted, and the log has the chain once, in its order."""
    assert rig.ledger.counts(rig.engagement.id).unsent == 0
    assert queue(rig)["count"] == len(queue(rig)["parked"]) == 0
    placed = [
        (index, record.seq)
        for index, statement in sorted(rig.simulator.statements.items())
        if isinstance(record := read_record(statement), ChainedRecord)
    ]
    assert [seq for _, seq in placed] == list(range(len(placed)))
    rows = list(rig.ledger.chain(rig.engagement.id))
    assert [row.log_index for row in rows] == [index for index, _ in placed]
    assert all(first < second for (first, _), (second, _) in pairwise(placed))


def test_eight_hours_of_every_fault_and_a_poisonous_item_lose_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path, round_ms=600_000, capture_rate=0)
    rig.recorder.start()
    rig.work(600)
    waiting = []
    for fault in FAULTS:
        rig.wire.fault = fault
        rig.beacon.up = False
        rig.work(HOUR)
        waiting.append(queue(rig)["count"])
        assert rig.ledger.counts(rig.engagement.id).unsent == waiting[-1]
    # What waits is seen, and grows by the hour; after a lost answer it waits all the same.
    assert waiting == sorted(waiting)
    assert 47 <= waiting[-1] <= 49
    assert rig.uplink.trouble
    poison = rig.ledger.sendable(rig.engagement.id, 10)[-1]
    rig.wire.refuse = lambda statement: statement.digest == poison.digest
    # The verifier had all of the third hour: what it has is no poison to it any more.
    rig.simulator.places.pop(poison.digest, None)
    rig.wire.fault = lambda _request: None
    rig.beacon.up = True
    rig.work(600)
    (parked,) = queue(rig)["parked"]
    assert parked.digest == poison.digest
    assert parked.problem
    assert queue(rig)["count"] > 30
    rig.recorder.stop()
    rig.simulator.places[poison.digest] = next(
        index for index, one in rig.simulator.statements.items() if one.digest == poison.digest
    )
    rig.wire.refuse = lambda _statement: False
    with rig.ledger.write() as writing:
        assert writing.unpark(rig.engagement.id) == 1
    assert rig.uplink.drain(100), rig.uplink.trouble
    require_whole(rig)
    assert rig.worked_ms == (8 * HOUR + 1_200) * 1_000


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failure_that_the_verifier_itself_tells_is_no_refusal(
    tmp_path: Path, status: int
) -> None:
    """In its own form: only such an answer can be taken for a refusal at all."""
    rig = Rig(tmp_path, capture_rate=0)
    rig.recorder.start()
    rig.work(65, send=False)
    rig.recorder.stop()
    count = queue(rig)["count"]
    told = {"type": "urn:workseal:problem:storage", "detail": "the disk is full"}
    headers = {"content-type": "application/problem+json"}
    answer = httpx.Response(status, json=told, headers=headers)
    rig.wire.fault = lambda _request: Fault(answer)
    assert [rig.uplink.step() for _ in range(2)] == [0.375, 0.75]
    assert trouble(rig.uplink).startswith(f"the verifier answered {status} (storage: ")
    assert (queue(rig)["count"], queue(rig)["parked"]) == (count, ())
    rig.wire.fault = lambda _request: None
    assert rig.uplink.drain(20), rig.uplink.trouble
    require_whole(rig)


# Through real sockets


class Broken:
    """Serve one connection after the other, each broken in the way that is set."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.how = "through"
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join(20)

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(10)
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        if self.how == "closed at once":
            return
        if self.how == "reset":
            connection.recv(65_536)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        answer = self._answer(connection)
        if self.how == "half closed before the answer":
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)  # until the other side gives up
        elif self.how == "half closed in the answer":
            connection.sendall(answer[: len(answer) // 2])
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        else:
            connection.sendall(answer)

    def _answer(self, connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65_536)
        head, _, body = data.partition(b"\r\n\r\n")
        line, *fields = head.decode().split("\r\n")
        method, path, _ = line.split(" ")
        told = dict(field.lower().split(": ", 1) for field in fields)
        while len(body) < int(told.get("content-length", "0")):
            body += connection.recv(65_536)
        request = httpx.Request(method, f"http://localhost{path}", content=body)
        done = self.rig.wire.handle_request(request)
        status = 500 if self.how == "500" else done.status_code
        content = b"" if self.how == "500" else done.content
        top = f"HTTP/1.1 {status} X\r\ncontent-length: {len(content)}\r\nconnection: close\r\n\r\n"
        return top.encode() + content


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Broken]:
    rig = Rig(tmp_path, capture_rate=0)
    rig.recorder.start()
    rig.work(65, send=False)
    rig.recorder.stop()
    made = Broken(rig)
    yield made
    made.close()


def sender(broken: Broken, url: str) -> Uplink:
    rig = broken.rig
    client = VerifierClient(url, default_transport())
    log = Log.of(rig.engagement)
    return Uplink(rig.ledger, client, log, wall_ms=rig.clock.wall_ms, jitter=lambda: 0.5)


def trouble(uplink: Uplink) -> str:
    return uplink.trouble or ""


@pytest.mark.parametrize(
    "how",
    [
        "closed at once", "reset", "500",
        "half closed before the answer", "half closed in the answer",
    ],
)  # fmt: skip
def test_a_broken_socket_keeps_everything_for_later(broken: Broken, how: str) -> None:
    rig, uplink = broken.rig, sender(broken, broken.url)
    count = queue(rig)["count"]
    assert count > 6
    broken.how = how
    waits = [uplink.step() for _ in range(3)]
    assert waits == [0.375, 0.75, 1.5]
    assert trouble(uplink)
    assert queue(rig)["count"] == count
    broken.how = "through"
    assert uplink.drain(20), uplink.trouble
    assert trouble(uplink) == ""
    require_whole(rig)


def test_a_port_where_nobody_listens_keeps_everything_for_later(broken: Broken) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    uplink = sender(broken, f"http://127.0.0.1:{port}")
    count = queue(broken.rig)["count"]
    assert [uplink.step() for _ in range(2)] == [0.375, 0.75]
    assert queue(broken.rig)["count"] == count
    assert len(broken.rig.ledger.statements(broken.rig.engagement.id, SendState.UNSENT)) == count
    assert sender(broken, broken.url).drain(20)
    require_whole(broken.rig)
