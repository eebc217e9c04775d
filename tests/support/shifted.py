"""A verifier as a process of its own whose clock a test moves, and the same clock for this process.

The wall clock alone is moved, where Python reads it; what waits, waits in real time. (libfaketime
moves it for all code, and the server's threads then wait without end.)
"""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

COMMANDS = Path(sys.executable).parent
# Runs the command as it is, but for where Python reads the time.
MOVED = """
import pathlib, sys, time
file, true = pathlib.Path(sys.argv.pop(1)), time.time_ns
time.time_ns = lambda: true() + int(file.read_text()) * 1_000_000_000
time.time = lambda: time.time_ns() / 1e9
from workseal_verifier import main
sys.argv[0] = "workseal-verifier"
sys.exit(main())
"""


class Shift:
    """Hold by how much the clocks are moved."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.seconds = 0
        self._true = time.time_ns
        self.move(0)

    def move(self, seconds: int) -> None:
        """Let so much time pass at once."""
        self.seconds += seconds
        part = self.file.with_suffix(".part")
        part.write_text(str(self.seconds))
        part.replace(self.file)

    def now_ns(self) -> int:
        return self._true() + self.seconds * 1_000_000_000

    @property
    def now_ms(self) -> int:
        return self.now_ns() // 1_000_000


class Served:
    """Hold a verifier's process; started again it commits to the values of its new day."""

    def __init__(self, home: Path, shift: Shift, period_ms: int, port: int = 0) -> None:
        self.home, self.shift = home, shift
        self._process: subprocess.Popen[str] | None = None
        self._port = str(port)
        subprocess.run(
            [
                COMMANDS / "workseal-verifier", "init", "--home", home,
                "--origin", "verifier.example/2026", "--period-ms", str(period_ms),
            ],
            check=True,
            capture_output=True,
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable, "-c", MOVED, self.shift.file,
                "serve", "--home", self.home, "--port", self._port,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.search(r"http://[^ ]+:([0-9]+)", line)
        assert found is not None, self._process.communicate()
        self._port = found[1]

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        _, complaints = self._process.communicate(timeout=30)
        self._process = None
        assert "Traceback" not in complaints, complaints

    def sleep(self, seconds: int) -> None:
        """Let time pass while the verifier is down, and start it again."""
        self.stop()
        self.shift.move(seconds)
        self.start()

    def policy_lines(self) -> str:
        done = subprocess.run(
            [COMMANDS / "workseal-verifier", "policy", "--home", self.home],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


@contextmanager
def served(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    period_ms: int,
    *,
    port: int = 0,
    settle: Callable[[Path], None] = lambda _home: None,
) -> Iterator[Served]:
    """Serve a new verifier; the wall clock of this process moves with its own.

    `settle` writes what the operator decides into the settings of the home.
    """
    shift = Shift(folder / "shift")
    made = Served(folder / "verifier", shift, period_ms, port)
    settle(made.home)
    monkeypatch.setattr(time, "time_ns", shift.now_ns)
    try:
        made.start()
        yield made
    finally:
        made.stop()
