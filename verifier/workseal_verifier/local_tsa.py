"""A time-stamping authority on this machine, for trying out: same operator, so no outside witness.

Tokens are made by `openssl ts`, behind a small HTTP service on the loopback interface in a process
of its own. The certificates, made at the first start, are real ones with a root of their own; what
is missing is the independence. The process ends when whoever started it ends.
"""

import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from workseal_verifier.errors import ConfigError
from workseal_verifier.keyfiles import make_folder, replace_file

ROOT_FILE: Final = "root.pem"
_VALID: Final = timedelta(days=3650)
_MAX_QUERY: Final = 4_096
# 2.25.* are object identifiers from UUIDs: nobody has to be asked for one (ITU-T X.667).
POLICY: Final = "2.25.139425672183490128734650912387465091238"
_CONFIGURATION: Final = """\
[tsa]
default_tsa = local
[local]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = {policy}
digests = sha256
accuracy = secs:1
clock_precision_digits = 0
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class LocalTsa:
    """The running authority: `url` answers time-stamp queries."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            raise ConfigError("--local-tsa needs the program 'openssl' on the PATH")
        prepare(folder)
        # The child reads its standard input to its end: when this process dies, it ends too.
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no foreign words
            [sys.executable, "-m", __name__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line.strip().isdigit():
            self.close()
            raise ConfigError("the local time-stamping authority did not start")
        self.url = f"http://127.0.0.1:{int(line)}/"

    def close(self) -> None:
        """End the authority's process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.terminate()
        self._process.wait(timeout=10)


def prepare(folder: Path) -> None:
    """Make the certificates and the configuration, once."""
    make_folder(folder)
    if (folder / ROOT_FILE).exists():
        return
    root_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("Workseal local TSA root", root_key, issuer=None)
    leaf = _certificate("Workseal local TSA", leaf_key, issuer=(root, root_key))
    secret = leaf_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    replace_file(folder / "tsa.key", secret)
    replace_file(folder / "tsa.pem", leaf.public_bytes(serialization.Encoding.PEM))
    replace_file(folder / "tsa.cnf", _CONFIGURATION.format(policy=POLICY).encode())
    replace_file(folder / "serial", b"01\n")
    # Last, because its presence says that the others are complete. The root's key is not kept:
    # nothing else will ever be issued under it.
    replace_file(folder / ROOT_FILE, root.public_bytes(serialization.Encoding.PEM))


def answer(folder: Path, query: bytes) -> bytes:
    """Answer one TimeStampReq with `openssl ts`; one at a time, it counts serials in a file."""
    # openssl works in the folder, so its paths must not be relative to where we are.
    with tempfile.TemporaryDirectory(dir=folder.resolve()) as work:
        asked, told = Path(work, "query.tsq"), Path(work, "reply.tsr")
        asked.write_bytes(query)
        command = ["openssl", "ts", "-reply", "-section", "local", "-config", "tsa.cnf"]
        subprocess.run(  # noqa: S603 - no foreign words
            [*command, "-queryfile", str(asked), "-out", str(told)],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=30,
        )
        return told.read_bytes()


def serve(folder: Path) -> None:
    """Serve on a free loopback port, say which, and end with the standard input."""
    # Ctrl-C reaches the whole group; the one who started this decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            if not length.isdigit() or not 0 < int(length) <= _MAX_QUERY:
                self.send_error(413)
                return
            query = self.rfile.read(int(length))
            try:
                with lock:
                    reply = answer(folder, query)
            except (OSError, subprocess.SubprocessError):
                self.send_error(500)
                return
            self.send_response(200)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)  # noqa: T201 - the parent reads it
    sys.stdin.read()
    server.shutdown()


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = key if issuer is None else issuer[1]
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(_usage(authority=issuer is None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
    )
    if issuer is not None:
        # RFC 3161 section 2.3: critical, and the only usage.
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(signer, hashes.SHA256())


def _usage(*, authority: bool) -> x509.KeyUsage:
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


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
