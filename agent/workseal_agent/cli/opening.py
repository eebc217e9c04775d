"""`open`: the local pages, for as long as this command runs."""

import signal
import sys
import threading
import webbrowser
from typing import Annotated

import typer

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.printing import say
from workseal_agent.clock import SystemClock
from workseal_agent.undumped import forbid_dumps


@app.command(name="open")
def open_pages(
    context: typer.Context,
    *,
    browser: Annotated[
        bool, typer.Option(help="Open your browser; else only the address is printed.")
    ] = True,
    unlock: Annotated[
        bool, typer.Option("--unlock", help="Ask for the passphrase now, not in the page.")
    ] = False,
) -> None:
    """Show your day, your pictures and what left this machine, in your own browser."""
    # The pages' libraries are for this command alone.
    from workseal_agent.pages import Desk, PagesServer  # noqa: PLC0415
    from workseal_agent.pages.marks import marks_by_reading  # noqa: PLC0415
    from workseal_agent.pages.server import handover_file  # noqa: PLC0415

    home = home_of(context)
    forbid_dumps()
    chosen = home.find_engagement()
    desk = Desk(
        settings=home.settings,
        keystore=lambda: home.keystore,
        ledger=home.ledger,
        connect=home.client,
        clock=SystemClock(),
        chosen=None if chosen is None else chosen.id,
        suggest=marks_by_reading(home.files.names_file),
    )
    if unlock:
        desk.unlock(home.passphrase())
        home.forget_passphrase()
    server = PagesServer(desk)
    # Asked, not interrupted: what is raised while Python tidies up is lost, and nobody hears of it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: server.stop())
    with handover_file(home.files.home, server.address) as file:
        say("your pages, for one browser, once:")
        say(f"  {server.address}")
        say("Ctrl-C ends them; recording is not touched by it")
        sys.stdout.flush()
        if browser:
            # Some browsers return when they are closed, and wait for the first page until then.
            threading.Thread(target=webbrowser.open, args=(file.as_uri(),), daemon=True).start()
        server.run()
    say("the pages are closed")
