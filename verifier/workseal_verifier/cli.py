"""The `workseal-verifier` command.

Exit codes: 0 done, 1 the log does not hold or the server cannot run, 2 wrong usage or settings.
Rule: what serves, with its framework, is imported by the commands that need it; the others start
in half the time.
"""

import dataclasses
import itertools
import logging
import os
import re
import resource
import socket
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Algorithm, PublicKey, Role, SeedSigner
from workseal_protocol.policy import TrustPolicy
from workseal_verifier import copies, logs
from workseal_verifier.authorities import certificates_of, configured
from workseal_verifier.config import SETTINGS_FILE, Settings, render
from workseal_verifier.errors import ConfigError, SettingsError, StoreError, VerifierError
from workseal_verifier.homekeys import load_identity, make_keys
from workseal_verifier.homelock import HomeLock
from workseal_verifier.keyfiles import create_secret, replace_file
from workseal_verifier.local_tsa import LocalTsa
from workseal_verifier.owncopy import OWN_FILE
from workseal_verifier.services.checking import MAX_NAMED, LogCheck
from workseal_verifier.services.clock import SystemClock
from workseal_verifier.services.invitations import (
    MAX_DAYS,
    MAX_USES,
    NAME_DIGITS,
    Invitations,
    name_of,
)
from workseal_verifier.services.rebuilding import Floor, Rebuilder
from workseal_verifier.services.signin import LINK_MS, Root, SignIn
from workseal_verifier.services.sites import Sites
from workseal_verifier.store.access import AccessStore
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.notices import NoticeStore
from workseal_verifier.store.records import RecordStore

_logger = logging.getLogger(__name__)

app = typer.Typer(
    help="Run a Workseal verifier: a log that admits, orders and receipts statements.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Guest(StrEnum):
    """Name whom an operator invites; arbitrators are named by terms."""

    CLIENT = "client"
    FREELANCER = "freelancer"


Home = Annotated[
    Path, typer.Option("--home", help="The verifier's folder.", envvar="WORKSEAL_VERIFIER_HOME")
]


def run() -> None:
    """Run the command; an expected error is one sentence and exit 1 or 2."""
    os.umask(0o077)
    try:
        app()
    except VerifierError as error:
        typer.echo(f"workseal-verifier: {error}", err=True)
        raise SystemExit(2 if isinstance(error, SettingsError) else 1) from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        place = f"{error.filename}: " if error.filename else ""
        typer.echo(f"workseal-verifier: {place}{reason}", err=True)
        raise SystemExit(1) from None


@app.command()
def init(
    home: Home,
    origin: Annotated[
        str, typer.Option(help="The log's name for ever, such as log.example.com/2026.")
    ],
    period_ms: Annotated[
        list[int] | None,
        typer.Option(help="A round length in milliseconds; may be given several times."),
    ] = None,
    continues: Annotated[
        Path | None,
        typer.Option(help="The last good checkpoint of a log that ended: this one names it."),
    ] = None,
    *,
    pq: Annotated[
        bool, typer.Option("--pq", help="Also cosign checkpoints with ML-DSA-44.")
    ] = False,
) -> None:
    """Make a home: settings and keys."""
    path = home / SETTINGS_FILE
    if path.exists():
        raise ConfigError(f"{home} is already a verifier home")
    text = render(origin, tuple(period_ms or [30_000]))
    settings = Settings(home=home, origin=origin)
    last = None if continues is None else _last_good(continues, origin)
    make_keys(settings, pq=pq)
    if last is not None:
        replace_file(settings.continued, last.encode())
    # Last: the settings say that the home is complete. What is half made is finished by a repeat.
    replace_file(path, text.encode())
    typer.echo(f"made {home} for the log {origin}")
    typer.echo(f"next: workseal-verifier serve --home {home}")


def _last_good(path: Path, origin: str) -> SignedCheckpoint:
    try:
        signed = SignedCheckpoint.parse(path.read_bytes())
    except MalformedError as error:
        raise SettingsError(f"{path} is no signed checkpoint: {error}") from error
    if signed.checkpoint.origin == origin:
        raise SettingsError("a log that continues another has another origin")
    return signed


@app.command()
def serve(
    home: Home,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port.")] = 8080,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that serve; more than 1: PostgreSQL.")
    ] = 1,
    *,
    local_tsa: Annotated[
        bool,
        typer.Option("--local-tsa", help="Time-stamp with an authority of your own, to try out."),
    ] = False,
    stamp_interval: Annotated[
        int | None, typer.Option(min=1, help="Seconds between time-stamps.")
    ] = None,
) -> None:
    """Run the server until it is told to stop."""
    from workseal_verifier import serving  # noqa: PLC0415
    from workseal_verifier.workers import supervise  # noqa: PLC0415

    # A core file would hold what a disclosure showed.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    settings = Settings.load(home)
    logs.configure(settings.log_format, settings.log_level)
    if stamp_interval is not None:
        settings = dataclasses.replace(settings, stamp_interval_s=stamp_interval)
    possible = serving.allow_connections(settings.max_connections)
    if possible < settings.max_connections:
        _logger.warning(
            "the system allows %s connections, not %s", possible, settings.max_connections
        )
        settings = dataclasses.replace(settings, max_connections=possible)
    if workers > 1 and not settings.database_url:
        raise SettingsError(
            "several workers need a database that they share: set database_url to PostgreSQL"
        )
    listener = serving.bind(host, port)
    tsa = LocalTsa(home / "tsa") if local_tsa else None
    line = f"serving {settings.origin} on http://{host}:{listener.getsockname()[1]}"
    try:
        local_url = "" if tsa is None else tsa.url
        if workers > 1:
            supervise(settings, listener, workers, local_url, lambda: _announce(line))
        else:
            _serve_alone(settings, listener, local_url, line)
    finally:
        if tsa is not None:
            tsa.close()


def _serve_alone(
    settings: Settings, listener: socket.socket, local_tsa_url: str, line: str
) -> None:
    from workseal_verifier import serving  # noqa: PLC0415
    from workseal_verifier.app import create_app  # noqa: PLC0415
    from workseal_verifier.running import Verifier  # noqa: PLC0415

    verifier = Verifier(settings, authorities=configured(settings, local_tsa_url))
    try:
        verifier.open()
        server = serving.make_server(
            create_app(settings, verifier), settings, lambda: _announce(line)
        )
        server.run(sockets=[listener])
    finally:
        verifier.close()


def _announce(line: str) -> None:
    typer.echo(line, color=False)


@app.command(name="check-log")
def check_log(home: Home) -> None:
    """Derive the whole log again from its statements and name what differs."""
    settings = Settings.load(home)
    database = _opened(settings)
    check = LogCheck(
        LogStore(database),
        RecordStore(database),
        load_identity(settings),
        certificates_of(configured(settings)),
    )
    found = list(itertools.islice(check.problems(), MAX_NAMED))
    for line in found:
        typer.echo(line)
    if found:
        raise StoreError(
            f"the log does not hold: {len(found)} differences (at most {MAX_NAMED} named)"
        )
    typer.echo(
        f"the log holds: {check.statements} statements, {check.checkpoints} checkpoints,"
        " every tile and root derived again"
    )


@app.command()
def export(
    home: Home,
    out: Annotated[Path, typer.Argument(help="The new file to write, like log.logcopy.")],
) -> None:
    """Copy the whole log into one file, from which it can be rebuilt; the server may run."""
    settings = Settings.load(home)
    database = _opened(settings)
    statements, checkpoints = copies.write_export(
        LogStore(database), RecordStore(database), settings.origin, out
    )
    typer.echo(f"{out}: {statements} statements and {checkpoints} checkpoints of {settings.origin}")


@app.command()
def recover(
    home: Home,
    files: Annotated[
        list[Path], typer.Argument(help="Copies of the log, and bundles, in any order.")
    ],
) -> None:
    """Rebuild the lost end of a log from copies, to a root that was signed before."""
    settings = Settings.load(home)
    lock = HomeLock(settings.lock)
    try:
        database = Database(settings.store)
        database.create()
        rebuilder = Rebuilder(
            LogStore(database),
            RecordStore(database),
            load_identity(settings),
            certificates_of(configured(settings)),
        )
        mark = lock.read()
        floors = [] if mark is None else [Floor("the lock file", mark.size, mark.root)]
        own = [settings.lock / OWN_FILE] if (settings.lock / OWN_FILE).exists() else []
        done = copies.recover(rebuilder, [*own, *files], floors)
    finally:
        lock.close()
    typer.echo(
        f"the log ends at {done.size}: {done.statements} statements, {done.checkpoints} checkpoints"
        f" and {done.tokens} time-stamps rebuilt"
    )
    if done.left_out:
        typer.echo(f"left out: {done.left_out} checkpoints and time-stamps that do not verify")
    typer.echo(f"next: workseal-verifier check-log --home {home}, then serve")


@app.command()
def migrate(home: Home) -> None:
    """Bring the database to what this program knows; the server must not run, nor any other."""
    settings = Settings.load(home)
    lock = HomeLock(settings.lock)
    try:
        before, after = Database(settings.store).migrate()
    finally:
        lock.close()
    typer.echo(f"the database has schema {after}, it had {before}")


@app.command()
def keygen(
    out: Annotated[Path, typer.Argument(help="The new file for the seed, readable by you alone.")],
    *,
    pq: Annotated[bool, typer.Option("--pq", help="An ML-DSA-44 key, for keys/pq.seed.")] = False,
) -> None:
    """Make a key ahead of `init`, say on a machine that is never online; print its public part."""
    if out.exists() or not out.absolute().parent.is_dir():
        raise SettingsError(f"{out} cannot be written: it exists, or its folder is missing")
    seed = create_secret(out)
    signer = SeedSigner(seed, Algorithm.ML_DSA_44) if pq else SeedSigner(seed)
    typer.echo(signer.public_key.text())


@app.command()
def rotate(home: Home) -> None:
    """Replace the operator's key, as a statement in the log; the server must not run."""
    from workseal_verifier.rotation import rotate_operator  # noqa: PLC0415

    settings = Settings.load(home)
    key = rotate_operator(settings)
    typer.echo(f"the operator's key is now {key.text()}")
    typer.echo("offers from now on must name it; what is agreed goes on as it was")


@app.command()
def policy(home: Home) -> None:
    """Print the lines of a trust policy that describe this verifier."""
    settings = Settings.load(home)
    identity = load_identity(settings)
    described = TrustPolicy(
        identity.policy,
        {Role.OPERATOR: (identity.operator.public_key,)},
        tsa=tuple(dict.fromkeys(root for one in configured(settings) for root in one.roots)),
    )
    # The caller begins the file and adds the other parties.
    _, _, lines = described.encode().partition("\n")
    typer.echo(lines, nl=False)


@app.command()
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
    database = _opened(settings)
    store = AccessStore(database)
    if sign_in is None:
        token = Invitations(store, SystemClock()).make(Role[role.name], uses=uses, days=days)
        typer.echo(f"{address}/#invitation={write_token(token)}")
        # Beside it, so that the link alone can be taken on.
        told = f"for {uses} of role {role.value}, {days} days: workseal accept LINK --key FILE"
        typer.echo(told, err=True)
    else:
        key = _known_key(sign_in, RecordStore(database), store)
        token = SignIn(store, SystemClock()).link(key.thumbprint, Root.OPERATOR)
        typer.echo(f"{address}/#signin={write_token(token)}")
        told = f"works once, within {LINK_MS // 60_000} minutes; it reads, and makes no passkey"
        typer.echo(told, err=True)


@app.command()
def invitations(
    home: Home,
    withdraw: Annotated[
        str | None,
        typer.Option(help="Let nobody in by this one any more: its ID, or a key that accepted."),
    ] = None,
) -> None:
    """List the invitations that are open, and the keys that accepted one."""
    store = AccessStore(_opened(Settings.load(home)))
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


@app.command()
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
    database = _opened(settings)
    store, clock = NoticeStore(database), SystemClock()
    if again:
        typer.echo(f"{store.try_parked(clock.now_ms())} are tried again")
    if send:
        tried = delivery_at(settings, database, clock).run()
        counts = store.counts()
        typer.echo(f"tried {tried}; {counts.waiting} wait, {counts.parked} were given up")
        return
    for row in store.unsent(most=MAX_NAMED):
        made = datetime.fromtimestamp(row.made_ms / 1000, UTC)
        about = {"week": "a week", "confirm": "an address"}.get(
            row.kind, f"case {row.filing}, statement {row.step}"
        )
        # Never where to: that is its recipient's alone.
        typer.echo(
            f"{row.fate.name.lower()} {row.channel.name.lower()}, {row.kind}: {about},"
            f" since {made:%Y-%m-%d %H:%M} UTC, tried {row.tries} times"
        )
    counts = store.counts()
    typer.echo(f"{counts.waiting} wait, {counts.parked} were given up")


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


def _known_key(text: str, records: RecordStore, store: AccessStore) -> PublicKey:
    try:
        key = PublicKey.parse_text(text)
    except MalformedError as error:
        raise SettingsError(f"--sign-in: {error}") from error
    thumbprint = key.thumbprint
    known = records.parties.key(thumbprint) or store.invited(thumbprint)
    if not known and records.rotation_to(thumbprint) is None:
        raise ConfigError("nobody here has this key: no terms name it, and it accepted nothing")
    return key


def _opened(settings: Settings) -> Database:
    if not settings.database_url and not settings.database.exists():
        raise ConfigError(f"{settings.home} has no log yet: run 'workseal-verifier serve' first")
    database = Database(settings.store)
    database.check_version()
    return database
