"""Query parameters that an operation has not are refused: a typing error must not go unnoticed."""

from fastapi import Request
from fastapi.routing import APIRoute

from workseal_verifier.errors import Reason, RefusedError


async def require_known_query(request: Request) -> None:
    """Refuse a query parameter that the operation has not, or that comes twice."""
    names = [name for name, _ in request.query_params.multi_items()]
    route = request.scope["route"]
    known = parameters_of(route) if isinstance(route, APIRoute) else frozenset()
    if len(set(names)) != len(names) or not known.issuperset(names):
        told = ", ".join(sorted(known)) or "none"
        raise RefusedError(Reason.MALFORMED, f"expected query parameters: {told}, each once")


def parameters_of(route: APIRoute) -> frozenset[str]:
    """Name the query parameters of an operation."""
    return frozenset(field.alias for field in route.dependant.query_params)
