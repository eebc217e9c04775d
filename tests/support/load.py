"""Senders of valid statements, and what they were acknowledged."""

import threading
from dataclasses import dataclass, field

import httpx
import pytest

from support import builders
from support.simulator import seeded
from workseal_protocol.checkpoint import Checkpoint
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import decode
from workseal_protocol.keys import PublicKey, SeedSigner
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.receipt import SubmissionAnswer, verify_answer
from workseal_protocol.records import Offer, sign
from workseal_protocol.statement import Statement


@dataclass
class Load:
    """Senders that note what was acknowledged; they stop when the server does."""

    url: str
    policy: TlogPolicy
    operator: PublicKey
    enough: int
    acknowledged: dict[Digest, int] = field(default_factory=dict)
    sent: dict[Digest, Statement] = field(default_factory=dict)
    seen: list[Checkpoint] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)

    def send_until_it_dies(self, name: str) -> None:
        with httpx.Client(base_url=self.url, trust_env=False, timeout=20) as client:
            for number in range(100_000):
                batch = [self.offer(f"{name} {number} {part}") for part in range(3)]
                self.sent |= {one.digest: one for one in batch}
                try:
                    self.post(client, batch)
                except httpx.HTTPError:
                    return

    def post(self, client: httpx.Client, batch: list[Statement]) -> None:
        old = self.seen[-1] if self.seen else None
        path = f"/v1/statements?old={old.size if old else 0}"
        answer = client.post(path, content=b"".join(one.encode() for one in batch))
        assert answer.status_code == 200, answer.text
        digests = [one.digest for one in batch]
        parsed = SubmissionAnswer.parse(answer.content)
        verified = verify_answer(parsed, digests, old, self.policy)
        for digest, index in zip(digests, parsed.indices, strict=True):
            assert self.acknowledged.setdefault(digest, index) == index
        self.seen.append(verified.checkpoint)
        if len(self.acknowledged) >= self.enough:
            self.reached.set()

    def offer(self, word: str) -> Statement:
        keys = {role: SeedSigner(seeded(b"load", role, word)) for role in ("client", "freelancer")}
        terms = builders.make_terms(
            **{role: signer.public_key for role, signer in keys.items()},
            operator=self.operator,
            log_policy=self.policy.encode(),
            round_ms=1_000,
        )
        identifier = seeded(b"load", "engagement", word)[:16]
        return sign(Offer(engagement=identifier, claimed_at=1, terms=terms), keys["client"])


def load_of(url: str, enough: int) -> Load:
    facts = decode(httpx.get(f"{url}/v1/operator", trust_env=False).content)
    match facts:
        case {1: bytes(key), 2: str(policy)}:
            return Load(url, TlogPolicy.parse(policy), PublicKey(key), enough)
    pytest.fail("the operator's facts are not in their form")
