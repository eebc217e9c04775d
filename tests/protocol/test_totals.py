from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import (
    ROUND,
    ROUND_MS,
    digest,
    make_declaration,
    make_segment,
    make_terms,
    make_tombstone,
    octets,
)
from support.examined import vector
from support.scripted import tell_story
from support.spectotals import PROGRAM, in_its_form, spec_says
from workseal_protocol.chain import LAST_INSTANT, owed_instant
from workseal_protocol.cli.report import report_value
from workseal_protocol.records import (
    Capture,
    DeclarationForm,
    Record,
    Segment,
    SegmentState,
    Tombstone,
    WithdrawalReason,
)
from workseal_protocol.terms import Level, RoundingMode, Terms, WorkClass
from workseal_protocol.totals import (
    HOUR_MS,
    Billed,
    DayTotal,
    LimitExceeded,
    Totals,
    billed_of,
    cut_days,
    totals_between,
    totals_of,
)
from workseal_protocol.verify import examine_bundle
from workseal_protocol.window import Entry, Grade, Window

BERLIN = ZoneInfo("Europe/Berlin")
DAY_MS = 24 * HOUR_MS
TIMER = {"level": Level.TIMER, "capture_rate": 0}


def entry(record: Record, grade: Grade | None = Grade.ONLINE) -> Entry:
    return Entry(0, digest(0), record, Window(), grade)


def plain(begin: int, worked: int, **changes: Any) -> Segment:
    fields: dict[str, Any] = {
        "begin": begin,
        "end": begin + worked,
        "worked": worked,
        "round": begin // ROUND_MS,
        "capture": Capture.NONE,
        "frames": (),
    }
    return make_segment(**(fields | changes))


def total(terms: Terms, records: Iterable[Record], zone: tzinfo = UTC) -> Totals:
    return totals_of(terms, [entry(record) for record in records], zone)


def millis(*when: int, zone: tzinfo = UTC) -> int:
    return int(datetime(*when, tzinfo=zone).timestamp()) * 1000  # type: ignore[arg-type,misc]


@cache
def story_entries() -> tuple[Terms, tuple[Entry, ...]]:
    told = tell_story()
    report = examine_bundle(told.bundle().encode(), told.policy)
    assert report.terms is not None
    return report.terms, report.entries


# --- worked time ---


def test_nothing_is_nothing() -> None:
    totals = total(make_terms(), [])
    assert totals.worked_ms == totals.late_declared_ms == totals.billed.ms == 0
    assert not totals.days
    assert not totals.exceeded


def test_adds_up_by_state_and_by_grade() -> None:
    begin = ROUND * ROUND_MS
    entries = [
        entry(plain(begin, 10), Grade.ONLINE),
        entry(plain(begin, 200), Grade.OFFLINE),
        entry(plain(begin, 3000, state=SegmentState.SEALED, activity=None), Grade.LATE),
        entry(plain(begin, 40_000, state=SegmentState.OFF_SCREEN), Grade.DECLARED),
        entry(make_declaration(worked=500_000), Grade.DECLARED),
    ]
    totals = totals_of(make_terms(**TIMER), entries, UTC)
    assert totals.by_state == {
        SegmentState.WORKING: 210,
        SegmentState.OFF_SCREEN: 40_000,
        SegmentState.SEALED: 3000,
    }
    assert totals.by_grade == {
        Grade.ONLINE: 10,
        Grade.LATE: 3000,
        Grade.OFFLINE: 200,
        Grade.DECLARED: 40_000,
    }
    # Declared late stands beside what was recorded, never in it.
    assert (totals.worked_ms, totals.late_declared_ms) == (43_210, 500_000)


def test_a_live_declaration_adds_nothing() -> None:
    record = plain(ROUND * ROUND_MS, 5000, state=SegmentState.OFF_SCREEN)
    live = make_declaration(form=DeclarationForm.LIVE)
    assert total(make_terms(**TIMER), [record]) == total(make_terms(**TIMER), [record, live])


@pytest.mark.parametrize("percent", [0, 50, 100])
def test_withdrawing_any_share_changes_worked_time_by_exactly_0(percent: int) -> None:
    terms, entries = story_entries()
    kept = [one for one in entries if not isinstance(one.record, Tombstone)]
    frames = [
        (one.digest, frame)
        for one in kept
        if isinstance(one.record, Segment)
        for frame in one.record.frames
    ]
    assert len(frames) >= 4
    share = frames[: len(frames) * percent // 100]
    gone = [entry(make_tombstone(segment=at, frame=frame), None) for at, frame in share]
    before, after = totals_of(terms, kept, BERLIN), totals_of(terms, [*kept, *gone], BERLIN)
    assert after.withdrawn == len(share)
    counted = replace(after, withdrawn=0, thinned=0, exceeded=())
    assert counted == replace(before, exceeded=())
    assert after.worked_ms - before.worked_ms == 0
    assert after.billed == before.billed


def test_captures_and_activity_change_no_minute() -> None:
    terms, entries = story_entries()

    def bare(one: Entry) -> Entry:
        if not isinstance(one.record, Segment):
            return one
        changed = replace(one.record, capture=Capture.NONE, frames=(), activity=None)
        return replace(one, record=changed)

    before = totals_of(terms, entries, UTC)
    after = totals_of(terms, [bare(one) for one in entries], UTC)
    assert after.by_state == before.by_state
    assert after.days == before.days
    assert after.billed == before.billed


# --- captures ---


def test_every_drawn_capture_is_counted_once() -> None:
    terms = make_terms(capture_rate=65_536)
    segments = []
    for number in range(60):
        at = (ROUND + number) * ROUND_MS
        segment = plain(
            at, ROUND_MS, agent_value=octets(number), verifier_value=octets(number + 100)
        )
        instant = owed_instant(terms, segment.engagement, segment)
        assert instant is not None
        match number % 5:
            case 0:
                segment = replace(
                    segment, capture=Capture.CAPTURED, frames=(digest(number), digest(-number - 1))
                )
            case 1:
                segment = replace(segment, capture=Capture.MISSED)
            case 2:
                segment = replace(segment, state=SegmentState.SEALED, activity=None)
            case 3:
                segment = replace(segment, end=instant, worked=instant - at)
            case _:
                segment = replace(segment, state=SegmentState.OFF_SCREEN)
        segments.append(segment)
    totals = total(terms, segments)
    found = (totals.captured, totals.missed, totals.sealed, totals.due_outside)
    assert found == (12, 12, 12, 24)
    assert totals.frames == 24


def test_two_segments_of_a_round_have_one_draw() -> None:
    terms = make_terms(capture_rate=65_536)
    whole = plain(ROUND * ROUND_MS, ROUND_MS)
    instant = owed_instant(terms, whole.engagement, whole)
    assert instant is not None
    first = replace(whole, end=instant, worked=1)
    second = replace(whole, begin=instant, worked=1, capture=Capture.CAPTURED, frames=(digest(1),))
    totals = total(terms, [first, second])
    assert (totals.captured, totals.due_outside) == (1, 0)


def test_nothing_is_due_below_the_level_of_frames() -> None:
    terms = make_terms(level=Level.ACTIVITY, capture_rate=0)
    assert total(terms, [plain(ROUND * ROUND_MS, ROUND_MS)]).due_outside == 0


# --- days ---


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param(date(2026, 3, 28), 24, id="the day before"),
        pytest.param(date(2026, 3, 29), 23, id="clocks go forward"),
        pytest.param(date(2026, 10, 25), 25, id="clocks go back"),
    ],
)
def test_a_day_in_berlin_has_its_hours(day: date, hours: int) -> None:
    begin = millis(day.year, day.month, day.day, zone=BERLIN)
    after = day + timedelta(days=1)
    end = millis(after.year, after.month, after.day, zone=BERLIN)
    assert end - begin == hours * HOUR_MS
    assert list(cut_days(begin, end, BERLIN)) == [(day, begin, end)]
    # Declared over three days: each gets the share of its length.
    worked = end - begin + 2 * HOUR_MS
    late = make_declaration(begin=begin - HOUR_MS, end=end + HOUR_MS, worked=worked)
    days = total(make_terms(), [late], BERLIN).days
    shares = [one.worked_ms[WorkClass.LATE_DECLARED] for one in days]
    assert shares == [HOUR_MS, hours * HOUR_MS, HOUR_MS]


def test_of_a_midnight_that_comes_twice_the_next_one_counts() -> None:
    # In Havana the first hour of 2026-11-01 is told twice.
    havana = ZoneInfo("America/Havana")
    begin, end = millis(2026, 11, 1, 2), millis(2026, 11, 2, 8)
    first, second = millis(2026, 11, 1, 4), millis(2026, 11, 1, 5)
    midnight = millis(2026, 11, 2, 5)
    assert list(cut_days(begin, end, havana)) == [
        (date(2026, 10, 31), begin, first),
        (date(2026, 11, 1), first, midnight),
        (date(2026, 11, 2), midnight, end),
    ]
    assert next(cut_days(second - 1, end, havana)) == (date(2026, 11, 1), second - 1, midnight)


@pytest.mark.parametrize(
    "zone",
    [
        pytest.param(ZoneInfo("Asia/Kolkata"), id="half an hour"),
        pytest.param(ZoneInfo("Asia/Kathmandu"), id="three quarters"),
        pytest.param(ZoneInfo("Africa/Cairo"), id="midnight is skipped"),
        pytest.param(ZoneInfo("America/Sao_Paulo"), id="midnight came twice"),
        pytest.param(ZoneInfo("Pacific/Apia"), id="a day was skipped"),
        pytest.param(timezone(timedelta(hours=14)), id="fixed"),
        pytest.param(UTC, id="utc"),
    ],
)
@given(data=st.data())
def test_days_cover_the_time_in_order_and_without_a_gap(zone: tzinfo, data: st.DataObject) -> None:
    begin = data.draw(st.integers(millis(2005, 1, 1), millis(2027, 1, 1)))
    end = begin + data.draw(st.integers(1, 9 * DAY_MS))
    parts = list(cut_days(begin, end, zone))
    assert [low for _, low, _ in parts] == [begin, *(high for _, _, high in parts[:-1])]
    assert parts[-1][2] == end
    for day, low, high in parts:
        assert low < high
        for instant in (low, high - 1):
            local = datetime.fromtimestamp(instant // 1000, tz=UTC).astimezone(zone)
            assert local.date() == day


@pytest.mark.parametrize("zone", [ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")])
def test_days_can_be_told_as_far_as_the_chain_allows(zone: tzinfo) -> None:
    for begin in (0, LAST_INSTANT - 8 * DAY_MS):
        assert sum(high - low for _, low, high in cut_days(begin, begin + 8 * DAY_MS, zone))


@given(st.integers(0, 2**40), st.integers(1, 600_000), st.integers(0, 600_000))
def test_the_days_of_a_segment_add_up_to_it(begin: int, length: int, worked: int) -> None:
    segment = replace(plain(begin, 0), end=begin + length, worked=worked)
    days = total(make_terms(**TIMER), [segment], BERLIN).days
    assert sum(one.worked_ms[WorkClass.WORKING] for one in days) == worked


def test_a_segment_without_length_counts_in_its_day() -> None:
    at = ROUND * ROUND_MS
    (day,) = total(make_terms(**TIMER), [replace(plain(at, 0), worked=700)]).days
    assert day.worked_ms[WorkClass.WORKING] == 700


# --- billing ---


def days_of(*worked: int, kind: WorkClass = WorkClass.WORKING) -> tuple[DayTotal, ...]:
    return tuple(
        DayTotal(
            date(2026, 3, 2) + timedelta(days=number),
            {one: ms if one is kind else 0 for one in WorkClass},
            0,
        )
        for number, ms in enumerate(worked)
    )


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (RoundingMode.DOWN, 6 * 60_000),
        (RoundingMode.NEAREST, 12 * 60_000),
        (RoundingMode.UP, 18 * 60_000),
    ],
)
def test_each_day_is_rounded_as_the_terms_say(mode: RoundingMode, expected: int) -> None:
    terms = make_terms(rounding_ms=360_000, rounding_mode=mode)
    # 6 min + 2 min 59 s 999 ms, and 3 min: the first is rounded down, the second up, if to nearest.
    billed = billed_of(terms, days_of(539_999, 180_000))
    assert billed.ms == expected


def test_every_day_of_a_month_is_billed() -> None:
    terms = make_terms(**TIMER, rounding_ms=0)
    days = [millis(2026, 3, day, 9) for day in range(1, 32)]
    totals = total(terms, [plain(begin, 1_000) for begin in days])
    assert len(totals.days) == 31
    assert totals.billed.ms == totals.worked_ms == 31_000


def test_the_amount_is_rounded_once_to_the_nearest_minor_unit() -> None:
    terms = make_terms(rate_minor_per_hour=6_500)
    # 0.5 of a minor unit is 276,923.08 ms of 3,600,000 at this rate: 277 ms is just above.
    assert billed_of(terms, days_of(276)) == Billed(276, 0, "EUR")
    assert billed_of(terms, days_of(277)) == Billed(277, 1, "EUR")
    assert billed_of(terms, days_of(HOUR_MS, HOUR_MS // 2)).amount == 9_750


@pytest.mark.parametrize("kind", WorkClass)
def test_each_class_is_worth_what_the_terms_say(kind: WorkClass) -> None:
    worth = {one: 10 * one for one in WorkClass}
    terms = make_terms(worth_percent=worth)
    assert billed_of(terms, days_of(HOUR_MS, kind=kind)).ms == HOUR_MS * 10 * kind // 100


def test_without_rounding_it_is_billed_to_the_millisecond() -> None:
    for mode in RoundingMode:
        terms = make_terms(rounding_ms=0, rounding_mode=mode)
        assert billed_of(terms, days_of(1_234_567, 1)).ms == 1_234_568


@given(st.lists(st.integers(0, DAY_MS), max_size=5), st.integers(0, HOUR_MS))
def test_billing_is_within_one_step_a_day(worked: list[int], step: int) -> None:
    for mode in RoundingMode:
        terms = make_terms(rounding_ms=step, rounding_mode=mode)
        billed = billed_of(terms, days_of(*worked)).ms
        assert abs(billed - sum(worked)) <= max(step, 1) * len(worked)


# --- limits ---


def test_tells_too_many_withdrawals() -> None:
    terms = make_terms(capture_rate=65_536, max_withdrawn_percent=20)
    segments = [
        plain((ROUND + n) * ROUND_MS, ROUND_MS, capture=Capture.CAPTURED, frames=(digest(f"f{n}"),))
        for n in range(5)
    ]
    gone = [make_tombstone(segment=digest(f"s{n}"), frame=digest(f"f{n}")) for n in range(2)]
    assert total(terms, [*segments, gone[0]]).exceeded == ()
    assert total(terms, [*segments, *gone]).exceeded == (
        LimitExceeded("withdrawn percent", 20, 40),
    )


def test_more_displays_do_not_dilute_withdrawals() -> None:
    terms = make_terms(capture_rate=65_536, max_withdrawn_percent=20)
    frames = tuple(digest(f"f{n}") for n in range(8))
    segment = plain(ROUND * ROUND_MS, ROUND_MS, capture=Capture.CAPTURED, frames=frames)
    gone = make_tombstone(segment=digest("s"), frame=frames[0])
    assert total(terms, [segment, gone]).exceeded == (LimitExceeded("withdrawn percent", 20, 100),)


def test_a_withdrawal_belongs_to_where_its_segment_begins() -> None:
    """A program may read all withdrawals, and of the segments those of some days alone."""
    terms = make_terms(capture_rate=65_536)
    begin = ROUND * ROUND_MS
    frames = {"capture": Capture.CAPTURED, "frames": (digest("f"),)}
    entries = [
        Entry(0, digest(f"s{n}"), plain(at, ROUND_MS, **frames), Window(), Grade.ONLINE)
        for n, at in enumerate((begin, begin + ROUND_MS))
    ]
    entries += [
        Entry(2, digest("t"), make_tombstone(segment=digest(of), frame=digest("f")), Window(), None)
        for of in ("s0", "s1", "of another week", "of another week")
    ]
    first, second = begin, begin + ROUND_MS
    for low, high, found in (
        (first, second, 1),
        (second, second + 1, 1),
        (second + 1, second + 2, 0),
        (first, second + 1, 2),
    ):
        assert totals_between(terms, entries, UTC, low, high).withdrawn == found


NINETY_DAYS = 90 * DAY_MS
DUE = (ROUND + 1) * ROUND_MS + NINETY_DAYS


@pytest.mark.parametrize(
    ("reason", "claimed", "upper", "expired"),
    [
        pytest.param(WithdrawalReason.RETENTION, DUE, None, True, id="nothing bounds it"),
        pytest.param(WithdrawalReason.RETENTION, DUE, DUE, True, id="logged then"),
        pytest.param(WithdrawalReason.RETENTION, DUE - 1, DUE, False, id="too early"),
        pytest.param(WithdrawalReason.RETENTION, DUE, DUE - 1, False, id="the log shows a lie"),
        pytest.param(WithdrawalReason.PRIVATE, DUE, DUE, False, id="another reason"),
    ],
)
def test_frames_whose_days_are_over_pass_no_limit(
    reason: WithdrawalReason, claimed: int, upper: int | None, *, expired: bool
) -> None:
    terms = make_terms(capture_rate=65_536, max_withdrawn_percent=20, retention_days=90)
    segment = plain(ROUND * ROUND_MS, ROUND_MS, capture=Capture.CAPTURED, frames=(digest("f"),))
    gone = make_tombstone(segment=digest("s"), frame=digest("f"), reason=reason, claimed_at=claimed)
    entries = [
        Entry(0, digest("s"), segment, Window(), Grade.ONLINE),
        Entry(1, digest("t"), gone, Window(upper=upper), None),
    ]
    totals = totals_of(terms, entries, UTC)
    assert (totals.withdrawn, totals.expired, totals.exceeded == ()) == (1, expired, expired)


@pytest.mark.parametrize("unproved", [Grade.OFFLINE, Grade.LATE])
def test_tells_weeks_by_their_monday_in_the_zone(unproved: Grade) -> None:
    terms = make_terms(**TIMER, weekly_cap_ms=9_000, max_offline_ms_per_week=4_000)
    sunday = millis(2026, 3, 1, 23, 59, 55, zone=BERLIN)
    # Ten seconds over midnight into Monday: five in each week.
    entries = [
        entry(plain(sunday, 10_000), unproved),
        entry(plain(sunday + 10_000, 10_000), Grade.ONLINE),
    ]
    assert totals_of(terms, entries, BERLIN).exceeded == (
        LimitExceeded("offline ms per week", 4_000, 5_000, date(2026, 2, 23)),
        LimitExceeded("offline ms per week", 4_000, 5_000, date(2026, 3, 2)),
        LimitExceeded("worked ms per week", 9_000, 15_000, date(2026, 3, 2)),
    )


def test_no_cap_is_no_limit() -> None:
    terms = make_terms(**TIMER, weekly_cap_ms=0)
    assert total(terms, [make_declaration()]).exceeded == ()


def test_a_program_that_knows_the_specification_alone_says_the_same_of_every_vector() -> None:
    assert "workseal" not in PROGRAM.read_text().replace("vnd.workseal", "")
    folder = PROGRAM.parents[1] / "vectors" / "bundle"
    bundles = sorted(folder.glob("valid*.bundle"))
    assert len(bundles) > 10
    for bundle, said in zip(bundles, spec_says(bundles), strict=True):
        _, report = vector(bundle.stem)
        assert in_its_form(report_value(report)) == said, bundle.stem
