"""The program itself and the options that every command has."""

from pathlib import Path
from typing import Annotated

import typer

from workseal_agent.cli.home import Home
from workseal_agent.cli.overview import DayOverview

app = typer.Typer(
    name="workseal-agent",
    cls=DayOverview,
    help="Record work as signed commitments; pictures never leave this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def common(
    context: typer.Context,
    *,
    home: Annotated[
        Path | None,
        typer.Option(help="Folder of the agent's files.", envvar="WORKSEAL_AGENT_HOME"),
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(help="Read the passphrase from the first line of this file."),
    ] = None,
    traffic: Annotated[
        Path | None,
        typer.Option(help="Write every request that leaves this machine into this folder."),
    ] = None,
    engagement: Annotated[
        str | None,
        typer.Option(help="Beginning of the engagement's number, when there are several."),
    ] = None,
) -> None:
    """Record work as signed commitments; pictures never leave this machine."""
    context.obj = Home(home, passphrase_file, traffic, engagement)


def home_of(context: typer.Context) -> Home:
    """Return the home that the common options name."""
    home = context.obj
    if not isinstance(home, Home):
        raise TypeError("the common options were not read")
    return home
