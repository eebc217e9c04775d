"""Short cases by name, each with the statement that ends it and the outcome: a state or a rule."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from support.builders import CLIENT, ENGAGEMENT, NOW, STRANGER, digest
from support.cases import CLIENT_DAYS, DAY, FREELANCER_DAYS, HOUR, Play, case_terms
from workseal_protocol.dispute import CaseError, Span, State, Wanted, count_due
from workseal_protocol.encoding import encode
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    CaseCalendar,
    CasePlace,
    DisputeAct,
    Due,
    Finding,
    Outcome,
    Ruling,
    Verdict,
    sign,
)
from workseal_protocol.terms import Terms

Begin = Callable[..., Play]
Story = Callable[[Begin], Play]
_CLIENT, _FREELANCER, _ARBITRATOR, _OPERATOR = (
    Role.CLIENT,
    Role.FREELANCER,
    Role.ARBITRATOR,
    Role.OPERATOR,
)


def _whole(begin: Begin) -> Play:
    play = begin().heard()
    for level in (1, 2, 3, 4):
        play.shown(level)
    play.decided().act(_FREELANCER, Act.APPEAL).seat().both(Act.COMMENT)
    play.act(_ARBITRATOR, Act.DECIDE).lapse().pass_due()
    return play.act(_OPERATOR, Act.DESTROY).act(_ARBITRATOR, Act.DESTROY)


def _passed(begin: Begin, state: State, by: Role) -> Play:
    """Let the client give up the appeal, or accept the drawn person, and a party do that."""
    play = begin().lapse().lapse().lapse().draw().act(_ARBITRATOR, Act.DECLARE)
    if state is State.APPEAL:
        play = play.both(Act.PASS).decided()
    play.act(_CLIENT, Act.PASS)
    # With the deadline of the draw in each case: nothing but who passed is between them.
    due = Wanted(Span(play.now, 1), frozenset({_OPERATOR})).count(play.days_of(_OPERATOR))
    return play.act(by, Act.STRIKE if state is State.SEATING else Act.APPEAL, due=due)


def _passed_for_one(begin: Begin) -> Play:
    """Let the client accept one person, whom the other party strikes, and strike the next."""
    return _passed(begin, State.SEATING, _FREELANCER).draw().act(_CLIENT, Act.STRIKE)


def _declared_late(begin: Begin) -> Play:
    """Let the drawn person declare in the last hours of their deadline."""
    play = begin().lapse().lapse().lapse().draw()
    assert play.case.due is not None
    play.now = play.case.due.until - DAY + 1
    return play.act(_ARBITRATOR, Act.DECLARE)


def _looked_for_two_days(begin: Begin) -> Play:
    """Give whoever declared late both days to look."""
    play = _declared_late(begin).pass_due()
    wanted = Wanted(Span(play.now - 2_000, 2), frozenset({_ARBITRATOR}))
    return play.act(_OPERATOR, Act.LAPSE, due=wanted.count(play.days_of(_ARBITRATOR)))


def _lapsed_on_the_declaration(begin: Begin) -> Play:
    """End the seating when the deadline before a late declaration is over."""
    play = begin().lapse().lapse().lapse().draw()
    assert play.case.due is not None
    play.now = play.case.due.until
    return play.act(_ARBITRATOR, Act.DECLARE).wait(2_000).act(_OPERATOR, Act.LAPSE, due=None)


def _silent(begin: Begin) -> Play:
    return begin().lapse().lapse().lapse().seat().act(_ARBITRATOR, Act.DRAFT).lapse()


def _settled(begin: Begin) -> Play:
    play = begin().act(_OPERATOR, Act.NOTICE).act(_FREELANCER, Act.ANSWER)
    play.act(_FREELANCER, Act.OFFER)
    return play.act(_CLIENT, Act.ACCEPT, cites=(play.case.head,))


def _due(play: Play, **changes: Any) -> Due:
    record_due = play.case.due
    assert record_due is not None
    assert record_due.due is not None
    return replace(record_due.due, **changes)


def _short(begin: Begin) -> Play:
    play = begin()
    return play.act(_OPERATOR, Act.NOTICE, due=_due(play, days=10))


def _linked(begin: Begin, **changes: Any) -> Play:
    play = begin()
    place = replace(CasePlace(play.case.case, play.case.head), **changes)
    record = DisputeAct(engagement=ENGAGEMENT, claimed_at=NOW, place=place, act=Act.WITHDRAW)
    return play.log(sign(record, CLIENT))


def _ruled(begin: Begin, level: int) -> Play:
    play = begin().heard()
    for each in range(1, level):
        play.shown(each)
    return play.act(_ARBITRATOR, Act.ASK, **play.question(level)).both(Act.PASS)


def _clawed_back(begin: Begin) -> Play:
    play = begin().heard().shown(1)
    shown = play.case.shown
    play.act(_FREELANCER, Act.CLAW_BACK, cites=shown)
    return play.act(_ARBITRATOR, Act.DRAFT, cites=(play.case.case, *shown))


def _found_and_taken_back(begin: Begin) -> Play:
    """Disclose frames, let the operator say what its check found, and take them back."""
    play = begin().heard().shown(1).granted(2).request().disclose()
    answer = play.case.shown[-1]
    return play.find(_OPERATOR).act(_FREELANCER, Act.CLAW_BACK, cites=(answer,))


def _finding_cited(begin: Begin) -> Play:
    play = _found_and_taken_back(begin)
    (found,) = play.case.findings
    play.act(_CLIENT, Act.PASS)
    return play.act(_ARBITRATOR, Act.DRAFT, cites=(play.case.case, found))


def _found_too_late(begin: Begin) -> Play:
    play = _found_and_taken_back(begin)
    return play.find(_ARBITRATOR, disclosure=play.case.shown[-1])


def _taken_back_in_a_stay(begin: Begin, *, drafted: bool) -> Play:
    play = begin().heard().shown(1)
    if drafted:
        play.act(_ARBITRATOR, Act.DRAFT)
    play.act(_ARBITRATOR, Act.STAY, end=play.now + 20 * DAY)
    return play.act(_FREELANCER, Act.CLAW_BACK, cites=play.case.shown)


def _taken_back_before_the_next_sits(begin: Begin) -> Play:
    play = begin().heard().shown(1).act(_ARBITRATOR, Act.RECUSE)
    return play.act(_FREELANCER, Act.CLAW_BACK, cites=play.case.shown)


def _unreadable(begin: Begin) -> Play:
    """Call a package unreadable, seal it anew, and find that it holds; then say the first again."""
    play = begin().heard().shown(1).granted(2).request().disclose()
    shown = play.case.shown[-1:]
    play.act(_ARBITRATOR, Act.UNREADABLE, cites=shown).find(_ARBITRATOR)
    return play.act(_ARBITRATOR, Act.UNREADABLE, cites=shown)


def _shown_again(begin: Begin, times: int) -> Play:
    """Show openings, take them back or call them unreadable, and show them so often again."""
    play = begin().heard().granted(1).act(_FREELANCER, Act.SHOW)
    for number in range(times):
        who, act = [(_ARBITRATOR, Act.UNREADABLE), (_FREELANCER, Act.CLAW_BACK)][number % 2]
        play.act(who, act, cites=play.case.shown[-1:]).act(_FREELANCER, Act.SHOW)
    return play


def _appealed(begin: Begin, act: Act) -> Play:
    """Let whoever filed do something when they have appealed."""
    return begin().heard().decided().act(_CLIENT, Act.APPEAL).act(_CLIENT, act, due=None)


def _twofold(begin: Begin) -> Play:
    """Take the checks of both, which do not say the same."""
    play = begin().heard().shown(1).granted(2).request().disclose()
    play.find(_ARBITRATOR, findings=(Finding(digest("disclosure"), Outcome.FAILS, 9, 2040),))
    return play.find(_OPERATOR)


def _offered(begin: Begin, *, replaced: bool) -> Play:
    """Accept an offer that is open no more."""
    play = begin().heard().act(_CLIENT, Act.OFFER, amount=90_000)
    offer = play.case.head
    if replaced:
        play.act(_CLIENT, Act.OFFER, amount=10_000)
    else:
        play.act(_ARBITRATOR, Act.DRAFT)
    play.act(_FREELANCER, Act.OFFER)
    return play.act(_FREELANCER, Act.ACCEPT, cites=(offer,))


def _panel(size: int) -> Terms:
    return replace(case_terms(), arbitrators=case_terms().arbitrators[:size])


def _again(play: Play, by: Role) -> Play:
    return play.find(by, disclosure=play.case.shown[-1])


def _anew(begin: Begin) -> Play:
    """Replace the arbitrator, who found something: the next one is not bound by that."""
    play = _twofold(begin)
    play.act(_ARBITRATOR, Act.RECUSE).seat()
    return play.find(_ARBITRATOR)


def _another_key(begin: Begin) -> Play:
    play = begin().lapse().lapse().lapse().draw()
    play.act(_ARBITRATOR, Act.DECLARE, sealing_key=b"\x01" * 1216).both(Act.PASS)
    return play.shown(1).granted(2).request(sealing_key=b"\x02" * 1216)


def _roomless(begin: Begin) -> Play:
    play = begin().heard().shown(1)
    play.wait(60 * DAY)
    return play.act(_ARBITRATOR, Act.ASK, **play.question(2))


def _down_while_the_limit_stands(begin: Begin) -> Play:
    """Ask again after a reminder and two outages, too late for it by less than these took."""
    play = begin().heard().granted(1).act(_FREELANCER, Act.SHOW)
    play.now = (play.case.effective_at or 0) + 31 * DAY
    play.act(_CLIENT, Act.COMMENT).lapse()
    for _ in range(2):
        play.pass_due().act(_OPERATOR, Act.OUTAGE)
    # The limit runs again.
    play.act(_ARBITRATOR, Act.UNREADABLE, cites=play.case.shown)
    # With the deadline of the objections: nothing but the limit is in its way.
    due = max(
        (count_due(Span(play.now, 4), days) for days in (CLIENT_DAYS, FREELANCER_DAYS)),
        key=lambda due: due.until,
    )
    return play.act(_ARBITRATOR, Act.ASK, due=due, **play.question(2))


def _exhibits(begin: Begin) -> Play:
    play = begin()
    for _ in range(9):
        play.act(_CLIENT, Act.EXHIBIT)
    return play


def _jump(begin: Begin) -> Play:
    play = begin().heard()
    return play.act(_ARBITRATOR, Act.ASK, **play.question(2))


def _first_day(begin: Begin, *, until: int) -> Play:
    """Reach level 1 for the first day alone, and ask for level 2 until some instant."""
    play = begin().heard()
    first = play.case.filing.begin
    asked = play.question(1) | {"end": first + DAY}
    play.act(_ARBITRATOR, Act.ASK, **asked).both(Act.PASS).act(_ARBITRATOR, Act.RULE)
    play.act(_FREELANCER, Act.SHOW).act(_CLIENT, Act.COMMENT)
    return play.act(_ARBITRATOR, Act.ASK, **(play.question(2) | {"end": first + until}))


def _beaten(begin: Begin) -> Play:
    play = begin().lapse().lapse().lapse()
    play.wait(DAY)
    return play.act(_CLIENT, Act.DRAW, value=bytes(32), due=None)


def _down(begin: Begin) -> Play:
    """Count one outage, which lies over midnight, for the deadline and for the moved one."""
    play = begin().act(_OPERATOR, Act.NOTICE).pass_due()
    times = {"begin": play.now - 6 * HOUR, "end": play.now + 6 * HOUR}
    play.wait(DAY).act(_OPERATOR, Act.OUTAGE, **times)
    assert play.case.due is not None
    due = count_due(Span(play.case.due.until, 1), FREELANCER_DAYS)
    return play.act(_OPERATOR, Act.OUTAGE, **times, due=due)


def _stayed(begin: Begin, times: int) -> Play:
    play = begin().heard()
    for _ in range(times):
        play.act(_ARBITRATOR, Act.STAY, end=play.now + HOUR).act(_ARBITRATOR, Act.RESUME)
    return play


def _reminded_once(begin: Begin) -> Play:
    """Stay while the reminder runs: its end replaces all the same."""
    play = begin().heard().lapse()
    return play.act(_ARBITRATOR, Act.STAY, end=play.now + DAY).lapse().lapse()


def _left_alone(begin: Begin) -> Play:
    """Reveal after the arbitrator left the ruling behind, and when the hours are over."""
    play = begin().heard().shown(1).act(_ARBITRATOR, Act.ASK)
    play.act(_CLIENT, Act.COMMIT).act(_FREELANCER, Act.COMMIT).both(Act.PASS)
    play.act(_ARBITRATOR, Act.RULE).act(_ARBITRATOR, Act.RECUSE).act(_CLIENT, Act.REVEAL)
    return play.wait(20 * HOUR + 1).act(_FREELANCER, Act.REVEAL)


def _late(begin: Begin, *, slow: bool) -> Play:
    play = begin().heard().granted(1).lapse()
    if slow:
        play.wait(60 * DAY)
    play.act(_FREELANCER, Act.SHOW)
    return play if not slow else play.act(_CLIENT, Act.PASS).act(_ARBITRATOR, Act.DRAFT)


def _falling(begin: Begin, times: int) -> Play:
    """Take back what was shown, one by one, after the words on the draft."""
    play = begin().heard().shown(1).shown(2)
    for shown in play.case.shown[:times]:
        play.act(_ARBITRATOR, Act.DRAFT).both(Act.COMMENT)
        play.act(_FREELANCER, Act.CLAW_BACK, cites=(shown,))
    return play


def _roomless_draft(begin: Begin) -> Play:
    play = begin().heard().shown(1).act(_ARBITRATOR, Act.DRAFT).wait(90 * DAY)
    return play.act(_FREELANCER, Act.CLAW_BACK, cites=play.case.shown)


def _days_off(begin: Begin) -> Play:
    """Count what binds both by the client's days, over the days off of the freelancer."""
    play = begin().act(_OPERATOR, Act.NOTICE)
    first = play.now // DAY + 10
    off = CaseCalendar(
        name="DE-BY",
        zone="Europe/Berlin",
        weekend=0b1100000,
        days_off=tuple(range(first, first + 10)),
    )
    play.act(_FREELANCER, Act.ANSWER, calendar=off).act(_CLIENT, Act.END).seat().wait(9 * DAY)
    return play.act(_ARBITRATOR, Act.DRAFT, due=count_due(Span(play.now, 5), CLIENT_DAYS))


def _far_off(begin: Begin) -> Play:
    """Announce days off of another year, and take them now."""
    play = begin().act(_OPERATOR, Act.NOTICE)
    far = play.now // DAY + 1_000
    off = CaseCalendar(
        name="DE-BY",
        zone="Europe/Berlin",
        weekend=0b1100000,
        days_off=tuple(range(far, far + 10)),
    )
    due = count_due(Span(play.now, 2), CLIENT_DAYS)
    longer = replace(due, until=due.until + 21 * DAY)
    return play.act(_FREELANCER, Act.ANSWER, calendar=off, due=longer)


def _undrawn(begin: Begin, times: int) -> Play:
    """Let the operator have no value for a week, again and again."""
    play = begin().act(_OPERATOR, Act.NOTICE).act(_FREELANCER, Act.ANSWER).act(_CLIENT, Act.END)
    for _ in range(times):
        play.pass_due().wait(7 * DAY).act(_OPERATOR, Act.LAPSE)
    return play


def _later_seat(begin: Begin, waited: int) -> Play:
    """Fill a seat again near the limit, and wait."""
    play = begin().heard()
    play.now = (play.case.limit or 0) - 20 * DAY
    play.act(_ARBITRATOR, Act.RECUSE).seat()
    return play.wait(waited)


def _sealed(begin: Begin) -> Play:
    return begin().heard().decided().lapse().lapse().pass_due()


_STORIES: dict[str, Story] = {
    "from filing to destruction": _whole,
    "a silent respondent": _silent,
    "settled": _settled,
    "no extension twice": lambda begin: (
        begin().act(_OPERATOR, Act.NOTICE).act(_FREELANCER, Act.EXTEND)
        .act(_FREELANCER, Act.EXTEND, due=None)
    ),
    "another case": lambda begin: _linked(begin, case=digest(1)),
    "another statement before": lambda begin: _linked(begin, prev=digest(1)),
    "the wrong party answers": lambda begin: begin().act(_CLIENT, Act.ANSWER, due=None),
    "a stranger": lambda begin: begin().act(_CLIENT, Act.WITHDRAW, by=STRANGER, due=None),
    "a decision without a draft": lambda begin: (
        begin().heard().act(_ARBITRATOR, Act.DECIDE, due=None)
    ),
    "a deadline of two days for ten": _short,
    "a deadline that is not over": lambda begin: begin().act(_OPERATOR, Act.LAPSE, due=None),
    "a jump of levels": _jump,
    "a jump over other hours": lambda begin: _first_day(begin, until=DAY + 1),
    "the next level in the same hours": lambda begin: _first_day(begin, until=DAY),
    "a second request without room": _roomless,
    "an outage while the limit stands still": _down_while_the_limit_stands,
    "openings that nobody asked for": lambda begin: (
        begin().heard().act(_FREELANCER, Act.SHOW, due=None)
    ),
    "another key than the declared one": _another_key,
    "frames before the draw": lambda begin: _ruled(begin, 2).act(_ARBITRATOR, Act.RULE).request(),
    "another value of the beacon": _beaten,
    "a ruling that widens": lambda begin: (
        _ruled(begin, 1).act(_ARBITRATOR, Act.RULE, code=Ruling.NARROW, count=101, due=None)
    ),
    "reasons cite what was taken back": _clawed_back,
    "reasons cite a finding of what was taken back": _finding_cited,
    "a finding of what was taken back": _found_too_late,
    "taken back while a case is stayed": lambda begin: _taken_back_in_a_stay(begin, drafted=False),
    "taken back while a draft is stayed": lambda begin: _taken_back_in_a_stay(begin, drafted=True),
    "taken back before the next one sits": _taken_back_before_the_next_sits,
    "nine exhibits": _exhibits,
    "unreadable, and once is enough": _unreadable,
    "unreadable what nobody showed": lambda begin: (
        begin().heard().shown(1).act(_ARBITRATOR, Act.UNREADABLE, cites=(digest(1),))
    ),
    "openings that cannot be opened come again": lambda begin: _shown_again(begin, 1),
    "openings come again, and once is enough": lambda begin: _shown_again(begin, 2),
    "an appeal is not withdrawn with the filing": lambda begin: _appealed(begin, Act.WITHDRAW),
    "an offer after an appeal": lambda begin: _appealed(begin, Act.OFFER),
    "an exhibit after an appeal": lambda begin: _appealed(begin, Act.EXHIBIT),
    "both check, and do not say the same": _twofold,
    "the operator checks twice": lambda begin: _again(_twofold(begin), _OPERATOR),
    "the arbitrator checks twice": lambda begin: _again(_twofold(begin), _ARBITRATOR),
    "who sits next checks anew": _anew,
    "one outage twice": _down,
    "a strike where nobody else is left": lambda begin: (
        begin(terms=_panel(1)).lapse().lapse().lapse().draw()
        .act(_FREELANCER, Act.STRIKE, due=None)
    ),
    "the winner strikes the second of two": lambda begin: (
        begin(terms=_panel(2)).heard().decided().act(_CLIENT, Act.APPEAL).draw()
        .act(_FREELANCER, Act.STRIKE, due=None)
    ),
    "a pass before the declaration": lambda begin: (
        begin().lapse().lapse().lapse().draw().act(_CLIENT, Act.PASS, due=None)
    ),
    "a declaration of the last hours leaves a day": lambda begin: (
        _declared_late(begin).lapse()
    ),
    "both days to look after a late declaration": _looked_for_two_days,
    "a lapse right after a late declaration": _lapsed_on_the_declaration,
    "a strike after one's own pass": lambda begin: _passed(begin, State.SEATING, _CLIENT),
    "a strike after the other's pass": lambda begin: _passed(begin, State.SEATING, _FREELANCER),
    "a pass is for the person who was drawn": _passed_for_one,
    "an appeal after one's own pass": lambda begin: _passed(begin, State.APPEAL, _CLIENT),
    "an appeal after the other's pass": lambda begin: _passed(begin, State.APPEAL, _FREELANCER),
    "an offer that was replaced": lambda begin: _offered(begin, replaced=True),
    "an offer from before the draft": lambda begin: _offered(begin, replaced=False),
    "more than is at stake": lambda begin: (
        begin().heard().act(_ARBITRATOR, Act.DRAFT, amount=130_001, due=None)
    ),
    "nothing for what is upheld": lambda begin: (
        begin().heard().act(_ARBITRATOR, Act.DRAFT, code=Verdict.UPHELD, amount=0, due=None)
    ),
    "something for what is dismissed": lambda begin: (
        begin().heard().act(_ARBITRATOR, Act.DRAFT, code=Verdict.DISMISSED, amount=1, due=None)
    ),
    "four stays": lambda begin: _stayed(begin, 4),
    "five stays": lambda begin: _stayed(begin, 5),
    "a stay of what has passed": lambda begin: (
        begin().heard().pass_due().act(_ARBITRATOR, Act.STAY, end=NOW + 30 * DAY)
    ),
    "a stay is no new reminder": _reminded_once,
    "secrets of who was left alone": _left_alone,
    "a secret before others committed": lambda begin: (
        begin().heard().shown(1).act(_ARBITRATOR, Act.ASK).act(_CLIENT, Act.COMMIT)
        .act(_CLIENT, Act.REVEAL)
    ),
    "late openings have a comment of their own": lambda begin: _late(begin, slow=False),
    "late openings in a slow case": lambda begin: _late(begin, slow=True),
    "a draft falls": lambda begin: _falling(begin, 1),
    "a draft falls once": lambda begin: _falling(begin, 2),
    "a draft without room for another": _roomless_draft,
    "the shorter of two deadlines": _days_off,
    "days off of another year": _far_off,
    "a draw whose value never came": lambda begin: _undrawn(begin, 4),
    "a later round draws": lambda begin: _undrawn(begin, 3).draw(),
    "a draw whose value may still come": lambda begin: (
        _undrawn(begin, 0).pass_due().wait(7 * DAY - 3_000).act(_OPERATOR, Act.LAPSE, due=None)
    ),
    "who sits after another has days for a request": lambda begin: (
        _later_seat(begin, 14 * DAY - 3_600_000).act(_ARBITRATOR, Act.ASK)
    ),
    "who sits after another has no room left": lambda begin: (
        _later_seat(begin, 14 * DAY + 3_600_000).act(_ARBITRATOR, Act.ASK)
    ),
    "nobody says that the key is destroyed": lambda begin: (
        _sealed(begin).act(_OPERATOR, Act.DESTROY).lapse()
    ),
    "the operator has said nothing yet": lambda begin: _sealed(begin).act(_OPERATOR, Act.LAPSE),
    "silence after an extension": lambda begin: (
        begin().act(_OPERATOR, Act.NOTICE).act(_FREELANCER, Act.EXTEND).lapse()
    ),
    "a second notice of three days": lambda begin: (
        begin(terms=case_terms(answer_days=12)).act(_OPERATOR, Act.NOTICE).lapse()
    ),
    "an appeal where nobody is left": lambda begin: (
        begin(terms=_panel(1))
        .heard().decided().act(_CLIENT, Act.APPEAL, due=None)
    ),
}  # fmt: skip


def stories() -> list[dict[str, Any]]:
    """Tell each story: statements with their instants, and the outcome of the last one."""
    return [_told(name, story) for name, story in _STORIES.items()]


def _told(name: str, story: Story) -> dict[str, Any]:
    plays: list[Play] = []

    def begin(**changes: Any) -> Play:
        play = Play.begin(**changes)
        play.stubborn = True
        plays.append(play)
        return play

    try:
        outcome = str(story(begin).case.state)
    except CaseError as error:
        outcome = f"refused: {error.rule}"
    (play,) = plays
    return {
        "name": name,
        "expect": outcome,
        "head": str(play.case.head),
        "terms": encode(play.case.terms.to_value()).hex(),
        "statements": [[one.encode().hex(), at] for one, at in play.tried],
    }
