import base64
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from support.stamp import FixedTsa
from support.tsa import POLICY_OID, Authority, LocalTsa
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.timestamp import Stamp, _foreign, token_request, verify_token

VECTOR = json.loads((Path(__file__).parents[1] / "vectors/log/timestamp.json").read_text())
MESSAGE, NONCE = b"a checkpoint, log-signed\n", 0x8899_AABB_CCDD_EEFF


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> LocalTsa:
    return LocalTsa.make(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def token(tsa: LocalTsa) -> bytes:
    return tsa.answer(token_request(MESSAGE, NONCE))


def now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


# --- requests ---


@given(st.binary(max_size=200), st.integers(1, 2**160 - 1))
def test_a_request_is_what_the_library_reads(message: bytes, nonce: int) -> None:
    from rfc3161_client._rust import parse_timestamp_request  # noqa: PLC0415

    request = parse_timestamp_request(token_request(message, nonce))
    assert request.nonce == nonce
    assert request.cert_req
    assert request.version == 1
    assert len(request.message_imprint.message) == 32


def test_a_request_is_what_openssl_reads(tmp_path: Path) -> None:
    query = tmp_path / "query.tsq"
    query.write_bytes(token_request(MESSAGE, NONCE))
    command = ["openssl", "ts", "-query", "-in", str(query), "-text"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Hash Algorithm: sha256" in text
    assert "Nonce: 0x8899AABBCCDDEEFF" in text
    assert "Certificate required: yes" in text


@pytest.mark.parametrize("nonce", [-1, 0, 2**160])
def test_a_nonce_has_one_to_twenty_bytes(nonce: int) -> None:
    with pytest.raises(ValueError, match="nonce"):
        token_request(MESSAGE, nonce)


# --- tokens that hold ---


def test_a_token_says_when(tsa: LocalTsa) -> None:
    before = now_ms()
    token = tsa.answer(token_request(MESSAGE, NONCE))
    stamp = verify_token(
        token, message=MESSAGE, roots=[tsa.root.der], nonce=NONCE, policy_oid=POLICY_OID
    )
    assert stamp.accuracy == 1000
    assert stamp.upper == stamp.generated_at + 1000
    assert before - 1000 < stamp.generated_at <= now_ms() < stamp.upper + 60_000
    assert stamp.generated_at % 1000 == 0


@pytest.mark.parametrize(
    ("accuracy", "digits", "expected"),
    [
        pytest.param("secs:2", 0, 2000, id="seconds"),
        pytest.param("secs:1, millisecs:500", 3, 1500, id="milliseconds"),
        pytest.param("millisecs:7, microsecs:1", 0, 8, id="microseconds round up"),
        pytest.param("", 0, 1000, id="none stated"),
    ],
)
def test_accuracy_is_part_of_the_bound(
    tmp_path: Path, accuracy: str, digits: int, expected: int
) -> None:
    tsa = LocalTsa.make(tmp_path, accuracy=accuracy, precision_digits=digits)
    token = tsa.answer(token_request(MESSAGE, NONCE))
    assert verify_token(token, message=MESSAGE, roots=[tsa.root.der]).accuracy == expected


def test_the_fraction_of_the_time_is_not_lost(tmp_path: Path) -> None:
    tsa = LocalTsa.make(tmp_path, precision_digits=6, accuracy="microsecs:1")
    for _ in range(3):
        before = now_ms()
        token = tsa.answer(token_request(MESSAGE, NONCE))
        stamp = verify_token(token, message=MESSAGE, roots=[tsa.root.der])
        assert before <= stamp.generated_at <= now_ms()
        assert 1 <= stamp.accuracy <= 2


def test_an_accuracy_worse_than_a_day_is_refused(tmp_path: Path) -> None:
    tsa = LocalTsa.make(tmp_path, accuracy="secs:86401")
    token = tsa.answer(token_request(MESSAGE, NONCE))
    with pytest.raises(VerificationError, match="worse than a day"):
        verify_token(token, message=MESSAGE, roots=[tsa.root.der])


def test_an_intermediate_may_come_from_anywhere(tmp_path: Path) -> None:
    root = Authority.root()
    middle = root.issue("Middle", authority=True)
    tsa = LocalTsa.make(tmp_path, root=root, leaf=middle.issue_leaf())
    token = tsa.answer(token_request(MESSAGE, NONCE))
    verify_token(
        token, message=MESSAGE, roots=[root.der], intermediates=[middle.der, root.der, middle.der]
    )
    with pytest.raises(VerificationError, match="trusted root"):
        verify_token(token, message=MESSAGE, roots=[root.der])


def test_one_of_several_roots_is_enough(tsa: LocalTsa, token: bytes) -> None:
    roots = [Authority.root().der, tsa.root.der, tsa.root.der]
    verify_token(token, message=MESSAGE, roots=roots)


def test_the_vector_holds_after_its_tsa_certificate_expired() -> None:
    stamp = verify_token(
        base64.b64decode(VECTOR["token"]),
        message=VECTOR["message"].encode(),
        roots=[base64.b64decode(VECTOR["root"])],
        policy_oid=VECTOR["policy_oid"],
        nonce=VECTOR["nonce"],
    )
    assert stamp == Stamp(VECTOR["generated_at"], VECTOR["accuracy"])
    assert token_request(VECTOR["message"].encode(), VECTOR["nonce"]).hex() == VECTOR["request"]
    assert VECTOR["generated_at"] < VECTOR["tsa_expires"] < VECTOR["generated_at"] + 120_000


def test_openssl_verifies_the_same_token(tsa: LocalTsa, token: bytes, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(MESSAGE)
    (tmp_path / "token.tsr").write_bytes(token)
    command = ["openssl", "ts", "-verify", "-data", str(tmp_path / "data")]
    command += ["-in", str(tmp_path / "token.tsr"), "-CAfile", str(tsa.folder / "ca.pem")]
    assert (
        "Verification: OK"
        in subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )


# --- tokens that do not ---


def test_refuses_another_message_nonce_or_policy(tsa: LocalTsa, token: bytes) -> None:
    roots = [tsa.root.der]
    with pytest.raises(VerificationError, match="another message"):
        verify_token(token, message=b"other", roots=roots)
    with pytest.raises(VerificationError, match="nonce"):
        verify_token(token, message=MESSAGE, roots=roots, nonce=NONCE + 1)
    with pytest.raises(VerificationError, match="another policy"):
        verify_token(token, message=MESSAGE, roots=roots, policy_oid="1.2.3.4")


def test_refuses_a_root_that_the_policy_does_not_name(token: bytes) -> None:
    with pytest.raises(VerificationError, match="trusted root"):
        verify_token(token, message=MESSAGE, roots=[Authority.root().der])
    with pytest.raises(VerificationError, match="no time-stamp root"):
        verify_token(token, message=MESSAGE, roots=[])


def test_a_root_among_the_intermediates_is_not_trusted(tsa: LocalTsa, token: bytes) -> None:
    others = [tsa.root.der, tsa.leaf.der]
    with pytest.raises(VerificationError, match="trusted root"):
        verify_token(token, message=MESSAGE, roots=[Authority.root().der], intermediates=others)


def test_another_certificate_of_a_roots_key_and_name_is_no_helper() -> None:
    tsa = FixedTsa.from_seed(b"twin")
    token = tsa.stamp(MESSAGE, 1_772_442_000_000)
    root = x509.load_der_x509_certificate(tsa.root_der)
    name = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    # The policy's own root names its key otherwise, so that the token's chain does not lead there.
    other = tsa.root_der.replace(b"\x04\x14" + name, b"\x04\x14" + bytes(20), 1)
    assert other != tsa.root_der
    with pytest.raises(VerificationError, match="trusted root"):
        verify_token(token, message=MESSAGE, roots=[other], intermediates=[tsa.root_der])


def test_an_intermediate_alone_is_not_trusted(tmp_path: Path) -> None:
    root = Authority.root()
    middle = root.issue("Middle", authority=True)
    tsa = LocalTsa.make(tmp_path, root=root, leaf=middle.issue_leaf())
    token = tsa.answer(token_request(MESSAGE, NONCE))
    for roots in ([Authority.root().der], [middle.der]):
        with pytest.raises(VerificationError, match="trusted root"):
            verify_token(token, message=MESSAGE, roots=roots, intermediates=[middle.der])


def test_a_self_signed_tsa_is_trusted_only_as_a_root(tmp_path: Path) -> None:
    leaf = Authority.self_signed_leaf()
    tsa = LocalTsa.make(tmp_path, leaf=leaf)
    token = tsa.answer(token_request(MESSAGE, NONCE))
    with pytest.raises(VerificationError, match="trusted root"):
        verify_token(token, message=MESSAGE, roots=[tsa.root.der], intermediates=[leaf.der])


@pytest.mark.parametrize(
    ("subject", "issuer"),
    [
        pytest.param("impostor", "Impostor", id="case"),
        pytest.param("impostor", "impostor ", id="a space after it"),
        pytest.param("an impostor", "an  impostor", id="two spaces"),
    ],
)
def test_a_self_signed_helper_is_no_root_under_any_spelling(
    tmp_path: Path, subject: str, issuer: str
) -> None:
    # OpenSSL folds case and spaces of names: to it, this one is self-signed, hence a root.
    impostor = Authority.disguised_root(subject, issuer)
    tsa = LocalTsa.make(tmp_path, root=impostor, leaf=impostor.issue_leaf())
    token = tsa.answer(token_request(MESSAGE, NONCE))
    verify_token(token, message=MESSAGE, roots=[impostor.der])
    with pytest.raises(VerificationError, match="trusted root"):
        verify_token(
            token, message=MESSAGE, roots=[Authority.root().der], intermediates=[impostor.der]
        )


def test_helpers_lead_to_a_root_in_any_order(tmp_path: Path) -> None:
    root = Authority.root()
    upper = root.issue("Upper", authority=True)
    lower = upper.issue("Lower", authority=True)
    tsa = LocalTsa.make(tmp_path, root=root, leaf=lower.issue_leaf())
    token = tsa.answer(token_request(MESSAGE, NONCE))
    stranger = Authority.root("Upper").issue("Lower", authority=True)
    for helpers in ([upper, lower], [lower, upper], [stranger, lower, stranger, upper]):
        verify_token(
            token, message=MESSAGE, roots=[root.der], intermediates=[one.der for one in helpers]
        )


def test_an_issuer_that_is_no_authority_is_refused(tmp_path: Path) -> None:
    root = Authority.root()
    plain = root.issue("Not an authority")
    tsa = LocalTsa.make(tmp_path, root=root, leaf=plain.issue_leaf())
    token = tsa.answer(token_request(MESSAGE, NONCE))
    with pytest.raises(VerificationError, match="trusted root"):
        verify_token(token, message=MESSAGE, roots=[root.der], intermediates=[plain.der])


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "window",
    [
        pytest.param((-3 * DAY, -2 * DAY), id="expired"),
        pytest.param((2 * DAY, 3 * DAY), id="not yet"),
    ],
)
def test_the_tsa_certificate_is_valid_at_the_tokens_time(
    tmp_path: Path, window: tuple[timedelta, timedelta]
) -> None:
    root, now = Authority.root(), datetime.now(UTC)
    leaf = root.issue_leaf(valid=(now + window[0], now + window[1]))
    tsa = LocalTsa.make(tmp_path, root=root, leaf=leaf)
    token = tsa.answer(token_request(MESSAGE, NONCE))
    with pytest.raises(VerificationError, match="trusted root"):
        verify_token(token, message=MESSAGE, roots=[root.der])


def replaced(der: bytes, old: bytes, new: bytes) -> bytes:
    """Put `new` where the value `old` stands, and write the lengths around it again."""
    result, at = b"", 0
    while at < len(der):
        start = at + 2
        length = der[at + 1]
        if length >= 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[at + 2 : start])
        value = der[at : start + length]
        if value == old:
            result += new
        elif der[at] & 0x20 and old in value:
            content = replaced(value[start - at :], old, new)
            result += der[at : at + 1] + b"\x84" + len(content).to_bytes(4) + content
        else:
            result += value
        at = start + length
    return shortest(result)


def shortest(der: bytes) -> bytes:
    """Write lengths in their shortest form, which DER asks for."""
    result, at = b"", 0
    while at < len(der):
        start = at + 2
        length = der[at + 1]
        if length >= 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[at + 2 : start])
        content = der[start : start + length]
        if der[at] & 0x20:
            content = shortest(content)
        size = len(content)
        octets = size.to_bytes((size.bit_length() + 7) // 8)
        head = bytes([size]) if size < 0x80 else bytes([0x80 | len(octets)]) + octets
        result += der[at : at + 1] + head + content
        at = start + length
    return result


def with_certificates(token: bytes, tsa: LocalTsa, others: list[bytes]) -> bytes:
    """Exchange the certificates of a token; none of its signatures covers them."""
    assert token.count(tsa.leaf.der) == 1
    return replaced(token, tsa.leaf.der, b"".join(sorted(others)))


TIME, SERVER = ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.SERVER_AUTH


@pytest.mark.parametrize(
    ("usages", "critical"),
    [
        pytest.param([SERVER], True, id="for servers"),
        pytest.param([TIME, SERVER], True, id="for servers too"),
        pytest.param([TIME], False, id="not critical"),
        pytest.param([], True, id="for nothing"),
    ],
)
def test_the_tsa_certificate_is_for_time_stamping_alone(
    tmp_path: Path, *, usages: list[x509.ObjectIdentifier], critical: bool
) -> None:
    tsa = LocalTsa.make(tmp_path)
    # `openssl ts` refuses such a certificate, so it takes the right one's place in its token.
    twin = tsa.root.twin_of(tsa.leaf, usages=usages, critical=critical)
    token = tsa.answer(token_request(MESSAGE, NONCE))
    with pytest.raises(VerificationError, match="time-stamping alone"):
        verify_token(
            with_certificates(token, tsa, [twin.der]), message=MESSAGE, roots=[tsa.root.der]
        )


def test_the_transplanted_twin_with_the_right_usage_holds(tmp_path: Path) -> None:
    tsa = LocalTsa.make(tmp_path)
    twin = tsa.root.twin_of(tsa.leaf, usages=[TIME], critical=True)
    token = with_certificates(tsa.answer(token_request(MESSAGE, NONCE)), tsa, [twin.der])
    verify_token(token, message=MESSAGE, roots=[tsa.root.der])


def test_a_second_certificate_of_the_signers_name_is_refused(tsa: LocalTsa, token: bytes) -> None:
    # Else OpenSSL could check the chain of one, and the library the usage of the other.
    forged = Authority.root("Test root").twin_of(tsa.leaf, usages=[TIME], critical=True)
    both = with_certificates(token, tsa, [tsa.leaf.der, forged.der])
    with pytest.raises(MalformedError, match="share one issuer"):
        verify_token(both, message=MESSAGE, roots=[tsa.root.der])


def test_further_certificates_in_the_token_do_no_harm(tsa: LocalTsa, token: bytes) -> None:
    more = [tsa.leaf.der, *(Authority.root(f"Root {n}").der for n in range(7))]
    verify_token(with_certificates(token, tsa, more), message=MESSAGE, roots=[tsa.root.der])
    more.append(Authority.root("One more").der)
    with pytest.raises(MalformedError, match="at most 8"):
        verify_token(with_certificates(token, tsa, more), message=MESSAGE, roots=[tsa.root.der])


def test_a_token_contains_the_certificate_of_its_signer(tsa: LocalTsa, token: bytes) -> None:
    stranger = with_certificates(token, tsa, [Authority.root().der])
    asking = token_request(MESSAGE, NONCE)
    silent = asking[:1] + bytes([asking[1] - 3]) + asking[2:-3]  # without certReq
    without = tsa.answer(silent)
    for bad in (stranger, without):
        with pytest.raises(VerificationError, match="signer's certificate"):
            verify_token(bad, message=MESSAGE, roots=[tsa.root.der])


def test_an_imprint_is_sha256(tsa: LocalTsa) -> None:
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415

    builder = TimestampRequestBuilder().data(MESSAGE).hash_algorithm(HashAlgorithm.SHA512)
    token = tsa.answer(builder.cert_request(cert_request=True).build().as_bytes())
    with pytest.raises(VerificationError, match="SHA-256"):
        verify_token(token, message=MESSAGE, roots=[tsa.root.der])


def test_a_signature_over_sha1_is_refused(tmp_path: Path) -> None:
    tsa = LocalTsa.make(tmp_path, digest="sha1")
    token = tsa.answer(token_request(MESSAGE, NONCE))
    with pytest.raises(VerificationError, match="SHA-2"):
        verify_token(token, message=MESSAGE, roots=[tsa.root.der])


def test_a_refusal_of_the_authority_is_no_token(tsa: LocalTsa) -> None:
    # SHA-1, which this authority does not take: OID 1.3.14.3.2.26 and 20 bytes.
    imprint = bytes.fromhex("3021300906052b0e03021a05000414") + bytes(20)
    body = b"\x02\x01\x01" + imprint
    refusal = tsa.answer(b"\x30" + bytes([len(body)]) + body)
    with pytest.raises(VerificationError, match="did not grant"):
        verify_token(refusal, message=MESSAGE, roots=[tsa.root.der])


def test_without_the_library_the_error_says_how_to_get_it(
    token: bytes, tsa: LocalTsa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    with pytest.raises(VerificationError, match=r"pip install 'workseal\[time\]'"):
        verify_token(token, message=MESSAGE, roots=[tsa.root.der])


def test_the_library_is_imported_only_when_a_token_is_verified() -> None:
    code = "import sys, workseal_protocol.timestamp; print('rfc3161_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


# --- whatever bytes ---


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x30\x03\x02\x01\x00", id="not a response"),
        pytest.param(b"\x30\x05\x30\x03\x02\x01\x00", id="granted, without a token"),
    ],
)
def test_refuses_what_is_no_response(tsa: LocalTsa, bad: bytes) -> None:
    with pytest.raises(MalformedError):
        verify_token(bad, message=MESSAGE, roots=[tsa.root.der])


def test_refuses_a_response_that_is_too_long(tsa: LocalTsa) -> None:
    with pytest.raises(MalformedError, match="at most 65536 bytes"):
        verify_token(bytes(65_537), message=MESSAGE, roots=[tsa.root.der])


def test_refuses_another_version_before_it_looks_further(tsa: LocalTsa, token: bytes) -> None:
    at = token.index(bytes.fromhex("020101060a2b0601040181fd59")) + 2
    with pytest.raises(VerificationError, match="version 1"):
        verify_token(token[:at] + b"\x02" + token[at + 1 :], message=MESSAGE, roots=[tsa.root.der])


def test_refuses_trailing_and_missing_bytes(tsa: LocalTsa, token: bytes) -> None:
    for bad in (token + b"\x00", token[:-1], token[1:], token[: len(token) // 2]):
        with pytest.raises(MalformedError):
            verify_token(bad, message=MESSAGE, roots=[tsa.root.der])


def test_refuses_certificates_that_are_none(tsa: LocalTsa, token: bytes) -> None:
    with pytest.raises(MalformedError, match="certificate"):
        verify_token(token, message=MESSAGE, roots=[b"no certificate"])
    with pytest.raises(MalformedError, match="certificate"):
        verify_token(token, message=MESSAGE, roots=[tsa.root.der], intermediates=[b""])


@given(st.binary(max_size=300))
def test_any_bytes_raise_only_our_errors(data: bytes) -> None:
    root = base64.b64decode(VECTOR["root"])
    with pytest.raises((MalformedError, VerificationError)):
        verify_token(data, message=MESSAGE, roots=[root])


def free_bytes(token: bytes) -> set[int]:
    """Find the bytes that no signature covers and nothing reads: 10 in a token of OpenSSL.

    The version of SignedData and of SignerInfo, and the signer's signatureAlgorithm (the algorithm
    is that of the certificate's key).
    """
    signed_data = token.index(bytes.fromhex("020103310f300d0609608648016503040201"))
    signer_info = token.rindex(bytes.fromhex("020101302c3014"))
    algorithm = token.rindex(bytes.fromhex("300a06082a8648ce3d040302"))
    return {signed_data + 2, signer_info + 2, *range(algorithm + 4, algorithm + 12)}


def mutations(token: bytes, count: int) -> Iterator[tuple[int, bytes]]:
    chance = random.Random(3161)
    for _ in range(count):
        at, change = chance.randrange(len(token)), chance.randrange(1, 256)
        yield at, token[:at] + bytes([token[at] ^ change]) + token[at + 1 :]


def test_2000_changed_bytes_give_our_errors_or_the_same_stamp(tsa: LocalTsa, token: bytes) -> None:
    def verify(data: bytes) -> Stamp:
        return verify_token(data, message=MESSAGE, roots=[tsa.root.der], nonce=NONCE)

    good, free = verify(token), free_bytes(token)
    held = set()
    for at, changed in mutations(token, 2000):
        with suppress(MalformedError, VerificationError):
            assert verify(changed) == good
            held.add(at)
    assert held <= free


def test_changed_intermediates_give_our_errors_or_the_same_stamp(tmp_path: Path) -> None:
    root = Authority.root()
    middle = root.issue("Middle", authority=True)
    tsa = LocalTsa.make(tmp_path, root=root, leaf=middle.issue_leaf())
    token = tsa.answer(token_request(MESSAGE, NONCE))
    unrelated = Authority.root().issue("Unrelated", authority=True)

    def verify(*intermediates: bytes) -> Stamp:
        return verify_token(token, message=MESSAGE, roots=[root.der], intermediates=intermediates)

    good = verify(middle.der)
    for _, changed in mutations(middle.der, 500):
        with pytest.raises((MalformedError, VerificationError)):
            verify(changed)
    for _, changed in mutations(unrelated.der, 500):
        with suppress(MalformedError, VerificationError):
            assert verify(middle.der, changed) == good


def test_a_panic_inside_a_library_becomes_our_error_and_an_interrupt_does_not() -> None:
    panic = type("PanicException", (BaseException,), {})
    with pytest.raises(MalformedError, match="text"), _foreign(MalformedError, "text"):
        raise panic
    with pytest.raises(KeyboardInterrupt), _foreign(MalformedError, "text"):
        raise KeyboardInterrupt
