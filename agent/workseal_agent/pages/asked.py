"""A request as these pages see it: its head, its body, and the fields that a form or script sent.

Rules: nothing is judged here. A body is read once, in whole and bounded, and given on as it came;
what is no form and no JSON is told as such, never guessed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.types import Message, Receive, Scope

from workseal_agent.pages.peer import Address, Peer

MAX_BODY = 262_144
_MAX_FIELDS = 2_048


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold what is known of a request before its body is read."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    peer: Peer = Peer.OWN

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for known, value in self.headers if known == name]

    def only(self, name: str) -> str | None:
        """Return a header that is there once; None when it is not, or several times."""
        values = self.all(name)
        return values[0] if len(values) == 1 else None

    @property
    def reads(self) -> bool:
        """Tell whether the request changes nothing."""
        return self.method in {"GET", "HEAD"}


def asked_of(scope: Scope, peer: Callable[[Address, Address], Peer]) -> Asked:
    """Return what the server tells of a request; `peer` judges whose its connection is."""
    client, server = scope.get("client"), scope.get("server")
    return Asked(
        method=scope["method"],
        path=scope["path"],
        headers=tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in scope["headers"]
        ),
        peer=peer(tuple(client), tuple(server)) if client and server else Peer.GONE,
    )


def media_of(asked: Asked) -> str:
    """Return of what kind the body is said to be, without its parameters."""
    return (asked.only("content-type") or "").partition(";")[0].strip().lower()


async def whole_body(receive: Receive) -> bytes | None:
    """Read a body; None when it is longer than any form, however it is sent."""
    data = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        data += message.get("body", b"")
        if len(data) > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(data)


def given_again(body: bytes, further: Receive) -> Receive:
    """Give what was read already, and then whatever comes: that somebody went away."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else await further()

    return receive


def read_form(body: bytes) -> list[tuple[str, str]] | None:
    """Read the fields of a form; None when it is none."""
    try:
        text = body.decode("ascii")
        return parse_qsl(
            text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=_MAX_FIELDS,
            errors="strict",
        )  # fmt: skip
    except ValueError:
        return None


def read_json(body: bytes) -> dict[str, object]:
    """Read a JSON object; an empty one when it is none, or holds what is no text."""
    try:
        value = json.loads(body)
        # Half of a pair of surrogates is read, from an escape and from bytes; it has no bytes.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
