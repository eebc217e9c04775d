"""Disclosures, checked in memory, and sealed packages, held in memory."""

from functools import partial

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from workseal_protocol.errors import MalformedError
from workseal_protocol.sealing import (
    MAX_PACKAGE_BYTES,
    MAX_SEALED_BYTES,
    require_sealed_length,
)
from workseal_protocol.statement import Statement
from workseal_verifier.api.arrivals import Arrival
from workseal_verifier.api.body import read_body
from workseal_verifier.api.doors import Doors
from workseal_verifier.api.lanes import Lanes, run_in
from workseal_verifier.api.services import Given
from workseal_verifier.api.values import CBOR_SEQUENCE, OCTETS, PRIVATE, answer, cbor, digest
from workseal_verifier.errors import Reason, RefusedError

router = APIRouter(prefix="/v1")


@router.post("/disclosures")
async def post_disclosure(request: Request, given: Given) -> Response:
    """Check a disclosure and log it with what was found."""
    lanes: Lanes = request.app.state.lanes
    doors: Doors = request.app.state.disclosing
    with doors.visit() as visit:

        async def begun(start: bytes, arrival: Arrival) -> Doors:
            # A stranger has no door: 64 KiB tell whether a party signed this.
            asked = await run_in(lanes.disclosing, given.desk.require_sender, start)
            about = Statement.parse(asked.body)
            in_case = await run_in(lanes.disclosing, given.hearings.is_in_case, about)
            return visit.enter(arrival, asked.engagement or b"", in_case=in_case)

        body = await read_body(
            request, limit=MAX_PACKAGE_BYTES, media=(CBOR_SEQUENCE,), begun=begun
        )
        # In the order in which they are whole: nobody has to be lucky.
        checked = await run_in(lanes.checking, given.desk.check, body)
    return cbor({1: checked.finding.encode(), 2: checked.answer.encode()}, PRIVATE)


@router.put("/sealed/{name}")
async def put_sealed(name: str, request: Request, given: Given) -> Response:
    """Hold a sealed package for the arbitrator whose request is logged."""
    wanted = digest(name)
    asked = await run_in_threadpool(given.reader.request, wanted)
    # What comes after its end would lie beyond it, and nobody may fetch it.
    case = await run_in_threadpool(given.hearings.require_running, Statement.parse(asked.body))
    in_case, engagement = case is not None, asked.engagement or b""
    doors: Doors = request.app.state.sealing
    with doors.visit() as visit:

        async def begun(start: bytes, arrival: Arrival) -> Doors:
            del start
            return visit.enter(arrival, wanted.raw, in_case=in_case)

        # The door of the application has seen who sends: with the first byte there is a place.
        sealed = await read_body(
            request, limit=MAX_SEALED_BYTES, media=(OCTETS,), begun=begun, beginning=1
        )
        try:
            require_sealed_length(len(sealed))
        except MalformedError as error:
            raise RefusedError(Reason.MALFORMED, str(error)) from error
        put = partial(given.mailbox.put, wanted, engagement, sealed, in_case=in_case)
        await run_in_threadpool(put)
    return Response(status_code=204, headers=PRIVATE)


@router.get("/sealed/{name}")
def get_sealed(name: str, given: Given) -> Response:
    """Return a sealed package; not found means that the sender should send it again."""
    wanted = digest(name)
    given.hearings.require_shown(Statement.parse(given.reader.request(wanted).body))
    return answer(given.mailbox.get(wanted), PRIVATE, OCTETS)
