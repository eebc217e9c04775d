"""Mails by a real server: encrypted or not sent, in one form, with nothing slipped in."""

import socket
from pathlib import Path

import pytest

from support.postal import make_certificate, post_office, server_context, smtp_to
from workseal_verifier.errors import ConfigError
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
