"""X.509 certificates of time-stamp authorities: one reader for roots, helpers, and a token's own.

Rule: what is read has each extension once (RFC 5280, section 4.2). Names, and what an extension
holds, are read by whoever asks for them: bytes that are none raise then, whatever their types do.
"""

from typing import TYPE_CHECKING

from workseal_protocol.errors import MalformedError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def read_certificate(der: bytes) -> "Certificate":
    """Read a certificate, or raise `MalformedError`."""
    # Loaded where there is a certificate: a process that is there all day seldom reads one.
    from cryptography import x509  # noqa: PLC0415

    try:
        certificate = x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as e:
        raise MalformedError("expected an X.509 certificate in DER") from e
    try:
        _ = certificate.extensions
    except x509.DuplicateExtension as e:
        raise MalformedError("a certificate has an extension twice") from e
    except Exception:  # noqa: BLE001, S110 - they are looked for twice first, and read after that
        pass
    return certificate


def names_itself(certificate: "Certificate") -> bool:
    """Tell whether issuer and subject are the same bytes."""
    return certificate.issuer.public_bytes() == certificate.subject.public_bytes()
