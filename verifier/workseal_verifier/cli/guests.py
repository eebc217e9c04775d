"""Commands that let people in."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import PublicKey, Role
from workseal_verifier.cli.home import Home, opened
from workseal_verifier.config import SETTINGS_FILE, Settings
from workseal_verifier.errors import ConfigError, SettingsError
from workseal_verifier.services.clock import SystemClock
from workseal_verifier.services.invitations import (
    MAX_DAYS,
    MAX_USES,
    NAME_DIGITS,
    Invitations,
    name_of,
)
from workseal_verifier.services.signin import LINK_MS, Root, SignIn
from workseal_verifier.services.sites import Sites
from workseal_verifier.store.access import AccessStore
from workseal_verifier.store.invitations import InvitationStore
from workseal_verifier.store.records import RecordStore


class Guest(StrEnum):
    """Name whom an operator invites; arbitrators are named by terms."""

    CLIENT = "client"
    FREELANCER = "freelancer"


def invite(
    home: Home,
    role: Annotated[Guest, typer.Option(help="As what the guest may name a key.")] = Guest.CLIENT,
    uses: Annotated[int, typer.Option(min=1, max=MAX_USES, help="How many keys.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=MAX_DAYS, help="Until it expires.")] = 14,
    sign_in: Annotated[
        str | None,
        typer.Option(help="No invitation, but a link that signs the holder of this key in."),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Where the server is reached, if the settings do not say.")
    ] = None,
) -> None:
    """Print a link that lets somebody in; whoever has it can use it."""
    from workseal_verifier.api.access import write_token  # noqa: PLC0415

    settings = Settings.load(home)
    address = url or Sites(settings.url, settings.origin).url
    if not address:
        raise SettingsError(f"where is the server reached: set url in {SETTINGS_FILE}, or --url")
    database = opened(settings)
    invited = InvitationStore(database)
    if sign_in is None:
        token = Invitations(invited, SystemClock()).make(Role[role.name], uses=uses, days=days)
        typer.echo(f"{address}/#invitation={write_token(token)}")
        # Beside it, so that the link alone can be taken on.
        told = f"for {uses} of role {role.value}, {days} days: workseal accept LINK --key FILE"
        typer.echo(told, err=True)
    else:
        key = _known_key(sign_in, RecordStore(database), invited)
        token = SignIn(AccessStore(database), SystemClock()).link(key.thumbprint, Root.OPERATOR)
        typer.echo(f"{address}/#signin={write_token(token)}")
        told = f"works once, within {LINK_MS // 60_000} minutes; it reads, and makes no passkey"
        typer.echo(told, err=True)


def _known_key(text: str, records: RecordStore, invited: InvitationStore) -> PublicKey:
    try:
        key = PublicKey.parse_text(text)
    except MalformedError as error:
        raise SettingsError(f"--sign-in: {error}") from error
    thumbprint = key.thumbprint
    known = records.parties.key(thumbprint) or invited.invited(thumbprint)
    if not known and records.rotation_to(thumbprint) is None:
        raise ConfigError("nobody here has this key: no terms name it, and it accepted nothing")
    return key


def invitations(
    home: Home,
    withdraw: Annotated[
        str | None,
        typer.Option(help="Let nobody in by this one any more: its ID, or a key that accepted."),
    ] = None,
) -> None:
    """List the invitations that are open, and the keys that accepted one."""
    store = InvitationStore(opened(Settings.load(home)))
    book = Invitations(store, SystemClock())
    if withdraw is not None:
        _withdraw(book, withdraw)
        return
    for row in book.open():
        until = datetime.fromtimestamp(row.until_ms / 1000, UTC)
        role = row.role.name.lower()
        typer.echo(f"open {name_of(row)}: {row.uses_left} of role {role}, until {until:%Y-%m-%d}")
    for key in store.invited():
        at = datetime.fromtimestamp(key.accepted_ms / 1000, UTC)
        typer.echo(f"accepted {at:%Y-%m-%d}: {key.role.name.lower()} {key.key.text()}")


def _withdraw(book: Invitations, what: str) -> None:
    if re.fullmatch(f"[0-9a-f]{{{NAME_DIGITS}}}", what):
        if not book.withdraw(what):
            raise ConfigError("no open invitation has this ID")
        typer.echo("withdrawn: nobody else comes in by it")
        return
    try:
        key = PublicKey.parse_text(what)
    except MalformedError as error:
        raise SettingsError(f"--withdraw: expected an ID or a key: {error}") from error
    if not book.withdraw_key(key):
        raise ConfigError("this key accepted no invitation")
    typer.echo("withdrawn: the key is nobody here, but where terms name it")
