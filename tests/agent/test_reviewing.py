"""What the commands say and ask of suggestions; what reads is a stand-in that knows one place.

One test has a real picture read.
"""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from support.rig import MemoryVault
from workseal_agent.cli import reviewing
from workseal_agent.cli.home import Home
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.cli.reviewing import Chosen, Wishes, as_object, review_chosen
from workseal_agent.config import Settings
from workseal_agent.errors import AgentError, SettingsError
from workseal_agent.ledger import CaptureRow
from workseal_agent.suggestions import (
    Kind,
    NameList,
    ReadingError,
    Suggestion,
    Sureness,
    Why,
    review_frame,
)
from workseal_protocol.digest import Digest
from workseal_protocol.frame import Box, FrameHeader

FOUND = (
    Suggestion(Kind.EMAIL, Why.FORM, Sureness.SURE, (Box(40, 40, 20, 9),)),
    Suggestion(Kind.TEXT, Why.READ, Sureness.SURE, (Box(4, 4, 20, 9),)),
)
EVERY = tuple(range(6))


class Stand:
    """Stand in for what reads."""

    def __init__(self, _names: NameList) -> None:
        self.found: tuple[Suggestion, ...] = FOUND

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def read(self, *_frame: object) -> tuple[Suggestion, ...]:
        return self.found


class Broken(Stand):
    def read(self, *_frame: object) -> tuple[Suggestion, ...]:
        raise ReadingError("the frame could not be read")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(reviewing, "TextReading", Stand)
    monkeypatch.setattr(reviewing, "can_read", lambda: True)
    monkeypatch.setattr(sys, "stdin", Terminal())
    home = Home(tmp_path, None, None, None)
    home.__dict__["settings"] = home.__dict__["files"] = Settings(tmp_path)
    return home


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Answer a question with yes or no; give what was asked."""

    def prepare(answer: str) -> list[str]:
        asked: list[str] = []

        def confirmed(question: str, *, default: bool) -> bool:
            asked.append(question)
            assert default
            return answer == "yes"

        monkeypatch.setattr(reviewing, "confirmed", confirmed)
        return asked

    return prepare


def busy_frame(vault: MemoryVault, width: int = 96, height: int = 64) -> CaptureRow:
    image = np.zeros((height, width, 3), np.uint8)
    image[:, ::2] = 255
    return put(vault, image)


def put(vault: MemoryVault, image: np.ndarray) -> CaptureRow:
    height, width = image.shape[:2]
    commitment = Digest.of(image.tobytes()[:64])
    header = FrameHeader(width, height, 32, 0, round=1, offset_ms=0, nonce=bytes(16))
    vault.put_frame(header, commitment, image.tobytes(), bytes(16))
    return CaptureRow(
        number=3, segment=Digest.of(b"s"), commitment=commitment, round=1, captured_ms=1,
        display=0, width=width, height=height, withdrawn=False,
    )  # fmt: skip


def reviewed(home: Home, wishes: Wishes, *, ask: bool = True) -> tuple[int, ...]:
    vault = MemoryVault()
    chosen = [Chosen(busy_frame(vault), EVERY)]
    (left,) = review_chosen(home, vault, chosen, wishes, ask=ask)
    return left.tiles


def test_each_marked_place_is_told_with_its_reason_before_anything_is_asked(
    home: Home, answers: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = answers("yes")
    tiles = reviewed(home, Wishes())
    assert asked == ["Hide what is marked?"]
    told = capsys.readouterr().out
    assert "frame 3: e-mail address at 40,40,20,9: it has the form of one (sure)" in told
    assert "frame 3: e-mail address: 1 place, hidden" in told
    assert "frame 3: text: 1 place, 1 of them in what would be seen" in told
    assert len(tiles) == 5


def test_a_suggestion_that_is_not_followed_is_named_all_the_same(
    home: Home, answers: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    answers("no")
    assert reviewed(home, Wishes()) == EVERY
    assert "e-mail address: 1 place, 1 of them in what would be seen" in capsys.readouterr().out


@pytest.mark.parametrize("given", ["--yes", "a pipe"])
def test_nothing_marked_is_shown_without_a_word(
    home: Home, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    """Neither `--yes` nor an input that is no terminal says that what is marked may be seen."""
    if given == "a pipe":
        monkeypatch.setattr(sys, "stdin", io.StringIO("n\ny\n"))
    with pytest.raises(AgentError, match="1 marked place would be seen; --hide-marked"):
        reviewed(home, Wishes(), ask=given != "--yes")


def test_options_decide_without_a_question(home: Home) -> None:
    assert reviewed(home, Wishes(show_marked=True), ask=False) == EVERY
    assert len(reviewed(home, Wishes(hide_marked=True), ask=False)) == 5
    assert len(reviewed(home, Wishes(hide_text=True), ask=False)) == 4


def test_what_is_marked_outside_of_what_is_shown_is_in_nobodys_way(home: Home) -> None:
    vault = MemoryVault()
    chosen = [Chosen(busy_frame(vault), (0,))]
    (left,) = review_chosen(home, vault, chosen, Wishes(), ask=False)
    assert left.tiles == (0,)


def test_a_frame_of_which_nothing_is_left_is_not_disclosed(home: Home) -> None:
    vault = MemoryVault()
    (place,) = FOUND[0].tiles(vault_grid := FrameHeader(96, 64, 32, 0, 1, 0, bytes(16)).grid)
    assert vault_grid.count == len(EVERY)
    chosen = [Chosen(busy_frame(vault), (place,))]
    with pytest.raises(AgentError, match="no tile of frame 3 is left"):
        review_chosen(home, vault, chosen, Wishes(hide_marked=True), ask=False)


def test_without_the_extra_it_is_said_that_nothing_was_read(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reviewing, "can_read", lambda: False)
    assert reviewed(home, Wishes(), ask=False) == EVERY
    told = capsys.readouterr().out
    assert "nothing was read, since the extra that reads is not installed" in told
    assert "not flat: 2 places, 2 of them in what would be seen" in told
    with pytest.raises(AgentError, match="--hide-marked cannot be kept"):
        reviewed(home, Wishes(hide_marked=True), ask=False)
    with pytest.raises(AgentError, match="no tile of frame 3 is left"):
        reviewed(home, Wishes(hide_text=True), ask=False)


def test_a_frame_that_could_not_be_read_is_not_shown_without_a_word(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewing, "TextReading", Broken)
    with pytest.raises(AgentError, match="a frame was not read"):
        reviewed(home, Wishes(), ask=False)
    with pytest.raises(AgentError, match="--hide-marked cannot be kept"):
        reviewed(home, Wishes(hide_marked=True), ask=False)
    assert reviewed(home, Wishes(), ask=True) == EVERY
    assert reviewed(home, Wishes(show_marked=True), ask=False) == EVERY


def test_frames_may_stay_unread_on_request(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reviewing, "TextReading", None)
    assert reviewed(home, Wishes(unread=True), ask=False) == EVERY
    assert "the frames were not read" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wishes",
    [
        {"unread": True, "hide_marked": True},
        {"unread": True, "hide_text": True},
        {"show_marked": True, "hide_marked": True},
        {"show_marked": True, "hide_text": True},
    ],
)
def test_refuses_wishes_that_exclude_each_other(wishes: dict[str, bool]) -> None:
    with pytest.raises(UsageProblem):
        Wishes(**wishes)


def test_a_list_that_others_can_read_stops_the_review(home: Home, tmp_path: Path) -> None:
    (tmp_path / "names").write_text("Jane Doe\n")
    (tmp_path / "names").chmod(0o644)
    with pytest.raises(SettingsError, match="expected 600"):
        reviewed(home, Wishes())


def test_a_program_gets_every_suggestion_and_no_text(home: Home) -> None:
    vault = MemoryVault()
    row = busy_frame(vault)
    stored = vault.frame(row.commitment)
    with reviewing.reading_of(home) as reading:
        review = review_frame(stored.header.grid, stored.pixels, reading)
    told: dict[str, Any] = json.loads(json.dumps(as_object(row, review)))
    assert (told["number"], told["reading"]) == ("3", "read")
    assert [(one["kind"], one["marked"], one["tiles"]) for one in told["suggestions"]] == [
        ("e-mail address", True, 1),
        ("text", False, 1),
    ]
    assert told["suggestions"][0]["boxes"] == [[40, 40, 20, 9]]


def test_a_real_frame_is_read_with_the_list_of_the_home(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()
    home.__dict__["settings"] = home.__dict__["files"] = Settings(tmp_path)
    (tmp_path / "names").write_text("Zanzibar Quartz\n")
    (tmp_path / "names").chmod(0o600)
    picture = Image.new("RGB", (480, 96), (252, 252, 250))
    font = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 14)
    for place, text in ((8, "An ordinary line of text"), (70, "Invoice for Zanzibar Quartz")):
        ImageDraw.Draw(picture).text((10, place), text, font=font, fill=(20, 20, 30))
    vault = MemoryVault()
    row = put(vault, np.asarray(picture))
    chosen = [Chosen(row, tuple(range(45)))]
    (left,) = review_chosen(home, vault, chosen, Wishes(hide_marked=True), ask=False)
    told = capsys.readouterr().out
    assert "name from your list: 1 place, hidden" in told
    assert "text: 1 place, 1 of them in what would be seen" in told
    assert "Zanzibar" not in told
    grid = FrameHeader(480, 96, 32, 0, 1, 0, bytes(16)).grid
    shown = [grid.box_of(number) for number in left.tiles]
    assert 0 < len(shown) < grid.count
    assert all(box.top < 64 or box.left > 192 for box in shown)
