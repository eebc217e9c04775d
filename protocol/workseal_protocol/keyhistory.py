"""Which key speaks for which role at which index of the log: a fold over key.* statements.

Rules: the keys of the caller's policy speak from index 0. A rotation, signed by the old key, ends
it and gives its roles and its recovery key to the new one; a revocation, signed by the key or its
recovery key, ends it. Nobody else ends a key: who could would end the voice of whom they have a
dispute with. An announcement alone gives no role: anybody can make one. It publishes a key, and
names the recovery key that may revoke it. A key that has ended says nothing more, not even that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Check, PublicKey, Role, check_at_once
from workseal_protocol.records import KeyAnnounce, KeyRecord, KeyRevoke, KeyRotate
from workseal_protocol.statement import Kind, Statement

KEY_KINDS = frozenset({Kind.KEY_ANNOUNCE, Kind.KEY_ROTATE, Kind.KEY_REVOKE})

PARTIES = frozenset(Role)

# Anybody can announce keys; a history is copied with each one.
MAX_KEYS = 1024

MAKERS: Mapping[Kind, frozenset[Role]] = {
    Kind.OFFER: frozenset({Role.CLIENT}),
    Kind.ACCEPTANCE: frozenset({Role.FREELANCER}),
    Kind.SESSION_OPEN: frozenset({Role.FREELANCER}),
    Kind.SEGMENT: frozenset({Role.FREELANCER}),
    Kind.SESSION_CLOSE: frozenset({Role.FREELANCER}),
    Kind.TOMBSTONE: frozenset({Role.FREELANCER}),
    Kind.DECLARATION: frozenset({Role.FREELANCER}),
    Kind.EVIDENCE: frozenset({Role.FREELANCER}),
    Kind.POSSESSION: frozenset({Role.FREELANCER}),
    Kind.TIMESHEET: frozenset({Role.FREELANCER}),
    Kind.TIMESHEET_ANSWER: frozenset({Role.CLIENT}),
    Kind.LOG_POLICY: frozenset({Role.OPERATOR}),
    Kind.BEACON_COMMITMENT: frozenset({Role.OPERATOR}),
    Kind.DISPUTE_FILING: frozenset({Role.CLIENT, Role.FREELANCER}),
    # Who may do what, and when, is the table of `dispute`.
    Kind.DISPUTE_ACT: frozenset(Role),
    Kind.DISPUTE_REQUEST: frozenset({Role.ARBITRATOR}),
    Kind.DISPUTE_DISCLOSURE: frozenset({Role.FREELANCER}),
    # Of what is sent sealed alone, only the arbitrator can say what a check finds.
    Kind.DISPUTE_FINDING: frozenset({Role.OPERATOR, Role.ARBITRATOR}),
    Kind.BUNDLE_MANIFEST: PARTIES,
}


@dataclass(frozen=True, slots=True)
class KeyLife:
    """Hold one key: what it may speak for, and between which indices of the log."""

    key: PublicKey
    roles: frozenset[Role] = frozenset()
    after: int = -1  # valid at greater indices
    until: int | None = None  # and, when ended, at smaller ones
    recovery: Digest | None = None


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """Hold every key that the fold has met."""

    lives: Mapping[Digest, KeyLife] = field(default_factory=dict)
    index: int = -1

    @classmethod
    def start(cls, parties: Mapping[Role, Iterable[PublicKey]]) -> Self:
        """Begin with the keys that the caller trusts, or that the terms name."""
        lives: dict[Digest, KeyLife] = {}
        for role, keys in parties.items():
            for key in keys:
                life = lives.get(key.thumbprint, KeyLife(key))
                lives[key.thumbprint] = replace(life, roles=life.roles | {role})
        return cls(lives)

    def valid_key(self, thumbprint: Digest, index: int) -> PublicKey:
        """Give the key that was valid at an index, or raise `VerificationError`."""
        return self._life(thumbprint, index).key

    def roles_of(self, thumbprint: Digest, index: int) -> frozenset[Role]:
        """Give the roles that a key spoke for at an index; empty for an unknown key."""
        try:
            return self._life(thumbprint, index).roles
        except VerificationError:
            return frozenset()

    def check_signature(
        self, statement: Statement, index: int, check: Check = check_at_once
    ) -> None:
        """Check that a statement is signed by a key that may make its kind at this index.

        Raises `VerificationError`; key.* statements are for `advance`.
        """
        if statement.kind in KEY_KINDS:
            raise ValueError("key statements are checked by advance")
        life = self._life(statement.issuer, index)
        statement.verify_signature(life.key, check)
        if not life.roles & MAKERS[statement.kind]:
            raise VerificationError(f"its signer may not make a {statement.kind}")

    def advance(self, index: int, statement: Statement, record: KeyRecord) -> "KeyHistory":
        """Check one key.* statement at its index, and apply it; raise `VerificationError`."""
        if index <= self.index:
            raise VerificationError("key statements are not in the order of the log")
        self._check(index, statement, record)
        return self.follow(index, statement.issuer, record)

    def follow(self, index: int, issuer: Digest, record: KeyRecord) -> "KeyHistory":
        """Apply one whose signatures and order were checked when it was logged.

        Raises `VerificationError` if it has no force here. It may stand before what was applied if
        that is not about its keys.
        """
        match record:
            case KeyAnnounce():
                lives = self._announced(index, record)
            case KeyRotate():
                lives = self._rotated(index, record)
            case KeyRevoke():
                lives = self._revoked(index, issuer, record)
        after = {**self.lives, **lives}
        if len(after) > MAX_KEYS:
            raise VerificationError(f"more than {MAX_KEYS} keys in one history")
        return KeyHistory(after, max(index, self.index))

    def _check(self, index: int, statement: Statement, record: KeyRecord) -> None:
        match record:
            case KeyAnnounce():
                statement.verify_signature(record.public_key)
            case KeyRotate():
                if statement.issuer != record.old:
                    raise VerificationError("a rotation is signed by the key that it ends")
                statement.verify_signature(self._life(record.old, index).key)
                record.verify_proof()
            case KeyRevoke():
                statement.verify_signature(self._life(statement.issuer, index).key)

    def _life(self, thumbprint: Digest, index: int) -> KeyLife:
        life = self.lives.get(thumbprint)
        if life is None:
            raise VerificationError("its key is not one of the parties' keys")
        if index <= life.after:
            raise VerificationError("its key was not yet announced")
        if life.until is not None and index >= life.until:
            raise VerificationError("its key was rotated or revoked before")
        return life

    def _announced(self, index: int, record: KeyAnnounce) -> dict[Digest, KeyLife]:
        key = record.public_key
        old = self.lives.get(key.thumbprint)
        if old is None:
            return {key.thumbprint: KeyLife(key, after=index, recovery=record.recovery)}
        if old.until is not None:
            raise VerificationError("its key was rotated or revoked before")
        # Announcing a key again must not change who may revoke it.
        if old.recovery is not None:
            raise VerificationError("the key was announced before")
        return {key.thumbprint: replace(old, recovery=record.recovery)}

    def _rotated(self, index: int, record: KeyRotate) -> dict[Digest, KeyLife]:
        old, new = self._life(record.old, index), record.public_key
        known = self.lives.get(new.thumbprint)
        if new.thumbprint == record.old or (known is not None and known.until is not None):
            raise VerificationError("a rotation leads to a key that has ended")
        if known is None or not known.roles:
            # A thief who rotates must not escape the recovery key that the owner announced.
            recovery = old.recovery or (known.recovery if known else None)
            fresh = KeyLife(new, old.roles, after=index, recovery=recovery)
        elif old.roles and old.roles != known.roles:
            raise VerificationError("a rotation leads to a key that speaks for somebody already")
        else:
            # Named beside the old key or in its place. Whoever stole this one must not escape
            # either, by rotating a key of their own to it.
            fresh = replace(known, recovery=known.recovery or old.recovery)
        return {record.old: replace(old, until=index), new.thumbprint: fresh}

    def _revoked(self, index: int, issuer: Digest, record: KeyRevoke) -> dict[Digest, KeyLife]:
        life = self._life(record.key, index)
        self._life(issuer, index)
        if issuer not in {record.key, life.recovery}:
            raise VerificationError("only the key or its recovery key revokes it")
        return {record.key: replace(life, until=index)}
