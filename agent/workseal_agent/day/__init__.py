"""One day of an engagement: what every minute was, why, and what the client can see of it.

Rules: the functions of the client's and the arbitrator's own tools fold the same signed statements
here; nothing is counted by another rule. What is not signed yet, or not proved yet, is told as such
and never left out. A minute of which nothing was recorded says so.
"""

from workseal_agent.day.reading import (
    Day,
    bounds,
    day_at,
    read_day,
    running_ms,
    signed_ms,
    worked_today,
)
from workseal_agent.day.stretches import Stretch, Way
from workseal_agent.day.told import entries_of, labels_over, notes_of

__all__ = [
    "Day",
    "Stretch",
    "Way",
    "bounds",
    "day_at",
    "entries_of",
    "labels_over",
    "notes_of",
    "read_day",
    "running_ms",
    "signed_ms",
    "worked_today",
]
