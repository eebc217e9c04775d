"""The ways out that settings make."""

from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from support.hearings import Hearing
from support.office import Office, new_home
from support.postal import (
    SENDER,
    gives,
    https,
    make_certificate,
    post_office,
    server_context,
    smtp_to,
)
from support.scripted import ScriptedAgent
from support.simulator import START
from workseal_protocol.keys import SeedSigner
from workseal_verifier.config import Settings
from workseal_verifier.errors import SettingsError
from workseal_verifier.outsiders import SmtpSettings, read_smtp
from workseal_verifier.postroom import carriers_of
from workseal_verifier.services.clock import SystemClock
from workseal_verifier.services.contacts import Contact
from workseal_verifier.services.delivering import Carriers

GOOD: dict[str, Any] = {"host": "mail.example.com", "sender": SENDER}


SIGNER = SeedSigner(b"\x07" * 32)


def ways(settings: Settings) -> Carriers:
    return carriers_of(settings, SIGNER, SystemClock())


def test_without_a_mail_server_there_is_no_way_by_mail(tmp_path: Path) -> None:
    assert ways(new_home(tmp_path)) == Carriers()


def test_mails_need_a_name_for_their_links(tmp_path: Path) -> None:
    settings = new_home(tmp_path, smtp=SmtpSettings(**GOOD))
    assert ways(settings).mail is not None
    nameless = new_home(tmp_path, smtp=SmtpSettings(**GOOD))
    object.__setattr__(nameless, "origin", "nowhere")
    with pytest.raises(SettingsError, match=r"need url"):
        ways(nameless)


def test_webhooks_are_sent_where_the_operator_says_so(tmp_path: Path) -> None:
    assert ways(new_home(tmp_path, webhooks=True)).hook is not None


def test_reads_the_table() -> None:
    assert read_smtp({}) is None
    found = read_smtp({"smtp": GOOD | {"port": 465, "tls": "tls"}})
    assert found == SmtpSettings(host="mail.example.com", sender=SENDER, port=465, tls="tls")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("x", "must be a table"),
        ({"host": "mail.example.com"}, "must set sender"),
        (GOOD | {"hots": "x"}, "unknown setting"),
        (GOOD | {"host": "a b"}, "host must be"),
        (GOOD | {"sender": "a@b\r\nX: y"}, "sender must be"),
        (GOOD | {"port": "25"}, "port must be"),
        (GOOD | {"port": True}, "port must be"),
        (GOOD | {"tls": "ssl"}, "tls must be"),
        (GOOD | {"user": "me"}, "belong together"),
        (GOOD | {"user": "me", "password_file": "p", "tls": "none"}, "not sent without tls"),
    ],
)
def test_refuses_what_cannot_be_meant(table: object, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        read_smtp({"smtp": table})


def test_a_party_whose_mail_and_webhook_took_the_filing_was_given_notice(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    taken: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with (
        post_office(server_context(*certificate)) as box,
        https(Receiver, certificate) as authority,
    ):
        office = Office(
            new_home(
                tmp_path,
                acts_by_itself=True,
                smtp=smtp_to(box, certificate[0]),
                webhooks=True,
                webhooks_private=True,
                webhooks_roots=str(certificate[0]),
            )
        ).open()
        office.now = START
        agent = ScriptedAgent(office, terms=office.terms())
        hearing = Hearing(office, agent.engagement, agent.terms)
        gives(
            office,
            office.people.freelancer.public_key.thumbprint,
            Contact(mail="freelancer@example.com", webhook=f"https://{authority}/here"),
        )
        hearing.file()
        office.verifier.clerk.beat()
        office.verifier.clerk.run()
        assert stands(office, hearing) == "notice"
        office.verifier.delivery.run()
        office.verifier.clerk.run()
        assert stands(office, hearing) == "answer"
        assert (len(box.mails), taken) == (1, ["/here"])
        office.close()


def stands(office: Office, hearing: Hearing) -> str:
    row = office.verifier.records.cases.last(hearing.case.case, below=2**53)
    assert row is not None
    return row.state
