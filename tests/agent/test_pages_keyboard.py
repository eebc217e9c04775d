"""A freelancer's way through the pages by key presses alone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.keyed import follow, tab_to
from support.paged import PASSPHRASE, PagedHome, RecordedScreen, recorded
from workseal_agent import disclose
from workseal_agent.pages import PagesServer
from workseal_agent.pages.marks import Marked
from workseal_agent.suggestions import Reading


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedHome]:
    folder = tmp_path_factory.mktemp("keyboard")
    screen = RecordedScreen()
    with recorded(folder, seconds=190, take=screen.take, capture_rate=65_536) as home:
        home.rig.recorder.stop()
        assert home.rig.uplink.drain(10)
        yield home


@pytest.fixture(scope="module")
def page(browser: Browser, server: PagesServer) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    page.goto(server.address)
    page.wait_for_url("**/today")
    yield page
    page.close()


def type_passphrase(page: Page, label: str) -> None:
    tab_to(page, label)
    page.keyboard.type(PASSPHRASE)


def from_top(page: Page, name: str) -> None:
    """Press a button, from the beginning of the page on."""
    page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
    tab_to(page, name)
    page.keyboard.press("Enter")


def test_a_picture_is_withdrawn_without_a_pointer(page: Page, home: PagedHome) -> None:
    home.desk.unlocked.forget()
    worked = page.text_content(".figure")
    follow(page, "Pictures", "**/pictures")
    type_passphrase(page, "Passphrase")
    page.keyboard.press("Enter")
    page.locator(".gallery img").first.wait_for()
    follow(page, "Picture 1, taken", "**/pictures/1")
    follow(page, "Withdraw this picture", "**/pictures/withdraw?n=1")
    tab_to(page, "Something private")
    page.keyboard.press("Space")
    type_passphrase(page, "Passphrase")
    tab_to(page, "Destroy the picture")
    page.keyboard.press("Enter")
    page.get_by_text("not one second of time is lost").wait_for()
    (gone,) = [one for one in home.rig.ledger.captures(home.rig.engagement.id) if one.withdrawn]
    assert gone.number == 1
    follow(page, "Today", "**/today")
    assert page.text_content(".figure") == worked


def test_a_request_is_answered_without_a_pointer(
    page: Page, home: PagedHome, server: PagesServer
) -> None:
    # What is found on a picture is tried where it is looked for.
    home.desk.suggest = lambda _frame: Marked((), Reading.READ)
    home.desk.unlock(PASSPHRASE)
    disclose.receive(home.asked(1).encode(), home.rig.ledger, home.rig.engagement)
    page.goto(server.origin + "/today")
    follow(page, "Requests", "**/requests")
    follow(page, "Look", "**/requests/*")
    follow(page, "Choose what is seen", "**/requests/*/2")
    page.locator("[data-ready]").wait_for()
    tab_to(page, "The picture, in tiles")
    page.keyboard.press("Space")
    told = page.locator("[data-told]")
    expect(told).to_have_text(re.compile("^1 of "))
    # A box from this tile to its neighbour across the corner, and one step back.
    page.keyboard.press("2")
    for key in ("Enter", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(told).to_have_text(re.compile("^4 of "))
    page.keyboard.press("Control+z")
    expect(told).to_have_text(re.compile("^1 of "))
    # The last undoing leaves the one tile that is disclosed below.
    for name, count in (("Show all", 1000), ("Undo", 1), ("Do it again", 1000), ("Undo", 1)):
        from_top(page, name)
        expect(told).to_have_text(re.compile(f"^{count} of "))
    follow(page, "Keep this choice", re.compile("/requests/[0-9a-f]+$"))
    follow(page, "Look at exactly what will be seen", "**/preview")
    type_passphrase(page, "Your passphrase")
    tab_to(page, "Disclose exactly this")
    page.keyboard.press("Enter")
    page.get_by_text("The package lies sealed for the arbitrator").wait_for()
    assert len(home.rig.ledger.disclosures(home.rig.engagement.id)) == 1
