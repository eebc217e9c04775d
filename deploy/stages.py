"""Where the demo's work takes place: a virtual screen, the user's own, or a recorded desktop.

Rule: on the user's own screen the demo opens two windows and types nothing; it never sends input
to windows that it did not open on a screen that it did not start.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from desktop import Desktop, DesktopWindow, missing_tools

RECORDED = Path(__file__).resolve().parent / "recorded"
NEEDED = ("Xvfb", "xdotool", "xterm")


class Stage(Protocol):
    """Give the agent something to see, and put work on it."""

    kind: str
    description: str
    environment: dict[str, str]
    capture_options: tuple[str, ...]

    def open_windows(self, title: str, text: str, secret_title: str, secret: str) -> None:
        """Open the window that is worked in, and one that the mask rules exclude."""

    def type_text(self, text: str) -> None:
        """Do a second's worth of work."""


class VirtualStage:
    """Work on an X11 server of the demo's own, with real programs and real input events."""

    kind = "xvfb"
    capture_options: tuple[str, ...] = ("--screen", "x11")

    def __init__(self, desktop: Desktop) -> None:
        self.desktop = desktop
        self.description = f"a virtual one (Xvfb {desktop.display}), real windows, typed text"
        self.environment = {"DISPLAY": desktop.display}
        self._window: DesktopWindow | None = None

    def open_windows(self, title: str, text: str, secret_title: str, secret: str) -> None:
        """Open two terminals: one to type into, one that a password manager might be."""
        echo = f"echo '{secret} {secret} {secret}'; exec cat"
        self.desktop.open_terminal(
            secret_title, at=(720, 60), size=(60, 12), command=echo, wm_class="KeePassXC"
        )
        # The word stands in the lower right, which is never revealed.
        words = f"echo '{text} {text}'; exec cat"
        self.desktop.open_terminal("draft", at=(700, 520), size=(70, 14), command=words)
        self._window = self.desktop.open_terminal(title, at=(20, 40), size=(80, 22))

    def type_text(self, text: str) -> None:
        """Type a line."""
        if self._window is not None:
            self.desktop.type_text(self._window, text)
            self.desktop.press(self._window, "Return")


class OwnStage:
    """Record the screen of whoever runs the demo; nothing of it leaves the machine."""

    kind = "own"
    capture_options: tuple[str, ...] = ("--screen", "x11")

    def __init__(self, display: str) -> None:
        self.description = (
            f"your own ({display}): what you do there meanwhile is what is recorded, on this "
            "machine only, and is deleted with the demo's folder; a quarter of it, the upper left, "
            "is shown to the demo's arbitrator"
        )
        self.environment = {"DISPLAY": display}
        if "XAUTHORITY" in os.environ:
            self.environment["XAUTHORITY"] = os.environ["XAUTHORITY"]
        self._opened: list[subprocess.Popen[bytes]] = []

    def open_windows(self, title: str, text: str, secret_title: str, secret: str) -> None:
        """Open two terminals, where xterm is there to be opened."""
        if shutil.which("xterm") is None:
            return
        for name, word in ((title, text), (secret_title, secret)):
            command = ["xterm", "-T", name, "-e", "sh", "-c", f"echo '{word}'; exec cat"]
            self._opened.append(subprocess.Popen(command, env=os.environ | self.environment))

    def type_text(self, text: str) -> None:
        """Wait: on somebody's own screen the demo types nothing."""
        del text
        time.sleep(0.2)

    def close(self) -> None:
        """Close the windows that were opened here."""
        for window in self._opened:
            window.terminate()
            window.wait(timeout=5)


class RecordedStage:
    """Replay pictures of a desktop, where there is no screen at all."""

    kind = "replay"
    environment: dict[str, str] = {}  # noqa: RUF012 - never changed

    def __init__(self, folder: Path) -> None:
        self.description = (
            "none here, so a recorded desktop is replayed: capture, masking of windows and "
            "counting of input are not exercised (install Xvfb, xdotool and xterm for those)"
        )
        self.capture_options: tuple[str, ...] = ("--screen", "replay", "--replay", str(folder))

    def open_windows(self, title: str, text: str, secret_title: str, secret: str) -> None:
        """Do nothing: the windows are in the pictures."""

    def type_text(self, text: str) -> None:
        """Let time pass."""
        del text
        time.sleep(0.2)


@contextmanager
def choose_stage(kind: str) -> Iterator[Stage]:
    """Give the stage that was asked for, or the best one there is."""
    missing = missing_tools(NEEDED)
    if kind == "xvfb" or (kind == "auto" and not missing):
        if missing:
            raise SystemExit(f"the virtual screen needs: {', '.join(missing)}")
        with Desktop.start(1280, 800) as desktop:
            yield VirtualStage(desktop)
    elif kind == "own" or (kind == "auto" and os.environ.get("DISPLAY")):
        if not os.environ.get("DISPLAY"):
            raise SystemExit("there is no screen of your own: DISPLAY is not set")
        stage = OwnStage(os.environ["DISPLAY"])
        try:
            yield stage
        finally:
            stage.close()
    else:
        yield RecordedStage(RECORDED)
