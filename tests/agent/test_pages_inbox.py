"""Requests and redaction, asked for as a browser asks; `test_pages_journey` drives a real one."""

import base64
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from support.paged import PASSPHRASE, PagedHome, RecordedScreen, Visitor
from workseal_agent import disclose
from workseal_agent.ledger import CaptureRow
from workseal_agent.pages.drafts import write_bits
from workseal_agent.pages.guard import FORM_HEADER
from workseal_agent.pages.marks import Mark, Marked, Readings
from workseal_agent.suggestions import Reading
from workseal_agent.vault import VaultReader
from workseal_protocol.cli.acting import CaseFolder
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure, verify_disclosure
from workseal_protocol.frame import Box, Grid
from workseal_protocol.records import (
    Act,
    CasePlace,
    DisputeAct,
    DisputeDisclosure,
    DisputeRequest,
    read_record,
    sign,
)
from workseal_protocol.sealing import open_package
from workseal_protocol.statement import Statement

GRID = Grid(1280, 800, 32)
SHOWN = GRID.tiles_inside([Box(0, 0, 320, 320)])
Story = tuple[PagedHome, Visitor]
# Each test has frames of its own in the one home.
FRESH = itertools.count(0, 2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    home = PagedHome(tmp_path_factory.mktemp("inbox"), take=RecordedScreen().take,
                     capture_rate=65_536)  # fmt: skip
    home.rig.recorder.start()
    home.rig.work(490)
    home.rig.recorder.stop()
    assert home.rig.uplink.drain(10)
    with home.served() as server:
        visitor = Visitor(server).enter()
        yield home, visitor
        visitor.close()
    home.rig.ledger.close()
    home.rig.client.close()


@pytest.fixture
def story(made: Story) -> Story:
    home, _ = made
    if not home.desk.unlocked.left_ms():
        home.desk.unlock(PASSPHRASE)
    read_as(home)
    return made


@pytest.fixture
def at() -> int:
    """Give the place of a frame, and of the one after it, that no other test has."""
    return next(FRESH)


def disclosed(home: PagedHome, at: int) -> list[Digest]:
    """Return the disclosures of a frame."""
    told = home.rig.ledger.disclosures(home.rig.engagement.id)
    return [digest for digest, _, frame in told if frame == rows(home)[at].commitment]


def rows(home: PagedHome) -> tuple[CaptureRow, ...]:
    return home.rig.ledger.captures(home.rig.engagement.id)


def post_bytes(visitor: Visitor, path: str, data: bytes, media: str) -> httpx.Response:
    headers = {"content-type": media, FORM_HEADER: visitor.form}
    return visitor.ask("POST", path, content=data, headers=headers)


def added(story: Story, *numbers: int) -> str:
    home, visitor = story
    data = home.asked(*numbers, reason=f"question {numbers[0]}?").encode()
    answer = post_bytes(visitor, "/requests/add", data, "application/octet-stream")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["path"])


def choose(visitor: Visitor, path: str, number: int, tiles: Any = SHOWN) -> httpx.Response:
    shown = base64.b64encode(write_bits(GRID, frozenset(tiles))).decode()
    headers = {FORM_HEADER: visitor.form}
    return visitor.ask("POST", f"{path}/{number}", json={"shown": shown}, headers=headers)


def told_in(text: str) -> dict[str, list[str]]:
    """Return what the form of a preview sends of what it showed."""
    return {
        name: [part.partition('"')[0] for part in text.split(f'name="{name}" value="')[1:]]
        for name in ("seen", "warned")
    }


def read_as(home: PagedHome, *found: Mark, reading: Reading = Reading.READ) -> None:
    """Let every picture be read anew, with these marks found."""
    home.desk.suggest = lambda _frame: Marked(found, reading)
    home.desk._readings = Readings(home.settings.names_file)


def picture(data: bytes) -> Any:
    seen = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert seen is not None
    return seen[:, :, ::-1]


def test_a_request_is_kept_and_shown_with_its_reason(story: Story, at: int) -> None:
    home, visitor = story
    path = added(story, at, at + 1)
    assert added(story, at, at + 1) == path
    text = visitor.get("/requests").text
    assert text.count(f"question {at}?") == 1
    assert "waits for you" in text
    assert "nothing would be seen" in visitor.get(path).text
    assert home.rig.ledger.counts(home.rig.engagement.id).unsent == 0


def test_what_somebody_else_wrote_runs_backwards_nowhere(story: Story, at: int) -> None:
    home, visitor = story
    reason = "hours of \u202e12-30\u2069 \u05d0\u05d1\u05d2"
    data = home.asked(at, reason=reason).encode()
    path = post_bytes(visitor, "/requests/add", data, "application/octet-stream").json()["path"]
    number = rows(home)[at].number
    assert choose(visitor, path, number).status_code == 204
    for place in ("/requests", path, f"{path}/{number}", f"{path}/preview"):
        text = visitor.get(place).text
        assert "hours of \\u202e12-30\\u2069 \u05d0\u05d1\u05d2" in text, place
        assert not {"\u202e", "\u2069"} & set(text), place


def test_what_is_no_request_is_refused_in_one_sentence(story: Story) -> None:
    home, visitor = story
    before = disclose.received(home.rig.ledger, home.rig.engagement)
    for data in (b"", b"\xff" * 100, home.rig.offer.encode(), b"x" * 70_000):
        answer = post_bytes(visitor, "/requests/add", data, "application/octet-stream")
        assert answer.status_code == 422
        assert answer.json()["told"].startswith("this file is")
    assert disclose.received(home.rig.ledger, home.rig.engagement) == before


def test_new_requests_are_fetched_from_the_verifier(story: Story, at: int) -> None:
    home, visitor = story
    home.rig.simulator.submit([home.asked(at)])
    assert visitor.post("/requests/look", passphrase=PASSPHRASE).status_code == 303
    text = visitor.get("/requests").text
    assert "New requests: 1." in text
    assert "was the report being written?" in text
    visitor.post("/requests/look", passphrase=PASSPHRASE)
    assert "New requests: 0." in visitor.get("/requests").text


def test_the_preview_is_what_the_other_side_renders(story: Story, at: int) -> None:
    home, visitor = story
    path = added(story, at)
    number = rows(home)[at].number
    assert visitor.get(f"{path}/{number}/seen.png").status_code == 409
    assert choose(visitor, path, number).status_code == 204
    seen = picture(visitor.get(f"{path}/{number}/seen.png").content)
    stored = VaultReader(home.settings.vault_folder, home.private).frame(rows(home)[at].commitment)
    whole = np.frombuffer(stored.pixels, np.uint8).reshape(800, 1280, 3)
    assert (seen[:320, :320] == whole[:320, :320]).all()
    # Of the rest not one pixel: the pattern of the viewer, aligned to the frame.
    assert tuple(seen[0, 1272]) in {(255, 0, 255), (128, 128, 128)}
    assert {tuple(one) for one in seen[320:, :].reshape(-1, 3)} == {
        (255, 0, 255), (128, 128, 128),
    }  # fmt: skip


def test_what_was_previewed_is_disclosed_and_nothing_else(story: Story, at: int) -> None:
    home, visitor = story
    path = added(story, at, at + 1)
    first = rows(home)[at]
    choose(visitor, path, first.number)
    text = visitor.get(f"{path}/preview").text
    assert f"Picture {first.number}: 100 of 1000 tiles, 10.0 % of the picture." in text
    seen = told_in(text)
    assert len(seen["seen"]) == 1
    done = visitor.post(f"{path}/disclose", **seen, passphrase=PASSPHRASE)
    assert done.status_code == 303, done.text
    assert "lies sealed for the arbitrator" in visitor.get("/requests").text
    request = Digest(bytes.fromhex(path.rpartition("/")[2]))
    package = home.rig.wire.sealed[str(request)]
    statement, opened = open_package(home.case, request, package)
    record = read_record(Statement.parse(statement))
    assert isinstance(record, DisputeDisclosure)
    assert [one.frame for one in record.frames] == [first.commitment]
    tiles = verify_disclosure(Disclosure.parse(opened), first.commitment)
    assert frozenset(tiles.shown) == SHOWN
    assert "answered" in visitor.get("/requests").text
    # The list of what left has its length, and the vault what was in it.
    left = visitor.get("/left?kind=disclosures").text
    assert "the tiles that you chose" in left
    assert (len(disclosed(home, at)), disclosed(home, at + 1)) == (1, [])


def test_what_was_shown_before_is_told_with_the_union(story: Story, at: int) -> None:
    home, visitor = story
    path = added(story, at)
    number = rows(home)[at].number
    choose(visitor, path, number)
    seen = told_in(visitor.get(f"{path}/preview").text)
    assert visitor.post(f"{path}/disclose", **seen, passphrase=PASSPHRASE).status_code == 303
    other = GRID.tiles_inside([Box(160, 160, 320, 320)])
    choose(visitor, path, number, other)
    text = visitor.get(f"{path}/preview").text
    union = len(SHOWN | other)
    assert f"100 tiles of it were shown before; together {union} of 1000 will be known." in text
    known = visitor.ask("GET", f"{path}/{number}/frame.json").json()["before"]
    assert base64.b64decode(known) == write_bits(GRID, SHOWN)


def test_without_the_passphrase_nothing_is_disclosed(story: Story, at: int) -> None:
    home, visitor = story
    path = added(story, at)
    choose(visitor, path, rows(home)[at].number)
    seen = told_in(visitor.get(f"{path}/preview").text)
    before = len(home.requests)
    # The vault is open for looking, and that is not enough.
    for passphrase in ("", PASSPHRASE[:-1]):
        answer = visitor.post(f"{path}/disclose", **seen, passphrase=passphrase)
        assert answer.status_code == 422
    assert len(home.requests) == before
    assert disclosed(home, at) == []


def test_what_changed_after_the_preview_is_not_disclosed(story: Story, at: int) -> None:
    home, visitor = story
    path = added(story, at)
    number = rows(home)[at].number
    choose(visitor, path, number)
    seen = told_in(visitor.get(f"{path}/preview").text)
    choose(visitor, path, number, range(1000))
    for told in (
        seen,
        {**seen, "seen": []},
        {**seen, "seen": seen["seen"] * 2},
    ):
        answer = visitor.post(f"{path}/disclose", **told, passphrase=PASSPHRASE)
        assert answer.status_code == 409
        assert "look at the preview again" in answer.text
    assert disclosed(home, at) == []


def added_at(story: Story, at: int, level: int) -> str:
    """Add a request of a case of which this home has read the `ask` of some level."""
    home, visitor = story
    arbitrator, rig = home.rig.simulator.people.arbitrator, home.rig
    case = Digest.of(f"case {at}".encode())
    ask = DisputeAct(
        engagement=rig.engagement.id,
        claimed_at=rig.clock.true_ms,
        place=CasePlace(case, case),
        act=Act.ASK,
        level=level,
        count=1,
        begin=0,
        end=rig.clock.true_ms,
        text="what was on the screen",
        why="its kind is in dispute",
    )
    signed = sign(ask, arbitrator)
    plain = read_record(home.asked(at))
    assert isinstance(plain, DisputeRequest)
    request = sign(replace(plain, place=CasePlace(case, signed.digest)), arbitrator)
    CaseFolder(home.settings.cases_folder).keep_told(case, signed.encode() + request.encode())
    media = "application/octet-stream"
    answer = post_bytes(visitor, "/requests/add", request.encode(), media)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["path"])


def test_no_more_is_prepared_than_the_ladder_has_for_the_level(story: Story, at: int) -> None:
    home, visitor = story
    path = added_at(story, at, 2)
    number = rows(home)[at].number
    text = visitor.get(path).text
    assert "at level 2 of the ladder: of each picture one in 8 tiles at most" in text
    told = visitor.get(f"{path}/{number}/frame.json").json()
    assert (told["level"], told["most"]) == (2, 125)
    # However it was chosen, with "only this" or by hiding a little: what is left is counted.
    for tiles in (range(126), range(1, 1000), range(1000)):
        refused = choose(visitor, path, number, tiles)
        assert refused.status_code == 422
        assert "level 2 of the ladder has 125 at most" in refused.json()["told"]
    assert "nothing would be seen" in visitor.get(path).text
    assert choose(visitor, path, number, range(125)).status_code == 204
    assert visitor.get(f"{path}/preview").status_code == 200
    # Chosen before the case was read here: the preview refuses it, and so does the last step.
    drafts = visitor.server.drafts
    drafts.put(Digest(bytes.fromhex(path.rpartition("/")[2])), number, tuple(range(126)))
    wide = visitor.get(f"{path}/preview")
    assert wide.status_code == 409
    assert "126 of 1000 tiles would be seen, and level 2 of the ladder has 125" in wide.text
    assert disclosed(home, at) == []


def test_at_level_4_whole_pictures_may_be_shown(story: Story, at: int) -> None:
    home, visitor = story
    path = added_at(story, at, 4)
    number = rows(home)[at].number
    assert "of the ladder" not in visitor.get(path).text
    assert choose(visitor, path, number, range(1000)).status_code == 204
    assert visitor.get(f"{path}/preview").status_code == 200


INSIDE = Mark(Box(300, 300, 40, 8), "password", "It follows a word such as password.")
OUTSIDE = Mark(Box(700, 700, 40, 8), "token", "It has the form of one.")


def test_marked_places_that_would_be_seen_are_named_and_shown_only_on_a_word(
    story: Story, at: int
) -> None:
    home, visitor = story
    read_as(home, OUTSIDE, INSIDE)
    path = added(story, at)
    choose(visitor, path, rows(home)[at].number)
    text = visitor.get(f"{path}/preview").text
    assert "One marked place would be seen:" in text
    assert INSIDE.reason in text
    assert "(40 by 8 pixels, 300 from the left, 300 from the top)" in text
    assert OUTSIDE.reason not in text
    seen = told_in(text)
    assert seen["warned"] == ["1"]
    others: tuple[dict[str, Any], ...] = (
        {},
        {"despite": "no"},
        {"warned": ["0"], "despite": "yes"},
        {"warned": []},
    )
    for more in others:
        answer = visitor.post(f"{path}/disclose", **{**seen, **more}, passphrase=PASSPHRASE)
        assert answer.status_code == (409 if "warned" in more else 422)
    assert disclosed(home, at) == []
    answer = visitor.post(f"{path}/disclose", **seen, despite="yes", passphrase=PASSPHRASE)
    assert answer.status_code == 303
    assert len(disclosed(home, at)) == 1


@pytest.mark.parametrize("reading", [Reading.ABSENT, Reading.FAILED])
def test_a_picture_that_was_not_read_is_shown_only_on_a_word(
    story: Story, at: int, reading: Reading
) -> None:
    home, visitor = story
    read_as(home, reading=reading)
    path = added(story, at)
    choose(visitor, path, rows(home)[at].number)
    text = visitor.get(f"{path}/preview").text
    assert "was not looked for" in text
    seen = told_in(text)
    answer = visitor.post(f"{path}/disclose", **seen, passphrase=PASSPHRASE)
    assert answer.status_code == 422
    assert "say at the preview" in answer.text
    answer = visitor.post(f"{path}/disclose", **seen, despite="yes", passphrase=PASSPHRASE)
    assert answer.status_code == 303


def test_what_was_marked_since_the_preview_is_looked_at_again(story: Story, at: int) -> None:
    home, visitor = story
    path = added(story, at)
    choose(visitor, path, rows(home)[at].number)
    seen = told_in(visitor.get(f"{path}/preview").text)
    assert seen["warned"] == ["0"]
    # A name is put on the list: the picture is read again.
    home.desk.suggest = lambda _frame: Marked((INSIDE,), Reading.READ)
    home.settings.names_file.write_text("somebody\n")
    try:
        answer = visitor.post(f"{path}/disclose", **seen, despite="yes", passphrase=PASSPHRASE)
        assert answer.status_code == 409
        assert "look at the preview again" in answer.text
    finally:
        home.settings.names_file.unlink()


def test_every_mark_is_given_to_the_editor(story: Story, at: int) -> None:
    home, visitor = story
    read_as(home, *[INSIDE] * 1_500)
    path = added(story, at)
    number = rows(home)[at].number
    assert len(visitor.get(f"{path}/{number}/marks.json").json()["marks"]) == 1_500


def test_a_verifier_that_does_not_answer_can_be_asked_again(story: Story, at: int) -> None:
    home, visitor = story
    path = added(story, at)
    choose(visitor, path, rows(home)[at].number)
    seen = told_in(visitor.get(f"{path}/preview").text)

    def down(request: httpx.Request) -> None:
        if request.url.path == "/v1/disclosures":
            raise httpx.ConnectError("down")

    home.rig.wire.fault = down
    answer = visitor.post(f"{path}/disclose", **seen, passphrase=PASSPHRASE)
    assert answer.status_code == 409
    assert "the same button may be pressed again" in answer.text
    home.rig.wire.fault = lambda _request: None
    assert visitor.post(f"{path}/disclose", **seen, passphrase=PASSPHRASE).status_code == 303


def test_the_editor_is_given_sizes_draft_and_marks(story: Story, at: int) -> None:
    home, visitor = story
    found = (Mark(Box(1, 2, 3, 4), "password", "It looks like one."),)
    read_as(home, *found)
    path = added(story, at)
    number = rows(home)[at].number
    choose(visitor, path, number)
    told = visitor.get(f"{path}/{number}/frame.json").json()
    marked = visitor.get(f"{path}/{number}/marks.json").json()
    read_as(home)
    clean = visitor.get(f"{path}/{number}/marks.json").json()
    read_as(home, reading=Reading.ABSENT)
    unread = visitor.get(f"{path}/{number}/marks.json").json()
    assert (told["width"], told["height"], told["tile"]) == (1280, 800, 32)
    assert (told["columns"], told["rows"]) == (40, 25)
    assert base64.b64decode(told["shown"]) == write_bits(GRID, SHOWN)
    assert marked["marks"][0]["kind"] == "password"
    assert "look yourself" in marked["told"]
    assert (clean["marks"], "proves nothing" in clean["told"]) == ([], True)
    assert (unread["marks"], "was not read" in unread["told"]) == ([], True)
    assert told["pattern"] == {"first": [255, 0, 255], "second": [128, 128, 128], "cell": 8}


@pytest.mark.parametrize("shown", ["", "AAAA", "*", None, "A" * 4096])
def test_a_choice_that_cannot_be_read_changes_nothing(
    story: Story, at: int, shown: str | None
) -> None:
    home, visitor = story
    path = added(story, at)
    number = rows(home)[at].number
    choose(visitor, path, number)
    headers = {FORM_HEADER: visitor.form}
    answer = visitor.ask("POST", f"{path}/{number}", json={"shown": shown}, headers=headers)
    assert answer.status_code == 422
    kept = visitor.get(f"{path}/{number}/frame.json").json()["shown"]
    assert base64.b64decode(kept) == write_bits(GRID, SHOWN)


def test_only_what_is_asked_for_can_be_chosen(story: Story, at: int) -> None:
    home, visitor = story
    path = added(story, at)
    other = rows(home)[at + 1].number
    assert choose(visitor, path, other).status_code == 404
    assert visitor.get(f"{path}/{other}").status_code == 404
    assert visitor.get("/requests/" + "0" * 64).status_code == 404
    visitor.post("/pictures/withdraw", n=str(rows(home)[at].number), reason="other",
                 passphrase=PASSPHRASE)  # fmt: skip
    assert choose(visitor, path, rows(home)[at].number).status_code == 404
    assert "is withdrawn" in visitor.get(path).text


def test_nothing_is_opened_while_the_vault_is_locked(story: Story, at: int) -> None:
    home, visitor = story
    path = added(story, at)
    number = rows(home)[at].number
    choose(visitor, path, number)
    home.desk.unlocked.forget()
    for one in (f"{path}/{number}/frame.json", f"{path}/{number}/seen.png"):
        assert visitor.get(one).status_code == 409
    assert visitor.get(f"{path}/preview").headers["location"] == path
    assert "<canvas" not in visitor.get(f"{path}/{number}").text
    assert disclose.received(home.rig.ledger, home.rig.engagement)


def test_sealed_only_is_said_in_plain_words_and_sends_the_verifier_no_tile(
    story: Story, at: int
) -> None:
    home, visitor = story
    path = added(story, at)
    choose(visitor, path, rows(home)[at].number)
    text = visitor.get(f"{path}/preview").text
    assert "the verifier sees the shown tiles while it checks them" in text
    assert "nobody but the arbitrator checks" in text
    before = len(home.rig.wire.requests)
    done = visitor.post(
        f"{path}/disclose", **told_in(text), sealed_only="yes", passphrase=PASSPHRASE
    )
    assert done.status_code == 303, done.text
    assert "the verifier got no tile" in visitor.get("/requests").text
    paths = [one for _, one, _ in home.rig.wire.requests[before:]]
    request = Digest(bytes.fromhex(path.rpartition("/")[2]))
    assert "/v1/disclosures" not in paths
    assert f"/v1/sealed/{request}" in paths
    statement, opened = open_package(home.case, request, home.rig.wire.sealed[str(request)])
    assert Digest.of(statement) in home.rig.simulator.places
    tiles = verify_disclosure(Disclosure.parse(opened), rows(home)[at].commitment)
    assert frozenset(tiles.shown) == SHOWN
