"""`workseal attestation` and `workseal countersign`: what a freelancer shows of past work.

Rule: a check is signed only after everything that it says was recomputed from a bundle that holds.
"""

import argparse
import json
import time
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, Final

from workseal_protocol.attestation import (
    MAX_ATTESTATION_BYTES,
    Attestation,
    AttestationReport,
    Check,
    Claim,
    Hours,
    RecordOpening,
    ShownRecord,
    examine_attestation,
    sign_said,
)
from workseal_protocol.cli.files import read_bytes, require_new, write_new
from workseal_protocol.cli.inputs import read_bundle_bytes, read_policy, zone_named
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, MALFORMED, CommandError
from workseal_protocol.cli.report import step_line
from workseal_protocol.cli.seeds import read_signer
from workseal_protocol.cli.text import exact, instant, plain
from workseal_protocol.cli.verification import examine_for_user
from workseal_protocol.encoding import MAX_BYTES
from workseal_protocol.errors import MalformedError
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.terms import Level
from workseal_protocol.timesheets import date_of
from workseal_protocol.verify import Outcome

_LEVELS: Final = {
    Level.TIMER: "a signed timer",
    Level.ACTIVITY: "a signed timer and activity",
    Level.FRAMES: "a signed timer, activity and committed frames",
}


def attestation(options: argparse.Namespace) -> int:
    """Print the report on one attestation, beside its record where that is given."""
    policy = read_policy(options.policy)
    shown = _shown(options.opening, options.bundle, policy)
    report = examine_attestation(_read(options.file), policy, shown=shown)
    if options.json:
        print(json.dumps(attestation_value(report), indent=2))
    else:
        for line in attestation_lines(report):
            print(plain(line))
    if report.malformed:
        return MALFORMED
    return HOLDS if report.holds else DOES_NOT_HOLD


def countersign(options: argparse.Namespace) -> int:
    """Recompute an attestation from its record, and sign that it says the same."""
    require_new(options.out)
    signer = read_signer(options.key)
    policy = read_policy(options.policy)
    shown = _shown(options.opening, options.bundle, policy)
    if shown is None:
        raise CommandError("a check needs the record: name --opening and --bundle")
    found = _checked(options.file, policy, shown)
    if signer.public_key == found.claim.said.public_key:
        raise CommandError("whoever made an attestation does not check it")
    check = Check(
        public_key=signer.public_key,
        claimed_at=time.time_ns() // 1_000_000,
        about=found.claim.digest,
    )
    try:
        checked = found.with_check(sign_said(check, signer))
    except ValueError as error:
        raise CommandError(f"the check cannot be added: {error}") from error
    write_new(options.out, checked.encode())
    for line in claim_lines(found.claim.said):
        print(plain(line))
    print(plain(f"checked and signed; written to {options.out}"))
    return HOLDS


def _checked(file: Path, policy: TrustPolicy, shown: ShownRecord) -> Attestation:
    """Examine an attestation beside its record as its readers will, or raise `CommandError`.

    How many witnesses are enough is for each reader to say, so cosignatures may be left out.
    """
    report = examine_attestation(_read(file), policy, shown=shown)
    if report.attestation is None:
        raise CommandError(f"the attestation {file} is malformed: {report.steps[0].why}")
    for step in report.steps:
        if step.name != "witnesses" and step.outcome is not Outcome.HOLDS:
            raise CommandError(
                f"the attestation cannot be checked: step {step.number} ({step.name})"
                f" {step.outcome}: {step.why}",
                DOES_NOT_HOLD,
            )
    return report.attestation


def claim_lines(claim: Claim) -> Iterator[str]:
    """Write what a claim says for a person."""
    yield (
        f"{date_of(claim.first)} to {date_of(claim.last)}: {exact(claim.hours.recorded)} recorded"
    )
    yield from _hours_lines(claim.hours)
    yield f"  evidence that was agreed: {_LEVELS[claim.level]}"
    if claim.purpose is not None:
        yield f"  made for: {claim.purpose}"


def _hours_lines(hours: Hours) -> Iterator[str]:
    yield (
        f"  online {exact(hours.online)}, offline or late {exact(hours.offline)},"
        f" off-screen and declared {exact(hours.off_screen)}"
    )
    if hours.late_declared:
        yield f"  declared late, beside it: {exact(hours.late_declared)}"
    yield f"  of it in timesheets that a client accepted: {exact(hours.accepted)}"


def attestation_lines(report: AttestationReport) -> Iterator[str]:
    """Write the report for a person."""
    yield from (step_line(step) for step in report.steps)
    yield ""
    if report.attestation is None:
        yield "MALFORMED: this is not an attestation that can be judged."
    else:
        yield _verdict(report)
        yield from _content_lines(report, report.attestation)
    yield ""
    yield "Not proven, whatever the steps say:"
    yield from (f"  - {sentence}" for sentence in report.not_proven)


def attestation_value(report: AttestationReport) -> dict[str, Any]:
    """Write the report for a program; times are Unix milliseconds."""
    return {
        "holds": report.holds,
        "malformed": report.malformed,
        "steps": [
            {"number": one.number, "name": one.name, "outcome": str(one.outcome), "why": one.why}
            for one in report.steps
        ],
        "claim": None if report.attestation is None else _claim_value(report.attestation),
        "recomputed": None if report.recomputed is None else _hours_value(report.recomputed),
        "checks": [
            {
                "key": one.key.text(),
                "role": None if one.role is None else one.role.name.lower(),
                "claimed_at_ms": one.claimed_at,
            }
            for one in report.checkers
        ],
        "not_before_ms": report.not_before,
        "not_proven": list(report.not_proven),
    }


def _verdict(report: AttestationReport) -> str:
    if report.holds:
        return f"HOLDS: all {len(report.steps)} steps hold under your policy."
    if any(one.outcome.value == "fails" for one in report.steps):
        problem = next(one for one in report.steps if one.outcome.value == "fails")
        return f"DOES NOT HOLD: step {problem.number} ({problem.name}) fails."
    return "SIGNED, NOT SHOWN: nothing is false, and not everything could be checked."


def _content_lines(report: AttestationReport, found: Attestation) -> Iterator[str]:
    claim = found.claim.said
    yield f"Key {claim.public_key.text()}"
    yield f"says at {instant(claim.claimed_at)}, by their own clock:"
    yield from claim_lines(claim)
    if report.recomputed is not None and report.recomputed != claim.hours:
        yield f"By your policy, the bundle says of these days: {exact(report.recomputed.recorded)}"
        yield from _hours_lines(report.recomputed)
    log = found.checkpoint.checkpoint
    yield f"Log {log.origin}, {log.size} entries"
    if report.not_before is not None:
        yield f"Signed not before: {instant(report.not_before)}"
    for one in report.checkers:
        role = "nobody whom your policy names" if one.role is None else one.role.name.lower()
        yield f"Checked by {one.key.text()} ({role}), {instant(one.claimed_at)}"


def _claim_value(found: Attestation) -> dict[str, Any]:
    claim, log = found.claim.said, found.checkpoint.checkpoint
    return {
        "key": claim.public_key.text(),
        "claimed_at_ms": claim.claimed_at,
        "first": date_of(claim.first).isoformat(),
        "last": date_of(claim.last).isoformat(),
        **_hours_value(claim.hours),
        "level": claim.level.name.lower(),
        "purpose": claim.purpose,
        "log": {"origin": log.origin, "size": log.size},
        "digest": str(found.claim.digest),
    }


def _hours_value(hours: Hours) -> dict[str, int]:
    return {
        "recorded_ms": hours.recorded,
        "working_ms": hours.working,
        "off_screen_ms": hours.off_screen,
        "sealed_ms": hours.sealed,
        "late_declared_ms": hours.late_declared,
        "offline_ms": hours.offline,
        "accepted_ms": hours.accepted,
    }


def _read(path: Path) -> bytes:
    return read_bytes(path, limit=MAX_ATTESTATION_BYTES, what="attestation")


def _shown(opening: Path | None, bundle: Path | None, policy: TrustPolicy) -> ShownRecord | None:
    if opening is None and bundle is None:
        return None
    if opening is None or bundle is None:
        raise CommandError("--opening and --bundle go together")
    try:
        opened = RecordOpening.parse(read_bytes(opening, limit=MAX_BYTES, what="opening"))
    except MalformedError as error:
        raise CommandError(f"the opening {opening} is malformed: {error}") from error
    report, _ = examine_for_user(read_bundle_bytes(bundle), policy)
    return ShownRecord(opened, report, zone_named(report.zone) or UTC)
