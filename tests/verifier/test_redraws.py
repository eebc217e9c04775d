"""The draw of a case against the log: a freeze that is not whole, frames that were not drawn."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.courtroom import Courtroom, play_to
from workseal_protocol.dispute import freeze_frames
from workseal_protocol.records import DisputeRequest, Holding, RequestedFrame
from workseal_verifier.services import caserules, redraws
from workseal_verifier.services.redraws import Frozen, Redraws


@pytest.fixture(scope="module")
def courtroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Courtroom]:
    room = play_to(Courtroom(tmp_path_factory.mktemp("redraws")), "disclosure")
    yield room
    room.office.close()


def redrawn(courtroom: Courtroom) -> Frozen | None:
    services = courtroom.office.verifier.services
    hearing = courtroom.hearing
    view = services.hearings.view(
        hearing.case.case, courtroom.office.people.client.public_key.thumbprint
    )
    agreed = services.diaries.agreed(hearing.engagement)
    book = Redraws(courtroom.office.verifier.records, services.diaries)
    return book.of(agreed, view.case, view.told)


def test_the_drawn_places_are_the_frames_of_the_chain(courtroom: Courtroom) -> None:
    found = redrawn(courtroom)
    assert found is not None
    assert (found.checked, found.problem) == (True, "")
    assert tuple(one.place for one in found.drawn) == courtroom.hearing.case.drawn
    for one in found.drawn:
        assert one.frame == courtroom.frozen[one.place]
        assert one.index == courtroom.office.acknowledged[one.frame.segment]


def test_a_request_that_names_something_else_is_seen(courtroom: Courtroom) -> None:
    found = redrawn(courtroom)
    assert found is not None
    drawn = set(courtroom.hearing.case.drawn or ())
    named = [RequestedFrame(one.segment, one.frame) for one in courtroom.frozen]
    kept = [
        named[place] for place in sorted(drawn) if courtroom.frozen[place].holding is Holding.KEPT
    ]
    other = next(one for place, one in enumerate(named) if place not in drawn)
    request = DisputeRequest(
        engagement=courtroom.agent.engagement,
        claimed_at=1,
        frames=tuple(kept),
        reason="r",
        sealing_key=bytes(1216),
        answer_by=2,
    )
    assert found.stray(request) == ()
    assert found.stray(replace(request, frames=(*kept, other))) == (other,)


def test_a_drawn_frame_that_was_withdrawn_before_may_not_be_named(courtroom: Courtroom) -> None:
    found = redrawn(courtroom)
    assert found is not None
    first = found.drawn[0]
    gone = replace(first, frame=replace(first.frame, holding=Holding.WITHDRAWN))
    asked = RequestedFrame(first.frame.segment, first.frame.frame)
    request = DisputeRequest(
        engagement=courtroom.agent.engagement,
        claimed_at=1,
        frames=(asked,),
        reason="r",
        sealing_key=bytes(1216),
        answer_by=2,
    )
    assert replace(found, drawn=(gone,)).stray(request) == (asked,)


def test_a_freeze_that_leaves_frames_out_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = play_to(Courtroom(tmp_path), "evidence")
    assert redrawn(room) is None
    whole = room.frames()
    monkeypatch.setattr(room, "frames", lambda: whole[1:])
    # As a log of an earlier release took it: this one would refuse.
    monkeypatch.setattr(caserules, "require_whole", lambda *_: None)
    play_to(room, "objection")
    found = redrawn(room)
    assert found is not None
    assert found.checked
    assert f"expected {len(whole)} frames in 3 strata, found {len(whole) - 1}" in found.problem
    # Whatever was done to it, the frozen frames are those before the request.
    assert freeze_frames(whole).count == len(whole)
    room.office.close()


def test_what_came_after_the_request_changes_no_freeze(tmp_path: Path) -> None:
    room = play_to(Courtroom(tmp_path), "objection")
    room.agent.withdraw(room.agent.frames[3])
    assert redrawn(room) == Frozen(checked=True)
    assert room.frames() != room.frozen
    room.office.close()


def test_too_much_is_not_compared_and_says_so(
    courtroom: Courtroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redraws, "MOST_IN_WEEK", 3)
    found = redrawn(courtroom)
    assert found == Frozen(checked=False)


def test_what_was_compared_is_kept_and_bounded(
    courtroom: Courtroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = courtroom.office.verifier.services
    view = services.hearings.view(
        courtroom.hearing.case.case, courtroom.office.people.client.public_key.thumbprint
    )
    agreed = services.diaries.agreed(courtroom.hearing.engagement)
    book = Redraws(courtroom.office.verifier.records, services.diaries)
    first = book.of(agreed, view.case, view.told)
    monkeypatch.setattr(book, "_compared", None)
    assert book.of(agreed, view.case, view.told) is first
    monkeypatch.undo()
    monkeypatch.setattr(redraws, "_CACHED", 0)
    book._known.clear()
    book.of(agreed, view.case, view.told)
    assert not book._known
