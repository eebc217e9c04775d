"""Places on a picture that somebody should look at before it is shown: what they are, and why.

Rules: a mark hides nothing and shows nothing. The editor draws it with its reason; the freelancer
decides, and is asked again before something marked is disclosed. One picture is read at a time, by
a process that ends afterwards. What is remembered of a picture is where its marks are, and why.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workseal_agent.language import own
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
from workseal_protocol.digest import Digest
from workseal_protocol.frame import Box, Grid

MAX_KIND = 40
MAX_REASON = 200
# A request asks for at most 64 frames.
_REMEMBERED = 256


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
            "kind": own(self.kind),
            "reason": own(self.reason),
        }


@dataclass(frozen=True, slots=True)
class Marked:
    """Hold the marks of a frame, and whether its text was read for them."""

    marks: tuple[Mark, ...] = ()
    reading: Reading = Reading.ABSENT

    @property
    def unread(self) -> bool:
        """Tell whether there may be marks that nobody looked for."""
        return self.reading in {Reading.ABSENT, Reading.FAILED}

    def seen_in(self, grid: Grid, shown: Iterable[int]) -> tuple[Mark, ...]:
        """Return the marks of which some tile is among those that are shown."""
        visible = frozenset(shown)
        return tuple(one for one in self.marks if grid.tiles_touching((one.box,)) & visible)


# Looks at a frame and marks it; runs when the editor asks, with the vault unlocked.
Suggest = Callable[[StoredFrame], Marked]


class Readings:
    """Remember the marks of frames that were read, so that each is read once."""

    def __init__(self, names_file: Path) -> None:
        self._names_file = names_file
        self._known: dict[tuple[Digest, object], Marked] = {}

    def of(self, frame: Digest, read: Callable[[], Marked]) -> Marked:
        """Return a frame's marks; one that could not be read, or a changed list, is read again."""
        place = (frame, self._list())
        known = self._known.get(place)
        if known is None:
            known = read()
            if not known.unread:
                self._known[place] = known
                while len(self._known) > _REMEMBERED:
                    self._known.pop(next(iter(self._known)), None)
        return known

    def _list(self) -> object:
        try:
            found = self._names_file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


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
        Mark(box, one.kind.value, sentence_of(one.why.value))
        for one in found
        for box in (one.boxes if one.kind.marked else (one.bounds(),))
    ]
    return Marked(tuple(marks), review.reading)


def sentence_of(reason: str) -> str:
    """Write a reason as a sentence of its own."""
    return f"{reason[0].upper()}{reason[1:]}."


def _review(frame: StoredFrame, names: NameList) -> Review:
    if not can_read():
        return review_frame(frame.header.grid, frame.pixels, None)
    with TextReading(names) as reading:
        return review_frame(frame.header.grid, frame.pixels, reading)
