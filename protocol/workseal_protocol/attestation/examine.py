"""Examining an attestation: the numbered steps of docs/spec/attestation.md.

Rules: trust comes from the caller's policy alone. The figures hold only when the caller saw the
record itself, or somebody whom the policy names did: a freelancer's own word is *not reached*.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from workseal_protocol.attestation.claim import Claim, RecordOpening
from workseal_protocol.attestation.figures import figures_of, terms_of
from workseal_protocol.attestation.file import Attestation
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import PublicKey, Role
from workseal_protocol.policy import TlogPolicy, TrustPolicy, verify_checkpoint
from workseal_protocol.timesheets import date_of
from workseal_protocol.verify import Outcome, Report, Step

NOT_PROVEN: Final = (
    "For whom the work was done: no client is named. Whoever knows the record recognises it.",
    "That there are no other hours: the freelancer chose the days, and may have other records.",
    "That whoever shows this file holds its key: have them attest again with words of yours.",
    "What no record proves: that a person was thinking, or that the screen was not staged.",
)
BY_CHECK: Final = "What a check says: it is the word of its key's owner, who saw the record."
OWN_WORD: Final = "The figures: they are the freelancer's own word."


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """Hold the record that an attestation sums up, as somebody was shown it."""

    opening: RecordOpening
    report: Report
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Checker:
    """Name a key that checked an attestation, and its role by the policy, None for a stranger."""

    key: PublicKey
    role: Role | None
    claimed_at: int


@dataclass(frozen=True, slots=True)
class AttestationReport:
    """Hold what an examination found; `not_before` bounds when the claim was signed."""

    steps: tuple[Step, ...]
    not_proven: tuple[str, ...]
    attestation: Attestation | None = None
    checkers: tuple[Checker, ...] = ()
    not_before: int | None = None

    @property
    def malformed(self) -> bool:
        """Say whether there was nothing to judge."""
        return self.attestation is None

    @property
    def holds(self) -> bool:
        """Say whether every step holds."""
        return all(step.outcome is Outcome.HOLDS for step in self.steps)


class _NotReachedError(VerificationError):
    """Say why a step cannot be judged, though nothing is false."""


@dataclass(slots=True)
class _Case:
    data: bytes
    policy: TrustPolicy
    shown: ShownRecord | None
    attestation: Attestation | None = None
    checkers: tuple[Checker, ...] = ()
    not_before: int | None = None
    not_proven: list[str] = field(default_factory=list)

    @property
    def found(self) -> Attestation:
        if self.attestation is None:
            raise _NotReachedError("the file was not read")
        return self.attestation

    @property
    def claim(self) -> Claim:
        return self.found.claim.said


def examine_attestation(
    data: bytes, policy: TrustPolicy, *, shown: ShownRecord | None = None
) -> AttestationReport:
    """Examine an attestation under the caller's policy, beside its record where that is shown."""
    case = _Case(data, policy, shown)
    steps = []
    for number, (name, check) in enumerate(_STEPS, start=1):
        try:
            outcome, why = Outcome.HOLDS, check(case)
        except _NotReachedError as error:
            outcome, why = Outcome.NOT_REACHED, str(error)
        except (MalformedError, VerificationError) as error:
            outcome, why = Outcome.FAILS, str(error)
        steps.append(Step(number, name, outcome, why))
    return AttestationReport(
        tuple(steps),
        (*case.not_proven, *NOT_PROVEN),
        case.attestation,
        case.checkers,
        case.not_before,
    )


def verify_shown(attestation: Attestation, shown: ShownRecord) -> None:
    """Check that the shown record is the claimed one and says the same, or raise."""
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
    signer = claim.public_key.thumbprint
    if report.keys is None or Role.FREELANCER not in report.keys.roles_of(signer, checkpoint.size):
        raise VerificationError("the attestation is not signed by the freelancer of the bundle")
    hours, head = figures_of(
        report, shown.zone, date_of(claim.first), date_of(claim.last), size=checkpoint.size
    )
    if head != shown.opening.head:
        raise VerificationError("the bundle has another newest statement at that checkpoint")
    if hours != claim.hours:
        raise VerificationError("the hours are not those of the bundle")
    if terms.level is not claim.level:
        raise VerificationError("the evidence level is not that of the terms")


def _require_same_tree(attestation: Attestation, report: Report) -> None:
    ours = attestation.checkpoint.checkpoint
    contents = None if report.bundle is None else report.bundle.contents
    known = () if contents is None else (*contents.checkpoints, contents.checkpoint)
    if any(one.checkpoint.size == ours.size and one.checkpoint.root != ours.root for one in known):
        raise VerificationError("the log shows the bundle another tree of that size")


def _form(case: _Case) -> str:
    # (1) One file, in its one encoding; the claim names the checkpoint that lies beside it.
    case.attestation = Attestation.parse(case.data)
    return ""


def _signature(case: _Case) -> str:
    # (2) The key in the claim signed it, and is the freelancer's where the policy names one.
    case.found.claim.verify_signature()
    known = case.policy.parties.get(Role.FREELANCER, ())
    if not known:
        return "your policy names no freelancer: compare the key"
    if case.claim.public_key not in known:
        raise VerificationError("another key than the freelancer's of your policy signed it")
    return ""


def _log(case: _Case) -> str:
    # (3) A log of the policy signed the checkpoint.
    logs_alone = TlogPolicy(case.policy.tlog.logs)
    verify_checkpoint(case.found.checkpoint, logs_alone)
    return ""


def _witnesses(case: _Case) -> str:
    # (4) The witnesses that the policy asks for cosigned it, before the claim was signed.
    if len(case.found.checkpoint.lines) == 1 and case.policy.tlog.quorum is not None:
        raise _NotReachedError("no cosignature lies in it, and your policy asks for some")
    verified = verify_checkpoint(case.found.checkpoint, case.policy.tlog)
    case.not_before = verified.not_before
    return "" if case.policy.tlog.quorum else "your policy asks for none"


def _checks(case: _Case) -> str:
    # (5) Each check was signed by the key that it names.
    for one in case.found.checks:
        one.verify_signature()
    roles = {key: role for role, keys in case.policy.parties.items() for key in keys}
    case.checkers = tuple(
        Checker(one.said.public_key, roles.get(one.said.public_key), one.said.claimed_at)
        for one in case.found.checks
    )
    return "" if case.checkers else "there is none"


def _figures(case: _Case) -> str:
    # (6) The record says the same: seen by the caller, or by somebody whom the policy names.
    if case.attestation is not None and case.shown is not None:
        verify_shown(case.found, case.shown)
        return "recomputed from the bundle"
    named = [
        one.role
        for one in case.checkers
        if one.role is not None
        and one.role is not Role.FREELANCER
        and one.key != case.claim.public_key
    ]
    if named:
        case.not_proven.append(BY_CHECK)
        return f"by the word of the {' and the '.join(role.name.lower() for role in named)}"
    case.not_proven.append(OWN_WORD)
    raise _NotReachedError("nobody whom your policy names checked them, and no record was shown")


_STEPS: Sequence[tuple[str, Callable[[_Case], str]]] = (
    ("form", _form),
    ("signature", _signature),
    ("log", _log),
    ("witnesses", _witnesses),
    ("checks", _checks),
    ("figures", _figures),
)
STEPS: Final = tuple(name for name, _ in _STEPS)
