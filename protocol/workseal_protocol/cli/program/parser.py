"""How a command is described: its parser, and its code, which is loaded when it is called."""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn, TextIO, TypeAlias

from workseal_protocol.cli.problem import MALFORMED
from workseal_protocol.cli.text import bounded

Command = Callable[[argparse.Namespace], int]


@dataclass(frozen=True, slots=True)
class Later:
    """Name a command that is loaded when it is called: all of them take half a second."""

    module: str
    name: str

    def __call__(self, options: argparse.Namespace) -> int:
        """Load the command, and run it."""
        return self.loaded()(options)

    def loaded(self) -> Command:
        """Load the command."""
        found: Command = getattr(import_module(f"workseal_protocol.cli.{self.module}"), self.name)
        return found


class Parser(argparse.ArgumentParser):
    """Say what is wrong with the options in one sentence."""

    def error(self, message: str) -> NoReturn:
        """End the program."""
        complain(f"{message}; see {self.prog} --help")
        raise SystemExit(MALFORMED)


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001 - has no public name


def add(commands: Commands, name: str, command: Command, text: str) -> Parser:
    """Describe one command below others."""
    parser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.set_defaults(command=command)
    return parser


def complain(sentence: str) -> None:
    """Print one sentence of error; where even that cannot be written, the exit code tells."""
    try:
        print(f"workseal: {bounded(sentence)}", file=sys.stderr, flush=True)
    except OSError:
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Let what is buffered go nowhere, so that Python does not try again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
