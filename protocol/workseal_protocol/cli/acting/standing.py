"""What is so of a case for one person: what they may do, how it is typed, what silence does.

Rule: it follows from the replay alone; lines and values say the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from workseal_protocol.cli.acting.reading import Live
from workseal_protocol.cli.acting.said import DETAILS, spelled
from workseal_protocol.cli.casesums import CaseOffer, Ending, ending_of, open_offers
from workseal_protocol.cli.sampled import (
    PAST_ASKING,
    LevelShown,
    SampleTold,
    levels_shown,
    sample_told,
)
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import LADDER, Case, State
from workseal_protocol.keys import Role

_REMINDED: Final = (
    "a reminder of 5 working days, the one of this arbitrator; else another one is drawn"
)
# What the end of a deadline does when nobody acts. Nothing of it decides.
SILENCE: Final[dict[State, str]] = {
    State.NOTICE: "the time for an answer begins all the same",
    State.ANSWER: "what is left of 15 working days begins, or else an arbitrator is drawn",
    State.SECOND: "an arbitrator is drawn; an answer is still taken then, and marked as late",
    State.NEGOTIATION: "an arbitrator is drawn",
    State.DRAW: "nothing: anybody of the case may make the draw; without a value for a week a later"
    " round draws, and after four times the case ends",
    State.SEATING: "it goes on with the arbitrator, if they declared; else with another person",
    State.EVIDENCE: _REMINDED,
    State.OBJECTION: "the request counts as not objected to, and is ruled on",
    State.RULING: _REMINDED,
    State.NAMING: _REMINDED,
    State.DISCLOSURE: "nothing is shown, and nothing follows from that by itself",
    State.COMMENT: "it goes on without a comment",
    State.DRAFT: "it goes on without a comment on the draft",
    State.DECISION: _REMINDED,
    State.APPEAL: "the decision is final",
    State.REVIEW: "it goes on without comments",
    State.STAYED: "the case goes on where it was interrupted",
    State.SETTLED: "the case is sealed",
    State.WITHDRAWN: "the case is sealed",
    State.UNDECIDED: "the case is sealed",
    State.FINAL: "the case is sealed",
    State.SEALED: "what was shown is destroyed; 30 days after the operator's word the case ends"
    " also without the arbitrator's",
}
_EXAMPLES: Final = {
    "amount": "480.00", "begin": "YYYY-MM-DD", "end": "YYYY-MM-DD", "calendar": "DE-BY",
    "cite": "DIGEST", "text": '"…"', "why": '"…"', "frame": "DIGITS", "file": "FILE",
    "salted": "NEW-FILE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asker:
    """Say for whom a case is told; `command` writes how a move is made."""

    key: Digest
    now_ms: int
    command: Callable[[str, str], str]

    def role(self, case: Case) -> Role:
        """Return the asker's role."""
        return case.parties.roles[self.key]

    def zone(self, case: Case) -> str:
        """Return the zone that the asker announced, else that of the terms."""
        return zone_for(case, self.key)


def zone_for(case: Case, key: Digest) -> str:
    """Return the zone that a key's person announced, else that of the terms."""
    role = case.parties.roles.get(key)
    if role is None or not announced(case, role):
        return case.terms.zone
    return case.calendars[role][0].zone


def announced(case: Case, role: Role) -> bool:
    """Say whether somebody announced days and zone of their own; else those of the terms count."""
    return role in case.calendars


def awaits_decision(case: Case) -> bool:
    """Say whether a decision is still to come."""
    return case.open and (case.decision is None or case.appealed)


def sample_of(live: Live) -> SampleTold | None:
    """Say what the sample means and what became of it; None before it is drawn."""
    return sample_told(live.case, live.said)


def shown_of(live: Live) -> dict[int, LevelShown]:
    """Count for each level how many of its frames were shown."""
    return levels_shown(live.case, live.said)


def offers_of(live: Live) -> tuple[CaseOffer, ...]:
    """Return the offers that somebody may accept now."""
    return tuple(open_offers(live.case, live.said))


def ended(live: Live) -> Ending | None:
    """Return the sum that a case ended with; None while it is open, or where it had none."""
    return None if live.case.open else ending_of(live.said)


def may_do(live: Live, asker: Asker) -> tuple[str, ...]:
    """Return the moves that the asker has now."""
    at = max(asker.now_ms, live.case.known_at)
    return tuple(dict.fromkeys(live.case.allowed(asker.key, at)))


def typed(case: Case, move: str, role: Role) -> str:
    """Write the details that a move needs, as they are typed; an offer to accept by its digest."""
    details = DETAILS.get(move)
    if details is None:
        return ""
    if move == "accept":
        return " ".join(f"--cite {one}" for one, maker in case.offers.items() if maker is not role)
    wanted = set(details.needs)
    if move == "request" and case.ask is not None and not LADDER[case.ask.level].sampled:
        wanted.add("frame")
    return " ".join(f"{spelled(name)} {_EXAMPLES.get(name, '…')}" for name in sorted(wanted))


def is_past_asking(case: Case) -> bool:
    """Say whether nobody asks for evidence any more: from a draft on, and after an appeal."""
    return case.appealed or case.state in PAST_ASKING


def rungs(case: Case) -> Iterator[tuple[int, str]]:
    """Give each level with where the case stands on it."""
    past = is_past_asking(case)
    for level, rung in LADDER.items():
        if case.terms.level < rung.needs:
            yield level, "not in these terms"
        elif case.ask is not None and case.ask.level == level and not case.answered_ask:
            yield level, "granted" if case.ask.granted else "asked for"
        elif level <= case.reached:
            yield level, "reached"
        elif past:
            yield level, "not asked for"
        else:
            yield level, "may be asked for" if level == case.reached + 1 else "not yet"


def role_word(role: Role) -> str:
    """Write a role."""
    return role.name.lower()


def plain_word(name: str) -> str:
    """Write the name of a code."""
    return name.lower().replace("_", " ")
