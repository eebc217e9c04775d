"""How the pages look, as far as figures can tell: contrast, size, labels, order, and motion."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from support.judged import BASICS
from support.paged import PASSPHRASE, PagedHome, recorded
from workseal_agent import disclose
from workseal_agent.config import DisplaySettings, MaskRuleSettings
from workseal_agent.evidence import prove
from workseal_agent.pages import PagesServer
from workseal_agent.pages.render import FOLDER
from workseal_protocol.records import Label

STYLE = (FOLDER / "static" / "app.css").read_text()
TEXT, GRAPHIC = 4.5, 3.0
# Each ink on each ground that it stands on.
PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "dim", "accent") for ground in ("ground", "card")),
    ("ink", "hour", TEXT),
    ("accent", "accent-soft", TEXT),
    ("ink", "accent-soft", TEXT),
    ("warn", "warn-soft", TEXT),
    ("warn", "card", TEXT),
    ("accent-ink", "accent", TEXT),
    ("ground", "ink", TEXT),
    *((mark, "hour", GRAPHIC) for mark in ("working", "off-screen", "sealed", "late-declared")),
    ("paused", "hour", GRAPHIC),
    ("edge", "card", GRAPHIC),
    ("accent", "ground", GRAPHIC),
]
PLACES = (
    "/today",
    "/today/minute?at=10:00",
    "/today?day=2020-02-02",
    "/pictures",
    "/pictures/1",
    "/pictures/withdraw?n=1",
    "/requests",
    "REQUEST",
    "REQUEST/1",
    "REQUEST/preview",
    "/agreement",
    "/agreement/week",
    "/left",
    "/left/2",
    "/machine",
)


def palettes() -> dict[str, dict[str, str]]:
    """Read the colours of both schemes out of the style sheet."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    return {
        name: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", text))
        for name, text in (("light", light), ("dark", dark))
    }


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_ink_can_be_read_on_its_ground(scheme: str) -> None:
    colours = palettes()[scheme]
    for ink, ground, least in PAIRS:
        one, other = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
        ratio = (one + 0.05) / (other + 0.05)
        assert ratio >= least, (ink, ground, round(ratio, 2))


def test_colours_stand_only_in_the_palettes() -> None:
    rest = re.sub(r":root \{.*?\}", "", STYLE, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-f]{3,8}\b", rest) == []


def test_nothing_moves_for_who_wants_no_motion() -> None:
    calm = STYLE.partition("prefers-reduced-motion: no-preference")[0]
    assert "transition" not in calm
    assert "animation" not in STYLE
    assert "scroll-behavior" not in STYLE


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedHome]:
    with recorded(tmp_path_factory.mktemp("look"), seconds=125, capture_rate=65_536) as home:
        now_ms = home.rig.clock.wall_ms()
        prove(home.rig.chain, Label("site", ("x",), now_ms - 65_000, now_ms), now_ms=now_ms)
        yield home


@pytest.fixture(scope="module")
def page(browser: Browser, server: PagesServer) -> Iterator[Page]:
    page = browser.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(server.address)
    page.wait_for_url("**/today")
    yield page
    # Also what the policy of these pages would have kept out.
    assert wrong == []


@pytest.fixture(scope="module")
def request_path(home: PagedHome, server: PagesServer) -> str:
    """Put a request into the inbox, with one frame of it chosen."""
    kept = disclose.receive(home.asked(0).encode(), home.rig.ledger, home.rig.engagement)
    server.drafts.put(kept.statement.digest, 1, (0,))
    return f"/requests/{kept.statement.digest}"


# All locked ones first: a page that is still loading its pictures is not locked under their hands.
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("locked", [True, False], ids=["locked", "open"])
def test_everything_has_a_name_and_a_place(
    page: Page, home: PagedHome, server: PagesServer, request_path: str, place: str, *, locked: bool
) -> None:
    if locked:
        home.desk.unlocked.forget()
    elif not home.desk.unlocked.left_ms():
        home.desk.unlock(PASSPHRASE)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(server.origin + place.replace("REQUEST", request_path))
        assert page.evaluate(BASICS) == []


def test_the_longest_name_of_a_rule_makes_no_page_wide(
    page: Page, home: PagedHome, server: PagesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = MaskRuleSettings("W" * 64, None, "*" + "ü" * 150)
    mask = replace(home.desk.settings.mask, rules=(rule,))
    monkeypatch.setattr(home.desk, "settings", replace(home.desk.settings, mask=mask))
    page.set_viewport_size({"width": 360, "height": 900})
    for place in ("/machine", "/today"):
        page.goto(server.origin + place)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, place
    assert page.evaluate(BASICS) == []


def test_the_keyboard_goes_through_the_page_in_its_order(page: Page, server: PagesServer) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(server.origin + "/today")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'"), (
            reached
        )
    assert reached[0] == "Skip to the page"
    assert reached[2:8] == [
        "Today", "Pictures", "Requests", "Agreement", "What left", "This machine",
    ]  # fmt: skip
    assert "Pause" in reached[8:]


def test_paper_has_the_figures_alone_and_is_light(page: Page, server: PagesServer) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(server.origin + "/today")
    dark = page.evaluate("getComputedStyle(document.body).color")
    page.emulate_media(media="print")
    light = page.evaluate("getComputedStyle(document.body).color")
    hidden = [page.locator(what).first.is_hidden() for what in ("form", "nav", "footer")]
    scheme = page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    page.emulate_media(color_scheme="light", media="screen")
    assert (scheme, light != dark, hidden) == ("light", True, [True, True, True])


def test_single_keys_act_and_can_be_switched_off(
    page: Page, server: PagesServer, home: PagedHome
) -> None:
    page.goto(server.origin + "/today")
    # The script has made the list of keys once it listens.
    page.locator("[data-keys] li").first.wait_for(state="attached")
    page.keyboard.press("p")
    page.get_by_text("Paused. Nothing is counted").wait_for()
    page.locator("[data-keys] li").first.wait_for(state="attached")
    assert (home.desk.running() or {})["state"] == "paused"
    page.keyboard.press("p")
    page.get_by_text("Counting on.").wait_for()
    page.locator("[data-keys] li").first.wait_for(state="attached")
    page.focus("#at")
    page.keyboard.press("p")
    assert (home.desk.running() or {})["state"] == "working"
    page.focus("main")
    page.keyboard.press("?")
    page.get_by_label("Use single keys on these pages").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    assert (home.desk.running() or {})["state"] == "working"
    page.evaluate("localStorage.clear()")


def test_the_figures_move_while_the_page_is_open(
    page: Page, server: PagesServer, home: PagedHome
) -> None:
    page.goto(server.origin + "/today")
    before = page.text_content(".figure")
    home.rig.work(60)
    page.wait_for_function(
        "before => document.querySelector('.figure').textContent !== before",
        arg=before,
        timeout=20_000,
    )


def test_a_place_on_the_time_line_is_explained(page: Page, server: PagesServer) -> None:
    page.goto(server.origin + "/today")
    page.locator("[data-keys] li").first.wait_for(state="attached")
    page.locator("[data-hours] svg").first.click(position={"x": 3, "y": 10})
    page.wait_for_url("**/today/minute?*ms=*")
    assert "1 min 00 s of this minute are counted" in page.inner_text("main")


def test_a_tick_on_the_time_line_leads_to_its_picture(page: Page, server: PagesServer) -> None:
    page.goto(server.origin + "/today")
    page.locator("[data-keys] li").first.wait_for(state="attached")
    tick = page.locator("[data-hours] .shot").last
    # A mouse reaches what is on the screen.
    tick.evaluate("one => one.closest('svg').scrollIntoView()")
    number, box = tick.get_attribute("data-picture"), tick.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 2)
    page.wait_for_url(f"**/pictures/{number}")


def test_the_pages_say_the_same_without_a_script(
    browser: Browser, page: Page, server: PagesServer
) -> None:
    """The server renders, a script only improves: everything but the way in works without one."""
    cookies = page.context.cookies()
    bare = browser.new_context(java_script_enabled=False)
    bare.add_cookies([{**one} for one in cookies])  # type: ignore[typeddict-item]
    other = bare.new_page()
    other.goto(server.origin + "/today")
    # What a click leads to is waited for: it is another page.
    other.get_by_role("button", name="Pause").click()
    other.get_by_role("main").get_by_text("Paused. Nothing is counted").wait_for()
    other.get_by_role("button", name="Go on").click()
    other.get_by_role("main").get_by_text("Counting on.").wait_for()
    bare.close()


def test_the_packaged_files_are_all_that_a_page_needs() -> None:
    names = {path.name for path in (FOLDER / "static").iterdir()}
    used = set()
    for path in [*Path(FOLDER / "templates").glob("*.html"), *(FOLDER / "static").glob("*.js")]:
        used |= set(re.findall(r"""["']/static/([a-z.]+)["']""", path.read_text()))
        used |= set(re.findall(r"""from ["']\./([a-z.]+)["']""", path.read_text()))
    assert used == names


def test_a_page_that_is_open_over_midnight_or_on_a_journey_becomes_the_other_day(
    browser: Browser,
    page: Page,
    server: PagesServer,
    home: PagedHome,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = browser.new_context()
    context.add_cookies([{**one} for one in page.context.cookies()])  # type: ignore[typeddict-item]
    other = context.new_page()
    other.clock.install()
    other.goto(server.origin + "/today")
    other.locator("[data-keys] li").first.wait_for(state="attached")
    assert "2 March 2026" in other.inner_text("h1")
    figure = other.inner_text(".figure")
    away = replace(home.settings, display=DisplaySettings(zone="Pacific/Pago_Pago"))
    monkeypatch.setattr(home.desk, "settings", away)
    other.focus("#at")
    # Under somebody's hands the page stays, and tells nothing of another day.
    with other.expect_response("**/live") as told:
        other.clock.fast_forward(6_000)
    told.value.finished()
    assert other.inner_text(".figure") == figure
    other.focus("main")
    other.clock.fast_forward(6_000)
    other.locator("h1", has_text="1 March 2026").wait_for()
    context.close()
