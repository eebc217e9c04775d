"""Senders that race against a real verifier in real time, and keep what was acknowledged."""

import contextlib
import random
import time
from dataclasses import dataclass, field

import httpx

from support.builders import make_terms
from support.simulator import seeded
from workseal_protocol.checkpoint import Checkpoint
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Fields, decode
from workseal_protocol.keys import PublicKey, SeedSigner
from workseal_protocol.lottery import ChainSide, build_chain, chain_head
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.receipt import SubmissionAnswer, verify_answer
from workseal_protocol.records import (
    Acceptance,
    Anchor,
    Capture,
    Offer,
    Segment,
    SegmentState,
    SessionOpen,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Level

# One round holds a whole race.
PERIOD_MS = 600_000
# More than one sender's segments, of a millisecond each.
_RACE_MS = 10_000
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Facts:
    """Hold what a verifier says of itself."""

    operator: PublicKey
    policy: TlogPolicy

    @classmethod
    def of(cls, url: str) -> "Facts":
        fields = Fields(decode(httpx.get(f"{url}/v1/operator", trust_env=False).content), "facts")
        key = PublicKey.of_raw(fields.octets(1, "key"))
        return cls(key, TlogPolicy.parse(fields.text(2, "policy")))


@dataclass
class Sender:
    """A freelancer with an engagement of their own, whose requests go to any of several servers."""

    urls: list[str]
    facts: Facts
    number: int
    acknowledged: dict[Digest, int] = field(default_factory=dict)
    seen: Checkpoint | None = None
    tries: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.number)
        self.signer, self.client, self.arbitrator = (
            SeedSigner(seeded(b"racing", word, self.number)) for word in ("f", "c", "a")
        )
        self.engagement = seeded(b"racing", "engagement", self.number)[:16]
        self.http = httpx.Client(trust_env=False, timeout=20)

    def close(self) -> None:
        self.http.close()

    def join(self) -> None:
        """Log offer and acceptance, and open a session."""
        now = time.time_ns() // 1_000_000
        # Whatever is sent is work of one round, wherever in it the race begins.
        self.at_ms = now - max(0, _RACE_MS - (PERIOD_MS - now % PERIOD_MS))
        terms = make_terms(
            client=self.client.public_key,
            freelancer=self.signer.public_key,
            arbitrators=(self.arbitrator.public_key,),
            operator=self.facts.operator,
            log_policy=self.facts.policy.encode(),
            round_ms=PERIOD_MS,
            capture_rate=0,
            level=Level.TIMER,
        )
        offer = sign(
            Offer(engagement=self.engagement, claimed_at=self.at_ms, terms=terms), self.client
        )
        accepted = sign(
            Acceptance(
                engagement=self.engagement, claimed_at=self.at_ms, terms=terms, offer=offer.digest
            ),
            self.signer,
        )
        signed = self.send([offer, accepted]).signed
        self.anchor = Anchor(signed.digest, signed.checkpoint.size)
        self.value = build_chain(ChainSide.AGENT, seeded(b"racing", "chain", self.number), 2)[0]
        self.round = self.at_ms // PERIOD_MS
        self.session = seeded(b"racing", "session", self.number)[:16]
        opened = sign(
            SessionOpen(
                engagement=self.engagement,
                seq=0,
                prev=accepted.digest,
                anchor=self.anchor,
                claimed_at=self.at_ms,
                session=self.session,
                head=chain_head(ChainSide.AGENT, self.value),
                first_round=self.round,
                rounds=2,
                agent="race",
                environment=Digest.of(b"race"),
            ),
            self.signer,
        )
        self.send([opened])
        self.head, self.seq = opened.digest, 1

    def segments(self, count: int) -> list[Statement]:
        """Sign the next segments, of a millisecond each."""
        made = []
        for _ in range(count):
            record = Segment(
                engagement=self.engagement,
                seq=self.seq,
                prev=self.head,
                anchor=self.anchor,
                claimed_at=self.at_ms,
                session=self.session,
                round=self.round,
                begin=self.at_ms,
                end=self.at_ms + 1,
                worked=1,
                state=SegmentState.WORKING,
                agent_value=self.value,
                verifier_value=None,
                activity=None,
                notes=self.head,
                capture=Capture.NONE,
                frames=(),
            )
            statement = sign(record, self.signer)
            self.head, self.seq, self.at_ms = statement.digest, self.seq + 1, self.at_ms + 1
            made.append(statement)
        return made

    def send(self, statements: list[Statement]) -> SubmissionAnswer:
        """Send the same bytes until they are acknowledged, to whichever server answers."""
        body = b"".join(one.encode() for one in statements)
        deadline = time.monotonic() + _PATIENCE_S
        said = "nothing"
        while time.monotonic() < deadline:
            self.tries += 1
            url = self.random.choice(self.urls)
            with contextlib.suppress(httpx.HTTPError):
                old = 0 if self.seen is None else self.seen.size
                answer = self.http.post(f"{url}/v1/statements", params={"old": old}, content=body)
                if answer.status_code == 200:
                    return self._take(statements, SubmissionAnswer.parse(answer.content), old)
                said = answer.text
                if answer.status_code < 500 and answer.status_code != 400:
                    raise AssertionError(said)
            time.sleep(self.random.uniform(0.01, 0.1))
        raise AssertionError(f"not acknowledged in {_PATIENCE_S} s: {said}")

    def _take(
        self, statements: list[Statement], answer: SubmissionAnswer, old: int
    ) -> SubmissionAnswer:
        digests = [one.digest for one in statements]
        seen = self.seen if old else None
        verified = verify_answer(answer, digests, seen, self.facts.policy)
        self.acknowledged |= dict(zip(digests, answer.indices, strict=True))
        self.seen = verified.checkpoint
        return answer
