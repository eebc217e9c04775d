"""What every address does alike, before its route: HEAD, OPTIONS, and pages of other origins.

Rules: HEAD is GET without its body. No address has a control character. A page of another origin
may read what anybody may read, and ask for proofs; it may send nothing else and read nothing of an
engagement. No answer depends on who asks from where, so a shared cache may keep it.
"""

import re
from collections.abc import Mapping
from typing import Final

from fastapi import Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workseal_verifier.api.problems import refuse
from workseal_verifier.api.routing import methods_of
from workseal_verifier.errors import Reason, RefusedError

# What a verifier in a browser needs; the addresses of the log begin with the first.
_PUBLIC: Final = ("/v1/log/", "/v1/beacon/", "/v1/operator", "/.well-known/scitt-keys")
_PUBLIC_EXACT: Final = frozenset({"/openapi.json"})

# The framework's routes take a line feed at an address's end for none.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

# Where a request's scope keeps the method that it came with, and that its signature covers.
ASKED: Final = "workseal.asked"

_CROSS_ORIGIN: Final[Mapping[str, str]] = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "retry-after",
}
_PREFLIGHT: Final[Mapping[str, str]] = {
    "access-control-allow-headers": "content-type",
    "access-control-max-age": "86400",
}


def is_public(path: str) -> bool:
    """Tell whether a page of any origin may read this address."""
    return path.startswith(_PUBLIC) or path in _PUBLIC_EXACT


class Edge:
    """ASGI middleware around the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        public = is_public(scope["path"])
        if public:
            send = _cross_origin(send)
        if _CONTROL.search(scope["path"]) is not None:
            await _nothing(scope)(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await _options(scope, public=public)(scope, receive, send)
        elif scope["method"] == "HEAD":
            # A copy: the server beneath must go on to see a HEAD.
            asked = {**scope, "method": "GET", ASKED: "HEAD"}
            await self._app(asked, receive, _bodiless(_routed(send, asked, scope)))
        else:
            await self._app(scope, receive, send)


def _options(scope: Scope, *, public: bool) -> Response:
    methods = ", ".join(methods_of(scope))
    if not methods:
        return _nothing(scope)
    headers = {"allow": methods}
    if public and "access-control-request-method" in Headers(scope=scope):
        headers |= {"access-control-allow-methods": methods, **_PREFLIGHT}
    return Response(status_code=204, headers=headers)


def _nothing(scope: Scope) -> Response:
    return refuse(RefusedError(Reason.NOT_FOUND, "there is nothing here"), scope)


def _cross_origin(send: Send) -> Send:
    async def allowed(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_CROSS_ORIGIN)
        await send(message)

    return allowed


def _routed(send: Send, asked: Scope, scope: Scope) -> Send:
    async def told(message: Message) -> None:
        scope["route"] = asked.get("route")
        await send(message)

    return told


def _bodiless(send: Send) -> Send:
    async def emptied(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return emptied
