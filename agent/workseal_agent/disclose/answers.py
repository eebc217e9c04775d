"""What shows the tiles, signed; it is kept before it is sent.

Rules: statement and disclosures are durable before they are sent. After one statement of a case
there is one own and no other. The package for the arbitrator is sealed to the request's key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from workseal_agent.disclose.opened import Opened
from workseal_agent.disclose.requests import Request, RequestError
from workseal_agent.errors import AgentError, VaultError
from workseal_agent.evidence import part_name
from workseal_agent.language import phrase
from workseal_agent.ledger import Ledger, RevealRow, SendState
from workseal_protocol.cli.nextact import place_next
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.keys import Signer
from workseal_protocol.records import DisclosedFrame, DisputeDisclosure, read_record, sign
from workseal_protocol.sealing import seal_package
from workseal_protocol.statement import Kind, Statement

_PART_BYTES = 1 << 20
# What this agent itself says in a case after its filing.
OWN_IN_CASE = (Kind.DISPUTE_ACT, Kind.DISPUTE_DISCLOSURE)


class SecretKeeper(Protocol):
    """What a disclosure needs of the vault's public half."""

    def put_secret(self, name: bytes, value: bytes) -> None:
        """Keep a secret."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold a signed disclosure that is ready to be sent."""

    request: Request
    statement: Statement
    opened: tuple[Opened, ...]

    def package(self) -> bytes:
        """Seal everything to the arbitrator's key."""
        items = [self.statement.encode(), *(one.disclosure.encode() for one in self.opened)]
        key = self.request.record.sealing_key
        return seal_package(key, self.request.statement.digest, items)


def answer(
    request: Request,
    opened: Sequence[Opened],
    signer: Signer,
    *,
    now_ms: int,
    case: Case | None = None,
) -> Answer:
    """Sign which disclosure shows which frame; of a request in a case, as its next statement.

    Raises `RequestError` where the case does not take it now.
    """
    record = DisputeDisclosure(
        engagement=request.record.engagement,
        claimed_at=now_ms,
        request=request.statement.digest,
        frames=_frames_of(opened),
    )
    if case is None:
        if request.record.place is not None:
            raise RequestError("the request is part of a case, which has to be read first")
        return Answer(request, sign(record, signer), tuple(opened))
    try:
        return Answer(request, place_next(case, record, signer), tuple(opened))
    except CommandError as error:
        raise RequestError(str(error)) from error


def kept_answer(
    ledger: Ledger,
    request: Request,
    opened: Sequence[Opened],
    *,
    but: frozenset[Digest] = frozenset(),
) -> Answer | None:
    """Return what was signed before that shows exactly this for a request.

    Neither what was refused, nor one of `but`.
    """
    frames = _frames_of(opened)
    for stored in ledger.of_kind(request.record.engagement, Kind.DISPUTE_DISCLOSURE):
        statement = Statement.parse(stored.body)
        record = read_record(statement)
        if (
            isinstance(record, DisputeDisclosure)
            and stored.state is not SendState.PARKED
            and stored.digest not in but
            and (record.request, record.frames) == (request.statement.digest, frames)
        ):
            return Answer(request, statement, tuple(opened))
    return None


def keep(
    answer: Answer,
    ledger: Ledger,
    vault: SecretKeeper,
    engagement: bytes,
    *,
    sealed_only: bool = False,
) -> None:
    """Store an answer before it is sent: disclosures in the vault, the statement in the ledger.

    Sealed only, its statement is like any other: whatever sends it later sends it without tiles.
    """
    for one in answer.opened:
        data = one.disclosure.encode()
        for part, at in enumerate(range(0, len(data), _PART_BYTES)):
            name = part_name(one.disclosure.digest, part)
            try:
                vault.put_secret(name, data[at : at + _PART_BYTES])
            except VaultError:
                # The same tiles were disclosed before: equal bytes are there already.
                if not _is_known(ledger, engagement, one.disclosure.digest):
                    raise
    with ledger.write() as writing:
        for statement in (answer.request.statement, answer.statement):
            if ledger.statement(statement.digest) is None:
                require_next(ledger, engagement, statement)
                writing.add_statement(engagement, statement, state=SendState.HELD)
        if sealed_only:
            writing.queue(answer.statement.digest)
        for one in answer.opened:
            writing.add_disclosure(
                engagement, one.disclosure.digest, answer.statement.digest, one.frame.commitment
            )
            writing.add_reveal(engagement, _reveal(one, answer.statement.digest))


def require_next(ledger: Ledger, engagement: bytes, statement: Statement) -> None:
    """Refuse a second own statement after the same one of a case, while the first may be logged.

    To be asked inside the transaction that adds it: two processes of one home sign one of them.
    """
    place = getattr(read_record(statement), "place", None)
    if place is None:
        return
    for kind in OWN_IN_CASE:
        for stored in ledger.of_kind(engagement, kind):
            own = getattr(read_record(Statement.parse(stored.body)), "place", None)
            if own is None or (own.case, own.prev) != (place.case, place.prev):
                continue
            if stored.state is not SendState.PARKED:
                raise AgentError(
                    phrase(
                        "you signed another statement of this case already: {digest};"
                        " `workseal-agent case show` tells what became of it",
                        digest=stored.digest,
                    )
                )


def _frames_of(opened: Sequence[Opened]) -> tuple[DisclosedFrame, ...]:
    return tuple(DisclosedFrame(one.frame.commitment, one.disclosure.digest) for one in opened)


def _reveal(one: Opened, statement: Digest) -> RevealRow:
    tiles = one.disclosure.header.grid.count
    return RevealRow(statement, one.frame.commitment, one.disclosure.shown, tiles)


def _is_known(ledger: Ledger, engagement: bytes, digest: Digest) -> bool:
    return any(known == digest for known, _, _ in ledger.disclosures(engagement))
