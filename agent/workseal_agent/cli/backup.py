"""`backup`, `restore` and `catch-up`: one encrypted file, a home made from it, and its chain.

Rules: what opens the home opens the backup. A home that was restored signs nothing before the
verifier was asked how far its chain got.
"""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from workseal_agent.backup import write_backup
from workseal_agent.backupfile import KeyDoor, TypedDoor
from workseal_agent.backupmaker import keep_maker, load_maker
from workseal_agent.catchup import catch_up
from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.counted import engagements_text, frames_text, statements_text
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import console, say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.cli.vault import size_text, tell_problems
from workseal_agent.connection import RefusedError, UnreachableError
from workseal_agent.daemon import HomeLock
from workseal_agent.errors import AgentError
from workseal_agent.keystore import Cost
from workseal_agent.language import phrase, phrases
from workseal_agent.ledger import Engagement, short_name
from workseal_agent.restore import restore_home
from workseal_agent.vault import VaultWriter
from workseal_protocol.errors import MalformedError


@app.command()
def backup(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="The new file to write.")],
    *,
    unattended: Annotated[
        bool,
        typer.Option("--unattended", help="Ask for nothing; the file shows your public keys."),
    ] = False,
) -> None:
    """Write everything of this home into one encrypted file; recording may go on."""
    home = home_of(context)
    if not out.absolute().parent.is_dir():
        raise UsageProblem(phrase("{out} cannot be written: its folder is missing", out=out))
    store = home.keystore
    if unattended:
        maker = _maker(home)

        def door(file_key: bytes) -> KeyDoor | TypedDoor:
            return KeyDoor.seal(store, file_key, maker)
    else:
        typed = home.passphrase()
        kind = store.opened_by(typed)
        keep_maker(home.files.maker_file, home.signer)

        def door(file_key: bytes) -> KeyDoor | TypedDoor:
            return TypedDoor.seal(kind, typed, file_key, Cost())

    with Progress(console=console(), transient=True, disable=not console().is_terminal) as bars:
        bar = bars.add_task("backup", total=None)
        saved = write_backup(
            home.settings,
            home.ledger,
            store.vault_public,
            out,
            door,
            progress=lambda done, all_: bars.update(bar, completed=done, total=all_),
        )
    say(
        phrase(
            "{out}: keys, settings, ledger and {frames}, encrypted ({size})",
            out=out,
            frames=frames_text(saved.frames),
            size=size_text(saved.octets),
        )
    )
    say("it opens with what opens this home now; keep it where this machine's loss does not reach")
    if saved.lost:
        tell_problems(saved.lost)
        raise AgentError(
            phrases(
                len(saved.lost),
                "{count} object of the vault not whole in the backup; all else is",
                "{count} objects of the vault not whole in the backup; all else is",
            )
        )


def _maker(home: Home) -> bytes:
    maker = load_maker(home.files.maker_file)
    if maker is None:
        raise AgentError(
            "this home has nothing yet that shows that a backup is its own: the next"
            " `workseal-agent start`, or one `backup` without --unattended, puts it there"
        )
    return maker


@app.command()
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The backup.")],
    *,
    unknown_maker: Annotated[
        bool,
        typer.Option("--unknown-maker", help="Also a backup that anybody could have made."),
    ] = False,
) -> None:
    """Make a home from a backup, check it, and ask the verifier how far its chain got."""
    home = home_of(context)
    if not file.is_file():
        raise UsageProblem(phrase("{file} is no file", file=file))
    try:
        made = restore_home(file, home.folder, home.passphrase(), unknown_maker=unknown_maker)
    except MalformedError as error:
        raise UsageProblem(
            phrase("{file} is no backup: {error}", file=file, error=error)
        ) from error
    problems = made.vault.problems
    say(phrase("home: {folder}", folder=home.folder))
    say(
        phrase(
            "{engagements}, {statements} and {frames}: {found}",
            engagements=engagements_text(len(made.engagements)),
            statements=statements_text(made.statements),
            frames=frames_text(made.vault.frames),
            found=phrase("in place, but for what follows") if problems else phrase("all in place"),
        )
    )
    tell_problems(problems)
    if unknown_maker:
        say(
            phrase(
                "Nobody vouches for this backup: read its settings, above all [mask] in"
                " {config_file}, before you record.",
                config_file=home.files.config_file,
            )
        )
    say("The home that this was copied from must never record or send again.")
    _catch_up_all(home)
    if problems:
        raise AgentError(
            phrases(
                len(problems),
                "{count} object of the vault damaged or missing in the backup; all else is"
                " restored",
                "{count} objects of the vault damaged or missing in the backup; all else is"
                " restored",
            )
        )


@app.command("catch-up")
def catch_up_command(context: typer.Context) -> None:
    """Learn from the verifier what was signed after the backup that this home was made from."""
    home = home_of(context)
    if not _catch_up_all(home):
        raise AgentError("nothing is signed for these engagements yet: try again")


def catch_up_first(home: Home) -> None:
    """Catch up before something is signed, if this home was restored; raises when it cannot."""
    engagement = home.engagement()
    if home.ledger.is_restored(engagement.id):
        _catch_up(home, engagement)


def _catch_up_all(home: Home) -> bool:
    """Catch up with every engagement that is marked; True when none is left."""
    left = [one for one in home.ledger.engagements() if home.ledger.is_restored(one.id)]
    if not left:
        say("this home knows all that it signed")
    done = True
    for engagement in left:
        try:
            _catch_up(home, engagement)
        except (AgentError, UnreachableError, RefusedError) as error:
            done = False
            say(
                phrase(
                    "engagement {engagement}: not caught up: {error}",
                    engagement=short_name(engagement.id),
                    error=error,
                )
            )
            say("  nothing is signed for it before `workseal-agent catch-up` succeeded")
    return done


def _catch_up(home: Home, engagement: Engagement) -> None:
    client = home.client(engagement.url, signer=home.signer)
    vault = VaultWriter(home.files.vault_folder, home.keystore.vault_public)

    def listen(seconds: float) -> None:
        say(
            phrase(
                "engagement {engagement}: listening for {seconds:.0f} seconds whether another"
                " copy of this home records",
                engagement=short_name(engagement.id),
                seconds=seconds,
            )
        )
        time.sleep(seconds)

    try:
        with HomeLock(home.files.home):
            learned = catch_up(home.ledger, client, engagement, home.public_key, vault, wait=listen)
    finally:
        client.close()
    say(
        phrases(
            learned.statements,
            "engagement {name}: caught up; {count} statement was signed after the backup",
            "engagement {name}: caught up; {count} statements were signed after the backup",
            name=short_name(engagement.id),
        )
    )
    if learned.lost_frames:
        say(
            phrases(
                learned.lost_frames,
                "  {count} frame taken after it is not here: its picture is where the other home"
                " is, its time counts",
                "  {count} frames taken after it are not here: their pictures are where the other"
                " home is, their time counts",
            )
        )
