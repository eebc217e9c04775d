"""Commands that check, copy, rebuild and migrate the stored log."""

import itertools
from pathlib import Path
from typing import Annotated

import typer

from workseal_verifier import copies
from workseal_verifier.authorities import certificates_of, configured
from workseal_verifier.cli.home import Home, opened
from workseal_verifier.config import Settings
from workseal_verifier.errors import StoreError
from workseal_verifier.homekeys import load_identity
from workseal_verifier.homelock import HomeLock
from workseal_verifier.owncopy import OWN_FILE
from workseal_verifier.services.checking import MAX_NAMED, LogCheck
from workseal_verifier.services.rebuilding import Floor, Rebuilder
from workseal_verifier.store.access import AccessStore
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.records import RecordStore


def check_log(home: Home) -> None:
    """Derive the whole log again from its statements and name what differs."""
    settings = Settings.load(home)
    database = opened(settings)
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


def export(
    home: Home,
    out: Annotated[Path, typer.Argument(help="The new file to write, like log.logcopy.")],
) -> None:
    """Copy the whole log into one file, from which it can be rebuilt; the server may run."""
    settings = Settings.load(home)
    database = opened(settings)
    statements, checkpoints = copies.write_export(
        LogStore(database), RecordStore(database), settings.origin, out
    )
    typer.echo(f"{out}: {statements} statements and {checkpoints} checkpoints of {settings.origin}")


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
        database.require_alone()
        # Before all else: what its owner had ended since the backup must open nothing again.
        passkeys = AccessStore(database).end_ways_in()
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
    if passkeys:
        typer.echo(f"ended: {passkeys} passkeys that the backup had; their owners make new ones")
    typer.echo(f"next: workseal-verifier check-log --home {home}, then serve")


def migrate(home: Home) -> None:
    """Bring the database to what this program knows; the server must not run, nor any other."""
    settings = Settings.load(home)
    lock = HomeLock(settings.lock)
    try:
        database = Database(settings.store)
        database.require_alone()
        before, after = database.migrate()
    finally:
        lock.close()
    typer.echo(f"the database has schema {after}, it had {before}")
