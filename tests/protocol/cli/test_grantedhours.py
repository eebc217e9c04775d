"""What a freelancer hands over at level 1, held against the record and the ruling."""

from dataclasses import replace

import pytest

from support.scripted import Story
from workseal_protocol.cli.acting.grantedhours import opened_of
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.commitment import Opening, ValueKind
from workseal_protocol.dispute import Ask
from workseal_protocol.records import Segment, SessionOpen, read_record

EVER = Ask(level=1, count=2_880, begin=0, end=2**42, granted=2_880)


def of(story: Story, *kinds: ValueKind) -> list[Opening]:
    return [one for one in story.agent.openings if one.kind in kinds]


def told(story: Story, ask: Ask, openings: list[Opening]) -> str:
    return opened_of(ask, openings, story.contents.statements)


def refused(story: Story, ask: Ask, openings: list[Opening], says: str) -> None:
    with pytest.raises(CommandError, match=says) as caught:
        told(story, ask, openings)
    assert caught.value.code == 1


def hours_of(story: Story, number: int) -> tuple[int, int]:
    """Give the hours of one session: from its first segment to after its last one's begin."""
    records = [read_record(one) for one in story.contents.statements]
    session = [one for one in records if isinstance(one, SessionOpen)][number].session
    begins = [one.begin for one in records if isinstance(one, Segment) and one.session == session]
    return min(begins), max(begins) + 1


def test_it_is_counted_of_how_many_segments_of_the_hours_activity_is_opened(story: Story) -> None:
    active = of(story, ValueKind.ACTIVITY)
    begin, end = hours_of(story, 0)
    ask = replace(EVER, begin=begin, end=end, granted=5)
    records = {one.digest: read_record(one) for one in story.contents.statements}
    within = [
        one
        for one in active
        if isinstance(found := records[one.statement], Segment) and begin <= found.begin < end
    ]
    assert 5 < len(within) < len(active)
    assert told(story, ask, within[:3]) == (
        f"it opens the activity of 3 of the {len(within)} segments of the granted hours that have"
        " it; 5 were granted"
    )
    notes = of(story, ValueKind.NOTES, ValueKind.ENVIRONMENT)[:1]
    assert told(story, ask, [*within[:3], *notes]) == told(story, ask, within[:3])
    refused(story, ask, within[:6], "expected openings of 1 to 5 segments .*, found 6")
    refused(story, ask, [*within[:3], active[-1]], "opening 3 is of other hours than those")
    refused(story, ask, [], "expected openings of 1 to 5 segments .*, found 0")


def test_facts_of_displays_are_those_of_a_session_of_the_hours(story: Story) -> None:
    first, *rest = of(story, ValueKind.ENVIRONMENT)
    begin, end = hours_of(story, 0)
    ask = replace(EVER, begin=begin, end=end)
    active = of(story, ValueKind.ACTIVITY)[:1]
    assert told(story, ask, [*active, first])
    refused(story, ask, [*active, rest[0]], "opening 1 is of other hours")
    # Alone they open no segment, and answer nothing.
    refused(story, ask, [first], "found 0")


def test_what_level_one_does_not_open_is_not_handed_over_as_that(story: Story) -> None:
    memo = of(story, ValueKind.MEMO, ValueKind.EVIDENCE)[0]
    refused(
        story, EVER, [memo], f"opening 0 is of {memo.kind.name.lower()}, and level 1 opens none"
    )


def test_a_value_that_was_not_committed_to_is_refused(story: Story) -> None:
    one = of(story, ValueKind.ACTIVITY)[0]
    refused(story, EVER, [replace(one, salt=bytes(16))], "opening 0: the opened activity is not")
    other = replace(one, kind=ValueKind.ENVIRONMENT)
    refused(story, EVER, [other], "opening 0: its statement committed to no value of this kind")
