"""A whole verifier in memory: admission, tree, witnessed checkpoints, beacon, proofs.

Rules: everything follows from a seed and from `now`, which the test sets; the same calls give the
same bytes. Admission keeps the rules of the real one. `careless` admits anything: for tests of what
verification finds when an operator did not look.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from support import builders
from workseal_protocol.chain import ChainState, advance
from workseal_protocol.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    add_cosignature,
    cosign,
    sign_checkpoint,
)
from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.lottery import ChainSide, build_chain, chain_head, round_start
from workseal_protocol.merkle import (
    inclusion_ranges,
    leaf_hash,
    node_hash,
    root_of,
    sparse_proof,
    split_point,
)
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.policy import Group, TlogPolicy, TrustPolicy
from workseal_protocol.receipt import Receipt, SubmissionAnswer, cose_receipt
from workseal_protocol.records import (
    Acceptance,
    BeaconCommitment,
    ChainedRecord,
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    LogPolicy,
    Offer,
    Record,
    Segment,
    read_record,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_protocol.window import ONLINE_MS

ORIGIN = "log.workseal.example/2026"
ROUND_MS = 10_000
DAY_MS = 86_400_000
# Monday 2026-03-02, 09:00:00 UTC.
START = 1_772_442_000_000
# A segment may be told this long before its round begins by the verifier's clock.
SKEW_MS = 2_000


def seeded(seed: bytes, *words: object) -> bytes:
    """Give 32 bytes that follow from a seed and a purpose."""
    text = ":".join(map(str, words)).encode()
    return hashlib.sha256(b"simulator:" + seed + b":" + text).digest()


@lru_cache(maxsize=16)
def _chain(last: bytes, count: int) -> tuple[bytes, ...]:
    """Build a chain once for all tests whose verifier has the same seed: most have."""
    return build_chain(ChainSide.VERIFIER, last, count)


@lru_cache(maxsize=8192)
def _whole(leaves: tuple[bytes, ...]) -> bytes:
    """Give the root of a whole subtree, a power of two wide: it is in every later tree as well."""
    if len(leaves) == 1:
        return leaves[0]
    half = len(leaves) // 2
    return node_hash(_whole(leaves[:half]), _whole(leaves[half:]))


def _root(leaves: Sequence[bytes]) -> bytes:
    """Give what `root_of` does, which hashes all anew; a log that grows asks at each size."""
    count = len(leaves)
    if count < 2:
        return root_of(leaves)
    at = split_point(count)
    return node_hash(_whole(tuple(leaves[:at])), _root(leaves[at:]))


@dataclass(frozen=True, slots=True)
class People:
    """Hold the keys of the four parties."""

    client: SeedSigner
    freelancer: SeedSigner
    arbitrator: SeedSigner
    operator: SeedSigner

    @classmethod
    def from_seed(cls, seed: bytes) -> "People":
        names = ("client", "freelancer", "arbitrator", "operator")
        return cls(*(SeedSigner(seeded(seed, "party", name)) for name in names))

    def keys(self) -> dict[Role, tuple[SeedSigner, ...]]:
        return {
            Role.CLIENT: (self.client,),
            Role.FREELANCER: (self.freelancer,),
            Role.ARBITRATOR: (self.arbitrator,),
            Role.OPERATOR: (self.operator,),
        }


class Refused(VerificationError):  # noqa: N818  (the word of the protocol)
    """Say why the verifier did not admit a statement."""


class Simulator:
    """Be the verifier, its log and its witnesses."""

    def __init__(
        self,
        seed: bytes = b"workseal",
        *,
        now: int = START - 3 * DAY_MS,
        round_ms: int = ROUND_MS,
        witnesses: int = 1,
        careless: bool = False,
    ) -> None:
        self.seed = seed
        self.now = now
        self.round_ms = round_ms
        self.careless = careless
        self.people = People.from_seed(seed)
        self.log_signer = SeedSigner(seeded(seed, "log"))
        self.witness_signers = {
            f"w{number}.example": SeedSigner(seeded(seed, "witness", number))
            for number in range(witnesses)
        }
        self.log_key = VerifierKey(ORIGIN, self.log_signer.public_key, NoteType.LOG_ED25519)
        self.policy = self._policy()
        self.leaves: list[bytes] = []
        self.statements: dict[int, Statement] = {}
        self.places: dict[Digest, int] = {}
        self.checkpoints: dict[int, SignedCheckpoint] = {}
        self.signed_at: dict[int, int] = {}
        self.chains: dict[bytes, ChainState] = {}
        self.offers: dict[Digest, Offer] = {}
        self.history = KeyHistory.start(
            {role: [one.public_key for one in keys] for role, keys in self.people.keys().items()}
        )
        # By the first round of each commitment.
        self._values: dict[int, tuple[bytes, ...]] = {}

    def _policy(self) -> TlogPolicy:
        keys = {
            name: VerifierKey(name, signer.public_key, NoteType.COSIGNATURE)
            for name, signer in self.witness_signers.items()
        }
        if not keys:
            return TlogPolicy((self.log_key,))
        group = Group("all-witnesses", len(keys), tuple(keys))
        return TlogPolicy((self.log_key,), keys, (group,), group.name)

    def trust(
        self, *, tsa: tuple[bytes, ...] = (), independent: Iterable[str] | None = None
    ) -> TrustPolicy:
        """Give the policy of a caller who knows everybody here."""
        names = self.witness_signers if independent is None else independent
        parties = {
            role: tuple(one.public_key for one in keys) for role, keys in self.people.keys().items()
        }
        return TrustPolicy(self.policy, parties, tsa, frozenset(names))

    def terms(self, **changes: object) -> Terms:
        """Give terms under this log: short rounds, and a capture in every fourth."""
        people = self.people
        fields: dict[str, object] = {
            "client": people.client.public_key,
            "freelancer": people.freelancer.public_key,
            "arbitrators": (people.arbitrator.public_key,),
            "operator": people.operator.public_key,
            "log_policy": self.policy.encode(),
            "round_ms": self.round_ms,
            "capture_rate": 16_384,
            # So that the story, which withdraws one frame of a few, passes a limit.
            "max_withdrawn_percent": 10,
        }
        return builders.make_terms(**(fields | changes))

    # --- the beacon ---

    def start_beacon(self, first_round: int, count: int) -> Statement:
        """Commit to the values of rounds, and log the commitment."""
        return self.say(self.prepare_beacon(first_round, count))

    def prepare_beacon(self, first_round: int, count: int) -> BeaconCommitment:
        """Make the values of rounds, and the commitment to them, which is not logged yet."""
        values = _chain(seeded(self.seed, "beacon", first_round), count)
        self._values[first_round] = values
        return BeaconCommitment(
            claimed_at=self.now,
            period_ms=self.round_ms,
            first_round=first_round,
            count=count,
            head=chain_head(ChainSide.VERIFIER, values[0]),
        )

    def publish_rules(self, page: Digest | None = None) -> Statement:
        """Log what the log is, and perhaps which offline page its operator means."""
        return self.say(
            LogPolicy(
                claimed_at=self.now,
                origin=ORIGIN,
                policy=self.policy.encode(),
                page=page,
                rules="statements of the parties that an accepted offer names\n",
            )
        )

    def say(self, record: Record) -> Statement:
        """Sign and log a statement of the operator."""
        statement = sign(record, self.people.operator)
        self.admit([statement])
        return statement

    def value(self, number: int) -> bytes:
        """Release the value of a round that has begun."""
        if round_start(number, self.round_ms) > self.now:
            raise Refused("the round has not begun")
        value = self._committed(number)
        if value is None:
            raise KeyError(number)
        return value

    def _committed(self, number: int) -> bytes | None:
        """Give the value of a round by the newest commitment to it."""
        for first, values in reversed(self._values.items()):
            if first <= number < first + len(values):
                return values[number - first]
        return None

    # --- admission ---

    def submit(
        self, statements: Sequence[Statement], old: Checkpoint | None = None
    ) -> SubmissionAnswer:
        """Admit all statements or none, and prove them under a fresh checkpoint."""
        indices = self.admit(statements)
        signed = self.checkpoint()
        size = signed.checkpoint.size
        sizes = [old.size] if old is not None and old.size else []
        hashes = self.proof(size, sorted(set(indices)), sizes)
        return SubmissionAnswer(signed, indices, hashes)

    def admit(self, statements: Sequence[Statement]) -> tuple[int, ...]:
        """Give the indices of the statements, or raise `VerificationError` and change nothing."""
        saved = (dict(self.chains), dict(self.offers), self.history, len(self.leaves))
        try:
            return tuple(self._admit_one(statement) for statement in statements)
        except VerificationError:
            self.chains, self.offers, self.history, size = saved
            for index in range(size, len(self.leaves)):
                del self.places[self.statements.pop(index).digest]
            del self.leaves[size:]
            raise

    def _admit_one(self, statement: Statement) -> int:
        known = self.places.get(statement.digest)
        if known is not None:
            return known
        index = len(self.leaves)
        if not self.careless:
            self._check(index, statement, read_record(statement))
        self.leaves.append(leaf_hash(statement.digest.raw))
        self.statements[index] = statement
        self.places[statement.digest] = index
        return index

    def _check(self, index: int, statement: Statement, record: Record) -> None:
        match record:
            case KeyAnnounce() | KeyRotate() | KeyRevoke():
                self.history = self.history.advance(index, statement, record)
                return
            case _:
                self.history.check_signature(statement, index)
        match record:
            case Offer():
                self.offers[statement.digest] = record
            case Acceptance():
                self._check_acceptance(index, statement, record)
            case chained if isinstance(chained, ChainedRecord):
                if isinstance(record, Segment):
                    self._check_round(record)
                state = self.chains.get(record.engagement)
                if state is None:
                    raise Refused("no acceptance begins this chain")
                self.chains[record.engagement] = advance(state, statement, record)
            case _:
                pass

    def _check_acceptance(self, index: int, statement: Statement, record: Acceptance) -> None:
        offer = self.offers.get(record.offer)
        if offer is None or offer.terms != record.terms or offer.engagement != record.engagement:
            raise Refused("no logged offer has these terms")
        if record.terms.log_policy != self.policy.encode():
            raise Refused("the terms name another log policy")
        if record.engagement in self.chains:
            raise Refused("the engagement has begun")
        self.chains[record.engagement] = ChainState.start(
            record.engagement,
            record.terms,
            statement.digest,
            agreed_at=max(offer.claimed_at, record.claimed_at),
            index=index,
        )

    def _check_round(self, record: Segment) -> None:
        if round_start(record.round, self.round_ms) > self.now + SKEW_MS:
            raise Refused("the round lies in the future")
        if record.end > self.now + SKEW_MS:
            raise Refused("the work is not over")
        value = record.verifier_value
        if value is not None and value != self._committed(record.round):
            raise Refused("the verifier value is not the released one")
        anchored_at = self.signed_at.get(record.anchor.size, 0)
        if anchored_at > round_start(record.round + 1, self.round_ms) + ONLINE_MS:
            raise Refused(f"round {record.round} is told of long after it, as if it were new")

    # --- the log ---

    def others(self, count: int) -> None:
        """Log entries of other people, of which a bundle shows nothing."""
        for _ in range(count):
            entry = seeded(self.seed, "other", len(self.leaves))
            self.leaves.append(leaf_hash(entry))

    def checkpoint(self) -> SignedCheckpoint:
        """Sign and cosign the tree as it is now; a size has one checkpoint."""
        size = len(self.leaves)
        if size not in self.checkpoints:
            checkpoint = Checkpoint(ORIGIN, size, Digest(_root(self.leaves)))
            signed = sign_checkpoint(checkpoint, self.log_signer)
            for name, signer in self.witness_signers.items():
                line = cosign(checkpoint, name, signer, self.now // 1000)
                signed = add_cosignature(signed, line)
            self.checkpoints[size] = signed
            self.signed_at[size] = self.now
        return self.checkpoints[size]

    def proof(self, size: int, indices: Sequence[int], sizes: Sequence[int]) -> tuple[bytes, ...]:
        """Give the sparse proof of leaves and earlier sizes."""
        return sparse_proof(lambda lo, hi: _root(self.leaves[lo:hi]), size, indices, sizes)

    def receipt(self, digest: Digest) -> Receipt:
        """Give the `.tlog-proof` of a statement against the newest checkpoint."""
        signed = self.checkpoint()
        index = self.places[digest]
        return Receipt(index, self._path(index), signed)

    def _path(self, index: int) -> tuple[bytes, ...]:
        ranges = inclusion_ranges(index, len(self.leaves))
        return tuple(_root(self.leaves[lo:hi]) for lo, hi in ranges)

    def cose_receipt(self, digest: Digest) -> bytes:
        """Give the RFC 9942 receipt of a statement against the newest checkpoint."""
        signed = self.checkpoint()
        index = self.places[digest]
        return cose_receipt(
            signed.checkpoint.root.raw,
            signed.checkpoint.size,
            index,
            self._path(index),
            signer=self.log_signer,
            issuer=self.log_signer.public_key.uri,
            subject=self.statements[index].subject,
        )

    def statements_for(self, engagement: bytes) -> tuple[tuple[int, Statement], ...]:
        """Give what the verification of an engagement needs, in the order of the log."""
        return tuple(
            (index, statement)
            for index, statement in sorted(self.statements.items())
            if getattr(read_record(statement), "engagement", engagement) == engagement
        )
