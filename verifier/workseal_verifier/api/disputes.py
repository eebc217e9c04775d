"""Disclosures, checked in memory, and sealed packages, held in memory."""

from typing import Self

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from workseal_protocol.errors import MalformedError
from workseal_protocol.sealing import (
    MAX_PACKAGE_BYTES,
    MAX_SEALED_BYTES,
    require_sealed_length,
)
from workseal_protocol.statement import Statement
from workseal_verifier.api.body import read_body
from workseal_verifier.api.lanes import Lanes, run_in
from workseal_verifier.api.services import Given
from workseal_verifier.api.values import CBOR_SEQUENCE, OCTETS, PRIVATE, answer, cbor, digest
from workseal_verifier.errors import Reason, RefusedError

router = APIRouter(prefix="/v1")

# Of each kind. Each may hold 64 MiB while it arrives, for as long as the slowest line takes: so one
# to an engagement or request, and what nobody signed takes no place from what a party did.
LARGE_AT_ONCE = 3


@router.post("/disclosures")
async def post_disclosure(request: Request, given: Given) -> Response:
    """Check a disclosure and log it with what was found."""
    lanes: Lanes = request.app.state.lanes
    with _Place(request.app.state.disclosing) as place:

        async def begun(start: bytes) -> None:
            # A stranger holds no place: 64 KiB tell whether a party signed this.
            place.take(await run_in(lanes.disclosing, given.desk.require_sender, start))

        body = await read_body(
            request, limit=MAX_PACKAGE_BYTES, media=(CBOR_SEQUENCE,), begun=begun
        )
        checked = await run_in(lanes.disclosing, given.desk.check, body)
    return cbor({1: checked.finding.encode(), 2: checked.answer.encode()}, PRIVATE)


@router.put("/sealed/{name}")
async def put_sealed(name: str, request: Request, given: Given) -> Response:
    """Hold a sealed package for the arbitrator whose request is logged."""
    wanted = digest(name)
    asked = await run_in_threadpool(given.reader.request, wanted)
    # What comes after its end would lie beyond it, and nobody may fetch it.
    await run_in_threadpool(given.hearings.require_running, Statement.parse(asked.body))
    engagement = asked.engagement or b""
    with _Place(request.app.state.sealing) as place:
        place.take(wanted.raw)
        sealed = await read_body(request, limit=MAX_SEALED_BYTES, media=(OCTETS,))
        try:
            require_sealed_length(len(sealed))
        except MalformedError as error:
            raise RefusedError(Reason.MALFORMED, str(error)) from error
        await run_in_threadpool(given.mailbox.put, wanted, engagement, sealed)
    return Response(status_code=204, headers=PRIVATE)


@router.get("/sealed/{name}")
def get_sealed(name: str, given: Given) -> Response:
    """Return a sealed package; not found means that the sender should send it again."""
    wanted = digest(name)
    given.hearings.require_shown(Statement.parse(given.reader.request(wanted).body))
    return answer(given.mailbox.get(wanted), PRIVATE, OCTETS)


class _Place:
    """One of the few places for large bodies, from `take` to the end of the request."""

    def __init__(self, arriving: list[bytes]) -> None:
        self._arriving = arriving
        self._taken: bytes | None = None

    def take(self, name: bytes) -> None:
        if name in self._arriving or len(self._arriving) >= LARGE_AT_ONCE:
            raise RefusedError(Reason.BUSY, "other large bodies are arriving", retry_after=5)
        self._arriving.append(name)
        self._taken = name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._taken is not None:
            self._arriving.remove(self._taken)
