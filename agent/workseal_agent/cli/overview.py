"""The list of commands, and the one that was typed, which is loaded alone."""

from typing import Any

from typer.core import TyperGroup

from workseal_agent.cli.commands import GROUPS
from workseal_agent.language import own


class DayOverview(TyperGroup):
    """Show the commands in groups, each with the whole of its sentence; loads none of them."""

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        """Write the groups of the help."""
        # All in one column, whatever group they are in.
        widest = max(len(name) for _, group in GROUPS for name in group)
        for heading, group in GROUPS:
            with formatter.section(own(heading)):
                formatter.write_dl(
                    [(name.ljust(widest), own(place.sentence)) for name, place in group.items()]
                )
