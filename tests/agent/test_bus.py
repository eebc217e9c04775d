import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from dbus_fast import Message, Variant

from support.buses import Answer, FakeService, private_bus
from support.wayland import WAYLAND_MARKS
from workseal_agent import bus as module
from workseal_agent.bus import BusError, call, connected, get_property, run

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


async def added(address: str) -> int:
    async with connected(address) as bus:
        reply = await call(bus, NAME, "/", f"{NAME}.Add", 2, 3, signature="uu")
        return int(reply.body[0]) + int(await get_property(bus, NAME, "/", f"{NAME}.Version"))


async def asked(address: str | None, member: str, seconds: float = 5.0) -> None:
    async with connected(address) as bus:
        await call(bus, NAME, "/", f"{NAME}.{member}", seconds=seconds)


def test_calls_and_reads_properties(address: str) -> None:
    with FakeService(address, NAME, answer):
        assert run(added(address)) == 12


def test_an_error_is_told_by_its_name_alone(address: str) -> None:
    with FakeService(address, NAME, answer), pytest.raises(BusError) as caught:
        run(asked(address, "Refuse"))
    assert str(caught.value) == "test.Service does not do Refuse (test.Error.Secret)"


def test_who_is_not_there_is_told_and_who_is_silent_is_not_waited_for(address: str) -> None:
    with pytest.raises(BusError, match="ServiceUnknown"):
        run(asked(address, "Add"))
    with FakeService(address, NAME, answer), pytest.raises(BusError, match="does not answer"):
        run(asked(address, "Wait", seconds=0.1))


def test_without_a_bus_one_sentence_says_so(tmp_path: Path) -> None:
    for absent in (None, f"unix:path={tmp_path}/none", "not an address"):
        with pytest.raises(BusError, match="D-Bus"):
            run(asked(absent, "Add"))


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400\r\n\r\n"], ids=["silent", "other"])
def test_whoever_listens_and_is_no_bus_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, greeting: bytes
) -> None:
    monkeypatch.setattr(module, "CALL_SECONDS", 0.3)
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        held: list[socket.socket] = []

        def serve() -> None:
            connection, _ = listening.accept()
            connection.sendall(greeting)
            held.append(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(BusError, match="does not answer"):
            run(asked(f"unix:path={path}", "Add"))
        thread.join()
        for one in held:
            one.close()
