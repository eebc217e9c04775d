"""`export-all`: everything that is the owner's, in open formats, readable without this program."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.counted import engagements_text, statements_text
from workseal_agent.cli.printing import confirmed, console, say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.errors import AgentError
from workseal_agent.export import Written, export_everything
from workseal_agent.language import phrase, phrases
from workseal_agent.vault import VaultReader


@app.command("export-all")
def export_all(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="The new folder to write.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Write it without being asked.")] = False,
) -> None:
    """Write every picture, statement, time and memo of this home, decrypted, for yourself."""
    home = home_of(context)
    if os.path.lexists(out) or not out.absolute().parent.is_dir():
        raise UsageProblem(
            phrase("{out} cannot be written: it exists already, or has no folder", out=out)
        )
    say("This writes every picture, memo and private value, NOT ENCRYPTED, for your user alone.")
    if not yes and not confirmed(phrase("Write it to {out}?", out=out)):
        raise AgentError("nothing was written")
    ledger = home.open_ledger
    reader = VaultReader(home.files.vault_folder, home.vault_key())
    with Progress(console=console(), transient=True, disable=not console().is_terminal) as bars:
        bar = bars.add_task("export", total=None)
        written = export_everything(
            home.settings,
            ledger,
            reader,
            out,
            progress=lambda done, all_: bars.update(bar, completed=done, total=all_),
        )
    _tell(out, written)
    if written.unread:
        raise AgentError(
            phrases(
                len(written.unread),
                "{count} object could not be read and is not in it: {names};"
                " `workseal-agent vault check` says why",
                "{count} objects could not be read and are not in it: {names};"
                " `workseal-agent vault check` says why",
                names=", ".join(written.unread[:5]) + (" …" if len(written.unread) > 5 else ""),
            )
        )


def _tell(out: Path, written: Written) -> None:
    say(phrase("{out}: {engagements}", out=out, engagements=engagements_text(written.engagements)))
    say(
        phrase(
            "  {statements} (COSE), {values}",
            statements=statements_text(written.statements),
            values=phrases(written.values, "{count} private value", "{count} private values"),
        )
    )
    say(
        phrase(
            "  {pictures} (PNG); withdrawn: {withdrawn}",
            pictures=phrases(written.frames, "{count} picture", "{count} pictures"),
            withdrawn=written.withdrawn,
        )
    )
    say(
        phrases(
            written.disclosures,
            "  {count} disclosure that an arbitrator was shown",
            "  {count} disclosures that arbitrators were shown",
        )
    )
    say("README.txt in it says what each file is. Delete the folder when you need it no more.")
