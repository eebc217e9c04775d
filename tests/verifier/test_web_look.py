"""How the pages of parties look, as far as figures can tell: contrast, names, widths, keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from support.axe import serious
from support.chromed import chromed, chromed_beside
from support.diarist import MONDAY, Told, tell
from support.judged import BASICS
from support.looked import APART, OF_AGREEMENT, left_out, let_in
from support.office import LiveServer
from support.walked import faults_of_walk
from workseal_verifier.web.render import FOLDER

STYLE = (FOLDER / "static" / "app.css").read_text()
TEXT, GRAPHIC = 4.5, 3.0
# Each ink on each ground that it stands on.
PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "dim", "accent") for ground in ("ground", "card")),
    ("ink", "hour", TEXT),
    ("dim", "hour", TEXT),
    ("accent", "accent-soft", TEXT),
    ("ink", "accent-soft", TEXT),
    ("warn", "warn-soft", TEXT),
    ("accent-ink", "accent", TEXT),
    ("ground", "ink", TEXT),
    *((mark, "hour", GRAPHIC) for mark in ("working", "off-screen", "sealed", "late-declared")),
    ("paused", "hour", GRAPHIC),
    ("edge", "card", GRAPHIC),
    ("accent", "ground", GRAPHIC),
]
WIDTHS = (360, 820, 1280)
# Unfold everything, and say whether anything was folded.
OPEN_ALL = """() => {
  const folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((one) => { one.open = true; });
  return folded.length > 0;
}"""


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


def test_what_hangs_on_a_width_has_an_ink_that_was_judged() -> None:
    """Which is why contrast is looked at in each scheme, and not at each width of each."""
    parts = re.findall(r"@media [^{]*width[^{]*\{(.*?)^\}", STYLE, re.DOTALL | re.MULTILINE)
    assert len(parts) == len(re.findall(r"@media[^{]*width", STYLE)) == 2
    coloured = r"[^-]\b((?:color|background|opacity|fill)[a-z-]*: [^;}]*)"
    # On the ground and on a card: see `PAIRS`.
    assert re.findall(coloured, "".join(parts)) == ["color: var(--dim)"]


def test_nothing_moves_for_who_wants_no_motion() -> None:
    calm = STYLE.partition("prefers-reduced-motion: no-preference")[0]
    assert "transition" not in calm
    assert "animation" not in STYLE


def test_the_packaged_files_are_all_that_a_page_needs() -> None:
    used: set[str] = set()
    for path in [*(FOLDER / "templates").glob("*.html"), *(FOLDER / "static").glob("*.js")]:
        used |= set(re.findall(r"""["']/static/([a-z.]+)["']""", path.read_text()))
    assert used == {path.name for path in (FOLDER / "static").iterdir()}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    told = tell(tmp_path_factory.mktemp("look"))
    yield told
    told.office.close()


@pytest.fixture(scope="module")
def origin(told: Told) -> Iterator[str]:
    with LiveServer(told.office) as live:
        yield f"http://localhost:{live.port}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromed() as browser:
        yield browser


@pytest.fixture(scope="module")
def whole(browser: Browser) -> Iterator[Browser]:
    with chromed_beside(browser, whole="a walk goes on to the end of the page") as whole:
        yield whole


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser, told: Told) -> Iterator[Page]:
    yield from signed_in(browser, told, request.param)


@pytest.fixture
def walked(whole: Browser, told: Told) -> Iterator[Page]:
    yield from signed_in(whole, told, "light")


def signed_in(browser: Browser, told: Told, scheme: Literal["light", "dark"]) -> Iterator[Page]:
    context = browser.new_context(color_scheme=scheme)
    let_in(context, told.office, told.office.people.client)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    # Also what the policy of these pages would have kept out; a page that is not there is told.
    assert [one for one in wrong if "404" not in one] == []


def test_no_page_is_left_out_of_those_that_a_browser_opens(tmp_path: Path) -> None:
    assert left_out(tmp_path) == []


def test_every_page_fits_names_everything_and_keeps_nobody_out(
    page: Page, told: Told, origin: str
) -> None:
    # Of each scheme at one width: light on a desk, dark on a phone.
    coloured = 1280 if page.evaluate("matchMedia('(prefers-color-scheme: light)').matches") else 360
    for place in (*APART, *(told.path + place for place in OF_AGREEMENT)):
        page.goto(origin + place)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert (place, width, page.evaluate(BASICS)) == (place, width, [])
            found = serious(page, contrast=width == coloured)
            assert (place, width, found) == (place, width, [])


@pytest.mark.parametrize("width", WIDTHS)
def test_the_keyboard_alone_reaches_all_of_every_page(
    walked: Page, told: Told, origin: str, width: int
) -> None:
    walked.set_viewport_size({"width": width, "height": 900})
    for place in (*APART, *(told.path + place for place in OF_AGREEMENT)):
        walked.goto(origin + place)
        walked.wait_for_load_state("networkidle")
        assert (place, faults_of_walk(walked)) == (place, [])
        # Where nothing was folded away, it is the same walked.
        if walked.evaluate(OPEN_ALL):
            assert (place, "unfolded", faults_of_walk(walked)) == (place, "unfolded", [])


BROKEN = {
    "not reached": "document.querySelector('main a').tabIndex = -1",
    "not marked": "document.querySelector('main a').style.outline = 'none'",
    "out of sight": "const one = document.querySelector('main a');"
    " one.style.position = 'fixed'; one.style.top = '-99px'",
    "out of order": "document.querySelector('main').append(document.querySelector('header')),"
    " document.querySelector('.brand').tabIndex = 1",
    "no way out": "document.addEventListener('keydown', (key) => {"
    " if (document.activeElement.closest('main')) key.preventDefault(); })",
}


@pytest.mark.parametrize(("fault", "script"), BROKEN.items(), ids=BROKEN)
def test_a_walk_tells_of_what_the_keyboard_does_not_reach(
    walked: Page, told: Told, origin: str, fault: str, script: str
) -> None:
    walked.goto(origin + told.path + f"/day?of={MONDAY}")
    walked.evaluate(script)
    assert any(fault in one for one in faults_of_walk(walked))


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_the_keyboard_goes_through_a_page_in_its_order(page: Page, told: Told, origin: str) -> None:
    page.goto(origin + told.path + f"/day?of={MONDAY}")
    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
    assert reached[0] == "Skip to the page"
    assert reached[2:9] == [
        "Agreements", "Cases", "Notices", "All weeks", "← Day before", "The week", "Day after →",
    ]  # fmt: skip


@pytest.mark.parametrize("page", ["dark"], indirect=True)
def test_paper_has_the_figures_alone_and_is_light(page: Page, told: Told, origin: str) -> None:
    page.goto(origin + told.path + f"/day?of={MONDAY}")
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = false)")
    row = page.locator(".stretches td").first
    assert page.locator("form").first.is_visible()
    dark = page.evaluate("getComputedStyle(document.body).color")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert page.evaluate("getComputedStyle(document.body).color") != dark
    for what in ("form", "nav", "footer"):
        assert page.locator(what).first.is_hidden(), what
    # Nobody unfolds a table on paper.
    assert row.is_visible()


def test_the_pages_say_the_same_without_a_script(browser: Browser, told: Told, origin: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    let_in(context, told.office, told.office.people.client)
    page = context.new_page()
    page.goto(origin + told.path + f"/day?of={MONDAY}")
    assert "10 min 37 s" in page.inner_text("#real-figure")
    page.fill("#at", "10:03")
    page.get_by_role("button", name="Explain", exact=True).click()
    assert "15 s of this minute are counted" in page.inner_text("main")
    context.close()
