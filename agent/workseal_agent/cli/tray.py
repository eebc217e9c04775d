"""`tray`: an icon in the desktop's panel, where one shows icons."""

import os
import sys

import typer

from workseal_agent.autostart import shows_icons
from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.handover import without_passphrase
from workseal_agent.errors import AgentError

_PROGRAM = "from workseal_agent.tray.program import main; raise SystemExit(main())"


@app.command()
def tray(context: typer.Context) -> None:
    """Show an icon in your panel: what is recorded; pause, resume, seal and stop in its menu."""
    require_icons()
    settings = home_of(context).settings
    command = [sys.executable, "-P", "-c", _PROGRAM, str(settings.home), str(settings.socket_file)]
    # A program of its own, so that nothing of this one stays in memory all day.
    os.execve(command[0], command, without_passphrase(os.environ))  # noqa: S606 - this program


def require_icons() -> None:
    """Raise `AgentError` on a system that shows no such icons."""
    if not shows_icons():
        raise AgentError("there is no tray icon for this system yet: `workseal-agent open`")
