"""Signed segments of work to send: people who agree, open a session, and record much.

Everything is as an agent would sign it, but for the time: each segment is one millisecond of work.
Statements are signed before any clock starts.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import encode_sequence
from workseal_protocol.keys import PublicKey, SeedSigner
from workseal_protocol.lottery import ChainSide, build_chain, chain_head
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.receipt import SubmissionAnswer
from workseal_protocol.records import (
    Acceptance,
    Anchor,
    Capture,
    Offer,
    Record,
    Segment,
    SegmentState,
    SessionOpen,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Granularity, Level, RoundingMode, Terms, WorkClass

PERIOD_MS = 600_000
ROUNDS = 6


@dataclass
class Worker:
    """A freelancer with an engagement, a session, and a chain that grows."""

    signer: SeedSigner
    engagement: bytes
    anchor: Anchor
    session: bytes
    first_round: int
    values: Sequence[bytes]
    head: Digest
    seq: int
    at_ms: int

    def segment(self) -> Statement:
        """Sign the next segment: one millisecond of work."""
        number = self.at_ms // PERIOD_MS
        record = Segment(
            engagement=self.engagement,
            seq=self.seq,
            prev=self.head,
            anchor=self.anchor,
            claimed_at=self.at_ms,
            session=self.session,
            round=number,
            begin=self.at_ms,
            end=self.at_ms + 1,
            worked=1,
            state=SegmentState.WORKING,
            agent_value=self.values[number - self.first_round],
            # A new log has committed to no values of the round that runs when it begins.
            verifier_value=None,
            activity=self.head,  # as large as a commitment
            notes=self.head,
            capture=Capture.NONE,
            frames=(),
        )
        statement = sign(record, self.signer)
        self.head, self.seq, self.at_ms = statement.digest, self.seq + 1, self.at_ms + 1
        return statement


@dataclass(frozen=True)
class LogSide:
    """What people must know of the log on which they agree, and ask of it beforehand."""

    policy: TlogPolicy
    operator: PublicKey
    log: Callable[[Sequence[Statement]], SubmissionAnswer]


def join(side: LogSide) -> Worker:
    """Make an engagement of people of its own, and open a session."""
    client, signer, arbitrator = (SeedSigner(secrets.token_bytes(32)) for _ in range(3))
    now = time.time_ns() // 1_000_000
    engagement = secrets.token_bytes(16)
    terms = _terms(client, signer, arbitrator, side)
    offer = sign(Offer(engagement=engagement, claimed_at=now, terms=terms), client)
    accepted: Record = Acceptance(
        engagement=engagement, claimed_at=now, terms=terms, offer=offer.digest
    )
    acceptance = sign(accepted, signer)
    signed = side.log([offer, acceptance]).signed
    anchor = Anchor(signed.digest, signed.checkpoint.size)
    values = build_chain(ChainSide.AGENT, secrets.token_bytes(32), ROUNDS)
    session, number = secrets.token_bytes(16), now // PERIOD_MS
    opened = sign(
        SessionOpen(
            engagement=engagement,
            seq=0,
            prev=acceptance.digest,
            anchor=anchor,
            claimed_at=now,
            session=session,
            head=chain_head(ChainSide.AGENT, values[0]),
            first_round=number,
            rounds=ROUNDS,
            agent="bench",
            environment=Digest.of(session),
        ),
        signer,
    )
    side.log([opened])
    return Worker(
        signer=signer,
        engagement=engagement,
        anchor=anchor,
        session=session,
        first_round=number,
        values=values,
        head=opened.digest,
        seq=1,
        at_ms=now,
    )


def sequence(statements: Sequence[Statement]) -> bytes:
    """Write the body of a submission."""
    return encode_sequence([statement.encode() for statement in statements])


def await_end(workers: Sequence[Worker]) -> None:
    """Wait until the work that they tell of is over: a verifier admits it only then."""
    over = max(worker.at_ms for worker in workers)
    time.sleep(max(0.0, over / 1000 - time.time()))


def _terms(
    client: SeedSigner, freelancer: SeedSigner, arbitrator: SeedSigner, side: LogSide
) -> Terms:
    return Terms(
        client=client.public_key,
        freelancer=freelancer.public_key,
        arbitrators=(arbitrator.public_key,),
        operator=side.operator,
        log_policy=side.policy.encode(),
        round_ms=PERIOD_MS,
        capture_rate=0,
        level=Level.ACTIVITY,
        tile=32,
        max_withdrawn_percent=20,
        max_offline_ms_per_week=36_000_000,
        weekly_cap_ms=0,
        granularity=Granularity.INTERVAL,
        rate_minor_per_hour=0,
        currency="EUR",
        rounding_ms=0,
        rounding_mode=RoundingMode.DOWN,
        zone="UTC",
        client_calendar="US",
        freelancer_calendar="US",
        review_days=5,
        answer_days=10,
        retention_days=90,
        worth_percent=dict.fromkeys(WorkClass, 100),
    )
