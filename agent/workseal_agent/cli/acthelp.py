"""The help of `case act`: with the name of an act, the options of that act alone."""

from dataclasses import fields
from typing import Any, Final

from typer.core import TyperCommand

from workseal_protocol.cli.acting import DETAILS, Said

_TOLD: Final = "workseal.act"
_SAID: Final = frozenset(one.name for one in fields(Said))


class ActCommand(TyperCommand):
    """Take the options of every act, and tell those of the one that was typed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Remember the act before anything is told."""
        ctx.meta[_TOLD] = next((one for one in args if one in DETAILS), None)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Leave out what this act does not take."""
        everything = self.params
        try:
            self.params = [one for one in everything if _is_of(one.name, ctx.meta.get(_TOLD))]
            super().format_options(ctx, formatter)
        finally:
            self.params = everything


def _is_of(name: str | None, act: str | None) -> bool:
    if act is None or name is None:
        return True
    details = DETAILS[act]
    taken = details.needs | details.may
    return name in taken or (name == "text_file" and "text" in taken) or name not in _OF_ACTS


_OF_ACTS: Final = _SAID | {"text_file"}
