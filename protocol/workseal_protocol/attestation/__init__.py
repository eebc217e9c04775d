"""Attestations: what a freelancer worked in some days, shown to others without naming the client.

Rules: what is signed names no client, engagement or amount, and binds its maker to one record in a
log by a salted commitment; opening that, beside the bundle, lets anybody recompute every figure.
docs/spec/attestation.md
"""

from workseal_protocol.attestation.claim import SALT_BYTES, Check, Claim, Hours, RecordOpening
from workseal_protocol.attestation.examine import (
    STEPS,
    AttestationReport,
    Checker,
    examine_attestation,
)
from workseal_protocol.attestation.figures import Figures, figures_of
from workseal_protocol.attestation.file import MAX_ATTESTATION_BYTES, Attestation
from workseal_protocol.attestation.readme import README
from workseal_protocol.attestation.shown import ShownRecord, verify_shown
from workseal_protocol.attestation.signed import Signed, sign_said

__all__ = [
    "MAX_ATTESTATION_BYTES",
    "README",
    "SALT_BYTES",
    "STEPS",
    "Attestation",
    "AttestationReport",
    "Check",
    "Checker",
    "Claim",
    "Figures",
    "Hours",
    "RecordOpening",
    "ShownRecord",
    "Signed",
    "examine_attestation",
    "figures_of",
    "sign_said",
    "verify_shown",
]
