import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from dbus_fast import Message, MessageFlag, MessageType, Variant
from dbus_fast.aio import MessageBus

from support.buses import PATIENCE, Answer, FakeService, private_bus
from support.wayland import WAYLAND_MARKS
from workseal_agent.bus import BusError, Kind, connected, connection
from workseal_agent.bus import Message as Heard

pytestmark = WAYLAND_MARKS[1]
NAME = "test.Service"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with private_bus(tmp_path) as made:
        yield made


def answer(message: Message) -> Answer | None:
    match message.member:
        case "Get":
            return "v", [Variant("u", 7)]
        case "Add":
            return "u", [sum(message.body)]
        case "Wait":
            return None
    return "test.Error.Secret"


def added(address: str) -> int:
    with connected(address) as bus:
        reply = bus.call(NAME, "/", f"{NAME}.Add", 2, 3, signature="uu")
        return int(reply.body[0]) + int(bus.get_property(NAME, "/", f"{NAME}.Version"))


def asked(address: str | None, member: str, seconds: float = 5.0) -> None:
    with connected(address) as bus:
        bus.call(NAME, "/", f"{NAME}.{member}", seconds=seconds)


def test_calls_and_reads_properties(address: str) -> None:
    with FakeService(address, NAME, answer):
        assert added(address) == 12


def test_an_error_is_told_by_its_name_alone(address: str) -> None:
    with FakeService(address, NAME, answer), pytest.raises(BusError) as caught:
        asked(address, "Refuse")
    assert str(caught.value) == "test.Service does not do Refuse (test.Error.Secret)"


def test_who_is_not_there_is_told_and_who_is_silent_is_not_waited_for(address: str) -> None:
    with pytest.raises(BusError, match="ServiceUnknown"):
        asked(address, "Add")
    with FakeService(address, NAME, answer), pytest.raises(BusError, match="does not answer"):
        asked(address, "Wait", seconds=0.1)


def test_without_a_bus_one_sentence_says_so(tmp_path: Path) -> None:
    for absent in (None, f"unix:path={tmp_path}/none", "not an address"):
        with pytest.raises(BusError, match="D-Bus"):
            asked(absent, "Add")


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400\r\n\r\n"], ids=["silent", "other"])
def test_whoever_listens_and_is_no_bus_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, greeting: bytes
) -> None:
    monkeypatch.setattr(connection, "CALL_SECONDS", 0.3)
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        held: list[socket.socket] = []

        def serve() -> None:
            accepted, _ = listening.accept()
            accepted.sendall(greeting)
            held.append(accepted)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(BusError, match="does not answer"):
            asked(f"unix:path={path}", "Add")
        thread.join()
        for one in held:
            one.close()


def test_the_first_place_of_an_address_that_answers_is_taken(address: str, tmp_path: Path) -> None:
    with FakeService(address, NAME, answer):
        assert added(f"unix:path={tmp_path}/none;{address}") == 12


async def called(address: str, name: str, *members: str) -> list[str]:
    """Call methods of a connection; tells what was answered to those that ask for it."""
    bus = await MessageBus(bus_address=address).connect()
    told = []
    for member in members:
        question = Message(
            destination=name, path="/", interface=NAME, member=member, signature="u", body=[7]
        )
        if member == "Silent":
            question.flags = MessageFlag.NO_REPLY_EXPECTED
            await bus.send(question)
            continue
        reply = await asyncio.wait_for(bus.call(question), PATIENCE)
        assert reply is not None
        kind = reply.message_type is MessageType.METHOD_RETURN
        told.append(str(reply.body[0]) if kind else str(reply.error_name))
    bus.disconnect()
    await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
    return told


def test_who_calls_gets_what_a_hearer_answers_or_an_error(address: str) -> None:
    heard: list[Heard] = []

    def hear(message: Heard) -> Heard | None:
        if message.kind is not Kind.CALL:
            return None
        heard.append(message)
        return message.answered("u", message.body[0] + 1) if message.member == "Next" else None

    told: list[str] = []
    with connected(address) as bus:
        bus.hear(hear)

        def ask() -> None:
            members = "Silent", "Next", "Explode"
            told.extend(asyncio.run(called(address, bus.unique_name, *members)))
            bus.wake()

        asking = threading.Thread(target=ask)
        asking.start()
        assert bus.wait(lambda: told, PATIENCE)
        asking.join()
    assert told == ["8", "org.freedesktop.DBus.Error.UnknownMethod"]
    assert [(one.member, one.silent) for one in heard] == [
        ("Silent", True), ("Next", False), ("Explode", False),
    ]  # fmt: skip


def test_another_thread_wakes_who_waits(address: str) -> None:
    waiting, done, returned = threading.Event(), threading.Event(), threading.Event()
    woken: list[bool] = []

    def until() -> bool:
        if not waiting.is_set():
            waiting.set()
            return False
        return done.is_set()

    with connected(address) as bus:

        def wake() -> None:
            waiting.wait(PATIENCE)
            done.set()
            bus.wake()
            woken.append(returned.wait(PATIENCE))

        waking = threading.Thread(target=wake)
        waking.start()
        # Longer than the other thread waits: the limit ends a wait too.
        assert bus.wait(until, 2 * PATIENCE)
        returned.set()
        waking.join()
    assert woken == [True]
    bus.wake()  # whoever comes too late does no harm


def test_a_wait_has_an_end(address: str) -> None:
    with connected(address) as bus:
        assert not bus.wait(lambda: False, 0.01)


def test_a_bus_that_goes_away_ends_a_wait_and_a_call(tmp_path: Path) -> None:
    with ExitStack() as stack:
        address = stack.enter_context(private_bus(tmp_path))
        with connected(address) as bus:
            stack.close()
            with pytest.raises(BusError, match="went away"):
                bus.wait(lambda: False, PATIENCE)
            with pytest.raises(BusError, match="went away"):
                bus.get_property(NAME, "/", f"{NAME}.Version")
