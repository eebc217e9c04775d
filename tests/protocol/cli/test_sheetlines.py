import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from support.builders import make_timesheet
from support.examined import story, vector
from support.grown import grown
from vectors.scenarios.holds import valid_timesheets
from workseal_protocol.accepted import ChangedDay, ChangedDays, acceptances_of
from workseal_protocol.cli.sheetlines import changed_lines, sheet_lines, sheet_text, sheets_value
from workseal_protocol.records import SheetDay
from workseal_protocol.timesheets import date_of
from workseal_protocol.verify import Report, examine_bundle

from .conftest import Run


@pytest.fixture(scope="module")
def data() -> bytes:
    return valid_timesheets().data


@pytest.fixture
def folder(tmp_path: Path, data: bytes) -> Path:
    (tmp_path / "bundle").write_bytes(data)
    (tmp_path / "policy").write_text(story().policy.encode())
    return tmp_path


def test_verify_shows_each_timesheet_whether_it_holds_and_the_answer(
    folder: Path, run: Run
) -> None:
    done = run("verify", folder / "bundle", "--policy", folder / "policy")
    assert done.code == 0
    assert done.out.count("Timesheet ") == 4
    for words in (
        "  replaced by ",
        "  agrees with the record",
        "the client asks: Is that the whole day?",
        "the client objects: One hour was agreed at most.",
        "the client accepts",
        "  COUNTS TWICE: it has hours of days that ",
        "differs from the record: its days cost something else by the terms",
        "not checked: the statement that it counts up to is not in the chain here",
        "(timesheets that differ from the record: 1, timesheets that overlap: 3)",
    ):
        assert words in done.out


def test_json_has_every_answer_and_the_digests(folder: Path, run: Run, data: bytes) -> None:
    done = run("verify", folder / "bundle", "--policy", folder / "policy", "--json")
    report = examine_bundle(data, story().policy, zone=None)
    told = json.loads(done.out)["timesheets"]
    assert [one["timesheet"] for one in told] == [str(one.digest) for one in report.timesheets]
    assert told[0]["replaced_by"] == told[1]["timesheet"]
    assert [one["answer"] for one in told[1]["answers"]] == ["objection", "accepted"]
    assert [one["overlaps"] for one in told] == [
        None,
        told[2]["timesheet"],
        told[1]["timesheet"],
        told[1]["timesheet"],
    ]
    assert told[1]["answers"][0]["text"] == "One hour was agreed at most."


def test_a_timesheet_says_what_its_time_was_for_where_labels_are_opened() -> None:
    _, report = vector("valid-labels")
    lines = list(sheet_lines(report))
    at = lines.index("  by project, in the freelancer's words:")
    assert lines[at - 1] == "  agrees with the record"
    assert lines[at + 1 :] == [
        (
            "    first word: 0 h 00 min 50.009 s (working 0 h 00 min 46.011 s,"
            " off-screen 0 h 00 min 03.998 s)"
        ),
        (
            "    =1+1: 0 h 00 min 30.000 s (working 0 h 00 min 03.995 s,"
            " off-screen 0 h 00 min 26.005 s)"
        ),
        # What was declared late came after it, and is no part of it.
        "    (no label): 0 h 00 min 10.000 s (working 0 h 00 min 10.000 s)",
        "  by tag:",
        "    #a: 0 h 01 min 16.008 s (working 0 h 00 min 46.005 s, off-screen 0 h 00 min 30.003 s)",
        "    #b: 0 h 00 min 30.000 s (working 0 h 00 min 03.995 s, off-screen 0 h 00 min 26.005 s)",
        "    #ä \u202e: 0 h 00 min 04.001 s (working 0 h 00 min 04.001 s)",
        "  not answered",
    ]
    (value,) = sheets_value(report)
    assert [one["project"] for one in value["projects"]] == ["first word", "=1+1", None]
    assert [one["tag"] for one in value["tags"]] == ["a", "b", "ä \u202e"]


@pytest.mark.parametrize(
    "name",
    ["accepted-twice", "accepted-before", "left-behind", "accepted-again", "accepted-by-many"],
)
def test_json_has_the_days_that_were_accepted_elsewhere_or_left_behind(name: str) -> None:
    _, report = vector(f"valid-{name}")
    found = acceptances_of(report.timesheets)
    assert any(one.elsewhere or one.left_behind for one in found.values())
    for value, one in zip(sheets_value(report), report.timesheets, strict=True):
        known = found[one.digest]
        assert value["left_behind"] == written(known.left_behind)
        assert value["accepted_again"] == written(known.accepted_again)
        for told, each in zip(value["accepted_elsewhere"], known.elsewhere, strict=True):
            assert told["timesheet"] == str(each.sheet)
            assert told["days"] == written(each.days)
            assert told["counting"] == written(each.counting)


def written(days: Sequence[int]) -> list[str]:
    return [date_of(day).isoformat() for day in days]


def test_each_outcome_of_an_accepted_day_has_its_words() -> None:
    told = {name: "\n".join(sheet_lines(vector(f"valid-{name}")[1])) for name in (
        "accepted-twice", "accepted-before", "left-behind", "accepted-again",
    )}  # fmt: skip
    again = "  ACCEPTED AGAIN later in another timesheet, and so not counting here: 2026-03-02"
    assert told["accepted-twice"].count("  and counting there: 2026-03-02") == 1
    assert told["accepted-twice"].count(again) == 1
    assert told["accepted-again"].count(f"{again}, 2026-03-03") == 1
    assert "STILL COUNTING here" not in told["accepted-again"]
    _, report = vector("valid-accepted-again")
    assert report.by_number()[13].why == (
        "timesheets with days that were accepted again in another: 1"
    )
    assert "ACCEPTED AGAIN" not in told["accepted-before"] + told["left-behind"]
    assert "ACCEPTED in 254e58" in told["accepted-before"]
    assert "counting there" not in told["accepted-before"]
    assert "STILL COUNTING here" in told["left-behind"]
    assert "STILL COUNTING here" not in told["accepted-before"]


def test_days_that_grew_since_they_were_accepted_are_told() -> None:
    told = grown()
    report = examine_bundle(told.bundle().encode(), told.policy, zone=ZoneInfo("Europe/Berlin"))
    assert report.holds
    lines = [line for line in sheet_lines(report) if "OTHER HOURS" in line]
    head = "  OTHER HOURS by now than were accepted: "
    assert [line.removeprefix(head) for line in lines] == [
        (
            "2026-03-02, 0 h 00 min 34.000 s of 0 h 01 min 00.000 s,"
            " and 0 h 00 min 00.000 s of 0 h 00 min 09.000 s declared late"
        ),
        "2026-03-03, 0 h 00 min 00.000 s of 0 h 00 min 12.000 s",
    ]
    # In another zone than that of the terms these are other days.
    assert "OTHER HOURS" not in "\n".join(sheet_lines(replace(report, zone="UTC")))


def test_of_many_days_that_grew_seven_are_told() -> None:
    one = ChangedDay(SheetDay(20_514, 1, 0, 0, 0), SheetDay(20_514, 2, 0, 0, 0))
    lines = list(changed_lines(ChangedDays((one,) * 7, 2)))
    assert len(lines) == 8
    assert lines[-1] == "  and of 2 more days"


def test_a_line_has_the_figures_of_the_timesheet() -> None:
    assert sheet_text(make_timesheet(), story().agent.terms) == (
        "2026-03-02 to 2026-03-08: 3 h 11 min 00.123 s recorded, 0 h 30 min 00.000 s declared late;"
        " billed 3 h 26 min 00.123 s, 223.17 EUR"
    )


def test_without_terms_nothing_is_said() -> None:
    report = Report(steps=(), malformed=True, not_proven=())
    assert list(sheet_lines(report)) == []
    assert sheets_value(report) == []
