"""Ed25519 as docs/spec/keys.md has it: which keys, which signatures, whatever library computes.

Rules: a key is accepted only as RFC 8032 section 5.1.3 decodes it (y below p, a point of the curve)
and never when its order is small. A signature holds when S < L and R is, byte for byte, the
encoding of S*B - k*A. `cryptography` decides that. libsodium (PyNaCl), where it is installed,
answers in half the time and accepts less: what it accepts holds, what it refuses is asked again.
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

try:
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError
except ImportError:  # the base install
    _HAS_SODIUM = False
else:
    _HAS_SODIUM = True

SIGNATURE_BYTES: Final = 64

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_SIGN_BIT: Final = 1 << 255
# The y of the points whose order divides 8: order 4, order 1, order 2, and the two of order 8.
# With either sign bit these are the eight points, and two spellings (x = 0, sign 1) that
# RFC 8032 does not decode; every spelling with y >= p is refused before.
_ORDER_8_Y: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER_Y: Final = frozenset({0, 1, _P - 1, _ORDER_8_Y, _P - _ORDER_8_Y})

# Under a key with a part of order 8, a signature whose equation holds only times the cofactor.
_LAX_KEY: Final = bytes.fromhex("988b8b06afc3abd50c44e1396f4587342176485abb80721cfde8385f5e9320ce")
_LAX_SIGNATURE: Final = bytes.fromhex(
    "f87a22889707d326b221b2dba4102625f99227c2febe06664c8d9409eb213e21"
    "98de37ed4db961132d40c19d2318eda32dcb5bd878b04c07ff7f775987727003"
)
_LAX_MESSAGE: Final = b"m10"


def check_key(raw: bytes) -> None:
    """Raise `ValueError` for what RFC 8032 does not decode, and for a point of small order."""
    y = int.from_bytes(raw, "little") & (_SIGN_BIT - 1)
    if y >= _P:
        raise ValueError("the Ed25519 key is not canonical")
    if y in _SMALL_ORDER_Y:
        raise ValueError("the Ed25519 key is a point of small order")
    # x^2 = (y^2 - 1) / (d y^2 + 1) must be a square; the denominator is never zero.
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if pow(square, (_P - 1) // 2, _P) != 1:
        raise ValueError("the Ed25519 key is not a point of the curve")


class Ed25519Key:
    """A key that `check_key` accepted, ready to verify."""

    __slots__ = ("_key", "_raw")

    def __init__(self, raw: bytes) -> None:
        check_key(raw)
        self._raw = raw
        self._key = Ed25519PublicKey.from_public_bytes(raw)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check a signature, or raise the `InvalidSignature` of `cryptography`."""
        if not (_SODIUM_IS_STRICT and _sodium_accepts(self._raw, signature, message)):
            self._key.verify(signature, message)


def _sodium_accepts(raw: bytes, signature: bytes, message: bytes) -> bool:
    # Its one argument is both joined: of another length, it would cut them elsewhere.
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, raw)
    except BadSignatureError:
        return False
    return True


# A release that forgives the cofactor would accept what others refuse: that one is not asked.
_SODIUM_IS_STRICT: Final = _HAS_SODIUM and not _sodium_accepts(
    _LAX_KEY, _LAX_SIGNATURE, _LAX_MESSAGE
)
