"""Who this log is: its keys, its policy text, and the one place that signs checkpoints.

Each key has one use: the log key signs checkpoints and COSE receipts, the clock key cosigns them
with the time, the optional post-quantum key cosigns them too, the operator key signs statements.
"""

from dataclasses import dataclass

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
    """The keys of one log; `pq` is None where no ML-DSA cosigner was made at init."""

    origin: str
    log: Signer
    operator: Signer
    clock: Signer
    pq: Signer | None = None

    @property
    def log_key(self) -> VerifierKey:
        """The key that a checkpoint's first line names."""
        return VerifierKey(self.origin, self.log.public_key, NoteType.LOG_ED25519)

    @property
    def policy(self) -> TlogPolicy:
        """What terms must name to be admitted here: this log, cosigned by its clock."""
        witnesses = {
            CLOCK_WITNESS: VerifierKey(
                self._cosigner(CLOCK_WITNESS), self.clock.public_key, NoteType.COSIGNATURE
            )
        }
        if self.pq is not None:
            witnesses[PQ_WITNESS] = VerifierKey(
                self._cosigner(PQ_WITNESS), self.pq.public_key, NoteType.MLDSA_COSIGNATURE
            )
        return TlogPolicy((self.log_key,), witnesses, quorum=CLOCK_WITNESS)

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
