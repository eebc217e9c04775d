"""Examining an attestation: the numbered steps of docs/spec/attestation.md.

Rules: trust comes from the caller's policy alone. The figures hold only when the caller saw the
record itself, or somebody whom the policy names did: a freelancer's own word is *not reached*.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from workseal_protocol.attestation.claim import Claim, Hours
from workseal_protocol.attestation.figures import NotReachedError
from workseal_protocol.attestation.file import Attestation
from workseal_protocol.attestation.shown import (
    ShownRecord,
    figures_shown,
    is_freelancer,
    require_said,
)
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import PublicKey, Role
from workseal_protocol.policy import TlogPolicy, TrustPolicy, verify_checkpoint
from workseal_protocol.verify import Outcome, Step

NOT_PROVEN: Final = (
    "For whom the work was done: no client is named. Whoever knows the record recognises it.",
    "That there are no other hours: the freelancer chose the days, and may have other records.",
    "That hours of two such files add up: two records may be of the same hours.",
    "That a client was there: whoever accepted hours may be the freelancer, by another key.",
    "That whoever shows this file holds its key: have them attest again with words of yours.",
    "What no record proves: that a person was thinking, or that the screen was not staged.",
)
BY_CHECK: Final = (
    "What a check says: it is the word of its key's owner, who saw the record, and by whose policy"
    " as much was online."
)
OWN_WORD: Final = "The figures: they are the freelancer's own word."
GRADED: Final = (
    "That as much was online: it hangs on the time-stamp authorities that you trust, and on the"
    " checkpoints of the bundle."
)


@dataclass(frozen=True, slots=True)
class Checker:
    """Name a key that checked an attestation, and its role by the policy, None for a stranger."""

    key: PublicKey
    role: Role | None
    claimed_at: int


@dataclass(frozen=True, slots=True)
class AttestationReport:
    """Hold what an examination found; `not_before` bounds when the claim was signed.

    `recomputed` are the hours as the caller's policy grades them, where the record was shown.
    """

    steps: tuple[Step, ...]
    not_proven: tuple[str, ...]
    attestation: Attestation | None = None
    checkers: tuple[Checker, ...] = ()
    not_before: int | None = None
    recomputed: Hours | None = None

    @property
    def malformed(self) -> bool:
        """Say whether there was nothing to judge."""
        return self.attestation is None

    @property
    def holds(self) -> bool:
        """Say whether every step holds."""
        return all(step.outcome is Outcome.HOLDS for step in self.steps)


@dataclass(slots=True)
class _Case:
    data: bytes
    policy: TrustPolicy
    shown: ShownRecord | None
    attestation: Attestation | None = None
    checkers: tuple[Checker, ...] = ()
    not_before: int | None = None
    recomputed: Hours | None = None
    not_proven: list[str] = field(default_factory=list)

    @property
    def found(self) -> Attestation:
        if self.attestation is None:
            raise NotReachedError("the file was not read")
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
        except NotReachedError as error:
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
        case.recomputed,
    )


def _form(case: _Case) -> str:
    # (1) One file, in its one encoding; the claim names the checkpoint that lies beside it.
    case.attestation = Attestation.parse(case.data)
    return ""


def _signature(case: _Case) -> str:
    # (2) The key in the claim signed it, and is the freelancer's where the policy names one, or
    # took over its role in the log that the shown record has.
    case.found.claim.verify_signature()
    known = case.policy.parties.get(Role.FREELANCER, ())
    if not known:
        return "your policy names no freelancer: compare the key"
    if case.claim.public_key in known:
        return ""
    if case.shown is None or not is_freelancer(case.found, case.shown.report):
        raise VerificationError("another key than the freelancer's of your policy signed it")
    return "by the key that followed the one of your policy, as the record shows"


def _log(case: _Case) -> str:
    # (3) A log of the policy signed the checkpoint.
    logs_alone = TlogPolicy(case.policy.tlog.logs)
    verify_checkpoint(case.found.checkpoint, logs_alone)
    return ""


def _witnesses(case: _Case) -> str:
    # (4) The witnesses that the policy asks for cosigned it, before the claim was signed.
    if len(case.found.checkpoint.lines) == 1 and case.policy.tlog.quorum is not None:
        raise NotReachedError("no cosignature lies in it, and your policy asks for some")
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
        return _shown(case, case.shown)
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
    raise NotReachedError("nobody whom your policy names checked them, and no record was shown")


def _shown(case: _Case, shown: ShownRecord) -> str:
    found = figures_shown(case.found, shown)
    case.recomputed = found.hours
    try:
        require_said(case.found, found)
    except NotReachedError:
        case.not_proven.append(GRADED)
        raise
    same = found.hours == case.claim.hours
    return "recomputed from the bundle" + ("" if same else ", which shows more of it online")


_STEPS: Sequence[tuple[str, Callable[[_Case], str]]] = (
    ("form", _form),
    ("signature", _signature),
    ("log", _log),
    ("witnesses", _witnesses),
    ("checks", _checks),
    ("figures", _figures),
)
STEPS: Final = tuple(name for name, _ in _STEPS)
