"""A short way to the operations that nearly every request asks for.

The framework's layers between its edge and an endpoint cost more than to read and check a segment,
or to look up a tile. Rules: the route describes the operation, finds its address and is what is
counted; its endpoint answers, here as there. The door and the query parameters are looked after as
everywhere, and errors answered by the same table. What is around the routes (`Guard`, `Edge`) is
around this too.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from workseal_verifier.api.access import authorise
from workseal_verifier.api.problems import answer_to
from workseal_verifier.api.strict import require_known_query
from workseal_verifier.errors import RefusedError, StoreError

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
Way: TypeAlias = tuple[APIRoute, Endpoint]


class Direct:
    """ASGI middleware around the routes: some of them have a way of their own."""

    def __init__(self, app: ASGIApp, *, ways: Iterable[Way]) -> None:
        self._app = app
        self._ways: dict[str, list[Way]] = {}
        for way in ways:
            for method in way[0].methods or ():
                self._ways.setdefault(method, []).append(way)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            for route, endpoint in self._ways.get(scope["method"], ()):
                found = route.path_regex.fullmatch(scope["path"])
                if found is not None:
                    scope["route"] = route
                    scope["path_params"] = found.groupdict()
                    await _answer(endpoint, scope, receive, send)
                    return
        await self._app(scope, receive, send)


async def _answer(endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    try:
        # As for every route: what is asked for must be in its form; then the door decides.
        if scope["query_string"]:
            await require_known_query(request)
        await authorise(request)
        answer = await endpoint(request)
    except (RefusedError, StoreError) as error:
        answer = answer_to(error, scope)
    await answer(scope, receive, send)
