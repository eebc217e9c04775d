import base64
from contextlib import suppress

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from support.builders import CLIENT, FREELANCER
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Algorithm, PublicKey, SeedSigner, thumbprint_uri

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
ALGORITHMS = [Algorithm.EDDSA, Algorithm.ML_DSA_44, Algorithm.ML_DSA_65]

# The eight points of small order as RFC 8032 writes them, then every other spelling that some
# library decodes to one of them.
SMALL_ORDER = [
    pytest.param("01" + "00" * 31, id="order 1"),
    pytest.param("ec" + "ff" * 30 + "7f", id="order 2"),
    pytest.param("00" * 32, id="order 4"),
    pytest.param("00" * 31 + "80", id="order 4, other sign"),
    pytest.param(
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", id="order 8, first"
    ),
    pytest.param(
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", id="order 8, second"
    ),
    pytest.param(
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", id="order 8, third"
    ),
    pytest.param(
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", id="order 8, fourth"
    ),
    pytest.param("01" + "00" * 30 + "80", id="order 1, x = 0 with the sign bit"),
    pytest.param("ec" + "ff" * 31, id="order 2, x = 0 with the sign bit"),
    pytest.param("ed" + "ff" * 30 + "7f", id="order 4, y = p"),
    pytest.param("ed" + "ff" * 31, id="order 4, y = p with the sign bit"),
    pytest.param("ee" + "ff" * 30 + "7f", id="order 1, y = p + 1"),
    pytest.param("ee" + "ff" * 31, id="order 1, y = p + 1 with the sign bit"),
]


@pytest.mark.parametrize("raw", SMALL_ORDER)
def test_refuses_points_of_small_order_in_every_spelling(raw: str) -> None:
    with pytest.raises(ValueError, match=r"small order|canonical"):
        PublicKey(bytes.fromhex(raw))


def doubled(y: int) -> int:
    """Give the y of twice the point: no square root needed, since only x squared enters."""
    d = -121665 * pow(121666, -1, P)
    x2 = (y * y - 1) * pow(d * y * y + 1, -1, P)
    return (y * y + x2) * pow(1 - d * x2 * y * y, -1, P) % P


def test_the_list_of_small_orders_is_complete() -> None:
    # Order 8 doubles to order 4 (y = 0), that to order 2 (y = -1), that to the neutral element.
    listed = {int.from_bytes(bytes.fromhex(str(each.values[0])), "little") for each in SMALL_ORDER}
    canonical = {y & (2**255 - 1) for y in listed if y & (2**255 - 1) < P}
    assert canonical == {y for y in canonical if doubled(doubled(doubled(y))) == 1}
    # y in {1}, {-1}, {0} and the two of order 8; the curve group has cofactor 8, so no more.
    assert len(canonical) == 5
    assert sorted(doubled(y) for y in canonical) == [0, 0, 1, 1, P - 1]


@pytest.mark.parametrize("sign", [0, 1 << 255])
@pytest.mark.parametrize("y", range(P, 2**255))
def test_refuses_every_y_that_is_not_reduced(y: int, sign: int) -> None:
    with pytest.raises(ValueError, match="canonical"):
        PublicKey((y | sign).to_bytes(32, "little"))


def test_refuses_bytes_that_are_no_point() -> None:
    with pytest.raises(ValueError, match="point of the curve"):
        PublicKey(b"\x02" + bytes(31))


@given(st.binary(min_size=32, max_size=32))
def test_accepts_every_honest_key(seed: bytes) -> None:
    signer = SeedSigner(seed)
    signer.public_key.verify(signer.sign(b"message"), b"message")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_holds_for_its_message_and_key_alone(algorithm: Algorithm) -> None:
    signer, other = SeedSigner(bytes(32), algorithm), SeedSigner(b"\x01" * 32, algorithm)
    signature = signer.sign(b"message")
    assert len(signature) == signer.public_key.signature_bytes
    signer.public_key.verify(signature, b"message")
    with pytest.raises(VerificationError):
        signer.public_key.verify(signature, b"another message")
    with pytest.raises(VerificationError):
        other.public_key.verify(signature, b"message")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("cut", [lambda _: b"", lambda s: s[:-1], lambda s: s + b"\x00"])
def test_refuses_a_signature_of_another_length(algorithm: Algorithm, cut: object) -> None:
    signer = SeedSigner(bytes(32), algorithm)
    assert callable(cut)
    with pytest.raises(VerificationError):
        signer.public_key.verify(cut(signer.sign(b"m")), b"m")


def test_refuses_a_signature_whose_s_is_not_reduced() -> None:
    signature = FREELANCER.sign(b"message")
    s = int.from_bytes(signature[32:], "little")
    for multiple in range(1, 16):
        mauled = s + multiple * L
        if mauled >= 2**256:
            break
        with pytest.raises(VerificationError):
            FREELANCER.public_key.verify(signature[:32] + mauled.to_bytes(32, "little"), b"message")
    assert s + L < 2**256, "at least one was tried"


def test_refuses_every_changed_bit_of_a_signature() -> None:
    signature = FREELANCER.sign(b"message")
    for bit in range(512):
        mauled = bytearray(signature)
        mauled[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(VerificationError):
            FREELANCER.public_key.verify(bytes(mauled), b"message")


def test_the_small_order_key_that_we_refuse_would_verify_anything() -> None:
    # Why the guard exists: under the neutral element, R = S*B is a signature of every message.
    identity = b"\x01" + bytes(31)
    Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), b"any message")
    with pytest.raises(ValueError, match="small order"):
        PublicKey(identity)


def test_refuses_r_in_a_spelling_that_is_not_canonical() -> None:
    # R = neutral element as y = p + 1; the comparison is of bytes, so it never matches.
    with pytest.raises(VerificationError):
        FREELANCER.public_key.verify(b"\xee" + b"\xff" * 30 + b"\x7f" + bytes(32), b"message")


def test_thumbprint_of_the_published_example() -> None:
    # RFC 8032 section 7.1, test 1, as the deterministic COSE_Key {1: 1, -1: 6, -2: x} of RFC 9679.
    x = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    expected = Digest.of(bytes.fromhex("a301012006215820"), x)
    assert PublicKey(x).thumbprint == expected
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    signer = SeedSigner(seed)
    assert signer.public_key.raw == x
    assert signer.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b"
    )


@pytest.mark.parametrize("algorithm", [Algorithm.ML_DSA_44, Algorithm.ML_DSA_65])
def test_thumbprint_of_an_akp_key(algorithm: Algorithm) -> None:
    key = SeedSigner(bytes(32), algorithm).public_key
    cose_key = cbor2.dumps({1: 7, 3: int(algorithm), -1: key.raw})
    assert key.thumbprint == Digest.of(cose_key)


def test_uri_is_that_of_rfc_9679() -> None:
    digits = base64.urlsafe_b64encode(FREELANCER.public_key.thumbprint.raw).rstrip(b"=").decode()
    assert FREELANCER.public_key.uri == f"urn:ietf:params:oauth:ckt:sha-256:{digits}"
    assert thumbprint_uri(FREELANCER.public_key.thumbprint) == FREELANCER.public_key.uri


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_text_and_raw_are_read_back(algorithm: Algorithm) -> None:
    key = SeedSigner(b"\x07" * 32, algorithm).public_key
    assert PublicKey.parse_text(key.text()) == key
    assert PublicKey.of_raw(key.raw) == key


TEXT = FREELANCER.public_key.text()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(TEXT + "=", id="padding"),
        pytest.param(TEXT + "\n", id="line end"),
        pytest.param(TEXT[:-1], id="a digit short"),
        pytest.param(TEXT[:-1] + "z", id="stray bits"),
        pytest.param(TEXT.replace("ed25519", "mldsa44"), id="another algorithm's name"),
        pytest.param(TEXT.upper(), id="upper case"),
        pytest.param("ed25519:" + "A" * 43, id="small order"),
        pytest.param("ed25519:" + "A" * 45, id="no such length"),
        pytest.param("ed25519:" + "A" * 100_000, id="long"),
        pytest.param("ed448:" + "A" * 43, id="unknown algorithm"),
    ],
)
def test_refuses_text(text: str) -> None:
    assert text != TEXT
    with pytest.raises(MalformedError):
        PublicKey.parse_text(text)


@given(st.text(max_size=60) | st.from_regex(r"(ed25519|mldsa44):[A-Za-z0-9_-]{42,44}"))
def test_text_parser_raises_only_malformed(text: str) -> None:
    with suppress(MalformedError):
        assert PublicKey.parse_text(text).text() == text


@given(st.binary(max_size=40) | st.binary(min_size=32, max_size=32))
def test_raw_reader_raises_only_malformed(raw: bytes) -> None:
    with suppress(MalformedError):
        assert PublicKey.of_raw(raw).raw == raw


@pytest.mark.parametrize("length", [0, 31, 33, 64, 1311, 1313, 1951, 1953])
def test_refuses_raw_of_another_length(length: int) -> None:
    with pytest.raises(MalformedError, match="bytes"):
        PublicKey.of_raw(bytes(length))
    with pytest.raises(ValueError, match="32 bytes"):
        PublicKey(bytes(length))


def test_an_ed25519_key_has_one_algorithm_and_allows_two_names() -> None:
    key = FREELANCER.public_key
    assert key.allows(Algorithm.EDDSA)
    assert key.allows(Algorithm.ED25519)
    assert not key.allows(Algorithm.ML_DSA_44)
    with pytest.raises(ValueError, match="EDDSA"):
        PublicKey(key.raw, Algorithm.ED25519)


def test_an_ml_dsa_key_allows_its_algorithm_alone() -> None:
    key = SeedSigner(bytes(32), Algorithm.ML_DSA_44).public_key
    assert [each for each in Algorithm if key.allows(each)] == [Algorithm.ML_DSA_44]


def test_a_signer_does_not_show_its_secret() -> None:
    seed = CLIENT._secret.private_bytes_raw()
    shown = repr(CLIENT) + str(CLIENT)
    assert seed.hex() not in shown
    assert base64.urlsafe_b64encode(seed).decode()[:20] not in shown
    assert not hasattr(CLIENT, "__dict__")


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_refuses_a_seed_of_another_length(length: int) -> None:
    with pytest.raises(ValueError, match="a seed has 32 bytes"):
        SeedSigner(bytes(length))
