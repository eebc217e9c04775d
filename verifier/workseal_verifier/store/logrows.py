"""What is written of a log: its head, its statements and what is found by them, its checkpoints.

Values alone: `log` writes and reads them. Each row's values stand in the order of the columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, unique

from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_verifier.store.engine import Row
from workseal_verifier.store.milestonerows import MilestoneRow
from workseal_verifier.store.notices import Notice


@dataclass(frozen=True, slots=True)
class Head:
    """How far the log reaches."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One logged statement, and what the questions to the log are asked by."""

    position: int
    digest: Digest
    body: bytes
    kind: str
    engagement: bytes | None = None
    about: bytes | None = None
    worker: bytes | None = None
    begin_ms: int | None = None
    end_ms: int | None = None
    seq: int | None = None

    def moved(self, by: int) -> "Entry":
        """Return the same at a place so much further on."""
        # Each field is named: `replace` looks them all up, for each statement.
        return Entry(
            position=self.position + by,
            digest=self.digest,
            body=self.body,
            kind=self.kind,
            engagement=self.engagement,
            about=self.about,
            worker=self.worker,
            begin_ms=self.begin_ms,
            end_ms=self.end_ms,
            seq=self.seq,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BeaconRow:
    """One committed chain of the beacon."""

    period_ms: int
    first_round: int
    count: int
    head: Digest
    statement: Digest
    position: int


@unique
class Tie(IntEnum):
    """Say how a key is tied to an agreement, the closest first.

    Of the first two each is the key's own doing: strangers cannot add to them.
    """

    SIGNED = 0  # both signed it, and the key is one of the two
    OFFERED = 1  # the key offers it, nobody has accepted
    NAMED = 2  # two others signed it, and named the key
    ASKED = 3  # somebody else offers it, nobody has accepted

    @classmethod
    def of(cls, role: Role, *, accepted: bool) -> "Tie":
        """Return the tie of a key that an agreement names in a role."""
        if accepted:
            return cls.SIGNED if role in _SIGNING else cls.NAMED
        return cls.OFFERED if role is Role.CLIENT else cls.ASKED


_SIGNING = (Role.CLIENT, Role.FREELANCER)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRow:
    """One key that the terms of an engagement name; `place` is that of what made the tie."""

    thumbprint: Digest
    engagement: bytes
    role: Role
    key: bytes
    tie: Tie
    place: int
    moved: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """Which key must count for a key statement, and which one it brings or names."""

    position: int
    subject: Digest
    successor: Digest | None = None
    recovery: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """Where a case stood after one of its statements; `filing` names the case."""

    position: int
    filing: Digest
    engagement: bytes
    state: str
    until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRow:
    """A checkpoint; `signed` is None between commit and signing."""

    size: int
    root: bytes
    signed: bytes | None
    signed_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Everything that one sequencing tick writes.

    Of a rebuilt log `checkpoints` holds those that were signed before, the new one among them; else
    the new one is signed after it is committed.
    """

    old: Head
    new: Head
    entries: Sequence[Entry]
    tiles: Mapping[tuple[int, int], bytes]
    beacons: Sequence[BeaconRow] = field(default=())
    parties: Sequence[PartyRow] = field(default=())
    keys: Sequence[KeyRow] = field(default=())
    cases: Sequence[CaseRow] = field(default=())
    notices: Sequence[Notice] = field(default=())
    milestones: Sequence[MilestoneRow] = field(default=())
    checkpoints: Sequence[SignedRow] = field(default=())


def entry_row(entry: Entry) -> Row:
    """Write an entry as the values that the database has for it, in their order."""
    return (
        entry.position,
        entry.digest.raw,
        entry.body,
        entry.kind,
        entry.engagement,
        entry.about,
        entry.worker,
        entry.begin_ms,
        entry.end_ms,
        entry.seq,
    )


def signed_values(row: SignedRow) -> dict[str, object]:
    """Write a checkpoint as values by column."""
    return {
        "size": row.size,
        "root": row.root,
        "signed": row.signed,
        "digest": None if row.signed is None else Digest.of(row.signed).raw,
        "signed_at": row.signed_at,
    }


def beacon_values(row: BeaconRow) -> dict[str, object]:
    """Write a chain of the beacon as values by column."""
    return {
        "period_ms": row.period_ms,
        "first_round": row.first_round,
        "count": row.count,
        "head": row.head.raw,
        "statement": row.statement.raw,
        "position": row.position,
    }


def party_values(row: PartyRow) -> dict[str, object]:
    """Write a key that terms name as values by column."""
    return {
        "thumbprint": row.thumbprint.raw,
        "engagement": row.engagement,
        "role": int(row.role),
        "key": row.key,
        "tie": int(row.tie),
        "place": row.place,
        "moved": row.moved,
    }


def key_values(row: KeyRow) -> dict[str, object]:
    """Write a key statement's row as values by column."""
    return {
        "position": row.position,
        "subject": row.subject.raw,
        "successor": None if row.successor is None else row.successor.raw,
        "recovery": None if row.recovery is None else row.recovery.raw,
    }


def case_values(row: CaseRow) -> dict[str, object]:
    """Write a step of a case as values by column."""
    return {
        "position": row.position,
        "filing": row.filing.raw,
        "engagement": row.engagement,
        "state": row.state,
        "until_ms": row.until_ms,
    }
