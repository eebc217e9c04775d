from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from support.builders import digest, make_segment
from support.examined import vector
from workseal_protocol.activity import ActivityShare, activity_of
from workseal_protocol.commitment import ActivityRecord, ActivitySource, Opening, ValueKind
from workseal_protocol.records import Capture, Segment, SegmentState
from workseal_protocol.terms import Granularity, WorkClass
from workseal_protocol.verify import Outcome
from workseal_protocol.window import Entry, Grade, Window

BERLIN = ZoneInfo("Europe/Berlin")
SALT = bytes(16)


def entry(
    number: int, begin: int, end: int, *, session: int = 0, worked: int | None = None
) -> Entry:
    record = make_segment(
        session=bytes([session]) * 16,
        begin=begin,
        end=end,
        worked=end - begin if worked is None else worked,
        state=SegmentState.WORKING,
        activity=digest(number),
        capture=Capture.NONE,
        frames=(),
    )
    return Entry(number, digest(f"segment {number}"), record, Window(), Grade.ONLINE)


def opening(number: int, observed: int, seconds: int, synthetic: int | None = 0) -> Opening:
    record = ActivityRecord(observed, seconds, 3, 2, synthetic, None, ActivitySource.XINPUT2)
    return Opening(digest(f"segment {number}"), ValueKind.ACTIVITY, SALT, record.encode())


def stretches(*entries: Entry, opened: tuple[Opening, ...]) -> tuple[ActivityShare, ...]:
    return activity_of(Granularity.INTERVAL, entries, opened, UTC)


def test_nothing_is_told_where_nothing_was_opened() -> None:
    notes = Opening(digest("segment 1"), ValueKind.NOTES, SALT, b"\x80")
    assert stretches(entry(1, 0, 30_000), opened=(notes,)) == ()


def test_a_stretch_ends_with_a_gap_or_with_its_session() -> None:
    entries = (
        entry(1, 0, 30_000),
        entry(2, 30_000, 60_000),
        entry(3, 60_001, 90_000),
        entry(4, 90_000, 120_000, session=1),
    )
    found = stretches(*entries, opened=(opening(2, 30_000, 7),))
    assert [(row.begin, row.end) for row in found] == [
        (0, 60_000), (60_001, 90_000), (90_000, 120_000),
    ]  # fmt: skip
    assert (found[0].worked_ms, found[0].opened_ms, found[0].input_ms) == (60_000, 30_000, 7_000)


def test_the_denominator_is_the_time_that_was_worked_not_the_opened_part() -> None:
    (row,) = stretches(
        entry(1, 0, 30_000, worked=20_000),
        entry(2, 30_000, 60_000),
        opened=(opening(1, 19_000, 9),),
    )
    assert (row.worked_ms, row.opened_ms, row.observed_ms) == (50_000, 20_000, 19_000)


def test_time_that_committed_to_no_activity_is_no_part_of_the_denominator() -> None:
    sealed = entry(2, 30_000, 60_000)
    assert isinstance(sealed.record, Segment)
    record = replace(sealed.record, activity=None, state=SegmentState.SEALED)
    found = stretches(
        entry(1, 0, 30_000),
        replace(sealed, record=record),
        entry(3, 60_000, 90_000),
        opened=(opening(1, 30_000, 9),),
    )
    assert [(row.begin, row.end, row.worked_ms) for row in found] == [
        (0, 30_000, 30_000), (60_000, 90_000, 30_000),
    ]  # fmt: skip


def test_synthetic_input_is_told_apart_from_what_is_not_told() -> None:
    entries = [entry(number, number * 10, number * 10 + 10) for number in range(3)]
    opened = (opening(0, 10, 0, 3), opening(1, 10, 0, None), opening(2, 10, 0, 0))
    (row,) = stretches(*entries, opened=opened)
    assert (row.synthetic_ms, row.untold_ms) == (10, 10)


def test_by_day_no_instant_is_told() -> None:
    midnight = int(datetime(2026, 3, 2, 23, tzinfo=UTC).timestamp()) * 1000
    found = activity_of(
        Granularity.DAY,
        [entry(1, midnight - 10_000, midnight + 20_000)],
        [opening(1, 30_000, 9)],
        BERLIN,
    )
    assert [(row.day, row.begin, row.end) for row in found] == [
        (date(2026, 3, 2), None, None), (date(2026, 3, 3), None, None),
    ]  # fmt: skip
    assert [row.observed_ms for row in found] == [10_000, 20_000]
    assert [row.input_ms for row in found] == [3_000, 6_000]


@given(
    st.lists(st.tuples(st.integers(0, 600_000), st.integers(0, 600_000)), max_size=12),
    st.sampled_from(Granularity),
)
def test_no_figure_gets_lost_or_comes_twice(
    spans: list[tuple[int, int]], granularity: Granularity
) -> None:
    begin = int(datetime(2026, 3, 28, 22, 59, tzinfo=UTC).timestamp()) * 1000
    entries, opened = [], []
    for number, (pause, length) in enumerate(spans):
        begin += pause
        entries.append(entry(number, begin, begin + length))
        if pause % 2:
            opened.append(opening(number, length, length // 2000))
        begin += length
    found = activity_of(granularity, entries, opened, BERLIN)
    if not opened:
        assert found == ()
        return
    assert sum(row.worked_ms for row in found) == sum(length for _, length in spans)
    assert sum(row.opened_ms for row in found) == sum(
        length for pause, length in spans if pause % 2
    )
    assert sum(row.input_ms for row in found) == sum(
        length // 2000 * 1000 for pause, length in spans if pause % 2
    )
    assert all(row.opened_ms <= row.worked_ms for row in found)


def test_the_days_of_a_bundle_have_the_worked_time_of_its_totals() -> None:
    _, report = vector("valid-labels")
    assert report.totals is not None
    # The bundle has no sealed time, and its terms ask for activity of all the rest.
    assert {row.day: row.worked_ms for row in report.activity} == {
        day.day: day.worked_ms[WorkClass.WORKING] + day.worked_ms[WorkClass.OFF_SCREEN]
        for day in report.totals.days
    }


def test_terms_by_interval_show_no_day_and_terms_by_day_no_instant() -> None:
    by_day, by_interval = vector("valid-labels")[1], vector("valid")[1]
    assert {row.begin for row in by_day.activity} == {None}
    assert {row.day for row in by_interval.activity} == {None}
    # One row for each stretch, never one for each round.
    assert all(
        one.end != other.begin
        for one, other in zip(by_interval.activity, by_interval.activity[1:], strict=False)
    )
    first = by_day.activity[0].day
    assert first is not None
    assert by_day.activity[-1].day == first + timedelta(days=1)


def test_nothing_is_told_unless_steps_12_and_13_hold() -> None:
    _, failing = vector("opened-other-value")
    assert failing.totals is not None
    assert failing.activity == ()
    _, failing = vector("totals-other-sum")
    held = {step.number for step in failing.steps if step.outcome is Outcome.HOLDS}
    assert 12 in held
    assert 13 not in held
    assert failing.activity == ()
