"""A request to a verifier, its answer, and whatever carries the one and brings the other.

Rule: what is written down of a request (`head`, `body`) is what goes over the wire, byte by byte.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self
from urllib.parse import quote, urlsplit

_PORTS = {"http": 80, "https": 443}
# What may stand in a path as it is, and what stands for something else already.
_AS_IT_IS = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True)
class Address:
    """Hold where a verifier is; `prefix` is the path below which its interface lies."""

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @classmethod
    def of(cls, url: str) -> Self:
        """Read an address, or raise `ValueError`."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
        port = parts.port or _PORTS[parts.scheme]
        return cls(parts.scheme, host, port, quote(parts.path, safe=_AS_IT_IS))

    @property
    def authority(self) -> str:
        """Return the host and the port, if it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Request:
    """Hold one request; `seconds` and `connect_seconds` limit each step of it."""

    method: str
    address: Address
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(default=b"", repr=False)
    seconds: float = 10.0
    connect_seconds: float = 4.0

    def head(self) -> bytes:
        """Return the request line and the headers as HTTP/1.1 puts them on the wire."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode("ascii")


@dataclass(frozen=True, slots=True)
class Response:
    """Hold an answer whose body comes as it is read; names of headers are in small letters."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()
    close: Callable[[], None] = lambda: None

    @property
    def is_success(self) -> bool:
        """Say whether what was asked for was done."""
        return 200 <= self.status < 300


class Transport(Protocol):
    """Carry requests."""

    def send(self, request: Request) -> Response:
        """Send a request; raises `UnreachableError`, also while the body is read."""

    def close(self) -> None:
        """End what is kept open."""
