"""A real time-stamp authority on this machine: its own root, its own certificate, `openssl ts`.

Rules: `certs` stays out of the configuration (OpenSSL would write an unsorted SET, which strict
readers refuse); the token carries the TSA's own certificate because the request asks for it.
"""

import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

POLICY_OID = "1.3.6.1.4.1.32473.1.1"  # 32473 is reserved for documentation (RFC 5612)
VALIDITY = timedelta(days=3650)
TIME_STAMPING = (ExtendedKeyUsageOID.TIME_STAMPING,)

_CONFIGURATION = """\
[tsa]
default_tsa = ours
[ours]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.crt
signer_key = {folder}/tsa.key
signer_digest = {digest}
default_policy = {policy}
digests = sha256, sha384, sha512
{accuracy}
clock_precision_digits = {digits}
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True, slots=True)
class Authority:
    """Hold a certificate with its key, able to issue others."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @classmethod
    def root(cls, name: str = "Test root") -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(_certificate(name, key, None, authority=True), key)

    def issue(self, name: str, *, authority: bool = False) -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        return type(self)(_certificate(name, key, self, authority=authority), key)

    @classmethod
    def self_signed_leaf(cls, name: str = "Test TSA") -> Self:
        """Make a TSA certificate that vouches for itself, as an impostor would."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.ExtendedKeyUsage(TIME_STAMPING)
        return cls(_certificate(name, key, None, usage=usage), key)

    @classmethod
    def disguised_root(cls, subject: str, issuer: str) -> Self:
        """Make a root that names itself in two spellings, and names no key of its issuer."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + VALIDITY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_key_usage(authority=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    def twin_of(
        self, leaf: Self, *, usages: Sequence[x509.ObjectIdentifier], critical: bool
    ) -> Self:
        """Issue for the same key, name and serial number once more, with other usages."""
        usage = x509.ExtendedKeyUsage(usages) if usages else None
        name = leaf.certificate.subject.rfc4514_string().removeprefix("CN=")
        serial = leaf.certificate.serial_number
        certificate = _certificate(
            name, leaf.key, self, usage=usage, critical=critical, serial=serial
        )
        return type(self)(certificate, leaf.key)

    def issue_leaf(
        self,
        name: str = "Test TSA",
        *,
        usages: Sequence[x509.ObjectIdentifier] = TIME_STAMPING,
        critical: bool = True,
        valid: tuple[datetime, datetime] | None = None,
    ) -> Self:
        """Issue a certificate for a TSA; tests make wrong ones with the options."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.ExtendedKeyUsage(usages) if usages else None
        certificate = _certificate(name, key, self, usage=usage, critical=critical, valid=valid)
        return type(self)(certificate, key)


@dataclass(frozen=True, slots=True)
class LocalTsa:
    """Answer time-stamp requests with `openssl ts -reply`."""

    folder: Path
    root: Authority
    leaf: Authority
    intermediates: tuple[Authority, ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def make(
        cls,
        folder: Path,
        *,
        root: Authority | None = None,
        leaf: Authority | None = None,
        intermediates: tuple[Authority, ...] = (),
        accuracy: str = "secs:1",
        precision_digits: int = 0,
        digest: str = "sha256",
        policy: str = POLICY_OID,
    ) -> Self:
        """Make certificates and a configuration in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        root = root or Authority.root()
        leaf = leaf or root.issue_leaf()
        (folder / "ca.pem").write_bytes(root.pem)
        (folder / "tsa.crt").write_bytes(leaf.pem)
        (folder / "tsa.key").write_bytes(
            leaf.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(
            _CONFIGURATION.format(
                folder=folder,
                policy=policy,
                digits=precision_digits,
                accuracy=f"accuracy = {accuracy}" if accuracy else "",
                digest=digest,
            )
        )
        return cls(folder, root, leaf, intermediates)

    def answer(self, request: bytes) -> bytes:
        """Answer one TimeStampReq (DER) with a TimeStampResp (DER)."""
        # `openssl ts` counts serials in a file; one at a time.
        with self._lock, tempfile.TemporaryDirectory(dir=self.folder) as work:
            query, reply = Path(work, "query.tsq"), Path(work, "reply.tsr")
            query.write_bytes(request)
            command = ["openssl", "ts", "-reply", "-section", "ours", "-queryfile", str(query)]
            command += ["-config", str(self.folder / "tsa.cnf"), "-out", str(reply)]
            subprocess.run(command, check=True, capture_output=True, timeout=60)
            return reply.read_bytes()


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: Authority | None,
    *,
    authority: bool = False,
    usage: x509.ExtendedKeyUsage | None = None,
    critical: bool = True,
    valid: tuple[datetime, datetime] | None = None,
    serial: int | None = None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    since, until = valid or (now - timedelta(days=1), now + VALIDITY)
    public = key.public_key()
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(public)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(_key_usage(authority=authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if usage is not None:
        builder = builder.add_extension(usage, critical=critical)
    return builder.sign(signer, hashes.SHA256())


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
