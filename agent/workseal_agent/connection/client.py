"""The verifier's HTTP interface, as this agent uses it: bytes out, checked forms in.

Rules: each answer is bounded in size and time; nothing in an answer is believed here but its form,
what it claims is verified by the caller. No method sends anything but its arguments. What only a
party reads is asked for with a signature by its key; a verifier that finds its time wrong is asked
for the right one, once.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from ssl import create_default_context
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from workseal_agent.clock import SystemClock
from workseal_agent.connection.deadline import DeadlineTransport
from workseal_agent.connection.errors import RefusedError, UnreachableError
from workseal_agent.connection.problems import raise_problem
from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import (
    Fields,
    Value,
    decode,
    encode,
    encode_sequence,
    split_sequence,
)
from workseal_protocol.errors import MalformedError
from workseal_protocol.httpsignature import NONCE_BYTES, Target, sign_request
from workseal_protocol.keys import Signer
from workseal_protocol.partykeys import MAX_BYTES, PartyKey, parse_keys

MAX_BATCH = 256
MAX_BATCH_BYTES = 1 << 20
_MIB = 1 << 20
# Longest wait for one whole answer; each step has its own, shorter limit below.
TOTAL_SECONDS = 60.0
_TIMEOUT = httpx.Timeout(10.0, connect=4.0)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SEQUENCE = "application/cbor-seq"
_CBOR = "application/cbor"
# Statements of a listing that are asked for at once: what of it is held in memory.
PAGE = 1_024
_PAGE_INDICES_BYTES = 16_384
# A case has no more statements (docs/spec/dispute.md).
MOST_IN_CASE = 400
_STATEMENT_BYTES = 65_536

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """Hold what the verifier says about itself; compared with the signed terms, never trusted."""

    key: bytes
    policy: str
    tsa_roots: tuple[bytes, ...]
    periods: tuple[int, ...]
    time_ms: int


@dataclass(frozen=True, slots=True)
class BeaconChain:
    """Hold the operator's commitment that is in force for one period."""

    first_round: int
    count: int
    head: Digest
    commitment: Digest


class VerifierClient:
    """Speak to one verifier. Methods raise `UnreachableError` or `RefusedError`."""

    def __init__(
        self,
        url: str,
        transport: httpx.BaseTransport | None = None,
        *,
        seconds: float | None = None,
        signer: Signer | None = None,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self.url = require_url(url)
        self._signer = signer
        self._now_ms = now_ms or SystemClock().wall_ms
        # What the verifier's clock is ahead of this one, once it said that this one is wrong.
        self._ahead_ms = 0
        self._http = httpx.Client(
            base_url=self.url,
            transport=transport or default_transport(),
            timeout=_TIMEOUT if seconds is None else seconds,
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": "workseal-agent", "accept-encoding": "identity"},
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def submit(self, statements: Sequence[bytes], old_size: int) -> bytes:
        """Send statements; returns the bytes of a SubmissionAnswer, not yet verified."""
        return self._send(
            "POST",
            f"/v1/statements?old={old_size}",
            encode_sequence(statements),
            media=_SEQUENCE,
            limit=8 * _MIB,
        )

    def operator(self) -> OperatorFacts:
        """Ask who the verifier says it is, and for its clock."""
        fields = Fields(self._value("/v1/operator"), "operator")
        with _form("operator"):
            return OperatorFacts(
                fields.octets(1, "key"),
                fields.text(2, "policy"),
                tuple(_each(fields.array(3, "roots", maximum=16), bytes)),
                tuple(_each(fields.array(4, "periods", maximum=64), int)),
                fields.uint(5, "time"),
            )

    def checkpoint(self) -> bytes:
        """Return the newest signed checkpoint, not yet verified."""
        return self._send("GET", "/v1/log/checkpoint", limit=_MIB)

    def checkpoint_at(self, size: int) -> bytes:
        """Return the signed checkpoint of one size, not yet verified."""
        return self._send("GET", f"/v1/log/checkpoints/{size}", limit=_MIB)

    def timestamps(self, first: int, last: int) -> tuple[tuple[int, bytes], ...]:
        """Return (checkpoint size, token) for the stamped sizes in [first, last], ascending."""
        value = self._value(f"/v1/log/timestamps?from={first}&to={last}", limit=64 * _MIB)
        with _form("timestamps"):
            rows = []
            for row in _each(value, list):
                match row:
                    case [int() as size, bytes() as token] if first <= size <= last:
                        rows.append((size, token))
                    case _:
                        raise MalformedError("a time-stamp has a size and a token")
            return tuple(sorted(rows))

    def proof(self, size: int, indices: Sequence[int], sizes: Sequence[int]) -> tuple[bytes, ...]:
        """Return the hashes of a sparse proof, not yet verified."""
        body = encode({1: size, 2: list(indices), 3: list(sizes)})
        answer = self._send("POST", "/v1/log/proof", body, limit=64 * _MIB)
        with _form("proof"):
            fields = Fields(decode(answer, max_bytes=64 * _MIB), "proof")
            joined = fields.octets(1, "hashes", maximum=64 * _MIB)
            if len(joined) % DIGEST_BYTES:
                raise MalformedError("hashes have 32 bytes each")
            return tuple(
                joined[at : at + DIGEST_BYTES] for at in range(0, len(joined), DIGEST_BYTES)
            )

    def statements(
        self, engagement: bytes, *, size: int, since: int = 0
    ) -> tuple[tuple[int, bytes], ...]:
        """Return (index, statement) of one page of what verifying an engagement needs.

        Those in [since, size), ascending, not yet verified. Fewer than `PAGE` are the last ones.
        """
        path = f"/v1/engagements/{engagement.hex()}"
        query = f"?size={size}&from={since}&count={PAGE}"
        listed = self._signed("GET", f"{path}/indices{query}", limit=_PAGE_INDICES_BYTES)
        data = self._signed("GET", f"{path}/statements{query}", limit=PAGE * _STATEMENT_BYTES)
        with _form("statements"):
            indices = tuple(_each(decode(listed), int))
            bodies = split_sequence(data, max_items=PAGE)
            if len(indices) != len(bodies) or not _ascends(indices, since, size):
                raise MalformedError("they are not those of their indices, in the log's order")
            return tuple(zip(indices, bodies, strict=True))

    def now_ms(self) -> int:
        """Return this machine's time, whatever the verifier says of it."""
        return self._now_ms()

    def keys(self, engagement: bytes) -> tuple[PartyKey, ...]:
        """Return the parties' keys as the verifier tells them."""
        path = f"/v1/engagements/{engagement.hex()}/keys"
        with _form("keys"):
            return parse_keys(self._signed("GET", path, limit=MAX_BYTES))

    def cases(self) -> bytes:
        """Return the cases that this party may read, as JSON; not yet read."""
        return self._signed("GET", "/v1/cases", limit=_MIB)

    def case(self, case: Digest) -> bytes:
        """Return what the verifier says of a case, as JSON; not yet read."""
        return self._signed("GET", f"/v1/cases/{case}", limit=4 * _MIB)

    def case_statements(self, case: Digest) -> bytes:
        """Return the statements of a case, one after the other; not yet verified."""
        path = f"/v1/cases/{case}/statements"
        return self._signed("GET", path, limit=MOST_IN_CASE * _STATEMENT_BYTES)

    def receipt(self, statement: Digest, size: int) -> bytes | None:
        """Return the COSE receipt of a statement under a checkpoint, None when there is none."""
        try:
            return self._signed("GET", f"/v1/statements/{statement}/receipt?size={size}")
        except RefusedError:
            return None

    def has_statement(self, statement: Digest) -> bool:
        """Tell whether the verifier says that it has logged a statement."""
        try:
            self._send("GET", f"/v1/statements/{statement}")
        except RefusedError as refused:
            if refused.status == 404:
                return False
            raise
        return True

    def beacon(self, period_ms: int) -> BeaconChain:
        """Return the commitment in force, not yet verified."""
        fields = Fields(self._value(f"/v1/beacon/{period_ms}"), "beacon")
        with _form("beacon"):
            return BeaconChain(
                fields.uint(1, "first round"),
                fields.uint(2, "count"),
                fields.digest(3, "head"),
                fields.digest(4, "commitment"),
            )

    def beacon_value(self, period_ms: int, round_: int) -> bytes:
        """Return the value of a round, not yet verified; a refusal says that it is too early."""
        value = self._send("GET", f"/v1/beacon/{period_ms}/{round_}", limit=1024)
        if len(value) != DIGEST_BYTES:
            raise UnreachableError("the verifier's beacon value does not have 32 bytes")
        return value

    def disclose(self, statement: bytes, disclosures: Sequence[bytes]) -> tuple[bytes, bytes]:
        """Send a disclosure; returns the finding and the SubmissionAnswer, neither verified."""
        parts = (statement, *map(encode, disclosures))
        body = encode_sequence(parts)
        answer = self._send("POST", "/v1/disclosures", body, media=_SEQUENCE, limit=8 * _MIB)
        with _form("disclosure"):
            fields = Fields(decode(answer, max_bytes=8 * _MIB), "disclosure")
            return fields.octets(1, "finding"), fields.octets(2, "answer", maximum=8 * _MIB)

    def put_sealed(self, request: Digest, package: bytes) -> str:
        """Leave a sealed package for the arbitrator; returns its address."""
        path = f"/v1/sealed/{request}"
        self._signed("PUT", path, package, media="application/octet-stream")
        return f"{self.url}{path}"

    def _value(self, path: str, limit: int = _MIB) -> Value:
        with _form("answer"):
            return decode(self._send("GET", path, limit=limit), max_bytes=limit)

    def _signed(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        media: str = _CBOR,
        limit: int = 65_536,
    ) -> bytes:
        """Send one request signed by this party's key, and again if the clock was wrong."""
        try:
            fields = self._signature(method, path, body)
            return self._send(method, path, body, media=media, limit=limit, fields=fields)
        except RefusedError as refused:
            if refused.name != "stale":
                raise
        self._ahead_ms = self.operator().time_ms - self._now_ms()
        fields = self._signature(method, path, body)
        return self._send(method, path, body, media=media, limit=limit, fields=fields)

    def _signature(self, method: str, path: str, body: bytes | None) -> dict[str, str]:
        if self._signer is None:
            return {}
        url = self._http.build_request(method, path).url
        target, _, query = url.raw_path.decode().partition("?")
        return sign_request(
            Target(method, url.netloc.decode().lower(), target, f"?{query}"),
            self._signer,
            created=(self._now_ms() + self._ahead_ms) // 1_000,
            nonce=secrets.token_bytes(NONCE_BYTES),
            body=body or b"",
        )

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        media: str = _CBOR,
        limit: int = 65_536,
        fields: Mapping[str, str] | None = None,
    ) -> bytes:
        """Send one request and read the whole answer, bounded."""
        headers = {"content-type": media} if body is not None else {}
        headers |= fields or {}
        data = bytearray()
        try:
            with self._http.stream(method, path, content=body, headers=headers) as response:
                for chunk in response.iter_bytes(65_536):
                    data += chunk
                    if len(data) > limit:
                        raise UnreachableError("the verifier's answer is too long")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise UnreachableError(f"no answer from the verifier: {_reason(error)}") from error
        if not response.is_success:
            raise_problem(response, bytes(data))
        return bytes(data)


def require_url(url: str) -> str:
    """Return a verifier's address without its last slash: https, or http to this machine only."""
    problem = ValueError("a verifier's address is https://HOST, or http:// to this machine")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise problem from error
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise problem
    if parts.scheme != "https" and not plain:
        raise problem
    return url.rstrip("/")


def default_transport(
    ca_file: str | None = None, *, seconds: float = TOTAL_SECONDS
) -> DeadlineTransport:
    """Make the transport that reaches the network; certificates are always checked."""
    return DeadlineTransport(create_default_context(cafile=ca_file), seconds=seconds)


class _form:  # noqa: N801 - reads as a word after `with`
    """Turn a malformed answer into `UnreachableError`: it is tried again like no answer."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, MalformedError):
            text = f"the verifier's {self._what} is not in the right form: {error}"
            raise UnreachableError(text) from error


def _ascends(indices: Sequence[int], since: int, size: int) -> bool:
    """Tell whether indices are in [since, size), each once and in order."""
    edges = (since - 1, *indices, size)
    return all(one < next_ for one, next_ in pairwise(edges))


def _each(value: Value, kind: type[Item]) -> Iterable[Item]:
    if not isinstance(value, list):
        raise MalformedError("expected an array")
    for item in value:
        if not isinstance(item, kind):
            raise MalformedError("an array holds an item of another type")
        yield item


def _reason(error: Exception) -> str:
    """Say why no answer came, without what the library says: it names addresses."""
    match error:
        case httpx.TimeoutException():
            return "it took too long"
        case httpx.ConnectError():
            return "it cannot be reached"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return "its address is none"
        case httpx.TransportError() | OSError():
            return "the connection broke off"
        case _:
            return type(error).__name__
