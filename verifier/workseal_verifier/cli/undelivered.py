"""The command about notices that wait to be sent."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from workseal_verifier.cli.home import Home, opened
from workseal_verifier.config import Settings
from workseal_verifier.services.checking import MAX_NAMED
from workseal_verifier.services.clock import SystemClock
from workseal_verifier.store.outbox import Outbox


def notices(
    home: Home,
    *,
    send: Annotated[bool, typer.Option("--send", help="Send what is due now.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="First let everything that was given up be tried again.")
    ] = False,
) -> None:
    """List the notices that wait to be sent or were given up, or send what is due."""
    from workseal_verifier.postroom import delivery_at  # noqa: PLC0415

    settings = Settings.load(home)
    database = opened(settings)
    outbox, clock = Outbox(database), SystemClock()
    if again:
        typer.echo(f"{outbox.try_parked(clock.now_ms())} are tried again")
    if send:
        tried = delivery_at(settings, database, clock).run()
        counts = outbox.counts()
        typer.echo(f"tried {tried}; {counts.waiting} wait, {counts.parked} were given up")
        return
    for row in outbox.unsent(most=MAX_NAMED):
        made = datetime.fromtimestamp(row.made_ms / 1000, UTC)
        what = "hours" if row.filing is None else f"case {row.filing}"
        about = {"week": "a week", "confirm": "an address"}.get(
            row.kind, f"{what}, statement {row.step}"
        )
        # Never where to: that is its recipient's alone.
        typer.echo(
            f"{row.fate.name.lower()} {row.channel.name.lower()}, {row.kind}: {about},"
            f" since {made:%Y-%m-%d %H:%M} UTC, tried {row.tries} times"
        )
    counts = outbox.counts()
    typer.echo(f"{counts.waiting} wait, {counts.parked} were given up")
