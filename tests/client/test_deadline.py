"""Through real sockets, to a peer that is never late and never ready."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from workseal_client import UnreachableError, VerifierClient, default_transport
from workseal_client.deadline import DeadlineTransport

SECONDS = 0.6
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n"


@contextmanager
def dripping(begun: bytes, drop: bytes, every: float = 0.05) -> Iterator[str]:
    """Serve an answer that begins at once and goes on for ever, drop by drop."""
    over = threading.Event()

    def serve() -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(begun)
            while drop and not over.is_set():
                connection.sendall(drop)
                time.sleep(every)
            over.wait(10)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        over.set()
        thread.join()


def transport() -> DeadlineTransport:
    return DeadlineTransport(ssl.create_default_context(), seconds=SECONDS)


@pytest.mark.parametrize(
    ("begun", "drop"),
    [
        pytest.param(b"", b"", id="silence"),
        pytest.param(b"HTTP/1.1 200 OK\r\nx: ", b"a", id="head"),
        pytest.param(HEAD.replace(b"3", b"60000") + b"\r\n", b"a", id="body"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n", id="chunks"
        ),
    ],
)
def test_an_answer_that_drips_has_an_end(begun: bytes, drop: bytes) -> None:
    with dripping(begun, drop) as url:
        client = VerifierClient(url, transport())
        with pytest.raises(UnreachableError, match="it took too long"):
            client.checkpoint()
        client.close()


def test_each_exchange_has_the_whole_time() -> None:
    """On one connection, which the first exchange leaves open."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                for _ in range(3):
                    connection.recv(65_536)
                    time.sleep(SECONDS * 0.5)
                    connection.sendall(HEAD + b"\r\nabc")

        thread = threading.Thread(target=serve)
        thread.start()
        with httpx.Client(transport=transport(), trust_env=False) as client:
            for _ in range(3):
                url = f"http://127.0.0.1:{server.getsockname()[1]}/"
                assert client.post(url, content=b"body").content == b"abc"
        thread.join()


def test_what_goes_wrong_has_the_names_of_httpx() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with (
        httpx.Client(transport=transport(), trust_env=False) as client,
        pytest.raises(httpx.ConnectError),
    ):
        client.get(f"http://127.0.0.1:{port}/")
    with (
        dripping(b"no HTTP at all\r\n\r\n", b"") as url,
        httpx.Client(transport=transport()) as client,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        client.get(url)


def test_only_a_certificate_that_is_vouched_for_is_believed(tmp_path: Path) -> None:
    """A real TLS server: believed with its authority in the settings, and not without."""
    certificate = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for _ in range(3):
                connection, _ = server.accept()
                with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(65_536)
                    secure.sendall(HEAD + b"\r\nabc")

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        with httpx.Client(transport=default_transport(str(certificate))) as client:
            assert client.get(f"https://127.0.0.1:{port}/").content == b"abc"
        for transport, host in (
            (default_transport(), "127.0.0.1"),
            # The certificate is for the address, not for this name.
            (default_transport(str(certificate)), "localhost"),
        ):
            with (
                httpx.Client(transport=transport) as client,
                pytest.raises(httpx.ConnectError, match="certificate verify failed"),
            ):
                client.get(f"https://{host}:{port}/")
        thread.join()


def make_certificate(folder: Path) -> Path:
    """Make a self-signed certificate for 127.0.0.1, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "verifier")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "verifier.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + secret)
    return path
