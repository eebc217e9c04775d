"""Of what time the statements are that came to an engagement: which weeks of it to fold anew.

Rule: in doubt all of it. A withdrawal is about its segment's time, a description about its own.
"""

from collections.abc import Sequence

from workseal_protocol.records import Declaration, Tombstone
from workseal_protocol.statement import Kind
from workseal_verifier.services.weekfold import read_records
from workseal_verifier.store.diaryrows import Came
from workseal_verifier.store.records import RecordStore

# Statements that are read one by one to learn what they are about; more than that, and all is.
MOST_READ = 4_096
_WITHOUT_TIME = frozenset({Kind.TOMBSTONE.value, Kind.DECLARATION.value})

Span = tuple[int, int]


def spans_of(records: RecordStore, came: Sequence[Came]) -> list[Span] | None:
    """Return the stretches in Unix ms that all of these are about; None where that is not told."""
    spans: list[Span] = []
    others: list[int] = []
    for one in came:
        if one.begin_ms is not None and one.end_ms is not None:
            spans.append((one.begin_ms, one.end_ms))
        elif one.kind in _WITHOUT_TIME:
            others.append(one.position)
    if len(others) > MOST_READ:
        return None
    for _, record in read_records(records.at(others)):
        span = _span_of(records, record)
        if span is None:
            return None
        spans.append(span)
    return spans


def _span_of(records: RecordStore, record: object) -> Span | None:
    match record:
        case Declaration(begin=begin, end=end):
            return begin, end
        case Tombstone(segment=digest):
            stored = records.by_digest(digest)
            if stored is None or stored.begin_ms is None or stored.end_ms is None:
                return None
            return stored.begin_ms, stored.end_ms
    return None
