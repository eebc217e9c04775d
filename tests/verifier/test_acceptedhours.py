"""How much of a week was accepted: what counts, held against what the log has by now."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.scripted import begin
from support.shelved import Shelved
from support.simulator import ROUND_MS, START, Simulator
from workseal_protocol.days import DayTotal
from workseal_protocol.records import SheetAnswer, Timesheet, read_record
from workseal_protocol.statement import Statement
from workseal_verifier.services.acceptedhours import (
    DayBeside,
    Share,
    accepted_days,
    changed_since,
    share_of,
)

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 8)
TUESDAY = FIRST + timedelta(days=1)


class Told:
    """Work of a Monday, in a real store, and what its pages are folded from."""

    def __init__(self, folder: Path) -> None:
        verifier = Simulator()
        self.agent = begin(verifier, terms=verifier.terms(zone="UTC"))
        verifier.now = START + ROUND_MS
        self.agent.open_session()
        self.work(3)
        self.shelved = Shelved(folder / "verifier.db")

    def work(self, rounds: int) -> None:
        self.agent.work(rounds * ROUND_MS)
        self.agent.send()

    def accepted(self, first: date, last: date, **changes: Any) -> Statement:
        sheet = self.agent.sum_up(first, last, **changes)
        self.agent.reply(sheet, SheetAnswer.ACCEPTED)
        self.agent.verifier.now += 1
        return sheet

    def days(self) -> tuple[DayTotal, ...]:
        self.shelved.fill(self.agent.verifier, self.agent)
        agreed, reach = self.shelved.agreed(self.agent)
        return self.shelved.diaries.week(agreed, FIRST, reach).days

    def share(self) -> Share | None:
        days = self.days()
        agreed, reach = self.shelved.agreed(self.agent)
        review = self.shelved.sheets.listed(agreed, reach)
        return share_of(accepted_days(agreed.terms, review), days, FIRST, LAST)

    def changed(self, sheet: Statement) -> list[DayBeside]:
        days = self.days()
        agreed, reach = self.shelved.agreed(self.agent)
        review = self.shelved.sheets.of_days(agreed, FIRST, LAST, reach)
        (own,) = [one for one in review.sheets if one.digest == sheet.digest]
        return list(changed_since(own, accepted_days(agreed.terms, review), days))


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    made = Told(tmp_path)
    yield made
    made.shelved.close()


def told_ms(share: Share | None) -> list[tuple[date, int, int]]:
    assert share is not None
    return [
        (one.recorded.day, one.accepted.recorded_ms, one.recorded.recorded_ms) for one in share.days
    ]


def test_what_was_accepted_as_it_is_recorded_is_whole(told: Told) -> None:
    assert told.share() is None
    sheet = told.accepted(FIRST, LAST)
    share = told.share()
    assert share is not None
    assert (share.is_whole, share.is_part) == (True, False)
    assert told.changed(sheet) == []


@pytest.mark.parametrize("answer", [SheetAnswer.QUESTION, SheetAnswer.OBJECTION])
def test_an_answer_that_came_later_takes_the_acceptance_back(
    told: Told, answer: SheetAnswer
) -> None:
    sheet = told.accepted(FIRST, LAST)
    told.agent.reply(sheet, answer, "on a holiday?")
    assert told.share() is None
    told.work(1)
    assert told.changed(sheet) == []


def test_hours_that_came_after_the_timesheet_are_accepted_by_nobody(told: Told) -> None:
    sheet = told.accepted(FIRST, LAST)
    told.work(2)
    share = told.share()
    assert told_ms(share) == [(FIRST, 3 * ROUND_MS, 5 * ROUND_MS)]
    assert share is not None
    assert (share.is_whole, share.is_part) == (False, True)
    (day,) = told.changed(sheet)
    assert (day.accepted.recorded_ms, day.recorded.recorded_ms) == (3 * ROUND_MS, 5 * ROUND_MS)


def test_a_day_that_a_replacement_left_out_is_still_accepted(told: Told) -> None:
    sheet = told.accepted(FIRST, LAST)
    told.agent.sum_up(TUESDAY, LAST, replaces=sheet.digest)
    share = told.share()
    assert share is not None
    assert share.is_whole
    told.work(1)
    assert told_ms(told.share()) == [(FIRST, 3 * ROUND_MS, 4 * ROUND_MS)]
    assert [one.recorded.day for one in told.changed(sheet)] == [FIRST]


def test_a_day_that_a_replacement_has_is_accepted_there_or_nowhere(told: Told) -> None:
    sheet = told.accepted(FIRST, LAST)
    told.work(1)
    again = told.agent.sum_up(FIRST, LAST, replaces=sheet.digest)
    assert told.share() is None
    assert told.changed(sheet) == []
    told.agent.reply(again, SheetAnswer.ACCEPTED)
    share = told.share()
    assert share is not None
    assert share.is_whole


def test_a_day_without_hours_when_it_was_accepted_is_told_once_it_has_some(told: Told) -> None:
    empty = told.accepted(TUESDAY, LAST)
    told.agent.close_session()
    told.agent.verifier.now = START + 24 * 3_600_000
    told.agent.open_session()
    told.work(1)
    assert told.share() is None
    (day,) = told.changed(empty)
    assert (day.recorded.day, day.accepted.recorded_ms) == (TUESDAY, 0)
    # Once it counts in another one, this is not where people look.
    told.accepted(TUESDAY, TUESDAY)
    assert told.changed(empty) == []
    assert told_ms(told.share()) == [(FIRST, 0, 3 * ROUND_MS), (TUESDAY, ROUND_MS, ROUND_MS)]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"working": 4 * ROUND_MS}, id="longer"),
        pytest.param({"sealed": 1, "working": 3 * ROUND_MS - 1}, id="of another kind"),
        pytest.param({"late_declared": 1}, id="late"),
    ],
)
def test_what_was_accepted_and_never_recorded_is_no_part(told: Told, more: dict[str, int]) -> None:
    honest = read_record(told.agent.sum_up(FIRST, LAST))
    assert isinstance(honest, Timesheet)
    told.agent.verifier.now += 1
    sheet = told.accepted(FIRST, LAST, days=(replace(honest.days[0], **more),))
    share = told.share()
    assert share is not None
    assert (share.is_whole, share.is_part) == (False, False)
    assert len(told.changed(sheet)) == 1


def test_hours_at_another_price_are_accepted_otherwise_than_agreed(told: Told) -> None:
    told.accepted(FIRST, LAST, amount=1)
    share = told.share()
    assert share is not None
    assert (share.is_whole, share.is_part) == (False, False)
    assert told_ms(share) == [(FIRST, 3 * ROUND_MS, 3 * ROUND_MS)]
