"""The form of a request's line and header, where RFC 9112 asks for more than the parser does.

Rule: what others could read in two ways is refused; a signature covers what `Host` says.
"""

import re
from typing import Final

MAX_HEADER: Final = 16 * 1024
# 2**64 has 20 digits; more could only be zeros in front.
_MAX_LENGTH_DIGITS: Final = 20
# RFC 9112, section 3.2: no fragment, and no byte that a client would have to escape.
_TARGET: Final = re.compile(rb'[!"$-~]+')
# RFC 9112, section 3.2.2: what a proxy is asked; the host of it is what `Host` says.
_ABSOLUTE: Final = re.compile(rb"https?://(?P<authority>[^/?]+)/.*", re.IGNORECASE)
# RFC 9110, section 7.2; no address of a kind that does not exist yet.
_HOST: Final = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?"
)


def check_line(version: str, method: bytes, url: bytes, heard: bytes) -> None:
    """Raise `ValueError` for a request line that RFC 9112 forbids."""
    # The parser takes other versions, and other protocols that number theirs alike (RTSP, ICE).
    if version not in {"1.0", "1.1"} or b"%b %b HTTP/" % (method, url) not in heard:
        raise ValueError("expected HTTP/1.0 or HTTP/1.1")
    if _TARGET.fullmatch(url) is None:
        raise ValueError("expected a target of visible ASCII without a fragment")


def check_header(version: str, url: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Raise `ValueError` for a header that RFC 9112 forbids or that is beyond our bounds."""
    if header_size(url, headers) > MAX_HEADER:
        raise ValueError(f"expected a header of at most {MAX_HEADER} bytes")
    hosts, codings = [], []
    for name, value in headers:
        if name == b"host":
            hosts.append(value.rstrip(b" \t"))
        elif name == b"transfer-encoding":
            codings.append(value.lower())
        elif name == b"content-length" and len(value) > _MAX_LENGTH_DIGITS:
            raise ValueError("expected a length that is one")
    _check_hosts(version, url, hosts)
    # What others would take for another coding, they would find another end of the body by.
    if codings and (version == "1.0" or codings != [b"chunked"]):
        raise ValueError("expected no transfer-encoding but chunked")


def _check_hosts(version: str, url: bytes, hosts: list[bytes]) -> None:
    # HTTP/1.0 had none.
    if len(hosts) != 1 and (hosts or version != "1.0"):
        raise ValueError("expected one host")
    if hosts and _HOST.fullmatch(hosts[0]) is None:
        raise ValueError("expected a host in its form")
    if not url.startswith(b"/"):
        # Signatures cover what `Host` says: nothing else may say where this goes.
        absolute = _ABSOLUTE.fullmatch(url)
        if absolute is None or [absolute["authority"].lower()] != [one.lower() for one in hosts]:
            raise ValueError("expected a path, or an address at the host")


def header_size(url: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    """Count the bytes of a target and a header, about as they came."""
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)
