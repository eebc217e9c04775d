"""Random walks through a case: what must hold whatever everybody does.

One walk in eight has an arbitrator who stays again and again, one a freelancer who takes back after
the draft what was shown, and one in 24 is filled by everybody, with sixteen people on the panel; of
all, some arbitrators never say that the key is destroyed. The short form takes 150 walks.
`WORKSEAL_LONG=1` takes 50,000, of which 2,000 in the second program too;
`WORKSEAL_WALKS=20000-30000` takes a part of them, for a machine on which somebody works. Each tells
what it walked:

    WORKSEAL_LONG=1 WORKSEAL_WALKS=20000-30000 pytest -rP tests/protocol/test_dispute_walks.py
"""

import json
import os
import random
import subprocess
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from support.builders import CLIENT, FREELANCER, OPERATOR
from support.cases import (
    ARBITRATORS,
    BEACON_TAG,
    CLIENT_DAYS,
    DAY,
    HOUR,
    PANEL,
    PlainDays,
    Play,
    case_terms,
    released,
)
from support.disputevectors import CASES
from workseal_protocol.dispute import (
    CLOSED,
    Case,
    CaseError,
    Parties,
    Span,
    State,
    case_record,
    count_due,
)
from workseal_protocol.dispute.values import MAX_STATEMENTS, MAX_STAYS, MAX_STAYS_DAYS
from workseal_protocol.encoding import Fields, decode
from workseal_protocol.errors import WorksealError
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, CaseCalendar, Ruling
from workseal_protocol.terms import Terms

LONG = bool(os.environ.get("WORKSEAL_LONG"))
WALKS = 50_000 if LONG else 150
_FIRST, _, _LAST = os.environ.get("WORKSEAL_WALKS", "").partition("-")
# A walk is known by its number: a part of the campaign walks what the whole of it would.
SEEDS = range(int(_FIRST or 0), int(_LAST or WALKS))
EVERYBODY = (CLIENT, FREELANCER, OPERATOR, *ARBITRATORS)
PARTIES = (CLIENT, FREELANCER)
MOVES = {act.name.lower().replace("_", "-"): act for act in Act}
ENDS = frozenset({State.PURGED})
# Moves that end a case at once would leave most of the machine unwalked.
RARE = {
    "accept": 0.03, "withdraw": 0.02, "recuse": 0.03, "stay": 0.1, "outage": 0.05, "strike": 0.3,
    "withhold": 0.3, "exhibit": 0.2, "offer": 0.1, "claw-back": 0.1, "draft": 0.4,
    "unreadable": 0.1,
}  # fmt: skip
# What somebody does more often than most.
MOODS = {
    "stays": {"stay": 1, "resume": 1, "draft": 0.1},
    "claws": {
        "claw-back": 0.02, "withhold": 0, "withdraw": 0, "accept": 0, "recuse": 0, "draft": 0.1,
    },
    "claws, shown": {"claw-back": 0.02, "draft": 1},
    "claws, drafted": {"claw-back": 1, "pass": 0.3, "comment": 0.3, "decide": 0.3},
    "fills": {
        "exhibit": 1, "offer": 1, "unreadable": 1, "claw-back": 0.3, "stay": 0.5, "draft": 0.1,
        "recuse": 0.15, "accept": 0, "withdraw": 0, "withhold": 0.1, "strike": 0, "decide": 0.1,
    },
}  # fmt: skip


def mood_of(seed: int) -> str:
    if seed % 24 == 7:
        return "fills"
    return {3: "stays", 5: "claws"}.get(seed % 8, "")


@dataclass
class Walk:
    """One walk: what was tried, and the case before each accepted statement."""

    play: Play
    rng: random.Random
    mood: str = ""
    # The arbitrator never says that the key is destroyed.
    silent: bool = False
    steps: list[tuple[Case, Case]] = field(default_factory=list)

    def run(self) -> "Walk":
        most = MAX_STATEMENTS + 1 if self.mood == "fills" else 150
        while self.play.case.state not in ENDS and len(self.play.told) < most:
            self.step()
        return self

    @property
    def everybody(self) -> tuple[SeedSigner, ...]:
        """Return all of the case; of a large panel, whoever sits."""
        case = self.play.case
        if case.state is State.SEALED and self.silent:
            return (*PARTIES, OPERATOR)
        if self.mood != "fills":
            return EVERYBODY
        seated = () if case.arbitrator is None else (self.play.arbitrator,)
        return (*PARTIES, OPERATOR, *seated)

    def step(self) -> None:
        before = self.play.case
        self.tick()
        draw = self.rng.random()
        if draw < 0.05:
            self.stumble()
        elif draw < 0.15:
            self.blunder()
        else:
            self.move()
        if self.play.case is not before:
            self.steps.append((before, self.play.case))

    def tick(self) -> None:
        """Let time pass, never far beyond the deadline: the operator is awake."""
        due = self.play.case.due
        ahead = self.rng.choice([60_000, 60_000, HOUR, 8 * HOUR, DAY, 3 * DAY])
        assert due is not None
        if self.play.case.state in CLOSED | {State.SEALED}:
            self.play.pass_due()
        elif self.mood == "stays" and self.play.case.arbitrator is not None:
            # The last second of a deadline, or a second after it.
            late = self.rng.random() < 0.2
            self.play.now = max(self.play.now, due.until + (1_000 if late else -1_000))
        else:
            self.play.now = min(self.play.now + ahead, max(due.until + 1_000, self.play.now))

    def move(self) -> None:
        """Make one of the moves that somebody has now; in the worst case let the time pass."""
        case, play = self.play.case, self.play
        rare = RARE | MOODS.get(self.mood, {}) | MOODS.get(self.stage, {})
        open_moves = [
            (move, signer)
            for signer in self.everybody
            for move in case.allowed(signer.public_key.thumbprint, play.now)
            if self.rng.random() < rare.get(move, 1)
        ]
        if case.state is State.DRAW and self.rng.random() < 0.05:
            # The operator has lost the value.
            play.pass_due().wait(7 * DAY).act(Role.OPERATOR, Act.LAPSE)
        elif case.state is State.DRAW:
            play.draw()
        elif case.state is not State.SEALED and (not open_moves or self.rng.random() < 0.1):
            play.lapse()
        else:
            self.make(*self.rng.choice(sorted(open_moves, key=lambda one: str(one[0]))))

    @property
    def stage(self) -> str:
        """Say how far it is with what somebody is after."""
        case = self.play.case
        drafted = case.state in {State.DRAFT, State.DECISION}
        far = "drafted" if drafted else "shown" if case.shown else "begun"
        return f"{self.mood}, {far}"

    def make(self, move: str, signer: SeedSigner) -> None:
        play = self.play
        if move == "outage":
            play.pass_due()
        if move == "ask" and self.rng.random() < 0.3:
            self.leap(signer)
            return
        if move == "sample":
            play.sampled()
        elif move == "finding":
            play.find(play.case.parties.roles[signer.public_key.thumbprint])
        elif move in {"request", "disclosure"}:
            {"request": play.request, "disclosure": play.disclose}[move]()
        else:
            role = play.case.parties.roles[signer.public_key.thumbprint]
            play.act(role, MOVES[move], by=signer, **self.fields(MOVES[move], role))

    def leap(self, signer: SeedSigner) -> None:
        """Ask for more than one level above the one reached, with the deadline that it needs."""
        play, level = self.play, min(self.play.case.reached + 2, 4)
        announced = play.case.calendars.get(Role.CLIENT)
        days = CLIENT_DAYS if announced is None else PlainDays.of(announced[0])
        due = count_due(Span(play.now, 4), days)
        asked = play.question(level)
        with suppress(CaseError):
            play.act(Role.ARBITRATOR, Act.ASK, by=signer, due=due, **asked)

    def fields(  # noqa: PLR0911
        self, act: Act, role: Role
    ) -> dict[str, Any]:
        case, rng = self.play.case, self.rng
        match act:
            case Act.ANSWER | Act.DECLARE if rng.random() < 0.5:
                return {"calendar": self.announced(role)}
            case Act.ACCEPT:
                theirs = [one for one, maker in case.offers.items() if maker is not role]
                return {"cites": (rng.choice(theirs),)}
            case Act.UNREADABLE:
                left = set(case.shown) - case.clawed_back - case.unreadable
                return {"cites": (rng.choice(sorted(left)),)}
            case Act.STAY if self.mood == "stays":
                return {"end": self.play.now + 1_000}
            case Act.STAY:
                return {"end": self.play.now + rng.randint(1, 10) * DAY}
            case Act.CLAW_BACK:
                return {"cites": (rng.choice(sorted(set(case.shown) - case.clawed_back)),)}
            case Act.RULE:
                code = rng.choice([*Ruling] + [Ruling.GRANT] * 3)
                if code is Ruling.NARROW and case.ask is not None and case.ask.count > 1:
                    return {"code": code, "count": case.ask.count - 1}
                return {"code": Ruling.REFUSE if code is Ruling.REFUSE else Ruling.GRANT}
            case _:
                return {}

    def announced(self, role: Role) -> CaseCalendar:
        """Announce a weekend and days off."""
        names = {Role.CLIENT: "US", Role.FREELANCER: "DE-BY"}
        today = self.play.now // DAY
        off = tuple(sorted(self.rng.sample(range(today, today + 60), self.rng.randint(0, 4))))
        weekend = self.rng.choice([0b1100000, 0b0110000])
        return CaseCalendar(
            name=names.get(role, "FR"), zone="Europe/Berlin", weekend=weekend, days_off=off
        )

    def stumble(self) -> None:
        """Try something that is mostly not allowed: it is refused, or it was allowed."""
        before = self.play.case
        signer, act = self.rng.choice(EVERYBODY), self.rng.choice([*Act])
        role = before.parties.roles[signer.public_key.thumbprint]
        try:
            self.play.act(role, act, by=signer, **self.wild(act))
        except (CaseError, ValueError, AssertionError, WorksealError):
            assert self.play.case is before

    def blunder(self) -> None:
        """Sign something without asking the case, with a deadline or without."""
        before = self.play.case
        signer, act = self.rng.choice(EVERYBODY), self.rng.choice([*Act])
        role = before.parties.roles[signer.public_key.thumbprint]
        days = self.rng.choice([1, 2, 3, 4, 5, 10])
        calendar = self.play.calendars[self.rng.choice([*Role])]
        due = count_due(Span(self.play.now, days), calendar) if self.rng.random() < 0.5 else None
        prev = self.play.told[-2][0].digest if len(self.play.told) > 1 else before.case
        if self.rng.random() < 0.7:
            prev = before.head
        try:
            self.play.act(role, act, by=signer, due=due, prev=prev, **self.wild(act))
        except (CaseError, ValueError):
            assert self.play.case is before

    def wild(self, act: Act) -> dict[str, Any]:
        shown = {"cites": (self.play.case.head,)} if act in CITING else {}
        if act is Act.ASK:
            return self.play.question(self.rng.choice([1, 2, 3, 4]))
        return shown | ({"end": self.play.now + DAY} if act is Act.STAY else {})


FULL_PANEL = replace(case_terms(), arbitrators=tuple(one.public_key for one in PANEL))


def walked(seed: int, **changes: Any) -> Walk:
    rng, mood = random.Random(seed), mood_of(seed)
    by = rng.choice([CLIENT, FREELANCER])
    if mood == "fills":
        changes = {"terms": FULL_PANEL} | changes
    return Walk(Play.begin(by=by, **changes), rng, mood, rng.random() < 0.3).run()


CITING = frozenset({Act.ACCEPT, Act.CLAW_BACK, Act.UNREADABLE})


def check_walk(walk: Walk) -> None:
    """Check everything that must hold on the way."""
    worded = False  # both had their word, or their time for it, after the last evidence
    decider = None
    for before, after in walk.steps:
        assert after.state is State.PURGED or after.due is not None
        if len(after.shown) > len(before.shown):
            check_disclosure(before)
        assert 0 <= after.reached - before.reached <= 1
        if after.asked > before.asked:
            assert after.ask is not None
            assert after.ask.level <= before.reached + 1
        if after.shown != before.shown or after.exhibits != before.exhibits:
            worded = False
        if after.clawed_back != before.clawed_back and not after.appealed:
            worded = False
        check_secrets(after)
        check_decided(before, after)
        check_passed(before, after)
        if before.state in {State.DRAFT, State.REVIEW} and after.state is State.DECISION:
            worded = before.due is not None and (
                after.known_at > before.due.until or len(before.done) == 1
            )
        if after.decision != before.decision:
            assert worded
            assert after.arbitrator is not None
            assert after.arbitrator != decider
            decider = after.arbitrator
            check_total(after)
    check_pauses(walk)
    assert len(walk.play.told) <= MAX_STATEMENTS


def check_decided(before: Case, after: Case) -> None:
    """What was decided stands until another decides: nobody undoes it, or brings anything new."""
    if before.decision is not None:
        assert after.decision is not None
        assert after.state not in {State.SETTLED, State.WITHDRAWN, State.UNDECIDED}
        assert (after.exhibits, after.offered) == (before.exhibits, before.offered)


def check_passed(before: Case, after: Case) -> None:
    """Who gave up the appeal does not appeal, and who accepted a person does not strike them."""
    if before.state is State.SEATING:
        assert before.done.isdisjoint(after.struck - before.struck)
        assert before.declared or not before.done
        # A day is left for whoever strikes for what was declared, be it that of summer time.
        if after.declared and not before.declared:
            assert after.due is not None
            assert after.due.until >= after.known_at + DAY - HOUR
    if before.state is State.APPEAL and after.appealed:
        assert after.statements[after.head] not in before.done


def check_secrets(case: Case) -> None:
    """For twenty hours after the ruling each who committed may reveal, wherever the case stands."""
    sample = case.sample
    if sample is None or sample.seed is not None or case.reveal_until is None:
        return
    if not case.open or case.decision is not None or case.known_at > case.reveal_until:
        return
    for signer in PARTIES:
        key = signer.public_key.thumbprint
        role = case.parties.roles[key]
        if role in sample.commitments and role not in sample.secrets:
            assert "reveal" in case.allowed(key, case.known_at), case.state


def check_pauses(walk: Walk) -> None:
    """What one who sits can add is counted, and only they set the limit running again."""
    reminded: set[Any] = set()
    paused_ms = 0
    for (before, after), (statement, _) in zip(walk.steps, walk.play.told[1:], strict=True):
        assert after.stays <= MAX_STAYS
        assert after.stayed_days <= MAX_STAYS_DAYS
        if before.paused is not None and after.paused is None:
            assert before.reminded == after.reminded
            paused_ms += after.stopped_ms - before.stopped_ms
            # To the next working day of whoever is bound, over a weekend and days off.
            assert paused_ms <= (after.stayed_days + 8 * after.stays) * DAY
        if after.reminded and not before.reminded:
            assert after.arbitrator not in reminded
            reminded.add(after.arbitrator)
        if before.halted_at is not None and after.halted_at is None:
            sits = after.parties.persons[statement.issuer] == before.arbitrator
            assert sits or before.state is State.SEATING


def check_disclosure(before: Case) -> None:
    assert before.ask is not None
    assert before.ask.granted > 0
    assert not before.answered_ask or before.shows_again
    assert before.ask.level == 1 or before.request is not None
    assert before.ask.level < 4 or before.approved
    assert before.ask.level not in {2, 3} or before.drawn is not None


def check_total(decided: Case) -> None:
    if not decided.appealed:
        assert decided.effective_at is not None
        took = decided.known_at - decided.effective_at - decided.stopped_ms
        assert took < 90 * DAY, took / DAY


def check_chain(walk: Walk) -> None:
    """Every accepted statement names the one before."""
    digests = [statement.digest for statement, _ in walk.play.told]
    for (statement, _), before in zip(walk.play.told[1:], digests, strict=False):
        place = case_record(statement).place
        assert place is not None
        assert place.prev == before


def check_silence(case: Case, now: int, told: list[Any]) -> None:
    """From here on nobody says anything: the case ends, and silence has decided nothing."""
    play = Play(case, now, list(told))
    rounds = 0
    most = 60 + 4 * len(case.terms.arbitrators)
    while play.case.open:
        rounds += 1
        assert rounds < most, play.case.state
        play.draw() if play.case.state is State.DRAW else play.lapse()
    assert play.case.decision == case.decision
    assert play.case.state is State.FINAL if case.decision else State.UNDECIDED
    assert play.case.offers == case.offers
    assert not set(play.case.shown) - set(case.shown)
    # The operator alone ends it, whatever was said before and whoever keeps silent.
    play.lapse().pass_due().act(Role.OPERATOR, Act.DESTROY)
    sat = play.case.arbitrator is not None
    if sat:
        play.lapse()
    assert (play.case.state, play.case.keeps_silent) == (State.PURGED, sat)


@dataclass
class Tally:
    """Count what was walked."""

    counts: Counter[str] = field(default_factory=Counter)
    seen: set[State] = field(default_factory=set)
    longest_ms: int = 0
    most: int = 0

    def add(self, walk: Walk) -> None:
        case = walk.play.case
        self.counts["walks"] += 1
        self.counts["statements taken"] += len(walk.play.told)
        self.counts["statements refused"] += len(walk.play.tried) - len(walk.play.told)
        self.counts["disclosures"] += len(case.shown)
        self.counts["shown once more"] += sum(
            before.shows_again and after.shown_again for before, after in walk.steps
        )
        self.counts["stays"] += case.stays
        self.counts["drafts that fell"] += case.redrafted
        self.counts["draws without a value"] += case.redrawn
        self.counts["ended without the arbitrator's word"] += case.keeps_silent
        self.most = max(self.most, len(walk.play.told))
        self.counts["walked to the end"] += case.state in ENDS
        self.seen |= {after.state for _, after in walk.steps}
        for before, after in walk.steps:
            if after.decision == before.decision:
                continue
            self.counts["decisions"] += 1
            if not after.appealed:
                assert after.effective_at is not None
                took = after.known_at - after.effective_at - after.stopped_ms
                self.longest_ms = max(self.longest_ms, took)

    def __str__(self) -> str:
        counted = ", ".join(f"{number} {what}" for what, number in self.counts.items())
        longest = f"the longest to its first decision {self.longest_ms / DAY:.1f} days"
        full = f"the fullest case had {self.most} statements"
        return f"walks {SEEDS.start} to {SEEDS.stop - 1}: {counted}; {longest}; {full}"


def test_whatever_everybody_does_the_rules_hold() -> None:
    tally = Tally()
    for seed in SEEDS:
        walk = walked(seed)
        check_walk(walk)
        check_chain(walk)
        tally.add(walk)
        if seed % 5 == 0 or walk.mood == "fills":
            cut = walk.rng.randrange(len(walk.steps))
            case = walk.steps[cut][0]
            if case.open:
                check_silence(case, case.known_at, walk.play.told)
                tally.counts["left to silence"] += 1
    print(tally)  # noqa: T201
    assert tally.seen == set(State)
    rare = (
        "stays",
        "drafts that fell",
        "draws without a value",
        "ended without the arbitrator's word",
    )
    assert all(tally.counts[one] for one in rare)


@pytest.mark.parametrize("seed", range(5))
def test_a_replay_gives_the_same_case(seed: int) -> None:
    walk = walked(seed)
    assert walk.play.replayed() == walk.play.case


# --- the second implementation ---

JS = Path(__file__).parents[1] / "support" / "casereplay.mjs"
SPEC = Path(__file__).parents[2] / "docs" / "spec" / "dispute.md"
JS_SEEDS = SEEDS[: min(len(SEEDS), max(2_000 - SEEDS.start, 50) if LONG else 50)]


def outcomes(walk: Walk) -> dict[str, Any]:
    """Replay what was tried, refused statements too, as the other program does."""
    (first, at), *rest = walk.play.tried
    case = Case.begin(first, at, terms=walk.play.case.terms, released=released)
    states = [case.state.value]
    for statement, known_at in rest:
        try:
            case = case.after(statement, known_at)
            states.append(case.state.value)
        except CaseError:
            states.append("refused")
    until = None if case.due is None else case.due.until
    return {"states": states, "head": str(case.head), "until": until}


def replayed_elsewhere(terms: Terms, walks: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Let the other program replay statements, given in hex with the log's instants."""
    done = subprocess.run(
        ["node", str(JS)],
        input=json.dumps(task(terms) | {"walks": walks}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def task(terms: Terms) -> dict[str, Any]:
    parties = Parties.of(terms)
    return {
        "spec": str(SPEC),
        "terms": {
            "answer_days": terms.answer_days,
            "retention_days": terms.retention_days,
            "round_ms": terms.round_ms,
            "level": terms.level,
            "zone": terms.zone,
            "calendars": {"client": terms.client_calendar, "freelancer": terms.freelancer_calendar},
        },
        "keys": {
            str(key): [role.name.lower(), str(parties.persons[key])]
            for key, role in parties.roles.items()
        },
        "panel": [str(key.thumbprint) for key in terms.arbitrators],
        "roles": {role.name.lower(): role.value for role in Role},
        "beacon": BEACON_TAG.decode(),
    }


def test_a_program_written_from_the_specification_gives_the_same_heads() -> None:
    wanted, states = [], set[str]()
    for first in range(0, len(JS_SEEDS), 50):
        walks = [walked(seed) for seed in JS_SEEDS[first : first + 50]]
        for full in (False, True):
            alike = [walk for walk in walks if (walk.mood == "fills") is full]
            tried = [
                [{"statement": one.encode().hex(), "at": at} for one, at in walk.play.tried]
                for walk in alike
            ]
            terms = FULL_PANEL if full else alike[0].play.case.terms
            for walk, answer in zip(alike, replayed_elsewhere(terms, tried), strict=True):
                assert answer == outcomes(walk)
                wanted.append(answer["head"])
                states |= set(answer["states"])
    assert "refused" in states
    # A part of the walks need not come to what is rare.
    assert _FIRST or states - {"refused"} == {state.value for state in State}
    # Two short walks may be the same one.
    assert len(set(wanted)) > 0.99 * len(JS_SEEDS)
    print(f"{len(wanted)} walks ended alike in the second program")  # noqa: T201


def test_it_ends_the_vectors_as_they_say() -> None:
    by_terms: dict[str, list[dict[str, Any]]] = {}
    for vector in json.loads(CASES.read_text()):
        by_terms.setdefault(vector["terms"], []).append(vector)
    for written, vectors in by_terms.items():
        terms = Terms.read(Fields(decode(bytes.fromhex(written)), "terms"))
        told = [
            [{"statement": statement, "at": at} for statement, at in vector["statements"]]
            for vector in vectors
        ]
        for vector, answer in zip(vectors, replayed_elsewhere(terms, told), strict=True):
            assert answer["head"] == vector["head"], vector["name"]
            assert answer["states"][-1] == vector["expect"].partition(":")[0], vector["name"]
