"""A round has one draw in a session, and what was stepped over is counted."""

from dataclasses import replace
from datetime import UTC

import pytest

from support.scripted import Story, finish
from support.shaped import ShapedAgent, first_round, shaped
from workseal_protocol.chain import ChainError, Rule
from workseal_protocol.cli.report import report_lines, report_value
from workseal_protocol.records import Segment, SegmentState
from workseal_protocol.totals import Totals, nearby_ms, totals_between, totals_of
from workseal_protocol.verify import examine_bundle
from workseal_protocol.window import Entry, Grade, Window


def entries_of(agent: ShapedAgent) -> list[Entry]:
    return [
        Entry(place, statement.digest, record, Window(), Grade.ONLINE)
        for place, (statement, record) in enumerate(agent.made)
        if isinstance(record, Segment)
    ]


def totals(agent: ShapedAgent) -> Totals:
    return totals_of(agent.terms, entries_of(agent), UTC)


def working() -> tuple[ShapedAgent, int]:
    """Open a session in which every round has a capture, and find one due in mid-round."""
    agent = shaped(capture_rate=65_536)
    agent.open_session()
    number = first_round(agent)
    while not 3000 < due(agent, number) < 7000:
        number += 1
    return agent, number


def due(agent: ShapedAgent, number: int) -> int:
    offset = agent.due_in(number)
    assert offset is not None
    return offset


@pytest.mark.parametrize("state", SegmentState)
@pytest.mark.parametrize("first", [True, False])
def test_a_round_does_not_change_its_draw(state: SegmentState, *, first: bool) -> None:
    agent, number = working()
    known: dict[str, None] = {}
    unknown = {"verifier_value": None}
    agent.part(number, 0, 10, **(known if first else unknown))
    agent.part(number, 10, 11, state=state, **(unknown if first else known))
    with pytest.raises(ChainError) as caught:
        agent.send()
    assert (caught.value.rule, caught.value.step) == (Rule.DRAW, 9)


def test_a_round_does_not_use_two_values_of_the_verifier() -> None:
    agent, number = working()
    agent.part(number, 0, 10)
    agent.send()
    chains = agent.verifier.chains
    state = chains[agent.engagement]
    assert state.session is not None
    other = replace(state.session, drawn=(number, bytes(32)))
    chains[agent.engagement] = replace(state, session=other)
    agent.part(number, 10, 11)
    with pytest.raises(ChainError, match="changes its verifier value"):
        agent.send()


def test_the_next_round_and_another_session_have_their_own_draw() -> None:
    agent, number = working()
    agent.part(number, 0, 10)
    agent.part(number + 1, 0, 10, verifier_value=None)
    agent.send()
    agent.close_session()
    agent.open_session()
    agent.part(number + 1, 20, 30)
    agent.send()


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        pytest.param(0, 1, 1, id="a millisecond"),
        pytest.param(2000, 2999, 1, id="just under"),
        pytest.param(2000, 3000, 0, id="five seconds"),
    ],
)
def test_a_short_gap_around_a_capture_is_told(before: int, after: int, count: int) -> None:
    agent, number = working()
    at = due(agent, number)
    agent.part(number, 0, at - before)
    agent.part(number, at + after, 10_000)
    agent.send()
    found = totals(agent)
    assert (found.due_outside, found.stepped_over) == (1, count)


@pytest.mark.parametrize("state", [SegmentState.OFF_SCREEN, SegmentState.SEALED])
def test_another_kind_of_work_for_a_moment_is_a_gap_too(state: SegmentState) -> None:
    agent, number = working()
    at = due(agent, number)
    agent.part(number, 0, at)
    agent.part(number, at, at + 1, state=state)
    agent.part(number, at + 1, 10_000)
    agent.send()
    found = totals(agent)
    assert found.sealed + found.due_outside == found.stepped_over == 1


def test_a_gap_over_the_edge_of_a_round_is_told() -> None:
    agent, number = working()
    while due(agent, number + 1) > 2000:
        number += 1
    at = due(agent, number + 1)
    agent.part(number, 9000, 9999)
    agent.part(number + 1, at + 1, 10_000)
    agent.send()
    # The capture of the first round lay long before the work.
    found = totals(agent)
    assert found.stepped_over == 1 + (due(agent, number) == 9999)


def test_what_no_work_stood_around_was_not_stepped_over() -> None:
    agent, number = working()
    at = due(agent, number)
    agent.part(number, at + 1, at + 2)
    agent.part(number, at + 3, 10_000)
    agent.part(number + 1, 0, 10_000)
    agent.send()
    found = totals(agent)
    assert (found.missed, found.due_outside, found.stepped_over) == (1, 1, 0)


@pytest.mark.parametrize(("pause", "count"), [(1, 1), (2999, 1), (5000, 0)])
def test_a_session_replaced_at_once_leaves_no_capture_behind(pause: int, count: int) -> None:
    agent, number = working()
    at = due(agent, number)
    agent.part(number, 0, at - 1000)
    agent.send()
    agent.close_session()
    later, begin = divmod(number * 10_000 + at - 1000 + pause, 10_000)
    agent.verifier.now = later * 10_000 + begin
    agent.open_session()
    agent.part(later, begin, 10_000)
    agent.send()
    found = totals(agent)
    # Each session's draw counts for itself.
    told = begin <= due(agent, later)
    assert found.missed == told
    assert found.due_outside == 2 - told
    assert found.stepped_over == count


def test_a_report_says_what_was_stepped_over() -> None:
    agent, number = working()
    at = due(agent, number)
    agent.part(number, 0, at)
    # The tolerance between two clocks claims the lost millisecond back.
    agent.part(number, at + 1, 10_000, worked=10_000 - at)
    agent.send()
    agent.close_session()
    told = Story(agent.verifier, agent, *finish(agent.verifier, agent, ()))
    contents = replace(told.contents, openings=())
    report = examine_bundle(told.bundle(contents).encode(), told.policy)
    assert report.holds, report.first_problem
    value = report_value(report)
    assert value["totals"]["stepped_over"] == value["totals"]["due_outside"] == 1
    assert value["totals"]["worked_ms"] == 10_000
    assert any("1 captures were due in gaps of under 5 s" in one for one in report.not_proven)
    assert any("(1 stepped over)" in line for line in report_lines(report))


def unsteady() -> ShapedAgent:
    """Work for some minutes, with gaps of all kinds around what was drawn, and a new session."""
    agent, number = working()
    for place in range(24):
        at = due(agent, number + place)
        before, after, stop = max(0, at - place * 150), min(10_000, at + place * 150), at % 7_000
        match place % 6:
            case 0:
                agent.part(number + place, 0, before)
                agent.part(number + place, max(after, before + 1), 10_000)
            case 1:
                agent.part(number + place, stop, 9_990)
            case 2:
                agent.part(number + place, 0, at, state=SegmentState.WORKING)
                agent.part(number + place, at, min(at + 40, 10_000), state=SegmentState.SEALED)
            case 3:
                agent.part(number + place, 1_000, stop + 1_001)
                agent.part(number + place, stop + 1_001, 9_000, state=SegmentState.OFF_SCREEN)
            case 4:
                agent.part(number + place, 0, stop, state=SegmentState.SEALED)
                agent.part(number + place, stop, stop + 2_000)
            case _:
                agent.part(number + place, 0, 9_999)
        agent.send()
        if place == 11:
            agent.close_session()
            agent.verifier.now = (number + place + 1) * 10_000 - 1
            agent.open_session()
    return agent


COUNTED = ("captured", "missed", "sealed", "due_outside", "stepped_over", "worked_ms")


def test_counts_add_up_wherever_time_is_cut() -> None:
    """Each part is told from its own statements and those that stand near it."""
    agent = unsteady()
    entries = entries_of(agent)
    whole = totals_of(agent.terms, entries, UTC)
    assert min(getattr(whole, name) for name in COUNTED if name != "captured") > 0
    times = [
        (one.record.begin, one.record.end) for one in entries if isinstance(one.record, Segment)
    ]
    begin, end = times[0][0], times[-1][1] + 1
    near = nearby_ms(agent.terms)
    edges = {at + by for pair in times for at in pair for by in (0, 1)}
    missing = set()
    for cut in sorted(edges):
        parts, bare = [], []
        for low, high in ((begin, cut), (cut, end)):
            parts.append(
                totals_between(agent.terms, around(entries, low, high, near), UTC, low, high)
            )
            bare.append(totals_between(agent.terms, around(entries, low, high, 0), UTC, low, high))
        for name in COUNTED:
            assert sum(getattr(one, name) for one in parts) == getattr(whole, name), (cut, name)
            if sum(getattr(one, name) for one in bare) != getattr(whole, name):
                missing.add(name)
    # Without what stands near it, a part counts too much or too little.
    assert missing >= {"due_outside", "stepped_over"}


def around(entries: list[Entry], begin: int, end: int, near: int) -> list[Entry]:
    return [
        one for one in entries
        if isinstance(one.record, Segment)
        and one.record.begin < end + near
        and one.record.end > begin - near
    ]  # fmt: skip
