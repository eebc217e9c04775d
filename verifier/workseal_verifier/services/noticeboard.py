"""The page channel: what a party was told, for that party alone.

Rules: a notice is shown when the step that caused it is covered by the published log. Its first
reading, or that of the page of its case, is written down: that is when a notice counts as opened. A
page ends with a whole step, so that the next one begins where it ended.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from workseal_protocol.digest import Digest
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.store.notices import Channel, NoticeRow, NoticeStore

# On one page. Of a step somebody has a handful.
MOST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class BoardPage:
    """Hold some notices, the newest first, and before which step the next page begins, if any."""

    notices: tuple[NoticeRow, ...]
    before: int | None


class NoticeBoard:
    """Show notices; `size` tells how far the published log reaches."""

    def __init__(
        self, store: NoticeStore, keys: KeyBook, *, clock: Clock, size: Callable[[], int]
    ) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._size = size

    def page(self, asker: Digest, before: int | None = None) -> BoardPage:
        """Return what a key's person was told, and write down that it was opened."""
        size = self._size()
        own = self._keys.below(size).lineage(asker)
        found = self._store.board(
            own, below=size, before=size if before is None else before, most=MOST_SHOWN
        )
        following = None
        if len(found) == MOST_SHOWN:
            following = found[-1].step + 1
            found = [one for one in found if one.step >= following]
        self._store.open([one.name for one in found if one.ended_ms is None], self._clock.now_ms())
        return BoardPage(tuple(found), following)

    def open_case(self, asker: Digest, filing: Digest) -> None:
        """Write down that a key's person opened a case, and so what they were told of it."""
        size = self._size()
        for own in self._keys.below(size).lineage(asker):
            told = self._store.of_case(filing, own)
            unread = [
                one.name
                for one in told
                if one.channel is Channel.PAGE and one.ended_ms is None and one.step < size
            ]
            self._store.open(unread, self._clock.now_ms())
