"""Work as totals are tried with: segments of whole rounds, and their sums."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any

from support.builders import ROUND_MS, digest, make_segment
from workseal_protocol.records import Capture, Record, Segment
from workseal_protocol.terms import Level, Terms
from workseal_protocol.totals import Totals, totals_of
from workseal_protocol.window import Entry, Grade, Window

TIMER = {"level": Level.TIMER, "capture_rate": 0}


def entry(record: Record, grade: Grade | None = Grade.ONLINE) -> Entry:
    return Entry(0, digest(0), record, Window(), grade)


def plain(begin: int, worked: int, **changes: Any) -> Segment:
    fields: dict[str, Any] = {
        "begin": begin,
        "end": begin + worked,
        "worked": worked,
        "round": begin // ROUND_MS,
        "capture": Capture.NONE,
        "frames": (),
    }
    return make_segment(**(fields | changes))


def total(terms: Terms, records: Iterable[Record], zone: tzinfo = UTC) -> Totals:
    return totals_of(terms, [entry(record) for record in records], zone)


def millis(*when: int, zone: tzinfo = UTC) -> int:
    return int(datetime(*when, tzinfo=zone).timestamp()) * 1000  # type: ignore[arg-type,misc]
