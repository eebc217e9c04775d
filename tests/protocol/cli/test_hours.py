import csv
import io
import json
import stat
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from pypdf import PdfReader

from support.drawn import month
from support.examined import FOLDER, vector
from support.scripted import Story, begin, finish
from support.simulator import DAY_MS, Simulator
from workseal_protocol.billing import billed_of
from workseal_protocol.cli.hours import plain
from workseal_protocol.cli.hours.calendar import as_calendar
from workseal_protocol.cli.hours.paper import as_pdf
from workseal_protocol.cli.hours.plain import day_table, span_table
from workseal_protocol.cli.hours.sheet import recorded_of, sheet_of
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.days import cut_days
from workseal_protocol.diary import Span
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import DeclarationForm, Record, Segment, SessionClose
from workseal_protocol.terms import WorkClass
from workseal_protocol.verify import Report, examine_bundle

from .conftest import Outcome, Run

ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def report(bundle_bytes: bytes, story: Story) -> Report:
    return examine_bundle(bundle_bytes, story.policy, zone=ZONE)


@pytest.fixture
def write(folder: Path, run: Run) -> Run:
    def call(name: str, *words: object) -> Outcome:
        bundle, policy = folder / "bundle", folder / "policy"
        return run("hours", bundle, "--policy", policy, "--out", folder / name, *words)

    return call


def cut_spans(report: Report, zone: ZoneInfo) -> Iterator[Span]:
    """Cut the diary's spans at the zone's midnights."""
    for span in report.diary:
        for _, since, until in cut_days(span.begin, span.end, zone):
            if worked := span.worked_between(since, until):
                yield replace(span, begin=since, end=until, worked_ms=worked)


def rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text(), newline="")))


def test_a_table_has_the_days_of_the_report(folder: Path, write: Run, report: Report) -> None:
    done = write("hours.csv", "--by", "day")
    assert (done.code, done.err) == (0, "")
    totals = report.totals
    assert totals is not None
    found = rows(folder / "hours.csv")
    assert [row["day"] for row in found] == [str(day.day) for day in totals.days]
    assert {row["zone"] for row in found} == {"Europe/Berlin"}
    for row, day in zip(found, totals.days, strict=True):
        assert int(row["working_ms"]) == day.worked_ms[WorkClass.WORKING]
        assert int(row["late_declared_ms"]) == day.worked_ms[WorkClass.LATE_DECLARED]
        assert int(row["recorded_ms"]) == recorded_of(day)
        assert int(row["offline_ms"]) == day.offline_ms
        assert 0 <= int(row["recorded_ms"]) / 3_600_000 - float(row["hours"]) < 0.0001
    assert sum(int(row["recorded_ms"]) for row in found) == totals.worked_ms
    assert sum(int(row["billed_ms"]) for row in found) == totals.billed.ms


def test_intervals_are_those_of_the_diary(folder: Path, write: Run, report: Report) -> None:
    assert write("hours.csv", "--by", "interval").code == 0
    found = rows(folder / "hours.csv")
    spans = list(cut_spans(report, ZONE))
    assert [int(row["worked_ms"]) for row in found] == [span.worked_ms for span in spans]
    for row, span in zip(found, spans, strict=True):
        begin = datetime.fromisoformat(row["begin"])
        assert begin == datetime.fromtimestamp(span.begin / 1000, tz=UTC)
        assert begin.utcoffset() == timedelta(hours=1)
        assert (row["state"], row["reason"]) == (str(span.state), span.reason)


def test_json_says_the_same_and_what_is_not_proven(
    folder: Path, write: Run, report: Report
) -> None:
    assert write("hours.json", "--by", "interval").code == 0
    value = json.loads((folder / "hours.json").read_bytes())
    totals = report.totals
    assert totals is not None
    assert value["recorded_ms"] == totals.worked_ms
    assert value["late_declared_ms"] == totals.late_declared_ms
    # As in the report of `workseal verify --json`: what was declared late stands beside.
    assert value["by_grade"] == {str(one): ms for one, ms in totals.by_grade.items()}
    assert value["billed"]["amount_minor"] == totals.billed.amount
    assert value["not_proven"] == list(report.not_proven)
    assert value["proof"]["size"] == report.tree_size
    told = sum(one["worked_ms"] for one in value["intervals"])
    assert told == totals.worked_ms + totals.late_declared_ms
    assert write("days.json", "--by", "day").code == 0
    assert "intervals" not in json.loads((folder / "days.json").read_bytes())


@pytest.mark.parametrize("by", ["day", "interval"])
def test_a_calendar_program_reads_the_events(
    folder: Path, write: Run, report: Report, by: str
) -> None:
    assert write("hours.ics", "--by", by).code == 0
    data = (folder / "hours.ics").read_bytes()
    events = Calendar.from_ical(data).walk("VEVENT")
    totals = report.totals
    assert totals is not None
    spans = list(cut_spans(report, ZONE))
    assert len(events) == len(totals.days if by == "day" else spans)
    assert len({str(event["uid"]) for event in events}) == len(events)
    starts = [event.decoded("dtstart") for event in events]
    if by == "day":
        assert starts == [day.day for day in totals.days]
    else:
        assert starts == [datetime.fromtimestamp(span.begin // 1000, tz=UTC) for span in spans]
    assert write("again.ics", "--by", by).code == 0
    assert (folder / "again.ics").read_bytes() == data


@pytest.mark.parametrize("by", ["day", "interval"])
def test_paper_has_every_day_the_amount_and_what_is_not_proven(
    folder: Path, write: Run, report: Report, by: str
) -> None:
    assert write("hours.pdf", "--by", by).code == 0
    reader = PdfReader(folder / "hours.pdf")
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    totals = report.totals
    assert totals is not None
    for day in totals.days:
        assert str(day.day) in text
    assert f"{totals.billed.amount / 100:.2f} {totals.billed.currency}" in text
    for sentence in report.not_proven:
        assert " ".join(sentence.split()) in text
    assert ("Intervals" in text) is (by == "interval")
    assert write("again.pdf", "--by", by).code == 0
    assert (folder / "again.pdf").read_bytes() == (folder / "hours.pdf").read_bytes()


def test_without_a_word_the_terms_say_what_is_shown(
    folder: Path, write: Run, report: Report
) -> None:
    assert report.terms is not None
    assert write("hours.json").code == 0
    value = json.loads((folder / "hours.json").read_bytes())
    assert ("intervals" in value) is (report.terms.granularity.name == "INTERVAL")


def test_some_days_have_their_own_sums(folder: Path, write: Run, report: Report) -> None:
    assert report.totals is not None
    assert report.terms is not None
    first, *rest = report.totals.days
    assert rest
    assert write("one.json", "--from", first.day, "--to", first.day).code == 0
    value = json.loads((folder / "one.json").read_bytes())
    assert [day["day"] for day in value["days"]] == [str(first.day)]
    assert value["recorded_ms"] == recorded_of(first) < report.totals.worked_ms
    assert value["billed"]["ms"] == billed_of(report.terms, [first]).ms
    assert write("rest.json", "--from", rest[0].day).code == 0
    others = json.loads((folder / "rest.json").read_bytes())
    assert value["recorded_ms"] + others["recorded_ms"] == report.totals.worked_ms


def test_limits_are_those_of_the_weeks_that_are_shown(bundle_bytes: bytes, report: Report) -> None:
    days = [day.day for day in report.totals.days] if report.totals else []
    whole = sheet_of(bundle_bytes, report, ZONE, None, None)
    weeks = Counter(one.week for one in whole.exceeded if one.week)
    for day in days:
        shown = sheet_of(bundle_bytes, report, ZONE, day, day)
        monday = day - timedelta(days=day.weekday())
        assert {one.week for one in shown.exceeded if one.week} <= {monday}
        assert bool(weeks[monday]) == any(one.week == monday for one in shown.exceeded)


def test_a_file_is_its_owners_alone(folder: Path, write: Run) -> None:
    assert write("hours.csv").code == 0
    assert stat.S_IMODE((folder / "hours.csv").stat().st_mode) == 0o600


def test_nothing_is_written_of_a_bundle_that_does_not_hold(folder: Path, write: Run) -> None:
    data = bytearray((folder / "bundle").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "bundle").write_bytes(data)
    done = write("hours.csv")
    assert done.code in {1, 2}
    assert "HOLD" in done.err or "MALFORMED" in done.err
    assert not (folder / "hours.csv").exists()


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("hours.xlsx", (), "must end in .csv, .json, .ics or .pdf"),
        ("hours.csv", ("--from", "yesterday"), "found yesterday"),
        ("hours.csv", ("--from", "20260302"), "a day is written 2026-11-23, found 20260302"),
        ("hours.csv", ("--to", "2026-W10-1"), "found 2026-W10-1"),
        ("hours.csv", ("--from", "2026-03-03", "--to", "2026-03-02"), "--to lies before --from"),
        ("hours.csv", ("--from", "2031-01-01"), "no hours on these days"),
        ("policy", (), "exists already"),
        ("hours.csv", ("--by", "minute"), "invalid choice"),
    ],
)
def test_wrong_use_gets_a_sentence_and_writes_nothing(
    folder: Path, write: Run, name: str, words: tuple[str, ...], sentence: str
) -> None:
    before = sorted(folder.iterdir())
    done = write(name, *words)
    assert done.code == 2
    assert sentence in done.err
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.ics", "a.pdf"])
def test_hours_of_other_days_than_the_terms_have_are_not_written(
    folder: Path, write: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("workseal_protocol.cli.verification.zone_named", lambda _: None)
    done = write(name)
    assert (done.code, done.out) == (2, "")
    assert "does not know the zone Europe/Berlin" in done.err
    assert "pip install tzdata" in done.err
    assert not (folder / name).exists()


@pytest.mark.parametrize(("name", "library"), [("a.ics", "icalendar"), ("a.pdf", "reportlab")])
def test_a_missing_extra_gets_one_kind_sentence(
    write: Run, monkeypatch: pytest.MonkeyPatch, name: str, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setattr(
        "workseal_protocol.cli.hours.command.find_spec",
        lambda wanted: None if wanted == library else object(),
    )
    done = write(name)
    assert (done.code, done.out) == (2, "")
    assert "pip install 'workseal[hours]'" in done.err


def test_days_without_hours_are_refused(bundle_bytes: bytes, report: Report) -> None:
    with pytest.raises(CommandError, match="no hours on these days"):
        sheet_of(bundle_bytes, report, ZONE, date(2030, 1, 1), None)


# --- what was opened: projects, tags, activity ---


@pytest.fixture
def opened(tmp_path: Path, run: Run) -> Run:
    def call(name: str, *words: object) -> Outcome:
        bundle, policy = FOLDER / "valid-labels.bundle", FOLDER / "policy.txt"
        return run("hours", bundle, "--policy", policy, "--out", tmp_path / name, *words)

    return call


def test_a_table_by_project_adds_up_to_the_table_by_day(tmp_path: Path, opened: Run) -> None:
    assert opened("days.csv").code == opened("projects.csv", "--by", "project").code == 0
    days, projects = rows(tmp_path / "days.csv"), rows(tmp_path / "projects.csv")
    for day in days:
        own = [row for row in projects if row["day"] == day["day"]]
        assert len(own) == 3
        for figure in ("working_ms", "off_screen_ms", "late_declared_ms", "recorded_ms"):
            assert sum(int(row[figure]) for row in own) == int(day[figure])


def test_a_spreadsheet_takes_no_project_for_a_formula(tmp_path: Path, opened: Run) -> None:
    assert opened("projects.csv", "--by", "project").code == 0
    names = {row["project"] for row in rows(tmp_path / "projects.csv")}
    assert names == {"first word", "'=1+1", ""}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("+1", "'+1"), ("-1", "'-1"), ("@a", "'@a"), (" =1", " '=1"), ("\uff1d1", "'\uff1d1"),
        ("a;=1", "a;'=1"), (";= 1; -2", ";'= 1; '-2"), ("a = b - c;d", "a = b - c;d"),
    ],
)  # fmt: skip
def test_no_cell_of_a_project_begins_as_a_formula_does_however_it_is_cut(
    name: str, shown: str
) -> None:
    assert plain._cell(name) == shown


def test_json_has_the_projects_and_the_activity_of_the_chosen_days(
    tmp_path: Path, opened: Run
) -> None:
    assert opened("day.json", "--from", "2026-03-03").code == 0
    value = json.loads((tmp_path / "day.json").read_bytes())
    assert {one["day"] for one in value["labels"]["days"]} == {"2026-03-03"}
    assert [one["day"] for one in value["activity"]] == ["2026-03-03"]
    worked = [sum(one["worked_ms"].values()) for one in value["labels"]["projects"]]
    assert sum(worked) == value["recorded_ms"] + value["late_declared_ms"]
    # What the terms show by day has no instant here.
    assert value["activity"][0]["begin_ms"] is None


def test_paper_tells_projects_tags_and_activity(tmp_path: Path, opened: Run) -> None:
    assert opened("hours.pdf").code == 0
    pages = PdfReader(tmp_path / "hours.pdf").pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert "first word: 0 h 00 min 50.009 s" in text
    assert "(no label): 0 h 10 min 10.000 s" in text
    assert "#ä \\u202e: 0 h 00 min 04.001 s" in text
    assert "2026-03-02 input in 0 h 00 min 13 s of 0 h 00 min 27.999 s observed" in text


def test_a_bundle_without_opened_labels_has_no_table_by_project(folder: Path, write: Run) -> None:
    done = write("projects.csv", "--by", "project")
    assert done.code == 2
    assert done.err == "workseal: no label of these days is opened in the bundle\n"
    assert not (folder / "projects.csv").exists()


@pytest.mark.parametrize("form", [".json", ".pdf", ".ics"])
def test_only_a_table_is_made_by_project(opened: Run, form: str) -> None:
    done = opened(f"hours{form}", "--by", "project")
    assert done.code == 2
    assert "--by project makes a .csv file" in done.err


# --- time that came over a midnight ---

NIGHT = datetime(2026, 3, 3, tzinfo=UTC)
MIDNIGHT = int(NIGHT.timestamp() * 1000)


def over_midnight(*, bounded: bool) -> tuple[bytes, Report]:
    """Work over a midnight of UTC, unevenly, and 0.4 s alone; declare an hour of nothing later."""
    verifier = Simulator(witnesses=1 if bounded else 0)
    counted: list[int] = []

    def sleeping(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        if isinstance(record, Segment):
            if record.begin >= MIDNIGHT:
                record = replace(record, worked=record.worked // 2)
            counted.append(record.worked)
        elif isinstance(record, SessionClose):
            record = replace(record, worked=sum(counted))
        return record, signer

    agent = begin(verifier, terms=verifier.terms(zone="UTC", capture_rate=0), twist=sleeping)
    verifier.now = MIDNIGHT - 20_000
    agent.open_session()
    agent.work(60_000)
    agent.send()
    agent.pause(300)
    agent.work(400)
    agent.send()
    agent.close_session()
    verifier.now = MIDNIGHT + 2 * DAY_MS
    agent.declare(DeclarationForm.LATE, verifier.now - 7_200_000, verifier.now - 3_600_000, 0)
    contents, tsa = finish(verifier, agent, ())
    # What was counted beside the time is as if the machine had not slept.
    contents = replace(contents, openings=())
    if not bounded:
        contents = replace(contents, token=None, timestamps=(), tsa_ca=None)
    story = Story(verifier, agent, contents, tsa)
    data = story.bundle().encode()
    return data, examine_bundle(data, story.policy if bounded else verifier.trust(), zone=UTC)


def test_what_came_over_a_midnight_is_cut_there_in_every_form() -> None:
    data, report = over_midnight(bounded=True)
    assert report.holds, report.first_problem
    monday, tuesday = NIGHT.date() - timedelta(days=1), NIGHT.date()
    one, two = (sheet_of(data, report, UTC, day, day) for day in (monday, tuesday))
    assert (one.recorded_ms, two.recorded_ms) == (20_000, 20_200)
    for sheet in (one, two):
        assert sum(sheet.by_grade.values()) == sheet.recorded_ms
        assert sum(span.worked_ms for span in sheet.spans) == sheet.recorded_ms
        value = json.loads(plain.as_json(sheet, spans=True))
        assert sum(value["by_grade"].values()) == value["recorded_ms"]
        text = PdfReader(io.BytesIO(as_pdf(sheet, spans=False))).pages[0].extract_text()
        assert "How it is known: online" in text
    assert one.spans[-1].end == two.spans[0].begin == MIDNIGHT
    events = Calendar.from_ical(as_calendar(two, spans=True)).walk("VEVENT")
    # RFC 5545, 3.8.2.2: an event ends later than it begins, also one of 0.4 s.
    assert len(events) == len(two.spans) > 1
    assert all(event.decoded("dtend") > event.decoded("dtstart") for event in events)
    assert any(span.begin // 1000 == span.end // 1000 for span in two.spans)


def test_a_calendar_needs_no_bound_and_no_worked_time() -> None:
    data, report = over_midnight(bounded=False)
    assert report.holds, report.first_problem
    assert report.window is None or report.window.upper is None
    for day in (2, 3, 4):
        sheet = sheet_of(data, report, UTC, date(2026, 3, day), date(2026, 3, day))
        (event,) = Calendar.from_ical(as_calendar(sheet, spans=False)).walk("VEVENT")
        assert event.decoded("dtstamp") == datetime(2026, 3, day + 1, tzinfo=UTC)


# --- the days of a timesheet, and what was said to it ---


@pytest.fixture
def summed(tmp_path: Path, run: Run) -> Run:
    (tmp_path / "bundle").write_bytes((FOLDER / "valid-timesheets.bundle").read_bytes())
    (tmp_path / "policy").write_bytes((FOLDER / "policy.txt").read_bytes())

    def call(name: str, *words: object) -> Outcome:
        bundle, policy = tmp_path / "bundle", tmp_path / "policy"
        return run("hours", bundle, "--policy", policy, "--out", tmp_path / name, *words)

    return call


@pytest.fixture(scope="module")
def sheets() -> list[str]:
    _, report = vector("valid-timesheets")
    return [str(one.digest) for one in report.timesheets]


def test_a_timesheets_hours_say_what_the_client_said_to_it(
    tmp_path: Path, summed: Run, sheets: list[str]
) -> None:
    said = f"Timesheet {sheets[1]}, 2026-03-03 09:01:03.000Z the client accepts."
    for name in ("a.pdf", "a.json", "a.csv", "a.ics"):
        done = summed(name, "--timesheet", sheets[1][:12], "--by", "day")
        assert (done.code, done.err) == (0, "")
        assert said in done.out
    told = json.loads((tmp_path / "a.json").read_text())
    assert (told["first"], told["last"]) == ("2026-03-02", "2026-03-02")
    assert told["timesheet"] == {
        "statement": sheets[1], "answer": "accepted", "text": None,
        "answered_ms": 1_772_528_463_000,
    }  # fmt: skip
    text = " ".join(page.extract_text() for page in PdfReader(tmp_path / "a.pdf").pages)
    assert said in " ".join(text.split())
    assert [row["day"] for row in rows(tmp_path / "a.csv")] == ["2026-03-02"]


def test_without_one_no_file_speaks_of_a_timesheet(tmp_path: Path, summed: Run) -> None:
    assert summed("a.json").code == 0
    assert "timesheet" not in json.loads((tmp_path / "a.json").read_text())


@pytest.mark.parametrize(
    ("place", "words"),
    [(0, "was replaced by"), (2, "cannot be used: differs"), (3, "cannot be used: not checked")],
)
def test_no_hours_are_written_of_a_timesheet_that_does_not_stand(
    tmp_path: Path, summed: Run, sheets: list[str], place: int, words: str
) -> None:
    done = summed("a.csv", "--timesheet", sheets[place][:12])
    assert (done.code, done.out) == (1, "")
    assert words in done.err
    assert not (tmp_path / "a.csv").exists()


def test_a_timesheet_has_its_own_days(summed: Run, sheets: list[str]) -> None:
    done = summed("a.csv", "--timesheet", sheets[1][:12], "--to", "2026-03-02")
    assert done.code == 2
    assert "leave out --from and --to" in done.err


# --- months in which a day was skipped, or has another length ---


def test_without_a_bound_a_calendar_is_of_its_last_day_with_hours_whatever_was_asked_for(
    bundle_bytes: bytes, report: Report
) -> None:
    unbounded = replace(report, window=None)
    plainly, to_the_end = (
        as_calendar(sheet_of(bundle_bytes, unbounded, ZONE, None, last), spans=False)
        for last in (None, date.max)
    )
    assert plainly == to_the_end


@pytest.mark.parametrize("zone", ["Pacific/Apia", "America/Havana"])
def test_a_month_of_odd_days_is_the_same_in_every_form(zone: str) -> None:
    story, there = month(zone), ZoneInfo(zone)
    data = story.bundle().encode()
    report = examine_bundle(data, story.policy, zone=there)
    assert report.totals is not None, report.first_problem
    sheet = sheet_of(data, report, there, None, None)
    by_day = list(csv.DictReader(io.StringIO(day_table(sheet).decode())))
    told = [date.fromisoformat(row["day"]) for row in by_day]
    assert told == [day.day for day in report.totals.days]
    assert told == sorted(set(told))
    # In Samoa this day was none.
    assert date(2011, 12, 30) not in told
    columns = ("working_ms", "off_screen_ms", "sealed_ms", "late_declared_ms")
    summed = sum(int(row[name]) for row in by_day for name in columns)
    assert summed == report.totals.worked_ms + report.totals.late_declared_ms
    spans = list(cut_spans(report, there))
    assert len(spans) > len([span for span in report.diary if span.worked_ms])
    by_span = list(csv.DictReader(io.StringIO(span_table(sheet).decode())))
    for row, span in zip(by_span, spans, strict=True):
        # The offset tells the two times of an hour that is told twice apart.
        for name, ms in (("begin", span.begin), ("end", span.end)):
            moment = datetime.fromisoformat(row[name])
            assert moment == datetime.fromtimestamp(ms / 1000, tz=UTC)
            assert moment.utcoffset() == moment.astimezone(there).utcoffset()
    events = Calendar.from_ical(as_calendar(sheet, spans=False)).walk("VEVENT")
    assert [event.decoded("dtstart") for event in events] == told
    assert len({str(event["uid"]) for event in events}) == len(told)
    events = Calendar.from_ical(as_calendar(sheet, spans=True)).walk("VEVENT")
    begins = [event.decoded("dtstart") for event in events]
    assert begins == [datetime.fromtimestamp(span.begin // 1000, tz=UTC) for span in spans]
