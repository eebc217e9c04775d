"""Whose certificates are believed, with a real TLS server and the folder and file of a system."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from support.certificates import make_certificate
from workseal_client.trust import Trust


class System:
    """The folder and the file of authorities that this process is told of as the system's."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.file = place / "certs", place / "cert.pem"
        self.folder.mkdir()
        # Somebody else, who vouches for nobody here.
        (place / "other").mkdir()
        self.file.write_bytes(make_certificate(place / "other", "other").read_bytes())
        monkeypatch.setenv("SSL_CERT_DIR", str(self.folder))
        monkeypatch.setenv("SSL_CERT_FILE", str(self.file))

    def in_folder(self, certificate: Path) -> None:
        name = subprocess.run(
            ["openssl", "x509", "-noout", "-hash", "-in", certificate],
            check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip
        (self.folder / f"{name}.0").write_bytes(certificate.read_bytes())

    def in_file(self, certificate: Path) -> None:
        self.file.write_bytes(self.file.read_bytes() + certificate.read_bytes())


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    return System(tmp_path, monkeypatch)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    (tmp_path / "server").mkdir()
    return make_certificate(tmp_path / "server")


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    """Greet whoever comes, over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                    secure.sendall(b"welcome")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def greeted(trust: Trust, port: int, host: str = "127.0.0.1") -> bytes:
    with (
        socket.create_connection(("127.0.0.1", port), 30) as opened,
        trust.wrap(opened, host) as secure,
    ):
        return secure.recv(64)


def refusal(trust: Trust, port: int, host: str = "127.0.0.1") -> ssl.SSLCertVerificationError:
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        greeted(trust, port, host)
    return caught.value


def held(trust: Trust) -> int:
    """Count the authorities that are in memory."""
    return trust._context.cert_store_stats()["x509_ca"]


def test_an_authority_of_the_folder_is_believed_and_no_other_is_read(
    system: System, certificate: Path, port: int
) -> None:
    system.in_folder(certificate)
    trust = Trust()
    assert held(trust) == 0
    assert greeted(trust, port) == b"welcome"
    assert held(trust) == 1


def test_an_authority_of_the_file_alone_is_believed_once_it_is_needed(
    system: System, certificate: Path, port: int
) -> None:
    system.in_file(certificate)
    trust = Trust()
    refused = refusal(trust, port)
    assert trust.widened(refused)
    assert greeted(trust, port) == b"welcome"
    assert held(trust) == 2


def test_who_is_in_neither_is_refused_and_everything_is_read_once(
    system: System,  # noqa: ARG001 - without it, the machine's
    port: int,
) -> None:
    trust = Trust()
    assert trust.widened(refusal(trust, port))
    assert not trust.widened(refusal(trust, port))


def test_another_name_than_that_of_the_certificate_reads_nothing_more(
    system: System, certificate: Path, port: int
) -> None:
    system.in_folder(certificate)
    trust = Trust()
    assert not trust.widened(refusal(trust, port, "localhost"))
    assert held(trust) == 1


def test_an_authority_of_ones_own_stands_in_place_of_the_systems(
    system: System, certificate: Path, port: int
) -> None:
    system.in_folder(certificate)
    assert greeted(Trust(certificate), port) == b"welcome"
    trust = Trust(system.file)
    assert not trust.widened(refusal(trust, port))


def test_a_system_without_a_folder_is_read_at_once(
    system: System, certificate: Path, port: int
) -> None:
    system.in_file(certificate)
    system.folder.rmdir()
    trust = Trust()
    assert held(trust) == 2
    assert greeted(trust, port) == b"welcome"
