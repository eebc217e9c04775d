"""Taking the frames of a due capture: masked, committed, sealed in the vault, then named.

Rules: pixels are masked before they are hashed; a frame is announced in the ledger before it is in
the vault, so a crash leaves nothing there that nobody knows of. Whatever fails costs this capture
alone: no frame of another one, and no time. Between two captures nothing of a picture stays in
memory but a keyed 8-byte digest of each tile. From when somebody says so no picture is taken, and
one that is being taken is not kept.
"""

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

from workseal_agent.errors import CaptureError, CaptureFailure, VaultError
from workseal_agent.ledger import Ledger, LedgerError, NewCapture
from workseal_agent.mask import Masked
from workseal_agent.screen import RawFrame
from workseal_protocol.commitment import Note, NoteCode
from workseal_protocol.digest import Digest
from workseal_protocol.frame import FrameHeader, commit_frame, cut_rows

MAX_FRAMES = 8


class Vault(Protocol):
    """What the camera and the recorder need of the vault."""

    def put_frame(
        self, header: FrameHeader, commitment: Digest, pixels: bytes, seed: bytes
    ) -> None:
        """Keep a frame, durable."""
        ...

    def destroy(self, commitment: Digest) -> bool:
        """Destroy a frame."""
        ...


# Takes one picture of all displays, masked already; raises `CaptureError`.
TakePicture = Callable[[], Masked]


@dataclass(frozen=True, slots=True)
class Shot:
    """Hold what became of a due capture: the frames committed, or none when it was missed."""

    frames: tuple[Digest, ...]
    notes: tuple[Note, ...]
    changed_percent: int | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """Say for which place of the schedule a capture is taken."""

    engagement: bytes
    session: bytes
    round: int
    offset_ms: int
    captured_ms: int


@dataclass(slots=True)
class _Seen:
    """Remember one display's tiles by keyed digests."""

    size: tuple[int, int]
    tiles: list[bytes] = field(repr=False)


class Shutter:
    """Say at once, whoever is taking a picture, that none is to be taken; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = 0

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Let no picture be taken or kept meanwhile."""
        with self._lock:
            self._held += 1
        try:
            yield
        finally:
            with self._lock:
                self._held -= 1

    def require_open(self) -> None:
        """Raise `CaptureError` while somebody has it shut."""
        if self._held:
            raise CaptureError(CaptureFailure.FORBIDDEN, "its owner wants no picture now")


class Camera:
    """Take captures one after the other."""

    def __init__(self, take: TakePicture, vault: Vault, ledger: Ledger, tile: int) -> None:
        self._take = take
        self._vault = vault
        self._ledger = ledger
        self._tile = tile
        self.shutter = Shutter()
        self._key = secrets.token_bytes(32)
        self._seen: Mapping[int, _Seen] | None = None

    def shoot(self, due: Due) -> Shot:
        """Take one capture; what goes wrong becomes a note and a missed capture."""
        announced: list[Digest] = []
        try:
            return self._shoot(due, announced)
        except CaptureError as error:
            failure = error.failure
        except Exception:  # noqa: BLE001 - it would be raised again at each look
            failure = CaptureFailure.OTHER
        self.discard(announced)
        return _missed(failure)

    def discard(self, frames: Iterable[Digest]) -> None:
        """Destroy frames that no segment will name; what fails now is tried at the next start."""
        for frame in frames:
            with suppress(VaultError, LedgerError):
                self._vault.destroy(frame)
                with self._ledger.write() as writing:
                    writing.forget_capture(frame)

    def discard_orphans(self) -> None:
        """Destroy what a crash left behind; only while no finished stretch waits to be signed."""
        self.discard(self._ledger.orphans())

    def _shoot(self, due: Due, announced: list[Digest]) -> Shot:
        self.shutter.require_open()
        picture = self._take()
        # Whoever said so meanwhile saw something come that is on it perhaps.
        self.shutter.require_open()
        for frame in picture.frames[:MAX_FRAMES]:
            self._keep(frame, due, announced)
        if not announced:
            return _missed(CaptureFailure.NO_DISPLAY)
        notes: list[Note] = []
        if picture.masked_windows:
            notes.append(Note(NoteCode.MASKED, picture.masked_windows))
        changed, moved = self._compare(picture)
        if moved:
            notes.append(Note(NoteCode.DISPLAY_CHANGE, len(picture.frames)))
        return Shot(tuple(announced), tuple(notes), changed)

    def _keep(self, frame: RawFrame, due: Due, announced: list[Digest]) -> None:
        header = FrameHeader(
            frame.width,
            frame.height,
            self._tile,
            frame.display,
            due.round,
            due.offset_ms,
            secrets.token_bytes(16),
        )
        seed = secrets.token_bytes(16)
        commitment = commit_frame(header, frame.rgb, seed).commitment
        # Before the ledger is asked: a commit that reports failure may have kept its row.
        announced.append(commitment)
        with self._ledger.write() as writing:
            writing.announce_capture(
                due.engagement,
                NewCapture(
                    commitment,
                    due.session,
                    due.round,
                    due.captured_ms,
                    frame.display,
                    frame.width,
                    frame.height,
                ),
            )
        self._vault.put_frame(header, commitment, frame.rgb, seed)

    def _compare(self, picture: Masked) -> tuple[int | None, bool]:
        """Return the share of tiles that changed since the last capture, and whether sizes did."""
        before = self._seen
        now = {frame.display: self._look(frame) for frame in picture.frames[:MAX_FRAMES]}
        self._seen = now
        if before is None:
            return None, False
        if {d: s.size for d, s in before.items()} != {d: s.size for d, s in now.items()}:
            return None, True
        pairs = [
            (old, new)
            for display, seen in now.items()
            for old, new in zip(before[display].tiles, seen.tiles, strict=True)
        ]
        changed = sum(old != new for old, new in pairs)
        return -(-100 * changed // len(pairs)), False

    def _look(self, frame: RawFrame) -> _Seen:
        grid = FrameHeader(
            frame.width, frame.height, self._tile, frame.display, 0, 0, bytes(16)
        ).grid
        tiles = [
            blake2b(tile, digest_size=8, key=self._key).digest()
            for row in cut_rows(grid, frame.rgb)
            for tile in row
        ]
        return _Seen((frame.width, frame.height), tiles)


def _missed(failure: CaptureFailure) -> Shot:
    return Shot((), (Note(NoteCode.CAPTURE_FAILED, int(failure)),))
