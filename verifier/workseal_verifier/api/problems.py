"""Errors as RFC 9457 problems: the one table from reasons to statuses."""

import json
import logging
import traceback
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from workseal_verifier.errors import Reason, RefusedError, StoreError, StoreFullError

_logger = logging.getLogger(__name__)

PREFIX: Final = "urn:workseal:problem:"
MEDIA: Final = "application/problem+json"

TABLE: Final[Mapping[Reason, tuple[int, str]]] = {
    Reason.MALFORMED: (400, "The request is not in the form of the specification"),
    Reason.UNKNOWN_PARTY: (403, "The signer may not say this here"),
    Reason.NOT_FOUND: (404, "There is nothing here"),
    Reason.NOT_ALLOWED: (405, "This address does not know that method"),
    Reason.TIMEOUT: (408, "The request took too long to arrive"),
    Reason.CONFLICT: (409, "Something else is logged in this place"),
    Reason.OVERLAP: (409, "The time is already recorded"),
    Reason.TOO_LARGE: (413, "The request is too large"),
    Reason.REFUSED: (422, "The statement does not hold"),
    Reason.TOO_EARLY: (425, "The round has not begun"),
    Reason.INTERNAL: (500, "The server made a mistake"),
    Reason.BUSY: (503, "Not now; send the same again"),
    Reason.CLOCK: (503, "The server's clock is wrong"),
    Reason.FULL: (503, "The server has no space"),
}

# Answers after which the rest of the request's body is not wanted.
_CLOSING = {Reason.TOO_LARGE, Reason.TIMEOUT}
_FRAMEWORK = {404: Reason.NOT_FOUND, 405: Reason.NOT_ALLOWED}


def problem(refusal: RefusedError) -> Response:
    """Write a refusal as a problem."""
    status, title = TABLE[refusal.reason]
    members: dict[str, str | int] = {
        "type": PREFIX + refusal.reason,
        "title": title,
        "status": status,
        "detail": refusal.detail,
    }
    if refusal.item is not None:
        members["item"] = refusal.item
    headers = {}
    if refusal.retry_after is not None:
        headers["retry-after"] = str(refusal.retry_after)
    if refusal.reason in _CLOSING:
        headers["connection"] = "close"
    return Response(json.dumps(members), status, headers, MEDIA)


def mistake(error: Exception) -> Response:
    """Answer for an error that nobody foresaw; its text, which may quote a body, stays unsaid."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    _logger.error("%s in %s line %s", type(error).__name__, place.name, place.lineno)
    return problem(RefusedError(Reason.INTERNAL, "the server made a mistake"))


def install(app: FastAPI) -> None:
    """Answer every error of the application and of the framework with a problem."""
    app.add_exception_handler(RefusedError, _on_refusal)
    app.add_exception_handler(StoreError, _on_store)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)


async def _on_refusal(_request: Request, error: Exception) -> Response:
    if isinstance(error, RefusedError):
        return problem(error)
    return mistake(error)


async def _on_store(_request: Request, error: Exception) -> Response:
    _logger.error("the log could not be read: %s", error)
    reason = Reason.FULL if isinstance(error, StoreFullError) else Reason.BUSY
    return problem(RefusedError(reason, "the log could not be read", retry_after=5))


async def _on_validation(_request: Request, _error: Exception) -> Response:
    # The framework's own text would quote what was sent.
    return problem(RefusedError(Reason.MALFORMED, "a part of the address is not in its form"))


async def _on_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return mistake(error)
    reason = _FRAMEWORK.get(error.status_code, Reason.MALFORMED)
    answer = problem(RefusedError(reason, TABLE[reason][1].lower()))
    if reason is Reason.NOT_ALLOWED:
        answer.headers["allow"] = ", ".join(_methods(request))
    return answer


def _methods(request: Request) -> list[str]:
    """List what the address does know (RFC 9110, section 15.5.6): it may have several routes."""
    routes = list(_routes(request.app.routes))
    return [
        method
        for method in ("GET", "POST", "PUT")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes
        )
    ]


def _routes(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    # Some releases of FastAPI keep an included router as one entry among the routes.
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from _routes(inner.routes)
