"""What verifying an engagement needs, for whoever knows its identifier."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from workseal_verifier.api.services import Given
from workseal_verifier.api.values import (
    CBOR_SEQUENCE,
    PIECE,
    PRIVATE,
    cbor,
    engagement,
    optional_number,
)

router = APIRouter(prefix="/v1/engagements")

Size = Annotated[str | None, Query()]


@router.get("/{name}/statements")
def get_statements(name: str, given: Given, size: Size = None) -> Response:
    """Return the statements in log order, as a CBOR sequence."""
    entries = given.reader.listing(engagement(name), optional_number(size, "size"))
    bodies = (entry.body for entry in entries)
    return StreamingResponse(_chunks(bodies), 200, PRIVATE, CBOR_SEQUENCE)


@router.get("/{name}/indices")
def get_indices(name: str, given: Given, size: Size = None) -> Response:
    """Return the place of each of those statements, in the same order."""
    entries = given.reader.listing(engagement(name), optional_number(size, "size"))
    return cbor([entry.position for entry in entries], PRIVATE)


@router.get("/{name}/conflicts")
def get_conflicts(name: str, given: Given) -> Response:
    """Return the numbers that the freelancer signed two bodies for, and both bodies of each."""
    wanted = engagement(name)
    given.reader.require_engagement(wanted)
    return cbor([[seq, *bodies] for seq, *bodies in given.conflicts.listing(wanted)], PRIVATE)


def _chunks(bodies: Iterator[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for body in bodies:
        waiting.append(body)
        size += len(body)
        if size >= PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)
