"""The program itself and the options that every command has."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from workseal_agent.cli.commands import is_loaded, load
from workseal_agent.cli.examples import with_examples
from workseal_agent.cli.overview import DayOverview
from workseal_agent.cli.ownhelp import in_own_words

if TYPE_CHECKING:
    from workseal_agent.cli.home import Home


class Program(DayOverview):
    """Load a command when it is called."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of that name, None when there is none."""
        if cmd_name not in self.commands or not is_loaded(cmd_name):
            # Somebody may have loaded one of several modules that make it.
            self.commands.pop(cmd_name, None)
            load(cmd_name)
            # What was declared meanwhile, and nothing else: its parameters are read here.
            loaded: Any = get_command(app)
            for name in loaded.commands.keys() - self.commands.keys():
                self.commands[name] = with_examples(in_own_words(loaded.commands[name]), (name,))
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    name="workseal-agent",
    cls=Program,
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
    from workseal_agent.cli.home import Home  # noqa: PLC0415 - no help needs one

    context.obj = Home(home, passphrase_file, traffic, engagement)


def home_of(context: typer.Context) -> "Home":
    """Return the home that the common options name."""
    from workseal_agent.cli.home import Home  # noqa: PLC0415 - loaded by now

    home = context.obj
    if not isinstance(home, Home):
        raise TypeError("the common options were not read")
    return home
