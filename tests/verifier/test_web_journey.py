"""A client's way through the pages in a real browser: sign in, look, ask about a minute, answer."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from support.asking import SignedBy
from support.chromed import chromed
from support.diarist import MONDAY, Told, tell
from support.keyed import follow, send_file, tab_to
from support.office import LiveServer, Office, new_home
from support.scripted import ScriptedAgent
from support.simulator import DAY_MS, ROUND_MS, START
from workseal_protocol.records import SheetAnswer, TimesheetAnswer, sign


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    told = tell(tmp_path_factory.mktemp("journey"))
    yield told
    told.office.close()


@pytest.fixture(scope="module")
def origin(told: Told) -> Iterator[str]:
    with LiveServer(told.office) as live:
        yield f"http://localhost:{live.port}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromed(whole="a client's journey, as it is gone") as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    yield page
    page.close()


def link(told: Told, origin: str) -> str:
    """Get a link by a signed request, as `workseal sign-in` does."""
    auth = SignedBy(told.office.people.client, lambda: told.office.now)
    with httpx.Client(trust_env=False) as client:
        token: str = client.post(f"{origin}/v1/signin/links", auth=auth).json()["token"]
    return f"{origin}/#signin={token}"


def test_a_client_looks_at_a_week_a_day_and_a_minute(told: Told, origin: str, page: Page) -> None:
    address = link(told, origin)
    page.goto(address)
    page.wait_for_url("**/diary")
    # No script can read what it is signed in by, and no history holds the link.
    assert page.evaluate("document.cookie") == ""
    page.go_back()
    assert "signin" not in page.url
    page.goto(f"{origin}/diary")
    page.get_by_role("heading", name="Agreement ").get_by_role("link").click()
    expect(page.locator("#real-figure")).to_have_text("10 min 37 s")
    expect(page.locator("#billed-figure")).to_have_text("17 min 00 s")
    page.get_by_role("link", name="8 Mar 2026").click()
    page.get_by_role("link", name="Mon 2 Mar").click()
    # The time line leads to the minute under the pointer.
    line = page.locator("[data-hours] svg").first
    box = line.bounding_box()
    assert box is not None
    line.click(position={"x": box["width"] * 3.5 / 60, "y": 10})
    page.wait_for_url("**/minute?*at=10%3A03")
    expect(page.locator("main")).to_contain_text("15 s of this minute are counted")
    expect(page.locator("main")).to_contain_text("What is not proven")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{origin}/")
    page.goto(origin + told.path)
    expect(page.locator("#problem")).to_have_text("unproven")
    page.goto(address)
    expect(page.locator("[data-told]")).to_contain_text("This link was used before")
    # Nor does the address of the page hold it, to be sent on or kept as a bookmark.
    assert page.url == f"{origin}/"


def test_a_long_agreement_is_counted_on_while_the_page_is_looked_at(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(new_home(tmp_path)).open()
    office.now = START
    agent = ScriptedAgent(office, terms=office.terms(zone="UTC"))
    for week in range(4):
        office.now = START + (1 + 7 * week) * DAY_MS
        agent.online = False
        agent.open_session()
        agent.work(3 * ROUND_MS)
        agent.online = True
        agent.close_session()
    # One week is more than that: each question counts one.
    monkeypatch.setattr("workseal_verifier.services.diaries.MOST_ANEW", 1)
    told = Told(office, agent, agent.made[0][0])
    with LiveServer(office) as live:
        page = browser.new_page()
        page.goto(link(told, f"http://localhost:{live.port}"))
        page.wait_for_url("**/diary")
        page.goto(f"http://localhost:{live.port}{told.path}")
        figure = page.locator("#real-figure")
        expect(page.locator("main")).to_contain_text("3 weeks are not counted here yet")
        done = page.get_by_role("link", name="All are counted now: show them")
        expect(done).to_be_visible()
        # What somebody reads does not change under their eyes.
        expect(figure).to_have_text("30 s")
        done.click()
        expect(figure).to_have_text("2 min 00 s")
        expect(page.locator("[data-uncounted]")).to_have_count(0)
        page.close()
    office.close()


def test_a_client_sends_the_answer_that_was_signed_elsewhere(
    told: Told, origin: str, page: Page, tmp_path: Path
) -> None:
    office = told.office
    record = TimesheetAnswer(
        engagement=told.agent.engagement,
        claimed_at=office.now,
        timesheet=told.sheet.digest,
        answer=SheetAnswer.ACCEPTED,
    )
    signed = tmp_path / "answer.cose"
    signed.write_bytes(sign(record, office.people.client).encode())
    other = tmp_path / "other.cose"
    other.write_bytes(sign(record, office.people.arbitrator).encode())
    size = office.verifier.sequencer.current.size
    page.goto(link(told, origin))
    page.wait_for_url("**/diary")
    page.goto(f"{origin}{told.path}/week?of={MONDAY}")
    sheet = page.locator("article")
    expect(sheet).to_contain_text("asked (this one counts)")
    sheet.locator("summary").click()
    sheet.get_by_label("The signed answer").set_input_files(other)
    sheet.get_by_role("button", name="Send it to the log").click()
    expect(sheet.locator("[data-told]")).to_contain_text("The log does not take it")
    assert office.verifier.sequencer.current.size == size
    sheet.get_by_label("The signed answer").set_input_files(signed)
    sheet.get_by_role("button", name="Send it to the log").click()
    expect(sheet).to_contain_text("accepted (this one counts)")
    assert office.verifier.sequencer.current.size == size + 1


# It answers last: what counts afterwards is its objection.
def test_a_client_looks_accepts_and_objects_without_a_pointer(
    told: Told, origin: str, page: Page, tmp_path: Path
) -> None:
    page.on("filechooser", lambda _: None)
    page.goto(link(told, origin))
    page.wait_for_url("**/diary")
    for name, path in (
        ("Agreement ", "**/diary/*"),
        ("2 Mar", "**/week?*"),
        ("Mon 2 Mar", "**/day?*"),
        ("Explain", "**/minute?*"),
    ):
        follow(page, name, path)
    expect(page.locator("h1")).to_contain_text("The minute from 10:01")
    tab_to(page, "Which statements say so")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Entry ").first).to_be_visible()
    follow(page, "Back to the day", "**/day?*")
    follow(page, "The week", "**/week?*")
    for answer, said in ((SheetAnswer.ACCEPTED, "accepted"), (SheetAnswer.OBJECTION, "objected")):
        send_by_keys(page, signed(told, answer, tmp_path))
        expect(page.locator("article")).to_contain_text(f"{said} (this one counts)")
    # The way out is there too.
    tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{origin}/")


def signed(told: Told, answer: SheetAnswer, folder: Path) -> Path:
    """Write the client's signed answer to the timesheet, as the command does."""
    office = told.office
    office.now += 1_000
    record = TimesheetAnswer(
        engagement=told.agent.engagement,
        claimed_at=office.now,
        timesheet=told.sheet.digest,
        answer=answer,
        text="Tuesday was not worked" if answer is SheetAnswer.OBJECTION else None,
    )
    path = folder / f"{answer.name}.cose"
    path.write_bytes(sign(record, office.people.client).encode())
    return path


def send_by_keys(page: Page, file: Path) -> None:
    """Unfold the answers, choose a file and send it."""
    tab_to(page, "Accept, ask or object")
    page.keyboard.press("Enter")
    send_file(page, "The signed answer", file)
