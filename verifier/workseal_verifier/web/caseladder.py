"""The ladder of a case: what each level shows, where the case stands, what was asked and answered.

Rule: levels, caps and who decides are the protocol's own table; what became of a request is read
from the statements after it.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, Final

from workseal_protocol.cli.sampled import PAST_ASKING, LevelShown, levels_shown
from workseal_protocol.dispute import LADDER, Case, Rung, State
from workseal_protocol.records import DisputeAct, Ground, Refusal
from workseal_protocol.terms import Level
from workseal_verifier.services.hearing import Told
from workseal_verifier.web.casewords import named

LEAVES: Final[Mapping[int, str]] = {
    0: "nothing new",
    1: "numbers and notes, no picture",
    2: "a few tiles",
    3: "more tiles",
    4: "whole frames, to be viewed and not kept",
}
_LEVELS: Final[Mapping[Level, str]] = {
    Level.TIMER: "timer",
    Level.ACTIVITY: "timer and activity",
    Level.FRAMES: "frames",
}
# Where a request waits for its ruling.
_ASKED: Final = frozenset({State.OBJECTION.value, State.RULING.value, State.STAYED.value})
# From a draft on nobody asks any more; an appeal is decided on what there is.
_ANSWERS: Final = frozenset({"show", "disclosure", "withhold"})
GROUNDS: Final = tuple(named(one.name) for one in Ground)
REFUSALS: Final = tuple(named(one.name) for one in Refusal)


def rungs_of(case: Case, told: Sequence[Told]) -> list[dict[str, Any]]:
    """Describe each level, how this case stands to it, and how many of its frames were shown."""
    shown = levels_shown(case, [(one.digest, one.record) for one in told])
    return [_rung(case, rung, shown.get(rung.level)) for rung in LADDER.values()]


def _rung(case: Case, rung: Rung, shown: LevelShown | None) -> dict[str, Any]:
    return {
        "level": rung.level,
        "shows": rung.shows,
        "leaves": LEAVES[rung.level],
        "decides": rung.decides,
        "most": rung.most,
        "one_in": rung.one_in,
        "needs": _LEVELS[rung.needs],
        "standing": _standing(case, rung),
        "shown": "" if shown is None else shown.words,
        "here": case.ask is not None and case.ask.level == rung.level and not case.answered_ask,
    }


def _standing(case: Case, rung: Rung) -> str:
    if case.terms.level < rung.needs:
        return "not in this agreement"
    if rung.level <= case.reached:
        return "reached"
    if case.ask is not None and case.ask.level == rung.level:
        return "asked for"
    if case.state in PAST_ASKING or case.appealed:
        return "not asked for"
    return (
        "may be asked for next" if rung.level == case.reached + 1 else "not before the level below"
    )


def requests_of(
    steps: Sequence[Mapping[str, Any]], told: Sequence[Told], active: Sequence[int] | None = None
) -> list[dict[str, Any]]:
    """Tell every request and what became of it, in order.

    `active` has when segments begin that have activity to open; None where they are not counted.
    """
    found: list[dict[str, Any]] = []
    before = ""
    for step, one in zip(steps, told, strict=True):
        record = one.record
        if isinstance(record, DisputeAct) and one.move == "ask":
            found.append(
                {
                    "step": step,
                    "level": record.level,
                    "count": record.count,
                    "begin": record.begin,
                    "end": record.end,
                    "why": record.why,
                    "objections": [],
                    "ruling": None,
                    "granted": None,
                    "answer": None,
                    "silent": False,
                    "word": None,
                    "dropped": False,
                    "openable": _openable(record, active),
                }
            )
        elif found:
            _follow(found[-1], step, record, before)
            # Whoever ruled on it would still have to sit.
            found[-1]["dropped"] |= one.state not in _ASKED and found[-1]["ruling"] is None
        before = one.state
    return found


def _openable(ask: DisputeAct, active: Sequence[int] | None) -> int | None:
    """Count the segments of a request's hours that have activity to open."""
    if active is None or ask.level != 1:
        return None
    return bisect_left(active, ask.end or 0) - bisect_left(active, ask.begin or 0)


def _follow(request: dict[str, Any], step: Mapping[str, Any], record: object, before: str) -> None:
    """Add to a request what a later statement says of it."""
    move = step["move"]
    if move == "object":
        request["objections"].append(step)
    elif move == "rule" and isinstance(record, DisputeAct):
        request["ruling"] = step
        request["granted"] = record.count or request["count"]
    elif move in _ANSWERS:
        request["answer"] = step
    elif move == "lapse" and before == State.DISCLOSURE.value:
        request["silent"] = True
    elif move == "comment" and before == State.COMMENT.value:
        request["word"] = step
