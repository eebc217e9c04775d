"""Errors as problems: the one table from reasons to statuses.

Rules: a problem is JSON (RFC 9457), concise CBOR (RFC 9290) where SCRAPI asks for that, and a page
where a person reads pages. No cache keeps one: what is not there yet may be there in a moment.
"""

import json
import traceback
from collections.abc import Mapping
from typing import Final

import cbor2
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Scope

from workseal_verifier.api.pageform import HEADERS as PAGE_HEADERS
from workseal_verifier.api.pageform import HTML, is_page
from workseal_verifier.api.pageform import refusal as page_refusal
from workseal_verifier.api.routing import methods_of
from workseal_verifier.api.values import PRIVATE
from workseal_verifier.errors import Reason, RefusedError, StoreError, StoreFullError
from workseal_verifier.services.outage import Seldom

# Of this process: whoever fills the log does so by requests of any kind.
_errors = Seldom()

PREFIX: Final = "urn:workseal:problem:"
MEDIA: Final = "application/problem+json"
CONCISE: Final = "application/concise-problem-details+cbor"
# draft-ietf-scitt-scrapi: its addresses answer in CBOR throughout.
_SCRAPI: Final = ("/entries", "/.well-known/scitt-keys")
# RFC 9290, section 2.
_TITLE, _DETAIL = -1, -2

TABLE: Final[Mapping[Reason, tuple[int, str]]] = {
    Reason.MALFORMED: (400, "The request is not in the form of the specification"),
    Reason.UNPROVEN: (401, "Nobody who may ask is shown to ask"),
    Reason.STALE: (401, "Signed at another time, or taken before"),
    Reason.UNKNOWN_PARTY: (403, "The signer may not say this here"),
    Reason.WAITING: (403, "The key's waiting time is not over"),
    Reason.NOT_FRESH: (403, "A passkey has to be used for this now"),
    Reason.CROSS_SITE: (403, "Another page asks"),
    Reason.NOT_FOUND: (404, "There is nothing here"),
    Reason.NOT_ALLOWED: (405, "This address does not know that method"),
    Reason.TIMEOUT: (408, "The request took too long to arrive"),
    Reason.CONFLICT: (409, "Something else is logged in this place"),
    Reason.OVERLAP: (409, "The time is already recorded"),
    Reason.TOO_LARGE: (413, "The request is too large"),
    Reason.MEDIA: (415, "The body is of another type"),
    Reason.MISDIRECTED: (421, "This server has another name"),
    Reason.REFUSED: (422, "The statement does not hold"),
    Reason.TOO_EARLY: (425, "The round has not begun"),
    Reason.TOO_MANY: (429, "Too many requests"),
    Reason.INTERNAL: (500, "The server made a mistake"),
    Reason.BUSY: (503, "Not now; send the same again"),
    Reason.CLOCK: (503, "The server's clock is wrong"),
    Reason.FULL: (503, "The server has no space"),
}

# Answers after which the rest of the request's body is not wanted.
_CLOSING = {Reason.TOO_LARGE, Reason.TIMEOUT, Reason.MEDIA}
UNAUTHORIZED: Final = 401
_FRAMEWORK = {404: Reason.NOT_FOUND, 405: Reason.NOT_ALLOWED}


def is_concise(path: str) -> bool:
    """Tell whether an address answers its problems in CBOR."""
    return path.startswith(_SCRAPI)


def refuse(refusal: RefusedError, scope: Scope) -> Response:
    """Write a refusal as the kind of problem that the request's address answers with."""
    status = TABLE[refusal.reason][0]
    headers = {**PRIVATE}
    if status == UNAUTHORIZED:
        headers["www-authenticate"] = "Signature"
    if refusal.retry_after is not None:
        headers["retry-after"] = str(refusal.retry_after)
    if refusal.reason in _CLOSING:
        headers["connection"] = "close"
    if is_page(scope["path"]):
        said = Headers(scope=scope)
        text = page_refusal(
            refusal.reason,
            TABLE[refusal.reason][1],
            refusal.detail,
            path=scope["path"],
            host=said.get("host", "").lower(),
            referrer=said.get("referer", ""),
        )
        return Response(text, status, {**PAGE_HEADERS, **headers}, HTML)
    if is_concise(scope["path"]):
        return Response(concise(refusal), status, headers, CONCISE)
    return Response(json.dumps(members(refusal)), status, headers, MEDIA)


def members(refusal: RefusedError) -> dict[str, str | int]:
    """Give the members of an RFC 9457 problem."""
    status, title = TABLE[refusal.reason]
    found: dict[str, str | int] = {
        "type": PREFIX + refusal.reason,
        "title": title,
        "status": status,
        "detail": refusal.detail,
    }
    if refusal.item is not None:
        found["item"] = refusal.item
    return found


def concise(refusal: RefusedError) -> bytes:
    """Give an RFC 9290 problem; what has no number of its own stands under the problem's type."""
    status, title = TABLE[refusal.reason]
    own = {"status": status}
    value = {_TITLE: title, _DETAIL: refusal.detail, PREFIX + refusal.reason: own}
    return cbor2.dumps(value, canonical=True)


def mistake(error: Exception, scope: Scope) -> Response:
    """Answer for an error that nobody foresaw; its text, which may quote a body, stays unsaid."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    _errors.tell(f"{type(error).__name__} in {place.name} line {place.lineno}")
    return refuse(RefusedError(Reason.INTERNAL, "the server made a mistake"), scope)


def install(app: FastAPI) -> None:
    """Answer every error of the application and of the framework with a problem."""
    app.add_exception_handler(RefusedError, _on_own)
    app.add_exception_handler(StoreError, _on_own)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)


def answer_to(error: Exception, scope: Scope) -> Response:
    """Answer for what the verifier itself raised."""
    if isinstance(error, RefusedError):
        return refuse(error, scope)
    if not isinstance(error, StoreError):
        return mistake(error, scope)
    _errors.tell(f"the log could not be read: {error}")
    reason = Reason.FULL if isinstance(error, StoreFullError) else Reason.BUSY
    return refuse(RefusedError(reason, "the log could not be read", retry_after=5), scope)


async def _on_own(request: Request, error: Exception) -> Response:
    return answer_to(error, request.scope)


async def _on_validation(request: Request, _error: Exception) -> Response:
    # The framework's own text would quote what was sent.
    refusal = RefusedError(Reason.MALFORMED, "a part of the address is not in its form")
    return refuse(refusal, request.scope)


async def _on_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return mistake(error, request.scope)
    reason = _FRAMEWORK.get(error.status_code, Reason.MALFORMED)
    answer = refuse(RefusedError(reason, TABLE[reason][1].lower()), request.scope)
    if reason is Reason.NOT_ALLOWED:
        answer.headers["allow"] = ", ".join(methods_of(request.scope))
    return answer
