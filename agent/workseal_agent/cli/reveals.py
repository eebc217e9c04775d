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
from workseal_agent.language import Phrase, phrase, phrases
from workseal_agent.ledger import Engagement
from workseal_agent.reveals import HandedOver, Reveal, Together, handed_over_by, reveals_of
from workseal_agent.vault import VaultReader
from workseal_agent.writing import write_private
from workseal_protocol.cli.png import encode_png
from workseal_protocol.cli.text import instant
from workseal_protocol.digest import Digest
from workseal_protocol.watermark import LASTING, mark_for


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
    handed = handed_over_by(home.ledger, engagement.id)
    if not found and not handed:
        say("nothing was ever shown to anybody by this home")
        return
    if found:
        table(("signed", "to", "case", "frame", "tiles", "state"), [_row(one) for one in found])
    for line in (*_unions(found), *map(_handed, handed)):
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
        missing = phrases(
            len(of_mark),
            "the mark of the {count} request is not in this picture: it may still be one that"
            " was shown, drawn by another program, made smaller, or photographed",
            "no mark of the {count} requests is in this picture: it may still be one that was"
            " shown, drawn by another program, made smaller, or photographed",
        )
        if min(looked.shape) >= LASTING:
            raise AgentError(missing)
        raise AgentError(
            phrase(
                "{missing}; a part of fewer than {least} pixels a side often loses its mark",
                missing=missing,
                least=LASTING,
            )
        )
    reveal = of_mark[best.mark]
    say(phrase("marked for {to}", to=reveal.to))
    say(
        phrase(
            "by request {request}; the digits in the picture are {mark}",
            request=reveal.request,
            mark=str(best.mark)[:8],
        )
    )
    say(
        phrase(
            "the mark stands out {score:.0f} times its noise, {found:.0f} are enough",
            score=best.score,
            found=tracing.FOUND,
        )
    )
    say("who passed it on is another question: whoever has the key or the request can draw it")


def tell_together(unions: Sequence[Together]) -> None:
    """Say what would be known of each frame, where that is more than this answer shows."""
    for one in unions:
        number, tiles = one.frame.number, one.tiles
        if one.before:
            say(
                phrase(
                    "frame {number}: {before} shown before, {now} now; together {all} would be"
                    " known",
                    number=number,
                    before=_of(one.before, tiles),
                    now=_of(one.now, tiles),
                    all=_of(one.all, tiles),
                )
            )
        for key, known in sorted(one.known_to.items(), key=lambda each: str(each[0])):
            say(
                phrase(
                    "frame {number}: {key} was shown {share}",
                    number=number,
                    key=str(key)[:16],
                    share=_of(known, tiles),
                )
            )
        if one.alike:
            say(
                phrases(
                    one.alike,
                    "frame {number}: {count} tile that would stay hidden: the same pixels are shown"
                    " elsewhere, in this frame or another",
                    "frame {number}: {count} tiles that would stay hidden: the same pixels are"
                    " shown elsewhere, in this frame or another",
                    number=number,
                )
            )


def _row(one: Reveal) -> tuple[str, ...]:
    return (
        instant(one.at_ms),
        phrase("not known here") if one.to is None else str(one.to)[:16],
        "-" if one.case is None else str(one.case)[:16],
        one.name,
        phrase("not known here") if one.row is None else _of(one.row.shown, one.row.tiles),
        _state(one),
    )


def _state(one: Reveal) -> Phrase:
    sent = _sent(logged=one.logged, taken_back=one.taken_back)
    gone = one.capture is not None and one.capture.withdrawn
    return phrase("{sent}, withdrawn since", sent=sent) if gone else sent


def _handed(one: HandedOver) -> Phrase:
    return phrase(
        "{signed}: openings were handed over in case {case} ({state}): which, the file with the"
        " SHA-256 {file} tells",
        signed=instant(one.at_ms),
        case=str(one.case)[:16],
        state=_sent(logged=one.logged, taken_back=one.taken_back),
        file=one.file,
    )


def _sent(*, logged: bool, taken_back: bool) -> Phrase:
    sent = phrase("logged") if logged else phrase("signed, perhaps sent")
    return phrase("{sent}, taken back since", sent=sent) if taken_back else sent


def _unions(found: Sequence[Reveal]) -> list[Phrase]:
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
                phrase(
                    "frame {name}: together {share}, shown to {keys}",
                    name=reveals[0].name,
                    share=_of(shown, rows[0].tiles),
                    keys=phrases(keys, "{count} key", "{count} keys"),
                )
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
        "taken_back": one.taken_back,
        "frame": str(one.frame),
        "number": None if one.capture is None else str(one.capture.number),
        "withdrawn": one.capture is not None and one.capture.withdrawn,
        "shown": None if one.row is None else list(one.row.shown),
        "tiles": None if one.row is None else one.row.tiles,
    }


def _of(shown: Sequence[int] | frozenset[int] | set[int], tiles: int) -> Phrase:
    return phrases(tiles, "{shown} of {count} tile", "{shown} of {count} tiles", shown=len(shown))


def _view(home: Home, engagement: Engagement, name: str, out: Path) -> None:
    row = find_frame(home.ledger, engagement.id, name)
    if row.withdrawn:
        raise AgentError(
            phrase("frame {number} is withdrawn: its picture is destroyed", number=row.number)
        )
    if os.path.lexists(out) or not out.absolute().parent.is_dir():
        raise UsageProblem(
            phrase("{out} cannot be written: it exists already, or has no folder", out=out)
        )
    reader = VaultReader(home.files.vault_folder, home.vault_key())
    shown = disclose.shown_before(reader, home.ledger, engagement.id, row.commitment)
    if not shown:
        raise AgentError(phrase("nothing of frame {number} was ever shown", number=row.number))
    seen = disclose.open_tiles(reader, row, sorted(shown)).seen
    write_private(out, encode_png(seen.header.width, seen.header.height, seen.render()))
    say(
        phrase(
            "{out}: all that was ever shown of frame {number}; delete it after use",
            out=out,
            number=row.number,
        )
    )
