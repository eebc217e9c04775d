"""Invitations: the operator lets somebody name a key, a bounded number of times.

Rules: an invited key is known here and may sign in; what it reads follows from the terms that name
it, as for everybody. Where only invited clients may offer, this is how they come in. The operator
takes back an invitation, or what a key has by one; what terms give a key they never take.
"""

import secrets

from workseal_protocol.keys import PublicKey, Role
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.signin import TOKEN_BYTES, Random, hashed
from workseal_verifier.store.invitations import InvitationRow, InvitationStore

DAY_MS = 86_400_000
MAX_USES = 1_000
MAX_DAYS = 365
# Of the hash of its token, in hex: no two open invitations have the same.
NAME_DIGITS = 16


class Invitations:
    """Make and accept invitations."""

    def __init__(
        self, store: InvitationStore, clock: Clock, random: Random = secrets.token_bytes
    ) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    def make(self, role: Role, *, uses: int, days: int) -> bytes:
        """Make an invitation and return its token, which is told this once."""
        if not 1 <= uses <= MAX_USES or not 1 <= days <= MAX_DAYS:
            raise ValueError(f"expected 1 to {MAX_USES} uses and 1 to {MAX_DAYS} days")
        token, now = self._random(TOKEN_BYTES), self._clock.now_ms()
        row = InvitationRow(hashed(token), role, uses, now + days * DAY_MS)
        self._store.add_invitation(row)
        return token

    def accept(self, token: bytes, key: PublicKey) -> Role:
        """Let a key in that proved itself; accepting again changes nothing."""
        role = self._store.accept(hashed(token), key, now_ms=self._clock.now_ms())
        if role is None:
            raise RefusedError(
                Reason.NOT_FOUND, "the invitation was used up, has expired, or was never made"
            )
        return role

    def open(self) -> list[InvitationRow]:
        """List the invitations that may still be accepted."""
        return self._store.invitations(self._clock.now_ms())

    def withdraw(self, name: str) -> bool:
        """Withdraw the open invitation of this name; False where there is none."""
        found = [row for row in self.open() if name_of(row) == name]
        for row in found:
            self._store.end_invitation(row.token)
        return bool(found)

    def withdraw_key(self, key: PublicKey) -> bool:
        """Take back what a key has by invitations; False when it has nothing by them."""
        return self._store.end_invited(key.thumbprint)

    def may_offer(self, key: PublicKey) -> bool:
        """Tell whether a key accepted an invitation as a client."""
        return any(row.role is Role.CLIENT for row in self._store.invited(key.thumbprint))


def name_of(row: InvitationRow) -> str:
    """Return how an invitation is called where its token must not be told."""
    return str(row.token)[:NAME_DIGITS]
