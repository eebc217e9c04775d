from pathlib import Path

import pytest

from workseal_agent.errors import AgentError
from workseal_agent.pages import marks
from workseal_agent.pages.marks import Mark, marked_by, marks_by_reading, no_marks
from workseal_agent.suggestions import Kind, Reading, Review, Suggestion
from workseal_agent.suggestions.suggestion import Sureness, Why
from workseal_agent.vault import StoredFrame
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
