"""The way in: a token that works once, and the session that it is exchanged for.

Rules: token and session are random and live in this process's memory alone. One start lets one
browser in; who comes later with the same token is told so. A session that nobody uses ends.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from hmac import compare_digest

COOKIE = "workseal"
# Long enough for a lunch, short enough for a train.
IDLE_MS = 30 * 60_000
# Time for a browser to start on a slow machine.
TOKEN_MS = 10 * 60_000


@dataclass(frozen=True, slots=True)
class Session:
    """Hold who was let in: the cookie's value, and what every form must repeat."""

    identity: str = field(repr=False)
    form: str = field(repr=False)


class Entrance:
    """Let one browser in; `random` gives texts that nobody can guess, `now_ms` never goes back."""

    def __init__(
        self,
        now_ms: Callable[[], int],
        *,
        random: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        self._now_ms = now_ms
        self._random = random
        self._token: str | None = random()
        self._session: Session | None = None
        self._begun_ms = self._seen_ms = now_ms()

    @property
    def token(self) -> str | None:
        """Return the token while it is good."""
        if self._now_ms() - self._begun_ms >= TOKEN_MS:
            self._token = None
        return self._token

    def enter(self, token: str) -> Session | None:
        """Exchange the token for a session, once; None for any other text."""
        good = self.token
        if good is None or not compare_digest(token.encode(), good.encode()):
            return None
        self._token = None
        self._session = Session(self._random(), self._random())
        self._seen_ms = self._now_ms()
        return self._session

    def find(self, identity: str) -> Session | None:
        """Return the session with this cookie, unless it ended."""
        session = self._session
        if session is None or self.is_over():
            return None
        return session if compare_digest(identity.encode(), session.identity.encode()) else None

    def touch(self) -> None:
        """Note that somebody is there: a page was asked for, not only the state behind it."""
        self._seen_ms = self._now_ms()

    def is_over(self) -> bool:
        """Tell whether nobody came, or came back, for too long."""
        return self._now_ms() - self._seen_ms >= IDLE_MS

    def leave(self) -> None:
        """End the session."""
        self._session = None
        self._token = None
        self._seen_ms = self._now_ms() - IDLE_MS
