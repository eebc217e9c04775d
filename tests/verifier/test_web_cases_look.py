"""How the pages of cases look, as far as figures can tell, to each of the three."""

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, Page

from support.asking import SignedBy
from support.axe import serious
from support.chromed import chromed, chromed_beside
from support.courtroom import Courtroom, play_to
from support.judged import BASICS
from support.looked import OF_CASES, let_in
from support.office import LiveServer
from support.walked import faults_of_walk
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, CasePlace, DisputeFinding, Outcome, read_record, sign

WIDTHS = (360, 390, 820, 1280)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Courtroom]:
    """Play a case to its decision: everything that a page can show is on it then."""
    room = play_to(Courtroom(tmp_path_factory.mktemp("look")), "appeal")
    yield room
    room.office.close()


@pytest.fixture(scope="module")
def origin(room: Courtroom) -> Iterator[str]:
    with LiveServer(room.office) as live:
        yield f"http://localhost:{live.port}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromed() as browser:
        yield browser


@pytest.fixture(scope="module")
def whole(browser: Browser) -> Iterator[Browser]:
    with chromed_beside(browser, whole="a walk goes on to the end of the page") as whole:
        yield whole


def signer_of(room: Courtroom, who: str) -> SeedSigner:
    people = room.office.people
    return {"arbitrator": room.drawn, "client": people.client}.get(who, people.freelancer)


@pytest.fixture(
    params=[
        ("arbitrator", "light"),
        ("client", "dark"),
        ("freelancer", "light"),
        ("freelancer", "dark"),
    ],
    ids="-".join,
)
def page(request: pytest.FixtureRequest, browser: Browser, room: Courtroom) -> Iterator[Page]:
    who, scheme = request.param
    yield from signed_in(browser, room, who, scheme)


@pytest.fixture
def walked(whole: Browser, room: Courtroom) -> Iterator[Page]:
    yield from signed_in(whole, room, "client", "light")


def signed_in(
    browser: Browser, room: Courtroom, who: str, scheme: Literal["light", "dark"]
) -> Iterator[Page]:
    context = browser.new_context(color_scheme=scheme)
    let_in(context, room.office, signer_of(room, who))
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    # Also what the policy of these pages would have kept out.
    assert wrong == []


def test_every_page_fits_names_everything_and_keeps_nobody_out(
    page: Page, room: Courtroom, origin: str
) -> None:
    for path in (place.replace("CASE", room.path) for place in OF_CASES):
        page.goto(origin + path)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert (path, width, page.evaluate(BASICS)) == (path, width, [])
        assert (path, serious(page)) == (path, [])


def test_the_keyboard_alone_reaches_all_of_every_page(
    walked: Page, room: Courtroom, origin: str
) -> None:
    for path in (place.replace("CASE", room.path) for place in OF_CASES):
        walked.goto(origin + path)
        walked.wait_for_load_state("networkidle")
        walked.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert (path, faults_of_walk(walked)) == (path, [])


@pytest.mark.parametrize("page", [("client", "light")], indirect=True)
def test_a_phone_shows_whole_days_and_whole_options(
    page: Page, room: Courtroom, origin: str
) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(origin + room.path)
    lines = "one.offsetHeight / parseFloat(getComputedStyle(one).fontSize)"
    tall = f"all => all.filter(one => {lines} > 2)"
    for what in (".option", ".dayline .label"):
        found = page.locator(what)
        assert found.count() > 1
        assert (what, found.evaluate_all(f"{tall}.map(one => one.textContent)")) == (what, [])
    # Neither is a sum parted from its currency, at any width.
    broken = "all => all.filter(one => one.getClientRects().length > 1).map(one => one.textContent)"
    sums = page.locator(".stand p .num")
    assert [one.split()[-1] for one in sums.all_text_contents()] == ["EUR", "EUR"]
    for width in range(320, 480, 10):
        page.set_viewport_size({"width": width, "height": 800})
        assert (width, sums.evaluate_all(broken)) == (width, [])
    page.set_viewport_size({"width": 360, "height": 800})
    # What is copied is what the server wrote.
    written = page.evaluate("fetch(location).then(one => one.text())")
    for text in page.locator("pre.bytes code").all_text_contents():
        assert f"<code>{escape(text, quote=False)}</code>" in written.replace("&#39;", "'")
    # The hours below the lines are no day.
    days = page.get_by_role("list", name="One line for each day").get_by_role("listitem")
    assert days.count() == 2


@pytest.mark.parametrize("page", [("client", "light")], indirect=True)
def test_every_place_on_the_page_is_reached_from_its_contents(
    page: Page, room: Courtroom, origin: str
) -> None:
    page.goto(origin + room.path)
    links = page.locator("nav.contents a").evaluate_all("all => all.map(one => one.hash.slice(1))")
    assert len(links) == len(set(links)) == 10
    headings = page.locator("h2").evaluate_all("all => all.map(one => one.id)")
    assert set(links) <= set(headings)
    # Every citation leads to a statement that is on this page.
    cited = page.locator("a[href^='#s']").evaluate_all("all => all.map(one => one.hash.slice(1))")
    assert len(cited) > 10
    for name in set(cited):
        assert page.locator(f"#{name}").count() == 1
    reached = []
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
    assert reached[0] == "Skip to the page"
    assert reached[2:] == ["Agreements", "Cases", "Notices", "All weeks", "What you can do"]


@pytest.mark.parametrize("page", [("client", "light")], indirect=True)
def test_what_is_folded_opens_for_links_keys_and_paper(
    page: Page, room: Courtroom, origin: str
) -> None:
    page.goto(origin + room.path)
    record = page.locator("section[aria-labelledby=record] details")
    shut = page.locator("details:not([open])").count()
    assert shut > 3
    assert not page.locator("#s0").is_visible()
    page.evaluate("location.hash = 's0'")
    page.wait_for_function("document.querySelector('#s0').closest('details').open")
    assert page.locator("#s0").is_visible()
    record.locator("summary").press("Enter")
    assert not page.locator("#s0").is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() == shut


def test_the_page_says_the_same_without_a_script(
    browser: Browser, room: Courtroom, origin: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    let_in(context, room.office, room.office.people.client)
    page = context.new_page()
    page.goto(origin + "/cases")
    page.locator("h2 a").click()
    assert "Decided; an appeal is open" in page.inner_text("main")
    assert page.inner_text("#recorded") == "13 min 37 s"
    assert page.locator("form[data-answer]").is_hidden()
    assert "Sending a file from this page needs scripts" in page.inner_text("main")
    context.close()


def test_whoever_signs_in_comes_back_to_where_they_were_and_nobody_after_them(
    browser: Browser, room: Courtroom, origin: str
) -> None:
    client, freelancer = (signer_of(room, who) for who in ("client", "freelancer"))
    page = browser.new_page()
    page.goto(origin + room.path)
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_url(f"{origin}/")
    follow(page, origin, room, client)
    page.wait_for_url(origin + room.path)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{origin}/")
    follow(page, origin, room, freelancer)
    page.wait_for_url(f"{origin}/diary")
    page.close()


def follow(page: Page, origin: str, room: Courtroom, signer: SeedSigner) -> None:
    """Put the link of a command line into the address of a page that is open."""
    auth = SignedBy(signer, lambda: room.office.now)
    with httpx.Client(trust_env=False) as client:
        token = client.post(f"{origin}/v1/signin/links", auth=auth).json()["token"]
    # Its script has run by then, and has seen from where this page was come to.
    page.wait_for_function("!document.querySelector('[data-passkey]').disabled")
    page.evaluate("token => { location.hash = 'signin=' + token; }", token)


def doubted(room: Courtroom) -> None:
    """Let the arbitrator say of what was shown that it fails, after the operator found it good."""
    hearing, case = room.hearing, room.hearing.case
    (shown,) = case.unexamined
    told = [read_record(one) for one in hearing.told]
    (good,) = [one for one in told if isinstance(one, DisputeFinding)]
    record = DisputeFinding(
        engagement=room.agent.engagement,
        claimed_at=room.office.now,
        disclosure=shown,
        findings=tuple(replace(one, outcome=Outcome.FAILS) for one in good.findings),
        place=CasePlace(case.case, case.head),
    )
    statement = sign(record, hearing.signer_of(Role.ARBITRATOR))
    room.office.post([statement])
    hearing.follow(statement, room.office.now)


def test_pages_of_a_case_that_is_sealed_and_destroyed_fit_and_say_so(
    browser: Browser, tmp_path: Path
) -> None:
    room = play_to(Courtroom(tmp_path), "comment")
    doubted(room)
    room.commented().drafted().heard().decided().lapsed().lapsed()
    arbitrator = room.drawn

    def look(origin: str, says: str) -> None:
        for who, scheme, path in (("client", "dark", room.path), ("arbitrator", "light", "/cases")):
            with browser.new_context(color_scheme=scheme) as context:  # type: ignore[arg-type]
                let_in(
                    context,
                    room.office,
                    arbitrator if who == "arbitrator" else signer_of(room, who),
                )
                page = context.new_page()
                page.goto(origin + path)
                for width in (390, 1280):
                    page.set_viewport_size({"width": width, "height": 900})
                    assert (who, says, page.evaluate(BASICS)) == (who, says, [])
                assert serious(page) == []
                # Where one looks first, and on the list of cases.
                assert says in page.inner_text("section.stand" if who == "client" else "main")

    with LiveServer(room.office) as live:
        origin = f"http://localhost:{live.port}"
        look(origin, "Sealed")
        room.hearing.pass_due()
        look(origin, "That moment has passed")
        room._act(Role.ARBITRATOR, Act.DESTROY, by=arbitrator)
        room._act(Role.OPERATOR, Act.DESTROY)
        look(origin, "Destroyed at its end")
    room.office.close()
