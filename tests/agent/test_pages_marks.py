import pytest

from workseal_agent.pages.marks import Mark, no_marks
from workseal_agent.vault import StoredFrame
from workseal_protocol.frame import Box, FrameHeader


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
    assert no_marks(StoredFrame(header, bytes(3), bytes(16))) == ()
