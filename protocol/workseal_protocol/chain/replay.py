"""What the rules must look up in the past of a chain: spans, frames, sessions, withdrawals.

Rules: the memory is shared between the states of one chain and grows in place, so that a chain of
20,000 segments costs 20,000 small appends. It belongs to the newest state only: `advance` on an
older state works on a copy made by `until`. States of one chain are therefore not to be advanced
from two threads at once.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from workseal_protocol.digest import Digest


class Spans:
    """Keep spans of time in order of their begin, each with the seq that recorded it.

    `sums` adds up the worked time from the first span to each: a range costs two look-ups.
    """

    def __init__(self) -> None:
        # Eight bytes each, and not a Python integer: a log holds the memory of many chains.
        self.begins = array("q")
        self.ends = array("q")
        self.seqs = array("q")
        self.sums = array("q")

    def add(self, begin: int, end: int, seq: int, worked: int = 0) -> None:
        """Insert one span; spans that the rules admit do not overlap."""
        if not self.begins or begin >= self.begins[-1]:
            # Nearly always: to append costs a third of looking for the place and inserting there.
            self.sums.append((self.sums[-1] if self.sums else 0) + worked)
            self.begins.append(begin)
            self.ends.append(end)
            self.seqs.append(seq)
            return
        place = bisect_right(self.begins, begin)
        self.begins.insert(place, begin)
        self.ends.insert(place, end)
        self.seqs.insert(place, seq)
        # Recorded spans come in order, so that no sum after this one has to change; in a chain that
        # breaks that rule nobody asks for sums.
        self.sums.insert(place, (self.sums[place - 1] if place else 0) + worked)

    def extend(
        self, begins: "array[int]", ends: "array[int]", seqs: "array[int]", worked: "array[int]"
    ) -> None:
        """Add many spans, in order, none of which begins before one that is here."""
        last = self.sums[-1] if self.sums else 0
        self.sums.extend(islice(accumulate(worked, initial=last), 1, None))
        self.begins.extend(begins)
        self.ends.extend(ends)
        self.seqs.extend(seqs)

    def touching(self, begin: int, end: int) -> range:
        """Give the places of the spans that share time with [begin, end)."""
        return range(bisect_right(self.ends, begin), bisect_left(self.begins, end))

    def worked(self, places: range) -> int:
        """Add up the worked time of some places that follow each other."""
        if not places:
            return 0
        before = self.sums[places[0] - 1] if places[0] else 0
        return self.sums[places[-1]] - before

    def until(self, seq: int) -> "Spans":
        """Copy the spans that were recorded before a seq."""
        copy = Spans()
        for place, (begin, end, number) in enumerate(self):
            if number < seq:
                copy.add(begin, end, number, self.worked(range(place, place + 1)))
        return copy

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        return zip(self.begins, self.ends, self.seqs, strict=True)


class ChainReplay:
    """Remember the past of one chain; `length` is the number of statements it has seen."""

    def __init__(self) -> None:
        self.length = 0
        self.recorded = Spans()
        self.attended = Spans()  # the recorded spans that are not off-screen
        self.late = Spans()
        self.frames: dict[Digest, tuple[int, Digest]] = {}
        self.withdrawn: dict[Digest, int] = {}
        self.sessions: dict[bytes, int] = {}

    def until(self, seq: int) -> Self:
        """Give the memory as it was before a seq: itself when nothing came after, else a copy."""
        if self.length == seq:
            return self
        copy = type(self)()
        copy.length = seq
        copy.recorded = self.recorded.until(seq)
        copy.attended = self.attended.until(seq)
        copy.late = self.late.until(seq)
        copy.frames = {frame: place for frame, place in self.frames.items() if place[0] < seq}
        copy.withdrawn = {frame: at for frame, at in self.withdrawn.items() if at < seq}
        copy.sessions = {session: at for session, at in self.sessions.items() if at < seq}
        return copy
