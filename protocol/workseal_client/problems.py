"""Answers that are not a success, read as RFC 9457 problems.

Rule: only a problem of the verifier's own kind is a refusal. Whatever a proxy, a captive portal or
a half-started server says is no answer, and the request is tried again.
"""

import json

from workseal_client.errors import RefusedError, UnreachableError
from workseal_client.transport import Response
from workseal_protocol.worded import Worded, worded

_PREFIX = "urn:workseal:problem:"
# Refusals of content: the same bytes will be refused again.
_FINAL = frozenset({400, 401, 403, 404, 409, 410, 413, 421, 422, 425})
_MAX_TEXT = 300
_MAX_WAIT = 300.0


def raise_problem(response: Response, body: bytes) -> None:
    """Raise `RefusedError` or `UnreachableError` for an answer that is not a success."""
    name, detail = _read(response, body)
    if name is not None and response.status in _FINAL:
        raise RefusedError(response.status, name, detail)
    raise UnreachableError(_told(response.status, name, detail), _retry_after(response))


def _told(status: int, name: str | None, detail: str) -> Worded:
    if name is None:
        return worded("the verifier answered {status}", status=status)
    reason = f"{name}: {detail}" if detail else name
    return worded("the verifier answered {status} ({reason})", status=status, reason=reason)


def _read(response: Response, body: bytes) -> tuple[str | None, str]:
    media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/problem+json":
        return None, ""
    try:
        problem = json.loads(body)
    except (ValueError, RecursionError):
        return None, ""
    if not isinstance(problem, dict):
        return None, ""
    kind = problem.get("type")
    if not isinstance(kind, str) or not kind.startswith(_PREFIX):
        return None, ""
    return plain(kind.removeprefix(_PREFIX), 40), plain(str(problem.get("detail", "")), _MAX_TEXT)


def plain(text: str, limit: int) -> str:
    """Keep a foreign text short and free of control characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:limit])


def _retry_after(response: Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return min(float(text), _MAX_WAIT) if text.isascii() and text.isdigit() else None
