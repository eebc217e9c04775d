"""What verifying an engagement needs, for whoever knows its identifier."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from workseal_verifier.api.access import Asker, Asking
from workseal_verifier.api.services import Given, Services
from workseal_verifier.api.values import (
    CBOR_SEQUENCE,
    PIECE,
    PRIVATE,
    cbor,
    engagement,
    number,
    optional_number,
)
from workseal_verifier.store.logrows import Entry

router = APIRouter(prefix="/v1/engagements")

Size = Annotated[str | None, Query()]
From = Annotated[str, Query(alias="from")]
Count = Annotated[str | None, Query()]


@router.get("/{name}/statements")
def get_statements(
    name: str,
    given: Given,
    asking: Asking,
    size: Size = None,
    since: From = "0",
    count: Count = None,
) -> Response:
    """Return the statements in log order, as a CBOR sequence."""
    bodies = (entry.body for entry in _page(given, asking, name, size, since, count))
    return StreamingResponse(_chunks(bodies), 200, PRIVATE, CBOR_SEQUENCE)


@router.get("/{name}/indices")
def get_indices(
    name: str,
    given: Given,
    asking: Asking,
    size: Size = None,
    since: From = "0",
    count: Count = None,
) -> Response:
    """Return the place of each of those statements, in the same order."""
    entries = _page(given, asking, name, size, since, count)
    return cbor([entry.position for entry in entries], PRIVATE)


@router.get("/{name}/conflicts")
def get_conflicts(name: str, given: Given) -> Response:
    """Return the numbers that the freelancer signed two bodies for, and both bodies of each."""
    wanted = engagement(name)
    given.reader.require_engagement(wanted)
    return cbor([[seq, *bodies] for seq, *bodies in given.conflicts.listing(wanted)], PRIVATE)


def _page(
    given: Services, asking: Asker, name: str, size: str | None, since: str, count: str | None
) -> Iterator[Entry]:
    """Read a listing from an index on, and of it so many statements as are asked for."""
    entries = given.reader.listing(
        engagement(name),
        optional_number(size, "size"),
        number(since, "from"),
        closed=asking.closed,
    )
    return islice(entries, optional_number(count, "count"))


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
