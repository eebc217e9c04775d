"""Idle time of a Wayland session, by the program swayidle (ext-idle-notify-v1 and KDE's older one).

Rules: the program is told to read no settings, or it would run its owner's commands a second time.
It says when there was no input for a second, and when there is again; nothing else is asked of it.
When nobody listens any more, because this process was killed, it ends with its next word.
"""

import os
import shutil
import subprocess
import threading
import time

from workseal_agent.errors import NoScreenError
from workseal_agent.surroundings import Surroundings

# The shortest time it can tell.
_STEP_SECONDS = 1.0
# Whoever says nothing for longer after the start sees input all the time.
_SETTLE_SECONDS = 1.6
_AGAIN_SECONDS = 10.0


class SwayIdle:
    """Run the program, and again when it ends; `NoScreenError` when it cannot do its work here."""

    def __init__(self, around: Surroundings) -> None:
        program = shutil.which("swayidle")
        if around.wayland is None:
            raise NoScreenError("this is no Wayland session: WAYLAND_DISPLAY is not set")
        if program is None:
            raise NoScreenError("the program swayidle is not installed")
        timeout = ["timeout", str(int(_STEP_SECONDS)), _say("idle"), "resume", _say("active")]
        self._command = [program, "-C", os.devnull, "-w", *timeout]
        self._environment = {**os.environ, "WAYLAND_DISPLAY": around.wayland}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._start()
        self._require_alive()

    def idle_ms(self) -> int | None:
        """Return the time since the last input, in whole steps; None while nothing is known."""
        with self._lock:
            now = time.monotonic()
            if self._process is None or self._process.poll() is not None:
                if not self._closed and now - self._began > _AGAIN_SECONDS:
                    self._start()
                return None
            if self._idle_since is not None:
                return int(1_000 * (now - self._idle_since + _STEP_SECONDS))
            return 0 if self._spoke or now - self._began > _SETTLE_SECONDS else None

    def close(self) -> None:
        """End the program."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _start(self) -> None:
        self._began = time.monotonic()
        self._idle_since: float | None = None
        self._spoke = False
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a program of the system, our words
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            self._process = None
            return
        threading.Thread(
            target=self._listen, args=(self._process,), name="swayidle", daemon=True
        ).start()

    def _require_alive(self) -> None:
        """Let a compositor without the protocol end the program before it is believed."""
        try:
            if self._process is not None:
                self._process.wait(0.3)
        except subprocess.TimeoutExpired:
            return
        raise NoScreenError("swayidle finds no idle protocol of this compositor")

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Follow one run of the program to its end."""
        if process.stdout is None:
            return
        with process.stdout as lines:
            for line in lines:
                with self._lock:
                    if process is self._process:
                        self._spoke = True
                        self._idle_since = time.monotonic() if line == b"idle\n" else None


def _say(word: str) -> str:
    """Return the shell command that says a word, or ends the program if nobody hears it."""
    return f"trap '' PIPE; echo {word} || kill $PPID"
