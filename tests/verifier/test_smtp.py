"""Mails by a real server: encrypted or not sent, in one form, with nothing slipped in."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from support.postal import (
    PostOffice,
    make_certificate,
    post_office,
    server_context,
    smtp_to,
)
from workseal_verifier.errors import ConfigError
from workseal_verifier.reaching import SHARED, Deadline
from workseal_verifier.services.letters import Letter
from workseal_verifier.smtp import Mailbox, written

AT = 1_794_900_000_000
TO = "somebody@example.com"
LETTER = Letter("ab" * 32, "It is your turn", "Case: ä\n", "https://log.example/stop/x")


def test_a_mail_arrives_encrypted_and_says_what_a_program_needs(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    with post_office(server_context(*certificate)) as office:
        Mailbox.of(smtp_to(office, certificate[0]), tmp_path).send(LETTER, TO, AT)
        (mail,) = office.mails
    assert (office.receivers, office.encrypted) == ([TO], [True])
    assert mail["Message-ID"] == f"<{'ab' * 32}@office.workseal.example>"
    assert mail["List-Unsubscribe"] == "<https://log.example/stop/x>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime.timestamp() * 1000 == AT
    assert mail.get_content().replace("\r\n", "\n") == "Case: ä\n"


def test_strangers_names_that_are_stuck_hold_no_mail(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck: dict[tuple[str, int], Future[list[str]]] = {
        (f"{number}.example", 443): Future() for number in range(16)
    }
    monkeypatch.setattr(SHARED, "_running", stuck)
    with pytest.raises(OSError, match="too many names"):
        SHARED.addresses("localhost", 443, Deadline(20))
    with post_office(server_context(*certificate)) as office:
        Mailbox.of(smtp_to(office, certificate[0]), tmp_path).send(LETTER, TO, AT)
        assert office.receivers == [TO]


def test_a_server_without_encryption_gets_nothing(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    with post_office(None) as office:
        with pytest.raises(OSError, match="SMTPNotSupportedError"):
            Mailbox.of(smtp_to(office, certificate[0]), tmp_path).send(LETTER, TO, AT)
        assert office.mails == []
        # Only in so many words.
        Mailbox.of(smtp_to(office, None, tls="none"), tmp_path).send(LETTER, TO, AT)
        assert office.encrypted == [False]


def test_links_stand_on_the_wire_as_they_are_and_lines_keep_to_what_servers_take(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    """A link in a code of RFC 2047 stops nothing, and a lone dot would end the mail."""
    stop = f"https://a-rather-long-name-of-a-log.workseal.example/stop/{'A' * 43}"
    text = f"before\n.\n..two\n{stop}\n{'x' * 2_000}\nafter\n"
    letter = Letter("ab" * 32, "It is your turn", text, stop)
    with post_office(server_context(*certificate)) as office:
        Mailbox.of(smtp_to(office, certificate[0]), tmp_path).send(letter, TO, AT)
        (mail,), (wire,) = office.mails, office.wires
    assert f"\r\nList-Unsubscribe: <{stop}>\r\n".encode() in wire
    assert f"\r\nMessage-ID: <{'ab' * 32}@office.workseal.example>\r\n".encode() in wire
    assert max(map(len, wire.split(b"\r\n"))) <= 998
    assert not wire.replace(b"\r\n", b"").count(b"\n")
    assert mail.get_content().replace("\r\n", "\n") == text


@pytest.mark.parametrize("known", [True, False])
def test_a_certificate_of_another_name_or_maker_is_refused(
    tmp_path: Path, certificate: tuple[Path, Path], *, known: bool
) -> None:
    other = make_certificate(tmp_path, "elsewhere.example" if known else "localhost")
    roots = other[0] if known else certificate[0]
    with (
        post_office(server_context(*other)) as office,
        pytest.raises(OSError, match="SSLCertVerificationError"),
    ):
        Mailbox.of(smtp_to(office, roots), tmp_path).send(LETTER, TO, AT)
    assert office.mails == []


def test_a_password_is_read_from_a_file_of_its_own(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    secret = tmp_path / "smtp.password"
    secret.write_text("secret\n")
    secret.chmod(0o644)
    with post_office(server_context(*certificate), passwords=True) as office:
        settings = smtp_to(office, certificate[0], user="me", password_file=secret.name)
        with pytest.raises(ConfigError, match="may be read by others"):
            Mailbox.of(settings, tmp_path)
        secret.chmod(0o600)
        Mailbox.of(settings, tmp_path).send(LETTER, TO, AT)
        assert len(office.mails) == 1
        with pytest.raises(OSError, match="SMTPSenderRefused"):
            Mailbox.of(smtp_to(office, certificate[0]), tmp_path).send(LETTER, TO, AT)


ANSWERS = {
    "greeting": b"220 here\r\n",
    "hello": b"250 here\r\n",
    "sender": b"250 yes\r\n",
    "receiver": b"250 yes\r\n",
    "data": b"354 go on\r\n",
    "mail": b"250 taken\r\n",
}


@contextmanager
def scripted(answers: list[bytes]) -> Iterator[int]:
    """Serve one that gives an answer to each line, or to a mail's end, and then says no more."""
    ended = threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines, suppress(OSError):
            for number, one in enumerate(answers):
                # A greeting comes unasked, and the last answer of all when a mail has ended.
                is_mail = number == len(ANSWERS) - 1
                while number and (line := lines.readline()) and is_mail and line != b".\r\n":
                    pass
                connection.sendall(one)
            ended.wait(60)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        ended.set()
        thread.join()


@pytest.mark.parametrize("stage", [*ANSWERS, "farewell"])
def test_a_server_that_stalls_at_any_stage_is_left_in_time(tmp_path: Path, stage: str) -> None:
    given = list(ANSWERS.values())[: [*ANSWERS, "farewell"].index(stage)]
    settings = smtp_to(PostOffice(25), None, tls="none")
    with scripted(given) as port:
        box = Mailbox.of(replace(settings, port=port), tmp_path)
        if stage == "farewell":
            # It has the mail.
            replace(box, timeout_s=5).send(LETTER, TO, AT)
        else:
            with pytest.raises(OSError, match="mail server"):
                replace(box, timeout_s=0.3).send(LETTER, TO, AT)


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_server_that_stalls_before_it_encrypts_gets_no_mail(
    tmp_path: Path, certificate: tuple[Path, Path], tls: str
) -> None:
    answers = [b"220 here\r\n", b"250-here\r\n250 STARTTLS\r\n", b"220 go on\r\n"]
    settings = smtp_to(PostOffice(25), certificate[0], tls=tls)
    with scripted(answers if tls == "starttls" else []) as port:
        box = Mailbox.of(replace(settings, port=port), tmp_path)
        with pytest.raises(OSError, match="not reached"):
            replace(box, timeout_s=1).send(LETTER, TO, AT)


def test_a_greeting_without_an_end_is_left_in_time(tmp_path: Path) -> None:
    """Each line comes in time: the whole does not."""
    ended = threading.Event()
    sent: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            while not ended.wait(0.05):
                connection.sendall(b"220-x\r\n")
                sent.append(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        settings = smtp_to(PostOffice(25), None, tls="none", port=listener.getsockname()[1])
        with pytest.raises(OSError, match="mail server"):
            replace(Mailbox.of(settings, tmp_path), timeout_s=0.3).send(LETTER, TO, AT)
        ended.set()
        thread.join()
    assert sent


def test_a_server_that_is_encrypted_from_the_first_byte_gets_mails_too(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    with post_office(server_context(*certificate), at_once=True) as office:
        Mailbox.of(smtp_to(office, certificate[0], tls="tls"), tmp_path).send(LETTER, TO, AT)
        assert (office.receivers, office.encrypted) == ([TO], [True])


@pytest.mark.parametrize("secret", [b"", b" \n", b"x" * 1_025, b"\xff"])
def test_what_is_no_password_is_refused_at_the_start(tmp_path: Path, secret: bytes) -> None:
    file = tmp_path / "smtp.password"
    file.write_bytes(secret)
    file.chmod(0o600)
    settings = smtp_to(PostOffice(25), None, user="me", password_file=file.name)
    with pytest.raises(ConfigError, match="password"):
        Mailbox.of(settings, tmp_path)
    file.write_bytes(b"x" * 1_024)
    assert Mailbox.of(settings, tmp_path).password == "x" * 1_024


def test_who_has_the_mail_is_not_sent_it_again_for_a_bad_farewell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    async def farewell(self: SMTP, arg: str) -> None:
        said.append(f"QUIT{arg or ''}")
        await self.push("421 busy")

    monkeypatch.setattr(SMTP, "smtp_QUIT", farewell)
    with post_office(None) as office:
        Mailbox.of(smtp_to(office, None, tls="none"), tmp_path).send(LETTER, TO, AT)
        assert len(office.mails) == 1
        assert said == ["QUIT"]
        # The machine's own name is nobody's business.
        assert office.greeted == ["office.workseal.example"]


def test_what_goes_wrong_quotes_no_address(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    with post_office(server_context(*certificate)) as office:
        office.answer = f"550 no mailbox {TO} here"
        with pytest.raises(OSError, match="SMTPDataError") as refused:
            Mailbox.of(smtp_to(office, certificate[0]), tmp_path).send(LETTER, TO, AT)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(OSError, match="not reached") as gone:
        Mailbox.of(smtp_to(office, certificate[0], port=port), tmp_path).send(LETTER, TO, AT)
    assert not any(TO in str(one.value) for one in (refused, gone))


@pytest.mark.parametrize(
    ("letter", "to"),
    [
        pytest.param(Letter("ab", "s\r\nBcc: x@example.com", "t", "https://x/"), TO, id="subject"),
        pytest.param(Letter("ab\r\nX: y", "s", "t", "https://x/"), TO, id="name"),
        pytest.param(Letter("ab", "s", "t", "https://x/\r\nX: y"), TO, id="link"),
        pytest.param(LETTER, "a@example.com\r\nBcc: x@example.com", id="receiver"),
        pytest.param(LETTER, "a@example.com, x@example.com", id="two receivers"),
    ],
)
def test_no_header_can_be_slipped_in(letter: Letter, to: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each field has words of its own
        written(letter, "me@example.com", to, AT)
