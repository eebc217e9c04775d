"""What an arbitrator asks for: reading a request, keeping it, and the frames that it names."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from workseal_agent.connection import VerifierClient
from workseal_agent.disclose.arbitrators import arbitrators_of, keep_rotation, key_of
from workseal_agent.errors import AgentError
from workseal_agent.knowncases import ListedFilings
from workseal_agent.language import phrase
from workseal_agent.ledger import CaptureRow, Engagement, Ledger, SendState
from workseal_agent.listing import listed
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.records import DisputeDisclosure, DisputeRequest, read_record
from workseal_protocol.sealing import require_public
from workseal_protocol.statement import Kind, Statement


class RequestError(AgentError):
    """Say why a request for frames is not answered."""


class UnknownArbitratorError(RequestError):
    """Say that no key that is known here speaks for who asks."""


@dataclass(frozen=True, slots=True)
class Request:
    """Hold a request that an arbitrator of the terms has signed."""

    statement: Statement
    record: DisputeRequest


def read_request(data: bytes, ledger: Ledger, engagement: Engagement) -> Request:
    """Read an arbitrator's request; `MalformedError` or `RequestError`."""
    statement = Statement.parse(data)
    record = read_record(statement)
    if not isinstance(record, DisputeRequest):
        raise MalformedError(f"expected a dispute.request, found {statement.kind}")
    if record.engagement != engagement.id:
        raise RequestError("the request is about another engagement")
    key = key_of(arbitrators_of(ledger, engagement), statement.issuer)
    if key is None:
        raise UnknownArbitratorError(
            "the request is not by an arbitrator that the terms name, nor by a key that replaced"
            " theirs"
        )
    try:
        statement.verify_signature(key)
    except VerificationError as error:
        raise RequestError("the request's signature does not hold") from error
    try:
        require_public(record.sealing_key)
    except MalformedError as error:
        raise RequestError(
            phrase("nothing can be sealed for this request: {error}", error=error)
        ) from error
    return Request(statement, record)


def receive(data: bytes, ledger: Ledger, engagement: Engagement) -> Request:
    """Read a request and keep it until it is answered; the same one again changes nothing."""
    request = read_request(data, ledger, engagement)
    requested_frames(request, ledger.captures(engagement.id))
    with ledger.write() as writing:
        if ledger.statement(request.statement.digest) is None:
            writing.add_statement(engagement.id, request.statement, state=SendState.HELD)
    return request


def fetch_requests(client: VerifierClient, ledger: Ledger, engagement: Engagement) -> int:
    """Ask the verifier for requests, and keep those that are new; returns how many.

    What is no arbitrator's request for frames of this agent is left where it is. Filings that are
    met are noted: their hours hold frames.
    """
    known = {stored.digest for stored in ledger.of_kind(engagement.id, Kind.DISPUTE_REQUEST)}
    new, filings = 0, ListedFilings(engagement)
    for index, body in listed(client, engagement):
        with suppress(MalformedError, RequestError):
            statement = Statement.parse(body)
            filings.meet(index, statement)
            if statement.kind is Kind.KEY_ROTATE:
                keep_rotation(ledger, engagement, statement)
            if statement.kind is Kind.DISPUTE_REQUEST and statement.digest not in known:
                receive(body, ledger, engagement)
                new += 1
    filings.keep(ledger)
    return new


def received(ledger: Ledger, engagement: Engagement) -> tuple[Request, ...]:
    """Return the requests that are kept, in the order in which they came."""
    stored = ledger.of_kind(engagement.id, Kind.DISPUTE_REQUEST)
    return tuple(read_request(one.body, ledger, engagement) for one in stored)


def answered(ledger: Ledger, engagement: Engagement) -> frozenset[Digest]:
    """Return the requests whose answer is in the log."""
    return frozenset(
        record.request
        for stored in ledger.of_kind(engagement.id, Kind.DISPUTE_DISCLOSURE)
        if stored.state is SendState.RECEIPTED
        and isinstance(record := read_record(Statement.parse(stored.body)), DisputeDisclosure)
    )


def requested_frames(request: Request, captures: Sequence[CaptureRow]) -> tuple[CaptureRow, ...]:
    """Return the frames asked for that are still there; `RequestError` for one that never was."""
    known = {(row.segment, row.commitment): row for row in captures}
    rows = []
    for asked in request.record.frames:
        row = known.get((asked.segment, asked.frame))
        if row is None:
            raise RequestError("the request names a frame that this agent never recorded")
        rows.append(row)
    return tuple(row for row in rows if not row.withdrawn)
