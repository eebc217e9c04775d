"""What time was for, in the freelancer's words: worked time by project and by tag.

Rules: a label is a claim. The newest one that covers a piece of work says what it was for; what no
opened label covers stays beside the others, so that the projects add up to the totals, and those
of a timesheet to its rows.
docs/spec/opened.md
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from workseal_protocol.commitment import Opening, ValueKind
from workseal_protocol.days import worked_shares
from workseal_protocol.digest import Digest
from workseal_protocol.records import Declaration, Label, Segment, parse_item
from workseal_protocol.terms import WorkClass
from workseal_protocol.timesheets import Agreement, SheetFinding, date_of
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
    labels = _labels(entries, openings)
    if not labels:
        return Labelled()
    sums = _NamedSums(_Names(labels))
    for work in _labelled_work(entries, labels, zone):
        sums.add(work)
    return sums.labelled()


def labelled_sheets(
    entries: Sequence[Entry],
    openings: Iterable[Opening],
    zone: tzinfo,
    timesheets: Iterable[SheetFinding],
) -> dict[Digest, Labelled]:
    """Fold the same for each timesheet that counts: of its days, up to its head.

    One that differs from the record, was replaced or overlaps has none. So no day is in two of
    them, and the work is that of one fold.
    """
    counting = [one for one in timesheets if _counts(one)]
    labels = _labels(entries, openings) if counting else []
    if not labels:
        return {}
    places = {entry.digest: place for place, entry in enumerate(entries)}
    names = _Names(labels)
    held = [(places[one.record.head], _NamedSums(names)) for one in counting]
    by_day = {
        date_of(row.day): sums
        for one, sums in zip(counting, held, strict=True)
        for row in one.record.days
    }
    for work in _labelled_work(entries, labels, zone):
        head, sums = by_day.get(work.day, (-1, None))
        if sums is not None and work.place <= head:
            sums.add(work)
    return {one.digest: sums.labelled() for one, (_, sums) in zip(counting, held, strict=True)}


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


def _counts(one: SheetFinding) -> bool:
    return one.agreement is Agreement.AGREES and one.replaced_by is None and one.overlaps is None


def _labels(entries: Iterable[Entry], openings: Iterable[Opening]) -> list[Label]:
    items = {
        opening.statement: parse_item(opening.value)
        for opening in openings
        if opening.kind is ValueKind.EVIDENCE
    }
    found = (items.get(entry.digest) for entry in entries)
    return [item for item in found if isinstance(item, Label)]


@dataclass(frozen=True, slots=True)
class _Work:
    """Hold the part of an entry that lies on one day, and what it was for."""

    place: int
    day: date
    kind: WorkClass
    ms: int
    label: Label | None


def _labelled_work(
    entries: Iterable[Entry], labels: Sequence[Label], zone: tzinfo
) -> Iterator[_Work]:
    cover = _Cover(labels)
    for place, entry in enumerate(entries):
        record = entry.record
        if not isinstance(record, Segment | Declaration):
            continue
        label = cover.over(record.begin, record.end)
        for day, kind, ms in worked_shares(record, zone):
            yield _Work(place, day, kind, ms, label)


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


class _NamedSums:
    """Add up work by project and by tag."""

    def __init__(self, names: "_Names") -> None:
        self._projects, self._tags = _Sums(names.projects), _Sums(names.tags)

    def add(self, work: _Work) -> None:
        label = work.label
        self._projects.add(work.day, None if label is None else label.project, work.kind, work.ms)
        for tag in () if label is None else label.tags:
            self._tags.add(work.day, tag, work.kind, work.ms)

    def labelled(self) -> Labelled:
        return Labelled(self._projects.rows(), self._tags.rows())


class _Names:
    """Say at which place each name comes; made once, however many sums there are."""

    def __init__(self, labels: Sequence[Label]) -> None:
        self.projects = _placed([*(label.project for label in labels), None])
        self.tags = _placed(tag for label in labels for tag in label.tags)


def _placed(names: Iterable[str | None]) -> dict[str | None, int]:
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


class _Sums:
    """Add up milliseconds by day, name and class; rows come in the order of days, then of names."""

    def __init__(self, places: Mapping[str | None, int]) -> None:
        self._places = places
        self._held: dict[tuple[date, int, str | None], dict[WorkClass, int]] = {}

    def add(self, day: date, name: str | None, kind: WorkClass, ms: int) -> None:
        key = day, self._places[name], name
        self._held.setdefault(key, dict.fromkeys(WorkClass, 0))[kind] += ms

    def rows(self) -> tuple[NamedDay, ...]:
        held = sorted(self._held.items(), key=lambda row: row[0][:2])
        return tuple(NamedDay(day, name, worked) for (day, _, name), worked in held)
