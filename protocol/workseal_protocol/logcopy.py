"""Copies of a log: statements with their places, checkpoints, time-stamps; whole or in part.

Rules: a copy proves nothing by itself. Whoever rebuilds a log from copies computes the tree and
compares its root with a checkpoint that verifies. Reading is bounded by one item, not by the file.
docs/spec/copies.md
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.encoding import MAX_BYTES, MAX_INTEGER, Value, encode, read_item
from workseal_protocol.errors import MalformedError
from workseal_protocol.note import MAX_NOTE_BYTES

TITLE: Final = "workseal log copy v1"
# The longest item is a checkpoint with as many lines as a note may have.
MAX_ITEM_BYTES: Final = MAX_NOTE_BYTES + 16


@dataclass(frozen=True, slots=True)
class CopiedStatement:
    """Hold the complete bytes of a statement, and the index that the log gave it."""

    index: int
    body: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.index <= MAX_INTEGER:
            raise ValueError("an index has 53 bits")
        if not 1 <= len(self.body) <= MAX_BYTES:
            raise ValueError(f"a statement has 1 to {MAX_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class CopiedToken:
    """Hold the time-stamp token (RFC 3161) over the checkpoint of a size."""

    size: int
    token: bytes

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MAX_INTEGER:
            raise ValueError("a stamped size has 53 bits, and is not 0")
        if not 1 <= len(self.token) <= MAX_BYTES:
            raise ValueError(f"a token has 1 to {MAX_BYTES} bytes")


Copied: TypeAlias = CopiedStatement | SignedCheckpoint | CopiedToken


def encode_copy(origin: str, items: Iterable[Copied]) -> Iterator[bytes]:
    """Write a copy in pieces; `CopyReader` is the inverse.

    Raises `ValueError` when the items are not in the order of the format.
    """
    order = _Order(origin)
    yield encode([TITLE, origin])
    for item in items:
        order.take(item)
        match item:
            case CopiedStatement():
                yield encode([item.index, item.body])
            case SignedCheckpoint():
                yield encode(item.encode())
            case CopiedToken():
                yield encode({1: item.size, 2: item.token})


class CopyReader:
    """Read a copy piece by piece; iterating raises `MalformedError` where it is not of the form."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._buffer, self._at = b"", 0
        self.origin = _origin(self._item())
        self._order = _Order(self.origin)

    def __iter__(self) -> Iterator[Copied]:
        while self._fill():
            item = _copied(self._item())
            try:
                self._order.take(item)
            except ValueError as error:
                raise MalformedError(f"log copy: {error}") from error
            yield item

    def _item(self) -> Value:
        self._fill()
        value, end = read_item(self._buffer, self._at)
        if end - self._at > MAX_ITEM_BYTES:
            raise MalformedError(f"an item of a log copy has at most {MAX_ITEM_BYTES} bytes")
        if encode(value) != self._buffer[self._at : end]:
            raise MalformedError("an item of a log copy is not in its shortest form")
        self._at = end
        return value

    def _fill(self) -> bool:
        """Hold the longest item, or all that is left; tell whether there is anything."""
        size = len(self._buffer) - self._at
        if size < MAX_ITEM_BYTES:
            held = [self._buffer[self._at :]]
            for piece in self._pieces:
                held.append(piece)
                size += len(piece)
                if size >= MAX_ITEM_BYTES:
                    break
            self._buffer, self._at = b"".join(held), 0
        return size > 0


class _Order:
    """Statements by index, then checkpoints of the origin by size, then tokens by size."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._last = (0, -1)

    def take(self, item: Copied) -> None:
        match item:
            case CopiedStatement():
                place = (0, item.index)
            case SignedCheckpoint():
                if item.checkpoint.origin != self._origin:
                    raise ValueError("a checkpoint is of another log than the copy")
                place = (1, item.checkpoint.size)
            case CopiedToken():
                place = (2, item.size)
        if place <= self._last:
            raise ValueError(
                "statements, checkpoints and tokens come in this order, each ascending"
            )
        self._last = place


def _origin(value: Value) -> str:
    match value:
        case [title, str(origin)] if title == TITLE and 1 <= len(origin.encode()) <= 255:
            return origin
    raise MalformedError(f"a log copy begins with [{TITLE!r}, origin]")


def _copied(value: Value) -> Copied:
    try:
        match value:
            case [int(index), bytes(body)]:
                return CopiedStatement(index, body)
            case bytes(note):
                return SignedCheckpoint.parse(note)
            case {1: int(size), 2: bytes(token), **rest} if not rest:
                return CopiedToken(size, token)
    except ValueError as error:
        raise MalformedError(f"log copy: {error}") from error
    raise MalformedError("an item of a log copy is a statement, a checkpoint or a token")
