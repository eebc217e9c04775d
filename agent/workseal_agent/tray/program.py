"""The program of the tray icon: it loads no ledger, key or picture, so that it stays small."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from workseal_agent.language import own
from workseal_agent.outcome import outcome_of
from workseal_agent.surroundings import Surroundings
from workseal_agent.tray.shown import Tray

# Longer than the pages take to end.
_END_SECONDS = 5.0
_CLI = "from workseal_agent import main; raise SystemExit(main())"


class Pages:
    """Open the pages by the command that does so; one at a time, and none after the icon."""

    def __init__(self, home: str) -> None:
        self._command = [sys.executable, "-P", "-c", _CLI, "--home", home, "open"]
        self._process: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Open them anew: each way in is for one browser, once."""
        self.close()
        self._process = subprocess.Popen(  # noqa: S603 - this program
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def close(self) -> None:
        """End what was opened, as Ctrl-C would."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the icon of a home, with its control socket; return the exit code."""
    home, control = sys.argv[1:3] if arguments is None else arguments
    pages = Pages(home)

    def show() -> None:
        tray = Tray(Path(control), pages.open)
        tray.run(Surroundings.of(os.environ).session_bus, say=_say)

    try:
        return outcome_of(show)
    finally:
        pages.close()


def _say(text: str) -> None:
    sys.stdout.write(own(text) + "\n")
    sys.stdout.flush()
