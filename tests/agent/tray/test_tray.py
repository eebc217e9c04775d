"""The icon over a real bus: a watcher, a panel that asks and clicks, and a real control socket."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from support.buses import PATIENCE, FakeService, private_bus
from workseal_agent.daemon.control import ControlServer
from workseal_agent.tray import item, menu
from workseal_agent.tray.icon import Sign, pixmaps
from workseal_agent.tray.menu import Entry
from workseal_agent.tray.served import PROPERTIES

PROGRAM = "from workseal_agent.tray.program import main; raise SystemExit(main())"
ENGAGEMENT = "ab" * 16


class Recording:
    """Stand in for the recording process behind a real control socket."""

    def __init__(self, folder: Path) -> None:
        self.state = "working"
        self.troubles: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.changed = threading.Event()
        self.server = ControlServer(folder / "control.sock", self._answer)
        self.server.start()

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["command"] != "status":
            self.asked.append(request)
            self.state = {
                "pause": "paused", "resume": "working", "stop": "stopped",
                "seal": "working" if self.state == "sealed" else "sealed",
            }[request["command"]]  # fmt: skip
            self.changed.set()
        return {"state": self.state, "troubles": self.troubles, "engagement": ENGAGEMENT}


class Panel:
    """Be a panel: own the watcher's name, and ask the icon that is announced."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.announced: list[str] = []
        self.heard = threading.Event()
        self.service = FakeService(address, item.WATCHER, self._answer)

    def _answer(self, message: Message) -> tuple[str, list[Any]]:
        assert (message.path, message.member) == (
            item.WATCHER_PATH, "RegisterStatusNotifierItem",
        )  # fmt: skip
        self.announced.append(message.body[0])
        self.heard.set()
        return "", []

    def ask(self, path: str, member: str, signature: str = "", *body: Any) -> Message:
        return asyncio.run(self._ask(path, member, signature, body))

    async def _ask(self, path: str, member: str, signature: str, body: tuple[Any, ...]) -> Message:
        bus = await MessageBus(bus_address=self._address).connect()
        try:
            interface, _, name = member.rpartition(".")
            question = Message(
                destination=self.announced[-1], path=path, interface=interface, member=name,
                signature=signature, body=list(body),
            )  # fmt: skip
            answer = await asyncio.wait_for(bus.call(question), PATIENCE)
            assert answer is not None
            return answer
        finally:
            bus.disconnect()

    def shown(self, name: str) -> Any:
        answer = self.ask(item.PATH, f"{PROPERTIES}.Get", "ss", item.INTERFACE, name)
        return answer.body[0].value

    def entries(self) -> dict[Entry, dict[str, Any]]:
        answer = self.ask(menu.PATH, f"{menu.INTERFACE}.GetLayout", "iias", 0, -1, [])
        _, (root, _, below) = answer.body
        assert root == 0
        return {
            Entry(one.value[0]): {name: told.value for name, told in one.value[1].items()}
            for one in below
        }

    def choose(self, entry: Entry) -> None:
        self.ask(
            menu.PATH, f"{menu.INTERFACE}.Event", "isvu", int(entry), "clicked", Variant("s", ""), 0
        )

    def until(self, wanted: Callable[[], bool]) -> None:
        """Wait until something is as it should be; the icon asks every two seconds."""
        for _ in range(200):
            if wanted():
                return
            threading.Event().wait(0.1)
        raise AssertionError("it never came to that")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with private_bus(tmp_path) as address:
        yield address


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    made = Recording(tmp_path)
    yield made
    made.server.close()


@pytest.fixture
def start(tmp_path: Path, address: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    begun: list[subprocess.Popen[str]] = []

    def start(**more: str) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "LANGUAGE": "",
            "LC_ALL": "C",
            "DBUS_SESSION_BUS_ADDRESS": address,
            **more,
        }
        command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(tmp_path / "control.sock")]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        begun.append(process)
        return process

    yield start
    for one in begun:
        one.terminate()
        one.communicate(timeout=PATIENCE)


@pytest.fixture
def panel(address: str, start: Callable[..., subprocess.Popen[str]]) -> Iterator[Panel]:
    panel = Panel(address)
    with panel.service:
        start()
        assert panel.heard.wait(PATIENCE)
        yield panel


def test_a_panel_sees_each_state_by_its_shape(recording: Recording, panel: Panel) -> None:
    for state, sign, told in (
        ("working", Sign.WORKING, "Recording"),
        ("paused", Sign.PAUSED, "Paused"),
        ("sealed", Sign.SEALED, "Recording, sealed: no pictures, no counts"),
        ("off-screen", Sign.OFF_SCREEN, "Recording, away from the screen"),
    ):
        recording.state = state
        panel.until(lambda told=told: panel.shown("Title") == f"Workseal: {told}")  # type: ignore[misc]
        assert [tuple(one) for one in panel.shown("IconPixmap")] == list(pixmaps(sign))
        assert [*panel.shown("ToolTip")][2:] == ["Workseal", told]
        assert panel.shown("Status") == "Active"
    recording.troubles = ["the verifier said: secret words"]
    panel.until(lambda: panel.shown("Status") == "NeedsAttention")
    answer = panel.ask(item.PATH, f"{PROPERTIES}.GetAll", "s", item.INTERFACE)
    assert "secret" not in repr(answer.body)
    assert ENGAGEMENT[:8] not in repr(answer.body)


def test_the_menu_pauses_resumes_seals_and_stops(recording: Recording, panel: Panel) -> None:
    def can(entry: Entry) -> bool:
        return panel.entries()[entry].get("enabled", True)  # type: ignore[no-any-return]

    panel.until(lambda: can(Entry.PAUSE))
    assert not can(Entry.RESUME)
    assert not can(Entry.STATE)
    # What cannot be chosen is not done, whatever a panel sends.
    panel.choose(Entry.RESUME)
    panel.choose(Entry.PAUSE)
    panel.until(lambda: can(Entry.RESUME))
    assert not can(Entry.PAUSE)
    assert not can(Entry.SEALED)
    panel.choose(Entry.RESUME)
    panel.until(lambda: can(Entry.SEALED))
    assert panel.entries()[Entry.SEALED]["toggle-state"] == 0
    panel.choose(Entry.SEALED)
    panel.until(lambda: panel.entries()[Entry.SEALED]["toggle-state"] == 1)
    panel.choose(Entry.STOP)
    panel.until(lambda: panel.shown("Title") == "Workseal: Nothing is recorded")
    assert not can(Entry.STOP)
    assert recording.asked == [
        {"command": name, "engagement": ENGAGEMENT} for name in ("pause", "resume", "seal", "stop")
    ]


def test_a_menu_that_is_looked_at_does_nothing(recording: Recording, panel: Panel) -> None:
    panel.until(lambda: panel.shown("Title") == "Workseal: Recording")
    path, name = menu.PATH, menu.INTERFACE
    assert panel.ask(path, f"{name}.AboutToShow", "i", 0).body == [False]
    panel.ask(path, f"{name}.Event", "isvu", int(Entry.STOP), "hovered", Variant("s", ""), 0)
    group = panel.ask(path, f"{name}.GetGroupProperties", "aias", [int(Entry.PAUSE), 99], [])
    assert [one[0] for one in group.body[0]] == [int(Entry.PAUSE)]
    unknown = [[99, "clicked", Variant("s", ""), 0]]
    assert panel.ask(path, f"{name}.EventGroup", "a(isvu)", unknown).body == [[99]]
    assert recording.asked == []


@pytest.mark.parametrize(
    ("path", "member", "signature", "body", "error"),
    [
        (item.PATH, f"{item.INTERFACE}.Explode", "", [], "UnknownMethod"),
        (item.PATH, f"{item.INTERFACE}.Activate", "s", ["x"], "InvalidArgs"),
        (item.PATH, f"{PROPERTIES}.Get", "ss", [item.INTERFACE, "Secret"], "UnknownProperty"),
        (
            item.PATH, f"{PROPERTIES}.Set", "ssv",
            [item.INTERFACE, "Title", Variant("s", "x")], "PropertyReadOnly",
        ),
        (menu.PATH, f"{menu.INTERFACE}.Event", "s", ["x"], "InvalidArgs"),
    ],
)  # fmt: skip
def test_a_question_that_is_none_gets_an_error_and_the_icon_lives(
    panel: Panel, path: str, member: str, signature: str, body: list[Any], error: str
) -> None:
    answer = panel.ask(path, member, signature, *body)
    assert answer.message_type is MessageType.ERROR
    assert answer.error_name == f"org.freedesktop.DBus.Error.{error}"
    assert panel.shown("Id") == "workseal-agent"


def test_without_a_recording_the_icon_says_so_and_offers_no_more(panel: Panel) -> None:
    panel.until(lambda: panel.shown("Title") == "Workseal: Nothing is recorded")
    able = {entry for entry, told in panel.entries().items() if told.get("enabled", True)}
    assert able - {Entry.AFTER_STATE, Entry.BEFORE_STOP} == {Entry.PAGES, Entry.CLOSE}


def test_a_panel_that_comes_later_or_again_is_told_of_the_icon(
    address: str, start: Callable[..., subprocess.Popen[str]]
) -> None:
    process = start()
    assert process.stdout is not None
    assert process.stdout.readline() == "no panel shows icons here yet: it waits for one\n"
    for _ in range(2):
        panel = Panel(address)
        with panel.service:
            assert panel.heard.wait(PATIENCE)
            assert panel.shown("Menu") == menu.PATH


def test_closing_the_icon_ends_it_and_nothing_else(
    recording: Recording, address: str, start: Callable[..., subprocess.Popen[str]]
) -> None:
    panel = Panel(address)
    with panel.service:
        process = start()
        assert panel.heard.wait(PATIENCE)
        panel.choose(Entry.CLOSE)
        assert process.communicate(timeout=PATIENCE) == ("", "")
        assert process.returncode == 0
    assert recording.asked == []


def test_a_session_without_a_bus_is_one_sentence(
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    process = start(DBUS_SESSION_BUS_ADDRESS="", XDG_RUNTIME_DIR="")
    assert process.communicate(timeout=PATIENCE)[1] == (
        "workseal-agent: this session has no D-Bus\n"
    )
    assert process.returncode == 1


def test_the_menu_is_german_where_its_owner_is(
    address: str, recording: Recording, start: Callable[..., subprocess.Popen[str]]
) -> None:
    assert recording.state == "working"
    panel = Panel(address)
    with panel.service:
        start(LC_ALL="de_DE.UTF-8")
        assert panel.heard.wait(PATIENCE)
        assert panel.entries()[Entry.STOP]["label"] == "Aufzeichnung beenden"
