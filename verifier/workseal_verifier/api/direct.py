"""A short way to the operation that nearly every request asks for.

The framework's layers between its edge and an endpoint cost more than to read and check a segment.
Rules: the route describes the operation and is what is counted; its endpoint answers, here as
there. The door and the query parameters are looked after as everywhere, and errors answered by the
same table. What is around the routes (`Guard`, `Edge`) is around this too.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from workseal_verifier.api.access import authorise
from workseal_verifier.api.problems import answer_to
from workseal_verifier.api.strict import require_known_query
from workseal_verifier.errors import RefusedError, StoreError

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


class Direct:
    """ASGI middleware around the routes: one of them has a way of its own."""

    def __init__(self, app: ASGIApp, *, route: APIRoute, endpoint: Endpoint) -> None:
        self._app = app
        self._route = route
        self._methods = frozenset(route.methods or ())
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if (
            scope["type"] != "http"
            or scope["path"] != self._route.path
            or scope["method"] not in self._methods
        ):
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route
        request = Request(scope, receive)
        try:
            await authorise(request)
            if scope["query_string"]:
                await require_known_query(request)
            answer = await self._endpoint(request)
        except (RefusedError, StoreError) as error:
            answer = answer_to(error, scope)
        await answer(scope, receive, send)
