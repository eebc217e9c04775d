"""The rows and columns that a stored statement is found by, derived from the statement alone.

Admission writes them, `check-log` derives them again, and so does a rebuilt log: all three here.
"""

from collections.abc import Mapping

from workseal_protocol.digest import Digest
from workseal_protocol.records import (
    BeaconCommitment,
    ChainedRecord,
    Declaration,
    DeclarationForm,
    DisputeDisclosure,
    DisputeFinding,
    KeyAnnounce,
    KeyRecord,
    KeyRevoke,
    KeyRotate,
    Offer,
    Possession,
    Record,
    Segment,
    TimesheetAnswer,
    Tombstone,
)
from workseal_protocol.records.segmentform import read_stretch
from workseal_protocol.statement import Kind, Statement, engagement_subject, outline
from workseal_verifier.services.keyevents import parties_of
from workseal_verifier.services.work import Span
from workseal_verifier.store.engine import Row
from workseal_verifier.store.logrows import BeaconRow, Entry, KeyRow, PartyRow, Tie


def entry_of(statement: Statement, record: Record, place: int, worker: Digest | None) -> Entry:
    """Make the stored form of a statement; `worker` is the freelancer key of its terms."""
    return entry_with(statement, record, place, None if worker is None else span_of(record, worker))


def entry_with(statement: Statement, record: Record, place: int, span: Span | None) -> Entry:
    """Make the stored form of a statement from the time that it claims as worked."""
    return Entry(
        position=place,
        digest=statement.digest,
        body=statement.encode(),
        kind=statement.kind.value,
        engagement=getattr(record, "engagement", None),
        about=about_of(record),
        worker=None if span is None else span.worker.raw,
        begin_ms=None if span is None else span.begin_ms,
        end_ms=None if span is None else span.end_ms,
        seq=record.seq if isinstance(record, ChainedRecord) else None,
    )


def segment_row(
    body: bytes, place: int, digest: bytes, workers: Mapping[bytes, Digest]
) -> tuple[Row, tuple[int, bytes]] | None:
    """Write the row of a segment from its bytes alone, and what it is anchored on.

    None where `entry_of` says it, or the bytes are no statement. Nearly every statement is a
    segment, and this costs a fourth.
    """
    cut = outline(body)
    if cut is None or cut[0] is not Kind.SEGMENT:
        return None
    _, subject, payload = cut
    stretch = read_stretch(payload)
    if stretch is None or engagement_subject(stretch[0]) != subject:
        return None
    engagement, seq, anchor, size, begin, end = stretch
    worker = workers.get(engagement)
    times = (None, None, None) if worker is None or begin == end else (worker.raw, begin, end)
    row = (place, digest, body, Kind.SEGMENT.value, engagement, None, *times, seq)
    return row, (size, anchor)


def beacon_row(record: BeaconCommitment, digest: Digest, place: int) -> BeaconRow:
    """Make the stored form of a commitment to a chain of the beacon."""
    return BeaconRow(
        period_ms=record.period_ms,
        first_round=record.first_round,
        count=record.count,
        head=record.head,
        statement=digest,
        position=place,
    )


def key_row(record: KeyRecord, place: int) -> KeyRow:
    """Make the stored form of whom a key statement is about."""
    match record:
        case KeyAnnounce(public_key=key, recovery=recovery):
            return KeyRow(position=place, subject=key.thumbprint, recovery=recovery)
        case KeyRotate(old=old, public_key=key):
            return KeyRow(position=place, subject=old, successor=key.thumbprint)
        case KeyRevoke(key=ended):
            return KeyRow(position=place, subject=ended)


def party_rows(
    record: Offer, place: int, *, accepted_at: int | None = None, moved_at: int | None = None
) -> list[PartyRow]:
    """Make the stored form of the keys that an offer's terms name.

    `accepted_at` is the place of the acceptance, `moved_at` that of the newest step of a case.
    """
    return [
        PartyRow(
            thumbprint=key.thumbprint,
            engagement=record.engagement,
            role=role,
            key=key.raw,
            tie=Tie.of(role, accepted=accepted_at is not None),
            place=place if accepted_at is None else accepted_at,
            moved=moved_at,
        )
        for role, keys in parties_of(record.terms).items()
        for key in keys
    ]


def span_of(record: Record, worker: Digest) -> Span | None:
    """Return the time that a record claims as worked; None for a record that adds none."""
    match record:
        case Segment() | Declaration(form=DeclarationForm.LATE) if record.begin < record.end:
            return Span(worker, record.engagement, record.begin, record.end)
        case _:
            return None


def about_of(record: Record) -> bytes | None:
    """Return what a record answers or follows, by which it is found."""
    match record:
        case Segment():
            # First, for nearly every statement is one.
            return None
        case KeyRotate():
            return record.public_key.thumbprint.raw
        case Tombstone():
            return record.frame.raw
        case (
            DisputeDisclosure(request=other)
            | DisputeFinding(disclosure=other)
            | TimesheetAnswer(timesheet=other)
        ):
            return other.raw
        case Possession(before=before, engagement=engagement):
            # One place each: the first one follows the engagement itself.
            return (Digest.of(engagement) if before is None else before).raw
        case _:
            return None
