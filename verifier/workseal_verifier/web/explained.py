"""In words: why a statement has its grade, what bounds its time, and what it does not prove."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final

from workseal_protocol.lottery import round_start
from workseal_protocol.records import Segment
from workseal_protocol.terms import Terms
from workseal_protocol.window import ONLINE_MS, Entry, Grade, Window
from workseal_verifier.web.render import moment, span

_WHY: Final[Mapping[Grade, str]] = {
    Grade.LATE: (
        "it holds the verifier's value of its round, and no checkpoint with its witnesses is shown"
        f" to have covered it within {ONLINE_MS // 1000} seconds after the round"
    ),
    Grade.OFFLINE: "it holds no value of the verifier: the agent could not hear it",
    Grade.DECLARED: "the freelancer says so; nothing on the screen is recorded of it",
}
NOT_PROVEN: Final[Mapping[Grade, str]] = {
    Grade.ONLINE: (
        "Between its bounds the freelancer's machine says when work began and ended: begin, end and"
        " worked time are its claim."
    ),
    Grade.LATE: (
        "It may have been recorded at any time up to its upper bound, with every draw known; the"
        " limit on offline time counts it."
    ),
    Grade.OFFLINE: (
        "Its time is the device's claim within the bounds, and the machine's owner could foresee"
        " its captures; the limit on offline time counts it."
    ),
    Grade.DECLARED: "It rests on the freelancer's word.",
}


def grade_text(terms: Terms, entry: Entry) -> str | None:
    """Say why a statement is graded as it is; None for one that carries no time."""
    if entry.grade is None:
        return None
    record, upper = entry.record, entry.window.upper
    if entry.grade is not Grade.ONLINE or not isinstance(record, Segment) or upper is None:
        return _WHY[entry.grade]
    after = upper - round_start(record.round + 1, terms.round_ms)
    when = f"{span(after)} after its round ended" if after >= 0 else "before its round ended"
    return f"it holds the verifier's value of its round, and its witnesses had cosigned it {when}"


def bound_text(window: Window, zone: tzinfo) -> tuple[str, str]:
    """Say not before when, and by when a statement was signed, and what shows that."""
    lower = "nothing shows since when"
    if window.lower is not None:
        lower = f"not before {moment(window.lower, zone)}, by a {window.lower_source}"
    upper = "nothing shows by when"
    if window.upper is not None:
        upper = f"by {moment(window.upper, zone)}, by a {window.upper_source}"
    return lower, upper
