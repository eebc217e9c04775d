from collections.abc import Sequence

import pytest

from support.builders import digest, make_timesheet
from workseal_protocol.accepted import AcceptedDays, acceptances_of
from workseal_protocol.digest import Digest
from workseal_protocol.records import SheetAnswer, SheetDay, TimesheetAnswer
from workseal_protocol.timesheets import Agreement, Answered, SheetFinding

A, B, C, D = (digest(name) for name in "ABCD")


def sheet(
    name: Digest,
    days: Sequence[int],
    *,
    first: int | None = None,
    last: int | None = None,
    replaced_by: Digest | None = None,
    answers: Sequence[SheetAnswer] = (SheetAnswer.ACCEPTED,),
) -> SheetFinding:
    record = make_timesheet(
        first=days[0] if first is None else first,
        last=days[-1] if last is None else last,
        days=tuple(SheetDay(day, 1, 0, 0, 0) for day in days),
    )
    said = tuple(
        Answered(
            digest(f"{name}{place}"),
            TimesheetAnswer(
                engagement=record.engagement,
                claimed_at=1,
                timesheet=name,
                answer=answer,
                text=None if answer is SheetAnswer.ACCEPTED else "why?",
            ),
        )
        for place, answer in enumerate(answers)
    )
    return SheetFinding(name, record, Agreement.AGREES, "", said, replaced_by)


def test_a_day_that_its_replacement_leaves_out_goes_on_counting() -> None:
    found = acceptances_of([
        sheet(A, (1, 2), replaced_by=B), sheet(B, (2,), answers=()), sheet(C, (1,), answers=()),
    ])  # fmt: skip
    assert found[A].left_behind == (1,)
    assert found[B].elsewhere == (AcceptedDays(A, (2,), ()),)
    assert found[C].elsewhere == (AcceptedDays(A, (1,), (1,)),)
    assert found[B].left_behind == found[C].left_behind == ()


def test_the_newest_of_several_replacements_says_which_days_are_left() -> None:
    found = acceptances_of([
        sheet(A, (1, 2), replaced_by=B),
        sheet(B, (1, 2), replaced_by=C, answers=()),
        sheet(C, (2,), answers=()),
        sheet(D, (1,), answers=()),
    ])  # fmt: skip
    assert found[A].left_behind == (1,)
    assert found[D].elsewhere == (AcceptedDays(A, (1,), (1,)),)


def test_a_day_without_hours_in_the_replacement_is_corrected_not_left_out() -> None:
    found = acceptances_of([
        sheet(A, (1, 2), replaced_by=B), sheet(B, (2,), first=1), sheet(C, (1,), answers=()),
    ])  # fmt: skip
    assert found[A].left_behind == ()
    assert found[C].elsewhere == (AcceptedDays(A, (1,), ()),)


def test_what_was_not_replaced_counts_where_it_is() -> None:
    found = acceptances_of([sheet(A, (1, 2)), sheet(B, (2, 3)), sheet(C, (9,))])
    assert found[A].elsewhere == (AcceptedDays(B, (2,), (2,)),)
    assert found[B].elsewhere == (AcceptedDays(A, (2,), (2,)),)
    assert found[C].elsewhere == ()
    assert found[A].left_behind == ()


@pytest.mark.parametrize(
    "answers", [(), (SheetAnswer.QUESTION,), (SheetAnswer.ACCEPTED, SheetAnswer.OBJECTION)]
)
def test_only_the_answer_that_counts_accepts(answers: tuple[SheetAnswer, ...]) -> None:
    found = acceptances_of([sheet(A, (1, 2), replaced_by=B, answers=answers), sheet(B, (2,))])
    assert found[A].left_behind == ()
    assert found[B].elsewhere == ()


def test_of_many_that_have_a_day_those_that_count_it_are_told() -> None:
    """Many were replaced by one that is about the day; one, which stands last, counts it."""
    many = [sheet(digest(f"m{n}"), (1,), replaced_by=B) for n in range(9)]
    found = acceptances_of([*many, sheet(B, (1,), answers=()), sheet(C, (1,))])
    told = found[B].elsewhere
    assert len(told) == 3
    assert AcceptedDays(C, (1,), (1,)) in told
    # One of them is told of as many others, those where it counts first.
    assert [one.sheet for one in found[many[0].digest].elsewhere] == [
        C,
        *(one.digest for one in many[1:3]),
    ]
