"""At which level something was asked for, and which opened frames show more; by `test_opening`."""

from dataclasses import replace
from pathlib import Path

import pytest

from support.builders import digest
from support.casefiles import work_and_quarrel
from support.cases import Play
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.shownshare import (
    ShownShare,
    level_asked,
    share_lines,
    statements_at_hand,
)
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, CasePlace, DisputeRequest, read_record
from workseal_protocol.statement import Statement


def requested(play: Play) -> tuple[Statement, DisputeRequest]:
    """Give the newest request of a case."""
    for statement, _ in reversed(play.told):
        record = read_record(statement)
        if isinstance(record, DisputeRequest):
            return statement, record
    raise AssertionError("nothing was asked for")


def told_in(play: Play) -> list[tuple[Digest, object]]:
    return [(statement.digest, read_record(statement)) for statement, _ in play.told]


def test_the_level_is_that_of_the_last_ask_before_the_request() -> None:
    play = Play.begin().heard().shown(1)
    for level in (2, 3):
        play.granted(level).request()
        request, asked = requested(play)
        assert level_asked(request, asked, told_in(play)) == level
        # Also where the files end with what it follows, and where more came since.
        assert level_asked(request, asked, told_in(play)[:-1]) == level
        play.disclose().act(Role.CLIENT, Act.COMMENT)
        assert level_asked(request, asked, told_in(play)) == level
    first, of_level_two = requested(Play.begin().heard().shown(1).granted(2).request())
    play.act(Role.ARBITRATOR, Act.ASK)
    assert level_asked(first, of_level_two, told_in(play)) == 2


def test_what_is_not_at_hand_tells_no_level() -> None:
    """An older bundle has the request for the level before, and must not be taken for this one."""
    play = Play.begin().heard().shown(1).granted(2).request().disclose()
    play.act(Role.CLIENT, Act.COMMENT)
    short = len(play.told)
    play.granted(3).request()
    request, asked = requested(play)
    for upto in (0, 1, short, len(play.told) - 2):
        assert level_asked(request, asked, told_in(play)[:upto]) is None
    beside = replace(asked, place=None)
    assert level_asked(request, beside, told_in(play)) is None
    assert asked.place is not None
    nowhere = replace(asked, place=CasePlace(asked.place.case, digest("nowhere")))
    assert level_asked(request, nowhere, told_in(play)) is None


def test_a_request_that_follows_no_ask_has_no_level() -> None:
    play = Play.begin().heard().shown(1).granted(2).request()
    request, asked = requested(play)
    without = [one for one in told_in(play) if getattr(one[1], "act", None) is not Act.ASK]
    assert level_asked(request, asked, without) is None


@pytest.mark.parametrize(
    ("level", "shown", "most"), [(2, 6, 5), (2, 40, 5), (3, 21, 20), (2, 5, 0), (3, 20, 0)]
)
def test_a_frame_that_shows_more_is_named(level: int, shown: int, most: int) -> None:
    _, asked = requested(Play.begin().heard().shown(1).granted(2).request())
    shares = [ShownShare("000008", 1, 40), ShownShare("000009", shown, 40)]
    (line,) = share_lines(asked, level, shares)
    one_in = {2: 8, 3: 2}[level]
    assert line == (
        f"frame 000009: {shown} of 40 tiles are more than the {most} that level {level} of the"
        " ladder has; nothing follows from that by itself"
        if most
        else f"no frame shows more than level {level} of the ladder has, 1 in {one_in} tiles:"
        " counted in this answer alone"
    )


def test_whole_frames_and_requests_of_no_case_have_no_share() -> None:
    _, asked = requested(Play.begin().heard().shown(1).granted(2).request())
    whole = [ShownShare("000008", 40, 40)]
    assert list(share_lines(asked, 4, whole)) == []
    assert list(share_lines(replace(asked, place=None), None, whole)) == []
    (unknown,) = share_lines(asked, None, whole)
    assert "is not compared with it: --case FILE" in unknown


def test_a_bundle_has_the_statements_of_the_case_and_files_have_them_too(tmp_path: Path) -> None:
    def quarrel(play: Play) -> None:
        play.heard().shown(1).granted(2).request()

    told = work_and_quarrel(quarrel, lambda agent: agent.work(600_000), logged=999)
    request, asked = requested(told.play)
    bundle, file = tmp_path / "bundle", tmp_path / "case.cbor"
    bundle.write_bytes(told.bundle)
    file.write_bytes(b"".join(one.encode() for one in told.statements))
    logged = list(statements_at_hand(asked, told.report, bundle, None))
    assert [one for one, _ in logged] == [one.digest for one in told.statements]
    assert list(statements_at_hand(asked, told.report, bundle, [file])) == logged
    assert level_asked(request, asked, logged) == 2
    assert asked.place is not None
    other = replace(asked, place=CasePlace(digest("other"), asked.place.prev))
    assert list(statements_at_hand(other, told.report, bundle, None)) == []
    with pytest.raises(CommandError, match="expected statements of case"):
        list(statements_at_hand(other, told.report, bundle, [file]))
    assert list(statements_at_hand(replace(asked, place=None), told.report, bundle, [file])) == []
