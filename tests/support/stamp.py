"""A time-stamp authority whose key, certificates, serials and signatures are the same in each run.

For vectors and the simulator, which have a clock of their own; `tsa` is the real one, with OpenSSL.
Writes just the DER that RFC 3161 asks for.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
_UNTIL = datetime(2045, 1, 1, tzinfo=UTC)
_ECDSA = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)

_SHA256 = "2.16.840.1.101.3.4.2.1"
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.47"
_POLICY = "1.3.6.1.4.1.32473.1.1"
# Of a TimeStampReq: a head, the version, the imprint with its 32 bytes; the request for the
# certificate ends it.
_NONCE_AT = 2 + 3 + 51
_AFTER_NONCE = b"\x01\x01\xff"


@dataclass(frozen=True, slots=True)
class FixedTsa:
    """Stamp messages at instants that the caller gives."""

    root: x509.Certificate
    leaf: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        root_key, key = _key(seed + b"root"), _key(seed + b"leaf")
        root = _certificate("Simulated root", root_key, "Simulated root", root_key, 1, ca=True)
        leaf = _certificate("Simulated TSA", key, "Simulated root", root_key, 2)
        return cls(root, leaf, key)

    @classmethod
    def disguised(cls, seed: bytes) -> Self:
        """Make an authority whose root names itself in capitals and signs itself."""
        root_key, key = _key(seed + b"root"), _key(seed + b"leaf")
        root = _certificate("Simulated root", root_key, "SIMULATED ROOT", root_key, 1, ca=True)
        leaf = _certificate("Simulated TSA", key, "Simulated root", root_key, 2)
        return cls(root, leaf, key)

    @classmethod
    def naming(cls, seed: bytes, *, root: bytes | None = None, leaf: bytes | None = None) -> Self:
        """Make an authority whose certificates name their issuer's key by this value in DER."""
        root_key, key = _key(seed + b"root"), _key(seed + b"leaf")
        name = "Simulated root"
        top = _certificate(name, root_key, name, root_key, 1, ca=True, issuer_named=root)
        own = _certificate("Simulated TSA", key, name, root_key, 2, issuer_named=leaf)
        return cls(top, own, key)

    @classmethod
    def with_extension(cls, seed: bytes, oid: str, value: bytes) -> Self:
        """Make an authority whose root says something more, in DER."""
        root_key, key = _key(seed + b"root"), _key(seed + b"leaf")
        name = "Simulated root"
        more = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
        root = _certificate(name, root_key, name, root_key, 1, ca=True, more=more)
        return cls(root, _certificate("Simulated TSA", key, name, root_key, 2), key)

    @property
    def root_der(self) -> bytes:
        return self.root.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.root.public_bytes(serialization.Encoding.PEM)

    def stamp(self, message: bytes, at: int) -> bytes:
        """Give a TimeStampResp over a message; `at` is in Unix milliseconds."""
        return self._token(hashlib.sha256(message).digest(), at, b"")

    def answer(self, request: bytes, at: int) -> bytes:
        """Answer a TimeStampReq as this project writes it: its digest, then its nonce."""
        start = len(request) - len(_AFTER_NONCE) - request[_NONCE_AT + 1] - 2
        if start != _NONCE_AT:
            raise ValueError("this is no request of ours")
        nonce = request[_NONCE_AT : -len(_AFTER_NONCE)]
        return self._token(request[_NONCE_AT - 32 : _NONCE_AT], at, nonce)

    def _token(self, digest: bytes, at: int, nonce: bytes) -> bytes:
        when = datetime.fromtimestamp(at // 1000, tz=UTC).strftime("%Y%m%d%H%M%SZ").encode()
        imprint = _sequence(_algorithm(_SHA256), _tlv(0x04, digest))
        info = _sequence(
            _integer(1),
            _oid(_POLICY),
            imprint,
            _integer(at // 1000),
            _tlv(0x18, when),
            _sequence(_integer(1)),
            nonce,
        )
        der = self.leaf.public_bytes(serialization.Encoding.DER)
        attributes = sorted(
            (
                _attribute(_CONTENT_TYPE, _oid(_TST_INFO)),
                _attribute(_MESSAGE_DIGEST, _tlv(0x04, hashlib.sha256(info).digest())),
                _attribute(
                    _SIGNING_CERTIFICATE,
                    _sequence(_sequence(_sequence(_tlv(0x04, hashlib.sha256(der).digest())))),
                ),
            )
        )
        signature = self.key.sign(_tlv(0x31, *attributes), _ECDSA)
        signer = _sequence(
            _integer(1),
            _sequence(self.leaf.issuer.public_bytes(), _integer(self.leaf.serial_number)),
            _algorithm(_SHA256),
            _tlv(0xA0, *attributes),
            _algorithm(_ECDSA_SHA256),
            _tlv(0x04, signature),
        )
        signed = _sequence(
            _integer(3),
            _tlv(0x31, _algorithm(_SHA256)),
            _sequence(_oid(_TST_INFO), _tlv(0xA0, _tlv(0x04, info))),
            _tlv(0xA0, der),
            _tlv(0x31, signer),
        )
        content = _sequence(_oid(_SIGNED_DATA), _tlv(0xA0, signed))
        return _sequence(_sequence(_integer(0)), content)


def _key(seed: bytes) -> ec.EllipticCurvePrivateKey:
    # Below the order of P-256, which begins with 32 one bits.
    number = int.from_bytes(hashlib.sha256(seed).digest()) >> 1
    return ec.derive_private_key(number, ec.SECP256R1())


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    serial: int,
    *,
    ca: bool = False,
    issuer_named: bytes | None = None,
    more: x509.UnrecognizedExtension | None = None,
) -> x509.Certificate:
    named = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(_SINCE)
        .not_valid_after(_UNTIL)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            named
            if issuer_named is None
            else x509.UnrecognizedExtension(ExtensionOID.AUTHORITY_KEY_IDENTIFIER, issuer_named),
            critical=False,
        )
    )
    if more is not None:
        builder = builder.add_extension(more, critical=False)
    if not ca:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=True)


def _attribute(oid: str, value: bytes) -> bytes:
    return _sequence(_oid(oid), _tlv(0x31, value))


def _algorithm(oid: str) -> bytes:
    return _sequence(_oid(oid))


def _sequence(*parts: bytes) -> bytes:
    return _tlv(0x30, *parts)


def _integer(value: int) -> bytes:
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def _oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    body = bytearray()
    for number in (40 * first + second, *rest):
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(0x80 | number & 0x7F)
        body += bytes(reversed(digits))
    return _tlv(0x06, bytes(body))


def _tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    length = len(body)
    if length < 0x80:
        return bytes([tag, length]) + body
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(size)]) + size + body
