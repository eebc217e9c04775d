import random
import runpy
import time
from collections.abc import Mapping, Sequence
from datetime import UTC
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import digest, make_sheet_answer, make_terms, make_timesheet
from support.offline_page import page_says
from support.spectotals import PROGRAM
from workseal_protocol.accepted import (
    Acceptance,
    AcceptedDays,
    ChangedDay,
    ChangedDays,
    acceptances_of,
    changed_days,
)
from workseal_protocol.cli.page import offline_page
from workseal_protocol.digest import Digest
from workseal_protocol.records import SheetAnswer, SheetDay, Timesheet, TimesheetAnswer
from workseal_protocol.timesheets import (
    Agreement,
    Answered,
    SheetFinding,
    date_of,
    timesheets_of,
)
from workseal_protocol.window import Entry, Window

A, B, C, D, E = (digest(name) for name in "ABCDE")
# What is answered later in a test stands later in the log.
_PLACES = count()


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
            next(_PLACES),
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


def test_a_day_of_two_timesheets_counts_where_it_was_accepted_last() -> None:
    late, early = sheet(B, (2, 3)), sheet(A, (1, 2))
    # In the log they stand the other way round: the last acceptance decides, not the newer one.
    found = acceptances_of([early, late, sheet(C, (9,))])
    assert found[A].elsewhere == (AcceptedDays(B, (2,), ()),)
    assert found[B].elsewhere == (AcceptedDays(A, (2,), (2,)),)
    assert (found[A].counting, found[A].accepted_again) == ((1, 2), ())
    assert (found[B].counting, found[B].accepted_again) == ((3,), (2,))
    assert (found[C].elsewhere, found[C].counting) == ((), (9,))
    assert found[A].left_behind == found[B].left_behind == ()


def test_a_day_that_was_accepted_elsewhere_since_does_not_come_back() -> None:
    """B stands for A, C is accepted, and D stands for B without the days of A and C."""
    before = [
        sheet(A, (1, 2), replaced_by=B),
        sheet(B, (1, 2), last=3, answers=()),
        sheet(C, (1, 2)),
    ]
    assert acceptances_of(before)[A].accepted_again == ()
    found = acceptances_of([
        before[0],
        sheet(B, (1, 2), last=3, replaced_by=D, answers=()),
        before[2],
        sheet(D, (), first=3, last=3, answers=()),
    ])  # fmt: skip
    assert (found[A].counting, found[A].left_behind, found[A].accepted_again) == ((), (), (1, 2))
    assert (found[C].counting, found[C].accepted_again) == ((1, 2), ())
    # Nor where what was accepted since is being replaced itself.
    found = acceptances_of([
        sheet(A, (1, 2), replaced_by=D),
        sheet(C, (1, 2), replaced_by=E),
        sheet(D, (), first=3, last=3, answers=()),
        sheet(E, (1, 2), answers=()),
    ])  # fmt: skip
    assert found[A].counting == found[C].counting == ()


def row(day: int, working: int) -> SheetDay:
    return SheetDay(day, working, 0, 0, 0)


def test_a_day_is_held_against_the_record_where_it_counts_alone() -> None:
    found = [
        sheet(A, (1, 2), replaced_by=B),
        sheet(B, (2,)),
        sheet(C, (4,), last=6),
        sheet(D, (7,), answers=()),
    ]
    recorded = [row(1, 5), row(2, 1), row(4, 1), row(5, 3), row(7, 9)]
    told = changed_days(found, acceptances_of(found), recorded)
    assert told == {
        # Left behind, and so still counting in what was replaced.
        A: ChangedDays((ChangedDay(row(1, 1), row(1, 5)),), 0),
        B: ChangedDays((), 0),
        # It was accepted as a day without work.
        C: ChangedDays((ChangedDay(None, row(5, 3)),), 0),
    }


def test_of_many_days_that_changed_the_first_are_told_however_many_timesheets_are_about_them() -> (
    None
):
    found = [sheet(digest(f"all {place}"), (3,), first=1, last=400) for place in range(2_000)]
    recorded = [row(day, 2) for day in range(1, 20_001)]
    begun = time.process_time()
    told = changed_days(found, acceptances_of(found), recorded)
    assert time.process_time() - begun < 2
    # The row counts where it was accepted last.
    assert [one.recorded.day for one in told[found[-1].digest].told] == [1, 2, 3, 4, 5, 6, 7]
    assert [one.recorded.day for one in told[found[0].digest].told] == [1, 2, 4, 5, 6, 7, 8]
    assert (told[found[-1].digest].more, told[found[0].digest].more) == (393, 392)


def test_of_two_that_follow_each_other_the_last_accepted_one_keeps_a_day_left_out() -> None:
    found = acceptances_of([
        sheet(A, (1, 2), replaced_by=B),
        sheet(B, (1, 2), replaced_by=C),
        sheet(C, (2,), answers=()),
    ])  # fmt: skip
    assert (found[A].counting, found[A].accepted_again) == ((), (1,))
    assert (found[B].counting, found[B].left_behind) == ((1,), (1,))


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


# --- any order of what either party signs ---

_DAYS = st.integers(1, 5)
_SHEETS = st.tuples(st.frozensets(_DAYS, max_size=5), _DAYS, _DAYS, st.none() | st.integers(0, 7))
_ANSWERS = st.tuples(
    st.integers(0, 7), st.sampled_from([SheetAnswer.ACCEPTED] * 3 + [SheetAnswer.OBJECTION])
)
_HISTORIES = st.lists(_SHEETS | _ANSWERS, max_size=16)
_SPEC: Mapping[str, Any] = runpy.run_path(str(PROGRAM), run_name="told")


def told(history: Sequence[Any]) -> list[Entry]:
    """Give what two parties signed, in log order: timesheets, some for others, and answers."""
    entries: list[Entry] = []
    names: list[Digest] = []
    for place, one in enumerate(history):
        name = digest(f"{place}")
        if isinstance(one[1], SheetAnswer):
            if not names:
                continue
            about, said = names[one[0] % len(names)], one[1]
            text = None if said is SheetAnswer.ACCEPTED else "no"
            record: Any = make_sheet_answer(timesheet=about, answer=said, text=text)
        else:
            days, *ends, other = one
            first, last = min(ends), max(ends)
            record = make_timesheet(
                first=first,
                last=last,
                days=tuple(
                    SheetDay(day, 1, 0, 0, 0) for day in sorted(days) if first <= day <= last
                ),
                replaces=None if other is None or not names else names[other % len(names)],
            )
            names.append(name)
        entries.append(Entry(place, name, record, Window(), None))
    return entries


def found_in(entries: Sequence[Entry]) -> Mapping[Digest, Acceptance]:
    # No zone of the terms: the record is not looked at.
    return acceptances_of(timesheets_of(make_terms(zone="Europe/Berlin"), entries, UTC))


def holders_in(entries: Sequence[Entry]) -> dict[int, Digest]:
    """Give where each day counts; no day counts in two."""
    found = [(day, name) for name, one in found_in(entries).items() for day in one.counting]
    holders = dict(found)
    assert len(holders) == len(found)
    return holders


def last_accepted(entries: Sequence[Entry]) -> dict[int, Digest]:
    """Give for each day the timesheet that was accepted last of those whose last answer accepts."""
    sheets = {one.digest: one.record for one in entries if isinstance(one.record, Timesheet)}
    said: dict[Digest, SheetAnswer] = {}
    for one in entries:
        if isinstance(one.record, TimesheetAnswer):
            # Whatever was answered last stands last.
            said.pop(one.record.timesheet, None)
            said[one.record.timesheet] = one.record.answer
    return {
        row.day: name
        for name, answer in said.items()
        if answer is SheetAnswer.ACCEPTED
        for row in sheets[name].days
    }


@given(_HISTORIES)
def test_a_day_counts_once_and_only_where_it_was_accepted_last(history: Sequence[Any]) -> None:
    entries = told(history)
    last = last_accepted(entries)
    replaced = {
        one.record.replaces for one in entries if isinstance(one.record, Timesheet)
    }  # fmt: skip
    holders = holders_in(entries)
    assert holders.items() <= last.items()
    # What nothing names as replaced counts whole, where it was accepted last.
    assert {day for day, name in last.items() if name not in replaced} <= holders.keys()


@given(_HISTORIES)
def test_a_timesheet_moves_no_day_and_takes_out_those_alone_that_it_is_about(
    history: Sequence[Any],
) -> None:
    entries = told(history)
    for until, one in enumerate(entries):
        if not isinstance(one.record, Timesheet):
            continue
        before, after = holders_in(entries[:until]), holders_in(entries[: until + 1])
        assert all(after[day] == before[day] for day in before.keys() & after.keys())
        gone = before.keys() - after.keys()
        assert all(one.record.first <= day <= one.record.last for day in gone)
        assert not gone or one.record.replaces is not None


@given(_HISTORIES)
def test_a_program_that_knows_the_specification_alone_says_the_same(
    history: Sequence[Any],
) -> None:
    entries = told(history)
    statements = [(one.record.KIND, one.record.to_value(), one.digest.raw) for one in entries]

    def written(days: Sequence[int]) -> list[str]:
        return [date_of(day).isoformat() for day in days]

    assert _SPEC["accepted_of"](statements) == {
        str(name): [
            {
                str(each.sheet): [written(each.days), written(each.counting)]
                for each in one.elsewhere
            },
            written(one.left_behind),
            written(one.accepted_again),
        ]
        for name, one in found_in(entries).items()
    }


def drawn_history(dice: random.Random) -> list[Any]:
    """Draw what the strategy above draws: node begins too slowly to be asked one by one."""
    history: list[Any] = []
    for _ in range(dice.randint(2, 16)):
        if dice.random() < 0.5:
            said = dice.choice([SheetAnswer.ACCEPTED] * 3 + [SheetAnswer.OBJECTION])
            history.append((dice.randrange(8), said))
        else:
            days = frozenset(dice.sample(range(1, 6), dice.randint(0, 5)))
            ends = dice.randint(1, 5), dice.randint(1, 5)
            history.append((days, *ends, dice.choice([None, *range(8)])))
    return history


def as_the_page_reads(one: Entry) -> list[Any]:
    record: Any = one.record
    if isinstance(record, TimesheetAnswer):
        said: dict[str, Any] = {"timesheet": str(record.timesheet), "answer": record.answer.value}
    else:
        said = {
            "first": record.first, "last": record.last, "head": str(record.head),
            "days": [[row.day, row.working, 0, 0, 0] for row in record.days],
            "replaces": None if record.replaces is None else str(record.replaces),
        }  # fmt: skip
    return [str(one.digest), {"kind": record.KIND, **said}]


def test_the_offline_page_says_the_same_of_many_histories(tmp_path: Path) -> None:
    (tmp_path / "verify.html").write_bytes(offline_page())
    dice = random.Random(119)
    histories = [told(drawn_history(dice)) for _ in range(400)]
    said = page_says(
        "page_sheets.mjs",
        tmp_path / "verify.html",
        [[as_the_page_reads(one) for one in entries] for entries in histories],
    )
    again = 0
    recorded = [row(day, 1 if day % 2 == 0 else 2) for day in range(1, 7)]
    for entries, rows in zip(histories, said, strict=True):
        found = timesheets_of(make_terms(zone="Europe/Berlin"), entries, UTC)
        beside = acceptances_of(found)
        since = changed_days(found, beside, recorded)
        again += any(one.accepted_again for one in beside.values())
        assert rows == [
            [
                str(one.digest),
                None if one.replaced_by is None else str(one.replaced_by),
                [
                    [str(each.sheet), [*each.days], [*each.counting]]
                    for each in beside[one.digest].elsewhere
                ],
                [*beside[one.digest].left_behind],
                [*beside[one.digest].accepted_again],
                [
                    [None if each.accepted is None else each.accepted.working, each.recorded.day]
                    for each in since.get(one.digest, ChangedDays((), 0)).told
                ],
            ]
            for one in found
        ]
    assert again > 20
