"""`prove`, `label` and `evidence`: what is put into the chain beside recorded time, and the list.

Rule: an item is signed as one salted commitment; only `export --open evidence` shows it to anybody.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from workseal_agent.chain import OwnChain
from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import raw, say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.cli.recording import read_memo
from workseal_agent.cli.typedtime import read_instant
from workseal_agent.clock import SystemClock
from workseal_agent.daemon import HomeLock, NotRunningError
from workseal_agent.deliverables import commit_items, file_item
from workseal_agent.errors import AgentError
from workseal_agent.evidence import Proved, prove, proved
from workseal_agent.language import phrases
from workseal_agent.ledger import Engagement, SendState
from workseal_protocol.cli.openings import item_text, item_value
from workseal_protocol.cli.text import instant_in
from workseal_protocol.records import EvidenceItem, Label, Text, encode_item

_STATES = {
    SendState.UNSENT: "waits",
    SendState.HELD: "waits",
    SendState.RECEIPTED: "logged",
    SendState.PARKED: "refused",
}


@app.command("prove")
def prove_items(
    context: typer.Context,
    *,
    file: Annotated[
        list[Path] | None, typer.Option(help="A file: its digest and size. May be repeated.")
    ] = None,
    repository: Annotated[
        Path | None, typer.Option("--git", help="A folder in a git repository: its newest commit.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="All commits of --git from 2026-11-23T14:00 on.")
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="A message or a link. - reads it from standard input.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What to call the file or the repository.")
    ] = None,
) -> None:
    """Put commits, files or a text into the chain; only a commitment to each is sent."""
    home = home_of(context)
    engagement = home.engagement()
    items: list[EvidenceItem] = [file_item(one, name) for one in file or ()]
    if repository is not None:
        since_ms = None if since is None else read_instant(since, ZoneInfo(engagement.terms.zone))
        items += commit_items(repository, since_ms=since_ms, name=name)
        if not items:
            raise AgentError("there are no commits since then")
    elif since is not None:
        raise UsageProblem("--since belongs to --git FOLDER")
    if text is not None:
        items.append(_text(read_memo(text)))
    if not items:
        raise UsageProblem("name what to prove: --file FILE, --git FOLDER or --text TEXT")
    _put(home, items)


@app.command()
def label(
    context: typer.Context,
    project: Annotated[str, typer.Argument(help="What the time was for.")],
    *,
    tag: Annotated[list[str] | None, typer.Option(help="A word more; may be repeated.")] = None,
    begin: Annotated[
        str | None,
        typer.Option(help="Like 2026-11-23T14:00; the newest session's begin if absent."),
    ] = None,
    end: Annotated[str | None, typer.Option(help="The newest session's end if absent.")] = None,
) -> None:
    """Say for which project time was; a claim of yours, opened only when you wish."""
    home = home_of(context)
    begin_ms, end_ms = _times(home, home.engagement(), begin, end)
    try:
        item = Label(project, tuple(dict.fromkeys(tag or ())), begin_ms, end_ms)
    except ValueError as error:
        raise UsageProblem(str(error)) from error
    _put(home, [item])


@app.command("evidence")
def list_evidence(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
) -> None:
    """List what you proved and labelled."""
    home = home_of(context)
    engagement = home.engagement()
    rows = proved(home.open_ledger, engagement.id)
    if as_json:
        raw(json.dumps([_row_value(row) for row in rows]))
        return
    zone = ZoneInfo(engagement.terms.zone)
    # Lines and no table: what was proved is longer than a terminal is wide.
    for row in rows:
        said = f"{row.number}  {instant_in(row.claimed_ms, zone)}  {_STATES[row.state]}"
        say(f"{said}  {item_text(row.item, zone)}")


def _put(home: Home, items: Sequence[EvidenceItem]) -> None:
    sent = True
    try:
        for item in items:
            home.ask("prove", item=encode_item(item).hex())
    except NotRunningError:
        with HomeLock(home.files.home):
            chain = OwnChain(home.open_ledger, home.engagement(), home.signer)
            for item in items:
                prove(chain, item, now_ms=SystemClock().wall_ms())
            sent = home.send_now()
    say(
        phrases(
            len(items),
            "{count} item in the chain, seen by nobody until you open it",
            "{count} items in the chain, seen by nobody until you open them",
        )
    )
    if not sent:
        say("  not sent yet: `workseal-agent send`")


def _text(text: str) -> Text:
    try:
        return Text(text)
    except ValueError as error:
        raise UsageProblem(str(error)) from error


def _times(
    home: Home, engagement: Engagement, begin: str | None, end: str | None
) -> tuple[int, int]:
    zone = ZoneInfo(engagement.terms.zone)
    rows = home.ledger.segments(engagement.id, 0, 1 << 62)
    if not rows and (begin is None or end is None):
        raise UsageProblem("nothing is recorded yet: name --begin and --end")
    newest = [row for row in rows if row.session == rows[-1].session]
    begin_ms = newest[0].begin_ms if begin is None else read_instant(begin, zone)
    end_ms = newest[-1].end_ms if end is None else read_instant(end, zone)
    if begin_ms >= end_ms:
        raise UsageProblem("the labelled time ends before it begins")
    return begin_ms, end_ms


def _row_value(row: Proved) -> dict[str, object]:
    return {
        "number": row.number,
        "statement": str(row.digest),
        "said_at_ms": row.claimed_ms,
        "state": str(row.state),
        **item_value(row.item),
    }
