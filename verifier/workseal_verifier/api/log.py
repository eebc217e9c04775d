"""The public log: checkpoints, tiles, proofs, time-stamps (c2sp.org/tlog-tiles under /v1/log)."""

import base64
import re
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from workseal_protocol.encoding import Fields, Value, decode
from workseal_protocol.errors import MalformedError
from workseal_verifier.api.body import MIB, read_body
from workseal_verifier.api.lanes import Lanes, run_in
from workseal_verifier.api.services import Given, Services
from workseal_verifier.api.values import (
    CBOR,
    FOREVER,
    FRESH,
    OCTETS,
    PEM,
    PRIVATE,
    TEXT,
    cbor,
    number,
)
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.reading import MAX_PROOF_ITEMS
from workseal_verifier.services.tree import TILE_WIDTH

if TYPE_CHECKING:
    from workseal_verifier.api.guard import Gate
    from workseal_verifier.api.newest import Newest

router = APIRouter(prefix="/v1/log")

# So many hashes of a proof cost about as much as a request. An export of 20,000 statements has five
# or six for each in a large log, which its sender's burst allows.
_HASHES_A_REQUEST = 128

# c2sp.org/tlog-tiles: groups of three digits, all but the last marked with x; partial tiles .p/W.
_TILE = re.compile(
    r"(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/"
    r"(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@router.get("/checkpoint")
def get_checkpoint(given: Given) -> Response:
    """Return the newest signed checkpoint."""
    return Response(given.reader.checkpoint(), 200, FRESH, TEXT)


async def get_checkpoint_directly(request: Request) -> Response:
    """Answer `get_checkpoint` where the framework has not looked at the request."""
    newest: Newest = request.app.state.newest
    return Response((await newest.shown()).encoded, 200, FRESH, TEXT)


@router.get("/checkpoints/{size}")
def get_checkpoint_of(size: str, given: Given) -> Response:
    """Return the signed checkpoint of one size."""
    return Response(given.reader.checkpoint_of(number(size, "size")), 200, FOREVER, TEXT)


@router.get("/tile/{path:path}")
def get_tile(path: str, given: Given) -> Response:
    """Return the hashes of one tile, or the entries of one bundle, full or partial."""
    level, place, width = _place(path)
    if level is None:
        data = given.reader.entries(place, width)
    else:
        data = given.reader.tile(level, place, width)
    return Response(data, 200, FOREVER, OCTETS)


async def get_tile_directly(request: Request) -> Response:
    """Answer `get_tile` where the framework has not looked at the request.

    What is kept in memory is answered from there, in no other thread.
    """
    given: Services = request.app.state.services
    path: str = request.path_params["path"]
    kept = given.reader.kept(*_place(path))
    if kept is not None:
        return Response(kept, 200, FOREVER, OCTETS)
    return await run_in_threadpool(get_tile, path, given)


def _place(path: str) -> tuple[int | None, int, int]:
    """Read a tile's level, None for one of entries, its number and how much of it is asked for."""
    form = _TILE.fullmatch(path)
    if form is None or (form["number"].startswith("x000/")):
        raise RefusedError(
            Reason.NOT_FOUND, "tiles are named <level or entries>/<number>[.p/<width>]"
        )
    width = int(form["width"] or TILE_WIDTH)
    if form["width"] and width >= TILE_WIDTH:
        raise RefusedError(Reason.NOT_FOUND, "a partial tile has 1 to 255 hashes")
    level = None if form["level"] == "entries" else int(form["level"])
    return level, int(form["number"].replace("x", "").replace("/", "")), width


@router.post("/proof")
async def post_proof(request: Request, given: Given) -> Response:
    """Return one sparse proof for many leaves and earlier sizes."""
    body = await read_body(request, limit=MIB, media=(CBOR,))
    lanes: Lanes = request.app.state.lanes
    hashes = await run_in(lanes.proving, _proof, given, body)
    gate: Gate = request.app.state.gate
    gate.charge(request.scope, len(hashes) // _HASHES_A_REQUEST)
    return cbor({1: b"".join(hashes)}, PRIVATE)


def _proof(given: Given, body: bytes) -> tuple[bytes, ...]:
    try:
        fields = Fields(decode(body, max_bytes=MIB), "proof request")
        size = fields.uint(1, "size")
        indices = _numbers(fields.array(2, "indices", maximum=MAX_PROOF_ITEMS))
        sizes = _numbers(fields.array(3, "sizes", maximum=MAX_PROOF_ITEMS))
        fields.close()
    except MalformedError as error:
        raise RefusedError(Reason.MALFORMED, str(error)) from error
    return given.reader.proof(size, indices, sizes)


@router.get("/timestamps")
def get_timestamps(
    given: Given,
    first: Annotated[str, Query(alias="from")] = "0",
    last: Annotated[str, Query(alias="to")] = str(2**53 - 1),
) -> Response:
    """Return [size, token] of the stamped checkpoints in a range of sizes, ascending."""
    tokens = given.reader.tokens(number(first, "from"), number(last, "to"))
    return cbor([[size, token] for size, token in tokens], FRESH)


@router.get("/tsa-ca.pem")
def get_tsa_certificates(given: Given) -> Response:
    """Return the roots that the tokens lead to, and what lies between where tokens leave it out."""
    if not given.tsa_certificates:
        raise RefusedError(Reason.NOT_FOUND, "this server has no time-stamping authority")
    return Response("".join(map(_pem, given.tsa_certificates)), 200, FRESH, PEM)


def _numbers(values: list[Value]) -> list[int]:
    numbers = [value for value in values if isinstance(value, int) and value >= 0]
    if len(numbers) != len(values):
        raise MalformedError("expected unsigned integers")
    return numbers


def _pem(der: bytes) -> str:
    lines = wrap(base64.b64encode(der).decode(), 64)
    return "\n".join(("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""))
