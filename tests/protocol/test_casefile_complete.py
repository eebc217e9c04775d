"""A log that takes what it must not changes nothing of a case, and is told of it."""

from dataclasses import replace
from functools import cache, partial

import pytest

from support.builders import (
    CLIENT,
    ENGAGEMENT,
    FREELANCER,
    OPERATOR,
    ROUND_MS,
    STRANGER,
    digest,
)
from support.casefiles import Told as Whole
from support.casefiles import refused_and_decided, work_and_quarrel
from support.cases import DAY, Play, case_terms
from workseal_protocol.casefile import (
    CaseFileReport,
    Logged,
    Replayed,
    Speakers,
    casebeacon,
    examine_case_file,
    make_case_file,
    replay,
    write_bag,
)
from workseal_protocol.casefile.casebeacon import any_value
from workseal_protocol.casefile.complete import check_complete
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import draw_person
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.lottery import ChainSide, build_chain, chain_head
from workseal_protocol.records import (
    Act,
    BeaconCommitment,
    CasePlace,
    DisputeAct,
    read_record,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.verify import Outcome
from workseal_protocol.window import Entry, Window

EXHIBIT, END, NOTICE = Act.EXHIBIT, Act.END, Act.NOTICE


@cache
def honest() -> tuple[Statement, ...]:
    """Give a case that was filed, noticed, answered, and whose talks are ended."""
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)
    return tuple(one for one, _ in play.act(Role.CLIENT, Act.END).told)


def act_after(prev: Statement | Digest, by: SeedSigner = CLIENT, act: Act = EXHIBIT) -> Statement:
    """Sign an act after some statement, as its writer may have meant it at that time."""
    filing = honest()[0]
    before = prev if isinstance(prev, Digest) else prev.digest
    record = DisputeAct(
        engagement=ENGAGEMENT,
        claimed_at=read_record(filing).claimed_at + DAY,
        place=CasePlace(filing.digest, before),
        act=act,
        text=None if act is END else "refused at first",
    )
    return sign(record, by)


def log_of(statements: list[Statement]) -> Logged:
    entries = {
        one.digest: Entry(index, one.digest, read_record(one), Window(), None)
        for index, one in enumerate(statements, 20)
    }
    return Logged(entries, Speakers.of_files(case_terms(), ()))


def replayed(here: list[Statement], log: list[Statement]) -> Replayed:
    return replay(here, case_terms(), log_of(log))


def told(here: list[Statement], log: list[Statement]) -> list[str]:
    """Examine a case of statements that are here, by a log of others; give what that is told."""
    return [one.sentence for one in check_complete(replayed(here, log).told, log, log_of(log))]


def at(index: int, what: str) -> str:
    return (
        f"A breach by the log: at index {index} it has {what}; it counts for nothing in the case."
    )


def test_an_honest_log_is_told_of_nothing() -> None:
    case = list(honest())
    assert told(case, case) == []
    assert told(case, case[:2]) == []


@pytest.mark.parametrize("number", [0, 1, 2])
def test_of_two_after_one_statement_the_lower_index_counts(number: int) -> None:
    case = list(honest())
    log = [*case, act_after(case[number])]
    breach = [at(24, f"a second statement after number {number}")]
    assert told(case, log) == breach
    assert told([log[-1], *case], log) == breach
    assert replayed([log[-1], *case], log).case.head == case[-1].digest
    assert replayed([log[-1], *case], log).beside == (log[-1],)


def test_the_lower_index_counts_too_where_a_file_would_have_it_otherwise() -> None:
    """An exhibit stands in the log before the end of the talks: that one came too late."""
    filing, notice, answer, end = honest()
    first = act_after(answer)
    log = [filing, notice, answer, first, end]
    case = [filing, notice, answer, first]
    assert told(case, log) == [at(24, "a second statement after number 2")]
    assert replayed([*case, end], log).case.head == first.digest
    with pytest.raises(VerificationError, match="the log has a statement of this case at index 23"):
        told([filing, notice, answer, end], log)


@pytest.mark.parametrize("by", [OPERATOR, FREELANCER, STRANGER])
def test_what_the_case_does_not_allow_counts_before_nothing(by: SeedSigner) -> None:
    """An operator needs nobody's word to log an act of its own before the next honest one."""
    filing, notice, answer, end = honest()
    false = act_after(notice, by, END)
    log = [filing, notice, false, answer, end]
    breach = [at(22, "what the case does not allow after number 1")]
    assert told([filing, notice, answer, end], log) == breach
    if by is not STRANGER:
        found = replayed([filing, notice, answer, end, false], log)
        assert (found.case.head, found.beside) == (end.digest, (false,))


def test_what_follows_the_last_one_is_left_out_if_the_case_does_not_allow_it() -> None:
    case = list(honest())
    log = [*case, act_after(case[-1], OPERATOR, END)]
    assert told(case, log) == [at(24, "what the case does not allow after number 3")]
    with pytest.raises(VerificationError, match="statement 4: operator in draw"):
        replayed(log, log)
    more = [*case[:3], act_after(case[2])]
    with pytest.raises(VerificationError, match="the log has a statement of this case at index 23"):
        told(case[:3], more)


def test_what_follows_one_that_does_not_count_counts_as_little() -> None:
    case = list(honest())
    second = act_after(case[0])
    third = act_after(second)
    log = [*case, second, third, act_after(digest("nothing"))]
    breaches = [
        at(24, "a second statement after number 0"),
        at(25, "a statement after one that counts for nothing"),
        at(26, "a statement of this case after one that neither the case nor the bundle has"),
    ]
    assert told(case, log) == breaches
    assert told([third, *case, second], log) == breaches
    assert replayed([third, *case, second], log).beside == (second, third)


def test_a_draw_that_does_not_count_draws_nothing() -> None:
    play = Play.begin().act(Role.OPERATOR, NOTICE).act(Role.FREELANCER, Act.ANSWER)
    play.act(Role.CLIENT, END).draw()
    case = [one for one, _ in play.told]
    draw = read_record(case[-1])
    assert isinstance(draw, DisputeAct)
    false = sign(replace(draw, person=digest("nobody")), OPERATOR)
    log = [*case[:-1], false, case[-1]]
    assert told(case, log) == [at(24, "what the case does not allow after number 3")]
    found = replayed([*case, false], log)
    assert (found.beside, found.unverified) == ((false,), 1)


@cache
def waiting() -> tuple[Statement, list[Statement], Statement]:
    """Give a commitment to 40 rounds, a case that waits for the draw by the last, and that draw."""
    play = Play.begin().act(Role.OPERATOR, NOTICE).act(Role.FREELANCER, Act.ANSWER)
    case = play.act(Role.CLIENT, END).case
    last = case.panel_round
    values = build_chain(ChainSide.VERIFIER, bytes(32), 40)
    made = BeaconCommitment(
        claimed_at=play.now,
        period_ms=ROUND_MS,
        first_round=last - 39,
        count=40,
        head=chain_head(ChainSide.VERIFIER, values[0]),
    )
    everyone = replace(case, released=any_value)
    person = draw_person(case.case, last, values[-1], case.panel)
    draw = DisputeAct(
        engagement=ENGAGEMENT,
        claimed_at=(last + 1) * ROUND_MS,
        place=CasePlace(case.case, case.head),
        act=Act.DRAW,
        round=last,
        value=values[-1],
        person=person,
    )
    due = replace(play, case=everyone, now=draw.claimed_at).due_for(
        draw, OPERATOR.public_key.thumbprint
    )
    true = replace(draw, place=CasePlace(case.case, case.head, due))
    return sign(made, OPERATOR), [one for one, _ in play.told], sign(true, OPERATOR)


def false_draws(number: int) -> list[Statement]:
    true = read_record(waiting()[-1])
    assert isinstance(true, DisputeAct)
    return [sign(replace(true, value=bytes([one]) * 32), OPERATOR) for one in range(1, number + 1)]


def test_however_many_false_draws_take_no_work_beside_the_true_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, before, true = waiting()
    case = [*before, true]
    log = [made, *before, *false_draws(9), true]
    monkeypatch.setattr(casebeacon, "MAX_HASHES", 40)
    breach = "what the case does not allow after number 3"
    assert told([*case], log) == [at(25 + number, breach) for number in range(9)]


def test_false_draws_fail_no_case_that_waits_for_its_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody has the true value, each is hashed back, up to the bound of the work."""
    made, case, _ = waiting()
    log = [made, *case, *false_draws(4)]
    monkeypatch.setattr(casebeacon, "MAX_HASHES", 100)
    assert told(case, log) == [
        at(25, "what the case does not allow after number 3"),
        at(26, "what the case does not allow after number 3"),
        at(27, "more values than can be checked, after number 3"),
        at(28, "more values than can be checked, after number 3"),
    ]


def test_without_a_place_in_the_log_two_after_one_are_refused() -> None:
    case = list(honest())
    second = act_after(case[0])
    for log in ([], case, [second, *case[:1]]):
        with pytest.raises(VerificationError, match=f"two statements follow {case[0].digest}"):
            replayed([*case, second], log)
    with pytest.raises(VerificationError, match="two statements follow"):
        replayed([*case, case[1]], case)
    with pytest.raises(VerificationError, match="1 statement follow nothing in these files"):
        replayed([*case, second, act_after(second)], [*case, second])
    with pytest.raises(VerificationError, match="1 statement follow nothing in these files"):
        replayed([*case, act_after(digest("nothing"))], case)


# --- a whole case file ---


def examine(whole: Whole, files: dict[str, bytes]) -> CaseFileReport:
    return examine_case_file(files, whole.policy)


def steps_that_fail(report: CaseFileReport) -> dict[int, str]:
    return {one.number: one.why for one in report.steps if one.outcome is not Outcome.HOLDS}


def test_an_operator_undoes_no_file_of_a_decided_case_by_what_it_had_refused() -> None:
    late: list[Statement] = []
    whole = work_and_quarrel(partial(refused_and_decided, late), logged=999, after=late)
    report = examine(whole, whole.files())
    assert steps_that_fail(report) == {}
    assert report.replayed is not None
    assert report.replayed.case.decision == whole.play.case.decision
    assert [one.what for one in report.breaches] == ["a second statement after number 0"]
    assert "1 beside them that count for nothing" in report.steps[5].why

    logged = Logged.of(whole.report)
    both = replay((*late, *whole.statements), whole.play.case.terms, logged)
    parts = replace(whole.parts(), statements=(*whole.statements, *both.beside))
    files = make_case_file(parts, both, logged.entries)
    held = examine(whole, files)
    assert (steps_that_fail(held), held.breaches) == ({}, report.breaches)
    assert files["data/custody.csv"] == whole.files()["data/custody.csv"]

    payload = {name: data for name, data in files.items() if name.startswith("data/")}
    payload["data/case.cbor"] = b"".join(
        one.encode() for one in (whole.statements[0], *late, *whole.statements[1:])
    )
    astray = write_bag(payload, whole.play.case.case, whole.play.told[-1][1])
    assert "do not stand in the order" in steps_that_fail(examine(whole, astray))[5]
