"""Where a party wants to be told: its own words, for itself alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.asking import SignedBy
from support.office import LiveServer, Office, new_home
from support.postal import SENDER
from support.scripted import ScriptedAgent
from support.simulator import START
from workseal_protocol.keys import SeedSigner
from workseal_verifier.api.access import COOKIE, write_token
from workseal_verifier.outsiders import SmtpSettings
from workseal_verifier.services.contacts import Contact
from workseal_verifier.services.signin import Root

NOTHING = {"mail": None, "webhook": None, "zone": None, "digest": False}
UNCONFIRMED = {"confirmed": False, "sends": ["mail"]}


class Desk:
    """Somebody who asks a live verifier about their contact."""

    def __init__(self, office: Office, client: httpx.Client) -> None:
        self.office = office
        self.client = client

    def ask(self, method: str, by: SeedSigner, form: Any = None) -> httpx.Response:
        auth = SignedBy(by, lambda: self.office.now)
        return self.client.request(method, "/v1/contact", json=form, auth=auth)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    smtp = SmtpSettings(host="localhost", sender=SENDER)
    office = Office(new_home(tmp_path, smtp=smtp)).open()
    office.now = START
    ScriptedAgent(office, terms=office.terms())
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as client,
    ):
        yield Desk(office, client)
    office.close()


def test_a_party_gives_reads_changes_and_deletes_its_own(desk: Desk) -> None:
    people = desk.office.people
    assert desk.ask("GET", people.client).json() == NOTHING | UNCONFIRMED
    form = NOTHING | {"mail": "client@example.com", "zone": "Europe/Berlin"}
    assert desk.ask("PUT", people.client, form).status_code == 204
    assert desk.ask("GET", people.client).json() == form | UNCONFIRMED
    assert desk.ask("GET", people.freelancer).json()["mail"] is None
    assert desk.ask("PUT", people.client, NOTHING | {"mail": "b@example.com"}).status_code == 204
    assert desk.ask("GET", people.client).json()["mail"] == "b@example.com"
    assert desk.ask("DELETE", people.client).status_code == 204
    assert desk.ask("GET", people.client).json() == NOTHING | UNCONFIRMED
    with desk.office.verifier.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM contacts").scalar_one() == 0


def test_a_session_without_a_passkey_of_a_moment_ago_changes_nothing(desk: Desk) -> None:
    key = desk.office.people.client.public_key.thumbprint
    begun = desk.office.verifier.services.signin.new_session(key, Root.KEY)
    desk.office.verifier.access.add_session(begun.session)
    headers = {
        "cookie": f"{COOKIE}={write_token(begun.token)}",
        "origin": str(desk.client.base_url).rstrip("/"),
        "sec-fetch-site": "same-origin",
    }
    assert desk.client.get("/v1/contact", headers=headers).status_code == 200
    for method in ("PUT", "DELETE"):
        answer = desk.client.request(method, "/v1/contact", json=NOTHING, headers=headers)
        assert answer.json()["type"] == "urn:workseal:problem:not-fresh"


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(NOTHING | {"mail": "a@b"}, id="no domain"),
        pytest.param(NOTHING | {"mail": "a@example.com\r\nBcc: b@example.com"}, id="header"),
        pytest.param(NOTHING | {"mail": "a@example.com,b@example.com"}, id="two"),
        pytest.param(NOTHING | {"mail": '"a b"@example.com'}, id="quoted"),
        pytest.param(NOTHING | {"mail": "a@[127.0.0.1]"}, id="literal"),
        pytest.param(NOTHING | {"mail": "ä@example.com"}, id="not ASCII"),
        pytest.param(NOTHING | {"mail": "a" * 65 + "@example.com"}, id="long"),
        pytest.param(NOTHING | {"zone": "Middle/Earth"}, id="zone"),
        pytest.param(NOTHING | {"digest": True}, id="digest to nowhere"),
        pytest.param({"mail": "a@example.com"}, id="fields missing"),
        pytest.param(NOTHING | {"owner": "x"}, id="another field"),
    ],
)
def test_refuses_and_quotes_nothing(desk: Desk, form: Any) -> None:
    answer = desk.ask("PUT", desk.office.people.client, form)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:workseal:problem:malformed")
    assert "Bcc" not in answer.text
    assert desk.ask("GET", desk.office.people.client).json() == NOTHING | UNCONFIRMED


def test_a_way_that_this_server_does_not_have_is_refused_in_words(desk: Desk) -> None:
    form = NOTHING | {"webhook": "https://hooks.example.com/x"}
    answer = desk.ask("PUT", desk.office.people.client, form)
    assert answer.json()["detail"] == "this server sends no webhook"


def test_a_weekly_digest_is_asked_for_with_an_address(desk: Desk) -> None:
    form = NOTHING | {"mail": "client@example.com", "digest": True}
    assert desk.ask("PUT", desk.office.people.client, form).status_code == 204
    assert desk.ask("GET", desk.office.people.client).json()["digest"] is True
    answer = desk.ask("PUT", desk.office.people.client, NOTHING | {"digest": True})
    assert (answer.status_code, "needs an address" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://user:password@example.com/",
        "https://example.com/#x",
        "https://example.com/a b",
        "https:///x",
        "https://example.com:99999/",
        "https://EXAMPLE.com/",
        "https://example.com/" + "x" * 500,
    ],
)
def test_refuses_a_webhook(url: str) -> None:
    with pytest.raises(ValueError, match="webhook"):
        Contact(webhook=url)
