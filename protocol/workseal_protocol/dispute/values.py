"""The values that a case is made of, and the figures of its rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from workseal_protocol.dispute.table import State
from workseal_protocol.keys import Role
from workseal_protocol.records import Due, Freeze

# From when notice took effect to the decision; stays and the search for an arbitrator not counted.
LIMIT_DAYS: Final = 90
# What a request, its answer, the comments and a decision can take at most: a second request needs
# so many days before the limit.
ROOM_DAYS: Final = 56
# Whoever sits after somebody else has so many before the limit: days to look at the case, 12 at
# most, and those of a request.
SEATED_DAYS: Final = 70
# What a second draft, the words on it and the decision can take at most.
REDRAFT_DAYS: Final = 28
SEAL_DAYS: Final = 30
MAX_STAY_DAYS: Final = 30
MAX_STAYS_DAYS: Final = 60
# Each may move a deadline on to the next working day.
MAX_STAYS: Final = 4
LEAST_ANSWER_DAYS: Final = 10
# Answer, extension and second notice together, so that a case is decided within its limit.
MOST_ANSWER_DAYS: Final = 15
EXTENSION_DAYS: Final = 5
LEAST_ANSWER_CALENDAR_DAYS: Final = 14
# So much of each a party may add; a case is no place to bury somebody in paper.
MAX_EXHIBITS: Final = 8
MAX_OFFERS: Final = 8
MAX_OUTAGES: Final = 4
# So long a value may be missing before a later one draws, and so often in a case.
DRAW_WAIT_DAYS: Final = 7
MAX_REDRAWS: Final = 4
MIN_OUTAGE_MS: Final = 4 * 3_600_000
# Of all who sat, together: what was found and what could not be opened.
MAX_CHECKED: Final = 64
# No case has more, whoever fills it: docs/adr/0110 counts them. What ends a case is always taken.
MAX_STATEMENTS: Final = 400
# 1 January 9989: whatever is due after it, retention too, can still be written.
MAX_INSTANT: Final = 253_055_232_000_000

# Whether a value is the one that the operator's committed chain has for a round.
Released = Callable[[int, bytes], bool]


@dataclass(frozen=True, slots=True)
class Deadline:
    """Say until when whom a state binds; `due` is the written form where it counts working days."""

    until: int
    binds: frozenset[Role]
    due: Due | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold what the draw of the sample is made of."""

    freeze: Freeze
    commitments: Mapping[Role, bytes] = field(default_factory=dict)
    secrets: Mapping[Role, bytes] = field(default_factory=dict)
    ruled_at: int = 0
    size: int = 0
    seed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Paused:
    """Remember what a stay interrupted."""

    state: State
    deadline: Deadline
    at: int
