"""Scenarios in which step 12 or 13 fails."""

from dataclasses import replace

from support.scripted import (
    KeptFrame,
    ScriptedAgent,
    Story,
    Twist,
    begin,
    disclose,
    dispute,
    finish,
    first_day,
    second_day,
    stored,
    tell_story,
)
from support.simulator import DAY_MS, Simulator
from vectors.scenarios.telling import SEED, Scenario, nth, resealed, story, twisted
from workseal_protocol.bundle import (
    FrameDisclosure,
)
from workseal_protocol.encoding import encode
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import (
    DisclosedFrame,
    DisputeDisclosure,
    DisputeFinding,
    Outcome,
    Record,
    SessionClose,
    sign,
)

# --- (12) openings and disclosures ---


def opened_other_value() -> Scenario:
    first, *others = story().contents.openings
    return Scenario(
        "an opened value is not the committed one",
        resealed(openings=(replace(first, value=b"3 displays"), *others)),
        12,
        "the opened environment is not what was committed",
    )


def opened_other_form() -> Scenario:
    verifier = Simulator(SEED)
    agent = begin(verifier)
    agent.open_session()
    agent.work(34_000)
    agent.prove(encode({1: 9, 2: "a form that nobody knows"}))
    agent.close_session()
    contents, tsa = finish(verifier, agent, ())
    told = Story(verifier, agent, replace(contents, openings=tuple(agent.openings)), tsa)
    return Scenario(
        "opened evidence has none of the forms", told.bundle().encode(), 12, "evidence: form (1)"
    )


class _Boastful(ScriptedAgent):
    """Tell of one millisecond more than was worked."""

    def _activity(self, ms: int) -> bytes:
        return super()._activity(ms + 1)


def opened_more_than_worked() -> Scenario:
    verifier = Simulator(SEED)
    agent = begin(verifier, make=_Boastful)
    agent.open_session()
    agent.work(34_000)
    agent.close_session()
    contents, tsa = finish(verifier, agent, ())
    told = Story(verifier, agent, replace(contents, openings=tuple(agent.openings)), tsa)
    return Scenario(
        "opened activity was observed for longer than its segment worked",
        told.bundle().encode(),
        12,
        "activity was observed for",
    )


def opened_not_asked() -> Scenario:
    told = story()
    frame = told.agent.frames[1]
    places = {one.digest: place for place, one in enumerate(told.contents.statements)}
    unasked = FrameDisclosure(places[frame.segment], None, disclose(frame, (0,)))
    return Scenario(
        "a frame is shown for which no dispute asked",
        resealed(disclosures=(*told.contents.disclosures, unasked)),
        12,
        "no logged answer to a request names this disclosure",
    )


def opened_other_tiles() -> Scenario:
    told = tell_story(SEED, careless=True, twist=_other_disclosure())
    item = told.contents.disclosures[0]
    forged = _forged(item)
    return Scenario(
        "the disclosed pixels are not those of the frame",
        told.bundle(replace(told.contents, disclosures=(forged,))).encode(),
        12,
        "the disclosed tiles are not those of the committed frame",
    )


def _forged(item: FrameDisclosure) -> FrameDisclosure:
    pixels = bytes([item.disclosure.pixels[0] ^ 1]) + item.disclosure.pixels[1:]
    return replace(item, disclosure=replace(item.disclosure, deflated=stored(pixels)))


def _other_disclosure() -> Twist:
    forged = _forged(story().contents.disclosures[0]).disclosure.digest

    def twist(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        match record:
            case DisputeDisclosure(frames=frames):
                told = tuple(DisclosedFrame(one.frame, forged) for one in frames)
                return replace(record, frames=told), signer
            case DisputeFinding(findings=findings):
                found = tuple(replace(one, disclosure=forged) for one in findings)
                return replace(record, findings=found), signer
            case _:
                return record, signer

    return twist


def both_checked(*, shown: bool) -> Story:
    """Tell a story in which the arbitrator's check says of the shown tiles that they fail."""
    verifier = Simulator(SEED)
    agent = begin(verifier)
    first_day(verifier, agent, back_dated=False)
    second_day(verifier, agent)
    disclosures = dispute(verifier, agent)
    record = next(one for _, one in reversed(agent.made) if isinstance(one, DisputeFinding))
    against = tuple(replace(one, outcome=Outcome.FAILS) for one in record.findings)
    verifier.now += 60_000
    said = replace(record, claimed_at=verifier.now, findings=against)
    verifier.submit([sign(said, verifier.people.arbitrator)])
    return Story(verifier, agent, *finish(verifier, agent, disclosures if shown else ()))


def opened_false_finding() -> Scenario:
    return Scenario(
        "the arbitrator says that shown tiles fail, which hold here; the operator says so",
        both_checked(shown=True).bundle().encode(),
        12,
        "says what does not hold here",
    )


def opened_withdrawn() -> Scenario:
    verifier = Simulator(SEED)
    agent = begin(verifier)
    first_day(verifier, agent, back_dated=False)
    second_day(verifier, agent)
    verifier.now += DAY_MS
    frame: KeptFrame = agent.frames[0]
    request = agent.request([frame])
    agent.withdraw(frame)
    agent.frames.insert(0, frame)
    disclosures = agent.answer(request, [frame])
    told = Story(verifier, agent, *finish(verifier, agent, disclosures))
    return Scenario(
        "a frame is shown after it was withdrawn", told.bundle().encode(), 12, "was withdrawn"
    )


# --- (13) totals ---


def totals_other_sum() -> Scenario:
    return Scenario(
        "a closing statement tells more work than its segments",
        twisted(nth(SessionClose, 0, lambda one: replace(one, worked=one.worked + 1))),
        13,
        "closing: worked: the closing says",
    )


def totals_other_count() -> Scenario:
    return Scenario(
        "a closing statement hides a missed capture",
        twisted(nth(SessionClose, 0, lambda one: replace(one, missed=0))),
        13,
        "closing: missed: the closing says",
    )


ALL = (
    opened_other_value,
    opened_other_form,
    opened_more_than_worked,
    opened_not_asked,
    opened_other_tiles,
    opened_false_finding,
    opened_withdrawn,
    totals_other_sum,
    totals_other_count,
)
