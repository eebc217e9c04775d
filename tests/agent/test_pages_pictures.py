from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from support.chromed import chromed
from support.paged import PASSPHRASE, PagedHome, RecordedScreen, Visitor, recorded
from workseal_agent.evidence import withdraw
from workseal_agent.ledger import CaptureRow
from workseal_agent.retention import due_ms
from workseal_agent.vault import VaultReader
from workseal_protocol.records import WithdrawalReason


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedHome]:
    with recorded(
        tmp_path_factory.mktemp("pictures"),
        seconds=95,
        take=RecordedScreen().take,
        capture_rate=65_536,
    ) as home:
        yield home


@pytest.fixture
def unlocked(visitor: Visitor, home: PagedHome) -> Iterator[Visitor]:
    home.desk.unlock(PASSPHRASE)
    yield visitor
    home.desk.unlocked.forget()


def frames(home: PagedHome) -> list[CaptureRow]:
    rows = home.rig.ledger.captures(home.rig.engagement.id)
    return [row for row in rows if not row.withdrawn]


def test_no_pixel_is_shown_while_the_vault_is_locked(visitor: Visitor, home: PagedHome) -> None:
    number = frames(home)[0].number
    assert "Your pictures and notes are locked" in visitor.get("/pictures").text
    assert "<img" not in visitor.get("/pictures").text
    for name in ("small.png", "whole.png"):
        answer = visitor.get(f"/pictures/{number}/{name}")
        assert answer.status_code == 409
        assert not answer.content.startswith(b"\x89PNG")


def test_a_picture_is_the_one_that_was_recorded(unlocked: Visitor, home: PagedHome) -> None:
    row = frames(home)[0]
    answer = unlocked.get(f"/pictures/{row.number}/whole.png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "no-store"
    seen = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert seen is not None
    stored = VaultReader(home.settings.vault_folder, home.private).frame(row.commitment)
    assert seen[:, :, ::-1].tobytes() == stored.pixels
    small = unlocked.get(f"/pictures/{row.number}/small.png").content
    shrunk = cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_COLOR)
    assert shrunk is not None
    assert shrunk.shape == (200, 320, 3)


def test_looking_leaves_nothing_behind(unlocked: Visitor, home: PagedHome) -> None:
    before = {path: path.stat().st_size for path in home.home.rglob("*") if path.is_file()}
    unlocked.get("/pictures")
    unlocked.get(f"/pictures/{frames(home)[0].number}/whole.png")
    after = {path: path.stat().st_size for path in home.home.rglob("*") if path.is_file()}
    assert after == before


def test_the_effect_is_told_before_anything_is_done(unlocked: Visitor, home: PagedHome) -> None:
    rows = frames(home)
    numbers = "&".join(f"n={row.number}" for row in rows[:2])
    text = unlocked.get(f"/pictures/withdraw?{numbers}").text
    assert "Withdraw these 2 pictures?" in text
    assert text.count("1 min 30 s") >= 4
    assert "unchanged" in text
    assert "Your time still counts in full." in text
    assert frames(home) == rows


def test_withdrawing_destroys_the_picture_and_no_second(unlocked: Visitor, home: PagedHome) -> None:
    row = frames(home)[-1]
    worked = home.rig.worked_ms
    fields = {"n": str(row.number), "reason": "private"}
    # What is open for looking destroys nothing, and the recording process neither.
    for wrong in ({}, {"passphrase": ""}, {"passphrase": "another"}):
        assert unlocked.post("/pictures/withdraw", **fields, **wrong).status_code == 422
    assert row.commitment in {one.commitment for one in frames(home)}
    answer = unlocked.post("/pictures/withdraw", **fields, passphrase=PASSPHRASE)
    assert answer.status_code == 303
    assert "not one second of time is lost" in unlocked.get("/pictures").text
    assert row.commitment not in {one.commitment for one in frames(home)}
    assert home.rig.worked_ms == worked
    answer = unlocked.get(f"/pictures/{row.number}/whole.png")
    assert answer.status_code == 409
    assert "is withdrawn: it is destroyed" in answer.text
    assert "Destroyed; its time stays" in unlocked.get(f"/pictures/{row.number}").text


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"n": "1"}, id="no reason"),
        pytest.param({"n": "1", "reason": "because"}, id="another reason"),
        pytest.param({"reason": "private"}, id="no picture"),
        pytest.param({"n": "999", "reason": "private"}, id="a picture that is not there"),
        pytest.param({"n": ["1", "x"], "reason": "private"}, id="no number"),
        pytest.param({"n": ["1"] * 501, "reason": "private"}, id="too many"),
    ],
)
def test_refuses(unlocked: Visitor, home: PagedHome, fields: dict[str, object]) -> None:
    before = frames(home)
    answer = unlocked.post("/pictures/withdraw", **fields, passphrase=PASSPHRASE)
    assert answer.status_code == 422
    assert frames(home) == before


def test_without_a_recording_the_passphrase_signs(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = PagedHome(tmp_path_factory.mktemp("stopped"), capture_rate=65_536)
    home.rig.recorder.start()
    home.rig.work(30)
    home.rig.recorder.stop()
    with home.served() as server:
        visitor = Visitor(server).enter()
        home.desk.unlock(PASSPHRASE)
        number = str(frames(home)[0].number)
        assert "gone for ever" in visitor.get(f"/pictures/withdraw?n={number}").text
        fields = {"n": number, "reason": "other"}
        before = frames(home)
        # What is open for looking does not sign.
        assert visitor.post("/pictures/withdraw", **fields).status_code == 422
        assert frames(home) == before
        done = visitor.post("/pictures/withdraw", **fields, passphrase=PASSPHRASE)
        assert done.status_code == 303
        assert len(frames(home)) == len(before) - 1
        assert home.rig.ledger.counts(home.rig.engagement.id).unsent == 0
        visitor.close()
    home.rig.ledger.close()


def chosen(page: Page) -> list[str]:
    values: list[str] = page.eval_on_selector_all(
        "input[name=n]:checked", "all => all.map(one => one.value)"
    )
    return values


def test_several_are_chosen_by_the_keyboard_alone(home: PagedHome) -> None:
    with home.served() as server, chromed() as browser:
        page = browser.new_page()
        page.goto(server.address)
        page.wait_for_url("**/today")
        page.goto(server.origin + "/pictures")
        page.get_by_label("Passphrase").fill(PASSPHRASE)
        page.keyboard.press("Enter")
        # The passphrase is stretched first: on a busy machine that takes its time.
        expect(page.locator(".gallery img")).to_have_count(len(frames(home)), timeout=60_000)
        # Shown by the script, once it listens.
        expect(page.locator("[data-hint]")).to_be_visible()
        page.locator(".gallery a").first.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Shift+ArrowRight")
        numbers = [str(row.number) for row in frames(home)]
        assert chosen(page) == numbers[1:4]
        expect(page.locator("[data-count]")).to_have_text("3 chosen")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/pictures/{numbers[3]}")
        expect(page.locator("[data-zoom]")).to_be_visible()
        page.keyboard.press("ArrowLeft")
        page.wait_for_url(f"**/pictures/{numbers[2]}")
        page.get_by_role("button", name="True size").click()
        image = page.locator(".stage img")
        assert image.evaluate("one => [one.naturalWidth, one.clientWidth]") == [1280, 1280]
        page.get_by_role("link", name="Withdraw this picture").click()
        page.get_by_label("A password or key").check()
        page.get_by_label("Passphrase").fill(PASSPHRASE)
        page.get_by_role("button", name="Destroy the picture").click()
        page.get_by_text("not one second of time is lost").wait_for()
        assert numbers[2] not in [str(row.number) for row in frames(home)]
        browser.close()


def test_a_week_tells_what_was_kept_as_long_as_agreed_beside_what_was_taken_back(
    visitor: Visitor, home: PagedHome
) -> None:
    rig, row = home.rig, frames(home)[-1]
    gone = len(rig.ledger.captures(rig.engagement.id)) - len(frames(home))
    now = due_ms(rig.engagement, row)
    withdraw(rig.chain, rig.ledger, rig.vault, row, WithdrawalReason.RETENTION, now_ms=now)
    text = visitor.get("/agreement/week?of=2026-03-02").text
    assert f"<dt>Withdrawn afterwards</dt><dd>{gone}</dd>" in text
    assert "<dt>Deleted once the agreed days were over</dt><dd>1</dd>" in text
