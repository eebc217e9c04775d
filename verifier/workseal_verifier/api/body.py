"""Read a request's body, bounded in size and time while it arrives.

Never through the framework's forms: those keep large parts in temporary files.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from fastapi import Request
from starlette.requests import ClientDisconnect

from workseal_protocol.errors import VerificationError
from workseal_verifier.api.arrivals import Arrival, Arrivals, Room
from workseal_verifier.errors import Reason, RefusedError

MIB: Final = 1 << 20
# After the first seconds a body must keep arriving at this rate.
BYTES_PER_SECOND: Final = 64 * 1024
# A body may come in this many pieces, and one more for each so many bytes: each costs a turn of
# the event loop, whatever it holds.
MAX_PIECES: Final = 1_024
PIECE_BYTES: Final = 256
# Holds the first statement of any body.
BEGINNING: Final = 65_536 + 16
# Looks at how a body begins, and gives it another place.
Begun = Callable[[bytes, Arrival], Awaitable[Room]]


async def read_body(
    request: Request,
    *,
    limit: int,
    media: Sequence[str],
    begun: Begun | None = None,
    beginning: int = BEGINNING,
) -> bytes:
    """Return the whole body, or refuse as soon as it is of another type, too large or too slow.

    A body that says no type is taken for what it should be; without `media` any will do. `begun` is
    called once with the `beginning`, or with all of a shorter body; it may refuse, and returns
    where the rest has a place.
    """
    if media:
        _require_plain(request)
        _require_media(request, media)
    most = _require_length(request, limit)
    arrivals: Arrivals = request.app.state.arrivals
    arrival: Arrival | None = None
    try:
        start = asyncio.get_running_loop().time()
        async with asyncio.timeout_at(start + request.app.state.body_timeout_s) as deadline:
            with arrivals.arriving(deadline, most) as arrival:
                whole = await _arrived(request, arrival, limit, begun, beginning)
    except TimeoutError:
        if arrival is not None and arrival.gave_way:
            raise RefusedError(Reason.BUSY, "other bodies came first", retry_after=2) from None
        raise RefusedError(Reason.TIMEOUT, "the body arrived too slowly") from None
    except ClientDisconnect:
        raise RefusedError(Reason.TIMEOUT, "the body did not arrive") from None
    return whole


async def require_no_body(request: Request) -> None:
    """Refuse a body where none is taken; what a signature covers is then nothing."""
    await read_body(request, limit=0, media=())


async def _arrived(
    request: Request,
    arrival: Arrival,
    limit: int,
    begun: Begun | None,
    beginning: int,
) -> bytes:
    seconds: float = request.app.state.body_timeout_s
    arrivals: Arrivals = request.app.state.arrivals
    room: Room = arrivals
    start = asyncio.get_running_loop().time()
    body = bytearray()
    pieces = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        more = message.get("more_body", False)
        body += chunk
        pieces += 1
        room.grow(arrival, len(chunk))
        if len(body) > limit:
            raise _too_large(limit)
        if pieces > MAX_PIECES + len(body) // PIECE_BYTES:
            raise RefusedError(Reason.MALFORMED, "the body came in too many small pieces")
        if begun is not None and len(body) >= beginning:
            room = await begun(bytes(body[:beginning]), arrival)
            begun = None
            arrivals.leave(arrival)
        if more and not arrival.gave_way:
            arrival.deadline.reschedule(start + seconds + len(body) / BYTES_PER_SECOND)
    arrival.whole = True
    whole = bytes(body)
    require_signed_body(request, whole)
    if begun is not None:
        await begun(whole, arrival)
    return whole


def require_signed_body(request: Request, body: bytes) -> None:
    """Refuse a body that is not the one that the request's signature covers, if it has one."""
    signature = getattr(request.state, "signature", None)
    try:
        if signature is not None:
            signature.verify_body(body)
    except VerificationError as error:
        raise RefusedError(Reason.UNPROVEN, str(error)) from error


def _require_plain(request: Request) -> None:
    """Refuse a packed body by its name, before its bytes are taken for something malformed."""
    told = ",".join(request.headers.getlist("content-encoding")).split(",")
    if any(one.strip().lower() not in {"", "identity"} for one in told):
        raise RefusedError(Reason.MEDIA, "expected a body without content-encoding")


def _require_media(request: Request, media: Sequence[str]) -> None:
    given = request.headers.getlist("content-type")
    if len(given) == 1 and given[0] in media:
        # As nearly everybody writes it.
        return
    told = [line.partition(";")[0].strip().lower() for line in given]
    if told and (len(told) > 1 or told[0] not in media):
        raise RefusedError(Reason.MEDIA, f"expected the content-type {' or '.join(media)}")


def _require_length(request: Request, limit: int) -> int:
    """Refuse a body that says that it is too long, and return how long it may become."""
    declared = request.headers.get("content-length", "")
    # The server below has checked that it is a number, of at most 20 digits, and cuts there.
    if not (declared.isascii() and declared.isdigit()):
        return limit
    if int(declared) > limit:
        raise _too_large(limit)
    return int(declared)


def _too_large(limit: int) -> RefusedError:
    return RefusedError(Reason.TOO_LARGE, f"expected at most {limit} bytes")
