"""A case file is not that of a second draw: what the bundle's log has of an earlier case."""

from dataclasses import replace

import pytest

from support.builders import CLIENT, FREELANCER, NOW, OPERATOR, digest
from support.cases import DAY, Play
from workseal_protocol.casefile.earlier import check_refiling
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, CasePlace, DisputeAct, read_record, sign
from workseal_protocol.statement import Statement


def withdrawn(*, lapses: int = 3, drawn: bool = True, by: SeedSigner = CLIENT) -> list[Statement]:
    play = Play.begin(by=by, text="the first time")
    for _ in range(lapses):
        play.lapse()
    if lapses == 3 and drawn:
        play.draw()
    play.act(Role.CLIENT if by is CLIENT else Role.FREELANCER, Act.WITHDRAW)
    return [one for one, _ in play.told]


def again(begin: int = NOW - 7 * DAY, end: int = NOW) -> Play:
    return Play.begin(now=NOW + 90 * DAY, begin=begin, end=end)


def test_a_second_draw_by_the_one_who_withdrew_is_found() -> None:
    case = again().case
    first = withdrawn()
    with pytest.raises(VerificationError, match=f"the client withdrew case {first[0].digest}"):
        check_refiling(case, first)


def test_what_is_free_is_not_found() -> None:
    case = again()
    logged = [one for one, _ in case.told]
    for before in (withdrawn(lapses=2), withdrawn(by=FREELANCER), withdrawn()[:-1]):
        check_refiling(case.case, before)
    check_refiling(case.case, [*logged, *withdrawn()])
    check_refiling(again(begin=NOW, end=NOW + DAY).case, withdrawn())
    check_refiling(again(begin=NOW - 8 * DAY, end=NOW - 7 * DAY).case, withdrawn())


def test_where_the_log_has_the_filing_its_place_decides_and_not_its_instant() -> None:
    """A log takes a filing that claims up to a minute before: then the withdrawal claims later."""
    first = withdrawn()
    at = read_record(first[-1]).claimed_at - 50_000
    late = Play.begin(now=at, begin=NOW - 7 * DAY, end=NOW)
    filing = late.told[0][0]
    with pytest.raises(VerificationError, match="the client withdrew case"):
        check_refiling(late.case, [*first, filing])
    check_refiling(late.case, [*first[:-1], filing, first[-1]])
    # What the log does not have stands where it claims to.
    check_refiling(late.case, first)


def test_what_a_log_took_beside_an_earlier_case_bars_nobody() -> None:
    """An operator logs a draw of its own, or a withdrawal that it had refused before the talks."""
    free, play = withdrawn(lapses=2), Play.begin(text="the first time").lapse().lapse()
    early = play.act(Role.CLIENT, Act.WITHDRAW).told[-1][0]
    draw = withdrawn()[-2]
    moved = sign(replace(read_act(draw), place=CasePlace(free[0].digest, free[0].digest)), OPERATOR)
    check_refiling(again().case, [free[0], moved, *free[1:]])
    drawn = withdrawn()[:-1]
    assert read_act(early).place == CasePlace(drawn[0].digest, drawn[2].digest)
    check_refiling(again().case, [*drawn, early])
    gone = Play.begin(text="the first time")
    for _ in range(3):
        gone.lapse()
    gone.draw()
    late = sign(
        replace(read_act(early), place=CasePlace(gone.case.case, gone.case.head)), FREELANCER
    )
    check_refiling(again().case, [*(one for one, _ in gone.told), late])


def test_a_withdrawal_that_the_filer_did_not_sign_bars_nobody() -> None:
    """Acts that follow nothing at hand are judged by their signer: an operator has its own key."""
    whole = withdrawn()
    for by, found in ((OPERATOR, False), (FREELANCER, False), (CLIENT, True)):
        loose = [
            sign(replace(read_act(one), place=CasePlace(whole[0].digest, digest("nothing"))), by)
            for one in whole[-2:]
        ]
        if not found:
            check_refiling(again().case, [whole[0], *loose])
            continue
        with pytest.raises(VerificationError, match="the client withdrew case"):
            check_refiling(again().case, [whole[0], *loose])


def test_the_order_of_the_log_hides_no_second_draw() -> None:
    """An operator with whoever filed logs the withdrawal before what it follows, or the filing."""
    whole, second = withdrawn(), again()
    *before, draw, withdrawal = whole
    filed = second.told[0][0]
    for log in (
        [*before, withdrawal, draw],
        [*before, withdrawal, filed, draw],
        [withdrawal, filed, *reversed(before), draw],
        [withdrawal, *reversed(before), draw],
    ):
        with pytest.raises(VerificationError, match="the client withdrew case"):
            check_refiling(second.case, log)
    # What lacks the one that it follows has the draw wherever the log has that.
    with pytest.raises(VerificationError, match="the client withdrew case"):
        check_refiling(second.case, [whole[0], withdrawal, filed, draw])
    # One that was free to withdraw is so in each order; and a later case is no earlier one.
    free = withdrawn(lapses=2)
    check_refiling(second.case, [free[-1], *free[:-1]])
    check_refiling(second.case, [*before, filed, withdrawal, draw])


def read_act(statement: Statement) -> DisputeAct:
    record = read_record(statement)
    assert isinstance(record, DisputeAct)
    return record


def test_whoever_knew_the_value_and_withdrew_before_the_draw_was_written_is_found() -> None:
    """The round is set, and its value out, before anybody writes down whom it draws."""
    with pytest.raises(VerificationError, match="the client withdrew case"):
        check_refiling(again().case, withdrawn(drawn=False))


def test_of_a_case_that_is_not_there_whole_its_draw_tells() -> None:
    whole = withdrawn()
    with pytest.raises(VerificationError, match="the client withdrew case"):
        check_refiling(again().case, [whole[0], *whole[-2:]])
    check_refiling(again().case, [whole[0], whole[-1]])
