"""`attest`: show others how much you worked, without naming your client."""

import os
import secrets
from datetime import date
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from workseal_agent.attestations import Draft, attest, cosigners, draft, examine_kept
from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import confirmed, say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.cli.timesheets import read_day, zone_of
from workseal_agent.clock import SystemClock
from workseal_agent.engagement import with_authorities
from workseal_agent.errors import AgentError
from workseal_agent.export import export
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement
from workseal_agent.timesheets import require_logged
from workseal_agent.writing import write_private
from workseal_protocol.attestation import SALT_BYTES
from workseal_protocol.cli.attestation import claim_lines
from workseal_protocol.cli.inputs import read_bundle_bytes
from workseal_protocol.errors import MalformedError
from workseal_protocol.verify import Report


@app.command("attest")
def make_attestation(  # noqa: PLR0913 - options
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="The file to write, like 2026.attestation.")],
    *,
    first: Annotated[str, typer.Option("--from", help="Like 2026-01-01.")],
    last: Annotated[str, typer.Option("--to", help="Like 2026-11-30.")],
    purpose: Annotated[
        str | None, typer.Option("--for", help="Who asked and for what, in words they chose.")
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(help="Name this witness, whose line then goes along; may be repeated."),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(help="A bundle that you kept: the verifier is not asked for the newest."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
) -> None:
    """Attest the hours of some days to others; your client is not named."""
    home = home_of(context)
    opening_file = out.with_name(f"{out.name}.opening")
    for path in (out, opening_file):
        if os.path.lexists(path) or not path.absolute().parent.is_dir():
            raise UsageProblem(
                phrase("{path} cannot be written: it exists already, or has no folder", path=path)
            )
    begin, end = read_day(first), read_day(last)
    if end < begin:
        raise UsageProblem("--to lies before --from")
    engagement = home.engagement()
    zone = zone_of(engagement)
    if bundle is None:
        report = _newest(home, engagement, zone, begin, end)
    else:
        report = _kept(bundle, engagement, zone)
    try:
        made = draft(
            report,
            home.signer,
            zone,
            begin,
            end,
            witnesses=witness or (),
            purpose=purpose,
            now_ms=SystemClock().wall_ms(),
            salt=secrets.token_bytes(SALT_BYTES),
        )
    except ValueError as error:
        raise UsageProblem(
            phrase("the attestation cannot be made: {error}", error=error)
        ) from error
    _tell(made, [name for name in cosigners(report) if name not in (witness or ())])
    if not yes and not confirmed("Sign it?"):
        raise AgentError("nothing was signed")
    attestation = attest(made, home.signer)
    # First what only you can make again: nobody could ever be shown the record without it.
    write_private(opening_file, made.opening.encode())
    write_private(out, attestation.encode())
    say(phrase("{out} is signed: give it to whoever asks", out=out))
    say(
        phrase(
            "{opening_file} tells of whom it is: keep it, and show it with a bundle or to nobody",
            opening_file=opening_file,
        )
    )


def _newest(home: Home, engagement: Engagement, zone: ZoneInfo, first: date, last: date) -> Report:
    """Send and fetch what there is; nothing is attested around work that is not logged."""
    if home.records(engagement) is None:
        home.send_now()
    require_logged(home.open_ledger, engagement, zone, first, last)
    client = home.client(engagement.url, signer=home.signer)
    try:
        engagement = with_authorities(home.open_ledger, client, engagement)
        return export(
            home.open_ledger,
            client,
            engagement,
            home.signer,
            now_ms=SystemClock().wall_ms(),
            receipts=False,
        ).report
    finally:
        client.close()


def _kept(path: Path, engagement: Engagement, zone: ZoneInfo) -> Report:
    try:
        report = examine_kept(read_bundle_bytes(path), engagement, zone)
    except MalformedError as error:
        raise UsageProblem(
            phrase("the bundle {path} is malformed: {error}", path=path, error=error)
        ) from error
    say("This is as of the bundle: what came later is not in it.")
    return report


def _tell(made: Draft, left_out: list[str]) -> None:
    say("Its readers see your key, and:")
    for line in claim_lines(made.claim):
        say(line)
    say(phrase("the name of the log: {origin}", origin=made.checkpoint.checkpoint.origin))
    for name in sorted(made.witnesses):
        say(phrase("the name of the witness: {name}", name=name))
    if left_out:
        say(
            phrase(
                "left out, since names tell of people: {left_out} (--witness adds one)",
                left_out=", ".join(left_out),
            )
        )
    say("Whoever has the same record, as your client does, recognises it by its figures.")
