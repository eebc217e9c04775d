"""A real mail server and a certificate of the tests' own, on this machine."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography.x509 import DNSName

from support.certificates import self_signed
from support.office import Office
from workseal_protocol.digest import Digest
from workseal_verifier.outsiders import SmtpSettings
from workseal_verifier.services.contacts import Contact

SENDER = "notices@office.workseal.example"


def make_certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """Write a certificate for a name of this machine, and its key."""
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    for path, pem in zip(paths, self_signed(name, DNSName(name)), strict=True):
        path.write_bytes(pem)
    return paths


def server_context(pem: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return context


@dataclass
class PostOffice:
    """Take mails; `answer` is what it says to each, None for yes."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    wires: list[bytes] = field(default_factory=list)
    greeted: list[str] = field(default_factory=list)
    answer: str | None = None
    # Called when a mail was read, before it is answered.
    meets: Callable[[], None] = lambda: None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer is not None:
            return self.answer
        self.meets()
        assert isinstance(envelope.content, bytes)
        found = message_from_bytes(envelope.content, policy=policy.SMTP)
        assert isinstance(found, EmailMessage)
        self.wires.append(envelope.content)
        self.mails.append(found)
        self.receivers += envelope.rcpt_tos
        self.greeted.append(str(session.host_name))
        assert server.transport is not None
        from_the_first = server.transport.get_extra_info("ssl_object") is not None
        self.encrypted.append(session.ssl is not None or from_the_first)
        return "250 taken"


class _OnAnyPort(Controller):
    """Listen where there is room: the library would connect to the port that was asked for."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


def _knows(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any
) -> AuthResult:
    del server, session, envelope, mechanism
    known = isinstance(login, LoginPassword) and (login.login, login.password) == (b"me", b"secret")
    return AuthResult(success=known, handled=True)


@contextmanager
def post_office(
    context: ssl.SSLContext | None, *, passwords: bool = False, at_once: bool = False
) -> Iterator[PostOffice]:
    """Serve on a free port; with a context, by STARTTLS alone, or encrypted `at_once`."""
    office = PostOffice()
    options: dict[str, Any] = {}
    if at_once:
        options = {"ssl_context": context}
    elif context is not None:
        options = {"tls_context": context, "require_starttls": True}
    if passwords:
        options |= {"authenticator": _knows, "auth_required": True}
    controller = _OnAnyPort(office, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        office.port = controller.port
        yield office
    finally:
        controller.stop()


@contextmanager
def https(handler: type[BaseHTTPRequestHandler], certificate: tuple[Path, Path]) -> Iterator[str]:
    """Serve over TLS on a free port; give its authority."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.socket = server_context(*certificate).wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def gives(office: Office, person: Digest, contact: Contact) -> None:
    """Give where somebody wants to be told, confirmed: as if its one mail had been answered."""
    contacts = office.verifier.services.contacts
    contacts.put(person, contact)
    if contact.mail is None:
        return
    row = contacts.to_confirm(person)
    if row is not None:
        contacts.confirm(contacts.confirm_token(row))
    with office.verifier.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM notices WHERE kind = 'confirm'")


def smtp_to(office: PostOffice, roots: Path | None, **changes: Any) -> SmtpSettings:
    """Give the settings that lead there."""
    fields: dict[str, Any] = {
        "host": "localhost",
        "port": office.port,
        "sender": SENDER,
        "roots": "" if roots is None else str(roots),
    }
    return SmtpSettings(**(fields | changes))
