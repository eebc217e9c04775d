"""Words on the terminal: plain lines, tables where they help, other people's text made harmless."""

import getpass
import sys
from collections.abc import Sequence
from textwrap import fill

import typer
from rich.cells import cell_len, set_cell_size
from rich.console import Console

from workseal_agent.cli.problem import UsageProblem
from workseal_agent.language import Phrase, own, phrase
from workseal_protocol.cli.text import plain

# A sentence in fewer columns than these is a tower of words.
_LEAST_ROOM = 28

_YES, _NO = phrase("yes"), phrase("no")

_out = Console(highlight=False, markup=False, soft_wrap=True)


def say(text: str = "") -> None:
    """Print one line, in the owner's language where it can be said."""
    _out.print(plain(own(text)))


def confirmed(question: str, *, default: bool = False) -> bool:
    """Ask for a yes, in the owner's language or in English.

    An empty answer is the default, and no answer at all is a no.
    """
    yes, no = own(_YES), own(_NO)
    letters = f"{yes[0].upper()}/{no[0]}" if default else f"{yes[0]}/{no[0].upper()}"
    while True:
        try:
            told = typer.prompt(f"{own(question)} [{letters}]", default="", show_default=False)
        except typer.Abort:
            say()
            return False
        answer = str(told).strip().lower()
        if not answer:
            return default
        for word, meant in ((yes, True), (str(_YES), True), (no, False), (str(_NO), False)):
            if answer in {word, word[0]}:
                return meant
        say(phrase("please answer {yes} or {no}", yes=yes, no=no))


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


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows under heads, whole; where the terminal is too narrow, each row as a block."""
    said = [tuple(map(_cell, row)) for row in rows]
    named = tuple(plain(own(head)) for head in heads)
    widths = [max(map(cell_len, column)) for column in zip(named, *said, strict=True)]
    if _out.is_terminal and sum(widths) + 2 * len(widths) - 2 > _out.width:
        _blocks(named, said)
        return
    for row in (named, *said):
        say("  ".join(map(set_cell_size, row, widths)).rstrip())


def _cell(text: str) -> str:
    """Say a phrase; what is a plain text is somebody's own, or is typed."""
    return plain(own(text) if isinstance(text, Phrase) else text)


def _blocks(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    for row in rows:
        for head, cell in zip(heads, row, strict=True):
            say(f"{head}: {cell}")
        say()


def columns(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows whose last cell is a sentence: wrapped under itself, and whole in a pipe.

    Where too little is left beside the others, the sentence stands below them.
    """
    said = [tuple(map(_cell, row)) for row in rows]
    widths = [
        max(map(cell_len, column)) for column in zip(*(row[:-1] for row in said), strict=True)
    ]
    begin = sum(widths) + 2 * len(widths)
    room = _out.width if _out.is_terminal else None
    before = ""
    for row in said:
        # What is the same as above need not be read again; a program reads each line alone.
        shown = row[:-1] if row[0] != before or room is None else ("", *row[1:-1])
        before = row[0]
        first = "  ".join(map(set_cell_size, shown, widths))
        if room is None:
            say(f"{first}  {row[-1]}".rstrip())
        elif room - begin >= _LEAST_ROOM:
            _wrapped(row[-1], f"{first}  ", " " * begin, room)
        else:
            say("  ".join(filter(None, row[:-1])))
            _wrapped(row[-1], "    ", "    ", room)


def _wrapped(text: str, first: str, others: str, width: int) -> None:
    made = fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in made.splitlines() or [first.rstrip()]:
        say(line)


def console() -> Console:
    """Return the console, for progress."""
    return _out
