from collections import Counter
from datetime import UTC, date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from support.builders import digest, make_declaration, make_segment, make_tombstone
from support.scripted import tell_story
from workseal_protocol.days import cut_days, worked_shares
from workseal_protocol.diary import DiaryState, Span, diary_of
from workseal_protocol.records import (
    Capture,
    DeclarationForm,
    Record,
    Segment,
    SegmentState,
)
from workseal_protocol.verify import examine_bundle
from workseal_protocol.window import Entry, Grade, Window

SESSIONS = (bytes(16), bytes([1]) * 16)


def entry(record: Record, grade: Grade | None = Grade.ONLINE) -> Entry:
    return Entry(0, digest(0), record, Window(), grade)


def segment(
    begin: int,
    end: int,
    state: SegmentState = SegmentState.WORKING,
    *,
    session: int = 0,
    worked: int | None = None,
) -> Segment:
    return make_segment(
        session=SESSIONS[session],
        begin=begin,
        end=end,
        worked=end - begin if worked is None else worked,
        state=state,
        activity=None,
        capture=Capture.NONE,
        frames=(),
    )


def told(*entries: Entry) -> list[tuple[int, int, str, int]]:
    return [(span.begin, span.end, span.state.value, span.worked_ms) for span in diary_of(entries)]


def test_no_time_is_no_diary() -> None:
    assert diary_of([]) == ()
    assert diary_of([entry(make_tombstone(), None)]) == ()


def test_joins_what_is_alike() -> None:
    assert told(entry(segment(0, 30)), entry(segment(30, 60))) == [(0, 60, "working", 60)]
    assert len(told(entry(segment(0, 30)), entry(segment(30, 60), Grade.LATE))) == 2
    assert len(told(entry(segment(0, 30)), entry(segment(30, 60, session=1)))) == 2


def test_a_gap_is_a_pause_where_the_session_goes_on() -> None:
    assert told(entry(segment(0, 30)), entry(segment(50, 60))) == [
        (0, 30, "working", 30),
        (30, 50, "paused", 0),
        (50, 60, "working", 10),
    ]
    assert told(entry(segment(0, 30)), entry(segment(50, 60, session=1)))[1] == (
        30,
        50,
        "no session",
        0,
    )


def test_late_time_stands_in_its_gap() -> None:
    late = entry(make_declaration(begin=35, end=45, worked=9), Grade.DECLARED)
    assert told(entry(segment(0, 30)), entry(segment(50, 60)), late) == [
        (0, 30, "working", 30),
        (30, 35, "paused", 0),
        (35, 45, "late-declared", 9),
        (45, 50, "paused", 0),
        (50, 60, "working", 10),
    ]


def test_late_time_may_come_before_and_after_everything() -> None:
    first = entry(make_declaration(begin=0, end=10, worked=10), Grade.DECLARED)
    last = entry(make_declaration(begin=80, end=90, worked=10), Grade.DECLARED)
    states = [row[2] for row in told(entry(segment(30, 60)), first, last)]
    assert states == ["late-declared", "no session", "working", "no session", "late-declared"]


def test_says_what_was_described_while_off_screen() -> None:
    off = SegmentState.OFF_SCREEN
    live = entry(make_declaration(begin=30, end=60, worked=0, form=DeclarationForm.LIVE))
    spans = diary_of(
        [
            entry(segment(0, 30, off), Grade.DECLARED),
            entry(segment(30, 60, off), Grade.DECLARED),
            entry(segment(60, 90, off), Grade.DECLARED),
            live,
        ]
    )
    assert [("description" in span.reason) for span in spans] == [False, True, False]
    assert {span.state for span in spans} == {DiaryState.OFF_SCREEN}


def test_says_that_sealed_time_has_no_images() -> None:
    (span,) = diary_of([entry(segment(0, 30, SegmentState.SEALED))])
    assert span.state is DiaryState.SEALED
    assert "without images" in span.reason


def test_each_grade_has_its_reason() -> None:
    reasons = {diary_of([entry(segment(0, 1), grade)])[0].reason for grade in Grade}
    assert len(reasons) == len(Grade)


def test_a_withdrawal_changes_nothing() -> None:
    story = tell_story()
    report = examine_bundle(story.bundle().encode(), story.policy)
    kept = [one for one in report.entries if one.record.KIND.value != "tombstone"]
    assert len(kept) < len(report.entries)
    assert diary_of(kept) == diary_of(report.entries)


def test_a_part_of_joined_records_has_what_each_of_them_says() -> None:
    (span,) = diary_of([entry(segment(0, 40)), entry(segment(40, 100, worked=6))])
    assert (span.worked_ms, span.course) == (46, ((0, 0), (40, 40), (100, 46)))
    assert [span.worked_between(*part) for part in ((0, 40), (40, 100), (50, 60), (-9, 999))] == [
        40, 6, 1, 46,
    ]  # fmt: skip
    # Who worked all of it needs no more than one line.
    (whole,) = diary_of([entry(segment(0, 40)), entry(segment(40, 100)), entry(segment(100, 130))])
    assert whole.course == ()
    assert whole.worked_between(90, 110) == 20
    # What was steady is one line, before and after what was not.
    (mixed,) = diary_of(
        [entry(segment(at, at + 10, worked=3 if at == 20 else 10)) for at in range(0, 60, 10)]
    )
    assert mixed.course == ((0, 0), (20, 20), (30, 23), (60, 53))


uneven = st.lists(
    st.tuples(st.sampled_from((0, 0, 7)), st.integers(1, 20), st.integers(0, 100)),
    min_size=1,
    max_size=12,
)
_HOUR_MS = 3_600_000


@given(uneven)
def test_the_parts_of_each_day_add_up_to_what_the_totals_say_of_it(
    rows: list[tuple[int, int, int]],
) -> None:
    """Neighbours are joined, and worked unevenly, over midnights: the sums by day are the same."""
    records, at = [], 0
    for gap, hours, percent in rows:
        length = hours * _HOUR_MS + 1
        at += gap
        worked = length * percent // 100
        records.append(make_declaration(begin=at, end=at + length, worked=worked))
        at += length
    days: Counter[date] = Counter()
    for record in records:
        for day, _, part in worked_shares(record, UTC):
            days[day] += part
    parts: Counter[date] = Counter()
    for span in diary_of([entry(record, Grade.DECLARED) for record in records]):
        for day, begin, end in cut_days(span.begin, span.end, UTC):
            parts[day] += span.worked_between(begin, end)
    assert parts == days


steps = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(1, 5), st.sampled_from(SegmentState), st.integers(0, 1)
    ),
    max_size=12,
)


@given(steps)
def test_every_moment_has_one_state_and_a_reason(
    rows: list[tuple[int, int, SegmentState, int]],
) -> None:
    entries, at, worked = [], 0, 0
    for gap, length, state, session in rows:
        entries.append(entry(segment(at + gap, at + gap + length, state, session=session)))
        at += gap + length
        worked += length
    spans: tuple[Span, ...] = diary_of(entries)
    assert all(span.begin < span.end and span.reason for span in spans)
    assert all(one.end == other.begin for one, other in pairwise(spans))
    assert sum(span.worked_ms for span in spans) == worked
    if rows:
        assert (spans[0].begin, spans[-1].end) == (rows[0][0], at)
    quiet = {DiaryState.PAUSED, DiaryState.NO_SESSION}
    assert all((span.worked_ms == 0) == (span.state in quiet) for span in spans)
