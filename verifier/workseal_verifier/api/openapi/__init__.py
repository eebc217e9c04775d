"""The HTTP interface in OpenAPI 3.1: addresses from the routes, the rest from one table.

Rules: an operation without a row, or a row without an operation, stops the start. The description
itself is written when somebody first asks: half a second of a processor and megabytes that most
servers never need. The examples are what a verifier with fixed secrets answered, kept beside this
file; a test makes them again.
"""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from importlib.resources import files
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from workseal_verifier.api.openapi.operations import OPERATIONS, Body, Told, refused
from workseal_verifier.api.openapi.schemas import MEDIA_NOTES, concise, problem
from workseal_verifier.api.problems import CONCISE, MEDIA, PREFIX, TABLE, is_concise
from workseal_verifier.api.routing import operations
from workseal_verifier.api.values import FRESH, JSON, answer
from workseal_verifier.errors import Reason, VerifierError

router = APIRouter()

EXAMPLES: Final = "examples.json"
_TITLE: Final = "Workseal verifier"
_ABOUT: Final = (
    "What parties send to the verifier of a Workseal log, and anybody can ask it; docs/spec/api.md"
    " is the specification. CBOR and octets are shown as RFC 8949, section 6.1, converts them to"
    " JSON: a map's numbers as decimal text, a byte string in lower-case hex (contentEncoding"
    " base16), a CBOR sequence as an array. A statement is a COSE_Sign1 and shown as its bytes."
)
# One sentence for each kind of problem, as the server says it where it is most often said.
_DETAILS: Final[Mapping[Reason, str]] = {
    Reason.MALFORMED: "digest: expected 64 lower-case hex digits",
    Reason.UNPROVEN: "the request shows no key that speaks for anybody here",
    Reason.STALE: "a request with this nonce was taken before",
    Reason.WAITING: (
        "this key replaced another one, and reads when the other parties had time to see it;"
        " what it signs counts already"
    ),
    Reason.NOT_FRESH: "use a passkey, then ask again within 5 minutes",
    Reason.CROSS_SITE: "this does not come from a page of this server",
    Reason.MISDIRECTED: "this server is not known by this name",
    Reason.UNKNOWN_PARTY: "the signer is not a party who may say this here",
    Reason.NOT_FOUND: "no statement with this digest is logged",
    Reason.TIMEOUT: "the body arrived too slowly",
    Reason.CONFLICT: "another statement has number 7",
    Reason.OVERLAP: "other work is recorded for this time",
    Reason.TOO_LARGE: "expected at most 1048576 bytes",
    Reason.MEDIA: "expected the content-type application/cbor",
    Reason.REFUSED: "the signature does not match",
    Reason.TOO_EARLY: "the round has not begun",
    Reason.TOO_MANY: "too many requests from one sender",
    Reason.INTERNAL: "the server made a mistake",
    Reason.BUSY: "too many submissions are waiting",
    Reason.CLOCK: "the server's clock is 60 s behind the newest checkpoint, so nothing is signed",
    Reason.FULL: "the server is low on space",
}


@router.get("/openapi.json")
def get_description(request: Request) -> Response:
    """Return the description of this interface."""
    written: Description = request.app.state.description
    return answer(written.text(), FRESH, JSON)


class Description:
    """Describe an application's routes, once somebody asks."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        """Take the routes, or raise `VerifierError` where they are not those of the table."""
        names = {
            f"{name.partition(' ')[0]} {route.path_format}"
            for name, route in operations(routes)
            if route.include_in_schema
        }
        for name in sorted(names - OPERATIONS.keys()):
            raise VerifierError(f"the operation {name} is not described")
        for name in sorted(OPERATIONS.keys() - names):
            raise VerifierError(f"no operation {name} exists")
        self._routes = routes
        self._lock = threading.Lock()
        self._text = b""

    def text(self) -> bytes:
        """Return it in JSON; who asks while it is written waits."""
        with self._lock:
            if not self._text:
                self._text = json.dumps(self.document()).encode()
            return self._text

    def document(self) -> dict[str, Any]:
        """Write it."""
        return _describe(self._routes)


def _describe(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    described = get_openapi(
        title=_TITLE,
        version=metadata.version("workseal"),
        description=_ABOUT,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        routes=routes,
    )
    described.pop("components", None)
    described["servers"] = [{"url": "/"}]
    examples = json.loads(files(__package__).joinpath(EXAMPLES).read_text("utf-8"))
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            _fill(operation, name, OPERATIONS[name], examples.get(name, {}))
    return described


def _fill(operation: dict[str, Any], name: str, told: Told, shown: Mapping[str, Any]) -> None:
    operation["summary"] = operation.pop("description").partition("\n")[0]
    for parameter in operation.get("parameters", []):
        part = parameter["name"]
        parameter["schema"] = told.parameters[part]
        parameter["description"] = part
        if part in shown.get("parameters", {}):
            parameter["example"] = shown["parameters"][part]
    if told.takes is not None:
        operation["requestBody"] = {
            "required": True,
            "content": _content(told.takes, shown.get("request")),
        }
    operation["responses"] = {
        str(told.status): _success(told, shown),
        **dict(_problems(name.partition(" ")[2], refused(name))),
    }


def _success(told: Told, shown: Mapping[str, Any]) -> dict[str, Any]:
    headers = {name: _header({"const": value}) for name, value in told.headers.items()}
    if "location" in shown:
        headers["location"] = _header({"type": "string", "format": "uri-reference"})
    given: dict[str, Any] = {"description": "done", "headers": headers}
    if told.gives is not None:
        given["description"] = MEDIA_NOTES[told.gives.media[0]]
        given["content"] = _content(told.gives, shown.get("answer"))
    return given


def _content(body: Body, example: Any) -> dict[str, Any]:
    named = {} if example is None else {"example": example}
    return {media.partition(";")[0]: {"schema": body.schema, **named} for media in body.media}


def _problems(path: str, reasons: Sequence[Reason]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give one answer for each status, with an example for each reason that has it."""
    by_status: dict[int, list[Reason]] = {}
    for reason in reasons:
        by_status.setdefault(TABLE[reason][0], []).append(reason)
    for status, found in sorted(by_status.items()):
        alike = tuple(found)
        content = {MEDIA: _problem_content(alike)}
        if is_concise(path):
            # What is told before there is a request is told in JSON everywhere.
            content = {CONCISE: _concise_content(alike), **content}
        yield (
            str(status),
            {
                "description": "; ".join(TABLE[reason][1] for reason in alike),
                "headers": {"cache-control": _header({"const": "no-store"}, required=False)},
                "content": content,
            },
        )


def _problem_content(reasons: tuple[Reason, ...]) -> dict[str, Any]:
    shown = {
        reason.value: {
            "value": {
                "type": PREFIX + reason,
                "title": TABLE[reason][1],
                "status": TABLE[reason][0],
                "detail": _DETAILS[reason],
            }
        }
        for reason in reasons
    }
    return {"schema": problem(reasons), "examples": shown}


def _concise_content(reasons: tuple[Reason, ...]) -> dict[str, Any]:
    shown = {
        reason.value: {
            "value": {
                "-1": TABLE[reason][1],
                "-2": _DETAILS[reason],
                PREFIX + reason: {"status": TABLE[reason][0]},
            }
        }
        for reason in reasons
    }
    return {"schema": concise(reasons), "examples": shown}


def _header(schema: Mapping[str, Any], *, required: bool = True) -> dict[str, Any]:
    return {"schema": schema, "required": required}
