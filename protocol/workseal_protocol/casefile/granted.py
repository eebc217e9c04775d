"""How many segments of the hours of a request of level 1 were opened, of how many that could be.

Rules: a segment belongs to the hours in which it begins, as a freeze takes them; one without a
commitment to activity has none to open. What a ruling granted is the most that was asked for, and
neither this nor any other program says that those which were opened are the right ones. A file that
a `show` handed over counts as what it opens, where it is at hand and was not taken back.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from workseal_protocol.casefile.exhibits import SALT_BYTES, handed_over
from workseal_protocol.commitment import Opening, ValueKind
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import LADDER
from workseal_protocol.encoding import split_sequence
from workseal_protocol.errors import WorksealError
from workseal_protocol.records import Act, DisputeAct, Ruling, Segment
from workseal_protocol.verify import Report, check_opening

# Of each segment that can be granted activity and notes, and the displays of its session.
_MOST_SHOWN: Final = 3 * LADDER[1].most


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold a granted request of level 1: its `ask`, its hours, how many segments were granted."""

    ask: Digest
    begin: int
    end: int
    granted: int


@dataclass(frozen=True, slots=True)
class GrantedHours:
    """Hold how many segments of a request's hours have activity, and of how many it is opened."""

    asked: Asked
    segments: int
    opened: int

    @property
    def sentence(self) -> str:
        """Write it as a sentence."""
        return (
            f"request {self.asked.ask}: activity is opened of {self.opened} of the {self.segments}"
            f" segments of its hours that have it; {self.asked.granted} were granted"
        )


def asked_hours(told: Iterable[tuple[Digest, object]]) -> Iterator[Asked]:
    """Give the granted requests of level 1 of a case, from its statements in their order."""
    open_ask: Asked | None = None
    for digest, record in told:
        if not isinstance(record, DisputeAct):
            continue
        if record.act is Act.ASK:
            hours = record.begin or 0, record.end or 0
            open_ask = Asked(digest, *hours, record.count or 0) if record.level == 1 else None
        elif record.act is Act.RULE and open_ask is not None:
            if record.code is not Ruling.REFUSE:
                yield Asked(
                    open_ask.ask, open_ask.begin, open_ask.end, record.count or open_ask.granted
                )
            open_ask = None


def granted_hours(
    asked: Iterable[Asked],
    segments: Iterable[tuple[Digest, Segment]],
    opened: Collection[Digest],
) -> tuple[GrantedHours, ...]:
    """Count the segments of each request, and those of them whose activity is `opened`."""
    having = [(digest, one.begin) for digest, one in segments if one.activity is not None]
    return tuple(
        GrantedHours(
            one,
            sum(one.begin <= begin < one.end for _, begin in having),
            sum(one.begin <= begin < one.end and digest in opened for digest, begin in having),
        )
        for one in asked
    )


def granted_in(
    report: Report, told: Iterable[tuple[Digest, object]], beside: Iterable[Opening] = ()
) -> tuple[GrantedHours, ...]:
    """Count over a bundle that holds, with openings in it and beside it that were compared."""
    inside = () if report.bundle is None else report.bundle.contents.openings
    opened = {one.statement for one in (*inside, *beside) if one.kind is ValueKind.ACTIVITY}
    segments = (
        (one.digest, one.record) for one in report.entries if isinstance(one.record, Segment)
    )
    return granted_hours(asked_hours(told), segments, opened)


def shown_openings(
    report: Report,
    told: Iterable[tuple[Digest, object]],
    exhibits: Iterable[bytes],
    taken_back: Collection[Digest],
) -> Iterator[Opening]:
    """Give what the files of each `show` open that are at hand, salt and all.

    One that is taken back, is malformed, or opens what nothing committed to, gives nothing.
    """
    at_hand = {Digest.of(data): data for data in exhibits}
    records = {one.digest: one.record for one in report.entries}
    for digest, record in told:
        if not isinstance(record, DisputeAct) or record.act is not Act.SHOW:
            continue
        over = handed_over(record)
        data = None if over is None else at_hand.get(over)
        if data is None or digest in taken_back:
            continue
        try:
            items = split_sequence(data[:-SALT_BYTES], max_items=_MOST_SHOWN)
            openings = tuple(map(Opening.parse, items))
            for one in openings:
                check_opening(one, records.get(one.statement))
        except WorksealError:
            continue
        yield from openings
