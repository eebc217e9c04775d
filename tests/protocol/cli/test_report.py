import json
from dataclasses import replace

import pytest

from support.examined import vector
from support.scripted import Story
from workseal_protocol.cli.report import MAX_SPANS, report_lines, report_value
from workseal_protocol.cli.text import exact
from workseal_protocol.diary import DiaryState, Span
from workseal_protocol.terms import Granularity
from workseal_protocol.verify import Report, examine_bundle


@pytest.fixture(scope="module")
def report(story: Story, bundle_bytes: bytes) -> Report:
    return examine_bundle(bundle_bytes, story.policy)


def test_both_views_are_complete_for_a_report_of_nothing(story: Story) -> None:
    empty = examine_bundle(b"nothing", story.policy)
    lines = list(report_lines(empty))
    assert any(line.startswith("MALFORMED") for line in lines)
    assert [line for line in lines if line.startswith("  - ")]
    value = json.loads(json.dumps(report_value(empty)))
    assert value["malformed"]
    assert not value["holds"]
    assert value["totals"] is None
    assert value["not_proven"]


def test_limits_that_were_passed_are_told_in_both_views(report: Report) -> None:
    assert any(
        line.startswith("LIMIT PASSED         withdrawn percent") for line in report_lines(report)
    )
    assert report_value(report)["totals"]["exceeded"][0]["limit"] == "withdrawn percent"


def test_a_weekly_limit_is_told_in_hours() -> None:
    _, counted = vector("valid-counts")
    lines = [line for line in report_lines(counted) if line.startswith("LIMIT PASSED")]
    assert lines[:2] == [
        (
            "LIMIT PASSED         offline time per week: 0 h 00 min 03.456 s,"
            " agreed 0 h 00 min 00.000 s in the week of 2026-03-02"
        ),
        (
            "LIMIT PASSED         worked time per week: 3 h 04 min 28.538 s,"
            " agreed 0 h 01 min 00.000 s in the week of 2026-03-23"
        ),
    ]


def test_terms_that_show_days_hide_the_spans_on_the_screen(report: Report) -> None:
    assert report.terms is not None
    by_day = replace(report, terms=replace(report.terms, granularity=Granularity.DAY), activity=())
    shown = list(report_lines(by_day))
    assert not any(" to 2026-03-02 " in line for line in shown)
    assert any("--json has every span" in line for line in shown)


def test_a_long_diary_says_how_much_of_it_is_not_on_the_screen(report: Report) -> None:
    long = replace(report, diary=report.diary * 10, activity=())
    lines = list(report_lines(long))
    assert sum(" to 2026-03-0" in line for line in lines) == MAX_SPANS
    assert f"  and {len(long.diary) - MAX_SPANS} more spans; --json has every one" in lines
    assert len(report_value(long)["diary"]) == len(long.diary)


def test_work_over_midnight_stands_with_each_of_its_days_in_the_agreements_time(
    report: Report,
) -> None:
    midnight = 1_772_492_400_000  # 2026-03-03 in Berlin
    night = Span(
        midnight - 3_600_000, midnight + 7_200_000, DiaryState.WORKING, "recorded",
        9_000_000, course=(
            (midnight - 3_600_000, 0), (midnight, 1_800_000), (midnight + 7_200_000, 9_000_000),
        ),
    )  # fmt: skip
    gap = Span(midnight + 7_200_000, midnight + 90_000_000, DiaryState.NO_SESSION, "no session")
    lines = list(report_lines(replace(report, zone="Europe/Berlin", diary=(night, gap))))
    begin = next(number for number, line in enumerate(lines) if line.startswith("Diary: "))
    # Half an hour of the night's three was not worked.
    assert lines[begin] == (
        "Diary: working 2 h 30 min 00.000 s, no session 23 h 00 min 00.000 s,"
        " not counted within worked spans 0 h 30 min 00.000 s"
    )
    assert lines[begin + 1 : begin + 5] == [
        "  (times of Europe/Berlin, with the offset from UTC; work is cut at midnight)",
        (
            "  2026-03-02 23:00:00.000 +01:00 to 2026-03-03 00:00:00.000 +01:00"
            "  working, worked 0 h 30 min 00.000 s: recorded"
        ),
        (
            "  2026-03-03 00:00:00.000 +01:00 to 2026-03-03 02:00:00.000 +01:00"
            "  working, worked 2 h 00 min 00.000 s: recorded"
        ),
        (
            "  2026-03-03 02:00:00.000 +01:00 to 2026-03-04 01:00:00.000 +01:00"
            "  no session: no session"
        ),
    ]


def test_the_diary_has_the_figures_of_the_totals(report: Report) -> None:
    line = next(line for line in report_lines(report) if line.startswith("Diary: "))
    totals = report.totals
    assert totals is not None
    assert f"late-declared {exact(totals.late_declared_ms)}" in line
    for state, ms in totals.by_state.items():
        assert f"{state.name.lower().replace('_', '-')} {exact(ms)}" in line


def test_the_operators_own_witnesses_are_not_called_independent(
    story: Story, bundle_bytes: bytes
) -> None:
    policy = replace(story.policy, independent=frozenset())
    lines = list(report_lines(examine_bundle(bundle_bytes, policy)))
    assert any("cosigned by 1 witness; 0 independent witnesses" in line for line in lines)
    assert any("0 independent witnesses cosigned" in line for line in lines)
