"""Time-stamp tokens (RFC 3161) over log-signed checkpoints.

Rules: only SHA-256 imprints; trust comes from the caller's roots alone, never from a certificate
that the token brings; the chain is checked at the token's own time, so an expired TSA certificate
is fine. `rfc3161_client` is imported only when a token is verified. Revocation is not checked.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID

from workseal_protocol.certificate import names_itself, read_certificate
from workseal_protocol.digest import sha256
from workseal_protocol.errors import MalformedError, VerificationError, WorksealError

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse
    from rfc3161_client.tsp import TimeStampTokenInfo

MAX_TOKEN_BYTES = 65_536
MAX_CERTIFICATES = 8  # of one token
# As many roots as a policy names, and as many helpers as a bundle has room for beside them.
MAX_TRUSTED = 32
MAX_NONCE_BYTES = 20
# A token without an accuracy: RFC 3161 leaves it open, so the resolution of its time counts.
UNSTATED_ACCURACY_MS = 1000
# Years of accuracy would be no time-stamp; also keeps the sum within 53 bits.
MAX_ACCURACY_SECONDS = 86_400

_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_STRONG = {f"2.16.840.1.101.3.4.2.{n}" for n in (1, 2, 3)}  # SHA-256, SHA-384, SHA-512
_SHA256_IMPRINT = bytes.fromhex("3031300d060960864801650304020105000420")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND, _MILLISECOND = 10**9, 10**6  # in nanoseconds
_TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING
_GEN_TIME = re.compile(rb"(?P<whole>[0-9]{14})(?:\.(?P<fraction>[0-9]{0,8}[1-9]))?Z")


class _Encodable(Protocol):
    def as_bytes(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Stamp:
    """Say when a TSA saw the message, in Unix milliseconds; `upper` is the latest possible time."""

    generated_at: int
    accuracy: int

    @property
    def upper(self) -> int:
        """Return the time by which the message existed."""
        return self.generated_at + self.accuracy


class MissingLibraryError(VerificationError):
    """Say that nothing was examined, because `rfc3161_client` is not installed."""


def token_request(message: bytes, nonce: int) -> bytes:
    """Write a TimeStampReq (DER) for SHA-256 of the message that asks for the TSA certificate."""
    if not 0 < nonce < 1 << (8 * MAX_NONCE_BYTES):
        raise ValueError(f"a nonce is positive and has at most {MAX_NONCE_BYTES} bytes")
    number = nonce.to_bytes(nonce.bit_length() // 8 + 1)  # room for the sign bit
    body = b"".join(
        (
            b"\x02\x01\x01",
            _SHA256_IMPRINT,
            sha256(message),
            b"\x02",
            bytes([len(number)]),
            number,
            b"\x01\x01\xff",
        )
    )
    return b"\x30" + bytes([len(body)]) + body


def verify_token(
    token: bytes,
    *,
    message: bytes,
    roots: Sequence[bytes],
    intermediates: Sequence[bytes] = (),
    policy_oid: str | None = None,
    nonce: int | None = None,
) -> Stamp:
    """Check a TimeStampResp (DER) over a message, and say when the TSA made it.

    `roots` (DER) are the caller's: each self-signed one is trusted, others among them only help.
    `intermediates` may come from anywhere. Raises
    `MalformedError` when bytes are not what they should be, `VerificationError` when the token does
    not hold, `MissingLibraryError` when nothing could be examined.
    """
    if not roots:
        raise VerificationError("the policy names no time-stamp root")
    trusted, helpers = _trust(tuple(roots), tuple(intermediates))
    response = _response(token)
    with _foreign(MalformedError, "the time-stamp response has parts that cannot be read"):
        info = response.tst_info
        signer = _signer(response)
        stamp = _stamp(info)
    _require_content(info, message, policy_oid, nonce)
    _require_signature(response, signer, message, trusted, helpers)
    return stamp


def _response(token: bytes) -> "TimeStampResponse":
    try:
        from rfc3161_client import decode_timestamp_response  # noqa: PLC0415
    except ImportError as e:
        raise MissingLibraryError(
            "time-stamps need rfc3161-client: pip install 'workseal[time]'"
        ) from e
    if len(token) > MAX_TOKEN_BYTES:
        raise MalformedError(f"a time-stamp response has at most {MAX_TOKEN_BYTES} bytes")
    with _foreign(MalformedError, "expected a time-stamp response in DER"):
        response = decode_timestamp_response(token)
        granted = response.status == 0
    if not granted:
        raise VerificationError("the time-stamp authority did not grant the request")
    return response


def _signer(response: "TimeStampResponse") -> x509.Certificate:
    """Return the one certificate that the one signer names."""
    signed = response.signed_data
    signers = list(signed.signer_infos)
    if len(signers) != 1:
        raise MalformedError("a time-stamp token has one signer")
    certificates = _certificates(list(signed.certificates))
    names = [(one.issuer.public_bytes(), one.serial_number) for one in certificates]
    # The library and OpenSSL each look the signer up by this name: two would let them differ.
    if len(set(names)) != len(names):
        raise MalformedError("two certificates of the token share one issuer and serial number")
    wanted = (signers[0].issuer.public_bytes(), signers[0].serial_number)
    if wanted not in names:
        raise VerificationError("the token does not contain its signer's certificate")
    if not {one.dotted_string for one in signed.digest_algorithms} <= _STRONG:
        raise VerificationError("the token is signed with a hash function that is not SHA-2")
    return certificates[names.index(wanted)]


def _require_content(
    info: "TimeStampTokenInfo", message: bytes, policy_oid: str | None, nonce: int | None
) -> None:
    with _foreign(MalformedError, "the time-stamp's content cannot be read"):
        version, imprint = info.version, info.message_imprint
        found_policy, found_nonce = info.policy, info.nonce
        algorithm, digest = imprint.hash_algorithm, imprint.message
    if version != 1:
        raise VerificationError("a time-stamp token has version 1")
    if algorithm != _SHA256:
        raise VerificationError("the time-stamp is not over a SHA-256 digest")
    if digest != sha256(message):
        raise VerificationError("the time-stamp is over another message")
    if policy_oid is not None and found_policy.dotted_string != policy_oid:
        raise VerificationError("the time-stamp was made under another policy")
    if nonce is not None and found_nonce != nonce:
        raise VerificationError("the time-stamp answers another request: its nonce differs")


def _require_signature(
    response: "TimeStampResponse",
    signer: x509.Certificate,
    message: bytes,
    roots: list[x509.Certificate],
    intermediates: list[x509.Certificate],
) -> None:
    from rfc3161_client import VerifierBuilder  # noqa: PLC0415

    with _foreign(MalformedError, "the signer's certificate cannot be read"):
        try:
            usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        except x509.ExtensionNotFound:
            usage = None
    if usage is None or not usage.critical or list(usage.value) != [_TIME_STAMPING]:
        raise VerificationError("the signer's certificate is not for time-stamping alone")
    # Never `tsa_certificate=`: the library puts it into its store, and a self-signed one is a root.
    verifier = VerifierBuilder(roots=roots, intermediates=intermediates).build()
    with _foreign(VerificationError, "the time-stamp's signature does not lead to a trusted root"):
        verifier.verify_message(response, message)


def _stamp(info: "TimeStampTokenInfo") -> Stamp:
    whole = info.gen_time
    # `gen_time` leaves the fraction out, and an upper bound must not be early.
    text = _gen_time(cast("_Encodable", info).as_bytes())
    form = _GEN_TIME.fullmatch(text)
    if form is None or whole.strftime("%Y%m%d%H%M%S").encode() != form["whole"]:
        raise MalformedError("the time of a time-stamp is not a GeneralizedTime")
    fraction = int((form["fraction"] or b"0").ljust(9, b"0"))
    at = (whole - _EPOCH) // timedelta(seconds=1) * _SECOND + fraction
    if at < 0:
        raise MalformedError("the time of a time-stamp lies before 1970")
    accuracy = UNSTATED_ACCURACY_MS * _MILLISECOND
    if info.accuracy is not None:
        stated = info.accuracy
        if (stated.seconds or 0) > MAX_ACCURACY_SECONDS:
            raise VerificationError("the time-stamp's accuracy is worse than a day")
        accuracy = (
            (stated.seconds or 0) * _SECOND
            + (stated.millis or 0) * _MILLISECOND
            + (stated.micros or 0) * 1000
        )
    generated_at = at // _MILLISECOND
    upper = -(-(at + accuracy) // _MILLISECOND)
    return Stamp(generated_at, upper - generated_at)


def _gen_time(info: bytes) -> bytes:
    """Return the first GeneralizedTime of a TSTInfo that the library has parsed as DER."""
    at = _head(info, 0)[0]
    while at < len(info):
        tag = info[at]
        start, length = _head(info, at)
        if tag == 0x18:
            return info[start : start + length]
        at = start + length
    raise MalformedError("a time-stamp has a time")


def _head(data: bytes, at: int) -> tuple[int, int]:
    """Return where the content of a DER value starts, and its length."""
    first = data[at + 1]
    if first < 0x80:
        return at + 2, first
    start = at + 2 + (first & 0x7F)
    return start, int.from_bytes(data[at + 2 : start])


@lru_cache(maxsize=4)
def _trust(
    roots: tuple[bytes, ...], intermediates: tuple[bytes, ...]
) -> tuple[list[x509.Certificate], list[x509.Certificate]]:
    """Read roots, and of the intermediates those that lead to one; a bundle has many tokens."""
    trusted = _certificates(roots, MAX_TRUSTED)
    waiting = _certificates(intermediates, MAX_TRUSTED)
    # The library's store takes what looks self-signed for a root, wherever it came from, and its
    # eyes are not ours: it compares names without case and spaces. So only what a root vouches for
    # comes near it. Each pair is looked at once.
    issuers = list(trusted)
    with _foreign(MalformedError, "a certificate cannot be read"):
        # Another certificate of a root's key would stand beside the root, and the order in which
        # the library happens to find the two would decide.
        waiting = [one for one in waiting if not names_itself(one)]
        for issuer in issuers:
            found = [one for one in waiting if _issued_by(one, issuer)]
            waiting = [one for one in waiting if one not in found]
            issuers += found
    return trusted, issuers[len(trusted) :]


def _issued_by(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether a certificate is an authority's, and signed by that issuer."""
    try:
        one.verify_directly_issued_by(issuer)
        constraints = one.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    return constraints.ca


def _certificates(ders: Sequence[bytes], maximum: int = MAX_CERTIFICATES) -> list[x509.Certificate]:
    if len(ders) > maximum:
        raise MalformedError(f"expected at most {maximum} certificates")
    with _foreign(MalformedError, "a certificate cannot be read"):
        return [read_certificate(der) for der in dict.fromkeys(ders)]


@contextmanager
def _foreign(error: type[WorksealError], text: str) -> Iterator[None]:
    """Turn whatever the libraries raise on hostile bytes into one of our errors."""
    try:
        yield
    except WorksealError:
        raise
    except Exception as e:
        raise error(text) from e
    except BaseException as e:
        # A panic of Rust code is no Exception, and has no importable class.
        if type(e).__name__ == "PanicException":
            raise error(text) from e
        raise
