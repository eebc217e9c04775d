"""The ladder of disclosure: what each level shows, who decides, how much may be asked for.

Rules: one level at a time, hour by hour; a level is reached when a request for it was answered,
also by a refusal or by silence, so that the next one can be asked for, within the same hours;
whatever leaves the machine needs a ruling. How many tiles of a frame an answer may show is counted
by `portion`: the fold of a case sees none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from workseal_protocol.dispute.rules import CaseError, Rule
from workseal_protocol.records import DisputeAct, DisputeFiling
from workseal_protocol.terms import Level, Terms


@dataclass(frozen=True, slots=True)
class Rung:
    """Describe one level; `needs` is the evidence level of the terms below which it cannot be.

    `one_in` is of how many tiles of a frame one may be shown: 1 for the whole frame.
    """

    level: int
    shows: str
    decides: str
    most: int
    needs: Level
    sampled: bool = False
    approved_twice: bool = False
    one_in: int = 1

    def most_tiles(self, tiles: int) -> int:
        """Return how many of a frame's tiles may be shown, at least one."""
        return -(-tiles // self.one_in)


LADDER: Final[Mapping[int, Rung]] = {
    rung.level: rung
    for rung in (
        Rung(0, "what is in the log", "nobody: it is there", 0, Level.TIMER),
        Rung(1, "openings of activity, notes and facts of displays", "a ruling", 2_880,
             Level.ACTIVITY),
        Rung(2, "few tiles of the drawn frames", "a ruling", 64, Level.FRAMES, sampled=True,
             one_in=8),
        Rung(3, "more tiles of the same frames", "a ruling and the freelancer's approval", 64,
             Level.FRAMES, sampled=True, one_in=2),
        Rung(4, "named frames in full", "a ruling and two approvals", 4, Level.FRAMES,
             approved_twice=True),
    )
}  # fmt: skip
# A whole case asks for no more than this, so that no case wears anybody out.
MAX_ASKED: Final = 8


@dataclass(frozen=True, slots=True)
class Ask:
    """Hold the request that a case is about, and what was ruled; 0 granted means not yet."""

    level: int
    count: int
    begin: int
    end: int
    granted: int = 0


def reached_by(climbed: Iterable[Ask]) -> int:
    """Return the highest level that any of these requests reached; 0 of none."""
    return max((one.level for one in climbed), default=0)


def check_ask(
    act: DisputeAct,
    filing: DisputeFiling,
    terms: Terms,
    *,
    climbed: tuple[Ask, ...],
    frozen: bool,
) -> Ask:
    """Check a request against the ladder and return it, or raise `CaseError`.

    `climbed` are the requests whose levels were reached, each in its own hours. `frozen` says that
    the case has its sample: a later request at level 2 is for the same frames.
    """
    level, count, begin, end = act.level or 0, act.count or 0, act.begin or 0, act.end or 0
    rung = LADDER[level]
    reached = reached_by(climbed)
    if level > reached + 1:
        raise _wrong(f"level {reached + 1} at most", f"level {level}")
    if terms.level < rung.needs:
        raise _wrong(f"a level that the terms allow, with {terms.level.name.lower()}", f"{level}")
    if count > rung.most:
        raise _wrong(f"at most {rung.most} at level {level}", str(count))
    if not filing.begin <= begin < end <= filing.end:
        raise _wrong("hours within the period of the filing", f"{begin} to {end}")
    if level > 1 and not any(
        one.level >= level - 1 and one.begin <= begin and end <= one.end for one in climbed
    ):
        raise _wrong(f"hours of one request that reached level {level - 1}", f"{begin} to {end}")
    if (act.freeze is not None) != (level == 2 and not frozen):
        expected = "one freeze in a case, with its first request at level 2"
        raise _wrong(expected, "none" if act.freeze is None else f"a freeze at level {level}")
    if act.freeze is not None and count > act.freeze.count:
        raise _wrong(f"at most the {act.freeze.count} frames that there are", str(count))
    return Ask(level, count, begin, end)


def _wrong(expected: str, found: str) -> CaseError:
    return CaseError(Rule.LADDER, "the request", expected=expected, found=found)
