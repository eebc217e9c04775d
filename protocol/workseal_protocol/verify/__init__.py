"""Verification of a bundle, offline: the numbered steps of docs/spec/verification.md.

Rules: trust comes from the caller's policy alone. Each step ends in *holds*, *fails* or
*not reached*, with a reason; a bundle holds when every step holds. Whatever is shown, what is not
proven is shown with it.
"""

from workseal_protocol.verify.ahead import Checker
from workseal_protocol.verify.foreseen import PARTS, Foreseen
from workseal_protocol.verify.opened import check_frame_header, check_opening
from workseal_protocol.verify.report import Outcome, Report, Step, Verified
from workseal_protocol.verify.steps import STEPS, examine_bundle, verify_bundle
from workseal_protocol.verify.zone import agreed_zone

__all__ = [
    "PARTS",
    "STEPS",
    "Checker",
    "Foreseen",
    "Outcome",
    "Report",
    "Step",
    "Verified",
    "agreed_zone",
    "check_frame_header",
    "check_opening",
    "examine_bundle",
    "verify_bundle",
]
