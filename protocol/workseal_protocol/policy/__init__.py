"""Whom the caller trusts: the log and its witnesses (c2sp.org/tlog-policy), parties, TSA roots.

Rules: a public key counts once, whatever its name; a name belongs to at most one group; a group
names only what stands above it. `TlogPolicy.parse` accepts the one canonical spelling (terms are
compared as text), `TlogPolicy.read` everything that C2SP allows, into the same value.
"""

from workseal_protocol.policy.checked import VerifiedCheckpoint, verify_checkpoint
from workseal_protocol.policy.lines import MAX_ENTRIES, MAX_POLICY_CHARACTERS
from workseal_protocol.policy.tlog import Group, TlogPolicy
from workseal_protocol.policy.trust import MAX_CERTIFICATE_BYTES, MAX_PARTIES, TrustPolicy

__all__ = [
    "MAX_CERTIFICATE_BYTES",
    "MAX_ENTRIES",
    "MAX_PARTIES",
    "MAX_POLICY_CHARACTERS",
    "Group",
    "TlogPolicy",
    "TrustPolicy",
    "VerifiedCheckpoint",
    "verify_checkpoint",
]
