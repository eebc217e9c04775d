"""The fold of a case: what it takes, what it refuses and how it says so."""

import json
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import (
    CLIENT,
    ENGAGEMENT,
    FREELANCER,
    NOW,
    OPERATOR,
    ROUND_MS,
    STRANGER,
    digest,
    make_filing,
    make_segment,
    signer,
)
from support.cases import (
    ARBITRATORS,
    CLIENT_DAYS,
    DAY,
    FREELANCER_DAYS,
    HOUR,
    Play,
    beacon,
    case_terms,
    released,
)
from support.casestates import PLAYS, SITUATIONS
from support.disputevectors import CASES, case_vectors
from support.ruled import refused, stands
from workseal_protocol.dispute import (
    CLOCKS,
    LADDER,
    TABLE,
    Case,
    CaseError,
    Parties,
    Rule,
    Span,
    State,
    count_due,
    facts,
)
from workseal_protocol.dispute.values import MAX_INSTANT
from workseal_protocol.encoding import Fields, decode
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    CaseCalendar,
    CasePlace,
    Delivery,
    DisputeAct,
    Due,
    Refusal,
    RequestedFrame,
    Ruling,
    Verdict,
    sign,
)
from workseal_protocol.records.bounds import MAX_TIME
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Level, Terms

ARBITRATOR = Role.ARBITRATOR


def test_a_case_walks_from_filing_to_purged() -> None:
    play = Play.begin().heard()
    for level in (1, 2, 3, 4):
        play.shown(level)
    assert play.case.reached == 4
    play.decided()
    assert stands(play, State.APPEAL)
    first = play.case.arbitrator
    play.act(Role.FREELANCER, Act.APPEAL).seat().both(Act.COMMENT).act(ARBITRATOR, Act.DECIDE)
    assert stands(play, State.FINAL)
    assert play.case.arbitrator not in {None, first}
    play.lapse().pass_due().act(Role.OPERATOR, Act.DESTROY).act(ARBITRATOR, Act.DESTROY)
    assert stands(play, State.PURGED)
    assert play.case.due is None
    assert play.replayed() == play.case


def test_the_freelancer_can_file_too() -> None:
    case = Play.begin(by=FREELANCER, due=due_of(CLIENT_DAYS)).case
    assert (case.filer, case.respondent) == (Role.FREELANCER, Role.CLIENT)


def due_of(days: Any, **changes: Any) -> Due:
    return replace(count_due(Span(NOW, 5), days), **changes)


def test_says_who_what_expected_and_found() -> None:
    play = Play.begin()
    told = refused(Rule.TABLE, lambda: play.act(Role.CLIENT, Act.APPEAL))
    assert told == (
        "client in notice: expected accept, answer, exhibit, lapse, notice, offer, outage,"
        " withdraw, found appeal"
    )
    told = refused(Rule.PARTY, lambda: play.act(Role.CLIENT, Act.ANSWER))
    assert told == "answer in notice: expected respondent, found client"
    told = refused(Rule.PARTY, lambda: play.act(Role.CLIENT, Act.OFFER, by=STRANGER))
    assert told.endswith("found somebody whom the terms do not name")


def test_a_statement_names_its_case_and_the_one_before() -> None:
    play = Play.begin()
    good = CasePlace(play.case.case, play.case.head)
    for place, rule in (
        (replace(good, case=digest(1)), Rule.CASE),
        (replace(good, prev=digest(1)), Rule.LINK),
    ):
        record = DisputeAct(engagement=ENGAGEMENT, claimed_at=NOW, place=place, act=Act.WITHDRAW)
        refused(rule, lambda: play.case.after(sign(record, CLIENT), NOW))  # noqa: B023
    other = DisputeAct(engagement=bytes(16), claimed_at=NOW, place=good, act=Act.WITHDRAW)
    refused(Rule.CASE, lambda: play.case.after(sign(other, CLIENT), NOW))
    refused(Rule.CASE, lambda: play.case.after(sign(make_segment(), FREELANCER), NOW))


def test_a_statement_is_not_older_than_the_one_before() -> None:
    play = Play.begin()
    play.now -= 1
    refused(Rule.TIME, lambda: play.act(Role.CLIENT, Act.WITHDRAW))


def begin(record: Any, by: Any = CLIENT, **changes: Any) -> Case:
    return Case.begin(sign(record, by), NOW, terms=case_terms(**changes), released=released)


def test_refuses_filings() -> None:
    due = due_of(FREELANCER_DAYS)
    refused(Rule.CASE, lambda: begin(make_segment(), FREELANCER))
    refused(Rule.PARTY, lambda: begin(make_filing(due=due), STRANGER))
    refused(Rule.PARTY, lambda: begin(make_filing(due=due), OPERATOR))
    refused(Rule.FILING, lambda: begin(make_filing(due=due, begin=NOW + 1, end=NOW + 2)))
    foreign = CaseCalendar(name="FR", zone="Europe/Paris", weekend=0b1100000)
    refused(Rule.DEADLINE, lambda: begin(make_filing(due=due, calendar=foreign)))
    refused(Rule.DEADLINE, lambda: begin(make_filing(due=replace(due, calendar="US"))))
    refused(Rule.DEADLINE, lambda: begin(make_filing(due=replace(due, zone="UTC"))))


# --- notice, answer, talks ---


def test_silence_after_the_first_notice_brings_a_second_one() -> None:
    play = Play.begin().lapse()
    assert stands(play, State.ANSWER)
    play.lapse()
    assert stands(play, State.SECOND)
    play.lapse()
    assert stands(play, State.DRAW)
    assert not play.case.answered


def test_an_answer_may_come_late_and_is_marked() -> None:
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE)
    play.pass_due().act(Role.FREELANCER, Act.ANSWER)
    assert stands(play, State.NEGOTIATION)
    assert play.case.late == {play.case.head}
    late = Play.begin().lapse().lapse().lapse().seat()
    late.act(Role.FREELANCER, Act.ANSWER)
    assert (late.case.state, late.case.answered) == (State.EVIDENCE, True)
    refused(Rule.ONCE, lambda: late.act(Role.FREELANCER, Act.ANSWER))


def test_one_free_extension_of_five_working_days() -> None:
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE)
    before = play.case.due
    play.act(Role.FREELANCER, Act.EXTEND)
    assert before is not None
    assert play.case.due is not None
    assert play.case.due.until - before.until == 7 * DAY
    refused(Rule.ONCE, lambda: play.act(Role.FREELANCER, Act.EXTEND))


@pytest.mark.parametrize(("agreed", "days", "more"), [(3, 10, 5), (10, 10, 5), (13, 13, 2)])
def test_the_days_for_an_answer_are_neither_few_nor_many(agreed: int, days: int, more: int) -> None:
    play = Play.begin(terms=case_terms(answer_days=agreed)).act(Role.OPERATOR, Act.NOTICE)
    assert play.case.due is not None
    assert play.case.due.due is not None
    assert play.case.due.due.days == days
    play.act(Role.FREELANCER, Act.EXTEND)
    assert play.case.due.due.days == more


def test_an_answer_has_fourteen_days_at_least() -> None:
    sunday = NOW - DAY
    play = Play.begin(now=sunday).act(Role.OPERATOR, Act.NOTICE)
    assert play.case.due is not None
    assert play.case.due.until - sunday >= 14 * DAY
    friday = count_due(Span(sunday, 10), FREELANCER_DAYS)
    again = Play.begin(now=sunday)
    told = refused(Rule.DEADLINE, lambda: again.act(Role.OPERATOR, Act.NOTICE, due=friday))
    assert told == "the deadline: expected at least 14 days, found 12 days"


@pytest.mark.parametrize("agreed", [15, 16, 90, 3_650])
def test_answer_extension_and_second_notice_have_fifteen_days(agreed: int) -> None:
    play = Play.begin(terms=case_terms(answer_days=agreed)).act(Role.OPERATOR, Act.NOTICE)
    assert play.case.answer_days == 15
    refused(Rule.ONCE, lambda: play.act(Role.FREELANCER, Act.EXTEND))
    assert stands(play.lapse(), State.DRAW)


def test_who_had_an_extension_and_stays_silent_has_no_second_notice() -> None:
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.EXTEND).lapse()
    assert stands(play, State.DRAW)
    play.seat().act(Role.FREELANCER, Act.ANSWER)
    assert play.case.answered


def test_a_second_notice_has_what_the_answer_left() -> None:
    play = Play.begin(terms=case_terms(answer_days=12)).act(Role.OPERATOR, Act.NOTICE).lapse()
    assert stands(play, State.SECOND)
    assert play.case.due is not None
    assert play.case.due.due is not None
    assert play.case.due.due.days == 3


def test_a_new_offer_takes_the_place_of_the_one_before() -> None:
    play = Play.begin().act(Role.CLIENT, Act.OFFER, amount=90_000)
    first = play.case.head
    play.act(Role.FREELANCER, Act.OFFER, amount=100_000).act(Role.CLIENT, Act.OFFER, amount=10_000)
    second = play.case.head
    assert list(play.case.offers.values()) == [Role.FREELANCER, Role.CLIENT]
    refused(Rule.CITATION, lambda: play.act(Role.FREELANCER, Act.ACCEPT, cites=(first,)))
    assert stands(play.act(Role.FREELANCER, Act.ACCEPT, cites=(second,)), State.SETTLED)


def test_no_offer_outlives_the_draft_that_its_maker_did_not_know() -> None:
    play = Play.begin().heard().act(Role.CLIENT, Act.OFFER)
    before = play.case.head
    play.act(ARBITRATOR, Act.DRAFT)
    refused(Rule.CITATION, lambda: play.act(Role.FREELANCER, Act.ACCEPT, cites=(before,)))
    assert "accept" not in can(play, Role.FREELANCER)
    play.act(Role.CLIENT, Act.OFFER)
    assert stands(play.act(Role.FREELANCER, Act.ACCEPT, cites=(play.case.head,)), State.SETTLED)


def test_a_sum_says_what_its_verdict_says_and_is_at_most_what_is_at_stake() -> None:
    play = Play.begin().heard()
    most = play.case.filing.amount
    wrong = {
        Verdict.UPHELD: (0, most - 1, most + 1),
        Verdict.IN_PART: (0, most, most + 1),
        Verdict.DISMISSED: (1, most),
    }
    for code, amount in ((code, amount) for code, many in wrong.items() for amount in many):
        refused(
            Rule.AMOUNT,
            lambda: play.act(ARBITRATOR, Act.DRAFT, code=code, amount=amount),  # noqa: B023
        )
    told = refused(Rule.AMOUNT, lambda: play.act(ARBITRATOR, Act.DRAFT, amount=most + 1))
    assert told == (
        f"the amount: expected more than nothing and less than the {most} at stake,"
        f" found {most + 1}"
    )
    play.act(ARBITRATOR, Act.DRAFT, amount=1).both(Act.COMMENT)
    upheld = {"code": Verdict.UPHELD}
    refused(Rule.AMOUNT, lambda: play.act(ARBITRATOR, Act.DECIDE, **upheld, amount=0))
    assert stands(play.act(ARBITRATOR, Act.DECIDE, **upheld, amount=most), State.APPEAL)


def test_where_nothing_is_at_stake_every_verdict_gives_nothing() -> None:
    for code in Verdict:
        play = Play.begin(amount=0).heard()
        refused(
            Rule.AMOUNT,
            lambda: play.act(ARBITRATOR, Act.DRAFT, code=code, amount=1),  # noqa: B023
        )
        assert stands(play.act(ARBITRATOR, Act.DRAFT, code=code, amount=0), State.DRAFT)


def test_a_level_is_reached_in_the_hours_of_its_request_alone() -> None:
    """Else three requests of a minute open whole frames of the whole week."""
    play = Play.begin().heard()
    begin, end = play.case.filing.begin, play.case.filing.end
    minute = {"begin": begin, "end": begin + 60_000}

    def reached(level: int) -> None:
        asked = play.question(level) | minute | {"count": 1}
        play.act(ARBITRATOR, Act.ASK, **asked)
        if level == 2:
            play.act(Role.CLIENT, Act.COMMIT)
        play.both(Act.PASS).act(ARBITRATOR, Act.RULE)
        if level == 2:
            play.act(Role.CLIENT, Act.REVEAL).sampled()
        if level > 1:
            play.request()
        play.lapse().act(Role.CLIENT, Act.PASS)

    for level in (1, 2, 3):
        reached(level)
        assert play.case.reached == level
        for hours in ({"begin": begin, "end": end}, {"end": begin + 60_001}):
            wide = play.question(level + 1) | minute | {"count": 1} | hours
            refused(Rule.LADDER, lambda: play.act(ARBITRATOR, Act.ASK, **wide))  # noqa: B023
    # Level 1 is open to all hours, and leads on from there by one.
    minute = {"begin": begin, "end": end}
    reached(1)
    for level in (3, 4):
        wide = play.question(level) | minute | {"count": 1}
        refused(Rule.LADDER, lambda: play.act(ARBITRATOR, Act.ASK, **wide))  # noqa: B023
    again = play.question(2) | minute | {"count": 1}
    assert stands(play.act(ARBITRATOR, Act.ASK, **again), State.OBJECTION)


def test_hours_that_are_to_come_are_not_disputed() -> None:
    for end in (NOW, NOW + DAY):
        assert Play.begin(end=end).case.filing.end == end
    refused(Rule.FILING, lambda: Play.begin(end=NOW + DAY + 1))


def answered() -> Play:
    return Play.begin().act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)


def test_a_round_is_set_by_what_it_waits_for() -> None:
    play = answered().act(Role.CLIENT, Act.END)
    assert play.case.round_set_at == play.case.since == play.now
    ruled = Play.begin().heard().shown(1).granted(2)
    sample = ruled.case.sample
    assert sample is not None
    assert ruled.case.round_set_at == sample.ruled_at < ruled.case.known_at


def test_a_case_says_whether_its_filer_may_file_again_over_its_hours() -> None:
    free = Play.begin().heard()
    assert (free.case.drawing, free.case.bars_filer) == (True, False)
    assert free.act(Role.CLIENT, Act.WITHDRAW).case.bars_filer
    assert not Play.begin().act(Role.CLIENT, Act.WITHDRAW).case.bars_filer
    negotiating = answered().act(Role.CLIENT, Act.WITHDRAW)
    assert not negotiating.case.bars_filer
    # The value is out as soon as its round begins, before anybody wrote down whom it draws.
    waiting = answered().act(Role.CLIENT, Act.END)
    assert (waiting.case.state, waiting.case.arbitrator) == (State.DRAW, None)
    assert waiting.act(Role.CLIENT, Act.WITHDRAW).case.bars_filer
    struck = Play.begin().lapse().lapse().lapse().draw().act(Role.FREELANCER, Act.STRIKE)
    assert struck.act(Role.CLIENT, Act.WITHDRAW).lapse().case.bars_filer


def test_an_offer_is_settled_by_the_other_party_alone() -> None:
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)
    refused(Rule.CITATION, lambda: play.act(Role.CLIENT, Act.ACCEPT, cites=(digest(1),)))
    play.act(Role.FREELANCER, Act.OFFER)
    offer = play.case.head
    refused(Rule.CITATION, lambda: play.act(Role.FREELANCER, Act.ACCEPT, cites=(offer,)))
    refused(Rule.CITATION, lambda: play.act(Role.CLIENT, Act.ACCEPT, cites=(digest(1),)))
    refused(Rule.CITATION, lambda: play.act(Role.CLIENT, Act.ACCEPT, cites=(offer, digest(1))))
    play.act(Role.CLIENT, Act.ACCEPT, cites=(offer,))
    assert stands(play, State.SETTLED)
    assert not play.case.open
    play.lapse()
    assert stands(play, State.SEALED)
    refused(Rule.TIME, lambda: play.act(Role.OPERATOR, Act.DESTROY))
    play.pass_due().act(Role.OPERATOR, Act.DESTROY)
    assert stands(play, State.PURGED)


def test_only_the_filer_withdraws() -> None:
    play = Play.begin().heard()
    refused(Rule.PARTY, lambda: play.act(Role.FREELANCER, Act.WITHDRAW))
    assert stands(play.act(Role.CLIENT, Act.WITHDRAW), State.WITHDRAWN)


def test_each_party_has_eight_exhibits_and_eight_offers() -> None:
    play = Play.begin()
    for _ in range(8):
        play.act(Role.CLIENT, Act.EXHIBIT).act(Role.CLIENT, Act.OFFER)
    refused(Rule.FULL, lambda: play.act(Role.CLIENT, Act.EXHIBIT))
    refused(Rule.FULL, lambda: play.act(Role.CLIENT, Act.OFFER))
    play.act(Role.FREELANCER, Act.EXHIBIT).act(Role.FREELANCER, Act.OFFER)


# --- the seat ---


def test_the_draw_is_that_of_the_beacon() -> None:
    play = Play.begin().lapse().lapse().lapse()
    number = play.case.panel_round
    play.now = max(play.now, number * ROUND_MS)
    wrong_person = next(
        one.public_key.thumbprint
        for one in ARBITRATORS
        if one.public_key.thumbprint != play.content(Role.CLIENT, Act.DRAW)["person"]
    )
    for changes in (
        {"round": number + 1, "value": beacon(number + 1)},
        {"value": bytes(32)},
        {"person": wrong_person},
    ):
        refused(Rule.DRAW, lambda: play.act(Role.CLIENT, Act.DRAW, **changes))  # noqa: B023
    play.now = number * ROUND_MS - 1
    refused(Rule.TIME, lambda: play.act(Role.CLIENT, Act.DRAW))
    play.now += 1
    play.act(Role.CLIENT, Act.DRAW, by=ARBITRATORS[0])
    assert stands(play, State.SEATING)


def test_each_party_strikes_once_and_nobody_is_drawn_twice() -> None:
    play = Play.begin().lapse().lapse().lapse().draw()
    first = play.case.arbitrator
    play.act(Role.CLIENT, Act.STRIKE).draw()
    second = play.case.arbitrator
    refused(Rule.ONCE, lambda: play.act(Role.CLIENT, Act.STRIKE))
    play.act(Role.FREELANCER, Act.STRIKE).draw()
    assert len({first, second, play.case.arbitrator}) == 3
    play.act(ARBITRATOR, Act.RECUSE)
    assert stands(play, State.UNDECIDED)


def panel(size: int) -> Terms:
    return replace(case_terms(), arbitrators=case_terms().arbitrators[:size])


def can(play: Play, role: Role) -> tuple[str, ...]:
    return play.case.allowed(play.signer_of(role).public_key.thumbprint, play.now)


def test_a_strike_leaves_somebody_to_be_drawn() -> None:
    alone = Play.begin(terms=panel(1)).lapse().lapse().lapse().draw()
    told = refused(Rule.DRAW, lambda: alone.act(Role.FREELANCER, Act.STRIKE))
    assert told == "freelancer: strike: expected another person on the panel, found nobody"
    assert stands(alone, State.SEATING)
    two = Play.begin(terms=panel(2)).lapse().lapse().lapse().draw()
    assert "strike" in can(two, Role.CLIENT)
    two.act(Role.CLIENT, Act.STRIKE).draw()
    refused(Rule.DRAW, lambda: two.act(Role.FREELANCER, Act.STRIKE))
    assert "strike" not in can(two, Role.FREELANCER)


def seating() -> Play:
    return Play.begin().lapse().lapse().lapse().draw()


def test_nobody_accepts_a_drawn_person_who_has_not_declared() -> None:
    play = seating()
    told = refused(Rule.TABLE, lambda: play.act(Role.CLIENT, Act.PASS))
    expected = "expected the declaration of the drawn person first, found none yet"
    assert told == f"client: pass: {expected}"
    assert "pass" not in can(play, Role.CLIENT)
    assert "strike" in can(play, Role.CLIENT)
    assert play.case.waiting_for == {ARBITRATOR}
    play.act(ARBITRATOR, Act.DECLARE)
    assert {"pass", "strike"} <= set(can(play, Role.CLIENT))
    assert play.case.waiting_for == {Role.CLIENT, Role.FREELANCER}
    # The next one is heard first as well.
    play.act(Role.CLIENT, Act.PASS).act(Role.FREELANCER, Act.STRIKE).draw()
    refused(Rule.TABLE, lambda: play.act(Role.CLIENT, Act.PASS))


@pytest.mark.parametrize(("left", "days"), [(DAY, None), (DAY - 1, 1), (0, 1), (-1_000, 1)])
def test_a_declaration_of_the_last_hours_leaves_a_working_day(left: int, days: int | None) -> None:
    play = seating()
    before = play.case.due
    assert before is not None
    play.now = before.until - left
    play.act(ARBITRATOR, Act.DECLARE)
    due = play.case.due
    assert due is not None
    assert due.until - play.now >= DAY
    assert play.case.waiting_for == {Role.CLIENT, Role.FREELANCER}
    assert play.case.stopped_ms == 0
    if days is None:
        assert due == before
    else:
        assert due.due is not None
        assert due.due.days == days
        # It begins with the declaration: what was late before it is not late now.
        play.now = max(before.until, play.now) + 2_000
        refused(Rule.TIME, lambda: play.act(Role.OPERATOR, Act.LAPSE))
        play.act(Role.FREELANCER, Act.STRIKE)
        assert play.case.head not in play.case.late


@pytest.mark.parametrize(("left", "days"), [(DAY, 2), (DAY - 1, 1), (-1_000, 1)])
def test_who_declares_late_looks_for_a_day_less(left: int, days: int) -> None:
    """The first time that they look: the case takes no longer."""
    play = seating()
    assert play.case.due is not None
    play.now = play.case.due.until - left
    play.act(ARBITRATOR, Act.DECLARE).lapse()
    assert stands(play, State.EVIDENCE)
    assert days_of(play) == days
    assert stands(play.pass_due().shown(1), State.EVIDENCE)
    assert days_of(play) == 2


def test_who_declares_in_time_after_one_who_did_not_looks_for_all_days() -> None:
    play = seating().pass_due().act(ARBITRATOR, Act.DECLARE).act(Role.CLIENT, Act.STRIKE)
    play.draw().act(ARBITRATOR, Act.DECLARE).both(Act.PASS)
    assert stands(play, State.EVIDENCE)
    assert days_of(play) == 2


def days_of(play: Play) -> int:
    assert play.case.due is not None
    assert play.case.due.due is not None
    return play.case.due.due.days


def test_no_late_declaration_shortens_the_seating() -> None:
    """Whoever counts in a zone whose day ends earlier gains nothing by it."""
    play = seating()
    assert play.case.due is not None
    assert play.case.due.due is not None
    play.now = play.case.due.until - DAY + 1
    early = replace(play.case.due.due, days=1, until=play.case.due.until - HOUR, offset=60)
    refused(Rule.DEADLINE, lambda: play.act(ARBITRATOR, Act.DECLARE, due=early))


def test_who_says_nothing_of_a_declaration_loses_nothing() -> None:
    play = seating().act(ARBITRATOR, Act.DECLARE).lapse()
    assert stands(play, State.EVIDENCE)
    play = seating()
    play.pass_due().act(ARBITRATOR, Act.DECLARE).act(Role.CLIENT, Act.PASS).lapse()
    assert stands(play, State.EVIDENCE)


def test_who_accepts_the_drawn_person_strikes_them_no_more() -> None:
    play = seating().act(ARBITRATOR, Act.DECLARE).act(Role.CLIENT, Act.PASS)
    told = refused(Rule.ONCE, lambda: play.act(Role.CLIENT, Act.STRIKE))
    assert told == "client: strike: expected no pass of the same party before, found one"
    assert "strike" not in can(play, Role.CLIENT)
    assert "strike" in can(play, Role.FREELANCER)
    # They accepted that person, and nobody else: whom the other's strike brings is another.
    play.act(Role.FREELANCER, Act.STRIKE).draw()
    assert "strike" in can(play, Role.CLIENT)
    assert stands(play.act(Role.CLIENT, Act.STRIKE), State.DRAW)


def test_who_gives_up_the_appeal_has_none() -> None:
    play = Play.begin().heard().decided().act(Role.CLIENT, Act.PASS)
    told = refused(Rule.ONCE, lambda: play.act(Role.CLIENT, Act.APPEAL))
    assert told == "client: appeal: expected no pass of the same party before, found one"
    assert "appeal" not in can(play, Role.CLIENT)
    assert "appeal" in can(play, Role.FREELANCER)
    assert stands(play.act(Role.FREELANCER, Act.APPEAL), State.DRAW)
    silent = Play.begin().heard().decided().act(Role.CLIENT, Act.PASS)
    assert stands(silent.lapse(), State.FINAL)


@pytest.mark.parametrize("state", [State.OBJECTION, State.COMMENT, State.DRAFT, State.REVIEW])
def test_who_passes_has_no_other_word_in_that_state(state: State) -> None:
    play = PLAYS[state]().act(Role.CLIENT, Act.PASS)
    left = set(can(play, Role.CLIENT))
    assert left.isdisjoint({"pass", "comment", "object", "strike", "appeal"})


def test_no_strike_keeps_an_appeal_from_being_heard() -> None:
    play = Play.begin(terms=panel(2)).heard().decided().act(Role.CLIENT, Act.APPEAL).draw()
    refused(Rule.DRAW, lambda: play.act(Role.FREELANCER, Act.STRIKE))
    assert "strike" not in can(play, Role.FREELANCER)
    play.act(ARBITRATOR, Act.DECLARE).both(Act.PASS)
    assert stands(play, State.REVIEW)


def test_only_the_drawn_arbitrator_speaks() -> None:
    play = Play.begin().heard()
    other = next(one for one in ARBITRATORS if one != play.arbitrator)
    refused(Rule.PARTY, lambda: play.act(ARBITRATOR, Act.ASK, by=other))
    assert "ask" not in play.case.allowed(other.public_key.thumbprint)
    assert "ask" in play.case.allowed(play.arbitrator.public_key.thumbprint)


def test_a_silent_arbitrator_is_reminded_then_replaced_and_the_limit_stands_still() -> None:
    play = Play.begin().heard()
    first, limit = play.case.arbitrator, play.case.limit
    assert play.case.due is not None
    halted = play.case.due.until
    play.lapse()
    assert (play.case.state, play.case.reminded) == (State.EVIDENCE, True)
    play.lapse()
    assert (play.case.state, play.case.arbitrator) == (State.DRAW, None)
    play.seat()
    assert play.case.arbitrator != first
    assert limit is not None
    assert play.case.limit == limit + play.now - halted


def test_who_never_declares_is_replaced() -> None:
    assert stands(seating().lapse(), State.DRAW)


def test_a_replaced_key_speaks_for_its_person() -> None:
    new = signer("the client's new key")
    play = Play.begin()
    parties = Parties.of(play.case.terms).succeeded(
        CLIENT.public_key.thumbprint, new.public_key.thumbprint
    )
    play.case = replace(play.case, parties=parties)
    assert stands(play.act(Role.CLIENT, Act.WITHDRAW, by=new), State.WITHDRAWN)


# --- evidence ---


def test_levels_go_up_one_at_a_time() -> None:
    play = Play.begin().heard()
    refused(Rule.LADDER, lambda: play.act(ARBITRATOR, Act.ASK, **play.question(2)))
    play.shown(1)
    refused(Rule.LADDER, lambda: play.act(ARBITRATOR, Act.ASK, **play.question(3)))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"count": 2_881}, id="count"),
        pytest.param({"begin": NOW - 8 * DAY}, id="hours before the period"),
        pytest.param({"end": NOW + 1}, id="hours after the period"),
        pytest.param({"freeze": Play.begin().question(2)["freeze"]}, id="freeze at level 1"),
    ],
)
def test_refuses_requests_beyond_the_ladder(changes: dict[str, Any]) -> None:
    play = Play.begin().heard()
    asked = play.question(1) | changes
    refused(Rule.LADDER, lambda: play.act(ARBITRATOR, Act.ASK, **asked))


@pytest.mark.parametrize(("level", "reached"), [(Level.TIMER, 0), (Level.ACTIVITY, 1)])
def test_the_terms_bound_the_ladder(level: Level, reached: int) -> None:
    play = Play.begin(terms=case_terms(level=level, capture_rate=0)).heard()
    for each in range(1, reached + 1):
        play.shown(each)
    asked = play.question(reached + 1)
    refused(Rule.LADDER, lambda: play.act(ARBITRATOR, Act.ASK, **asked))


def test_nothing_is_shown_without_a_ruling() -> None:
    play = Play.begin().heard()
    refused(Rule.REQUEST, lambda: play.act(Role.FREELANCER, Act.SHOW))
    play.act(ARBITRATOR, Act.ASK)
    refused(Rule.TABLE, lambda: play.act(Role.FREELANCER, Act.SHOW))
    play.lapse().act(ARBITRATOR, Act.RULE, code=Ruling.REFUSE)
    assert (play.case.state, play.case.ask, play.case.reached) == (State.EVIDENCE, None, 0)
    refused(Rule.REQUEST, lambda: play.act(Role.FREELANCER, Act.SHOW))


def test_a_ruling_narrows_to_a_smaller_count() -> None:
    play = Play.begin().heard().act(ARBITRATOR, Act.ASK).lapse()
    for changes in (
        {"code": Ruling.GRANT, "count": 5},
        {"code": Ruling.NARROW},
        {"code": Ruling.NARROW, "count": 100},
    ):
        refused(Rule.LADDER, lambda: play.act(ARBITRATOR, Act.RULE, **changes))  # noqa: B023
    play.act(ARBITRATOR, Act.RULE, code=Ruling.NARROW, count=99)
    assert play.case.ask is not None
    assert play.case.ask.granted == 99


def test_frames_are_named_after_the_draw_and_no_more_than_ruled() -> None:
    play = Play.begin().heard().shown(1)
    play.act(ARBITRATOR, Act.ASK, **play.question(2)).both(Act.PASS).act(ARBITRATOR, Act.RULE)
    refused(Rule.SAMPLE, play.request)
    play.sampled()
    many = tuple(RequestedFrame(digest(1), digest(n)) for n in range(15))
    refused(Rule.LADDER, lambda: play.request(frames=many))
    play.request()
    refused(Rule.LADDER, lambda: play.act(Role.FREELANCER, Act.SHOW))
    refused(Rule.REQUEST, lambda: play.disclose(request=digest(1)))
    play.disclose()
    refused(Rule.REQUEST, lambda: play.find(disclosure=digest(1)))
    play.find()
    refused(Rule.ONCE, play.find)


def test_a_request_is_answered_by_its_deadline() -> None:
    play = Play.begin().heard().shown(1).granted(2)
    record = play.request
    assert record().case.due is not None
    told = play.told[-1][0]
    play.case = play.replayed(-1)
    other = replace(_read(told), answer_by=NOW + 400 * DAY)
    refused(Rule.DEADLINE, lambda: play.case.after(sign(other, play.arbitrator), play.now))


def _read(statement: Any) -> Any:
    from workseal_protocol.records import read_record  # noqa: PLC0415

    return read_record(statement)


def test_whole_frames_need_two_approvals() -> None:
    play = Play.begin().heard()
    for level in (1, 2, 3):
        play.shown(level)
    play.granted(4).request()
    refused(Rule.LADDER, play.disclose)
    play.act(Role.FREELANCER, Act.APPROVE)
    refused(Rule.LADDER, lambda: play.act(Role.FREELANCER, Act.APPROVE))
    assert stands(play.disclose(), State.COMMENT)


def test_withholding_is_commented_on_and_forfeits_nothing() -> None:
    play = Play.begin().heard().granted(1)
    play.act(Role.FREELANCER, Act.WITHHOLD, code=Refusal.PRIVILEGE)
    assert (play.case.state, play.case.reached, play.case.shown) == (State.COMMENT, 1, ())
    assert stands(play.act(Role.CLIENT, Act.COMMENT), State.EVIDENCE)


def test_what_waits_for_the_end_of_a_deadline_is_not_late() -> None:
    play = SITUATIONS["final"]()
    play.lapse()
    assert play.case.state is State.SEALED
    play.pass_due().act(Role.OPERATOR, Act.DESTROY)
    assert play.case.late == frozenset()


def test_late_openings_are_taken_before_the_draft() -> None:
    play = Play.begin().heard().granted(1).lapse().lapse()
    assert stands(play, State.EVIDENCE)
    play.act(Role.FREELANCER, Act.SHOW)
    assert (play.case.state, len(play.case.shown)) == (State.COMMENT, 1)
    refused(Rule.REQUEST, lambda: play.act(Role.FREELANCER, Act.SHOW))


def test_late_openings_are_taken_while_the_client_comments_on_the_silence() -> None:
    play = Play.begin().heard().granted(1).lapse().wait(DAY)
    was = play.case.due
    play.act(Role.FREELANCER, Act.SHOW)
    assert stands(play, State.COMMENT)
    # With the room for it the client has the days of a comment anew.
    assert was is not None
    assert play.case.due is not None
    assert play.case.due.until > was.until
    assert stands(play.act(Role.CLIENT, Act.COMMENT), State.EVIDENCE)


@pytest.mark.parametrize("state", [State.COMMENT, State.EVIDENCE])
def test_silence_forfeits_nothing_where_a_case_was_slow(state: State) -> None:
    """Without the room for a comment of its own, the word on it is that on the draft."""
    play = Play.begin().heard().granted(1).lapse()
    if state is State.EVIDENCE:
        play.lapse()
    assert play.case.limit is not None
    play.now = play.case.limit - 56 * DAY + 1
    due = play.case.due
    play.act(Role.FREELANCER, Act.SHOW)
    assert (play.case.state, play.case.due, len(play.case.shown)) == (state, due, 1)
    if state is State.COMMENT:
        play.act(Role.CLIENT, Act.COMMENT)
    play.act(ARBITRATOR, Act.DRAFT, cites=play.case.shown)
    assert play.case.waiting_for == {Role.CLIENT, Role.FREELANCER}


def test_a_further_request_needs_room_before_the_limit() -> None:
    play = Play.begin().heard().shown(1)
    assert play.case.limit is not None
    play.now = play.case.limit - 56 * DAY
    frozen = play.question(2)
    case = play.act(ARBITRATOR, Act.ASK, **frozen).case
    assert case.asked == 2
    play.case = play.replayed(-1)
    play.told.pop()
    play.now += 1
    told = refused(Rule.ROOM, lambda: play.act(ARBITRATOR, Act.ASK, **frozen))
    assert told.endswith("expected 56 of 90 days left for a further request, found 55")
    assert "ask" not in play.case.allowed(play.arbitrator.public_key.thumbprint, play.now)


# --- the end ---


def test_both_comment_on_the_draft_before_the_decision() -> None:
    play = Play.begin().heard().act(ARBITRATOR, Act.DRAFT)
    refused(Rule.TABLE, lambda: play.act(ARBITRATOR, Act.DECIDE))
    play.act(Role.CLIENT, Act.COMMENT)
    assert play.case.waiting_for == {Role.FREELANCER}
    refused(Rule.ONCE, lambda: play.act(Role.CLIENT, Act.COMMENT))
    refused(Rule.TABLE, lambda: play.act(ARBITRATOR, Act.DECIDE))
    play.lapse()
    assert stands(play.act(ARBITRATOR, Act.DECIDE), State.APPEAL)


def test_reasons_cite_the_case_and_nothing_clawed_back() -> None:
    play = Play.begin().heard().shown(1)
    shown = play.case.shown[0]
    refused(Rule.CITATION, lambda: play.act(ARBITRATOR, Act.DRAFT, cites=(digest(1),)))
    refused(Rule.CITATION, lambda: play.act(Role.FREELANCER, Act.CLAW_BACK, cites=(digest(1),)))
    play.act(Role.FREELANCER, Act.CLAW_BACK, cites=(shown,))
    refused(
        Rule.CITATION,
        lambda: play.act(ARBITRATOR, Act.DRAFT, cites=(play.case.case, shown)),
    )
    refused(Rule.CITATION, lambda: play.act(Role.FREELANCER, Act.CLAW_BACK, cites=(shown,)))
    play.act(ARBITRATOR, Act.DRAFT)


def test_what_cannot_be_opened_is_said_once_and_moves_nothing() -> None:
    play = Play.begin().heard()
    refused(Rule.CITATION, lambda: play.act(ARBITRATOR, Act.UNREADABLE, cites=(digest(1),)))
    play.shown(1).granted(2).request().disclose()
    openings, tiles = play.case.shown
    before = play.case
    refused(Rule.PARTY, lambda: play.act(Role.FREELANCER, Act.UNREADABLE, cites=(tiles,)))
    play.act(ARBITRATOR, Act.UNREADABLE, cites=(tiles,))
    assert (play.case.state, play.case.due) == (before.state, before.due)
    assert play.case.unreadable == {tiles}
    for cites in ((tiles,), (openings, tiles)):
        refused(Rule.CITATION, lambda: play.act(ARBITRATOR, Act.UNREADABLE, cites=cites))  # noqa: B023
    # It may come again, and open.
    play.find(ARBITRATOR)
    play.act(Role.FREELANCER, Act.CLAW_BACK, cites=(openings,))
    refused(Rule.CITATION, lambda: play.act(ARBITRATOR, Act.UNREADABLE, cites=(openings,)))
    play.act(ARBITRATOR, Act.RECUSE).seat()
    assert play.case.unreadable == frozenset()
    play.act(ARBITRATOR, Act.UNREADABLE, cites=(tiles,))


@pytest.mark.parametrize("role", [Role.CLIENT, Role.FREELANCER])
def test_no_party_can_fill_a_case_alone(role: Role) -> None:
    """Whatever one says, again and again, leaves room for a decision."""
    play = Play.begin().heard().shown(1).shown(2)
    before = len(play.case.statements)
    again = True
    while again:
        again = False
        for act in (Act.EXHIBIT, Act.OFFER, Act.CLAW_BACK):
            cites = {"cites": play.case.shown[:1]} if act is Act.CLAW_BACK else {}
            with suppress(CaseError):
                play.act(role, act, **cites)
                again = True
    assert len(play.case.statements) - before <= 18
    play.act(ARBITRATOR, Act.DRAFT)


def test_what_is_taken_back_is_not_taken_back_again() -> None:
    play = Play.begin().heard().shown(1).shown(2)
    first, second = play.case.shown
    play.act(Role.FREELANCER, Act.CLAW_BACK, cites=(first,))
    for cites in ((first,), (second, first)):
        refused(Rule.CITATION, lambda: play.act(Role.FREELANCER, Act.CLAW_BACK, cites=cites))  # noqa: B023
    play.act(Role.FREELANCER, Act.CLAW_BACK, cites=(second,))


def test_refuses_an_instant_after_which_no_deadline_can_be_written() -> None:
    play = Play.begin(now=MAX_INSTANT - 1, begin=NOW, end=NOW + 1)
    play.act(Role.CLIENT, Act.WITHDRAW)
    assert play.case.due is not None
    assert play.case.due.until <= MAX_TIME
    refused(Rule.TIME, lambda: Play.begin(now=MAX_INSTANT, begin=NOW, end=NOW + 1))
    play = Play.begin()
    play.now = MAX_INSTANT
    refused(Rule.TIME, lambda: play.act(Role.CLIENT, Act.WITHDRAW))


def test_asking_for_the_moves_draws_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play.begin().heard().shown(1).granted(2)
    monkeypatch.setattr(facts, "draw_places", None)
    assert "request" in play.case.allowed(play.arbitrator.public_key.thumbprint)


def test_an_appeal_needs_another_person() -> None:
    play = Play.begin(terms=panel(1)).heard().decided()
    refused(Rule.DRAW, lambda: play.act(Role.CLIENT, Act.APPEAL))
    assert stands(play.lapse(), State.FINAL)


def test_the_first_decision_stands_when_nobody_is_left_for_the_appeal() -> None:
    play = Play.begin(terms=panel(2))
    play.heard().decided().act(Role.CLIENT, Act.APPEAL).draw().act(ARBITRATOR, Act.RECUSE)
    assert stands(play, State.FINAL)
    assert play.case.decision is not None


# --- time ---


def test_a_stay_gives_back_the_time_that_was_left() -> None:
    play = Play.begin().heard().act(ARBITRATOR, Act.ASK)
    before = play.case.due
    assert before is not None
    refused(Rule.TIME, lambda: play.act(ARBITRATOR, Act.STAY, end=play.now + 31 * DAY))
    refused(Rule.TIME, lambda: play.act(ARBITRATOR, Act.STAY, end=play.now))
    play.act(ARBITRATOR, Act.STAY, end=play.now + 14 * DAY)
    assert stands(play, State.STAYED)
    play.wait(7 * DAY).act(ARBITRATOR, Act.RESUME)
    assert stands(play, State.OBJECTION)
    assert play.case.due is not None
    assert play.case.due.until == before.until + 7 * DAY
    assert play.case.stopped_ms == 7 * DAY


def test_a_stay_ends_by_itself_and_keeps_what_was_done() -> None:
    play = Play.begin().heard().act(ARBITRATOR, Act.DRAFT).act(Role.CLIENT, Act.COMMENT)
    play.act(ARBITRATOR, Act.STAY, end=play.now + 3 * DAY).lapse()
    assert stands(play, State.DRAFT)
    assert play.case.waiting_for == {Role.FREELANCER} or play.case.done == {Role.CLIENT}
    assert stands(play.act(Role.FREELANCER, Act.COMMENT), State.DECISION)


def test_stays_end() -> None:
    play = Play.begin().heard()
    for _ in range(2):
        play.act(ARBITRATOR, Act.STAY, end=play.now + 30 * DAY).act(ARBITRATOR, Act.RESUME)
    refused(Rule.FULL, lambda: play.act(ARBITRATOR, Act.STAY, end=play.now + DAY))


def test_an_outage_on_the_last_day_moves_the_deadline() -> None:
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE).pass_due()
    until = play.now - 2_000
    for begin_, end in (
        (until - 6 * HOUR, until - 3 * HOUR),
        (until - 30 * HOUR, until - 25 * HOUR),
        (play.now, play.now + 5 * HOUR),
    ):
        refused(
            Rule.TIME,
            lambda: play.act(Role.OPERATOR, Act.OUTAGE, begin=begin_, end=end),  # noqa: B023
        )
    play.act(Role.OPERATOR, Act.OUTAGE)
    assert play.case.due is not None
    assert play.case.due.until > until
    assert stands(play, State.ANSWER)
    assert play.case.stopped_ms == play.case.due.until - until


def test_one_outage_moves_a_deadline_once() -> None:
    """It lies over midnight, so it touches the last day of the moved deadline as well."""
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE).pass_due()
    begin_, end = play.now - 6 * HOUR, play.now + 6 * HOUR
    play.wait(DAY).act(Role.OPERATOR, Act.OUTAGE, begin=begin_, end=end)
    for again in ((begin_, end), (begin_ + HOUR, end), (end, end + 4 * HOUR)):
        refused(
            Rule.ONCE,
            lambda: play.act(Role.OPERATOR, Act.OUTAGE, begin=again[0], end=again[1]),  # noqa: B023
        )
    play.act(Role.OPERATOR, Act.OUTAGE, begin=end + 1, end=end + 4 * HOUR + 1)
    assert play.case.outages == 2


def test_a_deadline_that_has_not_passed_does_not_lapse() -> None:
    play = Play.begin()
    assert play.case.due is not None
    play.now = play.case.due.until
    refused(Rule.TIME, lambda: play.act(Role.OPERATOR, Act.LAPSE))
    play.now += 1
    assert stands(play.act(Role.OPERATOR, Act.LAPSE), State.ANSWER)


def test_a_deadline_stands_exactly_where_one_is_opened() -> None:
    play = Play.begin()
    told = refused(
        Rule.DEADLINE,
        lambda: play.act(Role.OPERATOR, Act.NOTICE, code=Delivery.OPENED, due=None),
    )
    assert told == "the deadline: expected one of 10 working days, found none"
    due = due_of(FREELANCER_DAYS)
    refused(Rule.DEADLINE, lambda: play.act(Role.CLIENT, Act.OFFER, due=due))


def test_what_is_announced_is_what_counts() -> None:
    lisbon = CaseCalendar(name="DE-BY", zone="Europe/Lisbon", weekend=0b1100000)
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE)
    play.act(Role.FREELANCER, Act.ANSWER, calendar=lisbon).act(Role.CLIENT, Act.END).seat()
    play.granted(1)
    assert zone_of(play) == "Europe/Lisbon"
    play.case = play.replayed(-1)
    due = replace(count_due(Span(play.now, 5), CLIENT_DAYS), calendar="DE-BY")
    told = refused(Rule.DEADLINE, lambda: play.act(ARBITRATOR, Act.RULE, due=due))
    assert told.endswith("expected DE-BY in Europe/Lisbon, found DE-BY in Europe/Berlin")


def test_the_calendar_of_an_arbitrator_goes_with_them() -> None:
    french = CaseCalendar(name="FR", zone="Europe/Paris", weekend=0b1100000)
    play = Play.begin().lapse().lapse().lapse().draw()
    play.act(Role.ARBITRATOR, Act.DECLARE, calendar=french).both(Act.PASS)
    assert zone_of(play) == "Europe/Paris"
    play.act(ARBITRATOR, Act.RECUSE).seat()
    assert zone_of(play) == "Europe/Berlin"


def zone_of(play: Play) -> str:
    assert play.case.due is not None
    assert play.case.due.due is not None
    return play.case.due.due.zone


def test_what_is_not_known_yet_is_none() -> None:
    play = Play.begin()
    assert (play.case.limit, play.case.sample_round, play.case.drawn) == (None, None, None)
    assert play.case.allowed(STRANGER.public_key.thumbprint) == ()
    with pytest.raises(ValueError, match="nothing is frozen"):
        play.case.seed_of(1, bytes(32))


def test_an_answer_before_the_notice_is_one_all_the_same() -> None:
    play = Play.begin().act(Role.FREELANCER, Act.ANSWER)
    assert stands(play, State.NEGOTIATION)
    assert play.case.effective_at == NOW


def test_outages_and_requests_are_counted() -> None:
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE)
    for _ in range(4):
        play.pass_due().act(Role.OPERATOR, Act.OUTAGE)
    play.pass_due()
    refused(Rule.FULL, lambda: play.act(Role.OPERATOR, Act.OUTAGE))
    asked = Play.begin().heard()
    for _ in range(8):
        asked.act(ARBITRATOR, Act.ASK, **asked.question(1)).both(Act.PASS)
        asked.act(ARBITRATOR, Act.RULE, code=Ruling.REFUSE)
    refused(Rule.LADDER, lambda: asked.act(ARBITRATOR, Act.ASK, **asked.question(1)))


def test_frames_are_disclosed_for_a_request_that_names_them() -> None:
    play = Play.begin().heard().granted(1)
    refused(Rule.REQUEST, play.disclose)


def test_a_request_names_the_key_that_was_declared_for_the_case() -> None:
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)
    play.act(Role.CLIENT, Act.END).draw()
    play.act(ARBITRATOR, Act.DECLARE, sealing_key=b"\x01" * 1216).both(Act.PASS)
    play.shown(1).granted(2)
    told = refused(Rule.REQUEST, lambda: play.request(sealing_key=b"\x02" * 1216))
    assert told == "the request: expected the declared key of the case, found another"
    assert stands(play.request(), State.DISCLOSURE)


def test_who_leaves_the_seat_takes_the_key_along() -> None:
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)
    play.act(Role.CLIENT, Act.END).draw()
    play.act(ARBITRATOR, Act.DECLARE, sealing_key=b"\x01" * 1216)
    play.act(ARBITRATOR, Act.RECUSE)
    play.seat().shown(1).granted(2)
    assert stands(play.request(sealing_key=b"\x02" * 1216), State.DISCLOSURE)


@given(st.binary(max_size=300) | st.sampled_from(list(Act)))
def test_only_a_case_error_or_a_malformed_one_leaves_the_fold(data: bytes | Act) -> None:
    play = PLAYED
    try:
        if isinstance(data, Act):
            play.act(Role.CLIENT, data, **play.content(Role.CLIENT, data))
        else:
            play.case.after(Statement.parse(data), play.now)
    except (CaseError, MalformedError):
        return
    except (ValueError, AssertionError):
        assert isinstance(data, Act)  # the record itself cannot be made
    play.case = play.replayed(1)
    del play.told[1:]


PLAYED = Play.begin()

# --- the specification ---

SPEC = Path(__file__).parents[2] / "docs" / "spec"


def cells(text: str, title: str) -> list[list[str]]:
    part = text.split(f"## {title}\n")[1].split("\n## ", maxsplit=1)[0]
    rows = [line for line in part.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]


def groups(text: str) -> dict[str, list[str]]:
    told = " ".join(text.split("Groups: ")[1].split("\n\n", maxsplit=1)[0].split())
    found: dict[str, list[str]] = {}
    for name, members in re.findall(r"\*([a-z ]+)\* are ([^;.]+)", told):
        found[name] = [each for one in members.split(", ") for each in found.get(one, [one])]
    return found


def test_the_specification_has_the_table_of_states() -> None:
    text = (SPEC / "dispute.md").read_text()
    told = {
        state: (binds, days, counted, then)
        for states, binds, days, counted, then in cells(text, "States")
        for state in states.split(", ")
    }
    assert told == {
        str(state): (
            str(clock.binds),
            str(clock.days or "–"),  # noqa: RUF001
            str(clock.counted),
            str(clock.next or "–"),  # noqa: RUF001
        )
        for state, clock in CLOCKS.items()
    }


def test_the_specification_has_the_table_of_moves() -> None:
    text = (SPEC / "dispute.md").read_text()
    known = groups(text)
    told = [
        (state, move, who, then)
        for moves, who, states, then in cells(text, "Moves")
        for move in moves.split(", ")
        for name in states.split(", ")
        for state in known.get(name, [name])
    ]
    rows = [(str(row.state), row.move, str(row.who), str(row.then)) for row in TABLE]
    assert sorted(told) == sorted(rows)


def test_every_move_of_the_table_exists() -> None:
    acts = {act.name.lower().replace("_", "-") for act in Act}
    assert {row.move for row in TABLE} == acts | {"request", "disclosure", "finding"}


def test_the_specification_has_the_ladder() -> None:
    rows = cells((SPEC / "ladder.md").read_text(), "Levels")
    needs = {"timer": Level.TIMER, "timer and activity": Level.ACTIVITY, "frames": Level.FRAMES}
    told = {int(row[0]): (row[3].split(",")[0].replace(",", ""), needs[row[4]]) for row in rows}
    assert {level: need for level, (_, need) in told.items()} == {
        level: rung.needs for level, rung in LADDER.items()
    }
    most = {int(row[0]): re.sub(r"(?<=[0-9]),(?=[0-9])", "", row[3]).split(",")[0] for row in rows}
    assert most == {level: str(rung.most or "") for level, rung in LADDER.items()}
    tiles = {2: "1 in 8 tiles of each", 3: "1 in 2 tiles of each, the sample"}
    shares = {int(row[0]): row[3].partition(", ")[2] for row in rows}
    assert {level: shares[level] for level in tiles} == tiles
    assert {level: rung.one_in for level, rung in LADDER.items() if rung.sampled} == {2: 8, 3: 2}


# --- vectors ---

TOLD = json.loads(CASES.read_text())


def test_the_vectors_are_what_the_code_gives() -> None:
    assert case_vectors() == TOLD


@pytest.mark.parametrize("vector", TOLD, ids=[one["name"] for one in TOLD])
def test_each_vector_ends_as_it_says(vector: dict[str, Any]) -> None:
    terms = Terms.read(Fields(decode(bytes.fromhex(vector["terms"])), "terms"))
    (first, at), *rest = ((Statement.parse(bytes.fromhex(h)), at) for h, at in vector["statements"])
    case = Case.begin(first, at, terms=terms, released=released)
    outcome = ""
    for statement, known_at in rest:
        try:
            case = case.after(statement, known_at)
            outcome = str(case.state)
        except CaseError as error:
            outcome = f"refused: {error.rule}"
    assert outcome == vector["expect"]
    assert str(case.head) == vector["head"]


def test_every_rule_but_that_of_filings_has_a_vector() -> None:
    told = {one["expect"] for one in TOLD}
    assert {f"refused: {rule}" for rule in Rule if rule is not Rule.FILING} <= told


@pytest.mark.parametrize("by", [Role.OPERATOR, Role.ARBITRATOR])
def test_what_a_check_found_is_taken_until_the_hearing_is_over(by: Role) -> None:
    shown = SITUATIONS["comment on tiles"]
    found = shown().find(by).case
    assert found.state is State.COMMENT
    later = shown().act(Role.CLIENT, Act.PASS)
    assert later.find(by).case.state is State.EVIDENCE
    drafted = shown().act(Role.CLIENT, Act.PASS).act(Role.ARBITRATOR, Act.DRAFT)
    for play, who in ((drafted, by), (shown(), Role.CLIENT), (shown(), Role.FREELANCER)):
        with pytest.raises(CaseError):
            play.find(who)


def test_neither_check_keeps_the_other_out_of_the_case() -> None:
    shown = SITUATIONS["comment on tiles"]
    for one, other in ((Role.OPERATOR, Role.ARBITRATOR), (Role.ARBITRATOR, Role.OPERATOR)):
        both = shown().find(one).find(other)
        assert set(both.case.unexamined.values()) == {frozenset()}
        for again in (one, other):
            with pytest.raises(CaseError, match="finding"):
                both.find(again)


def test_who_sits_next_is_not_bound_by_the_check_of_the_one_before() -> None:
    shown = SITUATIONS["comment on tiles"]().find(Role.ARBITRATOR)
    (left,) = shown.case.unexamined.values()
    assert left == {Role.OPERATOR}
    (left,) = shown.act(Role.ARBITRATOR, Act.RECUSE).case.unexamined.values()
    assert left == {Role.OPERATOR, Role.ARBITRATOR}
