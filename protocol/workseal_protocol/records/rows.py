"""Arrays of a fixed length inside a record, read by position."""

from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import Value
from workseal_protocol.errors import MalformedError


def row(item: Value, length: int) -> list[Value]:
    """Take an array of this length, or raise `MalformedError`."""
    if not isinstance(item, list) or len(item) != length:
        raise MalformedError(f"expected an array of {length}")
    return item


def digest_at(parts: list[Value], place: int) -> Digest:
    """Take a digest, or raise `MalformedError`."""
    part = parts[place]
    if not isinstance(part, bytes) or len(part) != DIGEST_BYTES:
        raise MalformedError(f"expected {DIGEST_BYTES} bytes at place {place}")
    return Digest(part)


def uint_at(parts: list[Value], place: int) -> int:
    """Take an unsigned integer, or raise `MalformedError`."""
    part = parts[place]
    if not isinstance(part, int) or part < 0:
        raise MalformedError(f"expected an unsigned integer at place {place}")
    return part


def text_at(parts: list[Value], place: int) -> str:
    """Take text, or raise `MalformedError`."""
    part = parts[place]
    if not isinstance(part, str):
        raise MalformedError(f"expected text at place {place}")
    return part
