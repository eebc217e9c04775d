"""Who this log is: its keys, its policy text, and the one place that signs checkpoints.

Each key has one use: the log key signs checkpoints and COSE receipts, the clock key cosigns them
with the time, the optional post-quantum key cosigns them too, the operator key signs statements.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workseal_protocol.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    add_cosignature,
    cosign,
    sign_checkpoint,
)
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Signer
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.policy import TlogPolicy

CLOCK_WITNESS = "clock"
PQ_WITNESS = "pq"


@dataclass(frozen=True, slots=True)
class Identity:
    """The keys of one log; `pq` is None where no ML-DSA cosigner was made at init.

    `witnesses` are those that others run, by their names in the policy; `quorum` holds the lines
    of the policy that say which must have cosigned. Without them the log's own clock suffices.
    """

    origin: str
    log: Signer
    operator: Signer
    clock: Signer
    pq: Signer | None = None
    witnesses: Mapping[str, VerifierKey] = field(default_factory=dict)
    quorum: tuple[str, ...] = (f"quorum {CLOCK_WITNESS}",)

    def __post_init__(self) -> None:
        """Refuse witnesses that make no policy: `MalformedError`, or `ValueError`."""
        _ = self.policy

    @property
    def log_key(self) -> VerifierKey:
        """The key that a checkpoint's first line names."""
        return VerifierKey(self.origin, self.log.public_key, NoteType.LOG_ED25519)

    @property
    def policy(self) -> TlogPolicy:
        """What terms must name to be admitted here: this log, and who must have cosigned it."""
        witnesses = {
            CLOCK_WITNESS: VerifierKey(
                self._cosigner(CLOCK_WITNESS), self.clock.public_key, NoteType.COSIGNATURE
            )
        }
        if self.pq is not None:
            witnesses[PQ_WITNESS] = VerifierKey(
                self._cosigner(PQ_WITNESS), self.pq.public_key, NoteType.MLDSA_COSIGNATURE
            )
        if not witnesses.keys().isdisjoint(self.witnesses):
            raise ValueError(f"{CLOCK_WITNESS} and {PQ_WITNESS} are the log's own cosigners")
        known = TlogPolicy((self.log_key,), {**witnesses, **self.witnesses}).encode()
        lines = "".join(f"{line}\n" for line in self.quorum)
        return TlogPolicy.read(known.removesuffix("quorum none\n") + lines)

    def sign(self, size: int, root: bytes, at_s: int) -> SignedCheckpoint:
        """Sign a checkpoint that is committed; `at_s` is the clock's time in whole seconds."""
        checkpoint = Checkpoint(self.origin, size, Digest(root))
        signed = sign_checkpoint(checkpoint, self.log)
        line = cosign(checkpoint, self._cosigner(CLOCK_WITNESS), self.clock, at_s)
        signed = add_cosignature(signed, line)
        if self.pq is not None:
            line = cosign(checkpoint, self._cosigner(PQ_WITNESS), self.pq, at_s)
            signed = add_cosignature(signed, line)
        return signed

    def _cosigner(self, name: str) -> str:
        return f"{self.origin}/{name}"
