"""Every page of both programs, the viewer and the offline page, as everybody meets them.

Each is opened with real content behind it, at 390, 820 and 1280 pixels, light and dark: axe finds
nothing serious, nothing stands over the edge, the keyboard comes to everything and shows where it
is, what a finger hits is large enough, and the console is silent. The short form takes what no
other test opens, at one width. All of it, with a picture of each page for people to look at, or
a part of it, where a machine has no hour for the whole:

    WORKSEAL_LONG=1 WORKSEAL_SHOTS=shots pytest -rP tests/journeys/test_every_page.py -k case-appeal
"""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page

from support.agentplaces import PLACES, asked_for, go, masked
from support.audited import ALL, ONE, Audit
from support.chromed import chromed
from support.courtroom import Courtroom, play_to
from support.diarist import MONDAY, tell
from support.examined import FOLDER
from support.looked import OF_AGREEMENT, let_in
from support.office import LiveServer, Office, new_home
from support.paged import PASSPHRASE, PagedHome, RecordedScreen
from support.pseudo import speaking
from support.walked import faults_of_walk
from workseal_agent.evidence import prove
from workseal_agent.language import language_of
from workseal_protocol.cli.page import offline_page
from workseal_protocol.cli.viewing import ShownFrame, Viewing
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import Label
from workseal_verifier.api.access import write_token
from workseal_verifier.services.contacts import Contact

LONG = bool(os.environ.get("WORKSEAL_LONG"))
# Of a case: a filing, an offer, a request with an objection, what was shown, a decision, its end.
PHASES = ("answer", "negotiation", "objection", "comment", "appeal", "destroyed")
BUNDLES = (
    "valid", "signature-broken", "form-flipped-bit", "valid-timesheets", "valid-labels",
    "valid-possession-missed",
)  # fmt: skip

BROKEN = """<!doctype html><html lang="en"><title>broken</title><main><h1>broken</h1>
<p style="color: #999; background: #aaa">who can read this?</p>
<p style="width: 600px">a line that is wider than a phone</p>
<p><a href="#a" style="outline: none">where is the keyboard?</a></p>
<p><span style="position: absolute; left: 5px">x</span>
<a href="#b" style="display: inline-block; width: 9px; height: 9px">i</a><a href="#c"
style="display: inline-block; width: 9px; height: 9px">j</a></p>
<p style="width: 3em"><span class="num">1 h 02 min</span></p></main>"""


@pytest.mark.parametrize("name", ["colour", "width", "focus", "target", "figure", "console"])
def test_an_audit_tells_of_what_keeps_people_out(faults: str, name: str) -> None:
    words = {
        "colour": "color-contrast",
        "width": "wider than the screen",
        "focus": "not marked: where is the keyboard?",
        "target": "target-size",
        "figure": "breaks: 1 h 02 min",
        "console": "console: kept out",
    }
    assert words[name] in faults


@pytest.fixture(scope="module")
def faults(browser: Browser) -> str:
    audit = Audit(ONE)
    with audit.listening(browser.new_context()) as page:
        page.set_content(BROKEN)
        page.evaluate("console.error('kept out')")
        audit.look(page, "broken")
    return "\n".join(audit.faults)


RADIOS = """<main><form><input type="radio" name="a"><input type="radio" name="a"></form>
<form><input type="radio" name="a"><input type="radio" name="a" checked></form></main>
<style>:focus { outline: 3px solid }</style>"""


@pytest.mark.parametrize(("lost", "count"), [(9, 0), (0, 1), (3, 1)])
def test_a_walk_comes_to_one_radio_of_a_group(browser: Browser, lost: int, count: int) -> None:
    page = browser.new_page()
    page.set_content(RADIOS)
    page.evaluate(f"document.querySelectorAll('input')[{lost}]?.setAttribute('tabindex', '-1')")
    assert len([one for one in faults_of_walk(page) if one.startswith("not reached")]) == count
    page.close()


# --- the verifier ---


def look_at_the_door(audit: Audit, browser: Browser, folder: Path) -> None:
    """Look at the way in, and at what the links of mails lead to."""
    office = Office(new_home(folder)).open()
    links = give_address(office, office.people.client)
    with LiveServer(office) as live, audit.listening(browser.new_context()) as page:
        origin = f"http://localhost:{live.port}"
        page.goto(origin + "/")
        page.wait_for_function("!document.querySelector('[data-passkey]').disabled")
        audit.look(page, "door")
        page.goto(origin + "/#signin=" + "A" * 43)
        page.get_by_text("This link was used before").wait_for()
        audit.look(page, "door, used")
        page.goto(origin + "/diary")
        audit.look(page, "door, shut")
        for name, button in (("confirm", "Confirm"), ("stop", "Stop these mails")):
            page.goto(origin + links[name])
            audit.look(page, name)
            page.get_by_role("button", name=button).click()
            page.get_by_role("button").wait_for(state="detached")
            audit.look(page, f"{name}, done")
        page.goto(origin + "/confirm/x")
        audit.look(page, "link of nothing")
    office.close()


def give_address(office: Office, signer: SeedSigner) -> dict[str, str]:
    """Give somebody's mail address; return the links that mails to it would have."""
    book, key = office.verifier.services.contacts, signer.public_key.thumbprint
    book.put(key, Contact(mail="client@example.com", zone="Europe/Berlin", digest=True))
    row = book.to_confirm(key)
    assert row is not None
    tokens = {"confirm": book.confirm_token(row), "stop": book.stop_token(row, digest=True)}
    return {name: f"/{name}/{write_token(token)}" for name, token in tokens.items()}


def look_at_a_diary(audit: Audit, browser: Browser, folder: Path) -> None:
    """Look at an engagement in which everything happens."""
    told = tell(folder)
    people = told.office.people
    give_address(told.office, people.client)
    minutes = (f"/minute?of={MONDAY}&at={at}" for at in ("10:01", "10:06", "11:00", "03:00"))
    days = (f"/day?of={day}" for day in ("2026-03-03", "2025-01-01"))
    every = ["/diary", "/cases", "/notices"]
    every += [told.path + one for one in (*OF_AGREEMENT, *days, *minutes)]
    # The freelancer's differ where who they are is said, and where nothing is to be answered.
    seen_by = {people.client: every, people.freelancer: ["/diary", told.path + OF_AGREEMENT[1]]}
    with LiveServer(told.office) as live:
        for signer, places in seen_by.items():
            who = "client" if signer is people.client else "freelancer"
            context = browser.new_context()
            let_in(context, told.office, signer)
            with audit.listening(context) as page:
                for place in places:
                    page.goto(f"http://localhost:{live.port}{place}")
                    audit.look(page, f"{who} {place.replace(told.path, '/diary/A')}")
    told.office.close()


def look_at_a_case(phase: str) -> Callable[[Audit, Browser, Path], None]:
    """Look at a case in one of its phases, as each of the three."""

    def look(audit: Audit, browser: Browser, folder: Path) -> None:
        room = play_to(Courtroom(folder), "appeal" if phase == "destroyed" else phase)
        seat = None
        if phase == "destroyed":
            seat = room.drawn
            room.purged()
        with LiveServer(room.office) as live:
            look_as_three(audit, browser, room, f"http://localhost:{live.port}", phase, seat=seat)
        room.office.close()

    return look


def look_as_three(
    audit: Audit,
    browser: Browser,
    room: Courtroom,
    origin: str,
    phase: str,
    *,
    seat: SeedSigner | None = None,
) -> None:
    people = room.office.people
    seen_by = {"client": people.client, "freelancer": people.freelancer}
    # Nobody decides before the draw.
    if phase not in {"answer", "negotiation"}:
        seen_by["arbitrator"] = seat or room.drawn
    for who, signer in seen_by.items():
        context = browser.new_context()
        let_in(context, room.office, signer)
        with audit.listening(context) as page:
            page.goto(origin + room.path)
            audit.look(page, f"case, {phase}, {who}")
            for place in ("/cases", "/notices", "/diary") if phase == "appeal" else ():
                page.goto(origin + place)
                audit.look(page, f"{place}, in a case, {who}")


# --- what is on one's own machine ---


def look_at_the_viewer(audit: Audit, browser: Browser, _folder: Path) -> None:
    """Look at what an arbitrator sees of what was disclosed."""
    screen = RecordedScreen()
    raw = [screen.take().frames[0] for _ in range(2)]
    frames = tuple(
        ShownFrame.of(f"{at:06}", f"frame {at:06}: holds", (one.width, one.height), one.rgb)
        for at, one in enumerate(raw)
    )
    lines = ("a picture shows what was on the screen, and not who sat before it",)
    made = Viewing(frames, lines, seconds=3_600)
    thread = threading.Thread(target=made.run)
    thread.start()
    with audit.listening(browser.new_context()) as page:
        page.goto(made.link)
        page.wait_for_selector("html[data-shown='2']")
        audit.look(page, "viewer")
        page.click("#close")
        page.wait_for_selector("canvas", state="detached")
        audit.look(page, "viewer, closed")
    thread.join(20)


def look_offline(audit: Audit, browser: Browser, folder: Path) -> None:
    """Look at the offline page with bundles that hold, that fail and that are none."""
    file = folder / "verify.html"
    file.write_bytes(offline_page())
    with audit.listening(browser.new_context()) as page:
        page.goto(file.as_uri())
        audit.look(page, "offline, empty")
        for bundle in BUNDLES:
            page.goto(file.as_uri())
            page.set_input_files("#bundle", FOLDER / f"{bundle}.bundle")
            page.set_input_files("#policy", FOLDER / "policy.txt")
            page.wait_for_selector("#verdict")
            audit.look(page, f"offline, {bundle}")
        (folder / "policy").write_text("workseal-policy v1\nquorum none\n")
        page.goto(file.as_uri())
        page.set_input_files("#bundle", FOLDER / "valid.bundle")
        page.set_input_files("#policy", folder / "policy")
        page.get_by_text("has 1 to 32 logs").wait_for()
        audit.look(page, "offline, no policy")


def look_at_the_agent(language: str) -> Callable[[Audit, Browser, Path], None]:
    """Look at a recorded day, locked and open, with a request and with what has not left yet."""

    def look(audit: Audit, browser: Browser, folder: Path) -> None:
        home = PagedHome(folder, take=RecordedScreen().take, capture_rate=3_000)
        home.work_day()
        now_ms = home.rig.clock.wall_ms()
        label = Label("site", ("relaunch",), now_ms - 3_600_000, now_ms)
        prove(home.rig.chain, label, now_ms=now_ms)
        home.rig.cut(up=False)
        home.rig.work(300)
        masked(home, 'zone = "agreement"')
        spoken = speaking(language_of({"LANGUAGE": language}))
        with home.recording(), spoken, audit.listening(browser.new_context()) as page:
            look_at_home(audit, page, home, language)
        home.rig.ledger.close()
        home.rig.client.close()

    return look


def look_at_home(audit: Audit, page: Page, home: PagedHome, language: str) -> None:
    with home.served() as server:
        page.goto(server.origin + "/#used")
        page.locator("[data-told]:visible").wait_for()
        audit.look(page, f"agent {language}, door")
        page.goto("about:blank")
        page.goto(server.address)
        page.wait_for_url("**/today")
        path = asked_for(home, server)
        for place in ("/today/minute?at=10:00", "/pictures", "/pictures/1", "REQUEST"):
            go(page, server.origin, place, path)
            audit.look(page, f"agent {language}, locked {place}")
        for name, place in PLACES.items():
            home.desk.unlocked.forget()
            home.desk.unlock(PASSPHRASE)
            go(page, server.origin, place, path)
            if place == "REQUEST/1":
                page.locator("[data-marked]").wait_for()
            audit.look(page, f"agent {language}, {name}")


SITUATIONS: Final[dict[str, Callable[[Audit, Browser, Path], None]]] = {
    "door": look_at_the_door,
    "diary": look_at_a_diary,
    **{f"case-{phase}": look_at_a_case(phase) for phase in PHASES},
    "viewer": look_at_the_viewer,
    "offline": look_offline,
    **{f"agent-{language}": look_at_the_agent(language) for language in ("en", "de")},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromed(whole="walks go on to the end of the page and out of it") as browser:
        yield browser


@pytest.mark.parametrize("name", SITUATIONS if LONG else ["door"])
def test_everybody_can_use_every_page(browser: Browser, tmp_path: Path, name: str) -> None:
    audit = Audit(ALL if LONG else ONE)
    SITUATIONS[name](audit, browser, tmp_path)
    print(audit.told(), *sorted(audit.lesser), sep="\n")  # noqa: T201 - the campaign's figures
    assert audit.faults == []
