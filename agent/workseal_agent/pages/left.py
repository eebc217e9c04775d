"""What left this machine: every request, in words and byte for byte."""

import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from workseal_agent.connection import Departure, Departures
from workseal_agent.pages.refusals import AbsentError, FormError
from workseal_agent.pages.render import desk_of, page
from workseal_agent.pages.words import say
from workseal_protocol.encoding import split_sequence
from workseal_protocol.errors import MalformedError
from workseal_protocol.statement import Statement

# What each kind of request begins with, most telling first.
KINDS = {
    "statements": "/v1/statements%",
    "disclosures": "/v1/disclosures%",
    "sealed": "/v1/sealed/%",
    "beacon": "/v1/beacon/%",
    "reading": "/v1/engagements/%",
    "log": "/v1/log/%",
    "operator": "/v1/operator%",
}
_PAGE = 50
_MAX_STATEMENTS = 4_096
# Sixteen bytes a line; what is longer is shown by its beginning and given whole as a file.
_SHOWN_BYTES = 8_192
_LINE = 16
_PLACE = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Told:
    """Hold one signed record inside a request."""

    kind: str
    size: int


def routes() -> list[BaseRoute]:
    """Return the routes of what left."""
    return [
        Route("/left", _list),
        Route("/left/{number:number}", _one),
        Route("/left/{number:number}/bytes", _bytes),
    ]


def _list(request: Request) -> Response:
    desk = desk_of(request)
    departures = Departures(desk.settings.sent_file)
    kind = request.query_params.get("kind", "")
    before = request.query_params.get("before", "")
    if (kind and kind not in KINDS) or (before and _PLACE.fullmatch(before) is None):
        raise FormError(say("problem.left"))
    rows = departures.newest(
        before=int(before) if before else None, like=KINDS.get(kind, "%"), limit=_PAGE + 1
    )
    return page(
        request,
        "left.html",
        place="left",
        rows=[(row, kind_of(row)) for row in rows[:_PAGE]],
        more=rows[_PAGE - 1].number if len(rows) > _PAGE else None,
        kinds=list(KINDS),
        kind=kind,
        sums=departures.sums(),
    )


def _one(request: Request) -> Response:
    row = _found(request)
    body = row.body or b""
    return page(
        request,
        "departure.html",
        place="left",
        row=row,
        kind=kind_of(row),
        head=row.head.decode("latin-1"),
        told=statements_in(body) if kind_of(row) == "statements" else [],
        lines=dump(body[:_SHOWN_BYTES]),
        cut=len(body) > _SHOWN_BYTES,
    )


def _bytes(request: Request) -> Response:
    """Give a request as it was sent, as a file."""
    row = _found(request)
    name = f'attachment; filename="request-{row.number}.http"'
    return Response(
        row.head + (row.body or b""),
        media_type="application/octet-stream",
        headers={"content-disposition": name},
    )


def _found(request: Request) -> Departure:
    row = Departures(desk_of(request).settings.sent_file).one(request.path_params["number"])
    if row is None:
        raise AbsentError(say("problem.departure"))
    return row


def kind_of(row: Departure) -> str:
    """Name the kind of a request."""
    return next(
        (kind for kind, like in KINDS.items() if row.target.startswith(like.rstrip("%"))), "other"
    )


def statements_in(body: bytes) -> list[Told]:
    """Name the signed records in a request's body."""
    try:
        bodies = split_sequence(body, max_items=_MAX_STATEMENTS)
        return [Told(str(Statement.parse(one).kind), len(one)) for one in bodies]
    except MalformedError:
        return []


def dump(data: bytes) -> list[tuple[str, str, str]]:
    """Write bytes as people compare them: place, hexadecimal, and what of it is text."""
    lines = []
    for at in range(0, len(data), _LINE):
        part = data[at : at + _LINE]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in part)
        lines.append((f"{at:06x}", part.hex(" "), text))
    return lines
