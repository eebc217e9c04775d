"""Mails by a real server: encrypted or not sent, in one form, with nothing slipped in."""

import socket
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from support.postal import make_certificate, post_office, server_context, smtp_to
from workseal_verifier.errors import ConfigError
from workseal_verifier.reaching import SHARED, Deadline
from workseal_verifier.services.letters import Letter
from workseal_verifier.smtp import Mailbox, written

AT = 1_794_900_000_000
TO = "somebody@example.com"
LETTER = Letter("ab" * 32, "It is your turn", "Case: ä\n", "https://log.example/stop/x")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


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


@pytest.mark.parametrize(
    "said",
    [
        pytest.param([], id="nothing"),
        pytest.param([b"220 here\r\n"], id="a greeting alone"),
        pytest.param([b"220-x\r\n"] * 400, id="a greeting without an end"),
    ],
)
def test_a_server_that_stalls_or_drips_is_left_in_time(tmp_path: Path, said: list[bytes]) -> None:
    ended = threading.Event()
    sent: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            for one in said:
                connection.sendall(one)
                sent.append(one)
                if ended.wait(0.05):
                    return
            ended.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as listener, post_office(None) as office:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        port = listener.getsockname()[1]
        box = Mailbox.of(smtp_to(office, None, tls="none", port=port), tmp_path)
        with pytest.raises(OSError, match="mail server"):
            replace(box, timeout_s=0.3).send(LETTER, TO, AT)
        ended.set()
        thread.join()
    # Each line came in time, and not all were waited for.
    assert len(sent) < 400


def test_who_has_the_mail_is_not_sent_it_again_for_a_bad_farewell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def farewell(self: SMTP, _arg: str) -> None:
        await self.push("421 busy")

    monkeypatch.setattr(SMTP, "smtp_QUIT", farewell)
    with post_office(None) as office:
        Mailbox.of(smtp_to(office, None, tls="none"), tmp_path).send(LETTER, TO, AT)
        assert len(office.mails) == 1
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
