"""The hours of a case: the weeks of the diary, captures, and the desk's checks over the log."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from support.cases import case_terms
from support.scripted import Story, tell_story
from support.shelved import Shelved
from support.simulator import START
from workseal_protocol.desk import examine_hours, gather
from workseal_protocol.digest import Digest
from workseal_protocol.records import Declaration, Record, Segment, WithdrawalReason
from workseal_protocol.verify import Report, examine_bundle
from workseal_verifier.services import disputedhours
from workseal_verifier.services.diaries import Agreed, Reach
from workseal_verifier.services.disputedhours import RUN_HERE, About, DisputedHours
from workseal_verifier.services.weekfold import bounds, read_records
from workseal_verifier.store.logrows import Entry

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ALL = (START - HOUR_MS, START + 3 * DAY_MS)


@pytest.fixture(scope="module")
def story() -> Story:
    return tell_story()


@pytest.fixture(scope="module")
def report(story: Story) -> Report:
    """Examine what a stranger has, with nothing shown."""
    bundle = story.bundle(replace(story.contents, disclosures=()))
    report = examine_bundle(bundle.encode(), story.policy)
    assert report.holds, report.first_problem
    return report


@pytest.fixture
def shelved(tmp_path: Path, story: Story) -> Iterator[Shelved]:
    made = Shelved(tmp_path / "verifier.db").fill(story.verifier, story.agent)
    yield made
    made.close()


@pytest.fixture
def hours(shelved: Shelved) -> DisputedHours:
    return DisputedHours(shelved.records, shelved.diaries)


@pytest.mark.parametrize("period", [ALL, (START + 60_000, START + 200_000)])
def test_the_desk_says_here_what_it_says_over_a_bundle(
    period: tuple[int, int], hours: DisputedHours, shelved: Shelved, story: Story, report: Report
) -> None:
    found = hours.of(*_asked(shelved, story, period))
    assert found.counted is not None
    assert found.counted.checks == examine_hours(gather(report, hours=period), RUN_HERE).checks
    assert [one.number for one in found.counted.checks] == [1, 2]


@pytest.mark.parametrize("shift", [0, 4_321, 17_003])
def test_the_desk_counts_of_cut_hours_what_the_page_does(
    shift: int, hours: DisputedHours, shelved: Shelved, story: Story
) -> None:
    begin, end = START + 5_000 + shift, START + 47_000 + shift
    found = hours.of(*_asked(shelved, story, (begin, end)))
    assert found.counted is not None
    spans = [span for week in found.course.weeks for span in week.spans]
    worked = sum(one.worked_between(begin, end) for one in spans) // 1000
    frames = sum(one.frames for one in found.counted.captures)
    said = found.counted.checks[0].sentence
    assert said.startswith(f"0 h 00 min {worked:02d} s of 0 h 00 min 42 s are recorded as worked")
    assert f"; {frames} frames were taken, " in said


def test_captures_add_up_to_those_of_the_weeks(
    hours: DisputedHours, shelved: Shelved, story: Story
) -> None:
    found = hours.of(*_asked(shelved, story, ALL))
    assert found.counted is not None
    captures, weeks = found.counted.captures, found.course.weeks
    totals = [week.totals for week in weeks]
    assert sum(not one.missed for one in captures) == sum(one.captured for one in totals) > 0
    assert sum(one.missed for one in captures) == sum(one.missed for one in totals) > 0
    assert sum(one.frames for one in captures) == sum(one.frames for one in totals)
    assert sum(one.withdrawn for one in captures) == sum(one.withdrawn for one in totals) == 1


def test_a_frame_that_was_kept_for_the_agreed_days_is_not_called_withdrawn(tmp_path: Path) -> None:
    story = tell_story(b"kept long enough")
    agent, verifier = story.agent, story.verifier
    verifier.now += (agent.terms.retention_days + 1) * DAY_MS
    over, early = agent.frames[1:3]
    agent.withdraw(over, WithdrawalReason.RETENTION)
    agent.withdraw(early, WithdrawalReason.PRIVATE)
    shelved = Shelved(tmp_path / "verifier.db").fill(verifier, agent)
    found = DisputedHours(shelved.records, shelved.diaries).of(*_asked(shelved, story, ALL))
    assert found.counted is not None
    captures, totals = found.counted.captures, [week.totals for week in found.course.weeks]
    assert sum(one.expired for one in captures) == sum(one.expired for one in totals) == 1
    # The story itself has one more.
    assert sum(one.withdrawn for one in captures) == 2
    assert sum(one.withdrawn for one in totals) == 3
    shelved.close()


def test_what_went_after_the_filing_is_withdrawn_and_kept_apart_for_each_case(
    tmp_path: Path,
) -> None:
    """Frames of disputed hours are to be kept, so that their days being over explains nothing."""
    story = tell_story(b"gone in a dispute")
    agent, verifier = story.agent, story.verifier
    verifier.now += (agent.terms.retention_days + 1) * DAY_MS
    agent.withdraw(agent.frames[1], WithdrawalReason.RETENTION)
    between = max(verifier.statements) + 1
    verifier.others(1)
    agent.withdraw(agent.frames[1], WithdrawalReason.RETENTION)
    shelved = Shelved(tmp_path / "verifier.db").fill(verifier, agent)
    hours = DisputedHours(shelved.records, shelved.diaries)
    # The story itself has one more, which was withdrawn long before.
    for filed, told, words in (
        (2**31, (1, 0, 2), "1 of them withdrawn and 2 deleted once the agreed days were over"),
        (between, (2, 1, 1), "2 of them withdrawn (1 after the case was filed) and 1 deleted once"),
        (0, (3, 3, 0), "3 of them withdrawn (3 after the case was filed), "),
    ):
        counted = hours.of(*_asked(shelved, story, ALL, filed=filed)).counted
        assert counted is not None
        names = ("withdrawn", "since_filing", "expired")
        assert tuple(sum(getattr(one, n) for one in counted.captures) for n in names) == told
        assert words in counted.checks[0].sentence
    shelved.close()


def test_captures_are_those_of_segments_that_begin_in_the_hours(
    hours: DisputedHours, shelved: Shelved, story: Story
) -> None:
    whole = hours.of(*_asked(shelved, story, ALL)).counted
    assert whole is not None
    at = whole.captures[3].at_ms
    part = hours.of(*_asked(shelved, story, (at, at + 1))).counted
    assert part is not None
    assert [one.at_ms for one in part.captures] == [at]
    before = hours.of(*_asked(shelved, story, (at + 1, at + 2))).counted
    assert before is not None
    assert before.captures == ()


def test_only_weeks_that_the_hours_touch_are_folded(
    hours: DisputedHours, shelved: Shelved, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded: list[object] = []
    plain = shelved.diaries._folded

    def counted(*arguments: object) -> object:
        folded.append(arguments[2])
        return plain(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(shelved.diaries, "_folded", counted)
    assert hours.of(*_asked(shelved, story, (0, START - 30 * DAY_MS))).course.weeks == ()
    assert folded == []
    assert len(hours.of(*_asked(shelved, story, ALL)).course.weeks) == len(folded) == 1


def test_hours_that_no_calendar_has_are_those_that_are_told(
    hours: DisputedHours, shelved: Shelved, story: Story
) -> None:
    endless = hours.of(*_asked(shelved, story, (0, 2**53 - 1)))
    whole = hours.of(*_asked(shelved, story, ALL))
    assert endless.course == whole.course
    assert endless.counted is not None
    assert whole.counted is not None
    assert endless.counted.captures == whole.counted.captures


def test_what_was_counted_is_kept_until_something_comes_about_these_hours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = tell_story(b"kept")
    shelved = Shelved(tmp_path / "verifier.db").fill(story.verifier, story.agent)
    hours = DisputedHours(shelved.records, shelved.diaries)
    asked = 0
    plain = hours._count

    def counted(*arguments: object) -> object:
        nonlocal asked
        asked += 1
        return plain(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(hours, "_count", counted)
    first_day = (START, START + HOUR_MS)
    one = hours.of(*_asked(shelved, story, first_day))
    assert hours.of(*_asked(shelved, story, first_day)) == one
    assert asked == 1
    # Work of another day changes nothing here.
    agent, verifier = story.agent, story.verifier
    verifier.now = START + 2 * DAY_MS
    verifier.start_beacon(verifier.now // verifier.round_ms - 10, 1_000)
    agent.refresh()
    agent.open_session()
    agent.work(30_000)
    agent.send()
    shelved.fill(verifier, agent)
    hours.of(*_asked(shelved, story, first_day))
    assert asked == 1
    # A withdrawal may be about any hour.
    agent.withdraw(agent.frames[0])
    shelved.fill(verifier, agent)
    two = hours.of(*_asked(shelved, story, first_day))
    assert asked == 2
    assert one.counted is not None
    assert two.counted is not None
    before = sum(capture.withdrawn for capture in one.counted.captures)
    assert sum(capture.withdrawn for capture in two.counted.captures) == before + 1
    shelved.close()


def test_a_log_that_reaches_less_far_is_counted_anew(
    hours: DisputedHours, shelved: Shelved, story: Story
) -> None:
    agreed, about, reach = _asked(shelved, story, ALL)
    whole = hours.of(agreed, about, reach).counted
    less = hours.of(agreed, about, Reach(reach.size // 2, 0)).counted
    assert whole is not None
    assert less is not None
    assert len(less.captures) < len(whole.captures)


def test_more_than_a_week_may_have_is_not_counted(
    hours: DisputedHours, shelved: Shelved, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disputedhours, "MOST_IN_WEEK", 3)
    assert hours.of(*_asked(shelved, story, ALL)).counted is None


def test_no_more_is_kept_than_fits(
    hours: DisputedHours, shelved: Shelved, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disputedhours, "_CASES", 2)
    for number in range(4):
        hours.of(*_asked(shelved, story, (START - number - 1, START + HOUR_MS)))
    assert len(hours._known) == 2
    monkeypatch.setattr(disputedhours, "_KEPT", 1)
    hours.of(*_asked(shelved, story, ALL))
    assert len(hours._known) == 1


def test_a_cited_statement_is_told_of_if_it_is_of_this_agreement(
    hours: DisputedHours, shelved: Shelved, story: Story
) -> None:
    agreed, _, reach = _asked(shelved, story, ALL)
    for statement, record in story.agent.made:
        place = story.verifier.places.get(statement.digest)
        if place is None or place >= reach.size:
            continue
        found = hours.cited(agreed, [statement.digest], reach)[statement.digest]
        begin = record.begin if isinstance(record, Segment | Declaration) else None
        assert (found.index, found.kind) == (place, statement.kind)
        assert found.begin_ms == begin
        assert hours.cited(agreed, [statement.digest], Reach(place, 0)) == {}
    assert hours.cited(agreed, [Digest(bytes(32))], reach) == {}
    stranger = replace(agreed, engagement=bytes(16))
    assert hours.cited(stranger, [story.agent.made[2][0].digest], reach) == {}


def _asked(
    shelved: Shelved, story: Story, period: tuple[int, int], *, filed: int = 2**31
) -> tuple[Agreed, About, Reach]:
    """Ask about hours of a case, which was filed after everything that is told."""
    agreed, reach = shelved.agreed(story.agent)
    return agreed, About(*period, filed), reach


def test_what_was_read_for_the_weeks_is_not_read_again(
    hours: DisputedHours, shelved: Shelved, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    plain = read_records

    def counted(stored: Iterable[Entry]) -> list[tuple[Entry, Record]]:
        told = plain(stored)
        read.extend(one.kind for one, _ in told)
        return told

    monkeypatch.setattr(disputedhours, "read_records", counted)
    once = hours.of(*_asked(shelved, story, ALL))
    assert set(read) == {"tombstone"}
    # The weeks are kept by now, and what they were folded from is not.
    again = DisputedHours(shelved.records, shelved.diaries).of(*_asked(shelved, story, ALL))
    assert read.count("segment") > 10
    assert again == once


@pytest.mark.parametrize(
    ("weeks", "left"),
    [
        pytest.param([], [(0, 28)], id="no week"),
        pytest.param([0, 7, 14, 21], [], id="all of them"),
        pytest.param([7], [(0, 7), (14, 28)], id="one in the middle"),
        pytest.param([21, 0], [(7, 21)], id="both ends, in any order"),
        pytest.param([-7, 28], [(0, 28)], id="two beside"),
    ],
)
def test_only_the_rest_is_read(weeks: list[int], left: list[tuple[int, int]]) -> None:
    """Four weeks, in the second of which a night has one hour less."""
    zone, first = ZoneInfo("Europe/Berlin"), date(2026, 3, 16)

    def at(days: int) -> int:
        return bounds(first + timedelta(days=days), zone)[0]

    agreed = Agreed(bytes(16), case_terms(), zone, known=True)
    mondays = [first + timedelta(days=one) for one in weeks]
    parts = list(disputedhours._between(at(0), at(28), agreed, mondays))
    assert parts == [(at(begin), at(end)) for begin, end in left]
    inside = list(disputedhours._between(at(8), at(9), agreed, mondays))
    assert inside == ([] if 7 in weeks else [(at(8), at(9))])
