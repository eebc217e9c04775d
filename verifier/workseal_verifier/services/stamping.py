"""One time-stamp per interval over the newest checkpoint, if the log grew.

Rules: what is stamped is the checkpoint with the log's line alone, so any RFC 3161 tool checks it.
A token is verified against the configured root, with its nonce, before it is stored.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workseal_protocol.errors import WorksealError
from workseal_protocol.timestamp import token_request, verify_token
from workseal_protocol.window import CLOCK_TOLERANCE_MS
from workseal_verifier.errors import StoreError, VerifierError
from workseal_verifier.services.health import STAMPING, Health
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.publication import Publisher
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.schema import TOKEN_BYTES

_logger = logging.getLogger(__name__)

# Sends a TimeStampReq, returns the TimeStampResp; raises OSError when that did not work.
Send = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Authority:
    """A time-stamping authority: how to ask it, and the roots (DER) that its tokens lead to."""

    send: Send
    roots: Sequence[bytes]


class Stamper:
    """Stamp the newest checkpoint."""

    def __init__(
        self,
        log: LogStore,
        publisher: Publisher,
        identity: Identity,
        authority: Authority,
        health: Health,
    ) -> None:
        self._log = log
        self._publisher = publisher
        self._identity = identity
        self._authority = authority
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
            message = published.signed.log_signed(self._identity.log_key)
            nonce = secrets.randbits(63) | 1 << 63
            token = self._authority.send(token_request(message, nonce))
            if len(token) > TOKEN_BYTES:
                raise VerifierError(f"the token has {len(token)} bytes")  # noqa: TRY301
            stamp = verify_token(token, message=message, roots=self._authority.roots, nonce=nonce)
            self._require_later(published.size, stamp.upper)
            self._log.save_token(published.size, token, stamp.upper)
        except (OSError, WorksealError, VerifierError, StoreError) as error:
            _logger.warning("no time-stamp for the newest checkpoint: %s", error)
            self._health.failed(STAMPING)
            return False
        self._health.worked(STAMPING)
        return True

    def _require_later(self, size: int, upper_ms: int) -> None:
        """Refuse a time before the checkpoint's own: stored, it would spoil every bundle."""
        signed = self._log.anchor(size)
        if signed is not None and upper_ms + CLOCK_TOLERANCE_MS < signed[1] * 1000:
            raise VerifierError(
                f"the authority's clock is {signed[1] - upper_ms // 1000} s behind this one"
            )
