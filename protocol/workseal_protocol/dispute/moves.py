"""What a move changes, and where it leads.

Rule: nothing here refuses; `obstacles` and `contents` did before.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from workseal_protocol.digest import Digest
from workseal_protocol.dispute.contents import CaseRecord, stay_days
from workseal_protocol.dispute.deadlines import DAY_MS
from workseal_protocol.dispute.ladder import Ask
from workseal_protocol.dispute.obstacles import has_room
from workseal_protocol.dispute.table import (
    ARBITRATORS,
    CLOCKS,
    State,
    Then,
)
from workseal_protocol.dispute.values import (
    MAX_REDRAWS,
    SEAL_DAYS,
    SEATED_DAYS,
    Deadline,
    Paused,
    Sample,
)
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    DisputeAct,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    Ruling,
)

PARTIES: Final = frozenset({Role.CLIENT, Role.FREELANCER})
# Neither keeps the other's check of what was shown out of the case.
CHECKING: Final = frozenset({Role.OPERATOR, Role.ARBITRATOR})

if TYPE_CHECKING:
    from workseal_protocol.dispute.case import Case


def changed(case: "Case", role: Role, record: CaseRecord, digest: Digest, at: int) -> "Case":
    """Write down what a statement says, before the case moves on."""
    match record:
        case DisputeRequest():
            return replace(case, request=digest)
        case DisputeDisclosure():
            unexamined = {**case.unexamined, digest: CHECKING}
            shown = replace(case, shown=(*case.shown, digest), unexamined=unexamined)
            return replace(shown, **_done_asking(case))
        case DisputeFinding(disclosure=named):
            left = case.unexamined[named] - {role}
            checked = case.checked + (role is Role.ARBITRATOR)
            found = replace(case, findings={**case.findings, digest: named}, checked=checked)
            return replace(found, unexamined={**case.unexamined, named: left})
        case DisputeAct():
            announced = {}
            if record.calendar is not None:
                announced = {role: (record.calendar, at // DAY_MS)}
            known = replace(case, calendars={**case.calendars, **announced})
            return replace(known, **_fields(known, role, record, digest, at))


def _fields(  # noqa: C901, PLR0911, PLR0912 - one line for each act that leaves a trace
    case: "Case", role: Role, act: DisputeAct, digest: Digest, at: int
) -> dict[str, Any]:
    match act.act:
        case Act.ANSWER:
            return {"answered": True}
        case Act.EXTEND:
            return {"extended": True}
        case Act.OFFER:
            # A new offer takes back the one before it.
            others = {one: maker for one, maker in case.offers.items() if maker is not role}
            return {"offers": others | {digest: role}, "offered": (*case.offered, role)}
        case Act.DRAFT:
            # Who offered did not know it.
            return {"offers": {}}
        case Act.WITHDRAW:
            return {"withdrawn": True}
        case Act.EXHIBIT:
            return {"exhibits": (*case.exhibits, role)}
        case Act.DRAW:
            return {"arbitrator": act.person, "declared": False}
        case Act.DECLARE:
            late = _ends_within_a_day(case, at)
            told = {"declared": True, "declared_at": at, "declared_late": late}
            return told | {"sealing_key": act.sealing_key}
        case Act.RECUSE | Act.STRIKE:
            struck = case.struck | {role} if act.act is Act.STRIKE else case.struck
            return {"struck": struck} | _vacated(case, at)
        case Act.ASK:
            return _asked(case, act)
        case Act.RULE:
            return _ruled(case, act, at)
        case Act.COMMIT | Act.REVEAL | Act.SAMPLE:
            return {"sample": _mixed(case, role, act)}
        case Act.APPROVE:
            return {"approved": True}
        case Act.SHOW:
            again = {"answer": digest, "shown_again": case.shows_again}
            return {"shown": (*case.shown, digest)} | again | _done_asking(case)
        case Act.WITHHOLD:
            return _done_asking(case)
        case Act.DECIDE:
            return {"decision": digest}
        case Act.APPEAL:
            return {"appealed": True} | _vacated(case, at)
        case Act.STAY:
            days = case.stayed_days + stay_days(act, at)
            return {"stays": case.stays + 1, "stayed_days": days}
        case Act.CLAW_BACK:
            after_draft = case.state in {State.DRAFT, State.DECISION}
            return {
                "clawed_back": case.clawed_back | frozenset(act.cites or ()),
                "redrafted": case.redrafted or after_draft,
            }
        case Act.UNREADABLE:
            unreadable = case.unreadable | frozenset(act.cites or ())
            return {"unreadable": unreadable, "checked": case.checked + 1}
        case Act.DESTROY:
            return {"destroyed": case.destroyed | {role}}
        case Act.OUTAGE:
            return {"outages": case.outages + 1, "down_until": act.end or 0}
        case _:
            return {}


def _vacated(case: "Case", at: int) -> dict[str, Any]:
    """Empty the seat: whoever sat there is not drawn again, and the limit stands still."""
    gone = case.gone if case.arbitrator is None else case.gone | {case.arbitrator}
    halted = at if case.halted_at is None else case.halted_at
    return {
        "gone": gone,
        "arbitrator": None,
        "declared": False,
        "sealing_key": None,
        "calendars": {who: one for who, one in case.calendars.items() if who in PARTIES},
        "halted_at": halted,
        "reminded": False,
        "ask": None,
        "answer": None,
        "request": None,
        "approved": False,
        # Who sits next is not bound by what the one before found.
        "unexamined": {one: left | {Role.ARBITRATOR} for one, left in case.unexamined.items()},
        "unreadable": frozenset(),
    } | _without_undrawn(case)


def _asked(case: "Case", act: DisputeAct) -> dict[str, Any]:
    ask = Ask(act.level or 0, act.count or 0, act.begin or 0, act.end or 0)
    fields: dict[str, Any] = {
        "ask": ask,
        "asked": case.asked + 1,
        "answered_ask": False,
        "answer": None,
        "shown_again": False,
        "request": None,
        "approved": False,
    }
    return fields if act.freeze is None else fields | {"sample": Sample(act.freeze)}


def _ruled(case: "Case", act: DisputeAct, at: int) -> dict[str, Any]:
    if case.ask is None or act.code is Ruling.REFUSE:
        return {"ask": None} | _without_undrawn(case)
    granted = act.count if act.code is Ruling.NARROW and act.count else case.ask.count
    fields: dict[str, Any] = {"ask": replace(case.ask, granted=granted)}
    if case.sample is not None and not case.sample.ruled_at:
        fields["sample"] = replace(case.sample, ruled_at=at, size=granted)
    return fields


def _without_undrawn(case: "Case") -> dict[str, Any]:
    """Forget a sample that was never granted, so never drawn: a later request may freeze anew."""
    return {} if case.sample is None or case.sample.ruled_at else {"sample": None}


def _mixed(case: "Case", role: Role, act: DisputeAct) -> Sample | None:
    sample, value = case.sample, act.value or b""
    if sample is None:
        return None
    match act.act:
        case Act.COMMIT:
            return replace(sample, commitments={**sample.commitments, role: value})
        case Act.REVEAL:
            return replace(sample, secrets={**sample.secrets, role: value})
        case _:
            return replace(sample, seed=case.seed_of(act.round or 0, value))


def _done_asking(case: "Case") -> dict[str, Any]:
    return {"answered_ask": True} | _reached(case)


def _reached(case: "Case") -> dict[str, Any]:
    """Go up to the level that was asked for, in the hours of that request."""
    if case.ask is None:
        return {}
    return {} if case.ask in case.climbed else {"climbed": (*case.climbed, case.ask)}


# --- where it leads ---


def moved(
    case: "Case", role: Role, record: CaseRecord, then: Then | State, at: int, *, sits: bool
) -> "Case":
    """Give the case in the state that a row leads to; its deadline is still to be written.

    `sits` says that the sender is the arbitrator who was drawn: others of the panel may do what
    anyone may, and restart nothing.
    """
    act = record.act if isinstance(record, DisputeAct) else None
    if act is Act.LAPSE:
        return _lapsed(case, at)
    if sits:
        case = _going_on(case, at)
    if then is Then.LATE:
        # Without the room for it, the word on what came late is the one on the draft.
        then = State.COMMENT if has_room(case, at) else Then.SAME
    if isinstance(record, DisputeAct) and act is Act.STAY:
        return _stayed(case, record.end or 0, at)
    if then is Then.SAME:
        return case
    if then is Then.ALL:
        return _one_more(case, role, at)
    if then is Then.BACK:
        return _resumed(case, at)
    return _enter(case, then if isinstance(then, State) else _leads(case, then), at)


def _leads(case: "Case", then: Then) -> State:
    if then is Then.DECIDED:
        return State.FINAL if case.appealed else State.APPEAL
    if then is Then.NEXT:
        if case.state is State.ANSWER and not case.second_days:
            return State.DRAW
        return CLOCKS[case.state].next or case.state
    if case.ask is None:
        return State.EVIDENCE
    return State.DISCLOSURE if case.ask.level == 1 else State.NAMING


def _stayed(case: "Case", until: int, at: int) -> "Case":
    if case.due is None:
        raise ValueError("a state that can be stayed has a deadline")
    stayed = replace(case.entered(State.STAYED, at), done=case.done)
    deadline = Deadline(until, case.roles_of(CLOCKS[State.STAYED].binds))
    return replace(stayed, due=deadline, paused=Paused(case.state, case.due, at))


def _one_more(case: "Case", role: Role, at: int) -> "Case":
    done = case.done | {role}
    if done >= awaited(case):
        return _enter(case, _leads(case, Then.NEXT), at)
    if case.state is State.SEALED and role is Role.OPERATOR:
        # Whoever sat is waited for so long, and not for ever.
        until = at + SEAL_DAYS * DAY_MS
        return replace(case, done=done, due=Deadline(until, frozenset({Role.ARBITRATOR})))
    if case.state is State.SEATING and role is Role.ARBITRATOR and case.declared_late:
        # Nobody strikes for what they had no time to read.
        return replace(case, done=done, due=None)
    return replace(case, done=done)


def _ends_within_a_day(case: "Case", at: int) -> bool:
    return case.due is not None and at > case.due.until - DAY_MS


def awaited(case: "Case") -> frozenset[Role]:
    """Return everybody whose word ends the state."""
    if case.state is State.SEALED:
        operator = frozenset({Role.OPERATOR})
        return operator | {Role.ARBITRATOR} if case.arbitrator is not None else operator
    return case.roles_of(CLOCKS[case.state].binds)


def _enter(case: "Case", state: State, at: int) -> "Case":
    if state is State.EVIDENCE and case.state is State.SEATING:
        case = _going_on(case, at)
        if case.appealed:
            state = State.REVIEW
        else:
            case = _with_time(case, at)
    if state is State.DRAW and not case.panel:
        return _undrawn(case, at)
    if state in {State.ANSWER, State.NEGOTIATION} and case.effective_at is None:
        case = replace(case, effective_at=at)
    return case.entered(state, at)


def _with_time(case: "Case", at: int) -> "Case":
    """Move the limit along for whoever sits after somebody else, so that they can hear the case."""
    if not case.gone or case.limit is None:
        return case
    short = at + SEATED_DAYS * DAY_MS - case.limit
    return replace(case, stopped_ms=case.stopped_ms + max(short, 0))


def _undrawn(case: "Case", at: int) -> "Case":
    """End what nobody is left to decide. What was decided before an appeal stands."""
    state = State.FINAL if case.decision is not None else State.UNDECIDED
    return case.entered(state, at)


def _going_on(case: "Case", at: int) -> "Case":
    """Let the limit run again: an arbitrator sits and acts."""
    if case.halted_at is None or not case.declared:
        return case
    return replace(case, halted_at=None, stopped_ms=case.stopped_ms + at - case.halted_at)


def _lapsed(case: "Case", at: int) -> "Case":
    """Move on because a deadline has passed. Nobody loses anything by it."""
    until = at if case.due is None else case.due.until
    if case.state is State.STAYED:
        return _resumed(case, at)
    waited = replace(case, halted_at=until if case.halted_at is None else case.halted_at)
    if case.state is State.DRAW:
        missed = replace(waited, redrawn=case.redrawn + 1)
        return (
            _undrawn(missed, at)
            if missed.redrawn >= MAX_REDRAWS
            else _enter(missed, State.DRAW, at)
        )
    if case.state in ARBITRATORS:
        if not case.reminded:
            return replace(waited, reminded=True, due=None)
        return _enter(replace(waited, **_vacated(waited, at)), State.DRAW, at)
    if case.state is State.SEATING and not case.declared:
        return _enter(replace(case, **_vacated(case, until)), State.DRAW, at)
    if case.state is State.DISCLOSURE and case.ask is not None:
        case = replace(case, **_reached(case))
    return _enter(case, _leads(case, Then.NEXT), at)


def _resumed(case: "Case", at: int) -> "Case":
    paused = case.paused
    if paused is None:
        return case
    return replace(case.entered(paused.state, at), done=case.done, paused=None)
