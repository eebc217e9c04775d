"""Certificates of authorities: what Python reads, the offline page reads, and nothing else."""

import base64
import itertools
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from workseal_protocol.certificate import names_itself, read_certificate
from workseal_protocol.cli.page import offline_page
from workseal_protocol.errors import MalformedError

AnyKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

DRIVER = Path(__file__).parents[1] / "support" / "page_certificates.mjs"
KEYS: dict[str, Callable[[], AnyKey]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}
# Of the usages' name in DER the last byte, and the one of the key's own name.
USAGE, KEY_NAME = bytes.fromhex("0603551d0f"), bytes.fromhex("0603551d0e")
EC_KEY, DIFFIE_HELLMAN = bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3e0201")


def root_with(kind: str) -> bytes:
    key = KEYS[kind]()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A root")])
    since = datetime(2024, 1, 1, tzinfo=UTC)
    usages = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "digital_signature", "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x1234567)
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usages), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    made = builder.sign(key, None if kind == "Ed25519" else hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def is_root(der: bytes) -> bool:
    try:
        return names_itself(read_certificate(der))
    except Exception:  # noqa: BLE001 - as a policy's reader takes it
        return False


def changed(der: bytes, old: bytes, new: bytes) -> bytes:
    assert der.count(old) == 1
    return der.replace(old, new)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "bits"), [("P-256", 2), ("RSA", 1), ("Ed25519", 1)])
def test_the_page_reads_a_certificate_with_changed_bits_where_python_does(
    tmp_path: Path, kind: str, bits: int
) -> None:
    node = shutil.which("node")
    assert node is not None
    page = tmp_path / "verify.html"
    page.write_bytes(offline_page())
    der = root_with(kind)
    masks = [
        sum(1 << bit for bit in some)
        for count in range(bits + 1)
        for some in itertools.combinations(range(8), count)
    ]
    values = [[byte ^ mask for mask in masks] for byte in der]
    asked = json.dumps({"certificate": base64.b64encode(der).decode(), "values": values})
    done = subprocess.run(
        [node, DRIVER, page], input=asked, capture_output=True, text=True, check=True
    )
    told = iter(json.loads(done.stdout))
    other, read = [], 0
    for at, changes in enumerate(values):
        for value in changes:
            known = is_root(der[:at] + bytes([value]) + der[at + 1 :])
            read += known
            if next(told) != known:
                other.append((at, der[at], value, known))
    assert other == []
    assert len(der) * len(masks) // 4 < read < len(der) * len(masks)


def test_a_certificate_with_an_extension_twice_is_malformed() -> None:
    with pytest.raises(MalformedError, match="twice"):
        read_certificate(changed(root_with("P-256"), KEY_NAME, USAGE))


def test_a_key_whose_parameters_are_of_another_algorithm_is_malformed() -> None:
    with pytest.raises(MalformedError, match="certificate in DER"):
        read_certificate(changed(root_with("P-256"), EC_KEY, DIFFIE_HELLMAN))


def test_a_name_in_another_type_of_text_is_another_name() -> None:
    der = root_with("P-256")
    issuer = der.index(b"\x0c\x06A root")
    other = der[:issuer] + b"\x13" + der[issuer + 1 :]
    certificate = read_certificate(other)
    assert certificate.issuer == certificate.subject
    assert names_itself(read_certificate(der))
    assert not names_itself(certificate)
