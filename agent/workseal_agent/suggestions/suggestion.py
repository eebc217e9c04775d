"""Suggestions: places of a frame that its owner may want to hide, by class and never by content.

Rules: a suggestion holds boxes and a class, no text that was read. Its boxes are grown by a margin
and rounded outward to tiles. One that its owner does not follow is still named: `Review.exposures`
leaves none out.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

from workseal_protocol.frame import Box, Grid

# A detector's box may cut the outermost row of a letter's edge.
MARGIN: Final = 3


class Kind(Enum):
    """Name a class of places; what comes first is worse to show."""

    PRIVATE_KEY = "private key"
    ACCESS_KEY = "access key"
    TOKEN = "token"  # noqa: S105 - a class, not a token
    PASSWORD = "password"  # noqa: S105 - a class, not a password
    CARD = "payment card"
    IBAN = "bank account"
    IDENTITY = "identity number"
    NAME = "name from your list"
    EMAIL = "e-mail address"
    PHONE = "phone number"
    IP_ADDRESS = "IP address"
    FACE = "face"
    PICTURE = "picture"
    TEXT = "text"
    BUSY = "not flat"

    @property
    def marked(self) -> bool:
        """Say whether a place of this class is pre-marked, whatever else is decided."""
        return self not in {Kind.PICTURE, Kind.TEXT, Kind.BUSY}


# Found tile by tile: a margin would only take all of their neighbours.
_WHOLE_TILES: Final = frozenset({Kind.PICTURE, Kind.BUSY})


class Why(Enum):
    """Say in a sentence what speaks for a suggestion."""

    FORM = "it has the form of one"
    CHECKED = "it has the form of one, and its check digits fit"
    GROUPED = "it is grouped like one, though its check digits do not fit as they were read"
    LABELLED = "what stands before it says so"
    PREFIX = "it begins as these do"
    KNOWN_RULE = "a rule of detect-secrets matches it"
    RANDOM = "it looks like random letters and digits"
    CONTINUES = "it continues the line above, or lies beside it"
    LISTED = "it is on your list"
    FACE = "a face"
    COLOURS = "it has as many colours as a photograph; a face may be on it"
    READ = "something is written there"
    UNREAD = "something is there, and it was not read"


class Sureness(IntEnum):
    """Say how sure a suggestion is."""

    POSSIBLE = 1
    LIKELY = 2
    SURE = 3


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Mark places that belong together, and say what they are."""

    kind: Kind
    why: Why
    sureness: Sureness
    boxes: tuple[Box, ...]

    def __post_init__(self) -> None:
        if not self.boxes:
            raise ValueError("a suggestion has at least one box")

    def tiles(self, grid: Grid) -> frozenset[int]:
        """Return the tiles to hide: every one that a box with its margin touches."""
        margin = 0 if self.kind in _WHOLE_TILES else MARGIN
        return grid.tiles_touching(box.grown(margin) for box in self.boxes)

    def bounds(self) -> Box:
        """Return the smallest box around all of it."""
        left = min(box.left for box in self.boxes)
        top = min(box.top for box in self.boxes)
        right = max(box.left + box.width for box in self.boxes)
        bottom = max(box.top + box.height for box in self.boxes)
        return Box(left, top, right - left, bottom - top)


class Reading(Enum):
    """Say whether a frame was read."""

    READ = "read"
    EMPTY = "empty"
    ABSENT = "absent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Exposure:
    """Say of one suggestion how many of its tiles would be seen."""

    suggestion: Suggestion
    tiles: int
    seen: int


@dataclass(frozen=True, slots=True)
class Review:
    """Hold all suggestions for one frame, and whether it could be read at all."""

    grid: Grid
    suggestions: tuple[Suggestion, ...]
    reading: Reading

    def exposures(self, shown: Collection[int]) -> tuple[Exposure, ...]:
        """Say of every suggestion what would be seen of it; the worst class comes first."""
        visible = frozenset(shown)
        places = list(Kind)
        found = []
        for one in self.suggestions:
            tiles = one.tiles(self.grid)
            found.append(Exposure(one, len(tiles), len(tiles & visible)))
        return tuple(sorted(found, key=lambda each: places.index(each.suggestion.kind)))

    def marked_in(self, shown: Collection[int]) -> tuple[Exposure, ...]:
        """Return the pre-marked suggestions of which something would be seen."""
        return tuple(
            each for each in self.exposures(shown) if each.seen and each.suggestion.kind.marked
        )

    def without_marked(self, shown: Iterable[int]) -> tuple[int, ...]:
        """Take the tiles of everything pre-marked out of what is shown."""
        return self._without(shown, [one for one in self.suggestions if one.kind.marked])

    def without_any(self, shown: Iterable[int]) -> tuple[int, ...]:
        """Take out the tiles of every suggestion: all text, every picture, all that is marked."""
        return self._without(shown, self.suggestions)

    def _without(self, shown: Iterable[int], taken: Iterable[Suggestion]) -> tuple[int, ...]:
        gone = frozenset[int]().union(*(one.tiles(self.grid) for one in taken))
        return tuple(sorted(frozenset(shown) - gone))
