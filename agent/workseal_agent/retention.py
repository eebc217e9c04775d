"""Frames whose days are over: which they are, and which are kept all the same.

Rules: a frame is due when the days of the terms have passed since the round of its capture, by two
clocks that both say so. A frame that a dispute asked for is never due. Nothing here destroys.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from workseal_agent.ledger import CaptureRow, Engagement, Ledger
from workseal_protocol.digest import Digest
from workseal_protocol.records import DisputeRequest, RequestedFrame, read_record
from workseal_protocol.statement import Kind, Statement

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Kept:
    """Sort the frames of an engagement that are not withdrawn.

    `due` are past the terms' days; of `disputed` a request is known, so they are kept whatever
    the days; `early` are the others, which the terms still ask for, and `last_due_ms` says until
    when.
    """

    due: tuple[CaptureRow, ...]
    disputed: tuple[CaptureRow, ...]
    early: tuple[CaptureRow, ...]
    last_due_ms: int | None


def kept_frames(ledger: Ledger, engagement: Engagement, now_ms: int | None) -> Kept:
    """Sort the frames as they are at an instant; nothing is due while nobody knows the time."""
    rows = [row for row in ledger.captures(engagement.id) if not row.withdrawn]
    over = {row: due_ms(engagement, row) for row in rows}
    past = [row for row in rows if now_ms is not None and over[row] <= now_ms]
    asked = disputed_frames(ledger, engagement.id) if rows else frozenset()
    return Kept(
        due=tuple(row for row in past if row.commitment not in asked),
        disputed=tuple(row for row in rows if row.commitment in asked),
        early=tuple(row for row in rows if row not in past and row.commitment not in asked),
        last_due_ms=max(over.values(), default=None),
    )


def disputed_frames(ledger: Ledger, engagement: bytes) -> frozenset[Digest]:
    """Return the frames that a dispute request in the ledger names."""
    return frozenset(
        frame.frame
        for stored in ledger.of_kind(engagement, Kind.DISPUTE_REQUEST)
        for frame in _asked(stored.body)
    )


def due_ms(engagement: Engagement, row: CaptureRow) -> int:
    """Return when a frame has been kept for as long as the terms ask."""
    # From the end of the round: the segment may end then, and the log counts from there.
    terms = engagement.terms
    return (row.round + 1) * terms.round_ms + terms.retention_days * DAY_MS


def _asked(body: bytes) -> Iterable[RequestedFrame]:
    record = read_record(Statement.parse(body))
    return record.frames if isinstance(record, DisputeRequest) else ()
