"""`autostart`: begin with the log-in, paused; and what the entry that it writes calls."""

import os
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from workseal_agent import notices
from workseal_agent.autostart import Autostart, Entry, LogIn
from workseal_agent.autostart.entries import Form
from workseal_agent.autostart.switch import State
from workseal_agent.bus import BusError
from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.cli.recording import Wish, begin
from workseal_agent.cli.tray import require_icons
from workseal_agent.connection import ClientError
from workseal_agent.errors import AgentError
from workseal_agent.keystore import Key, SlotKind
from workseal_agent.language import own_reason, phrase
from workseal_agent.surroundings import Surroundings

_FORMS = {
    Form.FILE: phrase("file"),
    Form.LINK: phrase("link"),
    Form.REGISTRY: phrase("registry value"),
}
_STATES = {
    State.THERE: phrase("there"),
    State.CHANGED: phrase("changed since"),
    State.GONE: phrase("gone"),
}


class Switch(StrEnum):
    """Name what may be done about the begin with the log-in."""

    ON = "on"
    OFF = "off"
    STATUS = "status"


@app.command()
def autostart(
    context: typer.Context,
    switch: Annotated[Switch, typer.Argument(help="Whether to begin with your log-in.")],
    *,
    tray: Annotated[
        bool, typer.Option("--tray", help="Show the icon in your panel then, too.")
    ] = False,
) -> None:
    """Be ready when you log in, paused; nothing is recorded before you say so."""
    if tray and switch is not Switch.ON:
        raise UsageProblem("--tray goes with on: what was written for it, off removes too")
    home = home_of(context)
    log_in = LogIn.of(home.folder, home.files.autostart_file)
    written = log_in.switch()
    if switch is Switch.ON:
        entries = _entries(home, log_in, tray=tray)
        written.turn_on(entries)
        _tell_on(home, entries)
    elif switch is Switch.OFF:
        removed = written.turn_off()
        say("off: nothing begins with your log-in")
        for entry in removed:
            say(phrase("  removed {form} {place}", form=_FORMS[entry.form], place=entry.place))
    else:
        _tell_status(written)


@app.command(name="begin-at-login", hidden=True)
def begin_at_login(context: typer.Context) -> None:
    """Begin paused where the system's keyring opens the key; else ask the person by a notice."""
    home = home_of(context)
    if home.recorded() is not None:
        return
    if not _opens_by_itself(home):
        _ask(home, phrase("`workseal-agent start` asks for your passphrase and begins"))
        return
    try:
        begin(home, Wish(paused=True))
    except (AgentError, ClientError, UsageProblem) as problem:
        _ask(home, own_reason(problem))


def _entries(home: Home, log_in: LogIn, *, tray: bool) -> tuple[Entry, ...]:
    if tray:
        require_icons()
    named = None if home.named is None else home.engagement().id
    return log_in.entries(engagement=named, tray=tray)


def _tell_on(home: Home, entries: Sequence[Entry]) -> None:
    say("on, from your next log-in: ready and paused, until `workseal-agent resume`")
    for entry in entries:
        say(phrase("  written {form} {place}", form=_FORMS[entry.form], place=entry.place))
    if not _opens_by_itself(home):
        say("your passphrase stands in none of these: a notice will ask you to `start` by hand")
        say(
            "  `workseal-agent slots add keyring --recording-only` lets it begin, paused, by itself"
        )
        if not home.settings.notices.show:
            say("  but your settings want no notices, so nothing would be seen: see [notices]")


def _tell_status(written: Autostart) -> None:
    found = written.found()
    if not found:
        say("off: nothing begins with your log-in")
        return
    say("on: with your log-in, paused")
    for one in found:
        say(
            phrase(
                "  {state}: {form} {place}",
                state=_STATES[one.state],
                form=_FORMS[one.entry.form],
                place=one.entry.place,
            )
        )


def _opens_by_itself(home: Home) -> bool:
    slot = home.keystore.slot(SlotKind.KEYRING)
    return slot is not None and Key.SIGNING in slot.boxes


def _ask(home: Home, why: str) -> None:
    """Show that nothing is recorded; raises `AgentError` when that cannot be shown either."""
    address = Surroundings.of(os.environ).session_bus
    if not home.settings.notices.show:
        raise AgentError(phrase("nothing is recorded: {why}", why=why))
    try:
        summary = phrase("Workseal: nothing is recorded")
        notices.show(address, notices.Notice(summary, phrase("{why}.", why=why)))
    except BusError as silent:
        raise AgentError(
            phrase("nothing is recorded: {why} ({silent})", why=why, silent=silent)
        ) from silent
