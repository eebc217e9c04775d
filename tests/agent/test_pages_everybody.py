"""Every page for everybody: three widths, light and dark, the keyboard alone, and axe."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from support.agentplaces import PARTS, PLACES, asked_for, go, masked, read_routes
from support.axe import serious
from support.judged import BASICS, EVERYBODY, SCHEMES, WIDTHS
from support.paged import PASSPHRASE, PagedHome, recorded
from workseal_agent.evidence import prove
from workseal_agent.pages import PagesServer
from workseal_protocol.records import Label


def test_no_page_is_left_out() -> None:
    assert read_routes() - PARTS <= PLACES.keys()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedHome]:
    # Figures as long as they come: with hours.
    with recorded(tmp_path_factory.mktemp("everybody"), seconds=3_885, capture_rate=3_000) as home:
        work_in_classes(home, "שלום-a-project-whose-name-does-not-end-before-a-phone's-edge")
        masked(home, 'zone = "agreement"', 'hours = "12"')
        yield home


def work_in_classes(home: PagedHome, project: str) -> None:
    """Record a minute of each class more, all of it for one project."""
    for mode in ("sealed", "off-screen", "working"):
        home.service.handle(home._asked("mode", mode=mode))
        home.rig.work(60)
    now_ms = home.rig.clock.wall_ms()
    prove(home.rig.chain, Label(project, (), now_ms - 180_000, now_ms), now_ms=now_ms)


@pytest.fixture(scope="module")
def page(browser: Browser, server: PagesServer) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(server.address)
    page.wait_for_url("**/today")
    yield page
    page.close()


@pytest.fixture(scope="module")
def request_path(home: PagedHome, server: PagesServer) -> str:
    return asked_for(home, server)


@pytest.mark.parametrize("name", PLACES)
def test_everybody_can_use(
    page: Page, home: PagedHome, server: PagesServer, request_path: str, name: str
) -> None:
    home.desk.unlocked.forget()
    home.desk.unlock(PASSPHRASE)
    go(page, server.origin, PLACES[name], request_path)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(BASICS) == [], (scheme, width)
            assert page.evaluate(f"{EVERYBODY}.broken()") == [], (scheme, width)
        # Light on a desk, dark on a phone: what axe looks at hangs on both, not on each pair.
        page.set_viewport_size({"width": 1280 if scheme == "light" else 390, "height": 900})
        assert serious(page) == [], scheme
    reached(page)


def reached(page: Page) -> None:
    """Go through a page by the keyboard alone: to everything, in its order, always in sight."""
    count = page.evaluate(f"{EVERYBODY}.count()")
    came: list[str] = []
    while len(came) < count:
        page.keyboard.press("Tab")
        here = page.evaluate(f"{EVERYBODY}.here()")
        assert here is not None, came
        assert here["wrong"] == []
        # The parts of a time are one control.
        if came[-1:] != [here["at"]]:
            came.append(here["at"])
    assert came == [str(at) for at in range(count)]


def test_the_door_is_for_everybody_too(browser: Browser, server: PagesServer) -> None:
    page = browser.new_page(reduced_motion="reduce")
    page.goto(server.origin + "/#used")
    page.get_by_text("you are not let in here").wait_for()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(BASICS) == []
    assert serious(page) == []
    page.close()


@pytest.mark.parametrize("name", ["/today/minute", "/pictures", "REQUEST"])
def test_a_locked_page_is_for_everybody_too(
    page: Page, home: PagedHome, server: PagesServer, request_path: str, name: str
) -> None:
    home.desk.unlocked.forget()
    page.set_viewport_size({"width": 390, "height": 900})
    go(page, server.origin, PLACES.get(name, name), request_path)
    assert serious(page) == []
    reached(page)
