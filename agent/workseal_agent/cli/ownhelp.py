"""The help of the command line in its owner's language.

Rules: commands and options are declared in English, which is what `deploy/texts.py` reads from the
sources. In English nothing is touched, so that a start costs nothing; else the finished tree is
said over once. Names, values and the words between brackets are typed: they stay.
"""

from typing import Any

from workseal_agent.language import own, phrase, spoken

# What typer itself says there.
_HEADINGS = {
    "Usage: ": phrase("Usage: "),
    "Options": phrase("Options"),
    "Arguments": phrase("Arguments"),
    "Commands": phrase("Commands"),
    "Show this message and exit.": phrase("Show this message and exit."),
}


def in_own_words(command: Any) -> Any:
    """Say the help of a command, and of those below it, in the owner's language; returns it."""
    if spoken() == "en":
        return command
    if command.help is not None:
        command.help = own(command.help)
    for parameter in command.params:
        told = getattr(parameter, "help", None)
        if told is not None:
            parameter.help = own(told)
    context = command.context_class
    command.context_class = type(
        "OwnContext",
        (context,),
        {"formatter_class": type("OwnFormatter", (_OwnWords, context.formatter_class), {})},
    )
    for below in getattr(command, "commands", {}).values():
        in_own_words(below)
    return command


class _OwnWords:
    """Say the headings; before the formatter that typer has."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        told = _said("Usage: ") if prefix is None else prefix
        super().write_usage(prog, args, told)  # type: ignore[misc]

    def write_heading(self, heading: str) -> None:
        super().write_heading(_said(heading))  # type: ignore[misc]

    def write_dl(self, rows: Any, *more: Any, **how: Any) -> None:
        told = [(first, _said(second)) for first, second in rows]
        super().write_dl(told, *more, **how)  # type: ignore[misc]


def _said(text: str) -> str:
    known = _HEADINGS.get(text)
    return text if known is None else own(known)
