"""Submitting statements, and asking for their receipts."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from workseal_verifier.api.answers import logged
from workseal_verifier.api.body import MIB, read_body
from workseal_verifier.api.lanes import Lanes, run_in
from workseal_verifier.api.services import Given, Services
from workseal_verifier.api.values import (
    CBOR,
    CBOR_SEQUENCE,
    FRESH,
    PRIVATE,
    RECEIPT,
    TEXT,
    digest,
    number,
    optional_number,
)

if TYPE_CHECKING:
    from workseal_verifier.api.newest import Newest

router = APIRouter(prefix="/v1/statements")

MAX_BODY = MIB
# Below this, reading and verifying takes less time than handing it to another thread; but asking
# the store may take any time, and while it is done here, nobody else is answered.
SMALL = 4_096


@router.post("")
async def post_statements(request: Request, given: Given, old: str = "0") -> Response:
    """Log statements, all or none; answer with indices and one proof for all."""
    size = number(old, "old")
    body = await read_body(request, limit=MAX_BODY, media=(CBOR_SEQUENCE,))
    candidates = given.intake.read_quickly(body) if len(body) <= SMALL else None
    if candidates is None:
        lanes: Lanes = request.app.state.lanes
        candidates = await run_in(lanes.submitting, given.intake.read, body)
    answer = await logged(request, given, candidates, old=size)
    return Response(answer.encode(), 200, PRIVATE, CBOR)


async def post_directly(request: Request) -> Response:
    """Answer `post_statements` where the framework has not looked at the request."""
    old = request.query_params.get("old", "0") if request.scope["query_string"] else "0"
    return await post_statements(request, request.app.state.services, old)


@router.get("/{name}")
def get_proof(name: str, given: Given) -> Response:
    """Return a `.tlog-proof` against the newest checkpoint."""
    return Response(given.reader.receipt(digest(name)).encode(), 200, FRESH, TEXT)


async def get_proof_directly(request: Request) -> Response:
    """Answer `get_proof` where the framework has not looked at the request.

    What memory answers is answered from there, in no other thread.
    """
    given: Services = request.app.state.services
    newest: Newest = request.app.state.newest
    name: str = request.path_params["name"]
    wanted = digest(name)
    if given.reader.knows_place(wanted):
        kept = given.reader.receipt_in_memory(wanted, await newest.shown())
        if kept is not None:
            return Response(kept, 200, FRESH, TEXT)
    return await run_in_threadpool(get_proof, name, given)


@router.get("/{name}/receipt")
def get_receipt(name: str, given: Given, size: Annotated[str | None, Query()] = None) -> Response:
    """Return an RFC 9942 COSE receipt against the newest checkpoint, or that of a size."""
    data = given.reader.cose_receipt(digest(name), optional_number(size, "size"))
    return Response(data, 200, PRIVATE, RECEIPT)
