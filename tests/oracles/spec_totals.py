"""Compute the hours of a bundle from docs/spec alone: usage `spec_totals.py BUNDLE...`.

Rules: nothing of the product is imported, and it is done in another way where there is one. It
checks no signature and no proof. Prints one JSON object on a line for each bundle: days and names
are keys, lists of four are working, off-screen, sealed and late-declared milliseconds.
"""

import hashlib
import io
import json
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import cbor2

# Kind, payload and digest; class, begin, end and worked time.
Told = tuple[str, Any, bytes]
Work = tuple[int, int, int, int]

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
NO_LABEL = "no label"


def sequence(data: bytes) -> Iterator[tuple[Any, bytes]]:
    """Read a CBOR sequence, each item with its own bytes."""
    file = io.BytesIO(data)
    while file.tell() < len(data):
        begin = file.tell()
        item = cbor2.load(file)
        yield item, data[begin : file.tell()]


def statements_of(archive: zipfile.ZipFile) -> Iterator[Told]:
    """Give kind, payload and digest of each statement, in the order of the log."""
    for item, data in sequence(archive.read("statements.cbor")):
        kind = cbor2.loads(item.value[0])[3].removeprefix("application/vnd.workseal.")
        yield kind.removesuffix("+cbor"), cbor2.loads(item.value[2]), hashlib.sha256(data).digest()


def openings_of(archive: zipfile.ZipFile, kind: int) -> dict[bytes, Any]:
    """Give the opened values of a kind by the digests of their statements."""
    if "openings.cbor" not in archive.namelist():
        return {}
    items = (item for item, _ in sequence(archive.read("openings.cbor")))
    return {item[0]: cbor2.loads(item[3]) for item in items if item[1] == kind}


class Calendar:
    """Tells days; a midnight is found by walking there, minute by minute."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)

    def day(self, ms: int) -> date:
        """Give the day of an instant."""
        return (datetime.fromtimestamp(ms // 1000, tz=UTC)).astimezone(self.zone).date()

    def parts(self, begin: int, end: int, amount: int) -> Iterator[tuple[date, int]]:
        """Cut an amount over [begin, end) at the midnights in it."""
        day, given, at = self.day(begin), 0, begin
        if day != self.day(max(begin, end - 1)) or end - begin > 12 * HOUR_MS:
            while (at := at - at % MINUTE_MS + MINUTE_MS) < end:
                if self.day(at) > day:
                    part = amount * (at - begin) // (end - begin) - given
                    yield day, part
                    day, given = self.day(at), given + part
        yield day, amount - given


def work_of(kind: str, record: Any) -> Work | None:
    """Give class (0 to 3), begin, end and worked time of what counts, else None."""
    if kind == "segment":
        return record[14] - 1, record[11], record[12], record[13]
    if kind == "declaration" and record[13] == 2:
        return 3, record[10], record[11], record[12]
    return None


def billed_of(terms: Any, days: Iterable[list[int]]) -> list[int]:
    """Give the billed milliseconds and minor units of rows of four."""
    step, worth = terms[16] * 100, terms[24]
    total = 0
    for row in days:
        exact = sum(ms * worth[place + 1] for place, ms in enumerate(row))
        if step == 0:
            total += exact // 100
        else:
            ups = (0, step // 2, step - 1)[terms[17]]
            total += (exact + ups) // step * step // 100
    return [total, (2 * total * terms[14] + HOUR_MS) // (2 * HOUR_MS)]


def label_at(labels: list[Any], instant: int) -> Any:
    """Give the newest label that covers an instant."""
    covering = [label for label in labels if label[4] <= instant < label[5]]
    return covering[-1] if covering else None


def label_of(labels: list[Any], begin: int, end: int) -> Any:
    """Give the label of a piece of work: the one at both its ends."""
    first, last = label_at(labels, begin), label_at(labels, max(begin, end - 1))
    return first if first is last else None


def sums() -> dict[Any, list[int]]:
    """Begin sums by class."""
    return defaultdict(lambda: [0, 0, 0, 0])


def named(
    labels: list[Any], calendar: Calendar, work: list[Work], wanted: set[date] | None
) -> list[Any]:
    """Add up work by project and by tag, of those days that are wanted."""
    projects, tags = sums(), sums()
    for group, begin, end, worked in work:
        label = label_of(labels, begin, end)
        for day, part in calendar.parts(begin, end, worked):
            if wanted is None or day in wanted:
                projects[NO_LABEL if label is None else label[2]][group] += part
                for tag in () if label is None else label[3]:
                    tags[tag][group] += part
    return [projects, tags]


def activity_rows(
    segments: list[tuple[Any, bytes]], opened: dict[bytes, Any], calendar: Calendar, *, by_day: bool
) -> dict[Any, list[int]]:
    """Give worked, opened, observed, input, synthetic and untold time, by day or by stretch."""
    rows: dict[Any, list[int]] = defaultdict(lambda: [0] * 6)
    before: tuple[bytes, int, int] | None = None
    if not opened:
        return rows
    for record, digest in segments:
        if 17 not in record:
            before = None
            continue
        told, worked = opened.get(digest), record[13]
        figures = [worked, 0, 0, 0, 0, 0]
        if told is not None:
            synthetic, untold = worked * (told.get(5, 0) >= 1), worked * (5 not in told)
            figures = [worked, worked, told[1], told[2] * 1000, synthetic, untold]
        if by_day:
            for place, figure in enumerate(figures):
                for day, part in calendar.parts(record[11], record[12], figure):
                    rows[str(day)][place] += part
            continue
        start = record[11]
        if before is not None and before[:2] == (record[7], start):
            start = before[2]
        rows[start] = [one + other for one, other in zip(rows[start], figures, strict=True)]
        before = record[7], record[12], start
    return rows


def sheets_of(statements: list[Told], labels: list[Any], calendar: Calendar) -> dict[str, Any]:
    """Give the projects and tags of each timesheet that counts, and what its rows must be."""
    sheets = [(at, one[1], one[2]) for at, one in enumerate(statements) if one[0] == "timesheet"]
    places = {one[2]: at for at, one in enumerate(statements)}
    replaced = {
        later[16]
        for at, later, _ in sheets
        for before, earlier, digest in sheets
        if later.get(16) == digest and before < at
        and earlier[10] <= later[11] and later[10] <= earlier[11]
    }  # fmt: skip
    left = [one for one in sheets if one[2] not in replaced]
    found = {}
    for at, sheet, digest in left:
        days = {row[0] for row in sheet[13]}
        shared = any(
            days & {row[0] for row in other[13]} for _, other, name in left if name != digest
        )
        head = places.get(sheet[12])
        if shared or head is None or head > at:
            continue
        told = [work_of(*one[:2]) for one in statements[: head + 1]]
        work = [one for one in told if one is not None]
        wanted = {date(1970, 1, 1) + timedelta(days=day) for day in days}
        rows = sums()
        for group, begin, end, worked in work:
            for day, part in calendar.parts(begin, end, worked):
                rows[(day - date(1970, 1, 1)).days][group] += part
        within = {day: row for day, row in rows.items() if sheet[10] <= day <= sheet[11]}
        if [[day, *within[day]] for day in sorted(within) if any(within[day])] == sheet[13]:
            found[digest.hex()] = named(labels, calendar, work, wanted)
    return found


def accepted_of(statements: list[Told]) -> dict[str, Any]:
    """Give of each timesheet which days were accepted elsewhere, left behind, accepted again."""
    sheets = {digest: record for kind, record, digest in statements if kind == "timesheet"}
    order = list(sheets)
    answers = {
        record[10]: (record[11], at)
        for at, (kind, record, _) in enumerate(statements)
        if kind == "timesheet.answer" and record[10] in sheets
    }
    after: dict[bytes, bytes] = {}
    for digest, sheet in sheets.items():
        named = sheets.get(sheet.get(16))
        if named and named[10] <= sheet[11] and sheet[10] <= named[11]:
            after[sheet[16]] = digest

    def replaced(digest: bytes, day: int) -> bool:
        newest = digest
        while newest in after:
            newest = after[newest]
        return newest != digest and sheets[newest][10] <= day <= sheets[newest][11]

    def again(digest: bytes, day: int) -> bool:
        return any(
            answers[digest][1] < answers[one][1] and any(row[0] == day for row in sheets[one][13])
            for one in accepted
        )

    def counts(digest: bytes, day: int) -> bool:
        return not replaced(digest, day) and not again(digest, day)

    found: dict[str, Any] = {}
    accepted = [digest for digest in order if answers.get(digest, (0, 0))[0] == 1]
    for digest, sheet in sheets.items():
        days: dict[str, list[list[str]]] = defaultdict(lambda: [[], []])
        for day, *_ in sheet[13]:
            with_it = [
                (not counts(one, day), order.index(one), one)
                for one in accepted
                if one != digest and any(row[0] == day for row in sheets[one][13])
            ]
            for elsewhere, _, one in sorted(with_it)[:3]:
                days[one.hex()][0].append(day_text(day))
                days[one.hex()][1].extend([] if elsewhere else [day_text(day)])
        own = [row[0] for row in sheet[13]] if digest in accepted else []
        left = [day_text(day) for day in own if digest in after and counts(digest, day)]
        later = [day_text(day) for day in own if again(digest, day) and not replaced(digest, day)]
        found[digest.hex()] = [days, left, later]
    return found


def day_text(day: int) -> str:
    """Write the number of a day as a date."""
    return str(date(1970, 1, 1) + timedelta(days=day))


def told_of(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Give all figures of a bundle."""
    statements = list(statements_of(archive))
    terms = next(record[10] for kind, record, _ in statements if kind == "acceptance")
    calendar = Calendar(terms[18])
    items = openings_of(archive, 6)
    labels = [items[one[2]] for one in statements if items.get(one[2], {}).get(1) == 4]
    work = [one for one in (work_of(*row[:2]) for row in statements) if one is not None]
    days = sums()
    for group, begin, end, worked in work:
        for day, part in calendar.parts(begin, end, worked):
            days[str(day)][group] += part
    segments = [(record, digest) for kind, record, digest in statements if kind == "segment"]
    activity = activity_rows(segments, openings_of(archive, 1), calendar, by_day=terms[13] == 1)
    weeks: dict[str, list[list[int]]] = defaultdict(list)
    for day, row in days.items():
        at = date.fromisoformat(day)
        weeks[str(at - timedelta(days=at.weekday()))].append(row)
    return {
        "days": days,
        "billed_days": {day: billed_of(terms, [row]) for day, row in days.items()},
        "billed_weeks": {week: billed_of(terms, rows) for week, rows in weeks.items()},
        "accepted": accepted_of(statements),
        "classes": [sum(row[place] for row in days.values()) for place in range(4)],
        "billed": billed_of(terms, days.values()),
        "frames": sum(len(record.get(20, ())) for record, _ in segments),
        "withdrawn": sum(kind == "tombstone" for kind, _, _ in statements),
        "activity": activity,
        "labels": named(labels, calendar, work, None) if labels else [{}, {}],
        "timesheets": sheets_of(statements, labels, calendar) if labels else {},
    }


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(json.dumps(told_of(zipfile.ZipFile(name))))
