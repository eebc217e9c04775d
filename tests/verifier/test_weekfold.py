"""One week: where it begins, what belongs to it, and what its bounds prove."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from support.acting import ScriptedAgent
from support.simulator import DAY_MS, Simulator
from workseal_protocol.days import cut_days
from workseal_protocol.diary import DiaryState
from workseal_protocol.records import Declaration, DeclarationForm, Segment
from workseal_protocol.window import Grade
from workseal_verifier.services.columns import entry_of
from workseal_verifier.services.weekfold import (
    UNSURE,
    Week,
    bounds,
    entries_of,
    fold_week,
    monday_of,
    read_records,
)

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("Pacific/Apia", date(2011, 12, 29), 24),
        # It was never there.
        ("Pacific/Apia", date(2011, 12, 30), 0),
        ("Pacific/Apia", date(2011, 12, 31), 24),
        # Its midnight is told twice; that of Amman was skipped.
        ("America/Havana", date(2026, 11, 1), 25),
        ("America/Havana", date(2026, 10, 31), 24),
        ("Asia/Amman", date(2021, 3, 26), 23),
        ("UTC", date(2026, 3, 29), 24),
    ],
)
def test_a_day_is_as_long_as_its_zone_says(zone: str, day: date, hours: int) -> None:
    begin, end = bounds(day, ZoneInfo(zone))
    assert end - begin == hours * HOUR_MS


@pytest.mark.parametrize(
    ("zone", "monday", "hours"),
    [
        ("Pacific/Apia", date(2011, 12, 26), 6 * 24),
        ("America/Havana", date(2026, 10, 26), 7 * 24 + 1),
        ("Asia/Amman", date(2021, 3, 22), 7 * 24 - 1),
    ],
)
def test_the_days_of_a_week_lie_side_by_side(zone: str, monday: date, hours: int) -> None:
    begin, end = bounds(monday, ZoneInfo(zone), days=7)
    assert end - begin == hours * HOUR_MS
    days = [bounds(monday + timedelta(days=one), ZoneInfo(zone)) for one in range(7)]
    assert [low for low, _ in days] == [begin, *(high for _, high in days[:-1])]
    assert days[-1][1] == end
    # What is cut by the totals begins and ends where these do, but for a day that was not there.
    cut = list(cut_days(begin, end, ZoneInfo(zone)))
    assert [(low, high) for _, low, high in cut] == [
        (low, high) for low, high in days if low < high
    ]


def test_a_week_begins_on_its_monday() -> None:
    assert monday_of(date(2026, 3, 8)) == monday_of(date(2026, 3, 2)) == date(2026, 3, 2)


def over_sunday_night() -> ScriptedAgent:
    """Work over the midnight between two weeks, in UTC; one segment stands on both sides."""
    midnight = 1_773_014_400_000  # Monday 2026-03-09
    verifier = Simulator(now=midnight - 2 * DAY_MS, round_ms=7_001)
    verifier.publish_rules()
    verifier.start_beacon((midnight - HOUR_MS) // 7_001, 1_200)
    terms = verifier.terms(zone="UTC", round_ms=7_001, capture_rate=65_536)
    agent = ScriptedAgent(verifier, terms=terms)
    verifier.now = midnight - 60_000
    agent.open_session()
    agent.work(120_000)
    agent.send()
    return agent


def folded(agent: ScriptedAgent, monday: date, *, signed: bool = True) -> Week:
    """Fold what touches a week, as it would be stored."""
    begin, end = bounds(monday, ZoneInfo("UTC"), days=7)
    worker = agent.terms.freelancer.thumbprint
    stored = [
        entry_of(statement, record, agent.verifier.places[statement.digest], worker)
        for statement, record in agent.made
        if isinstance(record, Segment) and record.begin < end and record.end > begin
    ]
    checkpoints = [one.encode() for _, one in sorted(agent.verifier.checkpoints.items())]
    entries, contradicted = entries_of(
        agent.terms, read_records(stored), checkpoints if signed else ()
    )
    return fold_week(agent.terms, ZoneInfo("UTC"), monday, entries, contradicted=contradicted)


def test_what_stands_on_both_sides_is_cut_by_days_and_counted_once() -> None:
    agent = over_sunday_night()
    one, other = (folded(agent, monday) for monday in (date(2026, 3, 2), date(2026, 3, 9)))
    assert [sum(day.worked_ms.values()) for week in (one, other) for day in week.days] == [
        60_000, 60_000,
    ]  # fmt: skip
    assert one.totals.worked_ms + other.totals.worked_ms == 120_000
    # The segment over midnight belongs to the week that it begins in.
    assert one.totals.worked_ms > 60_000
    frames = sum(len(record.frames) for _, record in agent.made if isinstance(record, Segment))
    assert one.totals.frames + other.totals.frames == frames


def test_a_gap_at_the_edge_of_a_week_is_not_told_as_no_session() -> None:
    """Paused over Sunday midnight, with late time in between: each week has half of it."""
    agent = over_sunday_night()
    midnight = 1_773_014_400_000
    agent.pause(6 * HOUR_MS)
    at = agent.verifier.now
    agent.declare(DeclarationForm.LATE, at - 2 * HOUR_MS, at - HOUR_MS, HOUR_MS)
    entries, _ = entries_of(
        agent.terms,
        read_records(
            entry_of(statement, record, agent.verifier.places[statement.digest], worker)
            for worker in (agent.terms.freelancer.thumbprint,)
            for statement, record in agent.made
            if isinstance(record, Segment | Declaration)
        ),
        (),
    )
    week = fold_week(agent.terms, ZoneInfo("UTC"), date(2026, 3, 9), entries, contradicted=False)
    (gap,) = (one for one in week.spans if one.state is DiaryState.NO_SESSION)
    assert gap.begin > midnight
    assert gap.reason == UNSURE
    # Between two records of different sessions it is known.
    agent.close_session()
    agent.online = False
    agent.open_session()
    agent.work(7_001)
    agent.online = True
    agent.send()
    told = folded(agent, date(2026, 3, 9)).spans
    (gap,) = (one for one in told if one.state is DiaryState.NO_SESSION)
    assert gap.reason == "nothing was recorded: no session was open"


def test_without_a_checkpoint_nothing_is_proved_in_time() -> None:
    agent = over_sunday_night()
    proved, bare = (folded(agent, date(2026, 3, 9), signed=signed) for signed in (True, False))
    assert proved.totals.by_grade[Grade.ONLINE] > 0
    assert bare.totals.by_grade[Grade.LATE] == bare.totals.worked_ms
    assert [day.worked_ms for day in proved.days] == [day.worked_ms for day in bare.days]


def test_a_checkpoint_of_other_witnesses_proves_nothing() -> None:
    agent = over_sunday_night()
    other = Simulator(b"somebody else")
    other.others(5)
    agent.verifier.checkpoints = {9_999: other.checkpoint()}
    week = folded(agent, date(2026, 3, 9))
    assert week.totals.by_grade[Grade.ONLINE] == 0
    assert not week.contradicted


def test_contradicting_bounds_prove_nothing_and_say_so() -> None:
    agent = over_sunday_night()
    # Cosigned before it can have been signed: a witness whose clock is an hour slow.
    agent.verifier.now -= HOUR_MS
    agent.verifier.others(1)
    agent.verifier.checkpoint()
    week = folded(agent, date(2026, 3, 9))
    assert week.contradicted
    assert week.totals.by_grade[Grade.ONLINE] == 0
    assert sum(sum(day.worked_ms.values()) for day in week.days) == 60_000
