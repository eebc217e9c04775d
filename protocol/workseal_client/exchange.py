"""One request and its answer: signed where a party asks, bounded in size and time.

Rules: nothing in an answer is believed here but its form. No method sends anything but its
arguments. Redirects are not followed, proxies of the environment not used. A verifier that finds
the time of a signed request wrong is asked for the right one, once.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

from workseal_client.deadline import DeadlineTransport
from workseal_client.errors import RefusedError, UnreachableError
from workseal_client.problems import raise_problem
from workseal_client.transport import Address, Request, Response, Transport
from workseal_client.trust import Trust
from workseal_protocol.encoding import Fields, Value, decode
from workseal_protocol.errors import MalformedError
from workseal_protocol.httpsignature import NONCE_BYTES, Target, sign_request
from workseal_protocol.keys import Signer

MIB = 1 << 20
CBOR = "application/cbor"
SEQUENCE = "application/cbor-seq"
OCTETS = "application/octet-stream"
JSON = "application/json"
# Longest wait for one whole answer; each step has its own, shorter limit below.
TOTAL_SECONDS = 60.0
_SMALL = 65_536
# Beyond what the time of a signed request has digits for.
_END_MS = 10**15
_STEP_SECONDS = 10.0
_CONNECT_SECONDS = 4.0
# What says how long it is, also where there is nothing.
_WITH_BODY = frozenset({"POST", "PUT"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Item = TypeVar("Item")


class Exchange:
    """Send requests to one verifier. Methods raise `UnreachableError` or `RefusedError`."""

    def __init__(
        self,
        url: str,
        transport: Transport | None,
        *,
        seconds: float | None,
        signer: Signer | None,
        now_ms: Callable[[], int] | None,
    ) -> None:
        self.url = require_url(url)
        self.now_ms = now_ms or _wall_ms
        self._signer = signer
        # What the verifier's clock is ahead of this one, once it said that this one is wrong.
        self._ahead_ms = 0
        self._address = Address.of(self.url)
        self._transport = transport or default_transport()
        self._step = _STEP_SECONDS if seconds is None else seconds
        self._connect = _CONNECT_SECONDS if seconds is None else seconds

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        media: str = CBOR,
        limit: int = _SMALL,
        fields: Mapping[str, str] | None = None,
    ) -> bytes:
        """Send one request and read the whole answer, bounded."""
        headers = {
            "Host": self._address.authority,
            "accept": "*/*",
            "accept-encoding": "identity",
            "user-agent": "workseal",
        }
        if body is not None:
            headers["content-type"] = media
        if body is not None or method in _WITH_BODY:
            headers["content-length"] = str(len(body or b""))
        request = Request(
            method,
            self._address,
            self._address.prefix + path,
            (*headers.items(), *(fields or {}).items()),
            body or b"",
            self._step,
            self._connect,
        )
        response = self._transport.send(request)
        data = _read(response, limit)
        if not response.is_success:
            raise_problem(response, data)
        return data

    def signed(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        media: str = CBOR,
        limit: int = _SMALL,
    ) -> bytes:
        """Send one request signed by this party's key, and again if the clock was wrong."""
        try:
            fields = self._signature(method, path, body)
            return self.send(method, path, body, media=media, limit=limit, fields=fields)
        except RefusedError as refused:
            if refused.name != "stale":
                raise
        self._ahead_ms = self._clock_ms() - self.now_ms()
        fields = self._signature(method, path, body)
        return self.send(method, path, body, media=media, limit=limit, fields=fields)

    def value(self, path: str, limit: int = MIB) -> Value:
        """Return the CBOR item that an address gives to anybody."""
        with form("answer"):
            return decode(self.send("GET", path, limit=limit), max_bytes=limit)

    def _clock_ms(self) -> int:
        with form("operator"):
            told = Fields(self.value("/v1/operator"), "operator").uint(5, "time")
            if told >= _END_MS:
                raise MalformedError("its time is none that a request can be signed at")
            return told

    def _signature(self, method: str, path: str, body: bytes | None) -> dict[str, str]:
        if self._signer is None:
            return {}
        target, _, query = f"{self._address.prefix}{path}".partition("?")
        return sign_request(
            Target(method, self._address.authority, target, f"?{query}"),
            self._signer,
            created=(self.now_ms() + self._ahead_ms) // 1_000,
            nonce=secrets.token_bytes(NONCE_BYTES),
            body=body or b"",
        )


class form:  # noqa: N801 - reads as a word after `with`
    """Turn a malformed answer into `UnreachableError`: it is tried again like no answer."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Name what was not in the right form."""
        if isinstance(error, MalformedError):
            text = f"the verifier's {self._what} is not in the right form: {error}"
            raise UnreachableError(text) from error


def require_url(url: str) -> str:
    """Return a verifier's address without its last slash: https, or http to this machine only.

    Raises `ValueError`.
    """
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
    return DeadlineTransport(Trust(ca_file), seconds=seconds)


def each(value: Value, kind: type[Item]) -> Iterable[Item]:
    """Give the items of an array that are all of one type; raises `MalformedError`."""
    if not isinstance(value, list):
        raise MalformedError("expected an array")
    for item in value:
        if not isinstance(item, kind):
            raise MalformedError("an array holds an item of another type")
        yield item


def _read(response: Response, limit: int) -> bytes:
    """Read a whole answer; one that is not, has its connection ended."""
    try:
        _require_plain(response)
        return _joined(response.body, limit)
    except BaseException:
        response.close()
        raise


def _joined(pieces: Iterable[bytes], limit: int) -> bytes:
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > limit:
            raise UnreachableError("the verifier's answer is too long")
    return bytes(data)


def _require_plain(response: Response) -> None:
    """Refuse an answer in an encoding that was not asked for, before a byte of it is read."""
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnreachableError("the verifier's answer is in an encoding that was not asked for")


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
