"""Which signatures hold, on each edge where libraries differ, with libsodium and without it."""

import hashlib
import importlib.util
import sys
from itertools import count
from types import ModuleType

import nacl.bindings
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from support.builders import FREELANCER
from workseal_protocol import ed25519

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def recovered(y: int) -> Point:
    """Give the point with this y and an even x."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - square) % P == 0
    return (x if x % 2 == 0 else P - x, y)


def added(one: Point, two: Point) -> Point:
    (x1, y1), (x2, y2) = one, two
    k = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P)
    return x % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


def times(number: int, point: Point) -> Point:
    result = NEUTRAL
    while number:
        if number & 1:
            result = added(result, point)
        point, number = added(point, point), number >> 1
    return result


def written(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L


BASE = recovered(4 * pow(5, -1, P) % P)
ORDER_8 = recovered(0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7)
SECRET, NONCE = 123_456_789, 987_654_321
KEY = written(times(SECRET, BASE))
MIXED_KEY = written(added(times(SECRET, BASE), ORDER_8))
R = times(NONCE, BASE)


def signed(key: bytes, r: bytes, nonce: int, *, rest: int | None = None) -> tuple[bytes, bytes]:
    """Give a message and a signature; `rest` is what k must leave when divided by 8."""
    for number in count():
        message = b"message %d" % number
        k = challenge(r, key, message)
        if rest is None or k % 8 == rest:
            return message, r + ((nonce + k * SECRET) % L).to_bytes(32, "little")
    raise AssertionError


def unreduced() -> tuple[bytes, bytes]:
    message, signature = signed(KEY, written(R), NONCE)
    s = int.from_bytes(signature[32:], "little") + L
    return message, signature[:32] + s.to_bytes(32, "little")


EDGES = [
    pytest.param(KEY, signed(KEY, written(R), NONCE), True, id="honest"),
    pytest.param(KEY, unreduced(), False, id="S not reduced"),
    pytest.param(
        MIXED_KEY,
        signed(MIXED_KEY, written(R), NONCE, rest=0),
        True,
        id="mixed key whose part of order 8 cancels",
    ),
    pytest.param(
        MIXED_KEY, signed(MIXED_KEY, written(R), NONCE, rest=1), False, id="mixed key, cofactor"
    ),
    pytest.param(KEY, signed(KEY, written(added(R, ORDER_8)), NONCE), False, id="mixed R"),
    pytest.param(KEY, signed(KEY, written(NEUTRAL), 0), True, id="R of order 1"),
    pytest.param(
        MIXED_KEY, signed(MIXED_KEY, written(ORDER_8), 0, rest=7), True, id="R of order 8"
    ),
    pytest.param(KEY, signed(KEY, (P + 1).to_bytes(32, "little"), 0), False, id="R beyond p"),
    pytest.param(
        KEY, signed(KEY, (1 | 1 << 255).to_bytes(32, "little"), 0), False, id="R with x = 0, sign 1"
    ),
]


def fresh_module() -> ModuleType:
    """Load the module once more, beside the one that everything uses."""
    spec = importlib.util.spec_from_file_location("fresh_ed25519", ed25519.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def holds(module: ModuleType, key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        module.Ed25519Key(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@pytest.fixture(params=["with libsodium", "without"])
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    if request.param == "without":
        monkeypatch.setitem(sys.modules, "nacl.bindings", None)
    loaded = fresh_module()
    assert loaded._SODIUM_IS_STRICT is (request.param == "with libsodium")
    return loaded


@pytest.mark.parametrize(("key", "sent", "good"), EDGES)
def test_both_libraries_accept_the_same(
    module: ModuleType, key: bytes, sent: tuple[bytes, bytes], good: object
) -> None:
    message, signature = sent
    assert holds(module, key, signature, message) is good


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64), st.binary())
def test_what_libsodium_accepts_holds_with_cryptography_too(
    key: bytes, noise: bytes, message: bytes
) -> None:
    # Signatures near a true one: random bytes alone would never be accepted by either.
    true = FREELANCER.sign(message)
    raw = FREELANCER.public_key.raw
    for signature in (true, noise, true[:32] + noise[32:], noise[:32] + true[32:]):
        for public in (raw, key):
            if ed25519._sodium_accepts(public, signature, message):
                Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    assert ed25519._sodium_accepts(raw, true, message)


def test_a_message_does_not_lend_its_bytes_to_the_signature(module: ModuleType) -> None:
    # libsodium takes both as one string: what is signed is the message that starts one byte later.
    signature = FREELANCER.sign(b"xmessage")
    key = FREELANCER.public_key.raw
    assert holds(module, key, signature, b"xmessage")
    assert not holds(module, key, signature + b"x", b"message")
    assert not holds(module, key, signature[:-1], signature[-1:] + b"xmessage")


def test_a_libsodium_that_forgives_the_cofactor_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lax(joined: bytes, _key: bytes) -> bytes:
        return joined[64:]

    monkeypatch.setattr(nacl.bindings, "crypto_sign_open", lax)
    module = fresh_module()
    assert not holds(module, KEY, bytes(64), b"message")
    assert not module._SODIUM_IS_STRICT
