"""The gallery: what was taken, one picture large, and withdrawing with its exact effect first.

Rules: a picture is decoded in memory, sent to the page that shows it, and kept nowhere. Nothing is
withdrawn before its effect was shown and the passphrase typed; withdrawing needs no hurry: nothing
was sent.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from workseal_agent.daemon.either import withdraw_either_way
from workseal_agent.day import day_at
from workseal_agent.errors import AgentError
from workseal_agent.ledger import CaptureRow, Engagement
from workseal_agent.pages.desk import Desk
from workseal_agent.pages.refusals import AbsentError, FormError
from workseal_agent.pages.render import desk_of, fields_of, go, notices_of, page
from workseal_agent.pages.words import say
from workseal_agent.vault import StoredFrame
from workseal_agent.withdrawal import effect_of
from workseal_protocol.cli.png import encode_png
from workseal_protocol.records import WithdrawalReason

# Wide enough to tell one window from another, too small to read a password on.
_SMALL_WIDTH = 320
_MOST_CHOSEN = 500
REASONS = {
    "private": WithdrawalReason.PRIVATE,
    "third-party": WithdrawalReason.THIRD_PARTY,
    "credentials": WithdrawalReason.CREDENTIALS,
    "retention": WithdrawalReason.RETENTION,
    "other": WithdrawalReason.OTHER,
}


def routes() -> list[BaseRoute]:
    """Return the routes of the gallery."""
    return [
        Route("/pictures", _gallery),
        Route("/pictures/withdraw", _effect, methods=["GET"]),
        Route("/pictures/withdraw", _withdraw, methods=["POST"]),
        Route("/pictures/{number:number}", _one),
        Route("/pictures/{number:number}/small.png", _small),
        Route("/pictures/{number:number}/whole.png", _whole),
    ]


def _gallery(request: Request) -> Response:
    desk = desk_of(request)
    engagement = desk.engagement()
    if engagement is None:
        return page(request, "nothing.html", place="pictures")
    rows = desk.ledger.captures(engagement.id)
    zone = desk.zone(engagement)
    days = [
        (day, len(list(taken)))
        for day, taken in groupby(rows, key=lambda row: day_at(row.captured_ms, zone))
    ]
    shown = _day_of(request.query_params.get("day"), [day for day, _ in days])
    return page(
        request,
        "pictures.html",
        place="pictures",
        days=days[::-1],
        shown=shown,
        rows=[row for row in rows if day_at(row.captured_ms, zone) == shown],
        disclosed={frame for _, _, frame in desk.ledger.disclosures(engagement.id)},
        open=desk.unlocked.left_ms() > 0,
        level=engagement.terms.level.name,
    )


def _one(request: Request) -> Response:
    desk = desk_of(request)
    engagement = desk.need()
    rows = desk.ledger.captures(engagement.id)
    row = _row(rows, request.path_params["number"])
    place = rows.index(row)
    return page(
        request,
        "picture.html",
        place="pictures",
        row=row,
        before=rows[place - 1] if place else None,
        after=rows[place + 1] if place + 1 < len(rows) else None,
        disclosed=any(
            frame == row.commitment for _, _, frame in desk.ledger.disclosures(engagement.id)
        ),
        open=desk.unlocked.left_ms() > 0,
    )


def _small(request: Request) -> Response:
    return _png(shrunk(_stored(request)))


def _whole(request: Request) -> Response:
    stored = _stored(request)
    return _png(encode_png(stored.header.width, stored.header.height, stored.pixels))


def _effect(request: Request) -> Response:
    """Show exactly what withdrawing would do, and ask for the reason."""
    desk = desk_of(request)
    engagement = desk.need()
    chosen = _chosen(desk, engagement, request.query_params.getlist("n"))
    return page(
        request,
        "withdraw.html",
        place="pictures",
        chosen=chosen,
        effect=effect_of(desk.ledger, engagement, chosen),
        reasons=list(REASONS),
        open=desk.unlocked.left_ms() > 0,
    )


async def _withdraw(request: Request) -> Response:
    fields = await fields_of(request)
    done = await run_in_threadpool(_withdrawn, desk_of(request), fields)
    notices_of(request).add(say("did.withdraw", count=done))
    return go("/pictures")


def _withdrawn(desk: Desk, fields: Mapping[str, list[str]]) -> int:
    engagement = desk.need()
    reason = REASONS.get(fields.get("reason", [""])[0])
    if reason is None:
        raise FormError(say("problem.reason"))
    chosen = _chosen(desk, engagement, fields.get("n", []))
    # Also where the recording process signs: what is destroyed is gone for ever, and whoever was
    # let in may be an extension of the browser, or somebody at an unlocked desk.
    signer = desk.signer(fields.get("passphrase", [""])[0])
    by_recorder = True
    for row in chosen:
        by_recorder &= withdraw_either_way(
            desk.settings,
            engagement,
            row,
            reason,
            ledger=desk.ledger,
            vault=desk.writer,
            signer=lambda: signer,
            now_ms=desk.clock.wall_ms(),
        )
    if not by_recorder:
        desk.send_now(engagement)
    return len(chosen)


def _chosen(desk: Desk, engagement: Engagement, numbers: Sequence[str]) -> list[CaptureRow]:
    """Return the frames of these numbers, each once; `AgentError` for one that is not there."""
    if not 1 <= len(numbers) <= _MOST_CHOSEN:
        raise FormError(say("problem.chosen", most=_MOST_CHOSEN))
    rows = desk.ledger.captures(engagement.id)
    chosen = []
    for text in dict.fromkeys(numbers):
        row = _found(rows, int(text[:9]) if text.isascii() and text.isdigit() else -1)
        if row is None:
            raise FormError(say("problem.picture"))
        if row.withdrawn:
            raise AgentError(say("problem.withdrawn", number=row.number))
        chosen.append(row)
    return chosen


def _row(rows: Sequence[CaptureRow], number: int) -> CaptureRow:
    row = _found(rows, number)
    if row is None:
        raise AbsentError(say("problem.picture"))
    return row


def _found(rows: Sequence[CaptureRow], number: int) -> CaptureRow | None:
    return next((row for row in rows if row.number == number), None)


def _stored(request: Request) -> StoredFrame:
    desk = desk_of(request)
    row = _row(desk.ledger.captures(desk.need().id), request.path_params["number"])
    if row.withdrawn:
        raise AgentError(say("problem.withdrawn", number=row.number))
    reader = desk.reader()
    if reader is None:
        raise AgentError(say("problem.locked"))
    return reader.frame(row.commitment)


def shrunk(stored: StoredFrame) -> bytes:
    """Return a small PNG of a frame."""
    import cv2  # noqa: PLC0415 - only who looks at pictures loads it
    import numpy as np  # noqa: PLC0415

    width, height = stored.header.width, stored.header.height
    pixels: Any = np.frombuffer(stored.pixels, np.uint8).reshape(height, width, 3)
    if width <= _SMALL_WIDTH:
        return encode_png(width, height, stored.pixels)
    size = _SMALL_WIDTH, max(1, height * _SMALL_WIDTH // width)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return encode_png(*size, small.tobytes())


def _png(data: bytes) -> Response:
    return Response(data, media_type="image/png")


def _day_of(text: str | None, days: Sequence[date]) -> date | None:
    """Return the day asked for, if pictures were taken on it; else the newest."""
    wanted = next((day for day in days if day.isoformat() == text), None)
    return wanted or (days[-1] if days else None)
