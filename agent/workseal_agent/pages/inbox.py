"""Requests of an arbitrator: the inbox, what each asks for, and the disclosure itself.

Rules: what is disclosed is what was previewed, tile for tile: the preview names the disclosures by
their digests, and others are not sent. Marked places that would be seen, and pictures that nobody
read, are named there, and disclosed only on a word. The passphrase is typed for each disclosure.
Of a picture no more is prepared than the ladder has for the level, once the case was read here.
Everything is done by the functions that the command `disclose` uses.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workseal_agent import disclose
from workseal_agent.connection import UnreachableError
from workseal_agent.disclose import Opened
from workseal_agent.errors import AgentError
from workseal_agent.ledger import CaptureRow, Engagement
from workseal_agent.pages.desk import Desk
from workseal_agent.pages.drafts import Drafts
from workseal_agent.pages.refusals import AbsentError, FormError
from workseal_agent.pages.render import desk_of, fields_of, go, notices_of, page
from workseal_agent.pages.words import say
from workseal_agent.vault import VaultReader
from workseal_protocol.cli.acting import CaseFolder
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.errors import MalformedError
from workseal_protocol.frame import Grid

_MAX_REQUEST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold a request with what became of its frames."""

    request: disclose.Request
    rows: tuple[CaptureRow, ...]
    gone: int
    done: bool


def routes() -> list[BaseRoute]:
    """Return the routes of the requests."""
    return [
        Route("/requests", _inbox),
        Route("/requests/add", _add, methods=["POST"]),
        Route("/requests/look", _look, methods=["POST"]),
        Route("/requests/{digest}", _one),
        Route("/requests/{digest}/preview", _preview),
        Route("/requests/{digest}/disclose", _disclose, methods=["POST"]),
    ]


def drafts_of(request: Request) -> Drafts:
    """Return what was chosen so far."""
    drafts: Drafts = request.app.state.drafts
    return drafts


def find_asked(desk: Desk, engagement: Engagement, digest: str) -> Asked:
    """Return a request by its digest, or raise `AbsentError`."""
    asked = next(
        (one for one in _all(desk, engagement) if str(one.request.statement.digest) == digest), None
    )
    if asked is None:
        raise AbsentError(say("problem.request"))
    return asked


def portion_of(desk: Desk, asked: Asked) -> disclose.Portion | None:
    """Return how much may be shown for a request; None until its case was read here."""
    return disclose.Portion.of(CaseFolder(desk.settings.cases_folder), asked.request)


def _all(desk: Desk, engagement: Engagement) -> list[Asked]:
    captures = desk.ledger.captures(engagement.id)
    done = disclose.answered(desk.ledger, engagement)
    told = []
    for request in disclose.received(desk.ledger, engagement):
        rows = disclose.requested_frames(request, captures)
        gone = len(request.record.frames) - len(rows)
        told.append(Asked(request, rows, gone, request.statement.digest in done))
    return told


def _inbox(request: Request) -> Response:
    desk = desk_of(request)
    engagement = desk.engagement()
    if engagement is None:
        return page(request, "nothing.html", place="requests")
    return page(
        request,
        "requests.html",
        place="requests",
        requests=_all(desk, engagement)[::-1],
        now_ms=desk.clock.wall_ms(),
    )


async def _add(request: Request) -> Response:
    """Take a request that the arbitrator gave as a file."""
    data = await request.body()
    desk = desk_of(request)
    if len(data) > _MAX_REQUEST_BYTES:
        return JSONResponse({"told": say("problem.request_long")}, 422)
    try:
        kept = disclose.receive(data, desk.ledger, desk.need())
    except (MalformedError, AgentError) as error:
        return JSONResponse({"told": say("problem.no_request", text=error)}, 422)
    return JSONResponse({"path": f"/requests/{kept.statement.digest}"}, 201)


async def _look(request: Request) -> Response:
    """Ask the verifier for requests; a party's reading is signed, so the passphrase is needed."""
    passphrase = (await fields_of(request)).get("passphrase", [""])[0]
    new = await run_in_threadpool(_fetched, desk_of(request), passphrase)
    notices_of(request).add(say("did.look", count=new))
    return go("/requests")


def _fetched(desk: Desk, passphrase: str) -> int:
    engagement = desk.need()
    client = desk.connect(engagement.url, signer=desk.signer(passphrase))
    try:
        new = disclose.fetch_requests(client, desk.ledger, engagement)
        cases = desk.cases(client, engagement)
        for asked in _all(desk, engagement):
            place = asked.request.record.place
            if place is not None and not asked.done and portion_of(desk, asked) is None:
                # What cannot be read now is read when it is answered.
                with suppress(AgentError, CommandError):
                    cases.live(place.case)
        return new
    finally:
        client.close()


def _one(request: Request) -> Response:
    desk = desk_of(request)
    engagement = desk.need()
    asked = find_asked(desk, engagement, request.path_params["digest"])
    drafts, portion = drafts_of(request), portion_of(desk, asked)
    digest = asked.request.statement.digest
    return page(
        request,
        "request.html",
        place="requests",
        asked=asked,
        chosen=[
            (row, len(drafts.get(digest, row.number)), _grid(engagement, row).count)
            for row in asked.rows
        ],
        level=None if portion is None else portion.level,
        one_in=1 if portion is None else portion.one_in,
        ready=any(drafts.get(digest, row.number) for row in asked.rows),
        open=desk.unlocked.left_ms() > 0,
        now_ms=desk.clock.wall_ms(),
    )


def _preview(request: Request) -> Response:
    """Show what exactly would be seen, by whom, and what they know already."""
    desk = desk_of(request)
    engagement = desk.need()
    asked = find_asked(desk, engagement, request.path_params["digest"])
    reader = desk.reader()
    if reader is None:
        # There it is said, and asked for.
        return go(f"/requests/{asked.request.statement.digest}")
    opened = _opened(reader, asked, drafts_of(request))
    portion = portion_of(desk, asked)
    disclose.require_portions(portion, opened, reader, desk.ledger, engagement.id)
    return page(
        request,
        "preview.html",
        place="requests",
        asked=asked,
        opened=[_told(desk, engagement, reader, one) for one in opened],
    )


async def _disclose(request: Request) -> Response:
    fields = await fields_of(request)
    desk = desk_of(request)
    engagement = desk.need()
    asked = find_asked(desk, engagement, request.path_params["digest"])
    drafts = drafts_of(request)
    address = await run_in_threadpool(_disclosed, desk, engagement, asked, drafts, fields)
    drafts.drop(asked.request.statement.digest)
    did = "did.disclose_sealed_only" if _is_sealed_only(fields) else "did.disclose"
    notices_of(request).add(say(did, address=address))
    return go(f"/requests/{asked.request.statement.digest}")


def _disclosed(
    desk: Desk,
    engagement: Engagement,
    asked: Asked,
    drafts: Drafts,
    fields: Mapping[str, list[str]],
) -> str:
    """Disclose what was previewed; returns where the sealed package lies."""
    passphrase = fields.get("passphrase", [""])[0]
    sealed_only = _is_sealed_only(fields)
    signer = desk.signer(passphrase)
    reader = VaultReader(desk.settings.vault_folder, desk.keystore().unlock_vault(passphrase))
    opened = _opened(reader, asked, drafts)
    if [str(one.disclosure.digest) for one in opened] != fields.get("seen", []):
        raise AgentError(say("problem.not_previewed"))
    _require_word(desk, reader, opened, fields)
    client = desk.connect(engagement.url, signer=signer)
    cases = desk.cases(client, engagement)
    try:
        sealed = cases.answered_before(asked.request, reader, sealed_only=sealed_only)
        if sealed is not None:
            return sealed
        answer = cases.sign(asked.request, opened, signer, reader, wall_ms=desk.clock.wall_ms)
        if sealed_only or cases.is_sealed_only(answer):
            return cases.deliver_sealed_only(answer, answer.package(), desk.writer())
        _, address = cases.deliver(answer, answer.package(), desk.writer())
    except CommandError as error:
        raise AgentError(str(error)) from error
    except UnreachableError as error:
        raise AgentError(say("problem.not_finished", text=error)) from error
    finally:
        client.close()
    return address


def _is_sealed_only(fields: Mapping[str, list[str]]) -> bool:
    return fields.get("sealed_only") == ["yes"]


def _require_word(
    desk: Desk, reader: VaultReader, opened: Sequence[Opened], fields: Mapping[str, list[str]]
) -> None:
    """Require that what is marked, or was not read, was named at the preview and said yes to."""
    warnings = [_warning(desk, reader, one) for one in opened]
    if [str(one) for one in warnings] != fields.get("warned", []):
        raise AgentError(say("problem.not_previewed"))
    if any(warnings) and fields.get("despite") != ["yes"]:
        raise FormError(say("problem.marked"))


def _warning(desk: Desk, reader: VaultReader, one: Opened) -> int:
    """Count the marked places that would be seen, and one more where nobody looked for them."""
    marked = desk.marked(reader, one.frame.commitment)
    seen = marked.seen_in(one.disclosure.header.grid, one.disclosure.shown)
    return len(seen) + marked.unread


def _opened(reader: VaultReader, asked: Asked, drafts: Drafts) -> list[Opened]:
    digest = asked.request.statement.digest
    chosen = [(row, drafts.get(digest, row.number)) for row in asked.rows]
    opened = [disclose.open_tiles(reader, row, tiles) for row, tiles in chosen if tiles]
    if not opened:
        raise AgentError(say("problem.nothing_chosen"))
    return opened


def _told(desk: Desk, engagement: Engagement, reader: VaultReader, one: Opened) -> dict[str, Any]:
    before = disclose.shown_before(reader, desk.ledger, engagement.id, one.frame.commitment)
    shown = frozenset(one.disclosure.shown)
    marked = desk.marked(reader, one.frame.commitment)
    return {
        "marks": [mark.told() for mark in marked.seen_in(one.disclosure.header.grid, shown)],
        "unread": marked.unread,
        "warned": _warning(desk, reader, one),
        "row": one.frame,
        "digest": str(one.disclosure.digest),
        "shown": len(shown),
        "tiles": one.disclosure.header.grid.count,
        "percent": 100 * one.seen.shown_pixels / one.seen.all_pixels,
        "before": len(before),
        "together": len(before | shown),
        "again": len(before & shown),
    }


def _grid(engagement: Engagement, row: CaptureRow) -> Grid:
    return Grid(row.width, row.height, engagement.terms.tile)
