"""The engagement that the vectors tell, with everything in it, from offer to dispute.

Everything follows from a seed; `tell_story().bundle()` is a complete bundle that holds.
"""

from dataclasses import dataclass, replace

from support.acting import KeptFrame, ScriptedAgent, Twist, disclose, stored
from support.builders import make_filing
from support.simulator import START, Simulator
from support.stamp import FixedTsa
from workseal_protocol.bundle import Bundle, Contents, FrameDisclosure, seal_bundle
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure
from workseal_protocol.keys import SeedSigner
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.records import (
    DeclarationForm,
    SegmentState,
    WithdrawalReason,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms

__all__ = [
    "KeptFrame",
    "ScriptedAgent",
    "Story",
    "Twist",
    "begin",
    "disclose",
    "dispute",
    "finish",
    "first_day",
    "second_day",
    "stored",
    "tell_filed",
    "tell_story",
]


@dataclass(frozen=True, slots=True)
class Story:
    """Hold an engagement that was told to its end."""

    verifier: Simulator
    agent: ScriptedAgent
    contents: Contents
    tsa: FixedTsa

    @property
    def policy(self) -> TrustPolicy:
        return self.verifier.trust(tsa=(self.tsa.root_der,))

    def bundle(self, contents: Contents | None = None, signer: SeedSigner | None = None) -> Bundle:
        """Seal the contents, or changed ones."""
        return seal_bundle(
            contents or self.contents,
            engagement=self.agent.engagement,
            claimed_at=self.verifier.now,
            signer=signer or self.verifier.people.freelancer,
        )


def tell_story(
    seed: bytes = b"workseal",
    *,
    twist: Twist | None = None,
    careless: bool = False,
    back_dated: bool = False,
    witnesses: int = 1,
) -> Story:
    """Tell one engagement with everything in it; `back_dated` makes its offline stretch false."""
    verifier = Simulator(seed, careless=careless, witnesses=witnesses)
    agent = begin(verifier, twist=twist)
    first_day(verifier, agent, back_dated=back_dated)
    second_day(verifier, agent)
    disclosures = dispute(verifier, agent)
    verifier.now += 60_000
    verifier.others(2)
    return Story(verifier, agent, *finish(verifier, agent, disclosures))


def tell_filed() -> tuple[Story, Statement, tuple[Digest, Digest]]:
    """Tell of a case, and of two frames whose days were over: one went before it, one after."""
    verifier = Simulator(b"filed between")
    agent = begin(verifier)
    agent.open_session()
    agent.work(600_000)
    agent.send()
    agent.close_session()
    verifier.now += (agent.terms.retention_days + 1) * 86_400_000
    before, after = agent.frames[:2]
    agent.withdraw(before, WithdrawalReason.RETENTION)
    said = make_filing(engagement=agent.engagement, claimed_at=verifier.now, begin=START)
    filing = sign(replace(said, end=verifier.now), verifier.people.client)
    verifier.admit([filing])
    agent.withdraw(after, WithdrawalReason.RETENTION)
    story = Story(verifier, agent, *finish(verifier, agent, ()))
    return story, filing, (before.tree.commitment, after.tree.commitment)


def begin(
    verifier: Simulator,
    *,
    terms: Terms | None = None,
    twist: Twist | None = None,
    make: type[ScriptedAgent] = ScriptedAgent,
) -> ScriptedAgent:
    """Let operator, client and freelancer begin, some days before the first session."""
    verifier.publish_rules()
    verifier.start_beacon(START // verifier.round_ms - 360, 12_000)
    verifier.others(5)
    agent = make(verifier, terms=terms, twist=twist)
    verifier.now = START + 3_000
    verifier.others(3)
    return agent


def first_day(verifier: Simulator, agent: ScriptedAgent, *, back_dated: bool) -> None:
    """Work online, pause in a round, go off-screen and offline, seal, be late."""
    agent.open_session()
    agent.work(64_000)
    agent.send()
    agent.pause(2_000)
    agent.work(34_000)
    agent.send()
    begin = verifier.now
    agent.work(20_000, SegmentState.OFF_SCREEN)
    agent.declare(DeclarationForm.LIVE, begin, verifier.now, 20_000)
    agent.work(20_000, SegmentState.SEALED)
    agent.send()
    agent.online = False
    if back_dated:
        # The freelancer prepares nothing now, and tells of these rounds afterwards.
        truth = verifier.now
        verifier.now += 600_000
        verifier.others(1)
        agent.refresh()
        verifier.now = truth
    agent.work(30_000)
    agent.online = True
    if back_dated:
        verifier.now = truth + 600_000
    agent.miss_next = True
    agent.work(60_000)
    agent.send()
    # Late: the network is back only after some minutes.
    agent.work(20_000)
    agent.pause(240_000)
    agent.send()
    agent.close_session()


def second_day(verifier: Simulator, agent: ScriptedAgent) -> None:
    """Work over midnight in Berlin, withdraw a frame, declare an evening late."""
    verifier.now = START + 14 * 3_600_000 - 20_000
    agent.open_session()
    agent.work(40_000)
    agent.send()
    agent.close_session()
    agent.withdraw(agent.frames[0])
    agent.pause(7_200_000)
    end = verifier.now - 1_800_000
    agent.declare(DeclarationForm.LATE, end - 1_200_000, end, 1_000_000)


def dispute(verifier: Simulator, agent: ScriptedAgent) -> tuple[Disclosure, ...]:
    """Let the arbitrator ask for one frame, and show two tiles of it."""
    verifier.now += 3_600_000
    asked = agent.frames[:1]
    request = agent.request(asked)
    verifier.now += 3_600_000
    return agent.answer(request, asked)


def finish(
    verifier: Simulator, agent: ScriptedAgent, disclosures: tuple[Disclosure, ...]
) -> tuple[Contents, FixedTsa]:
    """Put together what a bundle of the engagement holds."""
    signed = verifier.checkpoint()
    size = signed.checkpoint.size
    rows = verifier.statements_for(agent.engagement)
    earlier = tuple(one for at, one in sorted(verifier.checkpoints.items()) if at < size)
    tsa = FixedTsa.from_seed(verifier.seed)
    stamped = earlier[-1]
    places = {statement.digest: place for place, (_, statement) in enumerate(rows)}
    contents = Contents(
        statements=tuple(statement for _, statement in rows),
        indices=tuple(index for index, _ in rows),
        hashes=verifier.proof(
            size, [index for index, _ in rows], [one.checkpoint.size for one in earlier]
        ),
        checkpoint=signed,
        checkpoints=earlier,
        policy=verifier.policy,
        token=tsa.stamp(signed.log_signed(verifier.log_key), verifier.now + 5_000),
        timestamps=(
            (
                stamped.checkpoint.size,
                tsa.stamp(stamped.log_signed(verifier.log_key), verifier.now),
            ),
        ),
        tsa_ca=tsa.pem,
        receipts=tuple(
            verifier.cose_receipt(statement.digest) if place % 4 == 0 else b""
            for place, (_, statement) in enumerate(rows)
        ),
        # The last ones may be among the first: a value is opened once.
        openings=tuple(dict.fromkeys(agent.openings[:6] + agent.openings[-2:])),
        disclosures=tuple(
            FrameDisclosure(places[frame.segment], None, disclosure)
            for frame, disclosure in zip(agent.frames, disclosures, strict=False)
        ),
    )
    return contents, tsa
