"""Attestations: what this freelancer worked in some days, for others to see, naming no client.

Rules: what is attested was verified as its reader will: it comes from a bundle that holds, made now
or kept from before, when the verifier may be no more. Of the checkpoint only the log's own line
goes along, and the witnesses that were chosen by name: a witness's name may be the client's.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, tzinfo

from workseal_agent.errors import AgentError
from workseal_agent.export import trust_of
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement
from workseal_protocol.attestation import (
    Attestation,
    Claim,
    RecordOpening,
    ShownRecord,
    figures_of,
    sign_said,
    verify_shown,
)
from workseal_protocol.bundle import Bundle
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.keys import Signer
from workseal_protocol.note import NoteLine
from workseal_protocol.timesheets import day_number
from workseal_protocol.verify import Report, examine_bundle


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold what will be signed, the checkpoint beside it, and what says which record it is of."""

    claim: Claim
    checkpoint: SignedCheckpoint
    opening: RecordOpening
    shown: ShownRecord

    @property
    def witnesses(self) -> frozenset[str]:
        """Name the witnesses whose lines go along."""
        return frozenset(line.name for line in _witness_lines(self.checkpoint))


def examine_kept(data: bytes, engagement: Engagement, zone: tzinfo) -> Report:
    """Examine a bundle of the engagement that was made before, or raise `AgentError`.

    What it says is as of then: later work is not in it. Raises `MalformedError` for other bytes.
    """
    contents = Bundle.parse(data).contents
    stamped = contents.token is not None or bool(contents.timestamps)
    trust = trust_of(engagement, engagement.tsa_roots if stamped else ())
    report = examine_bundle(data, trust, zone=zone)
    if not report.holds:
        raise AgentError(
            phrase("the bundle does not hold: step {problem}", problem=report.first_problem)
        )
    if report.engagement != engagement.id:
        raise AgentError("the bundle is of another engagement")
    return report


def cosigners(report: Report) -> tuple[str, ...]:
    """Name the witnesses whose lines the newest checkpoint has."""
    return tuple(line.name for line in _witness_lines(_checkpoint(report)))


def draft(  # noqa: PLR0913 - the record, the choices, the moment and chance
    report: Report,
    signer: Signer,
    zone: tzinfo,
    first: date,
    last: date,
    *,
    witnesses: Collection[str],
    purpose: str | None,
    now_ms: int,
    salt: bytes,
) -> Draft:
    """Sum up the days [first, last] of a bundle that holds."""
    if report.terms is None or report.engagement is None:
        raise AgentError("the bundle has no terms")
    checkpoint = _with_lines_of(_checkpoint(report), witnesses)
    found = figures_of(report, zone, first, last, size=checkpoint.checkpoint.size)
    opening = RecordOpening(salt, report.engagement, found.head)
    claim = Claim(
        public_key=signer.public_key,
        claimed_at=now_ms,
        first=day_number(first),
        last=day_number(last),
        hours=found.hours,
        level=report.terms.level,
        checkpoint=checkpoint.digest,
        record=opening.commitment,
        purpose=purpose,
    )
    return Draft(claim, checkpoint, opening, ShownRecord(opening, report, zone))


def attest(made: Draft, signer: Signer) -> Attestation:
    """Sign a draft, and check the result against its record as whoever is shown both will."""
    attestation = Attestation(sign_said(made.claim, signer), made.checkpoint)
    verify_shown(attestation, made.shown)
    return attestation


def _checkpoint(report: Report) -> SignedCheckpoint:
    if report.bundle is None:
        raise AgentError("the bundle was not read")
    return report.bundle.contents.checkpoint


def _with_lines_of(signed: SignedCheckpoint, witnesses: Collection[str]) -> SignedCheckpoint:
    missing = set(witnesses) - {line.name for line in _witness_lines(signed)}
    if missing:
        raise AgentError(
            phrase("no witness of this name cosigned the checkpoint: {name}", name=min(missing))
        )
    origin = signed.checkpoint.origin
    kept = tuple(one for one in signed.lines if one.name in {origin, *witnesses})
    return replace(signed, lines=kept)


def _witness_lines(signed: SignedCheckpoint) -> tuple[NoteLine, ...]:
    return tuple(line for line in signed.lines if line.name != signed.checkpoint.origin)
