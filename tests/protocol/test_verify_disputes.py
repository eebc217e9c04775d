from dataclasses import replace

import pytest

from support.acting import HEIGHT, WIDTH, KeptFrame, ScriptedAgent
from support.scripted import Story, begin, finish
from support.simulator import Simulator, seeded
from workseal_protocol.bundle import FrameDisclosure
from workseal_protocol.chain import owed_instant
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure
from workseal_protocol.frame import FrameHeader, FrameTree, commit_frame
from workseal_protocol.keys import SeedSigner
from workseal_protocol.lottery import round_start
from workseal_protocol.records import Capture, Record, Segment
from workseal_protocol.verify import Report, Step, examine_bundle


class Displays:
    """Give each captured segment frames of these displays, in this order."""

    def __init__(self, *displays: int) -> None:
        self.displays = displays
        self.agent: ScriptedAgent | None = None
        self.made: list[tuple[FrameTree, bytes, bytes]] = []

    def __call__(self, record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        if not (isinstance(record, Segment) and record.frames and self.agent):
            return record, signer
        terms = self.agent.terms
        instant = owed_instant(terms, record.engagement, record)
        assert instant is not None
        offset = instant - round_start(record.round, terms.round_ms)
        self.made = []
        for place, display in enumerate(self.displays):
            nonce = seeded(b"displays", place)[:16]
            header = FrameHeader(WIDTH, HEIGHT, terms.tile, display, record.round, offset, nonce)
            pixels, seed = bytes([place]) * (WIDTH * HEIGHT * 3), bytes(16)
            self.made.append((commit_frame(header, pixels, seed), pixels, seed))
        return replace(record, frames=tuple(made[0].commitment for made in self.made)), signer


def told(twist: Displays | None = None) -> tuple[Simulator, ScriptedAgent]:
    """Work until something was captured."""
    verifier = Simulator()
    agent = begin(verifier, twist=twist)
    if twist is not None:
        twist.agent = agent
    agent.open_session()
    while not agent.frames:
        agent.work(10_000)
    agent.send()
    agent.close_session()
    return verifier, agent


def report(
    verifier: Simulator, agent: ScriptedAgent, segment: Digest, display: int | None, one: Disclosure
) -> Report:
    contents, tsa = finish(verifier, agent, ())
    places = {statement.digest: place for place, statement in enumerate(contents.statements)}
    shown = FrameDisclosure(places[segment], display, one)
    story = Story(verifier, agent, replace(contents, disclosures=(shown,)), tsa)
    return examine_bundle(story.bundle().encode(), story.policy)


def of_two(displays: tuple[int, int], place: int) -> Step:
    twist = Displays(*displays)
    verifier, agent = told(twist)
    segment = next(s.digest for s, r in agent.made if getattr(r, "capture", 0) is Capture.CAPTURED)
    frame = KeptFrame(segment, *twist.made[place])
    (one,) = agent.answer(agent.request([frame]), [frame])
    return report(verifier, agent, segment, place, one).by_number()[12]


@pytest.mark.parametrize("place", [0, 1])
def test_step_12_takes_a_frame_that_tells_its_place_as_display(place: int) -> None:
    assert of_two((0, 1), place).why.endswith("disclosures: 1")


@pytest.mark.parametrize(("displays", "place"), [((0, 0), 1), ((1, 0), 0), ((0, 7), 1)])
def test_step_12_refuses_a_frame_of_another_display(displays: tuple[int, int], place: int) -> None:
    assert "the frame tells another display" in of_two(displays, place).why


def test_step_12_refuses_a_lone_frame_of_another_display() -> None:
    twist = Displays(1)
    verifier, agent = told(twist)
    frame = KeptFrame(agent.frames[0].segment, *twist.made[0])
    (one,) = agent.answer(agent.request([frame]), [frame])
    found = report(verifier, agent, frame.segment, None, one).by_number()[12]
    assert "the frame tells another display" in found.why


def test_step_12_a_withdrawal_does_not_take_back_what_was_shown_before() -> None:
    verifier, agent = told()
    (frame,) = agent.frames
    (one,) = agent.answer(agent.request([frame]), [frame])
    agent.withdraw(frame)
    assert report(verifier, agent, frame.segment, None, one).holds


def test_step_12_the_first_answer_counts_when_it_is_repeated_after_a_withdrawal() -> None:
    verifier, agent = told()
    (frame,) = agent.frames
    request = agent.request([frame])
    (one,) = agent.answer(request, [frame])
    agent.withdraw(frame)
    verifier.now += 1_000
    agent.answer(request, [frame])
    assert report(verifier, agent, frame.segment, None, one).holds


def test_step_12_refuses_what_was_withdrawn_between_request_and_answer() -> None:
    verifier, agent = told()
    (frame,) = agent.frames
    request = agent.request([frame])
    agent.withdraw(frame)
    (one,) = agent.answer(request, [frame])
    found = report(verifier, agent, frame.segment, None, one).by_number()[12]
    assert "withdrawn before the answer" in found.why
