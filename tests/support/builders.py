"""Parties with fixed keys, one engagement, and a valid example of every record.

Rule: every function gives something that holds; a test changes the one thing it is about, by a
keyword or with `dataclasses.replace`.
"""

from typing import Any

from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import (
    Acceptance,
    Act,
    Anchor,
    BeaconCommitment,
    BundleManifest,
    Capture,
    CasePlace,
    Claim,
    Declaration,
    DeclarationForm,
    DisclosedFrame,
    DisputeAct,
    DisputeDisclosure,
    DisputeFiling,
    DisputeFinding,
    DisputeRequest,
    Due,
    Evidence,
    Finding,
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    LogPolicy,
    ManifestEntry,
    Offer,
    Outcome,
    Possession,
    Record,
    RequestedFrame,
    RevocationReason,
    Ruling,
    Segment,
    SegmentState,
    SessionClose,
    SessionOpen,
    SheetAnswer,
    SheetDay,
    Timesheet,
    TimesheetAnswer,
    Tombstone,
    WithdrawalReason,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Granularity, Level, RoundingMode, Terms, WorkClass


def signer(name: str) -> SeedSigner:
    """Give the party of this name its key: the same in every run."""
    return SeedSigner(Digest.of(b"workseal test key: ", name.encode()).raw)


FREELANCER = signer("freelancer")
CLIENT = signer("client")
ARBITRATOR = signer("arbitrator")
OPERATOR = signer("operator")
# A key that the terms do not name.
STRANGER = signer("stranger")

ENGAGEMENT = bytes(range(16))
SESSION = bytes(range(16, 32))
ROUND_MS = 30_000
# 2026-11-23 09:00:00 UTC, the start of a round.
NOW = 1_795_424_400_000
ROUND = NOW // ROUND_MS
LOG_ORIGIN = "log.workseal.example"
LOG_POLICY = f"log {LOG_ORIGIN}+00000000+AQ==\nquorum none\n"


def digest(number: int | str) -> Digest:
    """Give a digest of nothing in particular; equal numbers give equal digests."""
    return Digest.of(f"digest {number}".encode())


def octets(number: int | str) -> bytes:
    """Give 32 bytes of nothing in particular."""
    return digest(number).raw


def make_terms(**changes: Any) -> Terms:
    """Give the standard terms: frames, 30 s rounds, one capture in 20 rounds."""
    fields: dict[str, Any] = {
        "client": CLIENT.public_key,
        "freelancer": FREELANCER.public_key,
        "arbitrators": (ARBITRATOR.public_key,),
        "operator": OPERATOR.public_key,
        "log_policy": LOG_POLICY,
        "round_ms": ROUND_MS,
        "capture_rate": 3277,
        "level": Level.FRAMES,
        "tile": 32,
        "max_withdrawn_percent": 20,
        "max_offline_ms_per_week": 36_000_000,
        "weekly_cap_ms": 144_000_000,
        "granularity": Granularity.INTERVAL,
        "rate_minor_per_hour": 6_500,
        "currency": "EUR",
        "rounding_ms": 0,
        "rounding_mode": RoundingMode.DOWN,
        "zone": "Europe/Berlin",
        "client_calendar": "US",
        "freelancer_calendar": "DE-BY",
        "review_days": 5,
        "answer_days": 10,
        "retention_days": 90,
        "worth_percent": {
            WorkClass.WORKING: 100,
            WorkClass.OFF_SCREEN: 100,
            WorkClass.SEALED: 100,
            WorkClass.LATE_DECLARED: 50,
        },
    }
    return Terms(**(fields | changes))


def make_offer(**changes: Any) -> Offer:
    """Give the client's offer of the standard terms."""
    fields: dict[str, Any] = {
        "engagement": ENGAGEMENT,
        "claimed_at": NOW - 7_200_000,
        "terms": make_terms(),
    }
    return Offer(**(fields | changes))


def make_acceptance(offer: Statement | None = None, **changes: Any) -> Acceptance:
    """Give the freelancer's acceptance of an offer, or of the standard one."""
    accepted = offer or sign(make_offer(), CLIENT)
    fields: dict[str, Any] = {
        "engagement": ENGAGEMENT,
        "claimed_at": NOW - 3_600_000,
        "terms": make_terms(),
        "offer": accepted.digest,
    }
    return Acceptance(**(fields | changes))


def link(seq: int, prev: Digest | None = None) -> dict[str, Any]:
    """Give the fields that every chained record begins with."""
    return {
        "engagement": ENGAGEMENT,
        "seq": seq,
        "prev": prev or digest(f"before {seq}"),
        "anchor": Anchor(digest("checkpoint"), 2),
        "claimed_at": NOW + seq * ROUND_MS,
    }


def make_open(seq: int = 0, prev: Digest | None = None, **changes: Any) -> SessionOpen:
    """Give the opening of a session of one day of rounds."""
    fields = link(seq, prev) | {
        "session": SESSION,
        "head": digest("agent head"),
        "first_round": ROUND,
        "rounds": 2880,
        "agent": "workseal-agent 0.1.0",
        "environment": digest("environment"),
    }
    return SessionOpen(**(fields | changes))


def make_segment(seq: int = 1, prev: Digest | None = None, **changes: Any) -> Segment:
    """Give a whole round of work; number 1 is the session's first round."""
    place = ROUND + seq - 1
    fields = link(seq, prev) | {
        "session": SESSION,
        "round": place,
        "begin": place * ROUND_MS,
        "end": (place + 1) * ROUND_MS,
        "worked": ROUND_MS,
        "state": SegmentState.WORKING,
        "agent_value": octets(f"agent {place}"),
        "verifier_value": octets(f"verifier {place}"),
        "activity": digest(f"activity {place}"),
        "notes": digest(f"notes {place}"),
        "capture": Capture.CAPTURED,
        "frames": (digest(f"frame {place}"),),
    }
    return Segment(**(fields | changes))


def make_close(seq: int = 2, prev: Digest | None = None, **changes: Any) -> SessionClose:
    """Give the close of a session of one captured segment."""
    fields = link(seq, prev) | {
        "session": SESSION,
        "segments": 1,
        "worked": ROUND_MS,
        "captured": 1,
        "missed": 0,
    }
    return SessionClose(**(fields | changes))


def make_tombstone(seq: int = 3, prev: Digest | None = None, **changes: Any) -> Tombstone:
    """Give the withdrawal of the frame of segment number 1."""
    fields = link(seq, prev) | {
        "segment": digest("segment"),
        "frame": digest(f"frame {ROUND}"),
        "reason": WithdrawalReason.PRIVATE,
    }
    return Tombstone(**(fields | changes))


def make_declaration(seq: int = 4, prev: Digest | None = None, **changes: Any) -> Declaration:
    """Give a late declaration of one hour of the evening before."""
    fields = link(seq, prev) | {
        "begin": NOW - 54_000_000,
        "end": NOW - 50_400_000,
        "worked": 3_000_000,
        "form": DeclarationForm.LATE,
        "memo": digest("memo"),
    }
    return Declaration(**(fields | changes))


def make_evidence(seq: int = 5, prev: Digest | None = None, **changes: Any) -> Evidence:
    """Give a commitment to an item of evidence."""
    return Evidence(**(link(seq, prev) | {"item": digest("item")} | changes))


def make_possession(**changes: Any) -> Possession:
    """Give a statement of possession without draws."""
    fields: dict[str, Any] = {
        "engagement": ENGAGEMENT,
        "claimed_at": NOW,
        "round": 7,
        "value": bytes(32),
        "head": digest("head"),
        "count": 1,
        "root": digest("root"),
    }
    return Possession(**(fields | changes))


def make_announce(of: SeedSigner = FREELANCER, **changes: Any) -> KeyAnnounce:
    """Give the announcement of a key."""
    fields: dict[str, Any] = {
        "claimed_at": NOW - 86_400_000,
        "public_key": of.public_key,
        "role": Role.FREELANCER,
        "recovery": signer("recovery").public_key.thumbprint,
    }
    return KeyAnnounce(**(fields | changes))


def make_rotate(
    old: SeedSigner = FREELANCER, new: SeedSigner | None = None, *, claimed_at: int = NOW
) -> KeyRotate:
    """Give the replacement of a key by a new one."""
    follower = new or signer("freelancer's second key")
    return KeyRotate.make(claimed_at=claimed_at, old=old.public_key, new=follower)


def make_revoke(of: SeedSigner = FREELANCER, **changes: Any) -> KeyRevoke:
    """Give the end of a key."""
    fields: dict[str, Any] = {
        "claimed_at": NOW,
        "key": of.public_key.thumbprint,
        "reason": RevocationReason.RETIRED,
    }
    return KeyRevoke(**(fields | changes))


def make_log_policy(**changes: Any) -> LogPolicy:
    """Give the operator's publication of its log's rules."""
    fields: dict[str, Any] = {
        "claimed_at": NOW - 86_400_000,
        "origin": LOG_ORIGIN,
        "policy": LOG_POLICY,
        "rules": "statements of the parties that an accepted offer names\n",
    }
    return LogPolicy(**(fields | changes))


def make_beacon(**changes: Any) -> BeaconCommitment:
    """Give the operator's commitment to one day of round values."""
    fields: dict[str, Any] = {
        "claimed_at": NOW - 86_400_000,
        "period_ms": ROUND_MS,
        "first_round": ROUND,
        "count": 2880,
        "head": digest("verifier head"),
    }
    return BeaconCommitment(**(fields | changes))


def make_timesheet(**changes: Any) -> Timesheet:
    """Give the sums of a week with two days of work, which replace earlier ones."""
    fields: dict[str, Any] = {
        "engagement": ENGAGEMENT,
        "claimed_at": NOW + 7 * 86_400_000,
        "first": 20_514,
        "last": 20_520,
        "head": digest("head"),
        "days": (
            SheetDay(20_514, 7_200_000, 600_000, 0, 0),
            SheetDay(20_516, 3_600_123, 0, 60_000, 1_800_000),
        ),
        "billed_ms": 12_360_123,
        "amount": 22_317,
        "replaces": digest("earlier timesheet"),
    }
    return Timesheet(**(fields | changes))


def make_sheet_answer(**changes: Any) -> TimesheetAnswer:
    """Give the client's objection to the timesheet."""
    fields: dict[str, Any] = {
        "engagement": ENGAGEMENT,
        "claimed_at": NOW + 8 * 86_400_000,
        "timesheet": digest("timesheet"),
        "answer": SheetAnswer.OBJECTION,
        "text": "the second day was a holiday",
    }
    return TimesheetAnswer(**(fields | changes))


def make_due(**changes: Any) -> Due:
    """Give a deadline of five working days: the end of 30 November 2026 in Berlin."""
    fields: dict[str, Any] = {
        "until": 1_796_079_599_999,
        "days": 5,
        "calendar": "DE-BY",
        "source": "holidays 0.109",
        "zone": "Europe/Berlin",
        "offset": 60,
        "weekend": 0b1100000,
    }
    return Due(**(fields | changes))


def make_filing(**changes: Any) -> DisputeFiling:
    """Give the client's filing about the week before."""
    fields: dict[str, Any] = {
        "engagement": ENGAGEMENT,
        "claimed_at": NOW,
        "due": make_due(),
        "claim": Claim.NOT_WORKED,
        "text": "nothing was delivered for these hours",
        "begin": NOW - 7 * 86_400_000,
        "end": NOW,
        "amount": 130_000,
    }
    return DisputeFiling(**(fields | changes))


def make_act(**changes: Any) -> DisputeAct:
    """Give the arbitrator's ruling that grants a request."""
    fields: dict[str, Any] = {
        "engagement": ENGAGEMENT,
        "claimed_at": NOW,
        "place": CasePlace(digest("filing"), digest("statement before"), make_due()),
        "act": Act.RULE,
        "text": "the sums alone do not tell",
        "code": Ruling.GRANT,
    }
    return DisputeAct(**(fields | changes))


def make_request(**changes: Any) -> DisputeRequest:
    """Give the arbitrator's request for the frame of segment number 1."""
    fields: dict[str, Any] = {
        "engagement": ENGAGEMENT,
        "claimed_at": NOW + 86_400_000,
        "frames": (RequestedFrame(digest("segment"), digest(f"frame {ROUND}")),),
        "reason": "the client says that nothing was done in the first hour",
        "sealing_key": bytes(1216),
        "answer_by": NOW + 10 * 86_400_000,
    }
    return DisputeRequest(**(fields | changes))


def make_disclosure(**changes: Any) -> DisputeDisclosure:
    """Give the freelancer's answer to the request."""
    fields: dict[str, Any] = {
        "engagement": ENGAGEMENT,
        "claimed_at": NOW + 2 * 86_400_000,
        "request": digest("request"),
        "frames": (DisclosedFrame(digest(f"frame {ROUND}"), digest("disclosure")),),
    }
    return DisputeDisclosure(**(fields | changes))


def make_finding(**changes: Any) -> DisputeFinding:
    """Give the operator's finding about the answer."""
    fields: dict[str, Any] = {
        "engagement": ENGAGEMENT,
        "claimed_at": NOW + 2 * 86_400_000 + 1_000,
        "disclosure": digest("disclosure statement"),
        "findings": (Finding(digest("disclosure"), Outcome.HOLDS, 96, 2040),),
    }
    return DisputeFinding(**(fields | changes))


def make_manifest(**changes: Any) -> BundleManifest:
    """Give a manifest of two entries."""
    fields: dict[str, Any] = {
        "engagement": ENGAGEMENT,
        "claimed_at": NOW + 3 * 86_400_000,
        "entries": (
            ManifestEntry("README.txt", digest("readme"), 1234),
            ManifestEntry("disclosures/000001.disclosure", digest("disclosure"), 56_789),
        ),
    }
    return BundleManifest(**(fields | changes))


def one_of_each() -> tuple[tuple[Record, SeedSigner], ...]:
    """Give every kind of record with the party that makes it."""
    return (
        (make_announce(), FREELANCER),
        (make_rotate(), FREELANCER),
        (make_revoke(), FREELANCER),
        (make_offer(), CLIENT),
        (make_acceptance(), FREELANCER),
        (make_open(), FREELANCER),
        (make_segment(), FREELANCER),
        (make_close(), FREELANCER),
        (make_tombstone(), FREELANCER),
        (make_declaration(), FREELANCER),
        (make_evidence(), FREELANCER),
        (make_possession(), FREELANCER),
        (make_timesheet(), FREELANCER),
        (make_sheet_answer(), CLIENT),
        (make_log_policy(), OPERATOR),
        (make_beacon(), OPERATOR),
        (make_filing(), CLIENT),
        (make_act(), ARBITRATOR),
        (make_request(), ARBITRATOR),
        (make_disclosure(), FREELANCER),
        (make_finding(), OPERATOR),
        (make_manifest(), FREELANCER),
    )
