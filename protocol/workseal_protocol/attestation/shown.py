"""Comparing an attestation with the record that it sums up, where somebody was shown both.

Rules: every figure must be the one that is found; only how much was online hangs on the reader's
policy and bundle. More of it may be offline by the claim than is found; less is never taken as
shown, and is false where the record itself says so. docs/spec/attestation.md
"""

from dataclasses import dataclass, replace
from datetime import tzinfo

from workseal_protocol.attestation.claim import RecordOpening
from workseal_protocol.attestation.figures import Figures, NotReachedError, figures_of, terms_of
from workseal_protocol.attestation.file import Attestation
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Role
from workseal_protocol.timesheets import date_of
from workseal_protocol.verify import Report


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """Hold the record that an attestation sums up, as somebody was shown it."""

    opening: RecordOpening
    report: Report
    zone: tzinfo


def figures_shown(attestation: Attestation, shown: ShownRecord) -> Figures:
    """Recompute the figures of the claim's days, once the shown record is the claimed one.

    Raises `VerificationError` where it is another, and `NotReachedError` where it cannot tell.
    """
    claim, report = attestation.claim.said, shown.report
    terms = terms_of(report)
    if shown.opening.commitment != claim.record:
        raise VerificationError("the opening is not of the record that the attestation names")
    if report.engagement != shown.opening.engagement:
        raise VerificationError("the bundle is of another engagement")
    checkpoint = attestation.checkpoint.checkpoint
    if report.origin != checkpoint.origin:
        raise VerificationError("the bundle comes from another log")
    _require_same_tree(attestation, report)
    if not is_freelancer(attestation, report):
        raise VerificationError("the attestation is not signed by the freelancer of the bundle")
    found = figures_of(
        report, shown.zone, date_of(claim.first), date_of(claim.last), size=checkpoint.size
    )
    if found.head != shown.opening.head:
        raise VerificationError("the bundle has another newest statement at that checkpoint")
    if terms.level is not claim.level:
        raise VerificationError("the evidence level is not that of the terms")
    return found


def is_freelancer(attestation: Attestation, report: Report) -> bool:
    """Tell whether a record that holds shows the claim's key as its freelancer's, as of then."""
    size = attestation.checkpoint.checkpoint.size
    signer = attestation.claim.said.public_key.thumbprint
    keys = report.keys if report.holds else None
    return keys is not None and Role.FREELANCER in keys.roles_of(signer, size)


def require_said(attestation: Attestation, found: Figures) -> None:
    """Check that the claim says what was found and no better, or raise.

    Raises `VerificationError` where it is false for every reader, and `NotReachedError` where this
    reader is not shown that as much was online.
    """
    claimed = attestation.claim.said.hours
    if replace(claimed, offline=0) != replace(found.hours, offline=0):
        raise VerificationError("the hours are not those of the bundle")
    if claimed.offline < found.surely_offline:
        raise VerificationError("less of it is offline than the record itself says")
    if claimed.offline < found.hours.offline:
        raise NotReachedError("your policy and this bundle show less of it online than it says")


def verify_shown(attestation: Attestation, shown: ShownRecord) -> Figures:
    """Check that the shown record is the claimed one and shows all that is said, or raise."""
    found = figures_shown(attestation, shown)
    require_said(attestation, found)
    return found


def _require_same_tree(attestation: Attestation, report: Report) -> None:
    ours = attestation.checkpoint.checkpoint
    contents = None if report.bundle is None else report.bundle.contents
    known = () if contents is None else (*contents.checkpoints, contents.checkpoint)
    if any(one.checkpoint.size == ours.size and one.checkpoint.root != ours.root for one in known):
        raise VerificationError("the log shows the bundle another tree of that size")
