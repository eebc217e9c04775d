"""Other web pages in the same real browser: each way to ask is tried, and none is answered."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support.chromed import chromed, elsewhere
from support.paged import PagedHome, recorded
from workseal_agent.pages import PagesServer
from workseal_agent.pages.guard import Denial

# Each answers what a page could learn: "ok" would be an answer that it can read.
ATTEMPTS = {
    "fetch": "fetch(url + '/today', {credentials: 'include'}).then(r => r.ok ? 'ok' : r.status)",
    "fetch with no-cors": (
        "fetch(url + '/today', {mode: 'no-cors', credentials: 'include'})"
        ".then(r => r.ok ? 'ok' : r.type)"
    ),
    "post with no-cors": (
        "fetch(url + '/act', {method: 'POST', mode: 'no-cors', credentials: 'include',"
        " body: new URLSearchParams({act: 'pause'})}).then(r => r.type)"
    ),
    "post of JSON": (
        "fetch(url + '/enter', {method: 'POST', headers: {'content-type': 'application/json'},"
        " credentials: 'include', body: '{}'}).then(r => r.ok ? 'ok' : r.status)"
    ),
    "beacon": "Promise.resolve(navigator.sendBeacon(url + '/act', 'act=pause') && 'sent')",
    "script": (
        "new Promise(d => { const e = document.createElement('script');"
        " e.onload = () => d('ok'); e.onerror = () => d('error'); e.src = url + '/static/app.js';"
        " document.body.append(e); })"
    ),
    "picture": (
        "new Promise(d => { const e = new Image(); e.onload = () => d('ok');"
        " e.onerror = () => d('error'); e.src = url + '/static/icon.svg'; })"
    ),
    "style sheet": (
        "new Promise(d => { const e = document.createElement('link'); e.rel = 'stylesheet';"
        " e.onload = () => d('ok'); e.onerror = () => d('error'); e.href = url + '/static/app.css';"
        " document.head.append(e); })"
    ),
    "frame": (
        "new Promise(d => { const e = document.createElement('iframe');"
        " e.onload = () => { try { d(e.contentDocument?.querySelector('.figure') ? 'ok' : 'empty')"
        " } catch { d('closed') } }; e.src = url + '/today'; document.body.append(e); })"
    ),
    "WebSocket": (
        "new Promise(d => { const e = new WebSocket(url.replace('http', 'ws') + '/live');"
        " e.onopen = () => d('ok'); e.onerror = () => d('error'); })"
    ),
    "events": (
        "new Promise(d => { const e = new EventSource(url + '/live', {withCredentials: true});"
        " e.onopen = () => d('ok'); e.onerror = () => { e.close(); d('error'); } })"
    ),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedHome]:
    with recorded(tmp_path_factory.mktemp("hostile"), seconds=30) as home:
        yield home


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromed(whole="what one page may do to another is the whole browser's to say") as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser: Browser, server: PagesServer) -> Page:
    """Let this browser in: what another page asks carries whatever it would have."""
    page = browser.new_context().new_page()
    page.goto(server.address)
    page.wait_for_url("**/today")
    return page


@pytest.fixture(scope="module")
def other() -> Iterator[int]:
    with elsewhere() as port:
        yield port


PLACES = {
    "another site": "http://evil.test:{other}/",
    "another server of this machine": "http://127.0.0.1:{other}/",
    "a name that was rebound to this address": "http://rebind.test:{port}/",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_no_other_page_is_answered(
    place: str, page: Page, server: PagesServer, home: PagedHome, other: int
) -> None:
    before = home.desk.running()
    hostile = page.context.new_page()
    hostile.goto(place.format(other=other, port=server.port))
    target = server.origin
    if "rebind" in place:
        # What was rebound asks for its own origin: the browser sees nothing foreign in it.
        target = f"http://rebind.test:{server.port}"
        assert hostile.text_content("body") == Denial.HOST.value
    told = {}
    for name, script in ATTEMPTS.items():
        run = f"url => {script}.catch(e => 'failed').then(String)"
        told[name] = hostile.evaluate(f"async url => await ({run})(url)", target)
    assert "ok" not in told.values(), told
    assert home.desk.running() == before
    hostile.close()


def test_a_form_of_another_page_changes_nothing(
    page: Page, server: PagesServer, home: PagedHome, other: int
) -> None:
    hostile = page.context.new_page()
    for host in ("evil.test", "127.0.0.1"):
        hostile.goto(f"http://{host}:{other}/")
        hostile.evaluate(
            """url => { const form = document.createElement("form"); form.method = "post";
            form.action = url + "/act"; const field = document.createElement("input");
            field.name = "act"; field.value = "pause"; form.append(field);
            document.body.append(form); form.submit(); }""",
            server.origin,
        )
        expect(hostile.locator("body")).to_have_text(Denial.SITE.value)
    assert (home.desk.running() or {})["state"] == "working"
    hostile.close()


def test_a_link_on_another_page_leads_only_to_the_door(
    page: Page, server: PagesServer, other: int
) -> None:
    hostile = page.context.new_page()
    hostile.goto(f"http://evil.test:{other}/")
    follow = """url => { const link = document.createElement("a"); link.href = url;
        document.body.append(link); link.click(); }"""
    hostile.evaluate(follow, server.origin + "/today")
    expect(hostile.locator("body")).to_have_text(Denial.SITE.value)
    hostile.goto(f"http://evil.test:{other}/")
    # The door shows nothing of anybody, and then asks as a page of its own.
    hostile.evaluate(follow, server.origin + "/")
    hostile.wait_for_url(server.origin + "/today")
    assert hostile.evaluate("window.opener") is None
    hostile.close()


def test_another_page_cannot_open_and_read_ours(
    page: Page, server: PagesServer, other: int
) -> None:
    hostile = page.context.new_page()
    hostile.goto(f"http://127.0.0.1:{other}/")
    with hostile.expect_popup() as popup:
        hostile.evaluate("url => { window.ours = window.open(url); }", server.origin + "/")
    popup.value.wait_for_url("**/today")
    # In another group of windows: it looks closed from here.
    assert hostile.evaluate("window.ours.closed") is True
    popup.value.close()
    hostile.close()


def test_the_token_is_gone_from_the_address_and_the_history(
    page: Page, server: PagesServer
) -> None:
    assert "#" not in page.url
    assert page.evaluate("document.cookie") == ""
    page.goto(server.origin + "/")
    page.wait_for_url("**/today")
    assert page.evaluate("document.referrer").find("#") == -1


def test_a_second_browser_with_the_same_address_is_not_let_in(
    browser: Browser, page: Page, server: PagesServer
) -> None:
    assert page.url.endswith("/today")
    second = browser.new_context()
    other: Any = second.new_page()
    other.goto(f"{server.origin}/#used-already")
    expect(other.locator("[data-told]")).to_have_text(Denial.SESSION.value.replace("`", ""))
    second.close()


def test_every_request_of_the_pages_stays_on_this_address(page: Page, server: PagesServer) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for address in ("/today", "/today/minute?at=10:00"):
        page.goto(server.origin + address)
    assert asked
    assert all(url.startswith(server.origin + "/") for url in asked)
