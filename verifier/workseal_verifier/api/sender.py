"""By what a sender is counted: the network it asks from, or what a proxy says of that.

Rules: what is returned here goes into the limiter's hash and nowhere else. A connection from this
machine is a proxy or its owner: it is not counted, unless a header is trusted to tell more.
"""

import ipaddress
from ipaddress import IPv4Address, IPv6Address

from starlette.datastructures import Headers
from starlette.types import Scope

# A household or a server has a whole /64 of IPv6.
_NETWORK_BITS = 64
# This machine, as the system nearly always writes it: known without reading it as a number.
_OURS = frozenset({"127.0.0.1", "::1"})


def sender_of(scope: Scope, header: str) -> bytes | None:
    """Name who sent a request, None for whom is not counted."""
    if header:
        # The last value is the one that the nearest proxy wrote; the others are anybody's.
        told = ",".join(Headers(scope=scope).getlist(header)).rpartition(",")[2].strip()
        address = _address(told)
        # All that a proxy does not tell apart is one sender.
        return b"" if address is None else _network(address)
    client = scope.get("client")
    if client is None or client[0] in _OURS:
        return None
    address = _address(client[0])
    return None if address is None or address.is_loopback else _network(address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(address: IPv4Address | IPv6Address) -> bytes:
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    raw = address.packed
    return raw[: _NETWORK_BITS // 8] if len(raw) == 16 else raw
