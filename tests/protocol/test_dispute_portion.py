"""How much of a frame the answers of a case may show, by the ladder; the fold sees no tile."""

from dataclasses import replace

import pytest

from support.builders import digest
from support.cases import Play
from workseal_protocol.dispute import LADDER, State, excess_of, excesses, levels_of
from workseal_protocol.frame import MAX_TILES
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    Finding,
    Outcome,
    read_record,
)

COUNTS = (1, 2, 3, 7, 8, 9, 15, 16, 20, 135, 1_000, 2_040, 8_160, MAX_TILES)


@pytest.mark.parametrize("tiles", COUNTS)
def test_each_level_above_shows_more_and_the_last_one_all(tiles: int) -> None:
    few, more, whole = (LADDER[level].most_tiles(tiles) for level in (2, 3, 4))
    assert 1 <= few <= more <= whole == tiles
    assert (few - 1) * 8 < tiles <= few * 8
    assert (more - 1) * 2 < tiles <= more * 2
    # Of a frame that is one tile nothing less can be shown.
    assert (tiles == 1) == (more == tiles)


def test_levels_are_those_of_the_ask_before() -> None:
    """Asked for and refused at another level meanwhile, answered late, and at level 3 then."""
    play = Play.begin().heard().shown(1).shown(2)
    play.granted(3).request().disclose().act(Role.CLIENT, Act.COMMENT)
    told = [(one.digest, read_record(one)) for one, _ in play.told]
    levels = levels_of(told)
    named = [digest for digest, record in told if isinstance(record, DisputeRequest)]
    shown = [digest for digest, record in told if isinstance(record, DisputeDisclosure)]
    assert [levels[one] for one in named] == [2, 3]
    assert [levels[one] for one in shown] == [2, 3]
    assert set(levels) == {*named, *shown}
    # An answer to what nobody asked for in this case has no level.
    assert levels_of(one for one in told if one[0] not in named) == {}


def found(shown: int, tiles: int, name: str = "a frame") -> Finding:
    return Finding(digest(name), Outcome.HOLDS, shown, tiles)


def test_what_shows_more_than_its_level_is_told_once_whoever_found_it() -> None:
    play = Play.begin().heard().shown(1).granted(2).request().disclose()
    (answer,) = play.case.unexamined
    over = (found(256, 2_040), found(255, 2_040, "another"))
    play.find(findings=over).find(by=Role.ARBITRATOR, findings=over)
    # The fold takes it: a finding says what is so, and moves nothing.
    assert play.case.state is State.COMMENT
    told = [(one.digest, read_record(one)) for one, _ in play.told]
    findings = [one for _, one in told if isinstance(one, DisputeFinding)]
    assert len(findings) == 2
    (one,) = excesses(levels_of(told), findings)
    assert (one.answer, one.disclosure, one.level) == (answer, digest("a frame"), 2)
    assert one.sentence == (
        f"{digest('a frame')} shows 256 of 2040 tiles of a frame: level 2 has 255 at most"
    )
    # Somebody's finding about another case's answer tells nothing of this one.
    other = replace(findings[0], disclosure=digest("elsewhere"))
    assert list(excesses(levels_of(told), [other])) == []


@pytest.mark.parametrize(
    ("level", "most"), [(2, 5), (3, 20), (4, 40), (0, 40)], ids=["few", "more", "whole", "no case"]
)
def test_one_tile_more_than_the_level_has_is_too_much(level: int, most: int) -> None:
    told = [
        shown
        for shown in range(41)
        if excess_of(digest("s"), digest("d"), level, shown=shown, tiles=40) is not None
    ]
    assert told == list(range(most + 1, 41))
