"""What the commands say and ask of suggestions: class, place and reason of each, never its text.

Rules: nothing that a review marks is shown unless its owner says so, by an answer or an option; a
program that pipes its input has said nothing. What could not be read is said to be unread.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import confirmed, say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.disclose import FrameReader
from workseal_agent.errors import AgentError
from workseal_agent.language import Phrase, own, phrase, phrases
from workseal_agent.ledger import CaptureRow
from workseal_agent.suggestions import (
    Exposure,
    Kind,
    NameList,
    Reader,
    Reading,
    Review,
    Suggestion,
    Sureness,
    TextReading,
    can_find_faces,
    can_read,
    review_frame,
)

_UNREAD = {
    Reading.ABSENT: phrase(
        "nothing was read, since the extra that reads is not installed"
        " (`pip install 'workseal[review]'`): look at what is not flat yourself"
    ),
    Reading.FAILED: phrase(
        "the text could not be read this time: look at what is not flat yourself"
    ),
}
_SURENESS = {
    Sureness.POSSIBLE: phrase("possible"),
    Sureness.LIKELY: phrase("likely"),
    Sureness.SURE: phrase("sure"),
}
_NO_FACES = phrase(
    "faces are not looked for: what finds them is not made for this machine or Python"
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """Hold what was said beforehand about suggestions."""

    hide_marked: bool = False
    hide_text: bool = False
    show_marked: bool = False
    unread: bool = False

    def __post_init__(self) -> None:
        if self.unread and (self.hide_marked or self.hide_text):
            raise UsageProblem("--unread marks nothing that could be hidden")
        if self.show_marked and (self.hide_marked or self.hide_text):
            raise UsageProblem("what is marked can be hidden or shown, not both")

    @property
    def decided(self) -> bool:
        """Say whether it is known what becomes of what is marked."""
        return self.hide_marked or self.hide_text or self.show_marked


@dataclass(frozen=True, slots=True)
class Chosen:
    """Hold the tiles of a frame that were chosen to be seen."""

    frame: CaptureRow
    tiles: tuple[int, ...]


@contextmanager
def reading_of(home: Home) -> Iterator[Reader | None]:
    """Give what reads frames, with the list of names of this home; None without the extra."""
    names = NameList.load(home.files.names_file)
    if not can_read():
        yield None
        return
    with TextReading(names) as reading:
        yield reading


def review_chosen(
    home: Home, vault: FrameReader, chosen: Sequence[Chosen], wishes: Wishes, *, ask: bool
) -> list[Chosen]:
    """Say what is suggested for the chosen tiles; return those that are still to be seen."""
    if wishes.unread:
        say("the frames were not read: nothing in them is marked")
        return list(chosen)
    reviews = list(_reviews(home, vault, chosen))
    for one, review in zip(chosen, reviews, strict=True):
        _tell(one, review)
    wishes = _decided(chosen, reviews, wishes, ask=ask)
    left = [_without(one, review, wishes) for one, review in zip(chosen, reviews, strict=True)]
    for one, review in zip(left, reviews, strict=True):
        _tell_result(one, review)
    return left


def as_object(row: CaptureRow, review: Review) -> dict[str, Any]:
    """Return a review for programs: boxes are x, y, width, height in pixels of the frame."""
    return {
        "number": str(row.number),
        "commitment": str(row.commitment),
        "reading": review.reading.value,
        "suggestions": [
            {
                "kind": each.suggestion.kind.value,
                "marked": each.suggestion.kind.marked,
                "why": each.suggestion.why.value,
                "sureness": each.suggestion.sureness.name.lower(),
                "boxes": [
                    [box.left, box.top, box.width, box.height] for box in each.suggestion.boxes
                ],
                "tiles": each.tiles,
            }
            for each in review.exposures(())
        ],
    }


def unread_sentence(review: Review) -> Phrase | None:
    """Say that a frame was not read; None when it was."""
    return _UNREAD.get(review.reading)


def sureness_text(sureness: Sureness) -> Phrase:
    """Say how sure a suggestion is."""
    return _SURENESS[sureness]


def place_of(suggestion: Suggestion) -> str:
    """Return where a suggestion is, in the form that --hide takes."""
    box = suggestion.bounds()
    return f"{max(box.left, 0)},{max(box.top, 0)},{box.width},{box.height}"


def _reviews(home: Home, vault: FrameReader, chosen: Sequence[Chosen]) -> Iterator[Review]:
    """Review one frame after the other; of each, only the boxes are kept."""
    with reading_of(home) as reading:
        if reading is not None:
            say(
                phrases(
                    len(chosen),
                    "reading {count} frame on this machine …",
                    "reading {count} frames on this machine …",
                )
            )
            if not can_find_faces():
                say(_NO_FACES)
        for one in chosen:
            stored = vault.frame(one.frame.commitment)
            yield review_frame(stored.header.grid, stored.pixels, reading, shown=one.tiles)


def _decided(
    chosen: Sequence[Chosen], reviews: Sequence[Review], wishes: Wishes, *, ask: bool
) -> Wishes:
    """Settle what becomes of what is marked: by the options, else by asking."""
    unread = [one for one in reviews if one.reading in _UNREAD]
    if wishes.hide_marked and unread:
        raise AgentError(
            "nothing was disclosed: what was not read is not marked, so --hide-marked cannot be"
            " kept; --hide-text hides all that is not flat"
        )
    seen = [
        each
        for one, review in zip(chosen, reviews, strict=True)
        for each in review.marked_in(one.tiles)
    ]
    failed = any(one.reading is Reading.FAILED for one in reviews)
    if wishes.decided or not (seen or failed):
        return wishes
    if not ask or not sys.stdin.isatty():
        found = phrase("a frame was not read")
        if seen:
            found = phrases(
                len(seen),
                "{count} marked place would be seen",
                "{count} marked places would be seen",
            )
        raise AgentError(
            phrase(
                "nothing was disclosed: {found}; --hide-marked or --hide-text hides,"
                " --show-marked shows them all the same",
                found=found,
            )
        )
    if seen and confirmed("Hide what is marked?", default=True):
        return replace(wishes, hide_marked=True)
    return wishes


def _without(one: Chosen, review: Review, wishes: Wishes) -> Chosen:
    tiles = one.tiles
    if wishes.hide_text:
        tiles = review.without_any(tiles)
    elif wishes.hide_marked:
        tiles = review.without_marked(tiles)
    if one.tiles and not tiles:
        raise AgentError(
            phrase(
                "nothing was disclosed: no tile of frame {number} is left to be seen",
                number=one.frame.number,
            )
        )
    return replace(one, tiles=tiles)


def _tell(one: Chosen, review: Review) -> None:
    number = one.frame.number
    sentence = unread_sentence(review)
    if sentence is not None:
        say(phrase("frame {number}: {sentence}", number=number, sentence=sentence))
    for each in review.marked_in(one.tiles):
        suggestion = each.suggestion
        say(
            phrase(
                "frame {number}: {kind} at {place}: {why} ({sureness})",
                number=number,
                kind=own(suggestion.kind.value),
                place=place_of(suggestion),
                why=own(suggestion.why.value),
                sureness=sureness_text(suggestion.sureness),
            )
        )


def _tell_result(one: Chosen, review: Review) -> None:
    """Name every suggestion, and whether something of it would be seen."""
    exposures = review.exposures(one.tiles)
    for kind in Kind:
        of_kind = [each for each in exposures if each.suggestion.kind is kind]
        if of_kind:
            say(
                phrase(
                    "frame {number}: {kind}: {places}",
                    number=one.frame.number,
                    kind=own(kind.value),
                    places=_counted(of_kind),
                )
            )


def _counted(exposures: Sequence[Exposure]) -> Phrase:
    seen = sum(1 for each in exposures if each.seen)
    places = phrases(len(exposures), "{count} place", "{count} places")
    if not seen:
        return phrase("{places}, hidden", places=places)
    return phrase("{places}, {seen} of them in what would be seen", places=places, seen=seen)
