"""`vault`: whether everything that the vault must hold is there and whole, at three depths."""

import json
from collections.abc import Iterable
from contextlib import closing, nullcontext
from typing import Annotated

import typer
from rich.progress import Progress

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import console, raw, say
from workseal_agent.clock import SystemClock
from workseal_agent.daemon import HomeLock
from workseal_agent.daemon.holding import Holding
from workseal_agent.daemon.othersheld import prove as prove_weeks
from workseal_agent.daemon.othersheld import wants_proof
from workseal_agent.errors import AgentError
from workseal_agent.heldobject import Ciphertext
from workseal_agent.language import Phrase, own_reason, phrase, phrases
from workseal_agent.ledger import Engagement, SendState, short_name
from workseal_agent.possessiontold import possession_lines, possession_value
from workseal_agent.possessionweeks import Said, said_of
from workseal_agent.submission import Log
from workseal_agent.uplink import Uplink
from workseal_agent.vault import VaultProblem, VaultReader
from workseal_agent.vaultcheck import Depth, VaultState, check_vault
from workseal_protocol.errors import VerificationError

_LOOKED_AT = {
    Depth.NAMES: phrase("names, sizes and heads; nothing was opened"),
    Depth.KEYS: phrase("every object was opened; no picture was decoded"),
    Depth.PIXELS: phrase("every object was opened, and each picture opens its commitment"),
}

vault = typer.Typer(name="vault", help="Check the vault against the ledger.", no_args_is_help=True)
app.add_typer(vault)


@vault.command()
def check(
    context: typer.Context,
    *,
    depth: Annotated[
        Depth,
        typer.Option(help="names needs no passphrase; keys opens; pixels commits again."),
    ] = Depth.NAMES,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check every object of the vault, and that each frame of the ledger is there."""
    tell_check(home_of(context), depth, as_json=as_json)


def tell_check(home: Home, depth: Depth, *, as_json: bool = False) -> None:
    """Check the vault and tell what was found; `AgentError` when something is not whole."""
    state = _checked(home, depth)
    if as_json:
        raw(
            json.dumps(
                {
                    "depth": str(state.depth),
                    "objects": state.objects,
                    "bytes": state.octets,
                    "frames": state.frames,
                    "parts_of_disclosures": state.parts,
                    "problems": [[one.name, one.text] for one in state.problems],
                    "possession": {
                        engagement.id.hex(): possession_value(told)
                        for engagement, told in _said(home)
                    },
                }
            )
        )
    else:
        tell_problems(state.problems)
        for engagement, told in _said(home):
            for line in possession_lines(told):
                name = short_name(engagement.id)
                say(phrase("engagement {name}: {line}", name=name, line=line))
    if state.problems:
        raise AgentError(
            phrases(
                len(state.problems),
                "{count} object of the vault damaged, missing or strange: restore from a backup, or"
                " withdraw the frames",
                "{count} objects of the vault damaged, missing or strange: restore from a backup,"
                " or withdraw the frames",
            )
        )
    if not as_json:
        _tell_whole(state)


@vault.command()
def prove(context: typer.Context) -> None:
    """Make the weekly proof of each engagement that is not being recorded, where it is due."""
    home = home_of(context)
    recorded = home.recorded()
    # What records looks after its own engagement, and after the others of the same verifier.
    with HomeLock(home.files.home) if recorded is None else nullcontext():
        known = home.ledger.engagements()
        urls = {one.url for one in known if one.id.hex() == recorded}
        now_ms = SystemClock().wall_ms()
        wanted = [
            one for one in known if one.url not in urls and wants_proof(home.ledger, one, now_ms)
        ]
        made = [_proven(home, engagement) for engagement in wanted]
    if not all(made):
        raise AgentError("a weekly proof waits; what was made is kept, and no hour depends on it")
    if not wanted:
        say("no weekly proof is due that this command makes")


def _proven(home: Home, engagement: Engagement) -> bool:
    """Say and send what is due of one engagement; False when it waits, and why is told."""
    ledger, clock = home.open_ledger, SystemClock()
    vault = Ciphertext(home.files.vault_folder, home.keystore.vault_public)
    name = short_name(engagement.id)
    with closing(home.client(engagement.url)) as client:
        holding = Holding(
            engagement, ledger, home.signer, vault, client, clock, on_statement=lambda: None
        )
        sender = Uplink(ledger, client, Log.of(engagement), wall_ms=clock.wall_ms)
        try:
            prove_weeks(holding, sender)
        except (AgentError, VerificationError) as error:
            say(phrase("engagement {name}: {line}", name=name, line=own_reason(error)))
            return False
    said = said_of(ledger, engagement, clock.wall_ms())
    for line in possession_lines(said):
        say(phrase("engagement {name}: {line}", name=name, line=line))
    return said.state is not SendState.UNSENT


def _tell_whole(state: VaultState) -> None:
    told = {
        "frames": phrases(state.frames, "{count} frame", "{count} frames"),
        "parts": phrases(
            state.parts, "{count} part of disclosures", "{count} parts of disclosures"
        ),
        "size": size_text(state.octets),
    }
    if state.depth is not Depth.PIXELS:
        say(phrase("{frames} and {parts} in place ({size})", **told))
    elif state.frames == 1:
        say(phrase("{frames} and {parts} is whole ({size})", **told))
    else:
        say(phrase("{frames} and {parts} are whole ({size})", **told))
    say(phrase("looked at: {what}", what=_LOOKED_AT[state.depth]))


def _said(home: Home) -> list[tuple[Engagement, Said]]:
    """Find what was said each week, of the engagements that have frames."""
    now_ms = SystemClock().wall_ms()
    return [
        (engagement, said_of(home.ledger, engagement, now_ms))
        for engagement in home.ledger.engagements()
        if home.ledger.has_captures(engagement.id)
    ]


def tell_problems(problems: Iterable[VaultProblem]) -> None:
    """Print what is wrong with the vault, by the names that its owner knows."""
    for problem in problems:
        say(phrase("{name}: {text}", name=problem.name, text=problem.text))


def size_text(octets: int) -> Phrase:
    """Write a size for people."""
    return phrase("{size:,.1f} MiB", size=octets / (1 << 20))


def _checked(home: Home, depth: Depth) -> VaultState:
    folder, public = home.files.vault_folder, home.keystore.vault_public
    reader = None if depth is Depth.NAMES else VaultReader(folder, home.vault_key())
    with Progress(console=console(), transient=True, disable=not console().is_terminal) as bars:
        bar = bars.add_task("vault", total=None)
        return check_vault(
            folder,
            home.ledger,
            public,
            reader,
            depth=depth,
            progress=lambda done, all_: bars.update(bar, completed=done, total=all_),
        )
