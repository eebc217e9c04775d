"""A certificate of a server on this machine, which vouches for itself."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

HERE = x509.IPAddress(ip_address("127.0.0.1"))


def self_signed(
    common_name: str, reached_by: x509.GeneralName, days: int = 0
) -> tuple[bytes, bytes]:
    """Make a certificate and its key, both as PEM; one that is valid some days from now, or was."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC) + timedelta(days=days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([reached_by]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), secret


def make_certificate(folder: Path, name: str = "verifier", days: int = 0) -> Path:
    """Write one for 127.0.0.1, with its key, in one PEM file."""
    path = folder / "verifier.pem"
    path.write_bytes(b"".join(self_signed(name, HERE, days)))
    return path
