import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from support.wayland import WAYLAND_MARKS, wayland_desktop
from workseal_agent import swaysocket
from workseal_agent.swaysocket import SWAY_ERRORS, Output, outputs, tree


@contextmanager
def answering(folder: Path, answer: bytes) -> Iterator[str]:
    """Answer one question with these bytes."""
    path = str(folder / "s")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(64)
                with suppress(OSError):
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield path
        finally:
            thread.join()


def framed(body: bytes, kind: int, length: int | None = None) -> bytes:
    return b"i3-ipc" + struct.pack("=II", len(body) if length is None else length, kind) + body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 400\r\n\r\n and more",
        framed(b"[]", 4),
        framed(b"[", 3),
        framed(b"[]", 3, length=99),
        framed(b"[]", 3, length=1 << 30),
        framed(b"\xff\xff", 3),
        framed(b"[1]", 3),
        framed(b'{"a": 1}', 3),
        framed(b'[{"active": true, "name": 7, "rect": {}}]', 3),
        framed(b'[{"active": true, "name": "A", "rect": {"x": 0}}]', 3),
        framed(b'[{"active": true, "name": "A", "rect": null}]', 3),
    ],
    ids=str,
)
def test_whoever_listens_and_is_no_sway_is_one_of_the_known_errors(
    tmp_path: Path, answer: bytes
) -> None:
    with answering(tmp_path, answer) as path, pytest.raises(SWAY_ERRORS):
        outputs(path)


def test_an_answer_that_drips_is_given_up_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = count()
    monkeypatch.setattr(swaysocket, "monotonic", lambda: float(next(seconds)))
    with (
        answering(tmp_path, framed(b"[" + b" " * (1 << 20) + b"]", 3)) as path,
        pytest.raises(TimeoutError, match="too slowly"),
    ):
        outputs(path)
    # One look begins it, each piece takes one, and the fourth is too late.
    assert next(seconds) == 4


def test_a_socket_that_is_gone_is_one_of_them_too(tmp_path: Path) -> None:
    with pytest.raises(SWAY_ERRORS):
        tree(str(tmp_path / "gone"))


def test_displays_come_in_the_order_of_their_places(tmp_path: Path) -> None:
    told = (
        b'[{"active": true, "name": "B", "rect": {"x": 9, "y": 0, "width": 5, "height": 6}},'
        b' {"active": false, "name": "C"},'
        b' {"active": true, "name": "A", "rect": {"x": 0, "y": 0, "width": 9, "height": 4}}]'
    )
    with answering(tmp_path, framed(told, 3)) as path:
        assert outputs(path) == (Output("A", 0, 0, 9, 4), Output("B", 9, 0, 5, 6))


@pytest.mark.parametrize("word", ["power", "dpms"])
def test_a_display_without_power_is_off(tmp_path: Path, word: str) -> None:
    rect = '"rect": {"x": 0, "y": 0, "width": 9, "height": 4}'
    told = "[{{{0}, {1}: true, {2}}}, {{{0}, {1}: false, {3}}}]".format(
        '"active": true', f'"{word}"', f'"name": "A", {rect}', f'"name": "B", {rect}'
    )
    with answering(tmp_path, framed(told.encode(), 3)) as path:
        assert [one.name for one in outputs(path)] == ["A"]


class TestWithSway:
    pytestmark = WAYLAND_MARKS

    def test_tells_displays_and_the_tree(self) -> None:
        with wayland_desktop() as desktop:
            assert outputs(desktop.sway) == (Output("HEADLESS-1", 0, 0, 640, 480),)
            assert tree(desktop.sway)["type"] == "root"
