import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Message, Variant

from support.buses import Answer, FakeService, forge, private_bus
from support.desktop import noise
from support.wayland import NEEDS_PORTALS, WAYLAND_MARKS, wait_for, wayland_desktop
from workseal_agent.errors import CaptureError, CaptureFailure, NoScreenError
from workseal_agent.screen import portal as module
from workseal_agent.screen.grim import GrimScreen
from workseal_agent.screen.portal import PortalScreen, taken_away
from workseal_agent.surroundings import Surroundings
from workseal_protocol.cli.png import encode_png

pytestmark = WAYLAND_MARKS[1]
PORTAL_MARKS = [*WAYLAND_MARKS, NEEDS_PORTALS]
PIXELS = noise(16, 8)
PICTURE = encode_png(16, 8, PIXELS)
REQUESTS = "/org/freedesktop/portal/desktop/request"


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    with private_bus(tmp_path) as address:
        yield address


@contextmanager
def portal(bus: str, file: Path, data: bytes = PICTURE, **more: Any) -> Iterator[FakeService]:
    """Be a portal that writes these bytes; `code` and `uri` change its answer, None gives none."""
    code, uri = more.get("code", 0), more.get("uri", file.as_uri())

    def answer(message: Message) -> Answer:
        if message.member == "Get":
            return "v", [Variant("u", 2)]
        token = message.body[1]["handle_token"].value
        assert message.body[1]["interactive"].value is False
        handle = f"{REQUESTS}/{(message.sender or '')[1:].replace('.', '_')}/{token}"
        if code is not None:
            file.write_bytes(data)
            results = {"uri": Variant("s", uri)}
            response = Message.new_signal(
                handle, "org.freedesktop.portal.Request", "Response", "ua{sv}", [code, results]
            )
            # A stranger's answer comes first, and is nobody's.
            stranger = Message.new_signal(
                f"{REQUESTS}/1_1/other", "org.freedesktop.portal.Request", "Response", "ua{sv}",
                [0, {"uri": Variant("s", "file:///etc/passwd")}],
            )  # fmt: skip
            service.soon(lambda: service.send(stranger))
            service.soon(lambda: service.send(response))
        return "o", [handle]

    with FakeService(bus, "org.freedesktop.portal.Desktop", answer) as service:
        yield service


def response(handle: str, file: Path) -> Message:
    results = {"uri": Variant("s", file.as_uri())}
    return Message.new_signal(
        handle, "org.freedesktop.portal.Request", "Response", "ua{sv}", [0, results]
    )


def around(bus: str) -> Surroundings:
    return Surroundings("linux", wayland="wayland-1", session_bus=bus)


def test_gives_the_picture_and_leaves_no_file(bus: str, tmp_path: Path) -> None:
    file = tmp_path / "a picture.png"
    with portal(bus, file):
        screen = PortalScreen(around(bus))
        for _ in range(2):
            (frame,) = screen.grab()
            assert (frame.width, frame.height, frame.rgb) == (16, 8, PIXELS)
            assert not file.exists()


@pytest.mark.parametrize("data", [b"", b"GIF89a", PICTURE[:-9]], ids=["empty", "other", "cut"])
def test_a_file_that_is_no_picture_is_removed_all_the_same(
    bus: str, tmp_path: Path, data: bytes
) -> None:
    file = tmp_path / "out.png"
    with portal(bus, file, data):
        screen = PortalScreen(around(bus))
        with pytest.raises(CaptureError) as caught:
            screen.grab()
    assert caught.value.failure is CaptureFailure.OTHER
    assert not file.exists()


@pytest.mark.parametrize("code", [1, 2])
def test_a_no_of_the_desktop_is_refused(bus: str, tmp_path: Path, code: int) -> None:
    with portal(bus, tmp_path / "out.png", code=code):
        screen = PortalScreen(around(bus))
        with pytest.raises(CaptureError) as caught:
            screen.grab()
    assert caught.value.failure is CaptureFailure.REFUSED


def test_a_portal_that_never_answers_is_given_up(
    bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.2)
    with portal(bus, tmp_path / "out.png", code=None):
        screen = PortalScreen(around(bus))
        with pytest.raises(CaptureError) as caught:
            screen.grab()
    assert caught.value.failure is CaptureFailure.NO_DISPLAY
    with pytest.raises(CaptureError):
        screen.grab()


def test_what_comes_too_late_is_asked_not_to_come_and_leaves_no_file(
    bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The portal finishes its picture just when it is told that nobody wants it any more."""
    monkeypatch.setattr(module, "_SECONDS", 0.2)
    file, closed = tmp_path / "out.png", list[str]()

    def answer(message: Message) -> Answer:
        if message.member == "Get":
            return "v", [Variant("u", 2)]
        if message.member == "Screenshot":
            token = message.body[1]["handle_token"].value
            return "o", [f"{REQUESTS}/{(message.sender or '')[1:].replace('.', '_')}/{token}"]
        file.write_bytes(PICTURE)
        service.soon(lambda: service.send(response(str(message.path), file)))
        closed.append(str(message.member))
        return "", []

    with FakeService(bus, "org.freedesktop.portal.Desktop", answer) as service:
        screen = PortalScreen(around(bus))
        with pytest.raises(CaptureError) as caught:
            screen.grab()
        assert caught.value.failure is CaptureFailure.NO_DISPLAY
        wait_for("the removal", lambda: closed == ["Close"] and not file.exists())


def test_only_the_portal_names_the_file(bus: str, tmp_path: Path) -> None:
    """Who knows the request's name, and is not the portal, would have another file removed."""
    file, other = tmp_path / "out.png", tmp_path / "thesis.png"
    other.write_bytes(PICTURE)

    def answer(message: Message) -> Answer:
        if message.member == "Get":
            return "v", [Variant("u", 2)]
        token = message.body[1]["handle_token"].value
        handle = f"{REQUESTS}/{(message.sender or '')[1:].replace('.', '_')}/{token}"

        def speak() -> None:
            forge(bus, response(handle, other))
            file.write_bytes(PICTURE)
            service.soon(lambda: service.send(response(handle, file)))

        threading.Thread(target=speak).start()
        return "o", [handle]

    with FakeService(bus, "org.freedesktop.portal.Desktop", answer) as service:
        PortalScreen(around(bus)).grab()
    assert other.exists()
    assert not file.exists()


def test_without_a_portal_there_is_no_screen(bus: str) -> None:
    with pytest.raises(NoScreenError, match="no Screenshot portal"):
        PortalScreen(around(bus))
    with pytest.raises(NoScreenError, match="no D-Bus"):
        PortalScreen(Surroundings("linux", wayland="wayland-1"))
    with pytest.raises(NoScreenError, match="no Wayland session"):
        PortalScreen(Surroundings("linux"))


def test_tells_no_windows(bus: str, tmp_path: Path) -> None:
    with portal(bus, tmp_path / "out.png"):
        screen = PortalScreen(around(bus))
        assert not screen.lists_windows
        with pytest.raises(CaptureError):
            screen.windows()


# --- the file that is left behind ---------------------------------------------------------------


@pytest.mark.parametrize("uri", ["https://example.test/a.png", "file://other/a.png", "", "file:"])
def test_only_a_local_file_is_looked_at(uri: str) -> None:
    with pytest.raises(CaptureError, match="no local file"):
        taken_away(uri, time.time_ns())


def test_a_file_that_was_there_before_is_left_alone(tmp_path: Path) -> None:
    old = tmp_path / "holiday.png"
    old.write_bytes(PICTURE)
    os.utime(old, (1, 1))
    with pytest.raises(CaptureError, match="did not make just now"):
        taken_away(old.as_uri(), time.time_ns())
    assert old.read_bytes() == PICTURE


def test_a_link_is_neither_followed_nor_removed(tmp_path: Path) -> None:
    target, link = tmp_path / "target.png", tmp_path / "link.png"
    target.write_bytes(PICTURE)
    link.symlink_to(target)
    with pytest.raises(CaptureError):
        taken_away(link.as_uri(), 0)
    assert target.read_bytes() == PICTURE


def test_a_file_that_cannot_be_opened_is_removed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "out.png"
    file.write_bytes(PICTURE)

    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CaptureError) as caught:
        taken_away(file.as_uri(), 0)
    assert not file.exists()
    assert str(file) not in str(caught.value)


def test_a_database_is_not_taken_for_a_picture(tmp_path: Path) -> None:
    """A ledger that is being written fits every other mark of a picture that was made just now."""
    file = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(file)) as ledger:
        ledger.execute("CREATE TABLE chain (n INTEGER)")
        ledger.commit()
    with pytest.raises(CaptureError, match="no picture"):
        taken_away(file.as_uri(), 0)
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_a_picture_that_cannot_be_removed_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "out.png"
    file.write_bytes(PICTURE)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(CaptureError, match="cannot be read and removed"):
        taken_away(file.as_uri(), 0)


# --- a real portal ------------------------------------------------------------------------------

_GRAB = """
began = time.time_ns()
(frame,) = PortalScreen(around).grab()
sys.stdout.buffer.write(frame.rgb)
"""
_EXAMINE = """
for one in examine_sources(around, Wanted(screen="portal", masking=False))[0].candidates:
    if one.name == "portal":
        print(one.fit, one.reason)
"""


class TestWithARealPortal:
    pytestmark = PORTAL_MARKS

    def test_gives_the_same_pixels_as_grim_and_leaves_no_file(self) -> None:
        with wayland_desktop() as desktop:
            desktop.open_window("client repo", command="seq 30; sleep 600")
            desktop.start_portals()
            left = set(Path("/tmp").glob("*.png"))  # noqa: S108 - where this backend writes
            rgb = desktop.run_python(_GRAB)
            (frame,) = GrimScreen(desktop.around).grab()
            assert rgb == frame.rgb
            assert len(set(rgb)) > 2
            assert set(Path("/tmp").glob("*.png")) <= left  # noqa: S108
            assert b"True" in desktop.run_python(_EXAMINE)
            assert set(Path("/tmp").glob("*.png")) <= left  # noqa: S108
