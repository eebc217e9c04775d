"""Signing in: links that are used once, sessions that end.

Rules: a token is random, is handed out once and stored as a hash. A link lives for minutes and ends
with its first use. A session ends with its owner's word, after an hour without use, and after half
a day; what its key may do is asked anew at each request, so an ended key ends it at once.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, unique

from workseal_protocol.digest import Digest
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.clock import Clock
from workseal_verifier.store.access import AccessStore, SessionRow

TOKEN_BYTES = 32
LINK_MS = 10 * 60_000
SESSION_MS = 12 * 3_600_000
IDLE_MS = 3_600_000
# For how long after a passkey was used sensitive acts need no other proof; and after a link was
# followed a first passkey.
FRESH_MS = 5 * 60_000
# Uses are written down this often: each would cost a commit.
_SEEN_EVERY_MS = 60_000
_TAG = b"workseal/token/v1"

Random = Callable[[int], bytes]


@unique
class Root(IntEnum):
    """Say what a session rests on."""

    KEY = 1  # a link that was asked for with a party's signature
    OPERATOR = 2  # a link that the operator made
    PASSKEY = 3  # a passkey


@dataclass(frozen=True, slots=True)
class Begun:
    """Hold a new session and its token, which is told this once."""

    token: bytes
    session: SessionRow


class SignIn:
    """Make links and sessions, find them and end them."""

    def __init__(
        self, store: AccessStore, clock: Clock, random: Random = secrets.token_bytes
    ) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    def link(self, thumbprint: Digest, root: Root) -> bytes:
        """Make a link's token; an earlier one of this key and root ends."""
        token, now = self._random(TOKEN_BYTES), self._clock.now_ms()
        self._store.add_link(hashed(token), thumbprint, root, until_ms=now + LINK_MS)
        return token

    def begin(self, token: bytes) -> Begun:
        """Use a link up and begin a session, or refuse."""
        link = hashed(token)
        found = self._store.link(link, now_ms=self._clock.now_ms())
        if found is not None:
            begun = self.new_session(found[0], Root(found[1]))
            if self._store.follow_link(link, begun.session):
                return begun
        raise RefusedError(Reason.NOT_FOUND, "the link was used, has expired, or was never made")

    def new_session(self, thumbprint: Digest, root: Root) -> Begun:
        """Return a session that is not stored yet."""
        token, now = self._random(TOKEN_BYTES), self._clock.now_ms()
        session = SessionRow(
            token=hashed(token),
            thumbprint=thumbprint,
            root=root,
            until_ms=now + SESSION_MS,
            seen_ms=now,
            fresh_ms=now if root is Root.PASSKEY else None,
        )
        return Begun(token, session)

    def session(self, token: bytes) -> SessionRow | None:
        """Return a session that has not ended, and remember that it was used."""
        now = self._clock.now_ms()
        session = self._store.session(hashed(token), now_ms=now)
        if session is None or session.seen_ms + IDLE_MS <= now:
            return None
        if session.seen_ms + _SEEN_EVERY_MS <= now:
            self._store.see_session(session.token, now_ms=now)
        return session

    def is_fresh(self, session: SessionRow) -> bool:
        """Tell whether a passkey was used for this session a moment ago."""
        return session.fresh_ms is not None and (self._clock.now_ms() < session.fresh_ms + FRESH_MS)

    def has_just_begun(self, session: SessionRow) -> bool:
        """Tell whether a session began a moment ago."""
        return self._clock.now_ms() < session.until_ms - SESSION_MS + FRESH_MS

    def end(self, token: Digest) -> None:
        """End one session, by the hash of its token."""
        self._store.end_session(token)

    def end_all(self, thumbprint: Digest) -> None:
        """End all sessions of a key, and its links."""
        self._store.end_sessions(thumbprint)


def hashed(token: bytes) -> Digest:
    """Return what is stored of a token."""
    return Digest.of(_TAG, token)
