"""What the application's routes are: their operations, and the methods that an address knows."""

from collections.abc import Container, Iterable, Iterator

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from workseal_verifier.errors import VerifierError


def operations(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, APIRoute]]:
    """Yield ("METHOD /path", route) of everything that the application answers."""
    for route in _leaves(routes):
        if isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield f"{method} {route.path}", route


def require_rows(routes: Iterable[BaseRoute], rows: Container[str]) -> None:
    """Refuse a route that the door does not stand before: of another kind, or without a row."""
    for route in _leaves(routes):
        if type(route) is not APIRoute:
            raise VerifierError(f"a route of another kind: {type(route).__name__}")
        for name, _ in operations([route]):
            if name not in rows:
                raise VerifierError(f"the operation {name} has no row in the table of access")


def operation_of(scope: Scope) -> str:
    """Name the operation of a request that was routed; "other" for all the rest.

    There are only so many names, whatever is sent: a method may be any word.
    """
    route, method = scope.get("route"), scope["method"]
    method = "GET" if method == "HEAD" else method
    if not isinstance(route, APIRoute) or method not in (route.methods or ()):
        return "other"
    return f"{method} {route.path}"


def methods_of(scope: Scope) -> list[str]:
    """List what an address knows (RFC 9110, section 15.5.6): it may have several routes."""
    routes = list(_leaves(scope["app"].routes))
    known = [
        method
        for method in ("DELETE", "GET", "POST", "PUT")
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    if not known:
        return []
    return sorted((*known, *(("HEAD",) if "GET" in known else ()), "OPTIONS"))


def _leaves(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    # Some releases of FastAPI keep an included router as one entry among the routes.
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from _leaves(inner.routes)
