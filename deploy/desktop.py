"""A private desktop: a virtual X11 server with real programs on it. Standard library only.

    with Desktop.start(1280, 800) as desktop:
        terminal = desktop.open_terminal("client repo", at=(40, 40))
        desktop.type_text(terminal, "make test")
        desktop.environment   # for a program that is to see this screen

Rules: the server picks a free display by itself; whatever was started here ends with the `with`.
The demo and the tests use this file; it knows nothing of the agent.
"""

import contextlib
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 20.0  # seconds; a loaded machine starts programs slowly
REQUIRED = ("Xvfb", "xdotool")


class DesktopError(Exception):
    """Say what did not start."""


@dataclass(frozen=True, slots=True)
class Area:
    """Hold a rectangle in pixels of the screen."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class DesktopWindow:
    """Name a window that was opened here."""

    identifier: int
    title: str


def missing_tools(names: Sequence[str] = REQUIRED) -> tuple[str, ...]:
    """Name the programs that are not installed."""
    return tuple(name for name in names if shutil.which(name) is None)


class Desktop:
    """Own one X11 server and all that runs on it."""

    def __init__(self, display: str, programs: list[subprocess.Popen[bytes]], folder: Path) -> None:
        self.display = display
        self._programs = programs
        self._folder = folder

    @classmethod
    def start(
        cls, width: int = 1280, height: int = 800, *, window_manager: bool = True
    ) -> "Desktop":
        """Start Xvfb on a free display, with openbox if it is wanted and installed."""
        command = ["Xvfb", "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"]
        desktop = cls._start_server(command, os.environ)
        if window_manager and shutil.which("openbox"):
            desktop.run(["openbox", "--sm-disable"])
            desktop.wait_for("openbox", desktop.has_window_manager)
        return desktop

    def start_nested(self, width: int = 800, height: int = 600) -> "Desktop":
        """Start Xephyr in a window of this desktop: typing into it is device input inside."""
        title = f"nested {secrets.token_hex(4)}"
        command = [
            "Xephyr",
            "-noreset",
            "-nolisten",
            "tcp",
            "-screen",
            f"{width}x{height}",
            "-title",
            title,
        ]
        nested = self._start_server(command, self.environment)
        nested.window_outside = self._find(title)
        return nested

    window_outside: DesktopWindow | None = None

    @classmethod
    def _start_server(cls, command: Sequence[str], environment: Mapping[str, str]) -> "Desktop":
        missing = missing_tools((command[0], "xdotool"))
        if missing:
            raise DesktopError(f"not installed: {', '.join(missing)}")
        folder = Path(tempfile.mkdtemp(prefix="workseal-desktop-"))
        reading, writing = os.pipe()
        server = subprocess.Popen(
            [*command, "-displayfd", str(writing)],
            pass_fds=[writing],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            number = pipe.readline().strip().decode("ascii")
        desktop = cls(f":{number}", [server], folder)
        if not number:
            desktop.close()
            raise DesktopError(f"{command[0]} did not start")
        return desktop

    @property
    def environment(self) -> dict[str, str]:
        """Return an environment in which programs see this screen and no other."""
        hidden = {"WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS"}
        kept = {key: value for key, value in os.environ.items() if key not in hidden}
        return kept | {"DISPLAY": self.display}

    def run(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a program on this screen; it ends with the desktop."""
        program = subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._programs.append(program)
        return program

    def open_terminal(
        self,
        title: str,
        *,
        at: tuple[int, int] = (40, 40),
        size: tuple[int, int] = (80, 24),
        command: str = "cat",
        wm_class: str | None = None,
    ) -> DesktopWindow:
        """Open xterm with a shell command (by default one that echoes what is typed).

        `at` is the place of its frame in pixels, `size` its columns and rows.
        """
        known = self._identifiers(title)
        self.run(
            [
                "xterm",
                *(["-class", wm_class] if wm_class else []),
                *("-geometry", "{}x{}+{}+{}".format(*size, *at)),
                *("-T", title, "-xrm", "*cursorBlink: false", "-e", "sh", "-c", command),
            ]
        )
        return self._find(title, known)

    def open_editor(self, file: Path) -> DesktopWindow:
        """Open mousepad on a file, with a session bus of its own if there is a launcher."""
        launcher = ["dbus-run-session", "--"] if shutil.which("dbus-run-session") else []
        known = self._identifiers(file.name)
        self.run([*launcher, "mousepad", "--disable-server", str(file)])
        return self._find(file.name, known)

    def type_text(self, window: DesktopWindow, text: str, *, delay_ms: int = 8) -> None:
        """Focus a window and type into it."""
        self.focus(window)
        self.xdotool("type", "--delay", str(delay_ms), "--", text)

    def press(self, window: DesktopWindow, *keys: str) -> None:
        """Focus a window and press keys by name, such as Return or ctrl+s."""
        self.focus(window)
        self.xdotool("key", "--delay", "20", *keys)

    def click(self, window: DesktopWindow, *, times: int = 1) -> None:
        """Click into the middle of a window."""
        area = self.area(window)
        self.xdotool(
            "mousemove", str(area.left + area.width // 2), str(area.top + area.height // 2)
        )
        for _ in range(times):
            self.xdotool("click", "1")

    def focus(self, window: DesktopWindow) -> None:
        """Give a window the keyboard."""
        how = "windowactivate" if self.has_window_manager() else "windowfocus"
        self.xdotool(how, "--sync", str(window.identifier))

    def move(self, window: DesktopWindow, left: int, top: int) -> None:
        """Move a window and wait until it is elsewhere than before."""
        before = self.area(window)
        self.xdotool("windowmove", str(window.identifier), str(left), str(top))
        self.wait_for("the window's move", lambda: self.area(window) != before)

    def raise_(self, window: DesktopWindow) -> None:
        """Put a window above the others."""
        self.xdotool("windowraise", str(window.identifier))

    def area(self, window: DesktopWindow) -> Area:
        """Return where a window's content is, without decorations."""
        if shutil.which("xwininfo"):  # xdotool counts the decorations twice under a window manager
            return _parse_xwininfo(self._call(["xwininfo", "-id", str(window.identifier)]))
        answer = self.xdotool("getwindowgeometry", "--shell", str(window.identifier))
        pairs = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
        return Area(int(pairs["X"]), int(pairs["Y"]), int(pairs["WIDTH"]), int(pairs["HEIGHT"]))

    def resize_screen(self, width: int, height: int) -> None:
        """Change the resolution (only with xrandr, and only to a mode the server has)."""
        self._call(["xrandr", "-s", f"{width}x{height}"])

    def xdotool(self, *arguments: str) -> str:
        """Run xdotool on this screen and return what it printed."""
        return self._call(["xdotool", *arguments])

    def close(self) -> None:
        """End every program, the server last; safe to repeat."""
        programs, self._programs = self._programs, []
        for program in reversed(programs):
            _end(program)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _call(self, command: Sequence[str]) -> str:
        try:
            done = subprocess.run(
                command,
                env=self.environment,
                capture_output=True,
                check=True,
                text=True,
                timeout=PATIENCE,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise DesktopError(f"{shlex.join(command[:2])} failed") from error
        return done.stdout

    def has_window_manager(self) -> bool:
        """Say whether a window manager runs (one that speaks EWMH)."""
        with contextlib.suppress(DesktopError):
            return bool(self._call(["xdotool", "get_desktop"]).strip())
        return False

    def _identifiers(self, title: str) -> frozenset[int]:
        """Return the visible windows of a title; xdotool fails when there is none."""
        with contextlib.suppress(DesktopError):
            pattern = "".join(f"\\{c}" if not c.isalnum() and c != " " else c for c in title)
            found = self._call(["xdotool", "search", "--onlyvisible", "--name", pattern])
            return frozenset(int(line) for line in found.split())
        return frozenset()

    def _find(self, title: str, known: frozenset[int] = frozenset()) -> DesktopWindow:
        self.wait_for(f"the window {title!r}", lambda: bool(self._identifiers(title) - known))
        return DesktopWindow(max(self._identifiers(title) - known), title)

    def wait_for(self, what: str, ready: Callable[[], bool]) -> None:
        """Wait until a condition holds, or raise `DesktopError` after `PATIENCE` seconds."""
        for _ in _until(PATIENCE):
            if ready():
                return
        raise DesktopError(f"{what} did not appear")


def _parse_xwininfo(text: str) -> Area:
    pairs = dict(line.strip().split(":", 1) for line in text.splitlines() if ": " in line)
    names = ("Absolute upper-left X", "Absolute upper-left Y", "Width", "Height")
    return Area(*(int(pairs[name]) for name in names))


def _until(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.05)


def _end(program: subprocess.Popen[bytes]) -> None:
    """End a program with its children: first asked, then made to."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(program.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(timeout=3)
            return
