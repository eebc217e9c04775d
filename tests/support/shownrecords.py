"""Records that are shown beside an attestation, by readers who trust different authorities."""

from dataclasses import astuple, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from support.scripted import Story, begin, finish
from support.simulator import DAY_MS, START, Simulator
from workseal_protocol.attestation import (
    Attestation,
    AttestationReport,
    Claim,
    Figures,
    RecordOpening,
    ShownRecord,
    examine_attestation,
    figures_of,
    sign_said,
)
from workseal_protocol.keys import SeedSigner
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.records import KeyRotate, SegmentState, SheetAnswer, sign
from workseal_protocol.timesheets import day_number
from workseal_protocol.verify import Report, examine_bundle

ZONE = ZoneInfo("Europe/Berlin")
FIRST = datetime.fromtimestamp(START / 1000, tz=UTC).date()
NEXT = FIRST + timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Told:
    """Hold a record, and by what policy its freelancer attests."""

    story: Story
    policy: TrustPolicy

    @property
    def size(self) -> int:
        return self.story.contents.checkpoint.checkpoint.size

    def bundle(self) -> bytes:
        """Give the bundle, as the client exports it."""
        return self.story.bundle(signer=self.story.verifier.people.client).encode()

    def report(self, policy: TrustPolicy | None = None) -> Report:
        """Examine the bundle as who trusts this does."""
        return _examined(self, (policy or self.policy).encode())

    def figures(self, first: date = FIRST, last: date = NEXT) -> Figures:
        """Sum up the days as the freelancer does."""
        return figures_of(self.report(), ZONE, first, last, size=self.size)

    def opening(self) -> RecordOpening:
        """Give what says which record it is."""
        return RecordOpening(bytes(range(16)), self.story.agent.engagement, self.figures().head)

    def attested(self, signer: SeedSigner | None = None, /, **changes: int) -> Attestation:
        """Attest both days, or other figures than those that are found."""
        terms = self.report().terms
        assert terms is not None
        maker = signer or self.story.verifier.people.freelancer
        claim = Claim(
            public_key=maker.public_key,
            claimed_at=self.story.verifier.now,
            first=day_number(FIRST),
            last=day_number(NEXT),
            hours=replace(self.figures().hours, **changes),
            level=terms.level,
            checkpoint=self.story.contents.checkpoint.digest,
            record=self.opening().commitment,
        )
        return Attestation(sign_said(claim, maker), self.story.contents.checkpoint)

    def read(
        self, made: Attestation, policy: TrustPolicy | None = None, **shown: Any
    ) -> AttestationReport:
        """Examine an attestation beside this record, as who trusts this does."""
        reader = policy or self.policy
        record = replace(ShownRecord(self.opening(), self.report(reader), ZONE), **shown)
        return examine_attestation(made.encode(), reader, shown=record)


@cache
def _examined(told: Told, policy: str) -> Report:
    return examine_bundle(told.bundle(), TrustPolicy.parse(policy), zone=ZONE)


@cache
def corrected() -> Told:
    """Tell two accepted days, of which the second was corrected, and that accepted too."""
    verifier = Simulator(b"corrected")
    agent = begin(verifier)
    for worked in (34_000, 26_000):
        agent.open_session()
        agent.work(worked)
        agent.send()
        agent.close_session()
        verifier.now += DAY_MS
    both = agent.sum_up(FIRST, NEXT)
    agent.reply(both, SheetAnswer.ACCEPTED)
    second = agent.sum_up(NEXT, NEXT, replaces=both.digest)
    agent.reply(second, SheetAnswer.ACCEPTED)
    verifier.others(2)
    contents, tsa = finish(verifier, agent, ())
    story = Story(verifier, agent, contents, tsa)
    return Told(story, story.policy)


@cache
def unwitnessed() -> Told:
    """Tell a minute that a time-stamp alone shows to be online, and half a minute offline."""
    verifier = Simulator(b"unwitnessed", witnesses=0)
    agent = begin(verifier)
    agent.open_session()
    agent.online = False
    agent.work(30_000)
    agent.online = True
    agent.work(34_000)
    agent.work(20_000, SegmentState.SEALED)
    agent.send()
    agent.close_session()
    contents, tsa = finish(verifier, agent, ())
    story = Story(verifier, agent, contents, tsa)
    return Told(story, story.policy)


SECOND_KEY = SeedSigner(bytes(range(32, 64)))


@cache
def handed_on() -> Told:
    """Tell half a minute of work, after which the freelancer took another key."""
    verifier = Simulator(b"handed on")
    agent = begin(verifier)
    agent.open_session()
    agent.work(34_000)
    agent.send()
    agent.close_session()
    first = verifier.people.freelancer
    rotate = KeyRotate.make(claimed_at=verifier.now, old=first.public_key, new=SECOND_KEY)
    verifier.submit([sign(rotate, first)])
    verifier.others(2)
    contents, tsa = finish(verifier, agent, ())
    story = Story(verifier, agent, contents, tsa)
    return Told(story, story.policy)


def without_authorities(told: Told) -> TrustPolicy:
    """Give the policy of a reader who trusts no time-stamp authority."""
    return replace(told.policy, tsa=())


def record_vectors() -> list[dict[str, Any]]:
    """Give records, what is attested of each, and what readers of two policies must find."""
    return [
        _vector(corrected(), {"a corrected day": {}}),
        _vector(
            unwitnessed(),
            {
                "as much online as a time-stamp shows": {},
                "nothing online": {"offline": 84_000},
                "online, what is offline by the record itself": {"offline": 0},
            },
        ),
    ]


def _vector(told: Told, claims: dict[str, dict[str, int]]) -> dict[str, Any]:
    policies = (told.policy, without_authorities(told))
    return {
        "bundle": told.bundle().hex(),
        "opening": told.opening().encode().hex(),
        "policies": [policy.encode() for policy in policies],
        "claims": [
            {
                "name": name,
                "file": made.encode().hex(),
                "found": [_found(told.read(made, policy)) for policy in policies],
            }
            for name, changes in claims.items()
            for made in (told.attested(**changes),)
        ],
    }


def _found(report: AttestationReport) -> dict[str, Any]:
    hours = report.recomputed
    return {
        "figures": str(report.steps[-1].outcome),
        "hours": None if hours is None else list(astuple(hours)),
    }
