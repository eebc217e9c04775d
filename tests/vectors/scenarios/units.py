"""Scenarios in which step 8 or 9 fails."""

from dataclasses import replace
from itertools import pairwise

from support.scripted import Story, begin, finish, tell_story
from support.simulator import ROUND_MS, START, Simulator
from vectors.scenarios.telling import SEED, Scenario, nth, story, twisted
from workseal_protocol.days import HOUR_MS
from workseal_protocol.digest import Digest
from workseal_protocol.records import (
    Acceptance,
    BeaconCommitment,
    Capture,
    Declaration,
    DeclarationForm,
    Record,
    Segment,
    SegmentState,
    sign,
)
from workseal_protocol.statement import Statement

# --- (8) time units ---


def units_outside_round() -> Scenario:
    def later(one: Segment) -> Segment:
        return replace(one, end=one.end + 1)

    return Scenario(
        "a segment ends after its round",
        twisted(nth(Segment, 2, later)),
        8,
        "bounds: begin and end leave round",
    )


def units_too_much_work() -> Scenario:
    def longer(one: Segment) -> Segment:
        return replace(one, worked=one.end - one.begin + 11)

    return Scenario(
        "more time was worked than passed",
        twisted(nth(Segment, 7, longer)),
        8,
        "worked: ",
    )


def units_round_overfull() -> Scenario:
    # The round of the pause has two segments: each may be right, and both together not.
    def longer(one: Segment) -> Segment:
        return replace(one, worked=one.end - one.begin + 9)

    return Scenario(
        "a round has more work than it is long",
        twisted(nth(Segment, 12, longer)),
        8,
        "has more work than it is long",
    )


def units_declared_twice() -> Scenario:
    def over_recorded(one: Declaration) -> Declaration:
        return replace(one, form=DeclarationForm.LATE)

    return Scenario(
        "time that was recorded is declared late as well",
        twisted(nth(Declaration, 0, over_recorded)),
        8,
        "overlap: late time was recorded already",
    )


def units_not_off_screen() -> Scenario:
    def earlier(one: Declaration) -> Declaration:
        return replace(one, begin=one.begin - 1)

    return Scenario(
        "a live declaration covers time on the screen",
        twisted(nth(Declaration, 0, earlier)),
        8,
        "declaration: a live declaration covers time that was not off-screen",
    )


def units_work_without_length() -> Scenario:
    def flat(one: Segment) -> Segment:
        return replace(one, end=one.begin, worked=5, capture=Capture.NONE, frames=())

    told = tell_story(SEED, careless=True, twist=nth(Segment, _quiet(), flat))
    flattened = next(
        one.digest
        for one, record in told.agent.made
        if isinstance(record, Segment) and record.begin == record.end
    )
    # What was observed in it stays closed: it would be more than was worked, which is step 12.
    opened = tuple(one for one in told.contents.openings if one.statement != flattened)
    return Scenario(
        "a segment without length has work",
        told.bundle(replace(told.contents, openings=opened)).encode(),
        8,
        "worked: ",
    )


def units_before_the_terms() -> Scenario:
    def later(one: Acceptance) -> Acceptance:
        return replace(one, claimed_at=one.claimed_at + 40 * 24 * HOUR_MS)

    return Scenario(
        "work begins before the terms were agreed",
        twisted(nth(Acceptance, 0, later)),
        8,
        "terms: ",
    )


def _quiet() -> int:
    """Find a segment of work in whose round no capture was drawn."""
    segments = [record for _, record in story().agent.made if isinstance(record, Segment)]
    return next(
        n
        for n, one in enumerate(segments)
        if one.capture is Capture.NONE and one.state is SegmentState.WORKING
    )


# --- (9) schedule ---


def schedule_hidden_capture() -> Scenario:
    def hide(one: Segment) -> Segment:
        return replace(one, capture=Capture.NONE, frames=())

    # The last capture: neither withdrawn nor disclosed.
    segments = [record for _, record in story().agent.made if isinstance(record, Segment)]
    last = max(n for n, one in enumerate(segments) if one.capture is Capture.CAPTURED)
    return Scenario(
        "a capture that was drawn is not told",
        twisted(nth(Segment, last, hide)),
        9,
        "capture: the capture drawn in round",
    )


def schedule_capture_not_drawn() -> Scenario:
    def extra(one: Segment) -> Segment:
        return replace(one, capture=Capture.CAPTURED, frames=(Digest.of(b"gotcha"),))

    return Scenario(
        "a frame was taken in a round in which none was drawn",
        twisted(nth(Segment, _quiet(), extra)),
        9,
        "capture: no capture was drawn in round",
    )


def schedule_agent_value() -> Scenario:
    return Scenario(
        "an agent value is not the one that was committed",
        twisted(nth(Segment, 9, lambda one: replace(one, agent_value=bytes(32)))),
        9,
        "agent-value: round",
    )


def schedule_verifier_value() -> Scenario:
    # A sealed segment has no capture, and one that fills its round has no neighbour in it: only the
    # value itself is wrong.
    segments = [record for _, record in story().agent.made if isinstance(record, Segment)]
    sealed = next(
        n
        for n, one in enumerate(segments)
        if one.state is SegmentState.SEALED and one.worked == ROUND_MS
    )
    return Scenario(
        "a verifier value is not the one that the operator committed to",
        twisted(nth(Segment, sealed, lambda one: replace(one, verifier_value=bytes(32)))),
        9,
        "the verifier value is not the committed one",
    )


def schedule_two_draws() -> Scenario:
    # The round of a pause has two segments; the second one chooses the offline draw.
    segments = [record for _, record in story().agent.made if isinstance(record, Segment)]
    second = next(
        n
        for n, (before, one) in enumerate(pairwise(segments), start=1)
        if before.round == one.round and one.verifier_value is not None
    )
    return Scenario(
        "two segments of one round use two draws",
        twisted(nth(Segment, second, lambda one: replace(one, verifier_value=None))),
        9,
        "draw: ",
    )


def schedule_no_activity() -> Scenario:
    return Scenario(
        "a segment lacks the activity that the terms ask for",
        twisted(nth(Segment, 3, lambda one: replace(one, activity=None))),
        9,
        "activity: a segment lacks the activity",
    )


def schedule_second_commitment() -> Scenario:
    verifier = Simulator(SEED, careless=True)
    agent = begin(verifier)
    # A second chain for the rounds of the first: whoever made both chooses the draw.
    verifier.start_beacon(START // verifier.round_ms - 10, 100)
    agent.open_session()
    agent.work(40_000)
    agent.close_session()
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    return Scenario(
        "a verifier value is the one of the second commitment to its round",
        told.bundle().encode(),
        9,
        "the verifier value is not the committed one",
    )


def schedule_late_commitment() -> Scenario:
    verifier = Simulator(SEED, careless=True)
    held: list[Record] = []
    say = verifier.say

    def later(record: Record) -> Statement:
        if isinstance(record, BeaconCommitment):
            held.append(record)
            return sign(record, verifier.people.operator)
        return say(record)

    # The values are chosen when the work is known: nothing was committed to before.
    verifier.say = later  # type: ignore[method-assign]
    agent = begin(verifier)
    agent.open_session()
    agent.work(40_000)
    agent.close_session()
    for record in held:
        say(record)
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    return Scenario(
        "a round's value is committed to after its segment is logged",
        told.bundle().encode(),
        9,
        "no commitment of the operator before it covers round",
    )


ALL = (
    units_outside_round,
    units_too_much_work,
    units_round_overfull,
    units_declared_twice,
    units_not_off_screen,
    units_work_without_length,
    units_before_the_terms,
    schedule_hidden_capture,
    schedule_capture_not_drawn,
    schedule_agent_value,
    schedule_verifier_value,
    schedule_two_draws,
    schedule_second_commitment,
    schedule_late_commitment,
    schedule_no_activity,
)
