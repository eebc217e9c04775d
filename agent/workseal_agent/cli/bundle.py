"""`export`: write everything that a client needs to verify the work, offline."""

import time
from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.counted import checkpoints_text, statements_text
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import console, say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.clock import SystemClock
from workseal_agent.connection import VerifierClient
from workseal_agent.engagement import with_authorities
from workseal_agent.export import Exported
from workseal_agent.export import export as make_bundle
from workseal_agent.language import phrase, phrases
from workseal_agent.ledger import Engagement
from workseal_agent.vault import VaultReader
from workseal_agent.writing import write_private
from workseal_protocol.commitment import ValueKind

_POLL_SECONDS = 0.5
# An older bundle may be replaced by a newer one, nothing else by any.
_BUNDLE_HEAD = b"PK\x03\x04"


class Opened(StrEnum):
    """Name what may be opened beside the commitments."""

    ACTIVITY = "activity"
    NOTES = "notes"
    ENVIRONMENT = "environment"
    MEMO = "memo"
    ARTEFACT = "artefact"
    EVIDENCE = "evidence"
    DISCLOSURES = "disclosures"


_KINDS = {
    Opened.ACTIVITY: ValueKind.ACTIVITY,
    Opened.NOTES: ValueKind.NOTES,
    Opened.ENVIRONMENT: ValueKind.ENVIRONMENT,
    Opened.MEMO: ValueKind.MEMO,
    Opened.ARTEFACT: ValueKind.ARTEFACT,
    Opened.EVIDENCE: ValueKind.EVIDENCE,
}


@app.command()
def export(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="The bundle to write, like work.workseal.")],
    *,
    opened: Annotated[
        list[Opened] | None,
        typer.Option(
            "--open",
            help="Open these values, or tiles disclosed before, to the reader; may be repeated.",
        ),
    ] = None,
    receipts: Annotated[
        bool, typer.Option("--receipts/--no-receipts", help="Add a COSE receipt per statement.")
    ] = True,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for a time-stamp over the newest work.", min=0)
    ] = 10.0,
) -> None:
    """Write a bundle that anybody can verify without this machine and without the verifier."""
    home = home_of(context)
    engagement = home.engagement()
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise UsageProblem(
            phrase("{out} cannot be written: it is a folder, or its folder is missing", out=out)
        )
    if out.exists() and not _is_bundle(out):
        raise UsageProblem(phrase("{out} exists and is no bundle: it is not replaced", out=out))
    if home.records(engagement) is None:
        home.send_now()
    chosen = dict.fromkeys(opened or ())
    client = home.client(engagement.url, signer=home.signer)
    try:
        engagement = with_authorities(home.open_ledger, client, engagement)
        _wait_for_stamp(home, client, engagement, wait)
        exported = _make(home, client, engagement, chosen, receipts=receipts)
    finally:
        client.close()
    write_private(out, exported.data)
    say(
        phrase(
            "{out}: {statements}, {checkpoints}, {stamped}",
            out=out,
            statements=statements_text(exported.statements),
            checkpoints=checkpoints_text(exported.checkpoints),
            stamped=phrase("with a time-stamp over it")
            if exported.stamped
            else phrase("no time-stamp over it yet"),
        )
    )
    _tell_opened(chosen, exported)
    if exported.unsent:
        say(
            phrases(
                exported.unsent,
                "{count} statement is not logged yet and stands in no bundle",
                "{count} statements are not logged yet and stand in no bundle",
            )
        )
    if engagement.tsa_roots and not exported.stamped:
        say("a reader whose policy asks for a time-stamp will want a later bundle")
    say("it was verified before it was written: every step holds")


def _tell_opened(opened: Collection[Opened], exported: Exported) -> None:
    values = [str(one) for one in opened if one in _KINDS]
    say(phrase("opened to its reader: {values}", values=", ".join(values) or phrase("no value")))
    if exported.disclosed:
        say(
            phrases(
                exported.disclosed,
                "WITH PIXELS: the disclosed tiles of {count} frame, readable by anybody",
                "WITH PIXELS: the disclosed tiles of {count} frames, readable by anybody",
            )
        )
    elif exported.withheld:
        say(
            phrases(
                exported.withheld,
                "no pixel is in it; what an arbitrator was shown of {count} frame is left out"
                " (`--open disclosures` adds it)",
                "no pixel is in it; what an arbitrator was shown of {count} frames is left out"
                " (`--open disclosures` adds it)",
            )
        )
    else:
        say("no pixel is in it")


def _make(
    home: Home,
    client: VerifierClient,
    engagement: Engagement,
    opened: Collection[Opened],
    *,
    receipts: bool,
) -> Exported:
    ledger = home.open_ledger
    reader = None
    if Opened.DISCLOSURES in opened and ledger.disclosures(engagement.id):
        reader = VaultReader(home.files.vault_folder, home.vault_key())
    with Progress(console=console(), transient=True, disable=not console().is_terminal) as bars:
        bar = bars.add_task("receipts", total=None)
        return make_bundle(
            ledger,
            client,
            engagement,
            home.signer,
            now_ms=SystemClock().wall_ms(),
            openings=[_KINDS[one] for one in opened if one in _KINDS],
            reader=reader,
            receipts=receipts,
            progress=lambda done, all_: bars.update(bar, completed=done, total=all_),
        )


def _wait_for_stamp(
    home: Home, client: VerifierClient, engagement: Engagement, seconds: float
) -> None:
    """Wait for a token over the newest statement, when this verifier gives tokens at all."""
    last = home.ledger.counts(engagement.id).last_index
    if last is None or not engagement.tsa_roots:
        return
    deadline = time.monotonic() + seconds
    while not client.timestamps(last + 1, (1 << 53) - 1) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _is_bundle(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_BUNDLE_HEAD)) == _BUNDLE_HEAD
