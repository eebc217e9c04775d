"""The page channel over HTTP: one's own notices alone, page by page."""

from collections.abc import Iterator

import httpx
import pytest

from support.asking import SignedBy
from support.browser import Browser
from support.hearings import Hearing
from support.office import LiveServer, Office
from support.scripted import ScriptedAgent
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act
from workseal_verifier.services import noticeboard
from workseal_verifier.store.notices import Channel, NoticeStore


@pytest.fixture
def hearing(office: Office) -> Hearing:
    agent = ScriptedAgent(office, terms=office.terms())
    return Hearing(office, agent.engagement, agent.terms).file()


@pytest.fixture
def client(office: Office) -> Iterator[httpx.Client]:
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as made,
    ):
        yield made


def read(client: httpx.Client, office: Office, by: SeedSigner, query: str = "") -> httpx.Response:
    return client.get(f"/v1/notices{query}", auth=SignedBy(by, lambda: office.now))


def test_each_reads_their_own_and_its_first_reading_is_written_down(
    office: Office, client: httpx.Client, hearing: Hearing
) -> None:
    hearing.act(Role.OPERATOR, Act.NOTICE)
    assert hearing.case.due is not None
    answer = read(client, office, office.people.freelancer)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    newest, first = answer.json()["notices"]
    assert newest == {
        "id": newest["id"],
        "kind": "turn",
        "case": str(hearing.case.case),
        "engagement": None,
        "timesheet": None,
        "replaces": None,
        "answer": None,
        "step": newest["step"],
        "state": "answer",
        "waiting_for": ["freelancer"],
        "until": hearing.case.due.until,
        "made": office.now,
        "opened": None,
    }
    assert (first["kind"], first["waiting_for"]) == ("step", ["operator"])
    office.now += 5_000
    again = read(client, office, office.people.freelancer).json()["notices"]
    assert [one["opened"] for one in again] == [office.now - 5_000] * 2
    theirs = read(client, office, office.people.client).json()["notices"]
    assert [one["kind"] for one in theirs] == ["step"]
    assert not {one["id"] for one in theirs} & {one["id"] for one in again}


def test_the_listing_comes_in_pages_of_whole_steps(
    office: Office, client: httpx.Client, hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    hearing.act(Role.OPERATOR, Act.NOTICE)
    for _ in range(4):
        hearing.act(Role.CLIENT, Act.EXHIBIT, text="one more")
    everything = read(client, office, office.people.freelancer).json()
    assert (len(everything["notices"]), everything["before"]) == (6, None)
    monkeypatch.setattr(noticeboard, "MOST_SHOWN", 3)
    found, query = [], ""
    while True:
        page = read(client, office, office.people.freelancer, query).json()
        found += page["notices"]
        if page["before"] is None:
            break
        query = f"?before={page['before']}"
    assert [one["id"] for one in found] == [one["id"] for one in everything["notices"]]


@pytest.mark.parametrize("query", ["?before=x", "?before=-1", "?after=1"])
def test_refuses_another_question(office: Office, client: httpx.Client, query: str) -> None:
    agent = ScriptedAgent(office, terms=office.terms())
    assert agent.engagement
    answer = read(client, office, office.people.client, query)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:workseal:problem:malformed")


def opened(office: Office, hearing: Hearing) -> list[bool]:
    """Tell of each notice of the page to the freelancer whether it counts as opened."""
    key = office.people.freelancer.public_key.thumbprint
    told = NoticeStore(office.verifier.records.database).of_case(hearing.case.case, key)
    return [one.ended_ms is not None for one in told if one.channel is Channel.PAGE]


@pytest.mark.parametrize("path", ["/notices", "/cases/CASE"])
def test_a_page_of_the_browser_opens_notices_as_the_interface_does(
    office: Office, hearing: Hearing, path: str
) -> None:
    with LiveServer(office) as live:
        browser = Browser(office, live)
        browser.sign_in(office.people.freelancer)
        assert browser.ask("GET", "/cases").status_code == 200
        assert opened(office, hearing) == [False]
        other = Browser(office, live)
        other.sign_in(office.people.client)
        assert other.ask("GET", path.replace("CASE", str(hearing.case.case))).status_code == 200
        assert opened(office, hearing) == [False]
        answer = browser.ask("GET", path.replace("CASE", str(hearing.case.case)))
        assert answer.status_code == 200
        for each in (browser, other):
            each.close()
    assert opened(office, hearing) == [True]


def test_the_page_of_notices_says_what_waits_for_whom_and_how_to_be_told_elsewhere(
    office: Office, hearing: Hearing
) -> None:
    hearing.act(Role.OPERATOR, Act.NOTICE)
    with LiveServer(office) as live:
        browser = Browser(office, live)
        assert browser.ask("GET", "/notices").status_code == 401
        browser.sign_in(office.people.freelancer)
        text = browser.ask("GET", "/notices").text
        browser.close()
    assert text.count("<small>new</small>") == 2
    assert f'<a href="/cases/{hearing.case.case}">' in text
    assert '<span class="turn">Your turn</span>' in text
    assert "Waits for the freelancer until " in text
    assert "this server sends none" in text
    assert "workseal-agent contact --mail ADDRESS --digest" in text
