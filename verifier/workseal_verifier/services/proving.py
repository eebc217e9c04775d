"""Whose key signed a request.

Rules: whatever is wrong with a signature that is near in time, the answer is the same: it does not
tell whether anybody here has this key. A request is taken when it is let in; one that is refused
leaves nothing behind.
"""

from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.httpsignature import RequestSignature, Target
from workseal_protocol.keys import PublicKey
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.replay import NonceMemory, SpentNonces
from workseal_verifier.services.standing import Standings

_READING = frozenset({"GET", "HEAD"})


class Prover:
    """Check signed requests."""

    def __init__(self, standings: Standings, nonces: NonceMemory, spent: SpentNonces) -> None:
        self._standings = standings
        self._nonces = nonces
        self._spent = spent

    def require_signed(self, target: Target, signature: RequestSignature) -> Digest:
        """Return whose key signed a request, or refuse; it may come again until it is taken."""
        key = self._standings.key(signature.key)
        self.require_signed_by(target, signature, key)
        if target.method in _READING:
            self._nonces.require_remembered(signature.created)
        return signature.key

    def take(self, target: Target, signature: RequestSignature) -> None:
        """Take a request that was let in, or refuse it as taken before."""
        self._nonces.require_new(signature.key, signature.nonce)
        if target.method not in _READING:
            self._spent.require_new(signature.key, signature.nonce, created_s=signature.created)

    def require_signed_by(
        self, target: Target, signature: RequestSignature, key: PublicKey | None
    ) -> None:
        """Require that the key signed this request, near in time.

        It may come again. Nothing is remembered: anybody has keys, as many as the memory holds.
        """
        self._nonces.require_near(signature.created)
        if key is None:
            raise unproven()
        try:
            signature.verify(target, key)
        except VerificationError as error:
            raise unproven() from error


def unproven() -> RefusedError:
    """Make the one refusal for whoever shows no key that speaks for anybody here."""
    return RefusedError(Reason.UNPROVEN, "the request shows no key that speaks for anybody here")
