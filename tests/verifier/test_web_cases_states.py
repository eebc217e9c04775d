"""The page of a case in every state of its machine, to everybody in it.

No server and no browser: a case is played by the protocol's own fold, and its page written from it.
What is offered is compared with what the fold takes when each move is really made.
"""

import copy
import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from support.builders import digest
from support.cases import DAY, Play, beacon, released, secret_of
from support.casestates import PLAYS, SITUATIONS
from workseal_protocol.cli.acting import ABOUT
from workseal_protocol.cli.sampled import sample_told
from workseal_protocol.dispute import TABLE, Case, CaseError, State, freeze_frames
from workseal_protocol.dispute.table import DISCLOSED, FOUND, REQUEST
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    CaseCalendar,
    Claim,
    Finding,
    Holding,
    Outcome,
    read_record,
)
from workseal_verifier.services.casefold import case_row
from workseal_verifier.services.diaries import Agreed, Course, Reach
from workseal_verifier.services.disputedhours import Counted, Disputed
from workseal_verifier.services.hearing import View, _told
from workseal_verifier.services.redraws import Frozen
from workseal_verifier.web.caselist import line_of
from workseal_verifier.web.cases import Beside, case_values
from workseal_verifier.web.casetimes import clocks_of
from workseal_verifier.web.casewords import standing_of
from workseal_verifier.web.render import moment, written

ROLES = (Role.CLIENT, Role.FREELANCER, Role.ARBITRATOR)
ACTS = {row.move for row in TABLE} - {"lapse", "outage", "notice", FOUND, REQUEST, DISCLOSED}
# Nobody is waited for in these, whoever may act.
ENDS = {State.STAYED, State.SETTLED, State.WITHDRAWN, State.UNDECIDED, State.FINAL, State.SEALED}


@dataclass(frozen=True)
class Seen:
    """Hold a page and a list as one of the three sees them, and who that is."""

    play: Play
    role: Role
    page: str
    listed: str


def view_of(play: Play, role: Role) -> View:
    """Give a case as the server tells it to somebody."""
    told, at = [], 0
    case: Case | None = None
    for number, (statement, known_at) in enumerate(play.told):
        if case is None:
            case = Case.begin(statement, known_at, terms=play.case.terms, released=released)
        else:
            case = case.after(statement, known_at)
        told.append(_told(play.case, statement, case_row(case, number), at))
        at = told[-1].at_ms
    key = play.signer_of(role).public_key.thumbprint
    moves = tuple(dict.fromkeys(play.case.allowed(key, play.now)))
    return View(play.case, role, moves, tuple(told))


def seen_by(
    play: Play,
    role: Role,
    *earlier: Case,
    active: tuple[int, ...] | None = (),
    keyless: tuple[Role, ...] = (),
) -> Seen:
    terms, filing = play.case.terms, play.case.filing
    beside = Beside(
        agreed=Agreed(filing.engagement, terms, ZoneInfo(terms.zone), known=True),
        reach=Reach(100, play.now),
        disputed=Disputed(
            Course((), ()), None if active is None else Counted((), (), active=active)
        ),
        frozen=Frozen(checked=True),
        withdrawn=frozenset(),
        committed=lambda number, value: value == beacon(number),
        cited=lambda _: {},
        earlier=earlier,
        keyless=keyless,
    )
    values = case_values(view_of(play, role), beside, "https://log.example", play.now)
    page = written("case.html", url="https://log.example", **values)
    rows = [line_of(play.case, role, play.now)]
    listed = written(
        "cases.html", url="https://log.example", rows=rows, key="00", goes_on=False, before=None
    )
    return Seen(play, role, page, listed)


def people(play: Play) -> tuple[Role, ...]:
    return ROLES if play.case.arbitrator is not None else ROLES[:2]


@pytest.fixture(scope="module", params=sorted(SITUATIONS))
def seen(request: pytest.FixtureRequest) -> list[Seen]:
    play = SITUATIONS[request.param]()
    return [seen_by(play, role) for role in people(play)]


def words(text: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)))


def offered(text: str) -> list[str]:
    return re.findall(r'<dd><pre class="bytes"[^>]*aria-label="([a-z-]+)"', text)


def taken(play: Play, role: Role, move: str) -> bool:
    """Make a move for real, as an honest program would, and tell whether the fold takes it."""
    tried = copy.copy(play)
    tried.told, tried.tried = [], []
    case = play.case
    # When the values are out, if that is what is waited for.
    if move in {"draw", "sample"}:
        tried.wait(DAY)
    theirs = [one for one, maker in case.offers.items() if maker is not role]
    left = tuple(set(case.shown) - case.clawed_back - case.unreadable) or (case.case,)
    honest: dict[str, dict[str, Any]] = {
        "accept": {"cites": tuple(theirs[-1:]) or (case.case,)},
        "claw-back": {"cites": (tuple(set(case.shown) - case.clawed_back) or (case.case,))[:1]},
        "unreadable": {"cites": left[:1]},
        "stay": {"end": tried.now + 5 * DAY},
        "reveal": {"value": secret_of(role)},
    }
    fields = honest.get(move, {})
    try:
        if move == REQUEST:
            tried.request()
        elif move == DISCLOSED:
            tried.disclose()
        elif move == FOUND:
            tried.find(role)
        else:
            act = Act[move.upper().replace("-", "_")]
            tried.act(role, act, by=play.signer_of(role), **fields)
    except (CaseError, ValueError):
        # What cannot be said at all is not taken either: a request for no frame, a draw of nobody.
        return False
    return True


def test_every_state_is_among_the_situations() -> None:
    assert set(PLAYS) == set(State)
    for state, play in PLAYS.items():
        assert play().case.state is state


def test_what_is_offered_is_what_the_fold_takes(seen: list[Seen]) -> None:
    for one in seen:
        moves = ACTS | ({REQUEST, FOUND} if one.role is Role.ARBITRATOR else set())
        moves |= {DISCLOSED} if one.role is Role.FREELANCER else set()
        found = sorted(move for move in moves if taken(one.play, one.role, move))
        assert sorted(offered(one.page)) == found, one.role
        assert ("no act of yours is taken" in one.page) is (not found)


def test_the_page_says_where_it_stands_until_when_and_whose_turn_it_is(seen: list[Seen]) -> None:
    for one in seen:
        case, told = one.play.case, standing_of(one.play.case)
        stand = one.page[one.page.index('id="stand"') : one.page.index('id="do"')]
        for text in (stand, one.listed):
            assert told.title in words(text)
            assert words(told.silence) in words(text)
            is_turn = one.role in case.waiting_for and case.state not in ENDS
            assert ("Your turn" in text) is is_turn, one.role
        if case.due is None:
            assert case.state is State.PURGED
            continue
        for clock in clocks_of(case, one.role):
            assert moment(case.due.until, clock.zone) in words(stand)
            assert clock.name in stand
        is_late = case.open and one.play.now > case.due.until and case.state not in ENDS
        assert ("That moment has passed. What comes now" in words(stand)) is is_late
        if case.state in ENDS:
            assert "awaited" not in words(stand).replace("Nothing is awaited any more", "").lower()
            said = case.state is State.SEALED and Role.OPERATOR in case.done
            ends = "It ends, also without the arbitrator's word, after" if said else told.ends
            assert ends in words(stand)


@pytest.mark.parametrize(
    ("situation", "told"),
    [
        ("answer", None),
        ("objection with a freeze", "The request: request 2, at level 2 ."),
        ("comment", "The last request: request 1, at level 1 ."),
        ("evidence, all levels", "The last request: request 4, at level 4 ."),
        ("draft", "The draft: upheld in part, 650.00 EUR of 1300.00 EUR at stake."),
        ("appeal", "The decision: upheld in part, 650.00 EUR of 1300.00 EUR at stake."),
        ("purged", "The decision: upheld in part, 650.00 EUR of 1300.00 EUR at stake."),
    ],
)
def test_what_everything_is_about_is_told_first(situation: str, told: str | None) -> None:
    text = seen_by(SITUATIONS[situation](), Role.CLIENT).page
    stand = text[text.index('id="stand"') : text.index('id="do"')]
    found = re.search(r"The (?:last )?(?:request|draft|decision): .*", words(stand))
    assert (found is None) is (told is None)
    if found is not None and told is not None:
        assert found[0].startswith(told)
        (there,) = re.findall(r'href="#([a-z]+-[0-9]+)"', stand)
        assert f'id="{there}"' in text


def test_every_page_is_whole(seen: list[Seen]) -> None:
    for one in seen:
        names = re.findall(r' id="([^"]+)"', one.page)
        assert len(names) == len(set(names))
        assert set(re.findall(r'href="#([^"]+)"', one.page)) <= set(names)
        assert set(re.findall(r'aria-labelledby="([^"]+)"', one.page)) <= set(names)
        assert re.findall(r"\bNone\b|\{\{|\bUndefined\b", words(one.page)) == []


def test_what_a_filing_may_be_about_is_told_as_it_is_typed() -> None:
    listed = seen_by(PLAYS[State.NOTICE](), Role.CLIENT).listed
    told = re.findall(r"ABOUT is ([^.]*)\.", words(listed))
    assert re.findall(r"[a-z-]+", told[0].replace(" or other", ", other")) == list(ABOUT)


# --- what only some of them say ---


def page(situation: str, role: Role = Role.CLIENT) -> str:
    return words(seen_by(SITUATIONS[situation](), role).page)


def test_a_page_names_earlier_cases_over_its_hours_and_where_a_decision_departs() -> None:
    first = SITUATIONS["evidence"]().act(Role.CLIENT, Act.WITHDRAW).case
    play = SITUATIONS["draft"]().both(Act.COMMENT).act(Role.ARBITRATOR, Act.DECIDE, amount=1)
    for role in ROLES:
        page = seen_by(play, role, first).page
        stand = words(page[page.index('id="stand"') : page.index("</section>")])
        assert "Earlier cases over hours of this one:" in stand
        assert "Withdrawn by who filed it. Person" in stand
        assert str(first.case) in stand
        assert (f'href="/cases/{first.case}"' in page) is (role is not Role.ARBITRATOR)
        assert "(in part, 0.01 EUR) is not that of the draft (in part, 650.00 EUR)" in words(page)
    alone = seen_by(SITUATIONS["appeal"](), Role.CLIENT).page
    assert "Earlier cases" not in alone
    assert "is not that of the draft" not in alone


def test_offers_are_open_only_where_one_may_be_accepted() -> None:
    freelancer = page("negotiation with offers", Role.FREELANCER)
    # The newest one takes the place of the one before.
    assert "It accepts 0.02 EUR." in freelancer
    assert "0.01 EUR" not in freelancer[freelancer.index("It accepts") :][:200]
    assert "It accepts 900.00 EUR." in page("negotiation with offers", Role.CLIENT)
    for role in ROLES:
        assert "It accepts" not in page("appeal after offers", role)


def test_who_decides_whether_to_appeal_is_asked_just_that() -> None:
    text = page("appeal")
    awaited = text[text.index("The case waits for you to") : text.index("The question, and")]
    assert "Appeal to another person" in awaited
    assert "No appeal: let the decision be final" in awaited
    assert "once both parties have, the decision is final." in awaited
    assert "To settle or to end it" not in text
    assert "Nobody else is left on the agreed panel" not in text
    alone = page("appeal to nobody")
    assert "Nobody else is left on the agreed panel, so nobody can be appealed to" in alone
    assert "Appeal to another person" not in alone
    assert "Either party may appeal" in text
    assert "Either party may appeal" not in alone
    listed = seen_by(SITUATIONS["appeal to nobody"](), ROLES[0]).listed
    assert "nobody is left to appeal to" in listed
    assert "an appeal is open" not in listed


def test_whose_key_was_ended_without_another_is_said_while_they_are_waited_for() -> None:
    sentence = "The key of the arbitrator was ended, and no other takes its place"
    play = SITUATIONS["decision"]()
    assert sentence in words(seen_by(play, Role.CLIENT, keyless=(Role.ARBITRATOR,)).page)
    assert sentence not in page("decision")
    over = SITUATIONS["final"]()
    assert sentence not in words(seen_by(over, Role.CLIENT, keyless=(Role.ARBITRATOR,)).page)


def test_a_value_that_is_still_to_come_has_its_moment() -> None:
    play = PLAYS[State.DRAW]()
    assert f"that of round {play.case.panel_round}, which is out from" in page("draw")
    sampled = heard_until_sampled()
    text = words(seen_by(sampled, Role.CLIENT).page)
    assert f"that of round {sampled.case.sample_round}, which is out from" in text


def heard_until_sampled() -> Play:
    play = SITUATIONS["ruling of a sample"]()
    return play.act(Role.ARBITRATOR, Act.RULE)


def test_whatever_is_in_capitals_is_explained() -> None:
    text = page("disclosure", Role.FREELANCER)
    assert "GROUND is third-party-nda, privacy-of-others," in text
    ruling = page("ruling", Role.ARBITRATOR)
    assert "RULING is grant, narrow or refuse. With narrow also: --count N" in re.sub(
        r" +", " ", ruling
    )
    assert "GROUND is illness, talks, court, technical or other." in ruling
    assert "VERDICT is upheld (all that is at stake), in-part (less of it) or dismissed" in page(
        "evidence", Role.ARBITRATOR
    )


def test_only_what_holds_is_proved_and_what_was_taken_back_is_not() -> None:
    play = SITUATIONS["comment, found"]()
    text = words(seen_by(play, Role.CLIENT).page)
    assert "by the operator's check, which the arbitrator's own program repeats: it holds" in text
    assert "What 2031 hidden tiles of the shown frames show" in text
    play.act(Role.FREELANCER, Act.CLAW_BACK, cites=play.case.shown[-1:])
    taken_back = words(seen_by(play, Role.CLIENT).page)
    assert "the arbitrator's own program repeats" not in taken_back
    assert "What was taken back: no decision may rest on it" in taken_back


def test_what_one_answer_hides_another_may_show() -> None:
    play = SITUATIONS["comment, found"]()
    first = len(play.told) - 2
    play.act(Role.CLIENT, Act.COMMENT).granted(3).request().disclose().find()
    text = words(seen_by(play, Role.CLIENT).page)
    assert "hidden tiles of the shown frames" not in text
    for number in (first, len(play.told) - 2):
        hides = f"What 2031 tiles that statement {number} hides of its frames show, unless another"
        assert f"{hides} answer shows them." in text


def test_a_settled_case_says_at_what_sum_and_by_whose_offer() -> None:
    play = Play.begin().heard().act(Role.FREELANCER, Act.OFFER).act(Role.CLIENT, Act.OFFER)
    offer = len(play.told) - 2
    cited = play.told[offer][0].digest
    assert "Settled at" not in words(seen_by(play, Role.CLIENT).page)
    play.act(Role.CLIENT, Act.ACCEPT, cites=(cited,))
    for role in (Role.CLIENT, Role.FREELANCER):
        text = words(seen_by(play, role).page).replace(" ,", ",")
        told = f"Settled at 900.00 EUR, offered by the freelancer in statement {offer}"
        assert f"{told}, of 1300.00 EUR at stake." in text


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        (Claim.NOT_WORKED, "A sum of this case is what the client owes the freelancer less for"),
        (Claim.OTHER, "Who pays a sum of this case to whom, nothing but its texts says."),
    ],
)
def test_the_page_says_who_pays_a_sum_as_the_commands_do(claim: Claim, told: str) -> None:
    play = Play.begin(claim=claim)
    assert told in words(seen_by(play, Role.CLIENT).page)


def test_a_sample_of_a_case_that_ended_is_not_called_drawn() -> None:
    play = Play.begin().heard().shown(1)
    play.act(Role.ARBITRATOR, Act.ASK, **play.question(2)).both(Act.PASS)
    play.act(Role.ARBITRATOR, Act.RULE)
    before = words(seen_by(play, Role.CLIENT).page)
    assert "are drawn by lot" in before
    assert "Not drawn yet" in before
    play.act(Role.CLIENT, Act.WITHDRAW)
    text = words(seen_by(play, Role.CLIENT).page)
    assert "Nothing was drawn: the case ended before." in text
    assert "are drawn by lot" not in text
    assert "Not drawn yet" not in text


def test_it_is_told_by_whom_a_check_was() -> None:
    play = SITUATIONS["comment on tiles"]().find(Role.ARBITRATOR)
    text = words(seen_by(play, Role.CLIENT).page)
    assert "Of what was shown, by the arbitrator's own check: it holds" in text
    assert "operator's check" not in text


def test_checks_that_do_not_say_the_same_prove_nothing_and_it_is_told() -> None:
    play = SITUATIONS["comment on tiles"]()
    untold = words(seen_by(play, Role.CLIENT).page)
    assert "nobody has said yet what a check of it found" in untold
    (shown,) = play.case.unexamined
    mine = f"workseal-agent case check {str(play.case.case)[:12]} --disclosure {str(shown)[:12]}"
    assert mine in seen_by(play, Role.FREELANCER).page
    for role in (Role.CLIENT, Role.ARBITRATOR):
        assert "case check " not in seen_by(play, role).page
    play.find(Role.ARBITRATOR, findings=(Finding(digest("disclosure"), Outcome.FAILS, 9, 2040),))
    assert mine in seen_by(play, Role.FREELANCER).page
    play.find(Role.OPERATOR)
    text = words(seen_by(play, Role.FREELANCER).page)
    assert "the arbitrator says that it holds for 0 of 1 frame" in text
    assert "the operator says that it holds for 1 of 1 frame" in text
    assert "They do not say the same" in text
    assert "two checks of it do not say the same, and no tile is here" in text
    assert "Of what was shown, by" not in text
    assert mine not in text
    agreed = SITUATIONS["comment on tiles"]().find(Role.ARBITRATOR).find(Role.OPERATOR)
    text = words(seen_by(agreed, Role.CLIENT).page)
    assert "do not say the same" not in text
    assert text.count("What 2031 hidden tiles of the shown frames show") == 1


def test_what_shows_more_than_its_level_has_is_told() -> None:
    over = (Finding(digest("disclosure"), Outcome.HOLDS, 256, 2040),)
    play = SITUATIONS["comment on tiles"]().find(Role.OPERATOR, findings=over)
    sentence = "256 of 2040 tiles of a frame are more than the 255 that level 2 has."
    for role in people(play):
        assert words(seen_by(play, role).page).count(sentence) == 1
    within = (Finding(digest("disclosure"), Outcome.HOLDS, 255, 2040),)
    few = SITUATIONS["comment on tiles"]().find(Role.OPERATOR, findings=within)
    assert "are more than the" not in words(seen_by(few, Role.CLIENT).page)
    # What the ladder has is said before anything is asked for.
    assert "64 frames, 1 tile in 8 of each" in words(seen_by(few, Role.CLIENT).page)


def test_of_hours_that_were_asked_about_the_page_counts_what_can_be_opened() -> None:
    play = SITUATIONS["comment"]()
    filing = play.case.filing
    active = (filing.begin - 1, filing.begin, filing.begin, filing.end - 1, filing.end)
    text = words(seen_by(play, Role.CLIENT, active=active).page)
    granted = play.case.ask.granted if play.case.ask is not None else 0
    assert (
        f"Of the segments of work in these hours 3 have activity that can be opened; {granted} were"
        " granted. How many were opened is in what was handed over, which is nowhere here"
    ) in text
    alone = words(seen_by(SITUATIONS["objection"](), Role.CLIENT, active=active).page)
    assert "3 have activity that can be opened. " in alone
    assert "activity that can be opened" not in words(seen_by(play, Role.CLIENT, active=None).page)


def test_what_cannot_be_opened_is_told_and_who_showed_it_is_told_what_to_type() -> None:
    play = SITUATIONS["comment, unreadable"]()
    again = "workseal-agent disclose request.cose --show BOX"
    for role in people(play):
        text = seen_by(play, role).page
        assert "The arbitrator says that it cannot be opened." in words(text)
        assert (again in text) == (role is Role.FREELANCER)
    assert "cannot be opened" not in words(seen_by(SITUATIONS["comment"](), Role.CLIENT).page)


def test_what_was_handed_over_beside_has_its_digest() -> None:
    assert f"salt and all: SHA-256 {bytes(32).hex()}" in page("comment")


def test_what_silence_left_closed_is_unknown() -> None:
    assert "activity is committed to, and not opened" in page("evidence after silence")
    assert "activity is committed to, and not opened" not in page("comment")


def test_a_request_of_who_sits_no_more_is_dropped() -> None:
    play = PLAYS[State.OBJECTION]()
    assert "Not ruled on" in words(seen_by(play, Role.CLIENT).page)
    play.act(Role.ARBITRATOR, Act.RECUSE)
    assert "Dropped without a ruling" in words(seen_by(play, Role.CLIENT).page)


# --- fair to both, and plain ---


def part(text: str, name: str, following: str) -> str:
    return words(text[text.index(f'id="{name}"') : text.index(f'id="{following}"')])


def test_drawn_frames_that_were_not_shown_are_unknown_and_counted_where_the_figure_stands() -> None:
    play = SITUATIONS["comment on tiles"]()
    page = seen_by(play, Role.CLIENT).page
    known = part(page, "known", "ladder")
    assert "What 12 frames show that were drawn and asked for and not shown so far." in known
    assert "What the 97 frames show that were not drawn." in known
    assert "L2" in part(page, "ladder", "draw")
    assert "reached: 1 of 13 drawn shown" in part(page, "ladder", "draw")
    box = re.findall(r'<div class="notice">(.*?)</div>', page, re.DOTALL)
    assert "1 of 13 shown so far" in words(box[0])
    assert "the figure above is of all" in words(box[0])
    assert "up to once in 27 times (369 in 10,000)" in words(box[0])
    assert "not shown" not in part(
        seen_by(PLAYS[State.NAMING](), Role.CLIENT).page, "known", "draw"
    )
    play.act(Role.FREELANCER, Act.CLAW_BACK, cites=play.case.shown[-1:])
    taken = seen_by(play, Role.CLIENT).page
    assert "What 13 frames show that were drawn and asked for and not shown" in words(taken)
    assert "0 of 13 drawn shown" in words(taken)


def test_page_and_terminal_say_the_same_of_a_sample() -> None:
    play = SITUATIONS["comment on tiles"]()
    said = [(one.digest, read_record(one)) for one, _ in play.told]
    told = sample_told(play.case, said)
    assert told is not None
    drawn = part(seen_by(play, Role.CLIENT).page, "draw", "words")
    for sentence in told.sentences:
        assert sentence in drawn


def test_a_sample_that_is_everything_says_who_chose_the_hours() -> None:
    play = SITUATIONS["evidence"]().shown(1)
    few = [one for one in play.frames if one.holding is Holding.KEPT][:3]
    content = play.question(2) | {"count": 3, "freeze": freeze_frames(few)}
    play.act(Role.ARBITRATOR, Act.ASK, **content).both(Act.PASS)
    play.act(Role.ARBITRATOR, Act.RULE).sampled()
    drawn = part(seen_by(play, Role.CLIENT).page, "draw", "words")
    assert "The sample is all of the 3 frozen frames of these hours" in drawn


def test_both_are_heard_in_the_question_in_one_order_whoever_filed() -> None:
    for situation in ("negotiation", "notice of a freelancer"):
        question = part(seen_by(SITUATIONS[situation](), Role.CLIENT).page, "question", "hours")
        assert question.index("The client") < question.index("The freelancer")
    answered = part(seen_by(PLAYS[State.NEGOTIATION](), Role.CLIENT).page, "question", "hours")
    assert "The client files" in answered
    assert "The freelancer answers said in few words" in answered
    assert "No answer" not in answered
    waiting = part(seen_by(PLAYS[State.ANSWER](), Role.CLIENT).page, "question", "hours")
    assert "The freelancer answers No answer yet. That says nothing." in waiting
    ended = part(seen_by(PLAYS[State.WITHDRAWN](), Role.CLIENT).page, "question", "hours")
    assert "The freelancer answers No answer. That says nothing." in ended
    late = PLAYS[State.ANSWER]().pass_due().act(Role.FREELANCER, Act.ANSWER)
    told = part(seen_by(late, Role.CLIENT).page, "question", "hours")
    assert "it came late, and counts as any other" in told
    assert "came late" not in answered


def test_last_words_are_about_the_matter_and_no_objection_takes_their_place() -> None:
    play = PLAYS[State.NEGOTIATION]().act(Role.CLIENT, Act.END).seat()
    play.act(Role.FREELANCER, Act.EXHIBIT, text="the messages of Monday")
    play.act(Role.ARBITRATOR, Act.ASK)
    play.act(Role.FREELANCER, Act.OBJECT, text="too many by far")
    page = seen_by(play, Role.CLIENT).page
    text = page[page.index('id="words"') : page.index('id="custody"')]
    told = words(text)
    assert "too many by far" not in told
    assert told.index("The client") < told.index("The freelancer")
    own = told[told.index("The freelancer") :]
    assert own.index("the messages of Monday") < own.index("said in few words")
    assert "1 word before" in own
    # It is not lost: it stands at its request.
    assert "too many by far" in part(page, "ladder", "draw")


def test_by_when_a_decision_should_be_there_is_told_while_one_is_to_come() -> None:
    line = "A decision should be there by"
    for situation in ("evidence", "draft", "review"):
        assert line in page(situation), situation
    for situation in ("appeal", "final", "withdrawn"):
        assert line not in page(situation), situation


def test_one_is_singular() -> None:
    first = page("notice")
    assert "in which order: 1 signed statement." in first
    assert "1 statement, in the order of the case" in first


def test_a_zone_that_nobody_announced_is_said_to_be_the_agreements() -> None:
    play = PLAYS[State.ANSWER]()
    assert not play.case.calendars
    stand = part(seen_by(play, Role.CLIENT).page, "stand", "do")
    assert "as the agreement has it; you announced none" in stand
    assert "as the agreement has it; the freelancer announced none" in stand
    own = CaseCalendar(name="US", zone="America/New_York", weekend=0b1100000)
    known = Play.begin(calendar=own).act(Role.OPERATOR, Act.NOTICE)
    seen = seen_by(known, Role.CLIENT)
    assert "you announced none" not in words(seen.page)
    assert "the freelancer announced none" in words(seen.page)
    assert "(the agreement's)" in words(seen.listed)
    assert "(the agreement's)" not in words(seen_by(known, Role.FREELANCER).listed)


def test_the_stake_stands_beside_what_the_record_bills() -> None:
    told = part(seen_by(PLAYS[State.ANSWER](), Role.CLIENT).page, "question", "hours")
    assert "1300.00 EUR are at stake; 0.00 EUR is what the record bills for the days" in told


def test_long_values_and_the_record_are_folded_and_whole() -> None:
    play = SITUATIONS["comment on tiles"]()
    page = seen_by(play, Role.CLIENT).page
    record = page[page.index('id="record"') : page.index('id="limits"')]
    opened = re.findall(r"<details[^>]*>", page)
    assert "<details>" in record
    whole = re.findall(r"<code>(0 .*?)</code>", record, re.DOTALL)
    assert whole[0].splitlines() == [
        f"{number} {one.digest}" for number, (one, _) in enumerate(play.told)
    ]
    assert record.count(str(play.told[0][0].digest)) == 1
    drawn = page[page.index('id="draw"') : page.index('id="words"')]
    folded = drawn[drawn.index("<details>") : drawn.index("</details>")]
    assert play.case.sample is not None
    assert str(play.case.sample.freeze.root) in folded
    assert len(opened) >= 3


# --- the end ---


def custody(text: str) -> str:
    return text[text.index("What was handed over, and what") : text.index("Every statement of the")]


def test_the_end_says_who_destroyed_what_and_who_has_not_yet() -> None:
    sealed = custody(page("sealed"))
    assert "Sealed: these pages are closed to the arbitrator. From" in sealed
    assert "That moment has passed" not in sealed
    assert "Nothing was handed over in this case" in sealed
    late = custody(page("sealed, overdue"))
    assert "nothing says so yet of the arbitrator and the operator" in late
    assert "takes the statements of this case from either of you" in late
    half = custody(page("sealed, half destroyed"))
    assert "nothing says so yet of the operator." in half
    assert "from either of you" not in half
    assert re.search(r"The arbitrator said, .*: the key of this case is destroyed", half)


def test_an_end_without_the_arbitrators_word_says_that_there_was_none() -> None:
    waiting = page("sealed, without the arbitrator")
    assert "It ends, also without the arbitrator's word, after" in waiting
    assert "nothing says so yet of the arbitrator. After" in custody(waiting)
    ended = custody(page("purged without a word"))
    assert "The arbitrator never said that the key of this case was destroyed." in ended
    assert "The arbitrator said" not in ended
    assert "never said" not in custody(page("purged"))
    gone = custody(page("purged"))
    assert re.search(r"The operator said, .*: no sealed package of this case is held", gone)
    assert "hold digests of what was shown, and nothing of it" in gone


def endings() -> Iterator[tuple[str, Callable[[], Play]]]:
    yield "tiles", SITUATIONS["comment, found"]
    yield "openings", PLAYS[State.COMMENT]
    yield "nothing", PLAYS[State.NOTICE]


def test_copies_that_no_statement_destroys_are_named_where_there_are_any() -> None:
    told = {name: custody(words(seen_by(play(), Role.CLIENT).page)) for name, play in endings()}
    for name in ("tiles", "openings"):
        assert "no statement proves that no copy is left" in told[name]
    assert "A backup of the arbitrator's machine, made before" in told["tiles"]
    assert "handed over beside, and sealed to no key" in told["tiles"]  # level 1 came before
    assert "A backup of the arbitrator's machine" not in told["openings"]
    assert "Copies that this does not reach" not in told["nothing"]


def test_who_sat_before_has_a_key_that_the_case_says_nothing_of() -> None:
    assert "Who sat here before has a key of their own" in custody(page("final after an appeal"))
    assert "Who sat here before" not in custody(page("final"))
