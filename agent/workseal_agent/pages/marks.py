"""Places on a picture that somebody should look at before it is shown: what they are, and why.

Rules: a mark hides nothing and shows nothing. The editor draws it with its reason; the freelancer
decides. One picture is read at a time, by a process that ends afterwards.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workseal_agent.suggestions import (
    Kind,
    NameList,
    Reading,
    Review,
    TextReading,
    can_read,
    review_frame,
)
from workseal_agent.vault import StoredFrame
from workseal_protocol.frame import Box

MAX_KIND = 40
MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class Mark:
    """Hold one place; `kind` is a word such as "password", `reason` one plain sentence."""

    box: Box
    kind: str
    reason: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.kind) <= MAX_KIND or not 1 <= len(self.reason) <= MAX_REASON:
            raise ValueError("a mark has a kind and a reason, both short")

    def told(self) -> dict[str, Any]:
        """Return the mark as the editor reads it."""
        box = self.box
        return {
            "left": box.left,
            "top": box.top,
            "width": box.width,
            "height": box.height,
            "kind": self.kind,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Marked:
    """Hold the marks of a frame, and whether its text was read for them."""

    marks: tuple[Mark, ...] = ()
    reading: Reading = Reading.ABSENT


# Looks at a frame and marks it; runs when the editor asks, with the vault unlocked.
Suggest = Callable[[StoredFrame], Marked]


def no_marks(_frame: StoredFrame) -> Marked:
    """Mark nothing."""
    return Marked()


def marks_by_reading(names_file: Path) -> Suggest:
    """Mark by a review: what has the form of a secret, names of the owner's list, and pictures."""
    turn = threading.Lock()

    def suggest(frame: StoredFrame) -> Marked:
        names = NameList.load(names_file)
        with turn:
            return marked_by(_review(frame, names))

    return suggest


def marked_by(review: Review) -> Marked:
    """Take what a review names and a person should look at; lines of text alone would be all."""
    found = [one for one in review.suggestions if one.kind.marked or one.kind is Kind.PICTURE]
    marks = [
        Mark(box, one.kind.value, f"{one.why.value[0].upper()}{one.why.value[1:]}.")
        for one in found
        for box in (one.boxes if one.kind.marked else (one.bounds(),))
    ]
    return Marked(tuple(marks), review.reading)


def _review(frame: StoredFrame, names: NameList) -> Review:
    if not can_read():
        return review_frame(frame.header.grid, frame.pixels, None)
    with TextReading(names) as reading:
        return review_frame(frame.header.grid, frame.pixels, reading)
