"""The ways out that settings make."""

from pathlib import Path
from typing import Any

import pytest

from support.office import new_home
from support.postal import SENDER
from workseal_verifier.errors import SettingsError
from workseal_verifier.outsiders import SmtpSettings, read_smtp
from workseal_verifier.postroom import carriers_of

GOOD: dict[str, Any] = {"host": "mail.example.com", "sender": SENDER}


def test_without_a_mail_server_there_is_no_way_by_mail(tmp_path: Path) -> None:
    assert carriers_of(new_home(tmp_path)).mail is None


def test_mails_need_a_name_for_their_links(tmp_path: Path) -> None:
    settings = new_home(tmp_path, smtp=SmtpSettings(**GOOD))
    assert carriers_of(settings).mail is not None
    nameless = new_home(tmp_path, smtp=SmtpSettings(**GOOD))
    object.__setattr__(nameless, "origin", "nowhere")
    with pytest.raises(SettingsError, match=r"\[smtp\] needs url"):
        carriers_of(nameless)


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
