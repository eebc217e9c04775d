"""What a freelancer adds to the chain by hand: withdrawn frames, late time, items of evidence.

Rules: withdrawing a frame never changes time. The tombstone is durable before the frame's key is
destroyed, and what a crash left undone is done at the next start.
"""

import secrets
from dataclasses import dataclass
from typing import Protocol

from workseal_agent.chain import OwnChain, Place
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_agent.ledger import CaptureRow, Ledger, PrivateValue, SendState, Transaction
from workseal_protocol.commitment import ValueKind, commit
from workseal_protocol.digest import Digest
from workseal_protocol.records import (
    Declaration,
    DeclarationForm,
    Evidence,
    EvidenceItem,
    Tombstone,
    WithdrawalReason,
    encode_item,
    parse_item,
    read_record,
)
from workseal_protocol.statement import Statement

# Characters of a commitment; fewer could be a mistyped number.
_SHORTEST_NAME = 8


class UnknownFrameError(AgentError):
    """Say that a frame is not known, or is withdrawn."""


class Destroyer(Protocol):
    """What withdrawing needs of the vault."""

    def destroy(self, commitment: Digest) -> bool:
        """Destroy a frame."""
        ...

    def destroy_secret(self, name: bytes) -> bool:
        """Destroy a secret."""
        ...


@dataclass(frozen=True, slots=True)
class LateWork:
    """Describe off-screen work that was not recorded."""

    begin_ms: int
    end_ms: int
    worked_ms: int
    memo: str
    artefact: bytes | None = None


def find_frame(ledger: Ledger, engagement: bytes, name: str) -> CaptureRow:
    """Find a frame by its number or by the beginning of its commitment."""
    rows = ledger.captures(engagement)
    if name.isascii() and name.isdigit() and len(name) < 10:
        found = [row for row in rows if row.number == int(name)]
    elif len(name) < _SHORTEST_NAME:
        raise UnknownFrameError(
            phrase(
                "a frame is named by its number, or by the first {least} characters of its"
                " commitment: `workseal-agent frames` lists them",
                least=_SHORTEST_NAME,
            )
        )
    else:
        found = [row for row in rows if str(row.commitment).startswith(name)]
    if not found:
        raise UnknownFrameError("there is no such frame: `workseal-agent frames` lists them")
    if len(found) > 1:
        raise UnknownFrameError("several frames begin like that: type more of the commitment")
    return found[0]


def withdraw(
    chain: OwnChain,
    ledger: Ledger,
    vault: Destroyer,
    frame: CaptureRow,
    reason: WithdrawalReason,
    *,
    now_ms: int,
) -> Statement:
    """Withdraw a frame: its key is destroyed, its commitment and its time stay."""
    statement = bury(chain, frame, reason, now_ms=now_ms)
    finish_withdrawals(ledger, vault)
    return statement


def bury(chain: OwnChain, frame: CaptureRow, reason: WithdrawalReason, *, now_ms: int) -> Statement:
    """Say in the chain that a frame is withdrawn; `finish_withdrawals` then destroys it."""
    if frame.withdrawn:
        raise UnknownFrameError("the frame is withdrawn already")

    def build(place: Place) -> Tombstone:
        return Tombstone(
            **place.link(now_ms), segment=frame.segment, frame=frame.commitment, reason=reason
        )

    def also(writing: Transaction, statement: Statement) -> None:
        writing.withdraw_capture(frame.commitment, statement.digest)

    return chain.append(build, also)


def finish_withdrawals(ledger: Ledger, vault: Destroyer) -> None:
    """Destroy every withdrawn frame that is still there, and what was disclosed of it.

    Of every engagement: what is known of a frame's disclosures is forgotten with the frame.
    """
    for frame in ledger.undestroyed():
        vault.destroy(frame)
        for disclosure in _disclosures_of(ledger, frame):
            destroy_parts(vault, disclosure)
        with ledger.write() as writing:
            writing.forget_disclosures(frame)
            writing.mark_destroyed(frame)


def _disclosures_of(ledger: Ledger, frame: Digest) -> list[Digest]:
    return [
        disclosure
        for engagement in ledger.engagements()
        for disclosure, _, shown in ledger.disclosures(engagement.id)
        if shown == frame
    ]


def part_name(disclosure: Digest, part: int) -> bytes:
    """Name one part of a disclosure in the vault."""
    return b"disclosure/" + disclosure.raw + part.to_bytes(2, "big")


def destroy_parts(vault: Destroyer, disclosure: Digest) -> None:
    """Destroy a disclosure that was kept in parts."""
    part = 0
    while vault.destroy_secret(part_name(disclosure, part)):
        part += 1


def declare_late(
    chain: OwnChain, work: LateWork, *, now_ms: int, recorded_from_ms: int | None
) -> Statement:
    """Declare time that was not recorded; it is shown as declared late, beside the recorded time.

    `recorded_from_ms` is when the recording that is not signed yet began, if one runs.
    """
    if recorded_from_ms is not None and work.end_ms > recorded_from_ms:
        raise AgentError("this time is being recorded now: declare only time before it")
    salt = secrets.token_bytes(16)
    memo = work.memo.encode()
    values = [PrivateValue(ValueKind.MEMO, salt, memo)]
    artefact = None
    if work.artefact is not None:
        artefact_salt = secrets.token_bytes(16)
        values.append(PrivateValue(ValueKind.ARTEFACT, artefact_salt, work.artefact))
        artefact = commit(ValueKind.ARTEFACT, artefact_salt, work.artefact)

    def build(place: Place) -> Declaration:
        return Declaration(
            **place.link(now_ms),
            begin=work.begin_ms,
            end=work.end_ms,
            worked=work.worked_ms,
            form=DeclarationForm.LATE,
            memo=commit(ValueKind.MEMO, salt, memo),
            artefact=artefact,
        )

    def also(writing: Transaction, statement: Statement) -> None:
        for value in values:
            writing.add_opening(statement.digest, value)

    return chain.append(build, also)


@dataclass(frozen=True, slots=True)
class Proved:
    """Hold one item that stands in the chain, and how far its statement has come."""

    number: int
    digest: Digest
    claimed_ms: int
    item: EvidenceItem
    state: SendState


def prove(chain: OwnChain, item: EvidenceItem, *, now_ms: int) -> Statement:
    """Put an item into the chain: only a commitment to it is sent. It adds no time."""
    value = PrivateValue(ValueKind.EVIDENCE, secrets.token_bytes(16), encode_item(item))

    def build(place: Place) -> Evidence:
        commitment = commit(ValueKind.EVIDENCE, value.salt, value.value)
        return Evidence(**place.link(now_ms), item=commitment)

    return chain.append(
        build, lambda writing, statement: writing.add_opening(statement.digest, value)
    )


def proved(ledger: Ledger, engagement: bytes) -> tuple[Proved, ...]:
    """List the items of an engagement, in the order of its chain; opens their private values."""
    found: list[Proved] = []
    for stored in ledger.of_kind(engagement, Evidence.KIND.value):
        record = read_record(Statement.parse(stored.body))
        for value in ledger.private_values(stored.digest):
            if isinstance(record, Evidence) and value.kind == ValueKind.EVIDENCE:
                found.append(
                    Proved(
                        len(found) + 1,
                        stored.digest,
                        record.claimed_at,
                        parse_item(value.value),
                        stored.state,
                    )
                )
    return tuple(found)
