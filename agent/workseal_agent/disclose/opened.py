"""Frames with what is shown of them, now or before.

Rules: what is shown is decided in tiles before anything is built, and each disclosure is checked
here as the other side will check it.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from workseal_agent.errors import VaultError
from workseal_agent.evidence import part_name
from workseal_agent.ledger import CaptureRow, Ledger
from workseal_agent.vault import StoredFrame
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure, VerifiedTiles, open_frame, verify_disclosure
from workseal_protocol.frame import Box, Grid, commit_frame


class FrameReader(Protocol):
    """What a disclosure needs of the vault's private half."""

    def frame(self, commitment: Digest) -> StoredFrame:
        """Return one frame."""
        ...

    def secret(self, name: bytes) -> bytes:
        """Return one secret."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """Hold one frame with what is shown of it, checked."""

    frame: CaptureRow
    disclosure: Disclosure
    seen: VerifiedTiles


def open_tiles(reader: FrameReader, frame: CaptureRow, tiles: Sequence[int]) -> Opened:
    """Open these tiles of a frame, and check the result against the frame's commitment."""
    stored = reader.frame(frame.commitment)
    tree = commit_frame(stored.header, stored.pixels, stored.seed)
    if tree.commitment != frame.commitment:
        raise VaultError("the stored frame is not the one that was committed")
    disclosure = open_frame(tree, tiles, pixels=stored.pixels, seed=stored.seed)
    return Opened(frame, disclosure, verify_disclosure(disclosure, frame.commitment))


def tiles_of(
    frame: CaptureRow, show: Sequence[Box] | None, hide: Sequence[Box], tile: int
) -> tuple[int, ...]:
    """Choose tiles: those inside a `show` box (all without one) that no `hide` box touches."""
    return Grid(frame.width, frame.height, tile).tiles_to_show(show=show, hide=hide)


def shown_before(
    reader: FrameReader,
    ledger: Ledger,
    engagement: bytes,
    frame: Digest,
    *,
    by: Container[Digest] | None = None,
) -> frozenset[int]:
    """Return the tiles of a frame that earlier disclosures showed: what is known stays known.

    With `by`, those alone that these statements showed.
    """
    noted = {
        row.statement: row.shown
        for row in ledger.reveals(engagement)
        if row.frame == frame and (by is None or row.statement in by)
    }
    # Disclosures that are older than the list of reveals are read back from the vault.
    unlisted = [
        read_disclosure(reader, digest).shown
        for digest, statement, shown in ledger.disclosures(engagement)
        if shown == frame and statement not in noted and (by is None or statement in by)
    ]
    return frozenset(chain.from_iterable((*noted.values(), *unlisted)))


def read_disclosure(reader: FrameReader, digest: Digest) -> Disclosure:
    """Read a disclosure that was made back from the vault."""
    data = b""
    part = 0
    while Digest.of(data) != digest:
        data += reader.secret(part_name(digest, part))
        part += 1
    return Disclosure.parse(data)
