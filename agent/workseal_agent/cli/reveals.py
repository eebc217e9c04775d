"""`disclosures`, `trace`: what was ever shown to whom; what one more answer would add to it.

Rule: the list needs no passphrase and opens no picture: it has numbers of tiles, never a tile.
"""

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from workseal_agent import disclose
from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import raw, say, table
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.errors import AgentError
from workseal_agent.evidence import find_frame
from workseal_agent.ledger import Engagement
from workseal_agent.reveals import Reveal, Together, reveals_of
from workseal_agent.vault import VaultReader
from workseal_agent.writing import write_private
from workseal_protocol.cli.png import encode_png
from workseal_protocol.cli.text import count, instant
from workseal_protocol.digest import Digest
from workseal_protocol.watermark import mark_for


@app.command()
def disclosures(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
    view: Annotated[
        str | None, typer.Option(help="Number or commitment of a frame: draw all that was shown.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The PNG file to write for --view.")] = None,
) -> None:
    """List what was ever shown to whom, also of frames that are withdrawn."""
    home = home_of(context)
    if (view is None) != (out is None):
        raise UsageProblem("to look at what was shown, name it: --view NUMBER --out FILE")
    engagement = home.engagement()
    if view is not None and out is not None:
        _view(home, engagement, view, out)
        return
    found = reveals_of(home.ledger, engagement.id)
    if as_json:
        raw(json.dumps([_as_object(one) for one in found]))
        return
    if not found:
        say("nothing was ever shown to anybody by this home")
        return
    table(("signed", "to", "case", "frame", "tiles", "state"), [_row(one) for one in found])
    for line in _unions(found):
        say(line)


@app.command()
def trace(
    context: typer.Context,
    picture: Annotated[Path, typer.Argument(help="A picture that turned up somewhere.")],
) -> None:
    """Say for whom a picture was marked, of those to whom something was ever shown."""
    # Numbers and pictures are this command's alone.
    from workseal_agent import tracing  # noqa: PLC0415

    home = home_of(context)
    found = reveals_of(home.ledger, home.engagement().id)
    of_mark = {mark_for(one.to, one.request): one for one in found if one.to is not None}
    looked = tracing.read_picture(picture)
    if not of_mark:
        raise AgentError("nothing was ever shown to anybody by this home")
    best, *_ = tracing.trace(looked, tuple(of_mark))
    if not best.found:
        raise AgentError(
            f"no mark of {count(len(of_mark), 'request')} is in this picture: it may still be one"
            " that was shown, drawn by another program, made smaller, or photographed"
        )
    reveal = of_mark[best.mark]
    say(f"marked for {reveal.to}")
    say(f"by request {reveal.request}; the digits in the picture are {str(best.mark)[:8]}")
    say(f"the mark stands out {best.score:.0f} times its noise, {tracing.FOUND:.0f} are enough")
    say("who passed it on is another question: whoever has the key or the request can draw it")


def tell_together(unions: Sequence[Together]) -> None:
    """Say what would be known of each frame, where that is more than this answer shows."""
    for one in unions:
        number, tiles = one.frame.number, one.tiles
        if one.before:
            say(
                f"frame {number}: {_of(one.before, tiles)} shown before, {_of(one.now, tiles)} now;"
                f" together {_of(one.all, tiles)} would be known"
            )
        for key, known in sorted(one.known_to.items(), key=lambda each: str(each[0])):
            say(f"frame {number}: {str(key)[:16]} was shown {_of(known, tiles)}")
        if one.alike:
            say(
                f"frame {number}: {count(one.alike, 'tile')} that would stay hidden: the same"
                " pixels are shown elsewhere, in this frame or another"
            )


def _row(one: Reveal) -> tuple[str, ...]:
    return (
        instant(one.at_ms),
        "not known here" if one.to is None else str(one.to)[:16],
        "-" if one.case is None else str(one.case)[:16],
        one.name,
        "not known here" if one.row is None else _of(one.row.shown, one.row.tiles),
        _state(one),
    )


def _state(one: Reveal) -> str:
    sent = "logged" if one.logged else "signed, perhaps sent"
    gone = one.capture is not None and one.capture.withdrawn
    return f"{sent}, withdrawn since" if gone else sent


def _unions(found: Sequence[Reveal]) -> list[str]:
    """Say of each frame that was shown more than once what all of it comes to."""
    of_frame = defaultdict[Digest, list[Reveal]](list)
    for one in found:
        of_frame[one.frame].append(one)
    lines = []
    for reveals in of_frame.values():
        rows = [one.row for one in reveals if one.row is not None]
        if len(rows) > 1:
            shown = {number for row in rows for number in row.shown}
            keys = len({one.to for one in reveals})
            lines.append(
                f"frame {reveals[0].name}: together {_of(shown, rows[0].tiles)},"
                f" shown to {count(keys, 'key')}"
            )
    return lines


def _as_object(one: Reveal) -> dict[str, Any]:
    return {
        "signed_at_ms": one.at_ms,
        "statement": str(one.statement),
        "request": str(one.request),
        "to": None if one.to is None else str(one.to),
        "case": None if one.case is None else str(one.case),
        "logged": one.logged,
        "frame": str(one.frame),
        "number": None if one.capture is None else str(one.capture.number),
        "withdrawn": one.capture is not None and one.capture.withdrawn,
        "shown": None if one.row is None else list(one.row.shown),
        "tiles": None if one.row is None else one.row.tiles,
    }


def _of(shown: Sequence[int] | frozenset[int] | set[int], tiles: int) -> str:
    return f"{len(shown)} of {count(tiles, 'tile')}"


def _view(home: Home, engagement: Engagement, name: str, out: Path) -> None:
    row = find_frame(home.ledger, engagement.id, name)
    if row.withdrawn:
        raise AgentError(f"frame {row.number} is withdrawn: its picture is destroyed")
    if os.path.lexists(out) or not out.absolute().parent.is_dir():
        raise UsageProblem(f"{out} cannot be written: it exists already, or has no folder")
    reader = VaultReader(home.settings.vault_folder, home.vault_key())
    shown = disclose.shown_before(reader, home.ledger, engagement.id, row.commitment)
    if not shown:
        raise AgentError(f"nothing of frame {row.number} was ever shown")
    seen = disclose.open_tiles(reader, row, sorted(shown)).seen
    write_private(out, encode_png(seen.header.width, seen.header.height, seen.render()))
    say(f"{out}: all that was ever shown of frame {row.number}; delete it after use")
