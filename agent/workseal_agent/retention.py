"""Frames whose days are over: which they are, and which are kept all the same.

Rules: a frame is due when the days of the terms have passed since the round of its capture, by two
clocks that both say so. A frame that a case holds is not due before that has ended, and one that
was asked for outside of a case never is. Nothing here destroys.
"""

from dataclasses import dataclass

from workseal_agent.knowncases import Held
from workseal_agent.ledger import CaptureRow, Engagement, Ledger

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Kept:
    """Sort the frames of an engagement that are not withdrawn.

    `due` are past the terms' days; `disputed` are kept for a dispute, whatever the days, and
    `outside` those of them that no case holds, but a request outside of all cases; `early` are the
    others, which the terms still ask for, and `last_due_ms` says until when.
    """

    due: tuple[CaptureRow, ...]
    disputed: tuple[CaptureRow, ...]
    outside: tuple[CaptureRow, ...]
    early: tuple[CaptureRow, ...]
    last_due_ms: int | None


def kept_frames(ledger: Ledger, engagement: Engagement, now_ms: int | None) -> Kept:
    """Sort the frames as they are at an instant; nothing is due while nobody knows the time."""
    rows = [row for row in ledger.captures(engagement.id) if not row.withdrawn]
    over = {row: due_ms(engagement, row) for row in rows}
    past = frozenset(row for row in rows if now_ms is not None and over[row] <= now_ms)
    held = Held.of(ledger, engagement)
    asked = frozenset(row for row in rows if held.holds(row))
    return Kept(
        due=tuple(row for row in rows if row in past and row not in asked),
        disputed=tuple(row for row in rows if row in asked),
        outside=tuple(row for row in rows if row in asked and not held.holds_in_case(row)),
        early=tuple(row for row in rows if row not in past and row not in asked),
        last_due_ms=max(over.values(), default=None),
    )


def due_ms(engagement: Engagement, row: CaptureRow) -> int:
    """Return when a frame has been kept for as long as the terms ask."""
    # From the end of the round: the segment may end then, and the log counts from there.
    terms = engagement.terms
    return (row.round + 1) * terms.round_ms + terms.retention_days * DAY_MS
