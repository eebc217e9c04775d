"""Under which names this server is reached, and which web origin each is.

Rules: a name that is not ours is refused before anything is believed: else a page of another name
that leads here (DNS rebinding), or a request that was signed for another server, would be taken.
Without a configured address a server is reached on its own machine, and by the host in its origin.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_LOOPBACK = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[1-9][0-9]{0,4})?")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,62})\.)+[a-z0-9-]{1,63}")


@dataclass(frozen=True, slots=True)
class Site:
    """Hold a web origin, and the domain that a passkey made there belongs to."""

    origin: str
    domain: str


class Sites:
    """Know this server's names."""

    def __init__(self, url: str, log_origin: str) -> None:
        self._loopback = not url
        host = log_origin.partition("/")[0].lower()
        self.url = url or (f"https://{host}" if _HOST.fullmatch(host) else "")
        self._authority = urlsplit(self.url).netloc

    def find(self, authority: str) -> Site | None:
        """Return the site of a request's host, None for a name that is not ours."""
        authority = authority.lower()
        if self._authority and authority == self._authority:
            return Site(self.url, _domain(authority))
        if self._loopback and _LOOPBACK.fullmatch(authority):
            return Site(f"http://{authority}", _domain(authority))
        return None


def _domain(authority: str) -> str:
    return re.sub(r":[0-9]+\Z", "", authority)
