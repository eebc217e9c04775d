"""What stands in the way of a move, whatever it would say: caps, turns, time.

Rule: `obstacle` says why somebody cannot make a move now, so that a page can leave it out. It never
looks at a record and changes nothing.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from workseal_protocol.dispute.deadlines import DAY_MS
from workseal_protocol.dispute.ladder import LADDER, MAX_ASKED
from workseal_protocol.dispute.rules import Rule
from workseal_protocol.dispute.table import DISCLOSED, FOUND, REQUEST, State, Then
from workseal_protocol.dispute.values import (
    DRAW_WAIT_DAYS,
    LIMIT_DAYS,
    MAX_CHECKED,
    MAX_EXHIBITS,
    MAX_OFFERS,
    MAX_OUTAGES,
    MAX_STAYS,
    MAX_STAYS_DAYS,
    MOST_ANSWER_DAYS,
    REDRAFT_DAYS,
    ROOM_DAYS,
)
from workseal_protocol.keys import Role

if TYPE_CHECKING:
    from workseal_protocol.dispute.case import Case

Obstacle = tuple[Rule, str, str] | None


def obstacle(case: "Case", move: str, role: Role, then: Then | State, at: int | None) -> Obstacle:
    """Return rule, expectation and finding of what stands in the way of a move, or None.

    Without an instant `at`, what depends on the time is not looked at.
    """
    if then is Then.ALL and role in case.done:
        return Rule.ONCE, "one word of each in this state", "a second one"
    found = _OBSTACLES.get(move)
    return None if found is None else found(case, role, at)


def _extend(case: "Case", role: Role, at: int | None) -> Obstacle:
    del role, at
    if case.extended:
        return Rule.ONCE, "one extension", "a second one"
    if not case.extension_days:
        return Rule.ONCE, f"an answer within {MOST_ANSWER_DAYS} working days", "an extension"
    return None


def _answer(case: "Case", role: Role, at: int | None) -> Obstacle:
    if found := _undecided(case, role, at):
        return found
    return (Rule.ONCE, "one answer", "a second one") if case.answered else None


def _undecided(case: "Case", role: Role, at: int | None) -> Obstacle:
    """Refuse what a decision has overtaken: an appeal hears what was said before, and ends it."""
    del role, at
    return (Rule.TABLE, "no decision yet", "an appeal against one") if case.appealed else None


def _strike(case: "Case", role: Role, at: int | None) -> Obstacle:
    if role in case.struck:
        return Rule.ONCE, "one strike of each party", "a second one"
    # Else a strike would end the case, or keep the other's appeal from being heard.
    return _passed(case, role) or _another(case, role, at)


def _pass(case: "Case", role: Role, at: int | None) -> Obstacle:
    """Refuse to accept whoever was drawn before they have said what ties them to whom."""
    del role, at
    if case.state is State.SEATING and not case.declared:
        return Rule.TABLE, "the declaration of the drawn person first", "none yet"
    return None


def _appeal(case: "Case", role: Role, at: int | None) -> Obstacle:
    return _passed(case, role) or _another(case, role, at)


def _passed(case: "Case", role: Role) -> Obstacle:
    """Refuse what a party has given up by a signed word: who was told so may rely on it."""
    if role in case.done:
        return Rule.ONCE, "no pass of the same party before", "one"
    return None


def _exhibit(case: "Case", role: Role, at: int | None) -> Obstacle:
    if found := _undecided(case, role, at):
        return found
    if case.exhibits.count(role) >= MAX_EXHIBITS:
        return Rule.FULL, f"at most {MAX_EXHIBITS} exhibits of a party", "one more"
    return None


def _offer(case: "Case", role: Role, at: int | None) -> Obstacle:
    if found := _undecided(case, role, at):
        return found
    if case.offered.count(role) >= MAX_OFFERS:
        return Rule.FULL, f"at most {MAX_OFFERS} offers of a party", "one more"
    return None


def _accept(case: "Case", role: Role, at: int | None) -> Obstacle:
    if found := _undecided(case, role, at):
        return found
    if all(maker is role for maker in case.offers.values()):
        return Rule.CITATION, "an offer of the other party", "none"
    return None


def _ask(case: "Case", role: Role, at: int | None) -> Obstacle:
    del role
    if case.terms.level < LADDER[1].needs:
        return Rule.LADDER, "terms by which something can be asked for", "a timer alone"
    if case.asked >= MAX_ASKED:
        return Rule.LADDER, f"at most {MAX_ASKED} requests in a case", "one more"
    # The first of whoever sits first always has the days that it needs.
    later = case.asked or case.gone
    return _room(case, at, ROOM_DAYS, "a further request") if later else None


def _room(case: "Case", at: int | None, days: int, what: str) -> Obstacle:
    """Refuse what would leave no time for the comments and the decision."""
    if at is None or has_room(case, at, days):
        return None
    left = max((case.limit or 0) - at, 0) // DAY_MS
    return Rule.ROOM, f"{days} of {LIMIT_DAYS} days left for {what}", f"{left}"


def has_room(case: "Case", at: int, days: int = ROOM_DAYS) -> bool:
    """Say whether so many days are left before the limit."""
    return at + days * DAY_MS <= (case.limit or 0)


def _shows(case: "Case", role: Role, at: int | None) -> Obstacle:
    """Refuse to show what nobody was granted. What comes late needs no room: it takes none."""
    del role, at
    if case.ask is None or not case.ask.granted or case.answered_ask:
        return Rule.REQUEST, "an open request that was granted", "none"
    return None


def _show(case: "Case", role: Role, at: int | None) -> Obstacle:
    if case.ask is not None and case.ask.level != 1:
        return Rule.LADDER, "frames, by a disclosure", "openings"
    return None if case.shows_again else _shows(case, role, at)


def _disclosure(case: "Case", role: Role, at: int | None) -> Obstacle:
    if case.request is None:
        return Rule.REQUEST, "a request that names frames", "none"
    if case.ask is not None and LADDER[case.ask.level].approved_twice and not case.approved:
        return Rule.LADDER, "an approval before whole frames are shown", "none"
    return _shows(case, role, at)


def _request(case: "Case", role: Role, at: int | None) -> Obstacle:
    del role, at
    # Not `drawn`: sorting 100,000 places takes a while, and this is asked for each page.
    drawn = case.sample is not None and case.sample.seed is not None
    if case.ask is not None and LADDER[case.ask.level].sampled and not drawn:
        return Rule.SAMPLE, "a draw before frames are named", "none"
    return None


def _approve(case: "Case", role: Role, at: int | None) -> Obstacle:
    del role, at
    if case.ask is None or not LADDER[case.ask.level].approved_twice or case.approved:
        return Rule.LADDER, "one approval of whole frames", "another"
    return None


def _commit(case: "Case", role: Role, at: int | None) -> Obstacle:
    del at
    if case.sample is None or case.sample.ruled_at:
        return Rule.SAMPLE, "a freeze that is still to be ruled on", "none"
    if role in case.sample.commitments:
        return Rule.ONCE, "one secret of each", "a second one"
    return None


def _reveal(case: "Case", role: Role, at: int | None) -> Obstacle:
    if case.sample is None or role not in case.sample.commitments or case.sample.seed is not None:
        return Rule.SAMPLE, "a commitment of the same party and no draw yet", "none, or a draw"
    if role in case.sample.secrets:
        return Rule.ONCE, "one secret of each", "a second one"
    if case.reveal_until is None:
        # A ruling sets the round: who times it, with secrets in hand, would choose among draws.
        return Rule.SAMPLE, "a ruling", "none yet"
    if at is not None and at > case.reveal_until:
        return Rule.TIME, f"a secret until {case.reveal_until}", str(at)
    return None


def _sample(case: "Case", role: Role, at: int | None) -> Obstacle:
    del role, at
    if case.sample is None or not case.sample.ruled_at or case.sample.seed is not None:
        return Rule.SAMPLE, "a granted sample that is not drawn yet", "none"
    return None


def _claw_back(case: "Case", role: Role, at: int | None) -> Obstacle:
    del role
    if not set(case.shown) - case.clawed_back:
        return Rule.CITATION, "something that was shown", "nothing"
    interrupted = case.state if case.paused is None else case.paused.state
    if case.appealed or (case.redrafted and interrupted in {State.DRAFT, State.DECISION}):
        return Rule.ONCE, "one claw-back after a draft, and none after an appeal", "another"
    if interrupted not in {State.DRAFT, State.DECISION}:
        return None
    if case.paused is not None:
        return Rule.ONCE, "none while a draft or a decision is stayed", "a claw-back"
    # The draft falls, so that both have their words on what is left.
    return _room(case, at, REDRAFT_DAYS, "another draft")


def _unreadable(case: "Case", role: Role, at: int | None) -> Obstacle:
    del at
    if full := _checked(case, role):
        return full
    if set(case.shown) - case.clawed_back - case.unreadable:
        return None
    return Rule.CITATION, "something that was shown, and not named as unreadable", "nothing"


def _finding(case: "Case", role: Role, at: int | None) -> Obstacle:
    del at
    left = {one for one, roles in case.unexamined.items() if role in roles}
    if not left:
        return Rule.ONCE, "one finding of each disclosure", "a second one"
    if left <= case.clawed_back:
        return Rule.CITATION, "something that was shown and is not taken back", "nothing"
    return _checked(case, role)


def _checked(case: "Case", role: Role) -> Obstacle:
    if role is Role.ARBITRATOR and case.checked >= MAX_CHECKED:
        return Rule.FULL, f"at most {MAX_CHECKED} findings and unreadables of who sat", "one more"
    return None


def _another(case: "Case", role: Role, at: int | None) -> Obstacle:
    """Refuse what empties the seat where nobody else can be drawn for it."""
    del role, at
    left = set(case.panel) - {case.arbitrator}
    return None if left else (Rule.DRAW, "another person on the panel", "nobody")


def _outage(case: "Case", role: Role, at: int | None) -> Obstacle:
    del role, at
    if case.outages >= MAX_OUTAGES:
        return Rule.FULL, f"at most {MAX_OUTAGES} outages in a case", "one more"
    return None


def _stay(case: "Case", role: Role, at: int | None) -> Obstacle:
    del role
    if case.stays >= MAX_STAYS or case.stayed_days >= MAX_STAYS_DAYS:
        return Rule.FULL, f"at most {MAX_STAYS} stays of {MAX_STAYS_DAYS} days in all", "more"
    # It gives back the time that was left, and none where none was.
    if at is not None and case.due is not None and at > case.due.until:
        return Rule.TIME, f"a stay until {case.due.until}, while the deadline runs", str(at)
    return None


def _lapse(case: "Case", role: Role, at: int | None) -> Obstacle:
    if case.state is State.SEALED and role not in case.done:
        return Rule.ONCE, "the operator's own word that what it held is destroyed", "none"
    if case.state is State.DRAW:
        # Only a value that does not come lets a later one draw: else lapses would choose.
        return _overdue(case, role, None if at is None else at - DRAW_WAIT_DAYS * DAY_MS)
    return _overdue(case, role, at)


def _destroy(case: "Case", role: Role, at: int | None) -> Obstacle:
    # The time of the second word begins with the first.
    return None if case.done else _overdue(case, role, at)


def _overdue(case: "Case", role: Role, at: int | None) -> Obstacle:
    del role
    if at is not None and case.due is not None and at <= case.due.until:
        return Rule.TIME, f"an instant after {case.due.until}", str(at)
    return None


_OBSTACLES: Final[Mapping[str, Callable[["Case", Role, int | None], Obstacle]]] = {
    "extend": _extend,
    "answer": _answer,
    "strike": _strike,
    "pass": _pass,
    "exhibit": _exhibit,
    "offer": _offer,
    "accept": _accept,
    "withdraw": _undecided,
    "ask": _ask,
    "show": _show,
    DISCLOSED: _disclosure,
    REQUEST: _request,
    FOUND: _finding,
    "approve": _approve,
    "commit": _commit,
    "reveal": _reveal,
    "sample": _sample,
    "claw-back": _claw_back,
    "unreadable": _unreadable,
    "appeal": _appeal,
    "outage": _outage,
    "stay": _stay,
    "lapse": _lapse,
    "destroy": _destroy,
}
