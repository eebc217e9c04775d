import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Message, Variant

from support.buses import Answer, FakeService
from support.pipewire import (
    HEIGHT,
    NEEDS_PIPEWIRE,
    WIDTH,
    PipeWire,
    private_pipewire,
    shows_pattern,
)
from support.wayland import WAYLAND_MARKS
from workseal_agent.errors import CaptureError, CaptureFailure, NoScreenError
from workseal_agent.screen import cast as module
from workseal_agent.screen.cast import CastScreen, read_picture
from workseal_agent.surroundings import Surroundings

pytestmark = [WAYLAND_MARKS[1], NEEDS_PIPEWIRE]
PORTAL = "org.freedesktop.portal.Desktop"
DESKTOP = "/org/freedesktop/portal/desktop"
FRAME_SECONDS = module._FRAME_SECONDS


class Portal:
    """Be a ScreenCast portal: it asks unless it is given the token that it handed out last."""

    def __init__(self, pipewire: PipeWire, patch: pytest.MonkeyPatch) -> None:
        self._pipewire = pipewire
        self._patch = patch
        self.streams: list[Any] = []
        self.hands_out = True
        self.silent = 0
        self.version = 4
        self.code = 0
        self.asked = 0
        self.lets_be = False
        self.handed_out = 0
        self.open: set[str] = set()
        self._given: str | None = None
        self.service: FakeService

    def answer(self, message: Message) -> Answer | None:  # noqa: PLR0911 - one for each question
        match message.member, message.body:
            case "Get", [_, "version"]:
                return "v", [Variant("u", self.version)]
            case "Get", [_, "AvailableSourceTypes"]:
                return "v", [Variant("u", 3)]
            case "CreateSession", [options]:
                session = f"{DESKTOP}/session/x/{options['session_handle_token'].value}"
                self.open.add(session)
                return self._later(message, 0, {"session_handle": Variant("s", session)})
            case "SelectSources", [session, options] if session in self.open:
                assert (options["types"].value, options["persist_mode"].value) == (1, 2)
                given = options.get("restore_token")
                self._given = None if given is None else given.value
                return self._later(message, 0, {})
            case "Start", [session, "", _] if session in self.open:
                return self._started(message)
            case "OpenPipeWireRemote", [session, _] if session in self.open:
                return "h", [0], [self._remote()]
            case "Close", []:
                self.open.discard(str(message.path))
                return "", []
        return "org.freedesktop.DBus.Error.UnknownMethod"

    def _started(self, message: Message) -> Answer | None:
        if self._given is None or self._given != f"token {self.handed_out}":
            self.asked += 1
        if self.lets_be:
            token = message.body[-1]["handle_token"].value
            sender = (message.sender or "")[1:].replace(".", "_")
            return "o", [f"{DESKTOP}/request/{sender}/{token}"]
        results = {}
        if not self.code:
            results["streams"] = Variant("a(ua{sv})", self.streams)
        if not self.code and self.hands_out:
            self.handed_out += 1
            results["restore_token"] = Variant("s", f"token {self.handed_out}")
        return self._later(message, self.code, results)

    def _remote(self) -> int:
        # Nobody waits for what will not come.
        self._patch.setattr(module, "_FRAME_SECONDS", 0.5 if self.silent else FRAME_SECONDS)
        if not self.silent:
            return self._pipewire.remote()
        self.silent -= 1
        return self._pipewire.silent_remote()

    def _later(self, message: Message, code: int, results: dict[str, Variant]) -> Answer:
        token = message.body[-1]["handle_token"].value
        handle = f"{DESKTOP}/request/{(message.sender or '')[1:].replace('.', '_')}/{token}"
        response = Message.new_signal(
            handle, "org.freedesktop.portal.Request", "Response", "ua{sv}", [code, results]
        )
        self.service.soon(lambda: self.service.send(response))
        return "o", [handle]


@pytest.fixture(scope="module")
def pipewire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PipeWire, str]]:
    with private_pipewire(tmp_path_factory.mktemp("pw")) as made:
        yield made


@pytest.fixture(scope="module")
def nodes(pipewire: tuple[PipeWire, str]) -> tuple[int, int]:
    made, _ = pipewire
    return made.show(), made.show()


@pytest.fixture
def portal(
    pipewire: tuple[PipeWire, str], nodes: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Portal]:
    made, address = pipewire
    portal = Portal(made, monkeypatch)
    portal.streams = [[nodes[0], {"position": Variant("(ii)", [0, 0])}]]
    with FakeService(address, PORTAL, portal.answer) as portal.service:
        yield portal


def around(portal: Portal) -> Surroundings:
    return Surroundings("linux", wayland="wayland-1", session_bus=portal.service._address)


def test_gives_the_pixels_of_each_display_and_closes_its_session(
    portal: Portal, nodes: tuple[int, int]
) -> None:
    portal.streams.append([nodes[1], {"position": Variant("(ii)", [WIDTH, 0])}])
    left, right = CastScreen(around(portal)).grab()
    for one in (left, right):
        assert (one.width, one.height) == (WIDTH, HEIGHT)
        assert shows_pattern(one.rgb)
    assert [(one.display, one.left, one.top) for one in (left, right)] == [(0, 0, 0), (1, 320, 0)]
    assert portal.open == set()


def test_the_person_is_asked_once_also_by_the_next_process(portal: Portal, tmp_path: Path) -> None:
    file = tmp_path / "token"
    screen = CastScreen(around(portal), file)
    screen.grab()
    screen.grab()
    assert file.read_text() == "token 2"
    assert file.stat().st_mode & 0o777 == 0o600
    CastScreen(around(portal), file).grab()
    assert (portal.asked, portal.handed_out) == (1, 3)


@pytest.mark.parametrize("code", [1, 2])
def test_who_refuses_is_not_asked_again(portal: Portal, code: int) -> None:
    portal.code = code
    screen = CastScreen(around(portal))
    for _ in range(3):
        with pytest.raises(CaptureError) as caught:
            screen.grab()
        assert caught.value.failure is CaptureFailure.REFUSED
    assert portal.asked == 1
    assert portal.open == set()


def test_who_lets_the_question_be_is_not_asked_again(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody is away from the desk: the next capture must not put one more question there."""
    monkeypatch.setattr(module, "_ASK_SECONDS", 0.3)
    portal.lets_be = True
    screen = CastScreen(around(portal))
    for _ in range(3):
        with pytest.raises(CaptureError, match="nobody answered") as caught:
            screen.grab()
        assert caught.value.failure is CaptureFailure.REFUSED
    assert portal.asked == 1
    assert portal.open == set()
    # The next start asks again.
    portal.lets_be = False
    monkeypatch.undo()
    CastScreen(around(portal)).grab()
    assert portal.asked == 2


def test_a_stream_that_gives_nothing_is_replaced_by_that_of_a_new_session(portal: Portal) -> None:
    portal.silent = 2
    (frame,) = CastScreen(around(portal)).grab()
    assert shows_pattern(frame.rgb)
    assert (portal.asked, portal.handed_out) == (1, 3)


def test_gives_up_after_three_sessions(portal: Portal) -> None:
    portal.silent = 4
    with pytest.raises(CaptureError, match="no picture") as caught:
        CastScreen(around(portal)).grab()
    assert caught.value.failure is CaptureFailure.NO_DISPLAY
    assert (portal.silent, portal.open) == (1, set())


def test_asks_nobody_again_for_the_sake_of_a_stream(portal: Portal) -> None:
    portal.silent = 1
    portal.hands_out = False
    with pytest.raises(CaptureError, match="no picture"):
        CastScreen(around(portal)).grab()
    assert portal.asked == 1


def test_a_desktop_that_shares_nothing_is_no_picture(portal: Portal) -> None:
    portal.streams = []
    with pytest.raises(CaptureError, match="shares no display") as caught:
        CastScreen(around(portal)).grab()
    assert caught.value.failure is CaptureFailure.NO_DISPLAY
    assert portal.open == set()


def test_a_way_that_leads_nowhere_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FRAME_SECONDS", 1.0)
    near, far = os.pipe()
    try:
        with pytest.raises(CaptureError, match="no picture"):
            read_picture(near, 1)
    finally:
        os.close(near)
        os.close(far)


def test_says_what_is_missing(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoScreenError, match="no Wayland session"):
        CastScreen(Surroundings("linux"))
    portal.version = 3
    with pytest.raises(NoScreenError, match="version 3, expected 4"):
        CastScreen(around(portal))
    with pytest.raises(NoScreenError, match="no ScreenCast portal: this session has no D-Bus"):
        CastScreen(Surroundings("linux", wayland="wayland-1"))
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NoScreenError, match="needs the program gst-launch"):
        CastScreen(around(portal))


def test_tells_no_windows(portal: Portal) -> None:
    screen = CastScreen(around(portal))
    assert not screen.lists_windows
    with pytest.raises(CaptureError):
        screen.windows()
    screen.close()
