"""Tell webhooks of notices: a small signed POST to an address that a party gave.

Rules (docs/spec/webhooks.md): the address is a stranger's word. Its name is resolved here, once,
and the connection goes to what was checked: a name that leads into this machine's own networks is
refused, whatever it led to a moment ago. No redirect is followed and no answer is read beyond its
status. One deadline over all of it, the name's lookup among it. The certificate must hold for the
name.
"""

import http.client
import ipaddress
import json
import secrets
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from workseal_protocol.httpsignature import (
    NONCE_BYTES,
    WEBHOOK_TAG,
    Target,
    sign_request,
)
from workseal_protocol.keys import Signer
from workseal_verifier.errors import ConfigError
from workseal_verifier.reaching import Deadline, connect, cutting
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.letters import Place, hook_body
from workseal_verifier.store.notices import NoticeRow

TIMEOUT_S: Final = 10.0
# RFC 6052: holds an IPv4 address, which may be one of this network.
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
# RFC 4291: of all others nothing is routed in the public internet.
_ROUTED: Final = ipaddress.IPv6Network("2000::/3")
# RFC 7526: relays of 6to4, which lead wherever the network at hand has them lead.
_RELAYS: Final = ipaddress.IPv4Network("192.88.99.0/24")


class Hooks:
    """Send notices, signed by the operator's key."""

    def __init__(
        self,
        signer: Signer,
        place: Place,
        clock: Clock,
        *,
        private: bool,
        roots: Path | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Take certificates to trust instead of the system's, or raise `ConfigError`.

        With `private`, addresses of this machine's own networks are let through.
        """
        self._signer = signer
        self._place = place
        self._clock = clock
        self._timeout_s = timeout_s
        self._private = private
        try:
            self._context = ssl.create_default_context(cafile=None if roots is None else str(roots))
        except (OSError, ssl.SSLError) as error:
            raise ConfigError("webhooks_roots cannot be read as certificates") from error

    def leads_out(self, url: str) -> bool:
        """Say whether an address may be sent to, as far as it tells without asking for a name."""
        host = urlsplit(url).hostname or ""
        try:
            return self._private or is_public(host)
        except ValueError:
            # A name: what it stands for is looked at each time that something is sent.
            return True

    def send(self, row: NoticeRow, url: str) -> None:
        """Tell of a notice, or raise `OSError` when the other server did not take it."""
        body = json.dumps(hook_body(row, self._place), sort_keys=True).encode()
        headers = self._headers(url, body) | {"idempotency-key": f'"{row.name}"'}
        try:
            status = self._exchange(url, headers, body)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise OSError(f"the webhook was not reached: {type(error).__name__}") from None
        if not 200 <= status < 300:
            raise OSError(f"the webhook answered {status}")

    def _exchange(self, url: str, headers: dict[str, str], body: bytes) -> int:
        parts = urlsplit(url)
        host = parts.hostname or ""
        deadline = Deadline(self._timeout_s)
        judge = None if self._private else _require_public
        with (
            connect(host, parts.port or 443, deadline, judge=judge) as plain,
            cutting(plain, deadline),
            self._context.wrap_socket(plain, server_hostname=host) as encrypted,
        ):
            path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
            return _posted(encrypted, path, headers, body)

    def _headers(self, url: str, body: bytes) -> dict[str, str]:
        parts = urlsplit(url)
        authority = parts.netloc.removesuffix(":443")
        target = Target("POST", authority, parts.path or "/", f"?{parts.query}")
        signed = sign_request(
            target,
            self._signer,
            created=self._clock.now_ms() // 1000,
            nonce=secrets.token_bytes(NONCE_BYTES),
            body=body,
            tag=WEBHOOK_TAG,
        )
        return {
            "host": authority,
            "user-agent": "workseal-verifier",
            "content-type": "application/json",
            "content-length": str(len(body)),
            **signed,
        }


def _posted(connection: socket.socket, path: str, headers: dict[str, str], body: bytes) -> int:
    client = http.client.HTTPConnection("unused")
    client.sock = connection
    client.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        client.putheader(name, value)
    client.endheaders(body)
    # Its status alone: the body is never read.
    with client.getresponse() as answer:
        return answer.status


def _require_public(addresses: Sequence[str]) -> None:
    if not all(map(is_public, addresses)):
        raise PermissionError("the webhook leads into a network of this server's own")


def is_public(text: str) -> bool:
    """Tell whether an address, and one that it stands for, is of the public internet."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast and address not in _RELAYS
    if address.ipv4_mapped is not None:
        return is_public(str(address.ipv4_mapped))
    if address in _TRANSLATED:
        return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
    inner = [address.sixtofour, *(address.teredo or ())]
    stands_for = [str(one) for one in inner if one is not None]
    # What no table of this Python's knows yet is none either: all that is routed lies in one part.
    return address in _ROUTED and address.is_global and all(map(is_public, stands_for))
