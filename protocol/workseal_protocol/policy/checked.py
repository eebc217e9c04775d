"""Checkpoints that satisfied a policy."""

from collections.abc import Iterable
from dataclasses import dataclass

from workseal_protocol.checkpoint import (
    Checkpoint,
    Cosignature,
    SignedCheckpoint,
    verified_cosignatures,
    verify_log,
)
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Check, check_at_once
from workseal_protocol.note import VerifierKey
from workseal_protocol.policy.tlog import TlogPolicy


@dataclass(frozen=True, slots=True)
class VerifiedCheckpoint:
    """Hold a checkpoint that satisfied a policy; only `verify_checkpoint` makes one.

    `existed_by` and `not_before` (Unix milliseconds) bound when the quorum cosigned it; None when
    the policy asks for no quorum. A cosignature names a whole second: its last millisecond counts
    for `existed_by`, its first for `not_before`.
    """

    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]
    log: VerifierKey
    signed: SignedCheckpoint
    existed_by: int | None
    not_before: int | None


def verify_checkpoint(
    signed: SignedCheckpoint, policy: TlogPolicy, check: Check = check_at_once
) -> VerifiedCheckpoint:
    """Check the log's line and the witness quorum, or raise `VerificationError`."""
    log = _verified_log(signed, policy, check)
    # What is found has the very keys that were asked for.
    names = {id(key): name for name, key in policy.witnesses.items()}
    cosignatures = tuple(
        Cosignature(names[id(one.key)], one.timestamp, one.key)
        for one in verified_cosignatures(signed, policy.witnesses.values(), check)
    )
    if not policy.is_satisfied_by({one.name for one in cosignatures}):
        raise VerificationError(
            f"the witness quorum is not reached: {len(cosignatures)} of"
            f" {len(policy.witnesses)} known witnesses cosigned"
        )
    existed_by, not_before = _quorum_times(cosignatures, policy)
    return VerifiedCheckpoint(signed.checkpoint, cosignatures, log, signed, existed_by, not_before)


def _verified_log(signed: SignedCheckpoint, policy: TlogPolicy, check: Check) -> VerifierKey:
    named = [log for log in policy.logs if log.name == signed.checkpoint.origin]
    if not named:
        raise VerificationError("the checkpoint's origin is not a log of the policy")
    found: VerifierKey | None = None
    for log in named:
        if signed.line_of(log) is not None:
            verify_log(signed, log, check)
            found = found or log
    if found is None:
        raise VerificationError("the checkpoint has no line of a log of the policy")
    return found


def _quorum_times(
    cosignatures: tuple[Cosignature, ...], policy: TlogPolicy
) -> tuple[int | None, int | None]:
    """Bound when the quorum cosigned; all of them together are one."""
    if policy.quorum is None:
        return None, None
    # An ML-DSA cosignature may carry time 0: it vouches for the tree and says no time.
    timed = [one for one in cosignatures if one.timestamp > 0]
    times = sorted({one.timestamp for one in timed})
    if len(times) == 1 and len(timed) == len(cosignatures):
        # All at one time, and together they are the quorum: nearly always.
        return times[0] * 1000 + 999, times[0] * 1000

    def enough(chosen: Iterable[Cosignature]) -> bool:
        return policy.is_satisfied_by({one.name for one in chosen})

    early = (t for t in times if enough(one for one in timed if one.timestamp <= t))
    late = (t for t in reversed(times) if enough(one for one in timed if one.timestamp >= t))
    first, last = next(early, None), next(late, None)
    return (
        None if first is None else first * 1000 + 999,
        None if last is None else last * 1000,
    )
