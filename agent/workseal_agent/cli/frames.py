"""`frames`: which captures there are, what one shows, what to hide in it, whether all are whole.

Rule: a picture leaves the vault only into a file that its owner names.
"""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import raw, say, table
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.cli.reviewing import (
    as_object,
    place_of,
    reading_of,
    sureness_text,
    unread_sentence,
)
from workseal_agent.cli.vault import tell_check
from workseal_agent.evidence import UnknownFrameError, find_frame
from workseal_agent.language import own, phrase
from workseal_agent.ledger import CaptureRow
from workseal_agent.suggestions import review_frame
from workseal_agent.vault import VaultReader
from workseal_agent.vaultcheck import Depth
from workseal_agent.writing import write_private
from workseal_protocol.cli.png import encode_png
from workseal_protocol.cli.text import instant


@app.command()
def frames(  # noqa: PLR0913 - each is another look at the same frames
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
    as_list: Annotated[bool, typer.Option("--list", help="A table (the default).")] = False,
    view: Annotated[
        str | None, typer.Option(help="Number or commitment of a frame to look at.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The PNG file to write for --view.")] = None,
    suggest: Annotated[
        str | None, typer.Option(help="Number or commitment of a frame to read for suggestions.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="The same as `vault check --depth pixels`.")
    ] = False,
) -> None:
    """List the frames: when they were taken and what committed to them; look at one; check all."""
    home = home_of(context)
    if (view is None) != (out is None):
        raise UsageProblem("to look at a frame, name it and a file: --view NUMBER --out FILE")
    if view is not None and out is not None:
        _view(home, view, out)
    elif suggest is not None:
        _suggest(home, suggest, as_json=as_json and not as_list)
    elif check:
        tell_check(home, Depth.PIXELS)
    else:
        _list(home.ledger.captures(home.engagement().id), as_json=as_json and not as_list)


def _list(rows: tuple[CaptureRow, ...], *, as_json: bool) -> None:
    if as_json:
        raw(
            json.dumps(
                [
                    {
                        "number": str(row.number),
                        "segment": str(row.segment),
                        "commitment": str(row.commitment),
                        "round": row.round,
                        "captured_at_ms": row.captured_ms,
                        "display": row.display,
                        "width": row.width,
                        "height": row.height,
                        "state": _state(row),
                    }
                    for row in rows
                ]
            )
        )
        return
    table(
        ("number", "taken", "display", "size", "state", "commitment"),
        [
            (
                str(row.number),
                instant(row.captured_ms),
                str(row.display),
                # Of a frame that another copy of this home took, nobody here knows the size.
                f"{row.width} x {row.height}" if row.width else phrase("not here"),
                phrase("withdrawn") if row.withdrawn else phrase("kept"),
                str(row.commitment)[:16],
            )
            for row in rows
        ],
    )


def _view(home: Home, name: str, out: Path) -> None:
    row = _kept_frame(home, name)
    if os.path.lexists(out) or not out.absolute().parent.is_dir():
        raise UsageProblem(
            phrase("{out} cannot be written: it exists already, or has no folder", out=out)
        )
    stored = VaultReader(home.files.vault_folder, home.vault_key()).frame(row.commitment)
    header = stored.header
    write_private(out, encode_png(header.width, header.height, stored.pixels))
    say(
        phrase(
            "{out}: frame {number} as it was recorded, readable by you alone; delete it after use",
            out=out,
            number=row.number,
        )
    )


def _suggest(home: Home, name: str, *, as_json: bool) -> None:
    row = _kept_frame(home, name)
    stored = VaultReader(home.files.vault_folder, home.vault_key()).frame(row.commitment)
    with reading_of(home) as reading:
        review = review_frame(stored.header.grid, stored.pixels, reading)
    if as_json:
        raw(json.dumps(as_object(row, review)))
        return
    sentence = unread_sentence(review)
    if sentence is not None:
        say(sentence)
    table(
        ("what", "where", "tiles", "sure", "why"),
        [
            (
                own(each.suggestion.kind.value),
                place_of(each.suggestion),
                str(each.tiles),
                sureness_text(each.suggestion.sureness),
                own(each.suggestion.why.value),
            )
            for each in review.exposures(())
        ],
    )


def _kept_frame(home: Home, name: str) -> CaptureRow:
    row = find_frame(home.ledger, home.engagement().id, name)
    if row.withdrawn:
        raise UnknownFrameError(
            phrase("frame {number} is withdrawn: its picture is destroyed", number=row.number)
        )
    return row


def _state(row: CaptureRow) -> str:
    return "withdrawn" if row.withdrawn else "kept"
