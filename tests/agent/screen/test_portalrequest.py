import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Message, Variant

from support.buses import Answer, FakeService, forge, private_bus
from support.wayland import WAYLAND_MARKS
from workseal_agent import bus as module
from workseal_agent.bus import BusError
from workseal_agent.screen.portalrequest import PATH, PORTAL, PortalRequest

pytestmark = WAYLAND_MARKS[1]
MEMBER = "org.freedesktop.portal.Anything"


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    with private_bus(tmp_path) as address:
        yield address


def response(message: Message, number: int) -> Message:
    token = message.body[-1]["handle_token"].value
    handle = f"{PATH}/request/{(message.sender or '')[1:].replace('.', '_')}/{token}"
    results = {"number": Variant("u", number)}
    return Message.new_signal(
        handle, "org.freedesktop.portal.Request", "Response", "ua{sv}", [0, results]
    )


def asked(address: str, seconds: float = 20.0) -> Any:
    with module.connected(address) as connection:
        request = PortalRequest(connection)
        request.prepare()
        try:
            request.send(f"{MEMBER}.Do", "s", "it", more=("b", True))
            return request.answered(seconds)
        except BusError:
            request.close()
            raise


def test_gives_the_options_after_the_arguments_and_returns_the_answer(bus: str) -> None:
    def answer(message: Message) -> Answer:
        assert (message.signature, message.body[0]) == ("sa{sv}", "it")
        assert message.body[1]["more"].value is True
        service.soon(lambda: service.send(response(message, 7)))
        return "o", [response(message, 0).path]

    with FakeService(bus, PORTAL, answer) as service:
        code, results = asked(bus)
    assert (code, results) == (0, {"number": ("u", 7)})


def test_the_answer_of_a_stranger_is_none(bus: str) -> None:
    def answer(message: Message) -> Answer:
        def speak() -> None:
            forge(bus, response(message, 666))
            service.soon(lambda: service.send(response(message, 7)))

        threading.Thread(target=speak).start()
        return "o", ["/"]

    with FakeService(bus, PORTAL, answer) as service:
        _, results = asked(bus)
    assert results["number"] == ("u", 7)


def test_what_is_not_answered_in_time_is_closed_by_its_name(bus: str) -> None:
    with (
        FakeService(bus, PORTAL, lambda _: ("", [])) as service,
        pytest.raises(BusError, match="does not answer"),
    ):
        asked(bus, seconds=0.1)
    do, close = service.calls
    assert (close.member, close.path) == ("Close", response(do, 0).path)


def test_a_portal_that_goes_away_is_not_waited_for(bus: str) -> None:
    def answer(_: Message) -> Answer:
        # As a service that ends: the bus takes its name back.
        service.soon(service._bus.disconnect, 0.05)
        return "o", ["/"]

    with FakeService(bus, PORTAL, answer) as service, pytest.raises(BusError, match="went away"):
        asked(bus, seconds=1_000.0)
    with pytest.raises(BusError):
        asked(bus)  # nobody is there to ask
