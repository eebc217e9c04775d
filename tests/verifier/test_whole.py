"""Answers in one piece: what is written, to whom it is not, and when it has to wait."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from workseal_verifier.api.whole import WholeRequest

HEADERS = [(b"content-length", b"2"), (b"content-type", b"text/plain")]


class Wire:
    """What a connection writes to: keeps it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False
        self.completed = 0

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def complete(self) -> None:
        self.completed += 1


def cycle_on(wire: Wire, **changes: Any) -> RequestResponseCycle:
    log = logging.getLogger(__name__)
    # Pausing reads is not what is looked at here.
    flow = FlowControl(SimpleNamespace(pause_reading=None, resume_reading=None))  # type: ignore[arg-type]
    given: dict[str, Any] = {
        "scope": {"type": "http", "method": "POST"},
        "transport": wire,
        "flow": flow,
        "logger": log,
        "access_logger": log,
        "access_log": False,
        "default_headers": [(b"date", b"today")],
        "message_event": asyncio.Event(),
        "expect_100_continue": False,
        "keep_alive": True,
        "on_response": wire.complete,
    }
    return RequestResponseCycle(**{**given, **changes})


def whole(cycle: RequestResponseCycle) -> WholeRequest:
    return WholeRequest(cycle, lambda: None, set())


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def awaited() -> None:
        await work()

    asyncio.run(asyncio.wait_for(awaited(), 20))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"keep_alive": False},
        {"default_headers": [(b"date", b"today"), (b"connection", b"close")]},
    ],
)
def test_writes_what_the_application_would_write(changes: dict[str, Any]) -> None:
    async def work() -> None:
        ours, theirs = Wire(), Wire()
        whole(cycle_on(ours, **changes)).answer(200, HEADERS, b"ok")
        other = cycle_on(theirs, **changes)
        await other.send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await other.send({"type": "http.response.body", "body": b"ok"})
        head, _, body = b"".join(ours.written).partition(b"\r\n\r\n")
        expected, _, same = b"".join(theirs.written).partition(b"\r\n\r\n")
        assert sorted(head.split(b"\r\n")) == sorted(expected.split(b"\r\n"))
        assert body == same == b"ok"
        assert len(ours.written) == 1
        assert ours.closed == theirs.closed == bool(changes)
        assert ours.completed == theirs.completed == 1

    run(work)


def test_who_is_gone_is_written_nothing() -> None:
    async def work() -> None:
        wire = Wire()
        cycle = cycle_on(wire)
        cycle.disconnected = True
        whole(cycle).answer(200, HEADERS, b"ok")
        assert (wire.written, wire.completed) == ([], 0)

    run(work)


@pytest.mark.parametrize("gone", [False, True])
def test_waits_for_a_peer_that_does_not_read(*, gone: bool) -> None:
    async def work() -> None:
        wire = Wire()
        cycle = cycle_on(wire)
        tasks: set[asyncio.Task[None]] = set()
        cycle.flow.pause_writing()
        WholeRequest(cycle, lambda: None, tasks).answer(200, HEADERS, b"ok")
        await asyncio.sleep(0)
        assert wire.written == []
        (task,) = tasks
        cycle.disconnected = gone
        cycle.flow.resume_writing()
        await task
        assert len(wire.written) == (0 if gone else 1)
        await asyncio.sleep(0)
        assert not tasks

    run(work)


def test_the_application_may_have_it_after_all() -> None:
    async def work() -> None:
        handed: list[None] = []
        cycle = cycle_on(Wire())
        cycle.body += b"said"
        request = WholeRequest(cycle, lambda: handed.append(None), set())
        assert request.body == b"said"
        request.hand_back()
        assert handed == [None]
        assert cycle.body == b"said"
        assert not cycle.response_started

    run(work)
