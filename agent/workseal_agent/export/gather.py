"""Collecting what a bundle holds: statements from the log, checked against the agent's own ledger.

Rules: the verifier's list is a proposal. What this agent has a receipt for is in the bundle even
when the verifier leaves it out, and every checkpoint is checked against the newest one that this
agent trusted before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workseal_agent.anchors import lone_anchors
from workseal_agent.connection import UnreachableError, VerifierClient
from workseal_agent.errors import AgentError
from workseal_agent.export.thinning import Mark, Need, thin, unseen
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger, SendState
from workseal_agent.listing import listed
from workseal_agent.submission import LogContradictionError, newest_signed, require_growth
from workseal_protocol.bundle import MAX_STATEMENTS
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.lottery import round_start
from workseal_protocol.merkle import leaf_hash, verify_sparse
from workseal_protocol.policy import TlogPolicy, VerifiedCheckpoint, verify_checkpoint
from workseal_protocol.records import (
    BeaconCommitment,
    Record,
    Segment,
    SessionOpen,
    read_record,
)
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.timestamp import verify_token
from workseal_protocol.window import ONLINE_MS


class MissingStatementError(AgentError):
    """Say that the log does not show what it gave a receipt for."""


@dataclass(frozen=True, slots=True)
class Logged:
    """Hold the statements of an engagement with their indices, in log order."""

    items: tuple[tuple[int, Statement], ...]

    @property
    def least_size(self) -> int:
        """Return the size of the smallest log that holds all of them."""
        return self.items[-1][0] + 1


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Hold the checkpoint that covers everything, and the earlier ones that bound it in time."""

    final: SignedCheckpoint
    earlier: tuple[SignedCheckpoint, ...]
    tokens: Mapping[int, bytes]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Return the sizes of the earlier ones."""
        return tuple(signed.checkpoint.size for signed in self.earlier)


def logged_statements(ledger: Ledger, client: VerifierClient, engagement: Engagement) -> Logged:
    """Join what the verifier lists with what this agent has receipts for.

    More than a bundle holds is refused, before anything is asked for where the ledger shows it.
    """
    receipted = ledger.statements(engagement.id, SendState.RECEIPTED)
    _require_room(len(receipted))
    found: dict[int, Statement] = {}
    try:
        for index, body in listed(client, engagement):
            found[index] = Statement.parse(body)
            _require_room(len(found))
    except MalformedError as error:
        raise UnreachableError("the verifier lists something that is no statement") from error
    for stored in receipted:
        index = -1 if stored.log_index is None else stored.log_index
        known = found.setdefault(index, Statement.parse(stored.body))
        if known.digest != stored.digest:
            raise MissingStatementError(
                phrase(
                    "the verifier lists another statement at index {index} than the receipt says",
                    index=index,
                )
            )
    if not found:
        raise AgentError("nothing is logged yet: there is nothing to export")
    _require_room(len(found))
    return Logged(tuple(sorted(found.items(), key=lambda item: item[0])))


def _require_room(logged: int) -> None:
    """Refuse what is too much for one bundle; a chain has no parts that hold by themselves."""
    if logged > MAX_STATEMENTS:
        raise AgentError(
            phrase(
                "a bundle holds at most {most} statements of one engagement, and the log has"
                " {logged} or more of this one: `workseal-agent export-all` writes all of it for"
                " you; further work gets bundles of its own in a new engagement",
                most=MAX_STATEMENTS,
                logged=logged,
            )
        )


def choose_checkpoints(
    ledger: Ledger,
    client: VerifierClient,
    engagement: Engagement,
    logged: Logged,
    *,
    now_ms: int,
) -> Checkpoints:
    """Choose the final checkpoint (a stamped one if there is one) and thin the earlier ones."""
    policy = TlogPolicy.parse(engagement.terms.log_policy)
    newest = _verified(client.checkpoint(), policy)
    if newest.checkpoint.size < logged.least_size:
        raise UnreachableError("the verifier's newest checkpoint does not cover the receipts")
    stamped = dict(_stamped(client, logged.items[0][0] + 1, newest.checkpoint.size))
    covering = [size for size in stamped if size >= logged.least_size]
    final = newest
    if covering and min(covering) < newest.checkpoint.size:
        final = _verified(client.checkpoint_at(min(covering)), policy)
    trusted = newest_signed(ledger, engagement.id)
    grown = [newest.signed, final.signed, *([trusted] if trusted else [])]
    require_growth(ledger, client, engagement.id, grown, now_ms=now_ms)
    known = _known(ledger, client, engagement, logged, stamped)
    size = final.checkpoint.size
    chosen = _chosen(known, final, logged, stamped, engagement)
    earlier = tuple(known[one].signed for one in sorted(chosen) if one < size)
    kept = {one: token for one, token in stamped.items() if one in chosen or one == size}
    return Checkpoints(final.signed, earlier, kept)


def prove(client: VerifierClient, logged: Logged, checkpoints: Checkpoints) -> tuple[bytes, ...]:
    """Fetch one proof for all statements and earlier checkpoints, and check it."""
    final = checkpoints.final.checkpoint
    indices = [index for index, _ in logged.items]
    hashes = client.proof(final.size, indices, checkpoints.sizes)
    try:
        verify_sparse(
            size=final.size,
            root=final.root.raw,
            leaves={index: _leaf(statement) for index, statement in logged.items},
            earlier={one.checkpoint.size: one.checkpoint.root.raw for one in checkpoints.earlier},
            hashes=hashes,
        )
    except VerificationError as error:
        raise LogContradictionError(
            phrase("the log does not prove what it signed: {error}", error=error)
        ) from error
    return hashes


def _leaf(statement: Statement) -> bytes:
    return leaf_hash(statement.digest.raw)


def _verified(data: bytes, policy: TlogPolicy) -> VerifiedCheckpoint:
    try:
        return verify_checkpoint(SignedCheckpoint.parse(data), policy)
    except (MalformedError, VerificationError) as error:
        raise UnreachableError(
            phrase("a checkpoint is not from the agreed log: {error}", error=error)
        ) from error


def _stamped(client: VerifierClient, first: int, last: int) -> Sequence[tuple[int, bytes]]:
    rows: list[tuple[int, bytes]] = []
    while first <= last:
        page = client.timestamps(first, last)
        rows.extend(page)
        if not page:
            break
        first = page[-1][0] + 1
    return rows


def _known(
    ledger: Ledger,
    client: VerifierClient,
    engagement: Engagement,
    logged: Logged,
    stamped: Mapping[int, bytes],
) -> dict[int, VerifiedCheckpoint]:
    """Return the checkpoints at hand; without a witness quorum also those that were stamped."""
    policy = TlogPolicy.parse(engagement.terms.log_policy)
    bodies = ledger.checkpoints(engagement.id)
    known = {one.checkpoint.size: one for one in (_verified(body, policy) for body in bodies)}
    wanted = set(stamped) if policy.quorum is None else _first_stamps(logged, stamped)
    for size in wanted - set(known):
        known[size] = _verified(client.checkpoint_at(size), policy)
    return known


def _first_stamps(logged: Logged, stamped: Iterable[int]) -> set[int]:
    """Return the first stamped size over each of the operator's commitments.

    The agent's own checkpoints begin only when it joined.
    """
    first = set()
    for index, statement in logged.items:
        if statement.kind is Kind.BEACON_COMMITMENT:
            first.update(sorted(size for size in stamped if size > index)[:1])
    return first


def _chosen(
    known: Mapping[int, VerifiedCheckpoint],
    final: VerifiedCheckpoint,
    logged: Logged,
    stamped: Mapping[int, bytes],
    engagement: Engagement,
) -> set[int]:
    every = {**known, final.checkpoint.size: final}
    marks = [
        Mark(size, upper)
        for size, one in every.items()
        if size <= final.checkpoint.size
        and (upper := _upper(one, stamped.get(size), engagement)) is not None
    ]
    needs = needs_of(logged.items, engagement.terms.round_ms)
    # Without witnesses no checkpoint has a time, and no anchor bounds anything.
    timed = TlogPolicy.parse(engagement.terms.log_policy).quorum is not None
    late = unseen(marks, needs) if timed else frozenset()
    by_digest = {one.signed.digest: one.checkpoint.size for one in known.values()}
    records = ((index, read_record(statement)) for index, statement in logged.items)
    digests = by_digest.keys() & {anchor.digest for anchor in lone_anchors(records, late)}
    bounding = {by_digest[digest] for digest in digests}
    return set(thin(marks, needs)) | (bounding - {final.checkpoint.size})


def needs_of(items: Sequence[tuple[int, Statement]], round_ms: int) -> list[Need]:
    """Return what each statement needs of the checkpoints that are kept."""
    return [_need(index, read_record(statement), round_ms) for index, statement in items]


def _need(index: int, record: Record, round_ms: int) -> Need:
    match record:
        case Segment():
            return Need(index, round_start(record.round + 1, round_ms) + ONLINE_MS)
        case BeaconCommitment() | SessionOpen():
            # How long before its rounds each side committed to its values is told exactly.
            return Need(index, slack_ms=0)
        case _:
            return Need(index)


def _upper(
    checkpoint: VerifiedCheckpoint, token: bytes | None, engagement: Engagement
) -> int | None:
    uppers = [] if checkpoint.existed_by is None else [checkpoint.existed_by]
    if token is not None:
        message = checkpoint.signed.log_signed(checkpoint.log)
        try:
            stamp = verify_token(token, message=message, roots=engagement.tsa_roots)
        except (MalformedError, VerificationError) as error:
            raise UnreachableError(
                phrase("a time-stamp of the verifier does not hold: {error}", error=error)
            ) from error
        uppers.append(stamp.upper)
    return min(uppers, default=None)
