"""Which frames a sample is of, from the chain."""

from dataclasses import replace

import pytest

from support.builders import NOW, digest, make_close, make_segment, make_tombstone
from support.cases import DAY, Play
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import (
    drawn_frames,
    frames_between,
    freeze_frames,
    verify_freeze,
    verify_named,
)
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    Capture,
    ChainedRecord,
    DisputeRequest,
    Holding,
    RequestedFrame,
    SegmentState,
    read_record,
)

HOUR = 3_600_000


def segment(number: int, begin: int, frames: int = 1) -> tuple[Digest, ChainedRecord]:
    record = make_segment(
        begin=begin,
        end=begin + 1_000,
        worked=1_000,
        state=SegmentState.WORKING,
        capture=Capture.CAPTURED if frames else Capture.NONE,
        frames=tuple(digest(f"frame {number}.{each}") for each in range(frames)),
    )
    return digest(f"segment {number}"), record


def chain(count: int = 24, withdrawn: int = 3) -> list[tuple[Digest, ChainedRecord]]:
    begin = NOW - 6 * DAY
    told = [segment(number, begin + number * 4 * HOUR) for number in range(count)]
    gone = [
        (digest(f"tombstone {n}"), make_tombstone(frame=digest(f"frame {n}.0")))
        for n in range(withdrawn)
    ]
    return [*told, *gone, (digest("close"), make_close())]


def test_takes_the_frames_of_segments_that_begin_in_the_hours() -> None:
    told = [segment(0, 999), segment(1, 1_000, 2), segment(2, 2_000, 0), segment(3, 3_000)]
    found = frames_between(told, 1_000, 3_000)
    assert [one.frame for one in found] == [digest("frame 1.0"), digest("frame 1.1")]
    assert {one.segment for one in found} == {digest("segment 1")}
    assert {one.day for one in found} == {0}


def test_withdrawn_frames_are_counted_apart() -> None:
    found = frames_between(chain(), NOW - 7 * DAY, NOW)
    assert [one.holding for one in found].count(Holding.WITHDRAWN) == 3
    assert [one.holding for one in found] == sorted(one.holding for one in found)


def test_a_freeze_of_fewer_or_other_frames_is_found_out() -> None:
    frames = frames_between(chain(), NOW - 7 * DAY, NOW)
    verify_freeze(freeze_frames(frames), frames)
    other = replace(frames[0], frame=digest("other"))
    for wrong in (freeze_frames(frames[1:]), freeze_frames((other, *frames[1:]))):
        with pytest.raises(VerificationError, match="the freeze: expected"):
            verify_freeze(wrong, frames)
    with pytest.raises(VerificationError, match="expected 0 frames"):
        verify_freeze(freeze_frames(frames), ())


def test_only_drawn_frames_may_be_named() -> None:
    frames = frames_between(chain(), NOW - 7 * DAY, NOW)
    play = Play.begin().heard().shown(1)
    asked = play.question(2) | {"freeze": freeze_frames(frames)}
    play.act(Role.ARBITRATOR, Act.ASK, **asked).both(Act.PASS).act(Role.ARBITRATOR, Act.RULE)
    with pytest.raises(ValueError, match="not drawn yet"):
        drawn_frames(play.case, frames)
    play.sampled()
    drawn = drawn_frames(play.case, frames)
    assert play.case.drawn is not None
    kept = [place for place in play.case.drawn if frames[place].holding is Holding.KEPT]
    assert [one.frame for one in drawn] == [frames[place].frame for place in kept]
    assert 0 < len(drawn) <= 14
    before = play.case
    play.request(frames=drawn)
    request = read_record(play.told[-1][0])
    assert isinstance(request, DisputeRequest)
    verify_named(before, request, frames, frames)
    left = next(one for one in frames if one.frame not in {each.frame for each in drawn})
    stray = replace(request, frames=(RequestedFrame(left.segment, left.frame),))
    with pytest.raises(VerificationError, match="expected frames that were drawn"):
        verify_named(before, stray, frames, frames)
    elsewhere = [one for one in frames if one.frame != drawn[-1].frame]
    with pytest.raises(VerificationError, match="expected frames of the hours"):
        verify_named(before, request, frames, elsewhere)


def test_whole_frames_are_named_freely_within_their_hours() -> None:
    play = Play.begin().heard()
    for level in (1, 2, 3):
        play.shown(level)
    play.granted(4).request()
    request = read_record(play.told[-1][0])
    assert isinstance(request, DisputeRequest)
    verify_named(play.case, request, (), play.frames)
    with pytest.raises(VerificationError, match="expected frames of the hours"):
        verify_named(play.case, request, (), play.frames[1:])
