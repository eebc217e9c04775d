"""Words on the terminal: plain lines, tables where they help, other people's text made harmless."""

import getpass
import sys

import typer
from rich.console import Console
from rich.table import Table

from workseal_agent.cli.problem import UsageProblem
from workseal_agent.language import own, phrase
from workseal_protocol.cli.text import plain

_out = Console(highlight=False, markup=False, soft_wrap=True)


def say(text: str = "") -> None:
    """Print one line, in the owner's language where it can be said."""
    _out.print(plain(own(text)))


def confirmed(question: str, *, default: bool = False) -> bool:
    """Ask for a yes; an empty answer is the default, and no answer at all is a no."""
    try:
        return typer.confirm(own(question), default=default)
    except typer.Abort:
        say()
        return False


def secret_typed_twice(question: str) -> str:
    """Ask for a secret on the terminal, twice; `UsageProblem` without one, or when they differ."""
    if not sys.stdin.isatty():
        raise UsageProblem("a new passphrase is read from a file, or typed on a terminal")
    typed = getpass.getpass(own(question))
    if getpass.getpass(own(phrase("The same again: "))) != typed:
        raise UsageProblem("the two passphrases differ")
    return typed


def raw(text: str) -> None:
    """Print a line for a program to read, unchanged and unwrapped."""
    _out.file.write(text + "\n")


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print rows under heads."""
    grid = Table(box=None, pad_edge=False)
    for head in heads:
        grid.add_column(head, no_wrap=True)
    for row in rows:
        grid.add_row(*(plain(cell) for cell in row))
    _out.print(grid)


def console() -> Console:
    """Return the console, for progress."""
    return _out
