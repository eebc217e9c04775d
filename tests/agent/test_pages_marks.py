from collections.abc import Callable
from pathlib import Path

import pytest

from workseal_agent.errors import AgentError
from workseal_agent.pages import marks
from workseal_agent.pages.marks import Mark, Marked, Readings, marked_by, marks_by_reading, no_marks
from workseal_agent.suggestions import Kind, Reading, Review, Suggestion
from workseal_agent.suggestions.suggestion import Sureness, Why
from workseal_agent.vault import StoredFrame
from workseal_protocol.digest import Digest
from workseal_protocol.frame import Box, FrameHeader, Grid


def test_a_mark_is_told_with_its_class_and_reason() -> None:
    mark = Mark(Box(1, 2, 3, 4), "password", "These words look like a password.")
    assert mark.told() == {
        "left": 1, "top": 2, "width": 3, "height": 4,
        "kind": "password", "reason": "These words look like a password.",
    }  # fmt: skip


@pytest.mark.parametrize(("kind", "reason"), [("", "why"), ("kind", ""), ("k" * 41, "why")])
def test_refuses(kind: str, reason: str) -> None:
    with pytest.raises(ValueError, match="short"):
        Mark(Box(0, 0, 1, 1), kind, reason)


def test_without_a_helper_nothing_is_marked() -> None:
    header = FrameHeader(1, 1, 32, 0, 0, 0, bytes(16))
    assert no_marks(StoredFrame(header, bytes(3), bytes(16))).marks == ()


GRID = Grid(64, 64, 32)


def test_secrets_names_and_pictures_are_marked_and_plain_text_is_not() -> None:
    found = [
        Suggestion(kind, why, Sureness.SURE, (Box(2, 2, 9, 9),))
        for kind, why in (
            (Kind.PASSWORD, Why.LABELLED),
            (Kind.NAME, Why.LISTED),
            (Kind.PICTURE, Why.COLOURS),
            (Kind.TEXT, Why.READ),
            (Kind.BUSY, Why.UNREAD),
        )
    ]
    marked = marked_by(Review(GRID, tuple(found), Reading.READ))
    assert [mark.kind for mark in marked.marks] == ["password", "name from your list", "picture"]
    assert marked.marks[1].reason == "It is on your list."
    assert marked.reading is Reading.READ


def test_a_picture_is_read_once_and_again_when_it_could_not_be_or_the_list_changed(
    tmp_path: Path,
) -> None:
    names, read = tmp_path / "names", iter(range(9))
    known = Readings(names)

    def reading(outcome: Reading) -> Callable[[], Marked]:
        return lambda: Marked((Mark(Box(0, 0, 1, 1), "name", f"{next(read)}"),), outcome)

    def got(frame: Digest, outcome: Reading = Reading.READ) -> str:
        return known.of(frame, reading(outcome)).marks[0].reason

    one, two = Digest.of(b"one"), Digest.of(b"two")
    assert [got(one), got(one), got(two), got(one)] == ["0", "0", "1", "0"]
    names.write_text("Smith\n")
    assert [got(one), got(one)] == ["2", "2"]
    three = Digest.of(b"three")
    assert [got(three, Reading.FAILED), got(three, Reading.ABSENT), got(three)] == ["3", "4", "5"]


def test_only_so_many_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "_REMEMBERED", 2)
    known = Readings(tmp_path / "names")
    for number in range(5):
        known.of(Digest.of(bytes([number])), lambda: Marked((), Reading.READ))
    assert len(known._known) == 2


def test_marks_are_seen_where_one_tile_of_theirs_is() -> None:
    marked = Marked((Mark(Box(30, 2, 4, 4), "token", "why"), Mark(Box(40, 40, 4, 4), "x", "why")))
    first, second = GRID.tiles_touching([Box(0, 0, 1, 1)]), GRID.tiles_touching([Box(33, 0, 1, 1)])
    assert [one.kind for one in marked.seen_in(GRID, first)] == ["token"]
    assert [one.kind for one in marked.seen_in(GRID, second)] == ["token"]
    assert marked.seen_in(GRID, ()) == ()


def test_without_what_reads_it_is_said_that_nothing_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "can_read", lambda: False)
    header = FrameHeader(64, 64, 32, 0, 0, 0, bytes(16))
    pixels = bytes(range(256)) * 48
    marked = marks_by_reading(tmp_path / "names")(StoredFrame(header, pixels, bytes(16)))
    assert marked.reading is Reading.ABSENT


def test_a_list_that_others_may_read_is_refused(tmp_path: Path) -> None:
    names = tmp_path / "names"
    names.write_text("somebody")
    names.chmod(0o644)
    header = FrameHeader(1, 1, 32, 0, 0, 0, bytes(16))
    with pytest.raises(AgentError):
        marks_by_reading(names)(StoredFrame(header, bytes(3), bytes(16)))
