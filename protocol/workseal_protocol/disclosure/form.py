"""A disclosure as it travels: header, shown tiles, seeds, hashes and deflated pixels."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final, Self

from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import Fields, Value, decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.frame import (
    CHANNELS,
    HEADER_BYTES,
    MAX_PIXELS,
    MAX_TILES,
    SEED_BYTES,
    FrameHeader,
)
from workseal_protocol.merkle import split_point

# One message of the verifier, and more than an 8K screen of text needs.
MAX_BYTES: Final = 64 * 2**20
# The largest frame, wholly shown.
MAX_PIXEL_BYTES: Final = MAX_PIXELS * CHANNELS
_VERSION: Final = 1
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Subtree:
    """Name a range of tiles that one seed (shown) or one hash (hidden) stands for."""

    low: int
    high: int
    shown: bool


def expected_subtrees(count: int, shown: Sequence[int]) -> tuple[Subtree, ...]:
    """Return the largest wholly shown or wholly hidden subtrees, from left to right.

    This is the one order of seeds and hashes. `shown` ascends.
    """
    flags = [0] * count
    for number in shown:
        flags[number] = 1
    before = (0, *accumulate(flags))
    found: list[Subtree] = []
    waiting = [(0, count)]
    while waiting:
        low, high = waiting.pop()
        inside = before[high] - before[low]
        if inside in (0, high - low):
            found.append(Subtree(low, high, inside > 0))
        else:
            middle = low + split_point(high - low)
            waiting += ((middle, high), (low, middle))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Show some tiles of one frame.

    `shown` ascends (Z-order numbers); `seeds` and `hashes` are joined in the order of
    `expected_subtrees`. The pixels are kept deflated, as they came, so that `digest` names exactly
    these bytes and many disclosures take no more memory than they have bytes; `pixel_bytes` is
    what they inflate to.
    """

    header: FrameHeader
    shown: tuple[int, ...]
    seeds: bytes
    hashes: bytes
    deflated: bytes
    pixel_bytes: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        grid = self.header.grid
        if any(b <= a for a, b in zip((-1, *self.shown), self.shown, strict=False)):
            raise ValueError("shown tiles ascend, each once")
        if self.shown and self.shown[-1] >= grid.count:
            raise ValueError(f"the frame has only {grid.count} tiles")
        subtrees = expected_subtrees(grid.count, self.shown)
        opened = sum(subtree.shown for subtree in subtrees)
        if len(self.seeds) != opened * SEED_BYTES:
            raise ValueError(f"expected {opened} seeds of {SEED_BYTES} bytes")
        if len(self.hashes) != (len(subtrees) - opened) * DIGEST_BYTES:
            raise ValueError(f"expected {len(subtrees) - opened} hashes of {DIGEST_BYTES} bytes")
        object.__setattr__(self, "pixel_bytes", _shown_bytes(self.header, self.shown))
        for _ in _inflated(self.deflated, self.pixel_bytes):
            pass

    @property
    def pixels(self) -> bytes:
        """Inflate the shown tiles' bytes, joined in Z-order; each call does the work again."""
        return b"".join(_inflated(self.deflated, self.pixel_bytes))

    @classmethod
    def parse(cls, data: bytes, *, max_pixel_bytes: int = MAX_PIXEL_BYTES) -> Self:
        """Read a disclosure, or raise `MalformedError`.

        One that shows more bytes of pixels than `max_pixel_bytes` is refused, not inflated.
        """
        fields, header, shown = _begun(data)
        seeds = fields.octets(4, "seeds", maximum=MAX_TILES * SEED_BYTES)
        hashes = fields.octets(5, "hashes", maximum=MAX_TILES * DIGEST_BYTES)
        deflated = fields.octets(6, "pixels", maximum=MAX_BYTES)
        fields.close()
        if _shown_bytes(header, shown) > max_pixel_bytes:
            raise MalformedError(f"it shows more than {max_pixel_bytes} bytes of pixels")
        try:
            return cls(header, shown, seeds, hashes, deflated)
        except ValueError as e:
            raise MalformedError(f"disclosure: {e}") from e

    def encode(self) -> bytes:
        """Write the disclosure; `parse` is its inverse."""
        data = encode(
            {
                1: _VERSION,
                2: self.header.encode(),
                3: _runs(self.shown),
                4: self.seeds,
                5: self.hashes,
                6: self.deflated,
            }
        )
        if len(data) > MAX_BYTES:
            raise ValueError(f"a disclosure has at most {MAX_BYTES} bytes: show fewer tiles")
        return data

    @property
    def digest(self) -> Digest:
        """Return what a `dispute.disclosure` statement names: SHA-256 of the encoded bytes."""
        return Digest.of(self.encode())


def told_tiles(data: bytes) -> tuple[int, int]:
    """Read how many tiles a disclosure says that it shows, and of how many; nothing is inflated.

    Raises `MalformedError`. What it says is not verified.
    """
    _, header, shown = _begun(data)
    return len(shown), header.grid.count


def _begun(data: bytes) -> tuple[Fields, FrameHeader, tuple[int, ...]]:
    fields = Fields(decode(data, max_bytes=MAX_BYTES), "disclosure")
    fields.integer(1, "version", minimum=_VERSION, maximum=_VERSION)
    header = FrameHeader.parse(fields.octets(2, "header", length=HEADER_BYTES))
    runs = fields.array(3, "shown", maximum=MAX_TILES // 2)
    return fields, header, _read_runs(runs, header.grid.count)


def _runs(shown: Sequence[int]) -> list[Value]:
    runs: list[list[int]] = []
    for number in shown:
        if runs and sum(runs[-1]) == number:
            runs[-1][1] += 1
        else:
            runs.append([number, 1])
    return [[start, length] for start, length in runs]


def _read_runs(runs: Sequence[Value], count: int) -> tuple[int, ...]:
    shown: list[int] = []
    # A run begins at least two after the last tile of the one before: adjacent runs are one run.
    least = 0
    for run in runs:
        match run:
            case [int() as start, int() as length] if (
                start >= least and length >= 1 and start + length <= count
            ):
                shown.extend(range(start, start + length))
                least = start + length + 1
            case _:
                raise MalformedError(
                    f"shown tiles are ascending, separate runs [start, count] below {count}"
                )
    return tuple(shown)


def _shown_bytes(header: FrameHeader, shown: Sequence[int]) -> int:
    sizes = header.grid.tile_bytes
    return sum(sizes[number] for number in shown)


def _inflated(deflated: bytes, expected: int) -> Iterator[bytes]:
    """Inflate to exactly the expected length, in pieces; never one byte more than one above it."""
    inflater = zlib.decompressobj()
    left = expected
    data = deflated
    while not inflater.eof:
        try:
            # One byte of room above: zero would be "no limit", and the end must be reached.
            piece = inflater.decompress(data, min(left + 1, _PIECE))
        except zlib.error as e:
            raise ValueError("the pixels are not a zlib stream") from e
        left -= len(piece)
        if left < 0 or not (piece or inflater.eof):
            break
        data = inflater.unconsumed_tail
        yield piece
    if left or not inflater.eof:
        raise ValueError(f"expected exactly {expected} bytes of pixels")
    if inflater.unused_data:
        raise ValueError("bytes follow the zlib stream")
