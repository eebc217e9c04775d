"""The log as the world sees it: a committed tree, signed, and never two of one size.

Order, which is the whole point: the store moves its head by compare-and-swap and is durable; only
then is the new checkpoint signed; then the lock's mark moves; then outside witnesses, if the policy
asks for them, are shown it; only when the bytes with all lines are durable too are they published.
Whatever is committed may be signed by any process that has the keys; the first signature that is
stored counts. After a crash between the two, the next start signs by the same path.

What this process read, and did not commit itself, may be lost with the machine that it was read
from: before it is signed for or shown, the store settles it.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from workseal_protocol import merkle
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_verifier.errors import (
    Reason,
    RefusedError,
    StoreCorruptError,
    StoreError,
    StoreRaceError,
)
from workseal_verifier.homelock import HomeLock, Mark
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.outage import Outage
from workseal_verifier.services.tree import TileTree
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import Change, Entry, Head
from workseal_verifier.store.turn import Turn

MakeChange: TypeAlias = Callable[[Head, Head, Mapping[tuple[int, int], bytes]], Change]

# A clock that is corrected by NTP may step back this far without anybody's harm.
CLOCK_SLACK_S = 2
# More that other processes logged, and the tree is read again rather than followed.
_MOST_FOREIGN = 65_536
# A reader waits so long for what another process published; then it gets what was shown before.
_FOLLOW_S = 2.0


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

    @property
    def mark(self) -> Mark:
        """What every later state of the log must continue."""
        return Mark(self.size, self.signed.checkpoint.root.raw)


class Cosigning(Protocol):
    """Outside witnesses, whose lines the log's policy asks for."""

    def cosign(
        self, signed: SignedCheckpoint, prove: Callable[[int], tuple[bytes, ...]]
    ) -> SignedCheckpoint:
        """Return the checkpoint with their lines, or raise `RefusedError` when too few came.

        `prove` gives the consistency path from an earlier size (RFC 9162 section 2.1.4).
        """
        ...


class Publisher:
    """The only writer of the log in this process; there may be others in other processes."""

    def __init__(
        self,
        log: LogStore,
        identity: Identity,
        clock: Clock,
        lock: HomeLock,
        *,
        cosigning: Cosigning | None = None,
    ) -> None:
        self._cosigning = cosigning
        self._log = log
        self._identity = identity
        self._clock = clock
        self._lock = lock
        self._head = Head(0, merkle.EMPTY_ROOT)
        self._tree: TileTree | None = None
        # What was committed last, for who publishes in another thread.
        self._committed: tuple[Head, TileTree] | None = None
        # Up to where the store is known to keep what it holds.
        self._settled = 0
        self._last_signed_at = 0
        self._current: Published | None = None
        self._showing = threading.Lock()
        self._following = threading.Lock()
        self._not_shown = Outage("what is newest is shown again")

    @property
    def size(self) -> int:
        """Count the leaves of the committed tree, as far as this process knows."""
        return self._head.size

    @property
    def is_loaded(self) -> bool:
        """Tell whether memory holds what the store held when this process last had its turn."""
        return self._tree is not None

    @property
    def asks_witnesses(self) -> bool:
        """Tell whether publishing takes as long as others take to answer."""
        return self._cosigning is not None

    @property
    def current(self) -> Published | None:
        """The newest published checkpoint, whichever process published it."""
        return self.showing(self._log.newest_signed_size() if self._log.database.shared else 0)

    def showing(self, newest: int) -> Published | None:
        """Return the newest published checkpoint, given how far signed ones were seen to reach."""
        if newest > _size_of(self._current) and self._following.acquire(timeout=_FOLLOW_S):
            try:
                self._follow()
                self._not_shown.ends()
            except StoreError as error:
                self._not_shown.goes_on(error, f"what is newest is not shown: {error}")
            finally:
                self._following.release()
        return self._current

    def _follow(self) -> None:
        """Show what another process published since."""
        before, encoded = self._current, self._log.newest_signed()
        if encoded is None:
            return
        published = self._published(encoded)
        if published.size <= _size_of(before):
            return
        if before is not None:
            _require_mark(before.mark, published.tree)
        self._log.database.settle()
        self._lock.write(published.mark)
        self._show(published)

    # --- start and recovery ----------------------------------------------------------

    def load(self) -> None:
        """Read the committed tree, check it against its root and the mark, sign it if need be."""
        self.forget()
        self._log.found(merkle.EMPTY_ROOT)
        # Before the head: whoever moves the mark meanwhile has moved the head before.
        mark = self._lock.read()
        head = self._log.head()
        if head is None:
            raise StoreCorruptError("the log has no head")
        tree = self._checked_tree(head)
        _require_mark(mark, tree)
        encoded = self._log.newest_signed()
        self._log.database.settle()
        self._settled = head.size
        self._last_signed_at = self._log.last_signed_at() or 0
        self._head, self._tree = head, tree
        self._committed = (head, tree)
        if self._current is None and encoded is not None:
            # Readers get what was signed before this start even if nothing can be signed now.
            self._show(self._published(encoded))
        if head.size and not self.asks_witnesses:
            try:
                self.publish()
            except (StoreError, RefusedError):
                self.forget()
                raise

    def forget(self) -> None:
        """Drop what memory holds: the store is asked again before the next write."""
        self._tree = None

    def check_clock(self) -> int:
        """Return the time to sign with, in seconds, or refuse when the clock went back."""
        if self._log.database.shared:
            self._last_signed_at = max(self._last_signed_at, self._log.last_signed_at() or 0)
        return self._now_s()

    def _now_s(self) -> int:
        now = self._clock.now_ms() // 1000
        if now < self._last_signed_at - CLOCK_SLACK_S:
            raise RefusedError(
                Reason.CLOCK,
                f"the server's clock is {self._last_signed_at - now} s behind the newest"
                " checkpoint, so nothing is signed",
                retry_after=min(self._last_signed_at - now, 3600),
            )
        return max(now, self._last_signed_at)

    # --- writing -----------------------------------------------------------------------

    @contextmanager
    def turn(self) -> Iterator["Writing"]:
        """Hold the log, as it is now: nobody else appends until the block ends.

        Whatever is raised once something was appended, the caller must `load` before it goes on.
        """
        tree = self._tree
        if tree is None:
            raise StoreError("the log is not loaded")
        try:
            with self._log.turn() as turn:
                if turn.head != self._head:
                    self._tree = tree = self._followed(tree, turn.head)
                    self._head = turn.head
                shown = self._current
                if shown is not None and shown.tree is not tree:
                    _require_mark(shown.mark, tree)
                writing = Writing(turn, tree)
                yield writing
            if writing.new is not None:
                tree.settle()
                self._head = writing.new
            self._committed = (self._head, tree)
            # Even a turn that wrote nothing locked the head: its commit waited for all before it.
            self._settled = self._head.size
        except RefusedError:
            if tree.size != self._head.size:
                self.forget()
            raise
        except BaseException:
            # What the store did is unknown: nothing in memory may be believed.
            self.forget()
            raise

    def _followed(self, tree: TileTree, head: Head) -> TileTree:
        """Return the tree at a head to which other processes moved the log.

        It is grown from the tree that this process knows: what does not continue it has another
        root.
        """
        grown = head.size - self._head.size
        if grown > _MOST_FOREIGN:
            tree = self._checked_tree(head)
            _require_mark(self._lock.read(), tree)
            return tree
        tree.extend(map(merkle.leaf_hash, self._log.entries(self._head.size, head.size)))
        tree.settle()
        if (tree.size, tree.root()) != (head.size, head.root):
            raise StoreCorruptError("the log does not continue what was seen of it before")
        return tree

    def publish(self) -> Published:
        """Sign what is committed and not yet signed, and return what is now published.

        Raises `StoreError` or `RefusedError`; then nothing that this process knows is published.
        """
        if self._committed is None:
            raise StoreError("the log is not loaded")
        head, tree = self._committed
        shown = self._current
        if shown is not None and shown.size >= head.size:
            # There was nothing new.
            return shown
        row, newest, newest_at = self._log.standing(head.size)
        if newest >= head.size:
            # Another process was ahead: no older size is signed late.
            shown = self.showing(newest)
            if shown is not None and shown.size >= head.size:
                return shown
        if row is None or row.root != head.root:
            raise StoreCorruptError("the checkpoint of the head is not the head")
        if self._log.database.shared:
            self._last_signed_at = max(self._last_signed_at, newest_at)
        if head.size > self._settled:
            self._log.database.settle()
        encoded = row.signed or self._sign(head, tree)
        if encoded is row.signed:
            self._log.database.settle()
            self._lock.write(Mark(head.size, head.root))
        published = Published(SignedCheckpoint.parse(encoded), encoded, tree)
        self._show(published)
        return published

    def _sign(self, head: Head, tree: TileTree) -> bytes:
        at = self._now_s()
        signed = self._identity.sign(head.size, head.root, at)
        self._lock.write(Mark(head.size, head.root))
        if self._cosigning is not None:
            signed = self._cosigning.cosign(signed, lambda old: tree.consistency(old, head.size))
        encoded = signed.encode()
        try:
            self._log.save_signed(head.size, encoded, signed.digest, at)
        except StoreRaceError:
            # Another process signed the same tree a moment before: its signature is the one.
            found = self._log.checkpoint(head.size)
            if found is None:
                raise
            self._log.database.settle()
            return found
        self._last_signed_at = max(at, self._last_signed_at)
        return encoded

    def _show(self, published: Published) -> None:
        with self._showing:
            if published.size >= _size_of(self._current):
                self._current = published

    def _published(self, encoded: bytes) -> Published:
        signed = SignedCheckpoint.parse(encoded)
        head = Head(signed.checkpoint.size, signed.checkpoint.root.raw)
        # Mostly it is of what this process wrote last, or followed: then nothing need be read.
        known = None if self._committed is None else self._committed[1]
        if known is None or known.size < head.size or known.root(head.size) != head.root:
            known = self._checked_tree(head)
        return Published(signed, encoded, known)

    def _checked_tree(self, head: Head) -> TileTree:
        tree = TileTree(head.size, self._log.tile)
        if tree.root() != head.root:
            raise StoreCorruptError("the tiles do not lead to the root of the head")
        return tree


class Writing:
    """What may be done with the log while it is held."""

    def __init__(self, turn: Turn, tree: TileTree) -> None:
        self._turn = turn
        self._tree = tree
        self.new: Head | None = None

    @property
    def size(self) -> int:
        """Count the leaves before anything is appended."""
        return self._turn.head.size

    def append(self, entries: Sequence[Entry], change: MakeChange) -> None:
        """Append entries at the end of the log, once; durable when the turn ends.

        `change` makes all that is written of the heads before and after, and the tiles.
        """
        self._tree.extend(merkle.leaf_hash(entry.digest.raw) for entry in entries)
        self.new = Head(self._tree.size, self._tree.root())
        self._turn.append(change(self._turn.head, self.new, self._tree.pending()))


def _size_of(shown: Published | None) -> int:
    return 0 if shown is None else shown.size


def _require_mark(mark: Mark | None, tree: TileTree) -> None:
    """Require that a tree continues what was signed or shown before."""
    if mark is None:
        return
    if mark.size > tree.size:
        raise StoreCorruptError(
            f"this log once signed size {mark.size} and now ends at {tree.size}:"
            " a backup was restored; signing again would make a second history"
        )
    if tree.root(mark.size) != mark.root:
        raise StoreCorruptError(f"the tree of size {mark.size} is not the one that this log signed")
