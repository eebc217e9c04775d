"""Ask a drand relay over HTTP, and check what it says (scheme bls-unchained-g1-rfc9380).

Rules: docs/spec/drand.md. A relay is believed nothing: the signature under the network's key says
whether a value is the one of its round, and there is exactly one such signature.
"""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Final

from workseal_verifier.errors import ConfigError, SettingsError

TIMEOUT_S: Final = 5.0
SIGNATURE_BYTES: Final = 48
_MAX_ANSWER: Final = 4_096
_DOMAIN: Final = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
_HEX: Final = re.compile(rf"[0-9a-f]{{{2 * SIGNATURE_BYTES}}}")


class DrandClient:
    """Ask one relay about one network."""

    def __init__(self, url: str, chain: bytes, *, timeout_s: float = TIMEOUT_S) -> None:
        # With the first client, at the start: a server that asks nobody does without.
        from workseal_verifier.asking import ask  # noqa: PLC0415

        self._ask = ask
        self._base = f"{url.rstrip('/')}/{chain.hex()}/public/"
        self._timeout_s = timeout_s

    def ask(self, number: int | None) -> tuple[int, bytes]:
        """Return round and signature that it names for a round, or for its newest.

        Neither is checked. Raises `OSError` when there is no answer of this form in time.
        """
        address = self._base + ("latest" if number is None else str(number))
        answer = self._ask(address, limit=_MAX_ANSWER, timeout_s=self._timeout_s)
        try:
            value = json.loads(answer)
        except (ValueError, RecursionError):
            raise OSError("it did not answer in JSON") from None
        match value:
            case {"round": int(found), "signature": str(signature)} if not isinstance(
                found, bool
            ) and _HEX.fullmatch(signature):
                return found, bytes.fromhex(signature)
        raise OSError("its answer has no round with a signature")


def checker(key: bytes) -> Callable[[int, bytes], bool]:
    """Return what tells whether a signature is a round's under a network's key."""
    try:
        from py_arkworks_bls12381 import GT, G1Point, G2Point  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            "[drand] needs py_arkworks_bls12381: pip install 'workseal[drand]'"
        ) from error
    try:
        public = G2Point.from_compressed_bytes(key)
    except ValueError as error:
        raise SettingsError("[drand] key is no point of the curve") from error
    if public == G2Point.identity():
        # Everybody could sign for it.
        raise SettingsError("[drand] key is no key")
    generator = G2Point()

    def holds(number: int, signature: bytes) -> bool:
        message = hashlib.sha256(number.to_bytes(8, "big")).digest()
        try:
            point = G1Point.from_compressed_bytes(signature)
        except ValueError:
            return False
        hashed = G1Point.hash_to_curve(message, _DOMAIN)
        return bool(GT.pairing_check([hashed, -point], [public, generator]))

    return holds
