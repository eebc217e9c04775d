"""The draw of a case, computed again from the log: what was frozen, what was drawn, what was named.

Rules: a freeze is compared with the frames that stood in the log before it, which a case alone does
not hold. Whatever differs is said in one sentence and decides nothing. What was found never
changes, so it is kept.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from workseal_protocol.chain import LONGEST_DECLARATION
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, FrozenFrame, frames_between, verify_freeze
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import (
    DisputeAct,
    DisputeRequest,
    Holding,
    RequestedFrame,
    Segment,
    Tombstone,
)
from workseal_verifier.services.diaries import MOST_IN_WEEK, Agreed, Diaries
from workseal_verifier.services.hearing import Told
from workseal_verifier.services.weekfold import read_records
from workseal_verifier.store.diaryrows import DiaryRowStore
from workseal_verifier.store.records import RecordStore

_CACHED: Final = 256


@dataclass(frozen=True, slots=True)
class DrawnPlace:
    """Hold one drawn place: the frame that stands there, and its segment in the log."""

    place: int
    frame: FrozenFrame
    index: int


@dataclass(frozen=True, slots=True)
class Frozen:
    """Say whether a freeze is that of the log, and what stands at the drawn places.

    `checked` is False where there was too much to read; `problem` is empty where all is well.
    """

    checked: bool
    problem: str = ""
    drawn: tuple[DrawnPlace, ...] = ()

    def stray(self, request: DisputeRequest) -> tuple[RequestedFrame, ...]:
        """Return the frames of a request that were not drawn, or were withdrawn before."""
        allowed = {
            RequestedFrame(one.frame.segment, one.frame.frame)
            for one in self.drawn
            if one.frame.holding is Holding.KEPT
        }
        return tuple(one for one in request.frames if one not in allowed)


class Redraws:
    """Answer from the published log."""

    def __init__(self, records: RecordStore, diaries: Diaries) -> None:
        self._rows = DiaryRowStore(records.database)
        self._diaries = diaries
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[Digest, bool], Frozen] = OrderedDict()

    def of(self, agreed: Agreed, case: Case, told: Sequence[Told]) -> Frozen | None:
        """Compare the freeze of a case with the log; None where nothing is frozen."""
        asked = asked_of(case, told)
        if asked is None:
            return None
        key = (asked.digest, case.drawn is not None)
        with self._lock:
            known = self._known.get(key)
        if known is not None:
            return known
        with self._diaries.turn():
            found = self._compared(agreed, case, asked)
        with self._lock:
            self._known[key] = found
            if len(self._known) > _CACHED:
                self._known.popitem(last=False)
        return found

    def withdrawn(self, agreed: Agreed, frozen: Frozen | None, *, below: int) -> frozenset[Digest]:
        """Return the drawn frames that the log of this size says were withdrawn."""
        if frozen is None or not frozen.drawn:
            return frozenset()
        asked = [one.frame.frame.raw for one in frozen.drawn]
        gone = self._rows.withdrawals(agreed.engagement, asked, below=below)
        return frozenset(
            record.frame for _, record in read_records(gone) if isinstance(record, Tombstone)
        )

    def _compared(self, agreed: Agreed, case: Case, asked: Told) -> Frozen:
        act = asked.record
        if not isinstance(act, DisputeAct) or act.freeze is None:
            return Frozen(checked=False)
        begin, end = act.begin or 0, act.end or 0
        stored = self._rows.work(
            agreed.whose,
            begin,
            end,
            longest_ms=LONGEST_DECLARATION + 1,
            below=asked.index,
            most=MOST_IN_WEEK + 1,
        )
        if len(stored) > MOST_IN_WEEK:
            return Frozen(checked=False)
        chain = [
            (one, record) for one, record in read_records(stored) if isinstance(record, Segment)
        ]
        frames = [frame.raw for _, record in chain for frame in record.frames]
        gone = read_records(self._rows.withdrawals(agreed.engagement, frames, below=asked.index))
        told = [
            (one.digest, record)
            for one, record in (*chain, *gone)
            if isinstance(record, Segment | Tombstone)
        ]
        found = frames_between(told, begin, end)
        problem = ""
        try:
            verify_freeze(act.freeze, found)
        except VerificationError as error:
            problem = str(error)
        index = {one.digest: one.position for one, _ in chain}
        drawn = tuple(
            DrawnPlace(place, found[place], index[found[place].segment])
            for place in case.drawn or ()
            if place < len(found)
        )
        return Frozen(checked=True, problem=problem, drawn=drawn)


def asked_of(case: Case, told: Sequence[Told]) -> Told | None:
    """Find the request whose freeze the sample of a case is drawn from."""
    if case.sample is None:
        return None
    for one in reversed(told):
        if isinstance(one.record, DisputeAct) and one.record.freeze == case.sample.freeze:
            return one
    return None
