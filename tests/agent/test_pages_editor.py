"""The redaction editor by finger and by the keys of other machines; the journey has the mouse."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.paged import PASSPHRASE, PagedHome, RecordedScreen, recorded
from support.wayland import wait_for
from workseal_agent import disclose
from workseal_agent.pages import PagesServer
from workseal_agent.pages.marks import Marked
from workseal_agent.suggestions import Reading


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedHome]:
    folder, screen = tmp_path_factory.mktemp("editor"), RecordedScreen()
    with recorded(folder, seconds=65, take=screen.take, capture_rate=65_536) as home:
        # What is found on a picture is tried where it is looked for.
        home.desk.suggest = lambda _frame: Marked((), Reading.READ)
        disclose.receive(home.asked(0).encode(), home.rig.ledger, home.rig.engagement)
        yield home


@pytest.fixture(scope="module")
def telephone(browser: Browser, server: PagesServer) -> Iterator[BrowserContext]:
    """Let a telephone's browser in."""
    context = browser.new_context(
        viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(server.address)
    page.wait_for_url("**/today")
    yield context
    context.close()


@pytest.fixture
def page(telephone: BrowserContext, home: PagedHome, server: PagesServer) -> Iterator[Page]:
    """Open the editor."""
    home.desk.unlock(PASSPHRASE)
    page = telephone.new_page()
    (asked,) = disclose.received(home.rig.ledger, home.rig.engagement)
    page.goto(f"{server.origin}/requests/{asked.statement.digest}/1")
    page.locator("[data-ready]").wait_for()
    yield page
    page.close()


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Move one finger over the picture, in pixels of its place on the page."""
    stage = page.locator("[data-stage]")
    stage.scroll_into_view_if_needed()
    place = stage.bounding_box()
    assert place is not None
    session = page.context.new_cdp_session(page)
    for step in range(11):
        x, y = (a + (b - a) * step / 10 for a, b in zip(start, end, strict=True))
        session.send(
            "Input.dispatchTouchEvent",
            {
                "type": "touchMove" if step else "touchStart",
                "touchPoints": [{"x": place["x"] + x, "y": place["y"] + y}],
            },
        )
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_one_finger_moves_a_picture_that_was_brought_closer_and_chooses_otherwise(
    page: Page,
) -> None:
    told = page.locator("[data-told]")
    for _ in range(4):
        page.get_by_role("button", name="Closer").click()
    page.get_by_label("Show a box").check()
    swipe(page, (300, 150), (60, 20))
    expect(told).not_to_have_text(re.compile("^0 of "))
    assert page.evaluate("document.querySelector('[data-stage]').scrollLeft") == 0
    page.get_by_role("button", name="Undo").click()
    page.get_by_label("Move the picture").check()
    swipe(page, (300, 150), (60, 20))
    wait_for(
        "the picture's other part",
        lambda: page.evaluate("document.querySelector('[data-stage]').scrollLeft > 50"),
    )
    expect(told).to_have_text(re.compile("^0 of "))


def test_the_tool_that_moves_chooses_nothing_by_key(page: Page) -> None:
    page.locator("canvas").focus()
    page.keyboard.press("6")
    for key in ("Enter", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("[data-told]")).to_have_text(re.compile("^0 of "))
    assert page.evaluate("getComputedStyle(document.querySelector('canvas')).touchAction") == "auto"
    page.keyboard.press("1")
    assert page.evaluate("getComputedStyle(document.querySelector('canvas')).touchAction") != "auto"


def test_undoing_has_the_keys_of_each_machine(page: Page) -> None:
    told = page.locator("[data-told]")
    page.locator("canvas").focus()
    page.keyboard.press("Space")
    expect(told).to_have_text(re.compile("^1 of "))
    for undo, redo in (("Meta+z", "Meta+Shift+z"), ("Control+z", "Control+Shift+Z")):
        page.keyboard.press(undo)
        expect(told).to_have_text(re.compile("^0 of "))
        page.keyboard.press(redo)
        expect(told).to_have_text(re.compile("^1 of "))
