"""One time-stamp per interval over the newest checkpoint, if the log grew.

Rules: what is stamped is the checkpoint with the log's line alone, so any RFC 3161 tool checks it.
Authorities are asked in order until one gives a token that verifies: its nonce, its policy, its
chain to that authority's own roots, and its time. A checkpoint has one token: the first such.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workseal_protocol.errors import WorksealError
from workseal_protocol.timestamp import Stamp, token_request, verify_token
from workseal_protocol.window import CLOCK_TOLERANCE_MS
from workseal_verifier.errors import StoreError, VerifierError
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.health import STAMPING, Health
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.publication import Published, Publisher
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.schema import TOKEN_BYTES

_logger = logging.getLogger(__name__)

# An authority's clock may be ahead of this one by so much.
AHEAD_MS = 60_000

# Sends a TimeStampReq, returns the TimeStampResp; raises OSError when that did not work.
Send = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A time-stamping authority: how to ask it, and what its tokens must lead to (DER).

    Without `send` it is no longer asked.
    """

    name: str
    send: Send | None
    roots: Sequence[bytes]
    policy: str
    intermediates: Sequence[bytes] = ()

    def ask(self, message: bytes) -> tuple[bytes, Stamp]:
        """Get a token over a message, and what it says; raises what goes wrong."""
        if self.send is None:
            raise VerifierError("it is not to be asked")
        nonce = secrets.randbits(63) | 1 << 63
        token = self.send(token_request(message, nonce))
        if len(token) > TOKEN_BYTES:
            raise VerifierError(f"the token has {len(token)} bytes")
        stamp = verify_token(
            token,
            message=message,
            roots=self.roots,
            intermediates=self.intermediates,
            policy_oid=self.policy,
            nonce=nonce,
        )
        return token, stamp


class Stamper:
    """Stamp the newest checkpoint."""

    def __init__(
        self,
        log: LogStore,
        publisher: Publisher,
        identity: Identity,
        authorities: Sequence[Authority],
        *,
        clock: Clock,
        health: Health,
    ) -> None:
        self._log = log
        self._publisher = publisher
        self._identity = identity
        self._authorities = [one for one in authorities if one.send is not None]
        self._clock = clock
        self._health = health

    def stamp(self) -> bool:
        """Get a token if the log grew since the last one; tell whether one was stored.

        A failure is logged and costs nothing: the next interval covers the same statements.
        """
        published = self._publisher.current
        try:
            if published is None or published.size <= self._log.last_stamped():
                self._health.worked(STAMPING)
                return False
            stored = any(self._stamped_by(one, published) for one in self._authorities)
        except StoreError as error:
            _logger.warning("no time-stamp for the newest checkpoint: %s", error)
            stored = False
        self._note(STAMPING, worked=stored)
        return stored

    def _stamped_by(self, authority: Authority, published: Published) -> bool:
        message = published.signed.log_signed(self._identity.log_key)
        try:
            token, stamp = authority.ask(message)
            self._require_time(published.size, stamp)
        except StoreError:
            raise
        except (OSError, WorksealError, VerifierError) as error:
            _logger.warning("no time-stamp by %s: %s", authority.name, error)
            self._note(f"{STAMPING} by {authority.name}", worked=False)
            return False
        self._log.save_token(published.size, token, stamp.upper)
        self._note(f"{STAMPING} by {authority.name}", worked=True)
        return True

    def _note(self, what: str, *, worked: bool) -> None:
        if worked:
            self._health.worked(what)
        else:
            self._health.failed(what)

    def _require_time(self, size: int, stamp: Stamp) -> None:
        """Refuse a time before the checkpoint's own: stored, it would spoil every bundle.

        And one far ahead: it would bound nothing, and keep the next authority from doing better.
        """
        signed = self._log.anchor(size)
        if signed is not None and stamp.upper + CLOCK_TOLERANCE_MS < signed[1] * 1000:
            raise VerifierError(f"its clock is {signed[1] - stamp.upper // 1000} s behind this one")
        ahead = stamp.generated_at - self._clock.now_ms()
        if ahead > AHEAD_MS:
            raise VerifierError(f"its clock is {ahead // 1000} s ahead of this one")
