"""Every page in another language: nothing of it is English, and nothing of it is markup."""

import re
from collections.abc import Iterator
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import available_timezones

import pytest
from markupsafe import escape
from playwright.sync_api import Browser, Page

from support import pseudo
from support.agentplaces import PLACES, asked_for, go
from support.judged import BASICS
from support.paged import PASSPHRASE, PagedHome, Visitor, recorded
from support.pseudo import PSEUDO, english_in, speaking
from workseal_agent.config import load_settings
from workseal_agent.evidence import prove
from workseal_agent.language import ENGLISH, Language, language_of
from workseal_agent.pages import PagesServer
from workseal_agent.pages.guard import Denial
from workseal_agent.pages.marks import Mark, sentence_of
from workseal_agent.suggestions import Kind, Why
from workseal_protocol.frame import Box
from workseal_protocol.records import Label

FOLDER = Path(pseudo.__file__).parent
SEEN = (FOLDER / "seentexts.js").read_text().partition("\n")[2]
# What is no text of the program: names of things, units, and what the owner or another wrote.
APART = re.compile(
    r"Europe/Berlin|EUR|[KMG]iB|CET|https?://\S+|127\.0\.0\.1|\b[0-9a-f]{8}\b|bank|editor|firefox|code"
    r"|My Bank|/1|was the report being written\?|X11|workseal-agent \w+(?: --open evidence)?"
    r"|site|#x"
    # Of the terms: keys, the log's policy, calendars, units.
    r"|ed25519:[\w-]+|log log\.workseal.*?quorum all-witnesses|\bUS\b|DE-BY|\bmin\b"
)
RULES = """\
[display]
zone = "agreement"
hours = "12"
totals = "minute"
[mask]
[[mask.rule]]
name = "bank"
application = "firefox"
title = "*My Bank*"
[[mask.only]]
name = "editor"
application = "code"
"""


@pytest.fixture(scope="module", autouse=True)
def _in_another_language() -> Iterator[None]:
    with speaking(PSEUDO):
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedHome]:
    with recorded(tmp_path_factory.mktemp("language"), seconds=3_885, capture_rate=3_000) as home:
        home.settings.config_file.write_text(RULES)
        home.desk.settings = load_settings(home.home)
        now_ms = home.rig.clock.wall_ms()
        prove(home.rig.chain, Label("site", ("x",), now_ms - 600_000, now_ms), now_ms=now_ms)
        yield home


@pytest.fixture(scope="module")
def page(browser: Browser, server: PagesServer) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(server.address)
    page.wait_for_url("**/today")
    yield page
    page.close()


@pytest.fixture(scope="module")
def visitor(home: PagedHome) -> Iterator[Visitor]:
    # An address lets one browser in, so these are other pages of the same home.
    with home.served() as others:
        visitor = Visitor(others).enter()
        yield visitor
        visitor.close()


@pytest.fixture(scope="module")
def request_path(home: PagedHome, server: PagesServer) -> str:
    return asked_for(home, server)


def english_on(page: Page) -> list[str]:
    """List the texts of a page in which a word of English is left."""
    texts: list[str] = page.evaluate(SEEN)
    assert len(texts) >= 5
    # A zone has one name in all languages.
    zones = available_timezones()
    words = (text for text in texts if text not in zones)
    return [text for text in words if english_in(APART.sub("", text))]


@pytest.mark.parametrize("name", PLACES)
def test_no_english_is_left(
    page: Page, home: PagedHome, server: PagesServer, request_path: str, name: str
) -> None:
    home.desk.unlocked.forget()
    home.desk.unlock(PASSPHRASE)
    go(page, server.origin, PLACES[name], request_path)
    if PLACES[name] == "REQUEST/1":
        page.locator("[data-marked]").wait_for()
    assert english_on(page) == []
    assert page.locator("html").get_attribute("lang") == PSEUDO.tag
    # Other languages are longer than English: on a phone, too, nothing stands over the edge.
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate(BASICS) == []


@pytest.mark.parametrize("name", ["/today/minute", "/pictures", "REQUEST"])
def test_no_english_is_left_on_a_locked_page(
    page: Page, home: PagedHome, server: PagesServer, request_path: str, name: str
) -> None:
    home.desk.unlocked.forget()
    go(page, server.origin, PLACES.get(name, name), request_path)
    assert english_on(page) == []


def test_no_english_is_left_at_the_door(browser: Browser, server: PagesServer) -> None:
    page = browser.new_page()
    page.goto(server.origin + "/#used")
    page.locator("[data-told]", has_text="·").wait_for()
    assert english_on(page) == []
    page.close()


def test_a_translation_is_text_and_never_markup(home: PagedHome, visitor: Visitor) -> None:
    evil = """<evil onx="1">'"><evil onx=2 a='"""

    class Evil(NullTranslations):
        def pgettext(self, context: str, message: str) -> str:  # noqa: ARG002
            return evil + message

    with speaking(Language("de", lambda _domain: Evil())):
        home.desk.unlock(PASSPHRASE)
        for place in PLACES.values():
            if place.isupper() or "REQUEST" in place:
                continue
            text = visitor.get(place).text
            assert escape(evil) in text, place
            reader = _Tags()
            reader.feed(text)
            assert not reader.found, place


class _Tags(HTMLParser):
    """Find what a translation made of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "evil" or any(name == "onx" for name, _ in attrs):
            self.found.append(tag)


def test_marks_of_a_picture_are_told_in_the_owners_language() -> None:
    for kind in Kind:
        for why in Why:
            told = Mark(Box(1, 2, 3, 4), kind.value, sentence_of(why.value)).told()
            assert not english_in(told["kind"] + told["reason"].replace("IP", ""))


def test_the_pages_are_in_german(visitor: Visitor) -> None:
    with speaking(language_of({"LANG": "de_DE.UTF-8"})):
        text = visitor.get("/today").text
        assert '<html lang="de">' in text
        assert "Montag, 2. März 2026" in text
        assert "Was Ihr Auftraggeber von diesem Tag sieht" in text
        assert "Mo, 2. März" in visitor.get("/agreement/week").text
        assert " vorm." in visitor.get("/today").text
        agreed = visitor.get("/agreement").text
        assert "<li>Vereinbart sind höchstens 40 h je Woche.</li>" in agreed
        # What the client reads is there too, and says in which language it is.
        _, _, english = agreed.partition('<ul class="sentences" lang="en">')
        assert "<li>At most 40 h a week are agreed.</li>" in english
    with speaking(ENGLISH):
        assert "<details>" not in visitor.get("/agreement").text.partition("<main")[2]


def test_who_is_turned_away_does_not_learn_the_owners_language(server: PagesServer) -> None:
    visitor = Visitor(server)
    answer = visitor.ask("GET", "/today")
    assert answer.status_code == 401
    assert answer.text == Denial.SESSION.value
    visitor.close()
