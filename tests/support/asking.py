"""Requests that are signed by a party's key, for a client of `httpx`."""

import secrets
from collections.abc import Callable, Iterator

import httpx

from workseal_protocol.httpsignature import NONCE_BYTES, Target, sign_request
from workseal_protocol.keys import Signer


def target_of(request: httpx.Request) -> Target:
    """Tell what a request asks for, as it stands on the wire."""
    path, _, query = request.url.raw_path.decode().partition("?")
    return Target(request.method, request.headers["host"].lower(), path, "?" + query)


class SignedBy(httpx.Auth):
    """Sign each request at the time of a clock that the test sets."""

    requires_request_body = True

    def __init__(self, signer: Signer, now_ms: Callable[[], int]) -> None:
        self._signer = signer
        self._now_ms = now_ms

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        fields = sign_request(
            target_of(request),
            self._signer,
            created=self._now_ms() // 1000,
            nonce=secrets.token_bytes(NONCE_BYTES),
            body=request.read(),
        )
        request.headers.update(fields)
        yield request
