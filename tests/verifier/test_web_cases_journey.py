"""The three of a case in a real browser, from the filing to the decision.

An act is signed where its key is, as a command would; its file goes to the log by the page's own
form. Of what two or three do alike, one goes that way. The others are sent directly, as are the
operator's acts, those of level 1 and the request for the drawn frames. Nothing is shown here: the
freelancer withholds. What is sealed, opened and viewed is in `tests/journeys`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from support.asking import SignedBy
from support.chromed import chromed
from support.courtroom import DECIDED, HOUR_MS, SECOND, THREE, Courtroom, play_to
from support.keyed import follow, send_file, tab_to
from support.office import LiveServer
from workseal_protocol.dispute import freeze_frames
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, Refusal, Ruling, Verdict
from workseal_protocol.sealing import PRIVATE_BYTES, case_public
from workseal_protocol.statement import Statement


@dataclass
class Walk:
    """Hold the courtroom, and a window of the browser for each of the three."""

    room: Courtroom
    origin: str
    browser: Browser
    folder: Path
    windows: dict[Role, Page]

    def page(self, role: Role) -> Page:
        """Open the list of cases in somebody's window; a session that has ended is begun anew."""
        page = self.windows.get(role)
        if page is None:
            page = self.browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(20_000)
            self.windows[role] = page
        page.goto(f"{self.origin}/cases")
        if page.locator("#problem").count():
            auth = SignedBy(self.signer(role), lambda: self.room.office.now)
            with httpx.Client(trust_env=False) as client:
                token = client.post(f"{self.origin}/v1/signin/links", auth=auth).json()["token"]
            page.goto(f"{self.origin}/#signin={token}")
            page.wait_for_url("**/diary")
            page.get_by_role("link", name="Cases", exact=True).click()
            page.wait_for_url("**/cases")
        return page

    def signer(self, role: Role) -> SeedSigner:
        people = self.room.office.people
        if role is Role.ARBITRATOR:
            return self.room.drawn
        return people.client if role is Role.CLIENT else people.freelancer

    def case(self, role: Role) -> Page:
        """Open the case in somebody's window, from their list."""
        page = self.page(role)
        page.locator("h2 a").click()
        page.wait_for_url("**/cases/*")
        return page

    def again(self, role: Role) -> Page:
        """Load the case again where it is open; through the list if the session has ended."""
        page = self.windows[role]
        page.goto(f"{self.origin}{self.room.path}")
        return self.case(role) if page.locator("#problem").count() else page

    def send(self, page: Page, statement: Statement) -> None:
        """Send a file by the form of the page, and wait until the page shows what came of it."""
        signed = self.folder / "signed.cose"
        signed.write_bytes(statement.encode())
        form = page.locator("form[data-answer]")
        expect(form).to_be_visible()
        form.locator("input").set_input_files(signed)
        with page.expect_navigation():
            form.get_by_role("button", name="Send it to the log").click()

    def act(self, role: Role, act: Act, says: str, **fields: Any) -> Page:
        """Let somebody act by their own page, and see what it says then."""
        self.room.office.now += 1_000
        hearing = self.room.hearing
        statement = hearing.statement(role, act, **fields)
        page = self.case(role) if role not in self.windows else self.again(role)
        name = act.name.lower().replace("_", "-")
        expect(page.locator(f'dl.moves pre[aria-label="{name}"]')).to_be_visible()
        self.send(page, statement)
        hearing.follow(statement, self.room.office.now)
        expect(page.locator("main")).to_contain_text(says)
        return page


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    expect.set_options(timeout=20_000)
    room = Courtroom(tmp_path / "office")
    with LiveServer(room.office) as live, chromed() as browser:
        yield Walk(room, f"http://localhost:{live.port}", browser, tmp_path, {})
    assert room.office.check() == []
    room.office.close()


def test_three_people_walk_through_a_whole_case_by_their_pages(walk: Walk) -> None:
    file_and_refuse(walk)
    answer_and_seat(walk)
    walk.room.opened()
    draw_the_sample(walk)
    withhold(walk)
    decide(walk)


def file_and_refuse(walk: Walk) -> None:
    """Let the client file; an act that is not somebody's is refused in words, and nothing moves."""
    room, hearing, office = walk.room, walk.room.hearing, walk.room.office
    page = walk.page(Role.CLIENT)
    expect(page.locator("main")).to_contain_text("There is none that this key may read")
    begin = office.now - 30 * HOUR_MS
    filing = hearing.filing(begin=begin, end=office.now, text="not worked", amount=70_000)
    walk.send(page, filing)
    hearing.begin_with(filing)
    expect(page.locator("main")).to_contain_text("Filed, notice to be given")
    size = office.verifier.sequencer.current.size
    other = walk.folder / "other.cose"
    other.write_bytes(hearing.statement(Role.FREELANCER, Act.ANSWER, by=SECOND).encode())
    page = walk.case(Role.FREELANCER)
    page.locator("form[data-answer] input").set_input_files(other)
    page.get_by_role("button", name="Send it to the log").click()
    expect(page.locator("[data-told]")).to_contain_text("The log does not take it")
    assert office.verifier.sequencer.current.size == size
    room.noticed()


def answer_and_seat(walk: Walk) -> None:
    office, hearing = walk.room.office, walk.room.hearing
    walk.act(Role.FREELANCER, Act.ANSWER, "The parties talk", text="I worked them")
    walk.act(Role.CLIENT, Act.END, "An arbitrator is drawn")
    office.now = max(office.now, (hearing.case.panel_round + 1) * office.round_ms)
    walk.act(Role.CLIENT, Act.DRAW, "Conflicts are looked at")
    key = case_public(bytes(PRIVATE_BYTES))
    walk.act(Role.ARBITRATOR, Act.DECLARE, "with a key", text="no ties", sealing_key=key)
    hearing.act(Role.CLIENT, Act.PASS)
    walk.act(Role.FREELANCER, Act.PASS, "The arbitrator looks")


def ask(walk: Walk, says: str, **fields: Any) -> None:
    filing = walk.room.hearing.case.filing
    said = {"text": "was there work", "why": "the sums do not tell"}
    walk.act(Role.ARBITRATOR, Act.ASK, says, begin=filing.begin, end=filing.end, **said, **fields)


def draw_the_sample(walk: Walk) -> None:
    """Let all three mix in a secret, so that nobody can know the draw, and draw."""
    room, hearing, office = walk.room, walk.room.hearing, walk.room.office
    room.frozen = room.frames()
    ask(walk, "frames were frozen", level=2, count=6, freeze=freeze_frames(room.frozen))
    for role in THREE[:2]:
        hearing.act(role, Act.COMMIT, value=room.committed(role))
    said = {"value": room.committed(Role.ARBITRATOR)}
    walk.act(Role.ARBITRATOR, Act.COMMIT, "committed to", **said)
    for role in (Role.CLIENT, Role.FREELANCER):
        hearing.act(role, Act.PASS)
    walk.act(Role.ARBITRATOR, Act.RULE, "Not drawn yet", code=Ruling.GRANT, text="six")
    for role in THREE[1:]:
        hearing.act(role, Act.REVEAL, value=room.secret(role))
    said = {"value": room.secret(Role.FREELANCER)}
    walk.act(Role.FREELANCER, Act.REVEAL, "which leads to it", **said)
    number = hearing.case.sample_round or 0
    office.verifier.housekeeping.keep()
    office.now = max(office.now, (number + 1) * office.round_ms)
    drawn = {"round": number, "value": office.value(number)}
    page = walk.act(Role.FREELANCER, Act.SAMPLE, "the same seed, the same places", **drawn)
    expect(page.locator("#places")).to_have_text(", ".join(map(str, hearing.case.drawn or ())))


def withhold(walk: Walk) -> None:
    walk.room.office.now += 1_000
    walk.room.named()
    said = {"code": Refusal.THIRD_PARTY_NDA, "text": "another client's screen"}
    walk.act(Role.FREELANCER, Act.WITHHOLD, "Nothing follows from a refusal by itself", **said)
    walk.act(Role.CLIENT, Act.COMMENT, "The arbitrator looks", text="a pity")


def decide(walk: Walk) -> None:
    """Draft, hear both last words, decide; all three read the same."""
    told = walk.room.hearing.told
    cites = (told[0].digest, told[2].digest)
    decided = {"code": Verdict.DISMISSED, "amount": 0, "text": DECIDED, "cites": cites}
    walk.act(Role.ARBITRATOR, Act.DRAFT, "Draft of the decision", **decided)
    walk.act(Role.CLIENT, Act.COMMENT, "my last word", text="my last word: wrong")
    walk.act(Role.FREELANCER, Act.COMMENT, "my last word", text="my last word: right")
    walk.act(Role.ARBITRATOR, Act.DECIDE, "Decided; an appeal is open", **decided)
    for role in THREE:
        page = walk.case(role)
        words = page.locator('section[aria-labelledby="words"]')
        for text in (DECIDED, "Dismissed", "my last word: wrong", "my last word: right"):
            expect(words).to_contain_text(text)
        words.get_by_role("link", name="statement 2", exact=True).first.click()
        expect(page.locator("#s2")).to_contain_text("I worked them")
        expect(page.locator("#s2")).to_be_in_viewport()


def test_an_arbitrator_asks_drafts_and_decides_without_a_pointer(walk: Walk) -> None:
    room, hearing = play_to(walk.room, "evidence"), walk.room.hearing
    page = walk.page(Role.ARBITRATOR)
    page.on("filechooser", lambda _: None)
    follow(page, "Case ", "**/cases/*")
    filing, frozen = hearing.case.filing, room.frames()
    wanted = {"text": "what was on it", "why": "its kind is in dispute", "count": 6, "level": 2}
    hours = {"begin": filing.begin, "end": filing.end, "freeze": freeze_frames(frozen)}
    by_keys(walk, page, Act.ASK, "Objections to a request", **wanted, **hours)
    # What was asked is read where the page leads to it.
    tab_to(page, "request 2, at level 2")
    page.keyboard.press("Enter")
    expect(page.locator("#request-2")).to_be_in_viewport()
    for role in (Role.CLIENT, Role.FREELANCER):
        hearing.act(role, Act.PASS)
    page.reload()
    by_keys(walk, page, Act.RULE, "The arbitrator looks", code=Ruling.REFUSE, text="not needed")
    cites = (hearing.told[0].digest, hearing.told[2].digest)
    said = {"code": Verdict.IN_PART, "amount": 42_500, "text": DECIDED, "cites": cites}
    by_keys(walk, page, Act.DRAFT, "Draft of the decision", **said)
    for role in (Role.CLIENT, Role.FREELANCER):
        hearing.act(role, Act.PASS)
    page.reload()
    by_keys(walk, page, Act.DECIDE, "Decided; an appeal is open", **said)
    tab_to(page, "upheld in part, 425.00 EUR")
    page.keyboard.press("Enter")
    expect(page.locator(":target")).to_contain_text("Decision ")
    expect(page.locator(":target")).to_be_in_viewport()


def by_keys(walk: Walk, page: Page, act: Act, says: str, **fields: Any) -> None:
    """Come to the command of an act, then send the file that such a command wrote."""
    walk.room.office.now += 1_000
    statement = walk.room.hearing.statement(Role.ARBITRATOR, act, **fields)
    signed = walk.folder / "signed.cose"
    signed.write_bytes(statement.encode())
    tab_to(page, "What you can do")
    page.keyboard.press("Enter")
    tab_to(page, act.name.lower())
    send_file(page, "A statement that you signed elsewhere", signed)
    walk.room.hearing.follow(statement, walk.room.office.now)
    expect(page.locator("main")).to_contain_text(says)
