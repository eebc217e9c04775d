"""The log as the world sees it: a committed tree, signed, and never two of one size.

Order, which is the whole point: the store moves its head by compare-and-swap and is durable; only
then is the new checkpoint signed; only when the signed bytes are durable too does anybody see them.
After a crash between the two, the next start signs the committed tree by the same path.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from workseal_protocol import merkle
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_verifier.errors import (
    Reason,
    RefusedError,
    StoreCorruptError,
    StoreError,
)
from workseal_verifier.homelock import HomeLock, Mark
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.tree import TileTree
from workseal_verifier.store.log import BeaconRow, Change, Entry, Head, LogStore, PartyRow

_logger = logging.getLogger(__name__)

# A clock that is corrected by NTP may step back this far without anybody's harm.
CLOCK_SLACK_S = 2


@dataclass(frozen=True, slots=True)
class Published:
    """The newest signed checkpoint, and the tree that answers for it."""

    signed: SignedCheckpoint
    encoded: bytes
    tree: TileTree

    @property
    def size(self) -> int:
        """Count the leaves that the checkpoint covers."""
        return self.signed.checkpoint.size


class Publisher:
    """The only writer of the log."""

    def __init__(self, log: LogStore, identity: Identity, clock: Clock, lock: HomeLock) -> None:
        self._log = log
        self._identity = identity
        self._clock = clock
        self._lock = lock
        self._head = Head(0, merkle.EMPTY_ROOT)
        self._tree: TileTree | None = None
        self._last_signed_at = 0
        self.current: Published | None = None

    @property
    def size(self) -> int:
        """Count the leaves of the committed tree."""
        return self._head.size

    @property
    def is_loaded(self) -> bool:
        """Tell whether memory holds what the store holds."""
        return self._tree is not None

    def load(self) -> None:
        """Read the committed tree, check it against its root and the mark, sign it if need be."""
        self.forget()
        self._log.found(merkle.EMPTY_ROOT)
        head = self._log.head()
        if head is None:
            raise StoreCorruptError("the log has no head")
        tree = TileTree(head.size, self._log.tile)
        if tree.root() != head.root:
            raise StoreCorruptError("the tiles do not lead to the root of the head")
        self._check_mark(tree, head)
        self._last_signed_at = self._log.last_signed_at() or 0
        self._head, self._tree = head, tree
        if self.current is None:
            self.current = self._signed_before(tree)
        if head.size:
            try:
                self._publish(tree)
            except (StoreError, RefusedError):
                self.forget()
                raise

    def _signed_before(self, tree: TileTree) -> Published | None:
        """Return what was signed before this start; readers get it even if nothing can be."""
        encoded = self._log.newest_signed()
        if encoded is None:
            return None
        return Published(SignedCheckpoint.parse(encoded), encoded, tree)

    def forget(self) -> None:
        """Drop what memory holds: the store is asked again before the next write."""
        self._tree = None

    def check_clock(self) -> int:
        """Return the time to sign with, in seconds, or refuse when the clock went back."""
        now = self._clock.now_ms() // 1000
        if now < self._last_signed_at - CLOCK_SLACK_S:
            raise RefusedError(
                Reason.CLOCK,
                f"the server's clock is {self._last_signed_at - now} s behind the newest"
                " checkpoint, so nothing is signed",
                retry_after=min(self._last_signed_at - now, 3600),
            )
        return max(now, self._last_signed_at)

    def append(
        self,
        entries: Sequence[Entry],
        beacons: Sequence[BeaconRow] = (),
        parties: Sequence[PartyRow] = (),
    ) -> Published:
        """Commit entries at the end of the log, sign, and return what is now published.

        Whatever is raised, the caller must `load` before it appends again.
        """
        tree = self._tree
        if tree is None:
            raise StoreError("the log is not loaded")
        old = self._head
        try:
            tree.extend(merkle.leaf_hash(entry.digest.raw) for entry in entries)
            new = Head(tree.size, tree.root())
            self._log.append(
                Change(
                    old=old,
                    new=new,
                    entries=entries,
                    tiles=tree.pending(),
                    beacons=beacons,
                    parties=parties,
                )
            )
            tree.settle()
            self._head = new
            return self._publish(tree)
        except BaseException:
            # What the store did is unknown: nothing in memory may be believed.
            self.forget()
            raise

    def _publish(self, tree: TileTree) -> Published:
        newest = self._log.newest_checkpoint()
        if newest is None or (newest.size, newest.root) != (self._head.size, self._head.root):
            raise StoreCorruptError("the newest checkpoint is not the head")
        if newest.signed is None:
            at = self.check_clock()
            signed = self._identity.sign(newest.size, newest.root, at)
            encoded = signed.encode()
            self._log.save_signed(newest.size, encoded, signed.digest, at)
            self._last_signed_at = at
        else:
            encoded = newest.signed
            signed = SignedCheckpoint.parse(encoded)
        self._lock.write(Mark(newest.size, newest.root))
        published = Published(signed, encoded, tree)
        self.current = published
        return published

    def _check_mark(self, tree: TileTree, head: Head) -> None:
        mark = self._lock.read()
        if mark is None:
            return
        if mark.size > head.size:
            raise StoreCorruptError(
                f"this log once signed size {mark.size} and now ends at {head.size}:"
                " a backup was restored; signing again would make a second history"
            )
        if tree.root(mark.size) != mark.root:
            raise StoreCorruptError(
                f"the tree of size {mark.size} is not the one that this log signed"
            )
