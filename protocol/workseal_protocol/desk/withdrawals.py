"""Which frames are gone, and since when: early, once their days were over, or in a dispute.

Rule: once a case is filed its hours are disputed, and their frames are to be kept. So a frame is
told as kept for the agreed days only where its tombstone stands in the log before the filing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workseal_protocol.digest import Digest
from workseal_protocol.records import Tombstone
from workseal_protocol.terms import Terms
from workseal_protocol.totals import was_kept_as_agreed
from workseal_protocol.window import Entry


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """Hold the frames that have a tombstone.

    `over` are those whose agreed days were over by then, `since_filing` those whose tombstone
    stands in the log after the filing; a frame may be both. `unplaced` says that there is a filing,
    and nothing tells where in the log it stands.
    """

    frames: frozenset[Digest] = frozenset()
    over: frozenset[Digest] = frozenset()
    since_filing: frozenset[Digest] = frozenset()
    unplaced: bool = False

    @property
    def early(self) -> frozenset[Digest]:
        """Give the frames that the terms' limit is about."""
        return self.frames - self.over

    @property
    def expired(self) -> frozenset[Digest]:
        """Give the frames that nobody had to keep any more when they went."""
        return self.over - self.since_filing


def withdrawals_of(
    terms: Terms,
    entries: Iterable[Entry],
    ends: Mapping[Digest, int],
    *,
    filed: int | None = None,
    unplaced: bool = False,
) -> Withdrawals:
    """Sort the tombstones among entries; `filed` is the place in the log of a case's filing.

    `ends` tells when segments ended; what names another one is never told as kept long enough.
    """
    told = [(one, one.record) for one in entries if isinstance(one.record, Tombstone)]
    return Withdrawals(
        frames=frozenset(record.frame for _, record in told),
        over=frozenset(
            record.frame
            for one, record in told
            if was_kept_as_agreed(terms, record, one.window, ends.get(record.segment))
        ),
        since_filing=frozenset(
            record.frame for one, record in told if filed is not None and one.index > filed
        ),
        unplaced=unplaced,
    )
