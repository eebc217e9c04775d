"""Scenarios that hold."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from support.acting import ScriptedAgent
from support.scripted import Story, begin, finish, tell_story
from support.shaped import ShapedAgent, first_round, shaped
from support.simulator import DAY_MS, START, Simulator
from vectors.scenarios.opened import both_checked
from vectors.scenarios.telling import SEED, Scenario, resealed, story, twisted
from workseal_protocol.commitment import ValueKind
from workseal_protocol.digest import Digest
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import (
    DeclarationForm,
    DisputeFinding,
    EvidenceItem,
    FileDigest,
    GitCommit,
    Label,
    Record,
    SegmentState,
    SheetAnswer,
    Text,
    encode_item,
)
from workseal_protocol.terms import Granularity, RoundingMode

HOUR = 3_600_000

# --- what holds ---


def valid() -> Scenario:
    return Scenario("a whole engagement, with everything in it", story().bundle().encode())


def valid_without_tsa() -> Scenario:
    return Scenario(
        "the policy names no time-stamp authority, so tokens are not asked for",
        resealed(token=None, timestamps=(), tsa_ca=None),
        policy="policy-without-tsa.txt",
    )


def valid_sealed_only() -> Scenario:
    def twist(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        by = story().verifier.people.arbitrator if isinstance(record, DisputeFinding) else signer
        return record, by

    return Scenario("the arbitrator says what a check of the tiles found", twisted(twist))


def valid_both_checked() -> Scenario:
    return Scenario(
        "operator and arbitrator say different things of tiles that nobody opens here",
        both_checked(shown=False).bundle().encode(),
    )


def valid_nobody_independent() -> Scenario:
    return Scenario(
        "the caller holds no witness to be independent: it holds, and says so",
        story().bundle().encode(),
        policy="policy-nobody-independent.txt",
    )


def valid_no_witnesses() -> Scenario:
    told = tell_story(SEED, witnesses=0)
    plain = replace(told.contents, token=None, timestamps=(), tsa_ca=None)
    return Scenario(
        "neither witnesses nor time-stamps: nothing bounds the work from above, and it says so",
        told.bundle(plain).encode(),
        policy="policy-no-witnesses.txt",
    )


def valid_by_client() -> Scenario:
    told = story()
    return Scenario(
        "the client exports the bundle", told.bundle(signer=told.verifier.people.client).encode()
    )


def valid_counts() -> Scenario:
    # The 29th of March 2026 has 23 hours in Berlin.
    agent = shaped(
        rounding_ms=360_000,
        rounding_mode=RoundingMode.NEAREST,
        max_offline_ms_per_week=0,
        weekly_cap_ms=60_000,
    )
    verifier = agent.verifier
    agent.open_session()
    number = _next_due(agent, first_round(agent))
    at = _due(agent, number)
    agent.part(number, 0, at - 1)
    agent.part(number, at - 1, at + 1)  # missed
    number = _next_due(agent, number + 1)
    agent.part(number, 0, 10_000, state=SegmentState.SEALED)  # in sealed time
    number = _next_due(agent, number + 1)
    at = _due(agent, number)
    agent.part(number, 0, at - 1000)
    agent.part(number, at, at + 1, state=SegmentState.OFF_SCREEN)
    agent.part(number, at + 3999, 10_000)  # outside, and stepped over by a millisecond
    number = _next_due(agent, number + 1)
    at = _due(agent, number)
    agent.part(number, 0, at - 1000)
    agent.part(number, at + 4000, 10_000)  # outside, and not stepped over
    agent.send()
    agent.close_session()
    verifier.now = START + 28 * DAY_MS
    begin = START + 26 * DAY_MS + 11 * HOUR  # 20:00 on the 28th, UTC
    agent.told(DeclarationForm.LATE, begin, begin + 29 * HOUR, 12_345_677)
    agent.send()
    contents, tsa = finish(verifier, agent, ())
    told = Story(verifier, agent, replace(contents, openings=(), receipts=()), tsa)
    return Scenario(
        "captures missed, sealed, outside and stepped over; a declaration over a day of 23 hours;"
        " limits passed",
        told.bundle().encode(),
    )


ITEMS: tuple[EvidenceItem, ...] = (
    GitCommit("api server", bytes(range(20)), START - 1_000),
    FileDigest("Entwurf ½.pdf", Digest.of(b"draft"), 5),
    Text("delivered as we agreed on the phone"),
    Label("billing", ("api", "review"), START, START + HOUR),
)


def valid_evidence() -> Scenario:
    verifier = Simulator(SEED)
    agent = begin(verifier)
    agent.open_session()
    agent.work(34_000)
    for item in ITEMS:
        agent.prove(encode_item(item))
    agent.close_session()
    verifier.now += DAY_MS
    contents, tsa = finish(verifier, agent, ())
    told = Story(verifier, agent, replace(contents, openings=tuple(agent.openings)), tsa)
    return Scenario(
        "a commit, a file, a text and a label, all of them opened", told.bundle().encode()
    )


def valid_neighbours() -> Scenario:
    verifier = Simulator(SEED)
    agent = begin(verifier)
    for _ in range(2):
        agent.open_session()
        agent.work(14_000)
        agent.close_session()
    agent.send()
    verifier.now += DAY_MS
    contents, tsa = finish(verifier, agent, ())
    told = Story(verifier, agent, replace(contents, openings=tuple(agent.openings)), tsa)
    return Scenario(
        "a session that begins at the very end of another: activity of two stretches",
        told.bundle().encode(),
    )


def valid_labels() -> Scenario:
    """Tell of work that crosses a midnight of Berlin, under terms that show days alone."""
    verifier = Simulator(SEED)
    verifier.publish_rules()
    verifier.start_beacon((START - HOUR) // verifier.round_ms, 12_000)
    terms = verifier.terms(granularity=Granularity.DAY, round_ms=verifier.round_ms)
    agent = ScriptedAgent(verifier, terms=terms)
    midnight = START + 14 * HOUR
    verifier.now = midnight - 44_001
    begin = verifier.now
    agent.open_session()
    for state in (SegmentState.WORKING, SegmentState.OFF_SCREEN, SegmentState.WORKING):
        agent.work(30_003, state)
        agent.send()
    agent.close_session()
    # Of both days, and made before one of them had late time, and any of it a label.
    agent.sum_up(date(2026, 3, 2), date(2026, 3, 3))
    verifier.now += HOUR
    agent.declare(DeclarationForm.LATE, midnight + HOUR // 4, midnight + HOUR // 2, 600_000)
    day = midnight + 10 * HOUR
    for label in (
        Label("first word", ("a",), begin, day),
        Label("=1+1", ("b", "a"), midnight - 10_000, midnight + 20_000),
        Label("half of it", (), midnight + HOUR // 3, day),
        Label("first word", ("ä \u202e",), begin, begin + 10_000),
        Label("of no hour", ("c",), 1, 2),
    ):
        agent.prove(encode_item(label))
    verifier.now += DAY_MS
    contents, tsa = finish(verifier, agent, ())
    # Two of the activity records stay closed: they are no part of what had input.
    hidden = [one for one in agent.openings if one.kind is ValueKind.ACTIVITY][1:4:2]
    opened = tuple(one for one in agent.openings if one not in hidden)
    told = Story(verifier, agent, replace(contents, openings=opened), tsa)
    return Scenario(
        "labels that overlap, that end within what was declared, and that cover nothing, and"
        " activity by day, of which some was not opened; a timesheet of some of it",
        told.bundle().encode(),
    )


def valid_timesheets() -> Scenario:
    verifier = Simulator(SEED)
    agent = begin(verifier)
    agent.open_session()
    agent.work(34_000)
    day = datetime.fromtimestamp(START / 1000, tz=UTC).date()
    # Signed before the day was over, and replaced when it was.
    early = agent.sum_up(day, day)
    agent.reply(early, SheetAnswer.QUESTION, "Is that the whole day?")
    agent.work(26_000)
    agent.close_session()
    verifier.now += DAY_MS
    whole = agent.sum_up(day, day, replaces=early.digest)
    agent.reply(whole, SheetAnswer.OBJECTION, "One hour was agreed at most.")
    agent.reply(whole, SheetAnswer.ACCEPTED)
    agent.sum_up(day - timedelta(days=3), day + timedelta(days=3), amount=1)
    agent.sum_up(day, day, head=early.digest)
    contents, tsa = finish(verifier, agent, ())
    told = Story(verifier, agent, contents, tsa)
    return Scenario(
        "timesheets: one that was replaced, one that was objected to and then accepted, one with"
        " another amount, and one up to a statement that is not of the chain",
        told.bundle().encode(),
    )


def _next_due(agent: ShapedAgent, number: int) -> int:
    """Find the next round that owes a capture in its middle."""
    while not 2000 <= (agent.due_in(number) or 0) <= 5000:
        number += 1
    return number


def _due(agent: ShapedAgent, number: int) -> int:
    at = agent.due_in(number)
    if at is None:
        raise ValueError("no capture is due")
    return at


ALL = (
    valid,
    valid_counts,
    valid_evidence,
    valid_labels,
    valid_neighbours,
    valid_timesheets,
    valid_without_tsa,
    valid_sealed_only,
    valid_both_checked,
    valid_nobody_independent,
    valid_no_witnesses,
    valid_by_client,
)
