"""What withdrawing frames would do, exactly, before anybody does it.

Rule: nothing here is promised. The days are folded twice by the client's own functions, as they are
and as they would be, and both figures are told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from workseal_agent.day import bounds, day_at, entries_of
from workseal_agent.ledger import CaptureRow, Engagement, Ledger
from workseal_agent.retention import due_ms
from workseal_protocol.digest import Digest
from workseal_protocol.records import Segment, Tombstone, WithdrawalReason, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.totals import LimitExceeded, Totals, totals_of, withdrawn_limit
from workseal_protocol.window import Entry

_EVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Figures:
    """Hold what the days of some frames come to."""

    worked_ms: int
    billed_ms: int
    amount: int
    by_class: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """Hold both figures of the days, and the share withdrawn of all frames of the engagement.

    `thinned` of `captured` captures would have a withdrawn frame, those left out that were kept for
    as long as the terms ask: the terms' limit is about these.
    """

    frames: int
    before: Figures
    after: Figures
    currency: str
    worked_ms: int
    gone_before: int
    gone: int
    kept: int
    thinned: int
    captured: int
    limit_percent: int

    @property
    def exceeds(self) -> bool:
        """Tell whether the client's report would say that the limit is passed."""
        return self.thinned * 100 > self.captured * self.limit_percent


def effect_of(ledger: Ledger, engagement: Engagement, frames: Sequence[CaptureRow]) -> Effect:
    """Tell what withdrawing these frames, none of them withdrawn yet, would do."""
    terms = engagement.terms
    zone = ZoneInfo(terms.zone)
    chosen = {row.commitment for row in frames}
    before, after = [], []
    for day in sorted({day_at(row.captured_ms, zone) for row in frames}):
        entries = entries_of(ledger, engagement, *bounds(day, zone))
        before.append(totals_of(terms, entries, zone))
        as_if = [one for entry in entries for one in _tombstones(entry, chosen)]
        after.append(totals_of(terms, [*entries, *as_if], zone))
    rows = ledger.captures(engagement.id)
    gone = [row for row in rows if row.withdrawn or row.commitment in chosen]
    return Effect(
        frames=len(chosen),
        before=_figures(before),
        after=_figures(after),
        currency=terms.currency,
        worked_ms=sum(row.worked_ms for row in ledger.segments(engagement.id, 0, _EVER)),
        gone_before=sum(row.withdrawn for row in rows),
        gone=len(gone),
        kept=len(rows) - len(gone),
        thinned=len(_thinned(ledger, engagement, rows) | {row.segment for row in frames}),
        captured=len({row.segment for row in rows}),
        limit_percent=terms.max_withdrawn_percent,
    )


def share_exceeded(ledger: Ledger, engagement: Engagement) -> tuple[LimitExceeded, ...]:
    """Judge the share withdrawn of all captures so far, as the client's tools do."""
    rows = ledger.captures(engagement.id)
    captured = len({row.segment for row in rows})
    thinned = len(_thinned(ledger, engagement, rows))
    return tuple(withdrawn_limit(engagement.terms, captured, thinned))


def _thinned(ledger: Ledger, engagement: Engagement, rows: Sequence[CaptureRow]) -> set[Digest]:
    """Return the captures of which a frame was withdrawn before it was kept long enough."""
    expired = set()
    over = {row.commitment: due_ms(engagement, row) for row in rows if row.withdrawn}
    for stored in ledger.of_kind(engagement.id, Tombstone.KIND.value):
        record = read_record(Statement.parse(stored.body))
        if (
            isinstance(record, Tombstone)
            and record.reason is WithdrawalReason.RETENTION
            and record.claimed_at >= over.get(record.frame, _EVER)
        ):
            expired.add(record.frame)
    return {row.segment for row in rows if row.withdrawn and row.commitment not in expired}


def _tombstones(entry: Entry, chosen: set[Digest]) -> list[Entry]:
    """Say that frames of a segment are withdrawn, in the form that the fold reads."""
    record = entry.record
    if not isinstance(record, Segment):
        return []
    return [
        Entry(
            entry.index + 1,
            entry.digest,
            Tombstone(
                engagement=record.engagement,
                seq=record.seq + 1,
                prev=entry.digest,
                anchor=record.anchor,
                claimed_at=record.claimed_at,
                segment=entry.digest,
                frame=frame,
                reason=WithdrawalReason.OTHER,
            ),
            entry.window,
            None,
        )
        for frame in record.frames
        if frame in chosen
    ]


def _figures(days: Sequence[Totals]) -> Figures:
    classes: dict[str, int] = {}
    for totals in days:
        for state, ms in totals.by_state.items():
            classes[state.name] = classes.get(state.name, 0) + ms
        for grade, ms in totals.by_grade.items():
            classes[grade.name] = classes.get(grade.name, 0) + ms
    return Figures(
        sum(totals.worked_ms for totals in days),
        sum(totals.billed.ms for totals in days),
        sum(totals.billed.amount for totals in days),
        tuple(sorted(classes.items())),
    )
