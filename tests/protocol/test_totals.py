from dataclasses import replace
from datetime import UTC, date
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from support.builders import (
    ROUND,
    ROUND_MS,
    digest,
    make_declaration,
    make_terms,
    make_tombstone,
)
from support.examined import vector
from support.scripted import tell_story
from support.spectotals import PROGRAM, in_its_form, spec_says
from support.worked import TIMER, entry, millis, plain, total
from workseal_protocol.cli.report import report_value
from workseal_protocol.days import HOUR_MS
from workseal_protocol.records import (
    Capture,
    DeclarationForm,
    Segment,
    SegmentState,
    Tombstone,
    WithdrawalReason,
)
from workseal_protocol.terms import Terms
from workseal_protocol.totals import LimitExceeded, totals_between, totals_of
from workseal_protocol.verify import examine_bundle
from workseal_protocol.window import Entry, Grade, Window

BERLIN = ZoneInfo("Europe/Berlin")
DAY_MS = 24 * HOUR_MS


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
