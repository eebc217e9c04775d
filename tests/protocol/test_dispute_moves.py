"""What pauses, secrets, what is taken back and the end of a case lead to."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from support.builders import ROUND_MS
from support.cases import (
    ARBITRATORS,
    DAY,
    FREELANCER_DAYS,
    HOUR,
    PANEL,
    SIGNERS,
    Play,
    beacon,
    case_terms,
    secret_of,
)
from support.casestates import PLAYS
from support.ruled import refused, stands
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import (
    Rule,
    Span,
    State,
    count_due,
    sample_round,
    sample_seed,
)
from workseal_protocol.dispute.table import move_of_act
from workseal_protocol.dispute.values import MAX_STAYS
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, CaseCalendar

ARBITRATOR, CLIENT, FREELANCER, OPERATOR = (
    Role.ARBITRATOR,
    Role.CLIENT,
    Role.FREELANCER,
    Role.OPERATOR,
)


# --- pauses ---


def stay(play: Play, ms: int = 1_000) -> Play:
    return play.act(ARBITRATOR, Act.STAY, end=play.now + ms)


def test_stays_in_series_hold_a_case_for_days_and_not_for_months() -> None:
    """As the arbitrator who acts a second before each deadline passes, and never decides."""
    play = Play.begin().heard()
    begun, sat = play.now, play.case.arbitrator
    play.lapse()
    while play.case.stays < MAX_STAYS:
        assert play.case.due is not None
        play.now = play.case.due.until - 1_000
        stay(play).act(ARBITRATOR, Act.RESUME)
    refused(Rule.FULL, lambda: stay(play))
    play.lapse()
    assert (play.case.state, play.case.arbitrator) == (State.DRAW, None)
    assert sat in play.case.gone
    # Two working days, five of the reminder, and one for each stay, with the weekends between.
    assert play.now - begun < (7 + MAX_STAYS + 3 * 2 + 1) * DAY


def test_a_stay_is_no_new_reminder() -> None:
    play = Play.begin().heard().lapse()
    assert play.case.reminded
    stay(play, DAY).lapse()
    assert (play.case.state, play.case.reminded) == (State.EVIDENCE, True)
    assert stands(play.lapse(), State.DRAW)
    assert not play.case.reminded


def test_a_stay_begins_while_the_deadline_runs() -> None:
    play = Play.begin().heard().act(ARBITRATOR, Act.ASK).pass_due()
    told = refused(Rule.TIME, lambda: stay(play))
    assert "while the deadline runs" in told
    assert "stay" not in play.case.allowed(play.arbitrator.public_key.thumbprint, play.now)


def test_whoever_sits_is_reminded_once() -> None:
    """Else the reminders of evidence, ruling, naming and decision add up, request by request."""
    play = Play.begin().heard().lapse()
    play.act(ARBITRATOR, Act.ASK).both(Act.PASS)
    assert stands(play.lapse(), State.DRAW)
    play.seat()
    assert stands(play.lapse(), State.EVIDENCE)
    assert play.case.reminded


def test_another_of_the_panel_does_not_set_the_limit_running() -> None:
    play = Play.begin().heard().shown(1)
    play.act(ARBITRATOR, Act.ASK, **play.question(2)).both(Act.PASS).act(ARBITRATOR, Act.RULE)
    play.lapse()
    halted = play.case.halted_at
    assert halted is not None
    play.now = max(play.now, ((play.case.sample_round or 0) + 1) * ROUND_MS)
    other = next(one for one in ARBITRATORS if one is not play.arbitrator)
    play.act(ARBITRATOR, Act.SAMPLE, by=other)
    assert play.case.halted_at == halted
    stopped = play.case.stopped_ms
    play.request()
    assert play.case.stopped_ms == stopped + play.now - halted
    assert not stands_still(play)


def stands_still(play: Play) -> bool:
    return play.case.halted_at is not None


def late_seat() -> Play:
    """Fill a seat again with twenty days left before the limit."""
    play = Play.begin().heard()
    assert play.case.limit is not None
    play.now = play.case.limit - 20 * DAY
    return play.act(ARBITRATOR, Act.RECUSE).seat()


def test_whoever_sits_after_another_has_days_to_hear_the_case() -> None:
    play = late_seat()
    assert (play.case.state, play.case.asked) == (State.EVIDENCE, 0)
    assert play.case.limit == play.case.known_at + 70 * DAY
    assert stands(play.pass_due().shown(1), State.EVIDENCE)


def test_who_has_more_days_left_is_given_none() -> None:
    play = Play.begin().heard()
    limit = play.case.limit
    assert limit is not None
    emptied = play.act(ARBITRATOR, Act.RECUSE).case.known_at
    play.seat()
    assert play.case.limit is not None
    assert limit <= play.case.limit <= limit + play.case.known_at - emptied


def test_the_first_request_of_whoever_sits_after_another_needs_room_too() -> None:
    play = late_seat()
    assert play.case.limit is not None
    play.now = play.case.limit - 56 * DAY + 1
    told = refused(Rule.ROOM, lambda: play.act(ARBITRATOR, Act.ASK))
    assert "56 of 90 days left" in told


def test_sixteen_silent_people_leave_the_last_one_time_to_decide() -> None:
    """Each first look and each strike counted, and nobody had moved the limit for them."""
    play = Play.begin(
        terms=replace(case_terms(), arbitrators=tuple(one.public_key for one in PANEL))
    )
    play.heard()
    for _ in PANEL[1:]:
        play.lapse().lapse().seat()
    play.shown(1).decided()
    assert play.case.effective_at is not None
    took = play.case.known_at - play.case.effective_at - play.case.stopped_ms
    assert took < 90 * DAY


# --- secrets ---


def leave_by_stay(play: Play) -> None:
    stay(play, 10 * DAY)


def leave_by_pass(play: Play) -> None:
    play.act(ARBITRATOR, Act.PASS)


def leave_by_recuse(play: Play) -> None:
    play.act(ARBITRATOR, Act.RECUSE)


def leave_by_seating(play: Play) -> None:
    play.act(ARBITRATOR, Act.RECUSE).draw()


def leave_by_draft(play: Play) -> None:
    play.act(ARBITRATOR, Act.PASS).act(ARBITRATOR, Act.DRAFT)


def leave_by_decision(play: Play) -> None:
    leave_by_draft(play)
    play.both(Act.PASS)


@pytest.mark.parametrize(
    "leave",
    [
        leave_by_stay,
        leave_by_pass,
        leave_by_recuse,
        leave_by_seating,
        leave_by_draft,
        leave_by_decision,
    ],
)
def test_no_move_of_an_arbitrator_shuts_a_secret_out(leave: Any) -> None:
    play = Play.begin().heard().shown(1)
    play.act(ARBITRATOR, Act.ASK, **play.question(2))
    for role in (CLIENT, FREELANCER, ARBITRATOR):
        play.act(role, Act.COMMIT)
    play.both(Act.PASS).act(ARBITRATOR, Act.RULE)
    ruled = play.now
    leave(play)
    before = play.case
    play.act(CLIENT, Act.REVEAL)
    assert (play.case.state, play.case.due) == (before.state, before.due)
    play.now = max(play.now, ruled + 20 * HOUR)
    play.act(FREELANCER, Act.REVEAL)
    assert play.case.sample is not None
    assert set(play.case.sample.secrets) == {CLIENT, FREELANCER}
    play.now += 1
    assert "reveal" not in play.case.allowed(play.signer_of(CLIENT).public_key.thumbprint, play.now)


def come_back(play: Play) -> None:
    """Go on to the same sample, as whoever sits next can."""
    if stands(play, State.STAYED):
        play.act(ARBITRATOR, Act.RESUME)
        return
    if play.case.state in {State.DRAFT, State.DECISION}:
        play.act(ARBITRATOR, Act.RECUSE)
    if stands(play, State.DRAW):
        play.draw()
    if stands(play, State.SEATING):
        play.act(ARBITRATOR, Act.DECLARE).both(Act.PASS)
    play.act(ARBITRATOR, Act.ASK, **play.question(2)).both(Act.PASS).act(ARBITRATOR, Act.RULE)


@pytest.mark.parametrize("hour", [0, 9, 21])
@pytest.mark.parametrize(
    "leave",
    [
        leave_by_stay,
        leave_by_pass,
        leave_by_recuse,
        leave_by_seating,
        leave_by_draft,
        leave_by_decision,
    ],
)
def test_an_arbitrator_steers_no_draw_by_leaving_it(leave: Any, hour: int) -> None:
    """However they leave and whenever they ruled, it is of the round and the honest secrets."""
    play = Play.begin().heard().shown(1)
    play.act(ARBITRATOR, Act.ASK, **play.question(2))
    for role in (CLIENT, FREELANCER, ARBITRATOR):
        play.act(role, Act.COMMIT)
    play.both(Act.PASS).wait(hour * HOUR).act(ARBITRATOR, Act.RULE)
    number = sample_round(play.now, ROUND_MS)
    leave(play)
    play.both(Act.REVEAL)
    come_back(play)
    assert stands(play.sampled(), State.NAMING)
    sample = play.case.sample
    assert sample is not None
    assert sample.seed == sample_seed(
        case=play.case.case,
        freeze=sample.freeze,
        number=number,
        value=beacon(number),
        secrets={role: secret_of(role) for role in (CLIENT, FREELANCER)},
    )


def test_no_secret_is_out_before_the_ruling_sets_the_round() -> None:
    play = Play.begin().heard().shown(1)
    play.act(ARBITRATOR, Act.ASK, **play.question(2)).act(CLIENT, Act.COMMIT)
    refused(Rule.SAMPLE, lambda: play.act(CLIENT, Act.REVEAL))
    play.both(Act.PASS)
    refused(Rule.SAMPLE, lambda: play.act(CLIENT, Act.REVEAL))
    play.act(ARBITRATOR, Act.RULE).act(CLIENT, Act.REVEAL)


# --- a draw without a value ---


def test_a_draw_whose_value_never_comes_has_a_later_round_and_an_end() -> None:
    play = PLAYS[State.DRAW]()
    first, limit = play.case.panel_round, play.case.limit
    assert limit is not None
    refused(Rule.TIME, lambda: play.pass_due().act(OPERATOR, Act.LAPSE))
    assert play.case.due is not None
    until = play.case.due.until
    play.now = until + 7 * DAY + 1
    play.act(OPERATOR, Act.LAPSE)
    assert stands(play, State.DRAW)
    assert play.case.panel_round > first
    refused(Rule.DRAW, lambda: play.act(CLIENT, Act.DRAW, round=first, value=beacon(first)))
    play.seat()
    # Nobody's days are taken by it.
    assert play.case.limit == limit + play.now - until
    for _ in range(3):
        play.act(ARBITRATOR, Act.RECUSE) if stands(play, State.EVIDENCE) else None
        play.pass_due().wait(7 * DAY).act(OPERATOR, Act.LAPSE)
    assert stands(play, State.UNDECIDED)


def test_a_decision_stands_where_no_value_draws_for_its_appeal() -> None:
    play = Play.begin().heard().decided().act(CLIENT, Act.APPEAL)
    for _ in range(4):
        play.pass_due().wait(7 * DAY).act(OPERATOR, Act.LAPSE)
    assert stands(play, State.FINAL)


# --- what nothing but these held ---


def test_an_approval_is_of_one_request() -> None:
    play = Play.begin().heard()
    for level in (1, 2, 3, 4):
        play.shown(level)
    play.granted(4).request()
    refused(Rule.LADDER, play.disclose)
    play.act(FREELANCER, Act.APPROVE).disclose()


def test_the_limit_stands_still_until_somebody_who_declared_acts() -> None:
    play = Play.begin().heard().act(ARBITRATOR, Act.RECUSE).draw()
    halted = play.case.halted_at
    assert halted is not None
    play.wait(HOUR).act(ARBITRATOR, Act.RECUSE)
    assert (play.case.halted_at, play.case.stopped_ms) == (halted, 0)


@pytest.mark.parametrize("left", [DAY - 1, -HOUR])
def test_a_late_declaration_in_a_seat_that_is_filled_again_counts_once(left: int) -> None:
    play = Play.begin().heard().act(ARBITRATOR, Act.RECUSE)
    halted, limit = play.case.halted_at, play.case.limit
    assert halted is not None
    assert limit is not None
    due = play.draw().case.due
    assert due is not None
    play.now = due.until - left
    play.act(ARBITRATOR, Act.DECLARE)
    assert play.case.limit == limit + play.now - halted


@pytest.mark.parametrize("state", [State.DRAW, State.SEATING, State.EVIDENCE])
def test_an_outage_moves_no_limit_that_stands_still(state: State) -> None:
    play = Play.begin().heard()
    if state is State.EVIDENCE:
        play.lapse()
    else:
        play.act(ARBITRATOR, Act.RECUSE)
        play = play.draw() if state is State.SEATING else play
    assert stands(play, state)
    assert stands_still(play)
    due = play.case.due
    play.pass_due().act(OPERATOR, Act.OUTAGE)
    assert play.case.due != due
    assert play.case.stopped_ms == 0


def test_a_lapse_that_is_written_down_days_late_takes_nobodys_days() -> None:
    early, late = Play.begin().act(OPERATOR, Act.NOTICE), Play.begin().act(OPERATOR, Act.NOTICE)
    early.pass_due().act(OPERATOR, Act.LAPSE)
    late.pass_due().wait(3 * DAY).act(OPERATOR, Act.LAPSE)
    assert early.case.due is not None
    assert late.case.due is not None
    assert late.case.due.until >= early.case.due.until + 3 * DAY


# --- what is taken back after the draft ---


@pytest.mark.parametrize("words", [False, True])
def test_what_is_taken_back_after_the_draft_is_followed_by_another_draft(words: bool) -> None:  # noqa: FBT001
    play = Play.begin().heard().shown(1).act(ARBITRATOR, Act.DRAFT)
    if words:
        play.both(Act.COMMENT)
    (shown,) = play.case.shown
    play.act(FREELANCER, Act.CLAW_BACK, cites=(shown,))
    assert stands(play, State.EVIDENCE)
    refused(Rule.TABLE, lambda: play.act(ARBITRATOR, Act.DECIDE))
    refused(Rule.CITATION, lambda: play.act(ARBITRATOR, Act.DRAFT, cites=(play.case.case, shown)))
    play.act(ARBITRATOR, Act.DRAFT)
    assert play.case.waiting_for == {CLIENT, FREELANCER}


def disclosed(play: Play) -> Digest:
    """Disclose frames at level 2; the answer's digest."""
    play.shown(1).shown(2)
    return play.case.shown[-1]


@pytest.mark.parametrize("looked", [False, True])
def test_a_finding_of_what_is_taken_back_is_no_reason_either(looked: bool) -> None:  # noqa: FBT001
    play = Play.begin().heard()
    answer = disclosed(play)
    if looked:
        play.find(ARBITRATOR, disclosure=answer)
    (*_, found) = play.case.findings
    assert play.case.findings[found] == answer
    play.act(FREELANCER, Act.CLAW_BACK, cites=(answer,))
    key = play.signer_of(ARBITRATOR).public_key.thumbprint
    assert "finding" not in play.case.allowed(key, play.now)
    if not looked:
        told = refused(Rule.CITATION, lambda: play.find(ARBITRATOR, disclosure=answer))
        assert "something that was shown and is not taken back" in told
    cites = (play.case.case, found)
    told = refused(Rule.CITATION, lambda: play.act(ARBITRATOR, Act.DRAFT, cites=cites))
    assert "and no finding of it" in told
    play.act(ARBITRATOR, Act.DRAFT).both(Act.PASS)
    refused(Rule.CITATION, lambda: play.act(ARBITRATOR, Act.DECIDE, cites=cites))
    play.act(ARBITRATOR, Act.DECIDE)


def test_a_finding_names_nothing_that_is_taken_back_where_something_else_is_left() -> None:
    play = Play.begin().heard()
    first = disclosed(play)
    play.shown(3)
    play.act(FREELANCER, Act.CLAW_BACK, cites=(first,))
    refused(Rule.CITATION, lambda: play.find(ARBITRATOR, disclosure=first))
    play.find(ARBITRATOR)


@pytest.mark.parametrize("stage", ["draw", "seating", "stayed"])
def test_what_was_shown_by_mistake_is_taken_back_while_nobody_hears(stage: str) -> None:
    play = Play.begin().heard()
    answer = disclosed(play)
    if stage == "stayed":
        play.act(ARBITRATOR, Act.STAY, end=play.now + 20 * DAY)
    else:
        play.act(ARBITRATOR, Act.RECUSE)
    if stage == "seating":
        play.draw()
    before = play.case
    assert before.state.value == stage
    play.act(FREELANCER, Act.CLAW_BACK, cites=(answer,))
    assert play.case.clawed_back == {answer}
    assert (play.case.state, play.case.due) == (before.state, before.due)


@pytest.mark.parametrize("words", [False, True])
def test_a_stayed_draft_does_not_fall_before_the_stay_is_over(words: bool) -> None:  # noqa: FBT001
    play = Play.begin().heard()
    answer = disclosed(play)
    play.act(ARBITRATOR, Act.DRAFT)
    if words:
        play.both(Act.COMMENT)
    play.act(ARBITRATOR, Act.STAY, end=play.now + 20 * DAY)
    refused(Rule.ONCE, lambda: play.act(FREELANCER, Act.CLAW_BACK, cites=(answer,)))
    play.act(ARBITRATOR, Act.RESUME).act(FREELANCER, Act.CLAW_BACK, cites=(answer,))
    assert stands(play, State.EVIDENCE)


def test_a_draft_falls_once() -> None:
    play = Play.begin().heard().shown(1).shown(2).act(ARBITRATOR, Act.DRAFT)
    first, second = play.case.shown
    play.act(FREELANCER, Act.CLAW_BACK, cites=(first,)).act(ARBITRATOR, Act.DRAFT)
    refused(Rule.ONCE, lambda: play.act(FREELANCER, Act.CLAW_BACK, cites=(second,)))
    play.both(Act.PASS)
    refused(Rule.ONCE, lambda: play.act(FREELANCER, Act.CLAW_BACK, cites=(second,)))
    play.act(ARBITRATOR, Act.DECIDE)


def test_a_draft_falls_while_there_is_room_for_another() -> None:
    play = Play.begin().heard().shown(1).act(ARBITRATOR, Act.DRAFT)
    assert play.case.limit is not None
    play.now = play.case.limit - 28 * DAY + 1
    told = refused(Rule.ROOM, lambda: play.act(FREELANCER, Act.CLAW_BACK, cites=play.case.shown))
    assert told.endswith("expected 28 of 90 days left for another draft, found 27")
    play.now -= 1
    play.act(FREELANCER, Act.CLAW_BACK, cites=play.case.shown)


def test_nothing_is_taken_back_after_an_appeal() -> None:
    play = Play.begin().heard().shown(1).decided().act(CLIENT, Act.APPEAL).seat()
    refused(Rule.TABLE, lambda: play.act(FREELANCER, Act.CLAW_BACK, cites=play.case.shown))
    play.both(Act.PASS)
    refused(Rule.ONCE, lambda: play.act(FREELANCER, Act.CLAW_BACK, cites=play.case.shown))


@pytest.mark.parametrize("stage", ["draw", "seating", "stayed", "decision"])
def test_an_appeal_ends_with_a_decision_whatever_who_lost_would_rather(stage: str) -> None:
    """Whoever filed cannot take back what was decided, and nothing new is brought or offered."""
    play = Play.begin().act(OPERATOR, Act.NOTICE).lapse().lapse().seat()
    play.act(FREELANCER, Act.OFFER).decided().act(FREELANCER, Act.APPEAL)
    if stage != "draw":
        play.draw()
    if stage in {"stayed", "decision"}:
        play.act(ARBITRATOR, Act.DECLARE).both(Act.PASS)
    if stage == "stayed":
        play.act(ARBITRATOR, Act.STAY, end=play.now + DAY)
    if stage == "decision":
        play.both(Act.PASS)
    assert play.case.state == stage
    offer = play.told[-1][0].digest
    for role, act, fields in (
        (CLIENT, Act.WITHDRAW, {}),
        (CLIENT, Act.OFFER, {}),
        (FREELANCER, Act.OFFER, {}),
        (CLIENT, Act.EXHIBIT, {}),
        (FREELANCER, Act.EXHIBIT, {}),
        (FREELANCER, Act.ANSWER, {}),
        (CLIENT, Act.ACCEPT, {"cites": (offer,)}),
    ):
        refused(Rule.TABLE, partial(play.act, role, act, **fields))
        assert move_of_act(act) not in play.case.allowed(SIGNERS[role].public_key.thumbprint)
    if stage == "draw":
        play.draw()
    if stage in {"draw", "seating"}:
        play.act(ARBITRATOR, Act.DECLARE).both(Act.PASS)
    if stage == "stayed":
        play.act(ARBITRATOR, Act.RESUME)
    if stage != "decision":
        play.both(Act.PASS)
    play.act(ARBITRATOR, Act.DECIDE)
    assert play.case.state is State.FINAL


# --- openings of no use ---


def opened() -> Play:
    return Play.begin().heard().granted(1).act(FREELANCER, Act.SHOW)


def taken_back(play: Play) -> None:
    play.act(FREELANCER, Act.CLAW_BACK, cites=play.case.shown[-1:])


def not_opened(play: Play) -> None:
    play.act(ARBITRATOR, Act.UNREADABLE, cites=play.case.shown[-1:])


@pytest.mark.parametrize("useless", [taken_back, not_opened])
def test_openings_of_no_use_are_shown_once_more(useless: Callable[[Play], None]) -> None:
    play = opened()
    refused(Rule.REQUEST, lambda: play.act(FREELANCER, Act.SHOW))
    useless(play)
    play.act(CLIENT, Act.COMMENT).act(FREELANCER, Act.SHOW)
    assert (play.case.state, len(play.case.shown)) == (State.COMMENT, 2)
    useless(play)
    refused(Rule.REQUEST, lambda: play.act(FREELANCER, Act.SHOW))
    play.act(CLIENT, Act.COMMENT)
    # Another request has its own.
    play.granted(1).act(FREELANCER, Act.SHOW)
    useless(play)
    play.act(FREELANCER, Act.SHOW)


def test_who_sits_next_is_shown_nothing_that_they_did_not_ask_for() -> None:
    play = opened()
    taken_back(play)
    play.act(CLIENT, Act.COMMENT).act(ARBITRATOR, Act.RECUSE).seat()
    refused(Rule.REQUEST, lambda: play.act(FREELANCER, Act.SHOW))


def test_openings_that_come_again_late_take_no_room() -> None:
    play = opened()
    taken_back(play)
    play.act(CLIENT, Act.COMMENT)
    assert play.case.limit is not None
    play.now = play.case.limit - 56 * DAY + 1
    play.act(FREELANCER, Act.SHOW)
    assert play.case.state is State.EVIDENCE


def test_what_was_withheld_is_not_shown_again() -> None:
    play = Play.begin().heard().granted(1).act(FREELANCER, Act.WITHHOLD)
    refused(Rule.REQUEST, lambda: play.act(FREELANCER, Act.SHOW))
    play = Play.begin().heard().shown(1).granted(2).request().disclose()
    taken_back(play)
    refused(Rule.REQUEST, play.disclose)


# --- whose days count ---


def test_days_off_of_either_party_count_where_both_are_bound() -> None:
    play = Play.begin().act(OPERATOR, Act.NOTICE)
    today = play.now // DAY
    off = CaseCalendar(
        name="DE-BY",
        zone="Europe/Berlin",
        weekend=0b1100000,
        days_off=tuple(range(today + 18, today + 28)),
    )
    play.act(FREELANCER, Act.ANSWER, calendar=off).act(CLIENT, Act.END).seat()
    play.now += 16 * DAY
    short = count_due(Span(play.now, 5), play.calendars[CLIENT])
    told = refused(Rule.DEADLINE, lambda: play.act(ARBITRATOR, Act.DRAFT, due=short))
    assert "5 weekdays that are not days off" in told
    # Written with the same words, it is the later one that is taken.
    assert count_due(Span(play.now, 5), FREELANCER_DAYS).until == short.until
    play.act(ARBITRATOR, Act.DRAFT)
    assert play.case.due is not None
    assert play.case.due.until > short.until + 5 * DAY


# --- the end ---


def test_an_arbitrator_who_disappears_keeps_no_case_from_its_end() -> None:
    play = PLAYS[State.SEALED]()
    refused(Rule.ONCE, lambda: play.pass_due().act(OPERATOR, Act.LAPSE))
    play.act(OPERATOR, Act.DESTROY)
    assert stands(play, State.SEALED)
    assert play.case.waiting_for == {ARBITRATOR}
    assert play.case.due is not None
    assert play.case.due.until == play.now + 30 * DAY
    refused(Rule.TIME, lambda: play.act(OPERATOR, Act.LAPSE))
    assert not play.case.keeps_silent
    play.lapse()
    assert (play.case.state, play.case.keeps_silent) == (State.PURGED, True)


@pytest.mark.parametrize("first", [OPERATOR, ARBITRATOR])
def test_the_word_of_whoever_sat_is_taken_before_and_after_the_operators(first: Role) -> None:
    play = PLAYS[State.SEALED]().pass_due().act(first, Act.DESTROY)
    play.act(ARBITRATOR if first is OPERATOR else OPERATOR, Act.DESTROY)
    assert (play.case.state, play.case.keeps_silent) == (State.PURGED, False)
    assert play.case.late == frozenset()


def test_a_case_in_which_nobody_sat_waits_for_nobodys_key() -> None:
    play = PLAYS[State.WITHDRAWN]().lapse().pass_due().act(OPERATOR, Act.DESTROY)
    assert (play.case.state, play.case.keeps_silent) == (State.PURGED, False)
