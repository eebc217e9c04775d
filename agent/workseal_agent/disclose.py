"""Answering an arbitrator: chosen tiles of the frames asked for, nothing else of them.

Rules: what is shown is decided in tiles before anything is built; each disclosure is checked here
as the other side will check it; statement and disclosures are durable before they are sent. The
package for the arbitrator is sealed to the key of the request.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from workseal_agent.connection import UnreachableError, VerifierClient
from workseal_agent.errors import AgentError, VaultError
from workseal_agent.evidence import part_name
from workseal_agent.language import phrase
from workseal_agent.ledger import CaptureRow, Engagement, Ledger, RevealRow, SendState
from workseal_agent.listing import listed
from workseal_agent.submission import Log, accept_answer, newest_signed, require_growth, submit
from workseal_agent.vault import StoredFrame
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.cli.nextact import place_next
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure, VerifiedTiles, open_frame, verify_disclosure
from workseal_protocol.dispute import Case
from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.frame import Box, Grid, commit_frame
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import Role, Signer
from workseal_protocol.policy import verify_checkpoint
from workseal_protocol.receipt import SubmissionAnswer
from workseal_protocol.records import (
    DisclosedFrame,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    Finding,
    KeyRecord,
    Outcome,
    read_record,
    sign,
)
from workseal_protocol.sealing import require_public, seal_package
from workseal_protocol.statement import Kind, Statement

_PART_BYTES = 1 << 20
# What this agent itself says in a case after its filing.
OWN_IN_CASE = (Kind.DISPUTE_ACT, Kind.DISPUTE_DISCLOSURE)


class RequestError(AgentError):
    """Say why a request for frames is not answered."""


class FrameReader(Protocol):
    """What a disclosure needs of the vault's private half."""

    def frame(self, commitment: Digest) -> StoredFrame:
        """Return one frame."""
        ...

    def secret(self, name: bytes) -> bytes:
        """Return one secret."""
        ...


class SecretKeeper(Protocol):
    """What a disclosure needs of the vault's public half."""

    def put_secret(self, name: bytes, value: bytes) -> None:
        """Keep a secret."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """Hold a request that an arbitrator of the terms has signed."""

    statement: Statement
    record: DisputeRequest


@dataclass(frozen=True, slots=True)
class Opened:
    """Hold one frame with what is shown of it, checked."""

    frame: CaptureRow
    disclosure: Disclosure
    seen: VerifiedTiles


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


def read_request(data: bytes, engagement: Engagement) -> Request:
    """Read an arbitrator's request; `MalformedError` or `RequestError`."""
    statement = Statement.parse(data)
    record = read_record(statement)
    if not isinstance(record, DisputeRequest):
        raise MalformedError(f"expected a dispute.request, found {statement.kind}")
    if record.engagement != engagement.id:
        raise RequestError("the request is about another engagement")
    key = next(
        (key for key in engagement.terms.arbitrators if key.thumbprint == statement.issuer), None
    )
    if key is None:
        raise RequestError("the request is not by an arbitrator that the terms name")
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
    request = read_request(data, engagement)
    requested_frames(request, ledger.captures(engagement.id))
    with ledger.write() as writing:
        if ledger.statement(request.statement.digest) is None:
            writing.add_statement(engagement.id, request.statement, state=SendState.HELD)
    return request


def fetch_requests(client: VerifierClient, ledger: Ledger, engagement: Engagement) -> int:
    """Ask the verifier for requests, and keep those that are new; returns how many.

    What is no arbitrator's request for frames of this agent is left where it is.
    """
    known = {stored.digest for stored in ledger.of_kind(engagement.id, Kind.DISPUTE_REQUEST)}
    new = 0
    for _, body in listed(client, engagement):
        with suppress(MalformedError, RequestError):
            statement = Statement.parse(body)
            if statement.kind is Kind.DISPUTE_REQUEST and statement.digest not in known:
                receive(body, ledger, engagement)
                new += 1
    return new


def received(ledger: Ledger, engagement: Engagement) -> tuple[Request, ...]:
    """Return the requests that are kept, in the order in which they came."""
    stored = ledger.of_kind(engagement.id, Kind.DISPUTE_REQUEST)
    return tuple(read_request(one.body, engagement) for one in stored)


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


def open_tiles(reader: FrameReader, frame: CaptureRow, tiles: Sequence[int]) -> Opened:
    """Open these tiles of a frame, and check the result against the frame's commitment."""
    stored = reader.frame(frame.commitment)
    tree = commit_frame(stored.header, stored.pixels, stored.seed)
    if tree.commitment != frame.commitment:
        raise VaultError("the stored frame is not the one that was committed")
    disclosure = open_frame(tree, tiles, pixels=stored.pixels, seed=stored.seed)
    return Opened(frame, disclosure, verify_disclosure(disclosure, frame.commitment))


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


def send(
    answer: Answer, ledger: Ledger, client: VerifierClient, engagement: Engagement, *, now_ms: int
) -> tuple[Finding, ...]:
    """Have the answer logged and checked; returns what the operator's check found, verified.

    Raises `UnreachableError`, `RefusedError`, or an `AgentError` when the finding does not hold.
    """
    log = Log.of(engagement)
    request = answer.request.statement
    if not client.has_statement(request.digest):
        submit(ledger, client, log, [request.encode()], now_ms=now_ms)
    disclosures = [one.disclosure.encode() for one in answer.opened]
    told, data = client.disclose(answer.statement.encode(), disclosures)
    finding, record = _read_finding(told, answer, client, engagement)
    digests = [answer.statement.digest, finding.digest]
    # This answer proves no consistency of its own: it is asked for before anything is stored.
    old = newest_signed(ledger, engagement.id)
    if old is not None:
        grown = (old, _signed_of(data, log))
        require_growth(ledger, client, engagement.id, grown, now_ms=now_ms)
    accept_answer(ledger, log, digests, None, data, now_ms=now_ms)
    return record.findings


def send_sealed_only(
    answer: Answer, ledger: Ledger, client: VerifierClient, engagement: Engagement, *, now_ms: int
) -> None:
    """Have the statement of a kept answer logged, without its tiles; raises as `send` does."""
    log, request = Log.of(engagement), answer.request.statement
    if not client.has_statement(request.digest):
        submit(ledger, client, log, [request.encode()], now_ms=now_ms)
    stored = ledger.statement(answer.statement.digest)
    # Whether it is logged is not asked: the receipt says it.
    if stored is None or stored.state is not SendState.RECEIPTED:
        submit(ledger, client, log, [answer.statement.encode()], now_ms=now_ms)


def deliver(  # noqa: PLR0913 - everything that an answer passes on its way
    answer: Answer,
    package: bytes,
    ledger: Ledger,
    vault: SecretKeeper,
    client: VerifierClient,
    engagement: Engagement,
    *,
    now_ms: int,
) -> tuple[tuple[Finding, ...], str]:
    """Keep an answer, have it logged and checked, and leave its package for the arbitrator.

    Returns what the operator's check found, verified, and where the package lies. After an
    `UnreachableError` the same answer may be made and delivered again.
    """
    keep(answer, ledger, vault, engagement.id)
    findings = send(answer, ledger, client, engagement, now_ms=now_ms)
    if any(found.outcome is not Outcome.HOLDS for found in findings):
        raise AgentError("the verifier says that a disclosure does not hold")
    return findings, client.put_sealed(answer.request.statement.digest, package)


def deliver_sealed_only(  # noqa: PLR0913 - as above
    answer: Answer,
    package: bytes,
    ledger: Ledger,
    vault: SecretKeeper,
    client: VerifierClient,
    engagement: Engagement,
    *,
    now_ms: int,
) -> str:
    """Keep an answer, have its statement logged, and leave its package for the arbitrator.

    No tile leaves but in the package. Returns where that lies; may be repeated as `deliver` may.
    """
    log, request = Log.of(engagement), answer.request.statement
    if not client.has_statement(request.digest):
        # First: once it is kept, another sender may take the answer, which names the request.
        submit(ledger, client, log, [request.encode()], now_ms=now_ms)
    keep(answer, ledger, vault, engagement.id, sealed_only=True)
    send_sealed_only(answer, ledger, client, engagement, now_ms=now_ms)
    return client.put_sealed(request.digest, package)


def _frames_of(opened: Sequence[Opened]) -> tuple[DisclosedFrame, ...]:
    return tuple(DisclosedFrame(one.frame.commitment, one.disclosure.digest) for one in opened)


def _reveal(one: Opened, statement: Digest) -> RevealRow:
    tiles = one.disclosure.header.grid.count
    return RevealRow(statement, one.frame.commitment, one.disclosure.shown, tiles)


def shown_before(
    reader: FrameReader, ledger: Ledger, engagement: bytes, frame: Digest
) -> frozenset[int]:
    """Return the tiles of a frame that earlier disclosures showed: what is known stays known."""
    noted = {row.statement: row.shown for row in ledger.reveals(engagement) if row.frame == frame}
    # Disclosures that are older than the list of reveals are read back from the vault.
    unlisted = [
        read_disclosure(reader, digest).shown
        for digest, statement, shown in ledger.disclosures(engagement)
        if shown == frame and statement not in noted
    ]
    return frozenset(chain.from_iterable((*noted.values(), *unlisted)))


def read_disclosure(reader: FrameReader, digest: Digest) -> Disclosure:
    """Read a disclosure that was made back from the vault."""
    data = b""
    part = 0
    while Digest.of(data) != digest:
        data += reader.secret(part_name(digest, part))
        part += 1
    return Disclosure.parse(data)


def tiles_of(
    frame: CaptureRow, show: Sequence[Box] | None, hide: Sequence[Box], tile: int
) -> tuple[int, ...]:
    """Choose tiles: those inside a `show` box (all without one) that no `hide` box touches."""
    return Grid(frame.width, frame.height, tile).tiles_to_show(show=show, hide=hide)


def _read_finding(
    data: bytes, answer: Answer, client: VerifierClient, engagement: Engagement
) -> tuple[Statement, DisputeFinding]:
    try:
        statement = Statement.parse(data)
        record = read_record(statement)
        keys = _operator_keys(client, engagement, statement.issuer)
        keys.check_signature(statement, MAX_INTEGER)
    except (MalformedError, VerificationError) as error:
        raise UnreachableError("the verifier's finding is not the operator's statement") from error
    named = {one.disclosure.digest for one in answer.opened}
    if (
        not isinstance(record, DisputeFinding)
        or record.disclosure != answer.statement.digest
        or {found.disclosure for found in record.findings} != named
    ):
        raise UnreachableError("the verifier's finding is about another disclosure")
    return statement, record


def _operator_keys(client: VerifierClient, engagement: Engagement, issuer: Digest) -> KeyHistory:
    """Return the operator's keys: that of the terms, and those it was rotated to since."""
    history = KeyHistory.start({Role.OPERATOR: (engagement.terms.operator,)})
    if issuer in history.lives:
        return history
    for index, body in listed(client, engagement):
        statement = Statement.parse(body)
        record = read_record(statement)
        if isinstance(record, KeyRecord):
            # Only the key that the terms name, or a successor of it, leads to another one.
            with suppress(VerificationError):
                history = history.advance(index, statement, record)
    return history


def _signed_of(data: bytes, log: Log) -> SignedCheckpoint:
    try:
        return verify_checkpoint(SubmissionAnswer.parse(data).signed, log.policy).signed
    except MalformedError as error:
        raise UnreachableError("the verifier's answer is not in the right form") from error
    except VerificationError as error:
        # What the log did not sign is no evidence against it.
        raise UnreachableError(
            phrase("the answer is not from the agreed log: {error}", error=error)
        ) from error


def _is_known(ledger: Ledger, engagement: bytes, digest: Digest) -> bool:
    return any(known == digest for known, _, _ in ledger.disclosures(engagement))
