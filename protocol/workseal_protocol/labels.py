"""What time was for, in the freelancer's words: worked time by project and by tag.

Rules: a label is a claim. The newest one that covers a piece of work says what it was for; what no
opened label covers stays beside the others, so that the projects add up to the totals.
docs/spec/opened.md
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from workseal_protocol.commitment import Opening, ValueKind
from workseal_protocol.digest import Digest
from workseal_protocol.records import Declaration, EvidenceItem, Label, Segment, parse_item
from workseal_protocol.terms import WorkClass
from workseal_protocol.totals import worked_shares
from workseal_protocol.window import Entry


@dataclass(frozen=True, slots=True)
class NamedDay:
    """Hold the worked milliseconds of one day for one name, by class; None has no label."""

    day: date
    name: str | None
    worked_ms: Mapping[WorkClass, int]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Hold worked time by day and project, and by day and tag.

    Projects add up to the totals of each day. Tags do not: time counts under each of its tags.
    """

    projects: tuple[NamedDay, ...] = ()
    tags: tuple[NamedDay, ...] = ()


def labelled_of(entries: Sequence[Entry], openings: Iterable[Opening], zone: tzinfo) -> Labelled:
    """Fold verified entries, in log order, and verified openings; empty without a label."""
    items = {
        opening.statement: parse_item(opening.value)
        for opening in openings
        if opening.kind is ValueKind.EVIDENCE
    }
    labels = _labels(entries, items)
    if not labels:
        return Labelled()
    cover = _Cover(labels)
    projects = _Sums([*dict.fromkeys(label.project for label in labels), None])
    tags = _Sums(list(dict.fromkeys(tag for label in labels for tag in label.tags)))
    for entry in entries:
        record = entry.record
        if not isinstance(record, Segment | Declaration):
            continue
        label = cover.over(record.begin, record.end)
        for day, kind, part in worked_shares(record, zone):
            projects.add(day, None if label is None else label.project, kind, part)
            for tag in () if label is None else label.tags:
                tags.add(day, tag, kind, part)
    return Labelled(projects.rows(), tags.rows())


def sums_of_names(rows: Iterable[NamedDay]) -> dict[str | None, dict[WorkClass, int]]:
    """Add up rows by their name, in the order in which the names come; no label comes last."""
    sums: dict[str | None, dict[WorkClass, int]] = {}
    for row in rows:
        held = sums.setdefault(row.name, dict.fromkeys(WorkClass, 0))
        for kind, ms in row.worked_ms.items():
            held[kind] += ms
    if None in sums:
        sums[None] = sums.pop(None)
    return sums


def _labels(entries: Iterable[Entry], items: Mapping[Digest, EvidenceItem]) -> list[Label]:
    found = (items.get(entry.digest) for entry in entries)
    return [item for item in found if isinstance(item, Label)]


class _Cover:
    """Say which label is the newest at an instant; n labels cost n log n, however they overlap."""

    def __init__(self, labels: Sequence[Label]) -> None:
        self._borders = sorted({edge for label in labels for edge in (label.begin, label.end)})
        places = {border: place for place, border in enumerate(self._borders)}
        self._owner: list[Label | None] = [None] * len(self._borders)
        self._free = list(range(len(self._borders) + 1))
        # The newest first: what it covers is taken, and passed over by the older ones.
        for label in reversed(labels):
            place = self._next_free(places[label.begin])
            while place < places[label.end]:
                self._owner[place] = label
                self._free[place] = place + 1
                place = self._next_free(place)

    def over(self, begin: int, end: int) -> Label | None:
        """Return the label of [begin, end): the one that both its ends lie in."""
        first, last = self._at(begin), self._at(max(begin, end - 1))
        return first if first is last else None

    def _at(self, instant: int) -> Label | None:
        place = bisect_right(self._borders, instant) - 1
        return None if place < 0 else self._owner[place]

    def _next_free(self, place: int) -> int:
        while self._free[place] != place:
            self._free[place] = self._free[self._free[place]]
            place = self._free[place]
        return place


class _Sums:
    """Add up milliseconds by day, name and class; rows come in the order of days, then of names."""

    def __init__(self, names: Sequence[str | None]) -> None:
        self._order = {name: place for place, name in enumerate(names)}
        self._held: dict[tuple[date, int], dict[WorkClass, int]] = {}
        self._names = names

    def add(self, day: date, name: str | None, kind: WorkClass, ms: int) -> None:
        place = day, self._order[name]
        self._held.setdefault(place, dict.fromkeys(WorkClass, 0))[kind] += ms

    def rows(self) -> tuple[NamedDay, ...]:
        return tuple(
            NamedDay(day, self._names[place], self._held[day, place])
            for day, place in sorted(self._held)
        )
