"""The `workseal-agent` command, typed in this process with a home of its own."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.stretched import stretch_once
from workseal_agent.cli import main
from workseal_agent.cli.handover import PASSPHRASE_VARIABLE

PASSPHRASE = "a passphrase for tests"  # noqa: S105


class Done:
    """Hold how a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


Typed = Callable[..., Done]


class Terminal(io.StringIO):
    """Be a terminal on which somebody types these lines."""

    def isatty(self) -> bool:
        return True


def typed_in(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Typed:
    """Give a function that runs one command; `lines` are typed on a terminal."""
    stretch_once(monkeypatch)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    monkeypatch.setenv("WORKSEAL_AGENT_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("DISPLAY", raising=False)

    def command(*words: object, lines: tuple[str, ...] | None = None) -> Done:
        text = "".join(f"{line}\n" for line in lines or ())
        monkeypatch.setattr(sys, "stdin", io.StringIO() if lines is None else Terminal(text))
        monkeypatch.setattr("getpass.getpass", lambda _: sys.stdin.readline().rstrip("\n"))
        monkeypatch.setattr(sys, "argv", ["workseal-agent", *map(str, words)])
        capfd.readouterr()
        code = main()
        said = capfd.readouterr()
        return Done(code, said.out, said.err)

    return command
