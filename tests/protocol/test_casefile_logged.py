"""What the log shows of a case: order, instants, the operator's commitments."""

from dataclasses import replace
from typing import Any

import pytest

from support.builders import FREELANCER, OPERATOR, ROUND_MS, make_segment
from support.casefiles import Told, work_and_quarrel
from support.cases import DAY, Play
from support.simulator import START
from workseal_protocol import lottery
from workseal_protocol.casefile import (
    Beacon,
    CaseFileReport,
    Logged,
    casebeacon,
    examine_case_file,
    make_case_file,
    replay,
)
from workseal_protocol.casefile.speakers import Speakers
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import AHEAD_MS, BACK_MS, SLOW_BACK_MS, Parties, State
from workseal_protocol.errors import VerificationError
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import Role
from workseal_protocol.lottery import ChainSide, build_chain, chain_head
from workseal_protocol.records import (
    Act,
    BeaconCommitment,
    DisputeAct,
    read_record,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.verify import Outcome
from workseal_protocol.window import CLOCK_TOLERANCE_MS, Entry, Window

NONE = Window()


def failing(report: CaseFileReport) -> dict[int, str]:
    return {one.number: one.why for one in report.steps if one.outcome is Outcome.FAILS}


def examine(told: Told) -> CaseFileReport:
    return examine_case_file(told.files(), told.policy)


# --- a log that takes what it must not ---


def rushed(play: Play) -> None:
    """Let the operator date two lapses ahead; its log takes them while the party may still act."""
    began = play.now
    play.act(Role.OPERATOR, Act.NOTICE).lapse().lapse()
    play.told = [(statement, began) for statement, _ in play.told]


def test_a_deadline_does_not_lapse_before_it_ends() -> None:
    def gone_on(play: Play) -> None:
        rushed(play)
        play.act(Role.CLIENT, Act.EXHIBIT)

    report = examine(work_and_quarrel(gone_on))
    assert failing(report).keys() == {6}
    assert "statement 2: the log had it" in failing(report)[6]
    assert "before the instant that it claims" in failing(report)[6]


def test_a_lapse_that_nobody_went_on_from_is_a_breach_and_no_part_of_the_case() -> None:
    report = examine(work_and_quarrel(rushed))
    assert failing(report) == {}
    assert report.replayed is not None
    assert report.replayed.case.state is State.ANSWER
    assert [one.what for one in report.breaches] == [
        "an act of the operator at another instant than it claims, after number 1",
        "a statement after one that counts for nothing",
    ]


def test_what_the_log_does_not_have_is_counted() -> None:
    told = work_and_quarrel(lambda play: play.heard())
    number = len(told.statements) - 5
    assert any(
        f"that are not in the bundle's log: {number}." in one for one in examine(told).not_proven
    )
    short = work_and_quarrel(lambda play: play.act(Role.OPERATOR, Act.NOTICE))
    assert not any("are not in the bundle's log" in one for one in examine(short).not_proven)


# --- instants, one by one ---


def entries(*rows: tuple[int, Statement, Window]) -> dict[Digest, Entry]:
    return {
        one.digest: Entry(index, one.digest, read_record(one), window, None)
        for index, one, window in rows
    }


def logged(*rows: tuple[int, Statement, Window]) -> Logged:
    terms = Play.begin().case.terms
    history = KeyHistory.start({})
    return Logged(entries(*rows), Speakers(history, Parties.of(terms), {}, placed=True))


def case() -> tuple[list[tuple[Statement, int]], Statement]:
    """Give a filing, a notice and a segment between them in the log."""
    play = Play.begin().wait(1_000).act(Role.OPERATOR, Act.NOTICE)
    return play.told, sign(make_segment(), FREELANCER)


def test_a_logged_statement_existed_when_the_log_had_it() -> None:
    (filing, notice), _ = case()
    most = notice[1] - AHEAD_MS - CLOCK_TOLERANCE_MS
    logged((1, *filing[:1], NONE), (2, notice[0], Window(upper=most))).check_instants(
        [filing, notice]
    )
    late = logged((1, filing[0], NONE), (2, notice[0], Window(upper=most - 1)))
    with pytest.raises(VerificationError, match="statement 1: the log had it 7001 ms before"):
        late.check_instants([filing, notice])


@pytest.mark.parametrize("slow", [False, True])
def test_a_log_takes_no_statement_long_after_it_claims(slow: bool) -> None:  # noqa: FBT001
    if slow:
        play = Play.begin().heard().shown(1).granted(2).request().disclose()
        told, back = [play.told[-1]], SLOW_BACK_MS
    else:
        told, back = [Play.begin().told[0]], BACK_MS
    statement, at = told[0]
    _, segment = case()
    most = at + back + CLOCK_TOLERANCE_MS
    logged((3, segment, Window(lower=most)), (4, statement, NONE)).check_instants(told)
    # What stands behind it in the log says nothing about it.
    logged((4, statement, NONE), (5, segment, Window(lower=most + 1))).check_instants(told)
    false = logged((3, segment, Window(lower=most + 1)), (4, statement, NONE))
    with pytest.raises(VerificationError, match="statement 0: the log took it 5001 ms later"):
        false.check_instants(told)


def test_a_log_has_a_case_in_its_order() -> None:
    told, _ = case()
    (filing, _), (notice, _) = told
    logged((1, filing, NONE), (2, notice, NONE)).check_instants(told)
    logged((2, notice, NONE)).check_instants(told)
    with pytest.raises(VerificationError, match="statement 1: it stands in the log before"):
        logged((2, filing, NONE), (1, notice, NONE)).check_instants(told)


def test_what_a_log_has_twice_counts_where_it_has_it_first() -> None:
    """Otherwise an operator could log an act of a case again, behind those that follow it."""
    whole = work_and_quarrel(lambda play: play.act(Role.OPERATOR, Act.NOTICE))
    report = whole.report
    first, second = (
        next(entry for entry in report.entries if entry.digest == one.digest)
        for one in whole.statements
    )
    again = replace(report, entries=(*report.entries, replace(first, index=second.index + 9)))
    Logged.of(again).check_instants(whole.play.told)
    assert Logged.of(again).index(whole.statements[0]) == first.index


# --- commitments ---


def drawn(told: Told) -> DisputeAct:
    return next(
        record
        for record in map(read_record, told.statements)
        if isinstance(record, DisputeAct) and record.act is Act.DRAW
    )


def commitment(told: Told, **changes: Any) -> BeaconCommitment:
    act = drawn(told)
    assert act.value is not None
    assert act.round is not None
    made = BeaconCommitment(
        claimed_at=told.play.now,
        period_ms=ROUND_MS,
        first_round=act.round,
        count=1,
        head=chain_head(ChainSide.VERIFIER, act.value),
    )
    return replace(made, **changes)


def test_a_commitment_that_no_log_shows_may_have_been_made_afterwards() -> None:
    told = work_and_quarrel(lambda play: play.heard())
    made = sign(commitment(told), OPERATOR)
    report = told.report
    assert report.terms is not None
    found = replay((*told.statements, made), report.terms, Logged.of(report))
    assert (found.unverified, found.unshown) == (0, 1)
    parts = replace(told.parts(), beacon=(made,))
    files = make_case_file(parts, found, Logged.of(report).entries)
    examined = examine_case_file(files, told.policy)
    assert examined.holds
    assert any("It could have chosen them" in one for one in examined.not_proven)


@pytest.mark.parametrize(("after_ms", "unshown"), [(0, 0), (1, 1), (None, 1)])
def test_a_commitment_is_older_than_what_set_its_round_where_the_log_shows_it(
    after_ms: int | None, unshown: int
) -> None:
    """Between that and the round, a minute later, somebody could have made one to fit."""
    told = work_and_quarrel(lambda play: play.heard())
    made = sign(commitment(told), OPERATOR)
    states = [one.state for one in replay(told.statements, told.play.case.terms).told]
    set_at = replay(told.statements, told.play.case.terms).told[states.index("draw")].at
    assert set_at + 60_000 < (drawn(told).round or 0) * ROUND_MS
    window = Window(upper=None if after_ms is None else set_at + after_ms)
    known = Logged.of(told.report)
    shown = replace(known, entries={**known.entries} | entries((99, made, window)))
    found = replay(told.statements, told.play.case.terms, shown)
    assert (found.unverified, found.unshown) == (0, unshown)


def chain_of(first: int, count: int) -> tuple[BeaconCommitment, dict[int, bytes]]:
    """Give a commitment to so many rounds, and their values."""
    values = build_chain(ChainSide.VERIFIER, bytes(31) + bytes((first,)), count)
    head = chain_head(ChainSide.VERIFIER, values[0])
    made = BeaconCommitment(
        claimed_at=first, period_ms=ROUND_MS, first_round=first, count=count, head=head
    )
    return made, dict(enumerate(values, first))


def test_a_value_is_hashed_once_however_many_commitments_cover_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, values = chain_of(5, 40)
    tail = replace(whole, first_round=20, count=9, head=Digest(values[19]))
    many = [replace(one, claimed_at=number) for number in range(400) for one in (whole, tail)]
    steps: list[int] = []
    step_back = lottery.step_back

    def counted(side: ChainSide, value: bytes, number: int) -> bytes:
        steps.append(number)
        return step_back(side, value, number)

    monkeypatch.setattr(lottery, "step_back", counted)
    beacon = Beacon(ROUND_MS, commitments=many)
    assert beacon.released(28, values[28])
    assert (sum(steps), beacon.hashes) == (24, 24)
    assert not beacon.released(28, values[29])
    other = replace(tail, head=Digest(values[18]))
    assert not Beacon(ROUND_MS, commitments=[*many, other]).released(28, values[28])


def test_of_two_commitments_in_the_log_the_first_counts() -> None:
    """Else an operator undoes a case that was decided, by committing to its rounds once more."""
    made, values = chain_of(5, 40)
    second = replace(made, claimed_at=made.claimed_at + 1, head=Digest(bytes(32)))
    beacon = Beacon(ROUND_MS, shown=((made, 5), (second, 9)), set_at=6)
    assert beacon.released(28, values[28])
    assert (beacon.unshown, beacon.unverified) == (0, 0)
    # One that came first and is another's: the later one makes nothing good, nor shown earlier.
    assert not Beacon(ROUND_MS, shown=((second, 5), (made, 9))).released(28, values[28])
    late = Beacon(ROUND_MS, shown=((made, None), (second, 5)), set_at=6)
    assert late.released(28, values[28])
    assert late.unshown == 1


def test_a_commitment_after_the_decision_undoes_nothing() -> None:
    whole = work_and_quarrel(lambda play: play.heard())
    true = commitment(whole, claimed_at=START + DAY)
    false = commitment(whole, head=Digest(bytes(32)))
    told = work_and_quarrel(
        lambda play: play.heard(), before=[sign(true, OPERATOR)], after=[sign(false, OPERATOR)]
    )
    assert [one for one, _ in Logged.of(told.report).commitments][-2:] == [true, false]
    assert failing(examine(told)) == {}


def test_values_take_a_bounded_number_of_hashes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    made, values = chain_of(5, 40)
    monkeypatch.setattr(casebeacon, "MAX_HASHES", 50)
    beacon = Beacon(ROUND_MS, commitments=[made] * 3)
    assert beacon.released(44, values[44])
    assert beacon.released(14, values[14])
    monkeypatch.setattr(lottery, "step_back", lambda *_: pytest.fail("it hashed"))
    with pytest.raises(VerificationError, match="the values take more than 50 hashes to check"):
        beacon.released(5, values[5])


def test_another_value_of_a_round_that_is_known_takes_no_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, values = chain_of(5, 40)
    monkeypatch.setattr(casebeacon, "MAX_HASHES", 50)
    beacon = Beacon(ROUND_MS, shown=((made, None),))
    assert beacon.released(44, values[44])
    monkeypatch.setattr(lottery, "step_back", lambda *_: pytest.fail("it hashed"))
    assert not any(beacon.released(44, bytes([one]) * 32) for one in range(100))
    assert beacon.released(44, values[44])
    assert (beacon.hashes, beacon.unverified, beacon.unshown) == (40, 0, 2)


def test_a_case_file_whose_values_take_too_much_does_not_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = work_and_quarrel(lambda play: play.heard())
    made = commitment(told)
    far = sign(replace(made, first_round=made.first_round - 50, count=51), OPERATOR)
    files = make_case_file(
        replace(told.parts(), beacon=(far,)),
        replay(told.statements, told.play.case.terms),
        Logged.of(told.report).entries,
    )
    assert failing(examine_case_file(files, told.policy))[5].endswith("found another")
    monkeypatch.setattr(casebeacon, "MAX_HASHES", 50)
    assert failing(examine_case_file(files, told.policy)).keys() == {5}
    assert "more than 50 hashes" in failing(examine_case_file(files, told.policy))[5]


def test_a_value_is_that_of_every_commitment_that_covers_it() -> None:
    told = work_and_quarrel(lambda play: play.heard())
    other = sign(commitment(told, head=Digest(bytes(32))), OPERATOR)
    made = sign(commitment(told), OPERATOR)
    for order in ((made, other), (other, made)):
        with pytest.raises(VerificationError, match="expected the committed value"):
            replay((*told.statements, *order), told.play.case.terms)
    assert START < told.play.now < START + 90 * DAY
