"""Copying what this agent sent to a log, and was shown by it, for an operator who lost it.

Rule: nothing is in the copy that the log did not have before: receipted statements and the
checkpoints over them. Reads the ledger alone: the verifier may be gone, no key is needed.
"""

from dataclasses import dataclass

from workseal_agent.errors import AgentError
from workseal_agent.ledger import Engagement, Ledger, SendState
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.logcopy import Copied, CopiedStatement, encode_copy
from workseal_protocol.policy import TlogPolicy


@dataclass(frozen=True, slots=True)
class Copy:
    """Hold a log copy, and what is in it."""

    data: bytes
    origin: str
    statements: int
    checkpoints: int


def copy_of_log(ledger: Ledger, engagement: Engagement) -> Copy:
    """Copy everything, of all engagements, that stands in the log of this engagement."""
    policy = TlogPolicy.parse(engagement.terms.log_policy)
    origins = {key.name for key in policy.logs}
    statements: dict[int, bytes] = {}
    checkpoints: dict[int, SignedCheckpoint] = {}
    for other in ledger.engagements():
        if TlogPolicy.parse(other.terms.log_policy).logs != policy.logs:
            continue
        for stored in ledger.statements(other.id, SendState.RECEIPTED):
            if stored.log_index is not None:
                statements[stored.log_index] = stored.body
        for body in ledger.checkpoints(other.id):
            signed = SignedCheckpoint.parse(body)
            checkpoints[signed.checkpoint.size] = signed
    named = {signed.checkpoint.origin for signed in checkpoints.values()}
    if not statements or len(named) != 1 or not named <= origins:
        raise AgentError("nothing of this agent is logged yet: there is nothing to copy")
    origin = named.pop()
    items: list[Copied] = [
        *(CopiedStatement(index, statements[index]) for index in sorted(statements)),
        *(checkpoints[size] for size in sorted(checkpoints)),
    ]
    data = b"".join(encode_copy(origin, items))
    return Copy(data, origin, len(statements), len(checkpoints))
