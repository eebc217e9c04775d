"""Having an answer logged, checked and left for the arbitrator."""

from workseal_agent.connection import UnreachableError, VerifierClient
from workseal_agent.disclose.answers import Answer, SecretKeeper, keep
from workseal_agent.errors import AgentError
from workseal_agent.keyfollowing import followed
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger, SendState
from workseal_agent.listing import listed
from workseal_agent.submission import Log, accept_answer, newest_signed, require_growth, submit
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import Role
from workseal_protocol.policy import verify_checkpoint
from workseal_protocol.receipt import SubmissionAnswer
from workseal_protocol.records import DisputeFinding, Finding, Outcome, read_record
from workseal_protocol.statement import Statement


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
    keys = KeyHistory.start({Role.OPERATOR: (engagement.terms.operator,)})
    if issuer in keys.lives:
        return keys
    for index, body in listed(client, engagement):
        keys = followed(keys, index, Statement.parse(body))
    return keys


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
