"""The redaction editor of one frame: its picture, its tiles, its marks, and what would be seen.

Rule: the editor chooses tiles, never pixels. What it shows as a preview is rendered from tiles that
verified against the frame's commitment, as the other side will render them.
"""

import base64
import binascii

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workseal_agent import disclose
from workseal_agent.errors import AgentError
from workseal_agent.ledger import CaptureRow
from workseal_agent.pages.asked import read_json
from workseal_agent.pages.drafts import read_bits, write_bits
from workseal_agent.pages.inbox import Asked, drafts_of, find_asked, portion_of
from workseal_agent.pages.refusals import AbsentError
from workseal_agent.pages.render import desk_of, page
from workseal_agent.pages.words import say
from workseal_agent.suggestions import Reading
from workseal_protocol.cli.png import encode_png
from workseal_protocol.disclosure import HiddenPattern
from workseal_protocol.frame import Grid


def routes() -> list[BaseRoute]:
    """Return the routes of the editor."""
    frame = "/requests/{digest}/{number:number}"
    return [
        Route(frame, _editor, methods=["GET"]),
        Route(frame, _save, methods=["POST"]),
        Route(f"{frame}/frame.json", _frame),
        Route(f"{frame}/marks.json", _marks),
        Route(f"{frame}/seen.png", _seen),
    ]


def _editor(request: Request) -> Response:
    desk = desk_of(request)
    asked, row = _place(request)
    return page(
        request,
        "redact.html",
        place="requests",
        asked=asked,
        row=row,
        open=desk.unlocked.left_ms() > 0,
    )


def _frame(request: Request) -> Response:
    """Give the editor what it works with: sizes, the draft, the pattern."""
    desk = desk_of(request)
    asked, row = _place(request)
    reader = desk.reader()
    if reader is None:
        raise AgentError(say("problem.locked"))
    engagement = desk.need()
    grid = Grid(row.width, row.height, engagement.terms.tile)
    drafted = drafts_of(request).get(asked.request.statement.digest, row.number)
    before = disclose.shown_before(reader, desk.ledger, engagement.id, row.commitment)
    pattern, portion = HiddenPattern(), portion_of(desk, asked)
    return JSONResponse(
        {
            "width": grid.width,
            "height": grid.height,
            "tile": grid.tile,
            "columns": grid.columns,
            "rows": grid.rows,
            "shown": base64.b64encode(write_bits(grid, drafted)).decode(),
            "before": base64.b64encode(write_bits(grid, before)).decode(),
            "level": None if portion is None else portion.level,
            "most": grid.count if portion is None else portion.most_of(grid.count),
            "pattern": {
                "first": pattern.first,
                "second": pattern.second,
                "cell": pattern.cell,
            },
        }
    )


def _marks(request: Request) -> Response:
    """Give the marks; it takes as long as reading a picture does."""
    desk = desk_of(request)
    _, row = _place(request)
    reader = desk.reader()
    if reader is None:
        raise AgentError(say("problem.locked"))
    marked = desk.marked(reader, row.commitment)
    nothing = marked.reading is Reading.READ and not marked.marks
    found = "none" if nothing else marked.reading.value
    return JSONResponse(
        {
            "marks": [mark.told() for mark in marked.marks],
            "told": say(f"redact.reading_{found}"),
        }
    )


async def _save(request: Request) -> Response:
    """Keep which tiles are shown."""
    desk = desk_of(request)
    asked, row = _place(request)
    grid = Grid(row.width, row.height, desk.need().terms.tile)
    told = read_json(await request.body()).get("shown")
    try:
        data = base64.b64decode(told if isinstance(told, str) else "", validate=True)
        tiles = read_bits(grid, data)
    except (binascii.Error, ValueError):
        return JSONResponse({"told": say("problem.tiles")}, 422)
    portion = portion_of(desk, asked)
    most = grid.count if portion is None else portion.most_of(grid.count)
    if portion is not None and len(tiles) > most:
        told = say("problem.many_tiles", shown=len(tiles), most=most, level=portion.level)
        return JSONResponse({"told": told}, 422)
    drafts_of(request).put(asked.request.statement.digest, row.number, tiles)
    return Response(status_code=204)


def _seen(request: Request) -> Response:
    """Render the tiles that verified, and the pattern everywhere else."""
    desk = desk_of(request)
    asked, row = _place(request)
    reader = desk.reader()
    if reader is None:
        raise AgentError(say("problem.locked"))
    tiles = drafts_of(request).get(asked.request.statement.digest, row.number)
    if not tiles:
        raise AgentError(say("problem.nothing_chosen"))
    seen = disclose.open_tiles(reader, row, tiles).seen
    data = encode_png(seen.header.width, seen.header.height, seen.render())
    return Response(data, media_type="image/png")


def _place(request: Request) -> tuple[Asked, CaptureRow]:
    desk = desk_of(request)
    asked = find_asked(desk, desk.need(), request.path_params["digest"])
    number = request.path_params["number"]
    row = next((row for row in asked.rows if row.number == number), None)
    if row is None:
        raise AbsentError(say("problem.not_asked"))
    return asked, row
