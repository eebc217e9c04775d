"""`tags`: say to an arbitrator which frames look alike, and not what any of them looks like.

Rules: what is written is a keyed tag of each frame and the key, in two new files for the owner
alone. Outlines stay in memory. Nothing is sent: who hands the files over decides that.
"""

from pathlib import Path
from secrets import token_bytes
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.cli.typedtime import read_instant
from workseal_agent.errors import AgentError, VaultError
from workseal_agent.language import phrase, phrases
from workseal_agent.ledger import CaptureRow
from workseal_agent.vault import VaultReader
from workseal_protocol.cli.files import require_new, write_new_secret
from workseal_protocol.cli.outline import outline
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.seeds import write_tag_key
from workseal_protocol.desk import KEY_BYTES, TagList, tag_of
from workseal_protocol.digest import Digest


@app.command()
def tags(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="The new file of tags.")],
    key: Annotated[Path, typer.Option(help="The new file of their key, for the arbitrator alone.")],
    begin: Annotated[
        str | None, typer.Option(help="Like 2026-11-23T14:00; from the first frame if absent.")
    ] = None,
    end: Annotated[str | None, typer.Option(help="To the last frame if absent.")] = None,
) -> None:
    """Write a keyed tag for each frame: equal tags, equal outlines, and no picture in them."""
    home = home_of(context)
    rows = _rows(home, begin, end)
    try:
        require_new(out)
        require_new(key)
        secret = token_bytes(KEY_BYTES)
        found, damaged = _tags(home, rows, secret)
        if not found:
            raise AgentError("none of these frames can be read")
        write_new_secret(out, TagList(home.engagement().id, found).encode())
        write_tag_key(key, secret)
    except CommandError as error:
        raise UsageProblem(str(error)) from error
    alike = len(found) - len(set(found.values()))
    say(
        phrases(
            len(found),
            "{out}: {count} tag, {alike} of them equal to another one's",
            "{out}: {count} tags, {alike} of them equal to another one's",
            out=out,
            alike=alike,
        )
    )
    if damaged:
        say(
            phrases(
                damaged,
                "{count} frame cannot be read and got no tag",
                "{count} frames cannot be read and got no tag",
            )
        )
    say(phrase("{key}: their key; whoever has both can try out what a screen looked like", key=key))


def _rows(home: Home, begin: str | None, end: str | None) -> list[CaptureRow]:
    engagement = home.engagement()
    zone = ZoneInfo(engagement.terms.zone)
    least = 0 if begin is None else read_instant(begin, zone)
    most = 1 << 62 if end is None else read_instant(end, zone)
    rows = [
        row
        for row in home.ledger.captures(engagement.id)
        if not row.withdrawn and least <= row.captured_ms < most
    ]
    if not rows:
        raise AgentError("there are no frames in these hours that are not withdrawn")
    return rows


def _tags(home: Home, rows: list[CaptureRow], secret: bytes) -> tuple[dict[Digest, bytes], int]:
    """Read one frame at a time; a damaged one is counted and the others go on."""
    vault = VaultReader(home.files.vault_folder, home.vault_key())
    found: dict[Digest, bytes] = {}
    for row in rows:
        try:
            stored = vault.frame(row.commitment)
        except VaultError:
            continue
        drawn = outline(stored.header.width, stored.header.height, stored.pixels)
        found[row.commitment] = tag_of(secret, drawn)
    return found, len(rows) - len(found)
