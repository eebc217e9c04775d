"""Send mails by SMTP, encrypted on the way to a server whose certificate holds.

Rules: TLS is required unless the settings say in words that there is none; a server that offers no
STARTTLS gets nothing. One deadline over all of it: a server whose answer drips keeps each step
short. What goes into a header was checked for its form, and the library refuses a
line break. Whatever goes wrong is an `OSError` of one sentence that quotes no address.
"""

import smtplib
import socket
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from workseal_verifier.errors import ConfigError
from workseal_verifier.outsiders import SmtpSettings
from workseal_verifier.reaching import Deadline, Resolver, connect, cutting
from workseal_verifier.services.letters import Letter

# For a whole mail, from the server's name to its last answer.
TIMEOUT_S: Final = 60.0
_MOST_SECRET: Final = 1_024
# As long as a line may be (RFC 5322): what is folded at fewer letters has its links rewritten in a
# code (RFC 2047) that no program reads in `List-Unsubscribe`.
_WHOLE: Final = SMTP.clone(max_line_length=998)
# Of its own: webhooks are strangers' names, and many that are stuck must not hold everybody's mail.
_NAMES: Final = Resolver(most=2)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Send by one server; `password` is None where it asks for none."""

    settings: SmtpSettings
    password: str | None
    context: ssl.SSLContext
    timeout_s: float = TIMEOUT_S

    @classmethod
    def of(cls, settings: SmtpSettings, home: Path) -> "Mailbox":
        """Read what the settings name, relative to the home, or raise `ConfigError`."""
        try:
            context = ssl.create_default_context(
                cafile=str(home / settings.roots) if settings.roots else None
            )
        except (OSError, ssl.SSLError) as error:
            raise ConfigError("[smtp] roots cannot be read as certificates") from error
        password = _secret(home / settings.password_file) if settings.password_file else None
        return cls(settings, password, context)

    def send(self, letter: Letter, to: str, at_ms: int) -> None:
        """Hand a letter over, or raise `OSError`."""
        message = written(letter, self.settings.sender, to, at_ms)
        deadline = Deadline(self.timeout_s)
        try:
            with (
                connect(self.settings.host, self.settings.port, deadline, resolver=_NAMES) as plain,
                cutting(plain, deadline),
                closing(self._greeted(plain, deadline)) as server,
            ):
                if self.password is not None:
                    server.login(self.settings.user, self.password)
                server.send_message(message, self.settings.sender, [to])
                # It has the mail: whatever it says to a farewell, it is not sent again.
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()
        except smtplib.SMTPException as error:
            raise OSError(f"the mail server did not take it: {type(error).__name__}") from None
        except (OSError, ValueError) as error:
            raise OSError(f"the mail server was not reached: {type(error).__name__}") from None

    def _greeted(self, plain: socket.socket, deadline: Deadline) -> smtplib.SMTP:
        """Speak SMTP on a connection, encrypted as the settings say."""
        one, context = self.settings, self.context
        # The name that it greets with: the library would ask the resolver for this machine's, with
        # no deadline, and tell it to whoever gets the mail.
        own = one.sender.rpartition("@")[2]
        if one.tls == "tls":
            plain = context.wrap_socket(plain, server_hostname=one.host)
        server = _Connected(plain, one.host, own, deadline)
        try:
            if one.tls == "starttls":
                # Raises where the server does not offer it.
                server.starttls(context=context)
        except BaseException:
            server.close()
            raise
        return server


class _Connected(smtplib.SMTP):
    """The library's client, on a connection that was made and is cut elsewhere."""

    def __init__(self, made: socket.socket, host: str, own: str, deadline: Deadline) -> None:
        self._made = made
        super().__init__(host, local_hostname=own, timeout=deadline.left())

    def _get_socket(self, _host: str, _port: int, _timeout: float) -> socket.socket:
        return self._made


def written(letter: Letter, sender: str, to: str, at_ms: int) -> EmailMessage:
    """Write a mail; a line break in a header is a `ValueError`."""
    message = EmailMessage(policy=_WHOLE)
    message["From"] = Address("Workseal", addr_spec=sender)
    message["To"] = Address(addr_spec=to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(at_ms // 1000, UTC))
    # The same for a mail that comes again.
    message["Message-ID"] = f"<{letter.name}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe"] = f"<{letter.stop}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    return message


def _secret(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{path} may be read by others; run: chmod 600 {path}")
        with path.open("rb") as file:
            found = file.read(_MOST_SECRET + 1)
        secret = found.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as a password") from error
    # The part of one that fits would be refused by the server, and nobody would know why.
    if not secret or len(found) > _MOST_SECRET:
        raise ConfigError(f"{path} holds no password of 1 to {_MOST_SECRET} bytes")
    return secret
