"""Whether a statement about a key is admitted: its announcement, rotation or revocation.

Rule: it has force by itself or in one engagement of the key, and what is refused tells nobody who
may say nothing about the key whether it is known here.
"""

from collections.abc import Iterator

from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import PublicKey, Role
from workseal_protocol.records import KeyAnnounce, KeyRecord, KeyRevoke, KeyRotate
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.draft import Draft, unknown_party
from workseal_verifier.services.keyfold import KeyEvent
from workseal_verifier.services.speaking import add

# So many keys of one person are known: whoever looks for the person looks for each of them.
MAX_SUCCESSION = 64
# How long a statement about a key may be on its way.
BACK_MS = 3_600_000


def admit_key(draft: Draft, candidate: Candidate, record: KeyRecord, place: int) -> None:
    """Admit a statement about a key, or raise `RefusedError`."""
    match record:
        case KeyRotate():
            target = record.old
        case KeyAnnounce():
            target = record.public_key.thumbprint
        case KeyRevoke():
            target = record.key
    _require_known_signer(draft, candidate)
    _require_recent(draft, record)
    if candidate.statement.issuer != target and draft.events.has_ended(candidate.statement.issuer):
        # The recovery key, which nobody has told an agreement of that came later.
        raise _does_not_hold("its key was rotated or revoked before")
    if isinstance(record, KeyAnnounce):
        if candidate.statement.issuer != target:
            raise _without_force(draft, candidate)
        if draft.events.announced(target) is not None:
            raise RefusedError(Reason.CONFLICT, "the key was announced before")
    _require_force(draft, candidate, record, place, target)
    if isinstance(record, KeyRotate):
        _require_path(draft, record)
    draft.add_event(KeyEvent(place, candidate.statement, record))
    add(draft, candidate, place)


def _require_recent(draft: Draft, record: KeyRecord) -> None:
    """Refuse what was signed long ago: it names no log, and who read it elsewhere brings it here.

    A person ends a key at one server and not at another, and no one else chooses when.
    """
    late = draft.house.clock.now_ms() - record.claimed_at - BACK_MS
    if late > 0:
        raise RefusedError(
            Reason.REFUSED,
            f"the key statement was signed more than {BACK_MS // 60_000} minutes ago by this"
            " server's clock, which /v1/operator tells: sign it anew",
        )


def _require_known_signer(draft: Draft, candidate: Candidate) -> None:
    """Refuse what its issuer did not sign as if nobody here knew the issuer."""
    signed, statement = candidate.signed, candidate.statement
    if signed is None:
        # Intake knows the keys of terms and those that came by rotation, if they are stored.
        key = draft.events.announced(statement.issuer)
        if key is None:
            signed = draft.may_be_fresh(statement.issuer)
        else:
            signed = _is_signed_by(statement, key)
    if not signed:
        raise unknown_party()


def _is_signed_by(statement: Statement, key: PublicKey) -> bool:
    try:
        statement.verify_signature(key)
    except VerificationError:
        return False
    return True


def _without_force(draft: Draft, candidate: Candidate) -> RefusedError:
    """Make the refusal of who may say nothing about a key; it tells nothing about the key."""
    if not draft.engagements_of(draft.events.lineage(candidate.statement.issuer)):
        return unknown_party()
    return RefusedError(
        Reason.REFUSED,
        "the key statement does not hold: its signer is neither the key nor, for a revocation,"
        " its recovery key",
    )


def _require_path(draft: Draft, record: KeyRotate) -> None:
    """Require that one person's keys stay one path, and few: many questions look at all of them."""
    events, old, new = draft.events, record.old, record.public_key.thumbprint
    if len(events.lineage(old) | events.lineage(new)) > MAX_SUCCESSION:
        raise RefusedError(Reason.REFUSED, f"a key is rotated at most {MAX_SUCCESSION - 1} times")
    if events.has_ended(old):
        raise _does_not_hold("its key was rotated or revoked before")
    if events.has_ended(new):
        raise _does_not_hold("a rotation leads to a key that has ended")
    if draft.names_both(events.lineage(old), events.lineage(new)):
        # One person in two places: who was struck, or decided, would be drawn a second time.
        raise _does_not_hold("a rotation leads to a key that the same terms name beside it")
    if events.came(new) is not None:
        raise _does_not_hold("a rotation leads to a key that came by another rotation")
    named, own = events.recoveries(old), events.recoveries(new)
    if named and not {*own} <= {*named}:
        # Of the two the one would lose its power, and which one must not depend on the terms.
        raise _does_not_hold("the two keys named different recovery keys")


def _require_force(
    draft: Draft, candidate: Candidate, record: KeyRecord, place: int, target: Digest
) -> None:
    """Require that the statement has force by itself, or else in one engagement of the key."""
    problem = None
    for history in _histories(draft, candidate, record, target):
        try:
            history.advance(place, candidate.statement, record)
        except VerificationError as error:
            # The first one: what comes by itself tells nothing of any terms.
            problem = problem or str(error)
        else:
            return
    raise _without_force(draft, candidate) if problem is None else _does_not_hold(problem)


def _does_not_hold(problem: str) -> RefusedError:
    return RefusedError(Reason.REFUSED, f"the key statement does not hold: {problem}")


def _histories(
    draft: Draft, candidate: Candidate, record: KeyRecord, target: Digest
) -> Iterator[KeyHistory]:
    """Give those in which a statement may have force by who says it, the cheapest one first."""
    events, signer = draft.events, candidate.statement.issuer
    own = signer == target or signer in events.recoveries(target)
    origin = _origin(draft, record, target, own=own)
    if origin is not None:
        # Which role plays no part.
        yield events.history_of({Role.OPERATOR: (origin,)})
    named = draft.engagements_of(events.lineage(target)) if own else []
    if not named and isinstance(record, KeyAnnounce):
        # A key that stands in no terms is perhaps the recovery key of a party.
        named = draft.engagements_of(events.vouching(target))
    yield from map(draft.history_in, named)


def _origin(draft: Draft, record: KeyRecord, target: Digest, *, own: bool) -> PublicKey | None:
    """Find the key from which one has its life here whatever terms name it (docs/adr/0023)."""
    operator = draft.house.identity.operator.public_key
    if operator.thumbprint in draft.events.path(target):
        # A log without engagements has an operator too.
        return operator
    if not own:
        return None
    if (origin := draft.events.origin(target)) is not None:
        return origin
    if isinstance(record, KeyAnnounce) and draft.house.may_come(record.public_key):
        return record.public_key
    return None
