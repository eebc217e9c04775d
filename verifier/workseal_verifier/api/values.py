"""Parts of addresses, and bodies in CBOR."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Final

from fastapi import Response
from starlette.responses import StreamingResponse

from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import MAX_INTEGER, Value, encode
from workseal_protocol.lottery import ENGAGEMENT_BYTES
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.store.logrows import Tie
from workseal_verifier.store.parties import Mark

CBOR: Final = "application/cbor"
CBOR_SEQUENCE: Final = "application/cbor-seq"
COSE: Final = "application/cose"
STATEMENT: Final = "application/scitt-statement+cose"
RECEIPT: Final = "application/scitt-receipt+cose"
OCTETS: Final = "application/octet-stream"
TEXT: Final = "text/plain; charset=utf-8"
PEM: Final = "application/x-pem-file"
JSON: Final = "application/json"

# No browser takes an answer for another type than it says: some hold what parties wrote.
AS_TOLD: Final = {"x-content-type-options": "nosniff"}
# What can never change may be kept by whoever relays it.
FOREVER: Final = {"cache-control": "public, max-age=31536000, immutable", **AS_TOLD}
FRESH: Final = {"cache-control": "no-cache", **AS_TOLD}
# What was said to one asker is for no cache.
PRIVATE: Final = {"cache-control": "no-store", **AS_TOLD}

PIECE: Final = 32 * 1024

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,15}")
_MARK = re.compile(r"[0-3]-[0-9]{1,16}")
_HEX = re.compile(r"[0-9a-f]+")


def number(text: str, what: str) -> int:
    """Read a decimal number below 2**53."""
    if _DECIMAL.fullmatch(text) is None or int(text) > MAX_INTEGER:
        raise RefusedError(Reason.MALFORMED, f"{what}: expected a decimal number")
    return int(text)


def optional_number(text: str | None, what: str) -> int | None:
    """Read a decimal number, or None where none was given."""
    return None if text is None else number(text, what)


def optional_mark(text: str | None, what: str) -> Mark | None:
    """Read after what a list goes on, or None where it begins."""
    if text is None:
        return None
    if _MARK.fullmatch(text) is None:
        raise RefusedError(Reason.MALFORMED, f"{what}: expected what the page before gave")
    tie, _, place = text.partition("-")
    return Mark(Tie(int(tie)), number(place, what))


def mark_text(mark: Mark | None) -> str | None:
    """Write after what a list goes on; None where it ends."""
    return None if mark is None else f"{int(mark.tie)}-{mark.place}"


def digest(text: str) -> Digest:
    """Read a digest in lower-case hex."""
    return Digest(_octets(text, DIGEST_BYTES, "digest"))


def engagement(text: str) -> bytes:
    """Read an engagement's identifier in lower-case hex."""
    return _octets(text, ENGAGEMENT_BYTES, "engagement")


def cbor(value: Value, headers: Mapping[str, str]) -> Response:
    """Write a CBOR answer."""
    return answer(encode(value), headers, CBOR)


def answer(data: bytes, headers: Mapping[str, str], media: str) -> Response:
    """Write an answer; a long one goes out in pieces, as fast as it is read.

    In one piece, all of it would lie in the connection's buffer for as long as nobody reads it.
    """
    if len(data) <= PIECE:
        return Response(data, 200, headers, media)
    known = {**headers, "content-length": str(len(data))}
    return StreamingResponse(_pieces(data), 200, known, media)


def write_json(value: object) -> bytes:
    """Write a value as JSON, in the letters that its texts have."""
    return json.dumps(value, ensure_ascii=False).encode()


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


def _octets(text: str, length: int, what: str) -> bytes:
    if len(text) != 2 * length or _HEX.fullmatch(text) is None:
        raise RefusedError(Reason.MALFORMED, f"{what}: expected {2 * length} lower-case hex digits")
    return bytes.fromhex(text)
