"""Which of the many checkpoints a bundle keeps, so that no statement's grade changes.

Rule: each statement keeps an upper bound within its slack of its best one, and one that was online
with all checkpoints is online with those that are kept.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SLACK_MS = 45_000


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """Say that a log of this size existed by an instant (Unix milliseconds)."""

    size: int
    upper_ms: int


@dataclass(frozen=True, slots=True)
class Need:
    """Ask for a mark over an index, within `slack_ms` of its best one.

    Where a grade hangs on an instant, `latest_ms` names it.
    """

    index: int
    latest_ms: int | None = None
    slack_ms: int = SLACK_MS


def thin(marks: Sequence[Mark], needs: Iterable[Need]) -> frozenset[int]:
    """Return sizes of marks that serve every need as well as all marks do, up to the slack."""
    ordered = sorted(marks)
    best = _best_from(ordered)
    sizes = [mark.size for mark in ordered]
    wanted = []
    for need in needs:
        first = bisect_right(sizes, need.index)
        if first < len(ordered):
            last, limit = _last_good(ordered, first, best[first], need)
            wanted.append((last, first, limit))
    chosen: list[int] = []
    for last, first, limit in sorted(wanted):
        # The newest one chosen is the only one that can serve: those before it are smaller.
        if chosen and chosen[-1] >= first and ordered[chosen[-1]].upper_ms <= limit:
            continue
        chosen.append(last)
    return frozenset(sizes[place] for place in chosen)


def unseen(marks: Sequence[Mark], needs: Iterable[Need]) -> frozenset[int]:
    """Return the indices of the needs whose latest instant no mark keeps."""
    ordered = sorted(marks)
    best = _best_from(ordered)
    sizes = [mark.size for mark in ordered]
    late = set()
    for need in needs:
        first = bisect_right(sizes, need.index)
        if need.latest_ms is not None and (first == len(ordered) or best[first] > need.latest_ms):
            late.add(need.index)
    return frozenset(late)


def _best_from(ordered: Sequence[Mark]) -> list[int]:
    """Return the least upper bound among each mark and those after it."""
    best: list[int] = []
    for mark in reversed(ordered):
        best.append(min(mark.upper_ms, best[-1]) if best else mark.upper_ms)
    return best[::-1]


def _last_good(ordered: Sequence[Mark], first: int, best_ms: int, need: Need) -> tuple[int, int]:
    limit = best_ms + need.slack_ms
    if need.latest_ms is not None and best_ms <= need.latest_ms:
        limit = min(limit, need.latest_ms)
    last: int | None = None
    for place in range(first, len(ordered)):
        upper = ordered[place].upper_ms
        if upper <= limit:
            last = place
        elif last is not None and upper > limit + SLACK_MS:
            break
    return first if last is None else last, limit
