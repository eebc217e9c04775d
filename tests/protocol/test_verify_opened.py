"""Step 12 in what the vectors do not show: every way to open what should not be."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from support.builders import digest
from support.examined import assert_fails, story
from support.scripted import (
    ScriptedAgent,
    Story,
    Twist,
    begin,
    dispute,
    finish,
    first_day,
    tell_story,
)
from support.simulator import Simulator
from workseal_protocol.bundle import Contents, FrameDisclosure
from workseal_protocol.commitment import Opening, ValueKind, commit
from workseal_protocol.digest import Digest
from workseal_protocol.frame import FrameHeader, FrameTree, commit_frame
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import (
    Capture,
    Declaration,
    DisclosedFrame,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    Outcome,
    Record,
    Segment,
    SegmentState,
)
from workseal_protocol.verify import Report, examine_bundle


def changed(kind: type[Record], **changes: Any) -> Twist:
    """Change a record of the dispute before it is signed."""

    def twist(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        return (replace(record, **changes) if isinstance(record, kind) else record), signer

    return twist


def examine(twist: Twist) -> Report:
    told = tell_story(careless=True, twist=twist)
    return examine_bundle(told.bundle().encode(), told.policy)


def with_disclosures(*items: FrameDisclosure) -> Report:
    contents: Contents = replace(story().contents, disclosures=items)
    return examine_bundle(story().bundle(contents).encode(), story().policy)


def test_step_12_refuses_an_answer_without_its_request() -> None:
    report = examine(changed(DisputeDisclosure, request=digest("no request")))
    assert_fails(report, 12, "answers a request that does not stand before it")


def test_step_12_refuses_an_answer_to_what_is_no_request() -> None:
    first = story().contents.statements[0].digest
    report = examine(changed(DisputeDisclosure, request=first))
    assert_fails(report, 12, "answers a request that does not stand before it")


def test_step_12_refuses_to_show_a_frame_that_was_not_asked_for() -> None:
    frames = (DisclosedFrame(digest("frame"), digest("disclosure")),)
    report = examine(changed(DisputeDisclosure, frames=frames))
    assert_fails(report, 12, "shows a frame that was not asked for")


def test_step_12_refuses_a_request_that_looks_in_another_segment() -> None:
    def twist(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        if isinstance(record, DisputeRequest):
            moved = tuple(replace(one, segment=digest("elsewhere")) for one in record.frames)
            return replace(record, frames=moved), signer
        return record, signer

    assert_fails(examine(twist), 12, "no logged answer to a request names this disclosure")


def finding_with(change: Callable[[Any], Any]) -> Twist:
    def twist(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        if isinstance(record, DisputeFinding):
            found = tuple(change(one) for one in record.findings)
            return replace(record, findings=found), signer
        return record, signer

    return twist


@pytest.mark.parametrize(
    ("twist", "why"),
    [
        pytest.param(
            changed(DisputeFinding, disclosure=digest("no answer")),
            "is about no logged answer",
            id="about no answer",
        ),
        pytest.param(
            finding_with(lambda one: replace(one, disclosure=digest("other"))),
            "judges what was not handed over",
            id="about another disclosure",
        ),
        pytest.param(
            finding_with(lambda one: replace(one, outcome=Outcome.FAILS)),
            "says what does not hold here",
            id="another outcome",
        ),
        pytest.param(
            finding_with(lambda one: replace(one, shown=one.shown - 1)),
            "says what does not hold here",
            id="another number of shown tiles",
        ),
        pytest.param(
            finding_with(lambda one: replace(one, tiles=one.tiles + 1)),
            "says what does not hold here",
            id="another number of tiles",
        ),
    ],
)
def test_step_12_refuses_a_finding(twist: Twist, why: str) -> None:
    assert_fails(examine(twist), 12, why)


def test_step_12_does_not_judge_a_finding_about_tiles_that_are_not_here() -> None:
    told = tell_story(
        careless=True, twist=finding_with(lambda one: replace(one, outcome=Outcome.FAILS))
    )
    absent = replace(told.contents, disclosures=())
    report = examine_bundle(told.bundle(absent).encode(), told.policy)
    assert report.holds, report.first_problem


# --- the place of a disclosure ---


def test_step_12_refuses_an_opening_twice_and_one_of_no_statement() -> None:
    first, *others = story().contents.openings
    lost = replace(first, statement=Digest.of(b"nothing"))
    for openings, why in (
        ((first, first, *others), "the value was opened before"),
        ((lost, *others), "committed to no value of this kind"),
    ):
        contents = replace(story().contents, openings=openings)
        report = examine_bundle(story().bundle(contents).encode(), story().policy)
        assert_fails(report, 12, why)


@pytest.mark.parametrize(
    ("number", "display", "why"),
    [
        pytest.param(0, None, "not that of a segment with frames", id="not a segment"),
        pytest.param(999_999, None, "not that of a segment with frames", id="no statement"),
        pytest.param(None, 0, "a display is named exactly when", id="display of a single frame"),
    ],
)
def test_step_12_refuses_a_disclosure_in_a_wrong_place(
    number: int | None, display: int | None, why: str
) -> None:
    item = story().contents.disclosures[0]
    place = item.number if number is None else number
    assert_fails(with_disclosures(replace(item, number=place, display=display)), 12, why)


def two_displays() -> Story:
    """Tell of segments with a second frame beside each."""

    def twist(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        if isinstance(record, Segment) and record.frames:
            return replace(record, frames=(*record.frames, digest(record.seq))), signer
        return record, signer

    return tell_story(twist=twist)


@pytest.mark.parametrize(
    ("display", "why"),
    [
        pytest.param(0, None, id="the frame that is shown"),
        pytest.param(1, "no logged answer", id="the other frame"),
        pytest.param(2, "no frame of this display", id="no frame"),
        pytest.param(None, "a display is named exactly when", id="unnamed"),
    ],
)
def test_step_12_finds_the_frame_of_a_display(display: int | None, why: str | None) -> None:
    told = two_displays()
    item = replace(told.contents.disclosures[0], display=display)
    contents = replace(told.contents, disclosures=(item,))
    report = examine_bundle(told.bundle(contents).encode(), told.policy)
    if why is None:
        assert report.holds, report.first_problem
    else:
        assert_fails(report, 12, why)


# --- the header of a frame ---


class WrongHeader(ScriptedAgent):
    """Commit to frames whose headers tell something else."""

    header_change: Callable[[FrameHeader], FrameHeader]

    def _capture(
        self,
        number: int,
        begin: int,
        end: int,
        state: SegmentState,
        agent_value: bytes,
        verifier_value: bytes | None,
    ) -> tuple[Capture, tuple[FrameTree, bytes, bytes] | None]:
        capture, frame = super()._capture(number, begin, end, state, agent_value, verifier_value)
        if frame is None:
            return capture, None
        tree, pixels, seed = frame
        header = self.header_change(tree.header)
        return capture, (commit_frame(header, pixels, seed), pixels, seed)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(lambda one: one, None, id="as it was drawn"),
        pytest.param(
            lambda one: replace(one, round=one.round + 1), "tells another round", id="round"
        ),
        pytest.param(lambda one: replace(one, tile=16), "has other tiles", id="tile"),
        pytest.param(
            lambda one: replace(one, offset_ms=one.offset_ms + 1),
            "tells another instant than the one that was drawn",
            id="offset",
        ),
    ],
)
def test_step_12_compares_the_header_with_the_segment(
    change: Callable[[FrameHeader], FrameHeader], why: str | None
) -> None:
    verifier = Simulator()
    agent = begin(verifier, make=WrongHeader)
    assert isinstance(agent, WrongHeader)
    agent.header_change = change
    first_day(verifier, agent, back_dated=False)
    disclosures = dispute(verifier, agent)
    told = Story(verifier, agent, *finish(verifier, agent, disclosures))
    report = examine_bundle(told.bundle().encode(), told.policy)
    if why is None:
        assert report.holds, report.first_problem
    else:
        assert_fails(report, 12, why)


def test_step_12_refuses_a_memo_that_is_no_text() -> None:
    salt, value = bytes(16), b"caf\xe9"
    twist = changed(Declaration, memo=commit(ValueKind.MEMO, salt, value))
    told = tell_story(careless=True, twist=twist)
    statement = next(one for one, record in told.agent.made if isinstance(record, Declaration))
    contents = replace(
        told.contents, openings=(Opening(statement.digest, ValueKind.MEMO, salt, value),)
    )
    report = examine_bundle(told.bundle(contents).encode(), told.policy)
    assert_fails(report, 12, "opening 0: the value is not text in UTF-8")


class Telling(ScriptedAgent):
    """Tell of so many milliseconds more, or fewer, than were worked."""

    beyond_ms = 0

    def _activity(self, ms: int) -> bytes:
        return super()._activity(ms + self.beyond_ms)


@pytest.mark.parametrize(("beyond_ms", "holds"), [(-1, True), (0, True), (1, False)])
def test_step_12_refuses_activity_of_more_time_than_was_worked(
    beyond_ms: int, *, holds: bool
) -> None:
    verifier = Simulator()
    agent = begin(verifier, make=Telling)
    assert isinstance(agent, Telling)
    agent.beyond_ms = beyond_ms
    agent.open_session()
    agent.work(34_000)
    agent.close_session()
    contents, tsa = finish(verifier, agent, ())
    told = Story(verifier, agent, replace(contents, openings=tuple(agent.openings)), tsa)
    report = examine_bundle(told.bundle().encode(), told.policy)
    if holds:
        assert report.holds, report.first_problem
    else:
        assert_fails(report, 12, "activity was observed for")
