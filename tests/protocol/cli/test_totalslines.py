from dataclasses import replace
from typing import Any

import pytest

from support.builders import make_terms
from support.examined import story, vector
from workseal_protocol.billing import billed_of
from workseal_protocol.cli.totalslines import totals_lines, totals_value
from workseal_protocol.terms import RoundingMode, money_sentences, plain_language
from workseal_protocol.verify import Report


@pytest.fixture(scope="module")
def counted() -> Report:
    """Give a report of three weeks, whose days are rounded to six minutes."""
    return vector("valid-counts")[1]


def value(report: Report) -> dict[str, Any]:
    told = totals_value(report)
    assert told is not None
    return told


def test_each_day_and_each_week_is_billed_as_its_days_alone(counted: Report) -> None:
    assert counted.terms is not None
    assert counted.totals is not None
    told = value(counted)
    for row, day in zip(told["days"], counted.totals.days, strict=True):
        billed = billed_of(counted.terms, [day])
        assert row["day"] == day.day.isoformat()
        assert (row["billed_ms"], row["amount_minor"]) == (billed.ms, billed.amount)
    assert [(row["week"], row["billed_ms"]) for row in told["weeks"]] == [
        ("2026-03-02", 0),
        ("2026-03-23", 5_760_000),
        ("2026-03-30", 720_000),
    ]
    for name in ("billed_ms", "offline_ms"):
        days, weeks = (sum(row[name] for row in told[rows]) for rows in ("days", "weeks"))
        assert days == weeks
    assert sum(row["billed_ms"] for row in told["weeks"]) == told["billed"]["ms"]


def test_the_rules_are_sentences_of_the_terms(counted: Report) -> None:
    assert counted.terms is not None
    rules = value(counted)["billed"]["rules"]
    assert rules == list(money_sentences(counted.terms))
    assert set(rules) < set(plain_language(counted.terms))
    assert rules[-1] == (
        "The billed view rounds each day to the nearest 6 min; the true figure stands beside it."
    )


@pytest.mark.parametrize(
    ("grid", "mode", "words"),
    [
        (0, RoundingMode.UP, "to the millisecond, without rounding"),
        (900_000, RoundingMode.UP, "rounds each day up to 15 min;"),
        (1_234, RoundingMode.DOWN, "rounds each day down to 1 s 234 ms;"),
    ],
)
def test_the_rule_names_how_days_are_rounded(grid: int, mode: RoundingMode, words: str) -> None:
    assert words in money_sentences(make_terms(rounding_ms=grid, rounding_mode=mode))[-1]


def test_a_person_reads_real_and_billed_time_of_each_week_and_day(counted: Report) -> None:
    lines = list(totals_lines(counted))
    place = next(at for at, line in enumerate(lines) if line.startswith("Billed by the terms"))
    rules = [line.strip() for line in lines[place + 2 : place + 5]]
    assert rules == value(counted)["billed"]["rules"]
    weeks = [line for line in lines if line.startswith("  Week of ")]
    assert len(weeks) == 3
    assert weeks[0].startswith("  Week of 2026-03-02 (Europe/Berlin)  0 h 00 min ")
    days = [line for line in lines if line.startswith("    2026-")]
    assert len(days) == len(value(counted)["days"])
    assert all(" recorded" in line and "; billed " in line for line in [*weeks, *days])


def test_late_time_stands_beside_the_recorded_time_of_its_day(counted: Report) -> None:
    late = [line for line in totals_lines(counted) if "declared late; billed" in line]
    assert late
    assert all("0 h 00 min 00.000 s recorded, " in line for line in late if "Week" not in line)


def test_without_totals_nothing_is_said() -> None:
    report = Report(steps=(), malformed=True, not_proven=())
    assert list(totals_lines(report)) == []
    assert totals_value(report) is None
    assert totals_value(replace(report, terms=story().agent.terms)) is None
