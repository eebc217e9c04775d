"""The whole journey in a real browser, with the real commands.

Record a replayed screen, look at the day and the pictures, withdraw one, redact another, disclose.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from support import builders
from support.bridge import Bridge, bridged, now_ms
from support.chromed import chromed
from support.paged import PASSPHRASE, RECORDED
from workseal_agent.cli import main
from workseal_agent.cli.handover import PASSPHRASE_VARIABLE
from workseal_agent.ledger import Ledger
from workseal_agent.vaultkey import generate_private, public_of
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure, VerifiedTiles, verify_disclosure
from workseal_protocol.keys import PublicKey, Role
from workseal_protocol.records import DisputeRequest, RequestedFrame, sign
from workseal_protocol.sealing import open_package

PROGRAM = "from workseal_agent import main; raise SystemExit(main())"
CASE = generate_private()
Run = Callable[..., str]


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with bridged() as bridge:
        yield bridge


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    monkeypatch.setenv("WORKSEAL_AGENT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for path in RECORDED.glob("*.png"):
        shutil.copy(path, pictures)
    return tmp_path / "home"


@pytest.fixture
def run(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    def command(*words: object) -> str:
        monkeypatch.setattr(sys, "argv", ["workseal-agent", *map(str, words)])
        capfd.readouterr()
        code = main()
        said = capfd.readouterr()
        assert code == 0, said.err
        return said.out

    yield command
    if (home / "control.sock").exists():
        command("stop")


def join(run: Run, bridge: Bridge, folder: Path) -> None:
    """Make a home and accept an offer in which every round has its picture."""
    run("init")
    key = PublicKey.parse_text(run("status", "--public-key").strip())
    people = bridge.simulator.people
    bridge.simulator.history = bridge.simulator.history.start(
        {
            role: [key] if role is Role.FREELANCER else [one.public_key for one in keys]
            for role, keys in people.keys().items()
        }
    )
    terms = bridge.simulator.terms(freelancer=key, capture_rate=65_536, max_withdrawn_percent=100)
    offer = builders.make_offer(engagement=builders.ENGAGEMENT, claimed_at=now_ms(), terms=terms)
    (folder / "offer.cose").write_bytes(sign(offer, people.client).encode())
    run("join", folder / "offer.cose", "--verifier", bridge.url, "--yes")


def captured(run: Run, least: int) -> list[dict[str, Any]]:
    """Wait until so many pictures are in the chain."""
    deadline = time.monotonic() + 60
    while True:
        rows: list[dict[str, Any]] = json.loads(run("frames", "--json"))
        if len(rows) >= least:
            return rows
        assert time.monotonic() < deadline
        time.sleep(0.2)


def request_for(bridge: Bridge, row: dict[str, Any], path: Path) -> Digest:
    """Write the arbitrator's request for one picture; return its digest."""
    frame = RequestedFrame(
        *(Digest(bytes.fromhex(row[name])) for name in ("segment", "commitment"))
    )
    record = DisputeRequest(
        engagement=builders.ENGAGEMENT,
        claimed_at=now_ms(),
        frames=(frame,),
        reason="was the quarterly report being written?",
        sealing_key=public_of(CASE),
        answer_by=now_ms() + 86_400_000,
    )
    statement = sign(record, bridge.simulator.people.arbitrator)
    path.write_bytes(statement.encode())
    return statement.digest


@pytest.fixture
def page(home: Path) -> Iterator[Callable[[], Page]]:
    """Open the pages by the command, and let a browser in by the address that it prints."""
    environment = {key: value for key, value in os.environ.items() if key != PASSPHRASE_VARIABLE}
    started: list[subprocess.Popen[str]] = []
    with chromed(whole="a freelancer's journey, as it is gone") as browser:

        def opened() -> Page:
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, "--home", str(home), "open", "--no-browser"],
                stdout=subprocess.PIPE, text=True, env=environment,
            )  # fmt: skip
            started.append(process)
            assert process.stdout is not None
            lines = iter(process.stdout)
            address = next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            # A preview reads its picture first: on a busy machine that takes its time.
            page.set_default_timeout(180_000)
            page.set_default_navigation_timeout(180_000)
            page.goto(address)
            page.wait_for_url("**/today")
            return page

        yield opened
    for process in started:
        # Its button ends it; a signal that comes while Python itself ends would be met by nobody.
        process.communicate(timeout=180)
        assert process.returncode == 0


def drag(page: Page, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Draw a box on the editor's canvas, in pixels of the picture."""
    canvas = page.locator("canvas")
    canvas.scroll_into_view_if_needed()
    canvas.hover()
    box = canvas.bounding_box()
    assert box is not None
    scale = box["width"] / 1280
    for place, act in ((start, page.mouse.down), (end, page.mouse.up)):
        page.mouse.move(box["x"] + place[0] * scale, box["y"] + place[1] * scale)
        act()


def drawn(page: Page) -> Any:
    """Return what the editor shows, pixel for pixel."""
    text = page.evaluate(
        """() => { const one = document.querySelector("canvas");
        const bytes = one.getContext("2d").getImageData(0, 0, one.width, one.height).data;
        let text = ""; for (let at = 0; at < bytes.length; at += 4)
        text += String.fromCharCode(bytes[at], bytes[at + 1], bytes[at + 2]); return text; }"""
    )
    return np.frombuffer(text.encode("latin-1"), np.uint8).reshape(800, 1280, 3)


def share(tiles: int) -> re.Pattern[str]:
    return re.compile(f"^{tiles} of ")


def test_record_look_withdraw_redact_disclose(
    run: Run, bridge: Bridge, tmp_path: Path, page: Callable[[], Page]
) -> None:
    join(run, bridge, tmp_path)
    run("start", "--screen", "replay", "--replay", tmp_path / "pictures")
    rows = captured(run, 4)
    shown = page()
    origin = shown.url.removesuffix("/today")

    # The day, while it is recorded; pausing at once.
    expect(shown.locator("[data-live=said]")).to_have_text("Working")
    shown.get_by_role("button", name="Pause").click()
    shown.get_by_text("Paused. Nothing is counted").wait_for()
    worked = json.loads(run("status", "--json"))["worked_ms_today"]
    assert worked > 0

    withdraw(shown, origin, rows[0]["number"])
    assert json.loads(run("frames", "--json"))[0]["state"] == "withdrawn"
    assert json.loads(run("status", "--json"))["worked_ms_today"] == worked

    # A request, given as a file; everything is hidden at first.
    wanted = rows[1]
    digest = request_for(bridge, wanted, tmp_path / "request.cose")
    told = edit(shown, origin, tmp_path / "request.cose")
    expect(told).to_have_text(share(0))

    # Only this; hide a part of it again; undo, and do it again; one tile by the keyboard.
    tiles = chosen(shown, told)
    shown.get_by_label("See through what is hidden").uncheck()
    edited = drawn(shown)
    shown.get_by_role("button", name="Keep this choice").click()
    shown.get_by_role("link", name="Look at exactly what will be seen").click()

    # The preview of the server is what the editor showed, and what the arbitrator will see.
    source = shown.locator(".stage img").get_attribute("src") or ""
    preview = picture(shown.request.get(origin + source, headers=as_page()).body())
    assert (preview == edited).all()
    shown.get_by_label("Your passphrase").fill(PASSPHRASE)
    shown.get_by_role("button", name="Disclose exactly this").click()
    shown.get_by_text("The package lies sealed for the arbitrator").wait_for()
    seen = opened_by_arbitrator(bridge, digest, wanted)
    assert len(seen.shown) == tiles
    assert seen.render() == edited.tobytes()

    # What left says so, and no pixel of the hidden part went anywhere.
    shown.goto(origin + "/left?kind=disclosures")
    expect(shown.locator("tbody tr")).to_have_count(1)
    shown.get_by_role("button", name="End these pages").click()
    shown.get_by_text("The pages are closed").wait_for()
    run("resume")
    with Ledger(Path(os.environ["WORKSEAL_AGENT_HOME"]) / "ledger.sqlite") as ledger:
        assert len(ledger.disclosures(builders.ENGAGEMENT)) == 1


def withdraw(page: Page, origin: str, number: str) -> None:
    """Look at a picture, and withdraw it after its effect was told."""
    page.goto(f"{origin}/pictures/{number}")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Open").click()
    expect(page.locator(".stage img")).to_be_visible()
    page.get_by_role("link", name="Withdraw this picture").click()
    kinds = page.get_by_role("row", name=re.compile("Kinds of evidence"))
    expect(kinds).to_contain_text("unchanged")
    page.get_by_label("Something private").check()
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Destroy the picture").click()
    page.get_by_text("not one second of time is lost").wait_for()


def edit(page: Page, origin: str, request: Path) -> Locator:
    """Add a request and open the editor of its picture; return where the share is told."""
    page.goto(origin + "/requests")
    page.locator("[data-keys] li").first.wait_for(state="attached")
    page.set_input_files("#file", request)
    page.get_by_text("was the quarterly report being written?").wait_for()
    page.get_by_text("nothing would be seen").wait_for()
    page.locator(".gallery a").click()
    page.locator("[data-ready]").wait_for()
    return page.locator("[data-told]")


def chosen(page: Page, told: Locator) -> int:
    """Choose tiles with each kind of tool; return how many are shown in the end."""
    drag(page, (20, 20), (330, 330))
    # Inward: the tiles from 32 to 320, on each side.
    expect(told).to_have_text(share(81))
    page.get_by_label("Hide a box").check()
    drag(page, (70, 70), (100, 100))
    # Outward: the tiles from 64 to 128, on each side.
    expect(told).to_have_text(share(77))
    page.get_by_role("button", name="Undo").click()
    expect(told).to_have_text(share(81))
    page.get_by_role("button", name="Do it again").click()
    expect(told).to_have_text(share(77))
    page.get_by_label("Show with the brush").check()
    drag(page, (640, 400), (700, 400))
    expect(told).to_have_text(share(79))
    page.locator("canvas").focus()
    page.keyboard.press("Space")
    expect(told).to_have_text(share(80))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(told).to_have_text(share(82))
    page.keyboard.press("Control+z")
    expect(told).to_have_text(share(80))
    page.get_by_role("button", name="Closer").click()
    return 80


def as_page() -> dict[str, str]:
    """Return the headers of a picture that is part of a page of ours."""
    return {"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}


def picture(data: bytes) -> Any:
    seen: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return seen[:, :, ::-1]


def opened_by_arbitrator(bridge: Bridge, request: Digest, row: dict[str, Any]) -> VerifiedTiles:
    """Open the sealed package with the arbitrator's key, and verify the tiles in it."""
    package = bridge.wire.sealed[str(request)]
    _statement, disclosed = open_package(CASE, request, package)
    commitment = Digest(bytes.fromhex(row["commitment"]))
    return verify_disclosure(Disclosure.parse(disclosed), commitment)
