"""One signed request to a verifier, for the commands of client and arbitrator.

Rules: https, or http to this machine; certificates are checked, redirects not followed, no proxy
of the environment used. An answer is bounded in size and time, and believed in nothing but its
form. A server that finds the time wrong is asked for its clock and sent the request once more.
"""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from workseal_protocol.cli.problem import DOES_NOT_HOLD, MALFORMED, CommandError
from workseal_protocol.encoding import Fields, decode, encode_sequence
from workseal_protocol.errors import MalformedError, WorksealError
from workseal_protocol.httpsignature import NONCE_BYTES, WITH_BODY, Target, sign_request
from workseal_protocol.keys import Signer
from workseal_protocol.policy import TlogPolicy, VerifiedCheckpoint
from workseal_protocol.receipt import SubmissionAnswer, verify_answer
from workseal_protocol.statement import Statement

if TYPE_CHECKING:
    from http.client import HTTPConnection

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS: Final = {"http": 80, "https": 443}
_PROBLEM: Final = "urn:workseal:problem:"
_STEP_SECONDS: Final = 20.0
_WHOLE_SECONDS: Final = 120.0
_PIECE: Final = 65_536
_SMALL: Final = 65_536


# The same bytes will be refused again; after any other failure the outcome is open.
_FINAL: Final = frozenset(
    {"malformed", "unknown-party", "not-found", "conflict", "overlap", "too-large", "refused"}
)


class RefusalError(CommandError):
    """Say that the verifier refused for good what it was sent."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes

    @property
    def problem(self) -> tuple[str, str]:
        """Return name and words of a problem of the verifier; empty for anything else."""
        try:
            members = json.loads(self.body)
        except (ValueError, RecursionError):
            members = None
        if not isinstance(members, dict) or not str(members.get("type")).startswith(_PROBLEM):
            return "", ""
        return str(members["type"]).removeprefix(_PROBLEM), str(members.get("detail"))


def address_of(text: str) -> SplitResult:
    """Read the address of a verifier, or of something at one."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise CommandError("this is no address") from error
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if (parts.scheme != "https" and not plain) or not parts.hostname or parts.username:
        raise CommandError("an address is https://HOST…, or http:// to this machine")
    return parts


def ask(
    address: SplitResult,
    method: str,
    signer: Signer | None,
    *,
    body: bytes = b"",
    limit: int = _SMALL,
) -> bytes:
    """Send a signed request and return the answer's body; `CommandError` for a refusal.

    Without a signer it is not signed: for what anybody may ask, and what speaks for itself.
    """
    if signer is None:
        answer = _exchange(address, method, {}, body, limit)
    else:
        now = time.time_ns() // 1_000_000_000
        answer = _signed(address, method, signer, body, limit, now)
        if answer.problem[0] == "stale":
            answer = _signed(address, method, signer, body, limit, clock_of(address) // 1_000)
    if not 200 <= answer.status < 300:
        name, detail = answer.problem
        if not name:
            raise CommandError(f"no verifier answers there: status {answer.status}", DOES_NOT_HOLD)
        kind = RefusalError if name in _FINAL else CommandError
        raise kind(f"the verifier refuses ({name}): {detail}", DOES_NOT_HOLD)
    return answer.body


def members_of(answer: bytes) -> dict[str, object]:
    """Read an answer that is one JSON object, or raise `CommandError`."""
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise CommandError("the verifier's answer is not JSON", DOES_NOT_HOLD) from error
    if not isinstance(told, dict):
        raise CommandError("the verifier's answer is not in the right form", DOES_NOT_HOLD)
    return told


def submit(
    address: SplitResult, signer: Signer | None, statement: Statement, policy: TlogPolicy
) -> None:
    """Have a statement logged at the verifier of an address, and see the log prove it.

    Raises `CommandError` when it is refused, or not shown to be in the log of this policy.
    """
    submit_all(address, signer, (statement,), policy)


def submit_all(
    address: SplitResult,
    signer: Signer | None,
    statements: Sequence[Statement],
    policy: TlogPolicy,
) -> tuple[tuple[int, ...], VerifiedCheckpoint]:
    """Do so with several, all of them or none; returns their indices, and what they are in."""
    place = address._replace(path="/v1/statements", query="", fragment="")
    body = encode_sequence(one.encode() for one in statements)
    answer = ask(place, "POST", signer, body=body)
    try:
        told = SubmissionAnswer.parse(answer)
        verified = verify_answer(told, [one.digest for one in statements], None, policy)
    except WorksealError as error:
        text = (
            f"the verifier does not show that the {statements[0].kind} is in the log of its terms:"
            f" {error}"
        )
        raise CommandError(text, DOES_NOT_HOLD) from error
    return tuple(told.indices), verified


def _signed(
    address: SplitResult, method: str, signer: Signer, body: bytes, limit: int, created: int
) -> _Answer:
    nonce = secrets.token_bytes(NONCE_BYTES)
    try:
        target = Target(method, _authority(address), address.path or "/", f"?{address.query}")
        fields = sign_request(target, signer, created=created, nonce=nonce, body=body)
    except ValueError as error:
        raise CommandError(f"this is no address of a verifier: {error}") from error
    return _exchange(address, method, fields, body, limit)


def clock_of(address: SplitResult) -> int:
    """Ask a server for its time, in milliseconds."""
    facts = address._replace(path="/v1/operator", query="")
    answer = _exchange(facts, "GET", {}, b"", _SMALL)
    try:
        fields = Fields(decode(answer.body), "operator")
        return fields.uint(5, "time")
    except MalformedError as error:
        raise CommandError("the verifier does not tell its clock", DOES_NOT_HOLD) from error


def _exchange(
    address: SplitResult, method: str, fields: dict[str, str], body: bytes, limit: int
) -> _Answer:
    from http.client import HTTPException  # noqa: PLC0415 - verifying offline needs no network

    connection = _connection(address)
    end = time.monotonic() + _WHOLE_SECONDS
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    try:
        connection.request(method, path, body if method in WITH_BODY else None, fields)
        data = bytearray()
        with connection.getresponse() as response:
            while piece := response.read1(_PIECE):
                data += piece
                if len(data) > limit or time.monotonic() > end:
                    raise CommandError("the answer is too long, or takes too long", DOES_NOT_HOLD)
            return _Answer(response.status, bytes(data))
    except (OSError, HTTPException) as error:
        text = f"no answer from {address.hostname} ({type(error).__name__})"
        raise CommandError(text, DOES_NOT_HOLD) from error
    finally:
        connection.close()


def _connection(address: SplitResult) -> "HTTPConnection":
    from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415 - as above

    host = address.hostname
    if host is None:
        raise CommandError("the address has no host", MALFORMED)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    return kind(host, address.port or _PORTS[address.scheme], timeout=_STEP_SECONDS)


def _authority(address: SplitResult) -> str:
    """Write what `http.client` sends as host: without the scheme's own port."""
    host = address.hostname or ""
    name = f"[{host}]" if ":" in host else host
    port = address.port
    return name if port in (None, _PORTS[address.scheme]) else f"{name}:{port}"
