"""Invitations: the operator lets somebody name a key, a bounded number of times.

Rule: an invited key is known here and may sign in; what it reads follows from the terms that name
it, as for everybody. Where only invited clients may offer, this is how they come in.
"""

import secrets

from workseal_protocol.keys import PublicKey, Role
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.signin import TOKEN_BYTES, Random, hashed
from workseal_verifier.store.access import AccessStore, InvitationRow

DAY_MS = 86_400_000
MAX_USES = 1_000
MAX_DAYS = 365


class Invitations:
    """Make and accept invitations."""

    def __init__(
        self, store: AccessStore, clock: Clock, random: Random = secrets.token_bytes
    ) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    def make(self, role: Role, *, uses: int, days: int) -> bytes:
        """Make an invitation and return its token, which is told this once."""
        if not 1 <= uses <= MAX_USES or not 1 <= days <= MAX_DAYS:
            raise ValueError(f"expected 1 to {MAX_USES} uses and 1 to {MAX_DAYS} days")
        token, now = self._random(TOKEN_BYTES), self._clock.now_ms()
        row = InvitationRow(role, uses, now + days * DAY_MS)
        self._store.add_invitation(hashed(token), row)
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

    def may_offer(self, key: PublicKey) -> bool:
        """Tell whether a key accepted an invitation as a client."""
        return any(row.role is Role.CLIENT for row in self._store.invited(key.thumbprint))
