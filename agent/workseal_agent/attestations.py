"""Attestations: what this freelancer worked in some days, for others to see, naming no client.

Rules: what is attested was verified as its reader will: it comes from a bundle that holds. Of the
checkpoint only the log's own line goes along, and the witnesses that were chosen by name: a
witness's name may be the client's.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, tzinfo

from workseal_agent.errors import AgentError
from workseal_agent.export import Exported
from workseal_agent.language import phrase
from workseal_protocol.attestation import (
    Attestation,
    Claim,
    RecordOpening,
    ShownRecord,
    figures_of,
    sign_said,
    verify_shown,
)
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.keys import Signer
from workseal_protocol.note import NoteLine
from workseal_protocol.timesheets import day_number


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


def cosigners(exported: Exported) -> tuple[str, ...]:
    """Name the witnesses whose lines the newest checkpoint has."""
    return tuple(line.name for line in _witness_lines(_checkpoint(exported)))


def draft(  # noqa: PLR0913 - the record, the choices, the moment and chance
    exported: Exported,
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
    report = exported.report
    if report.terms is None or report.engagement is None:
        raise AgentError("the bundle has no terms")
    checkpoint = _with_lines_of(_checkpoint(exported), witnesses)
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


def _checkpoint(exported: Exported) -> SignedCheckpoint:
    bundle = exported.report.bundle
    if bundle is None:
        raise AgentError("the bundle was not read")
    return bundle.contents.checkpoint


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
