"""What the checks of the desk run over: parts of a bundle that holds, and what was opened beside.

Rules: nothing enters that is not compared with its commitment. Of shown tiles only digests stay, so
that many frames need no more memory than one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from workseal_protocol.commitment import (
    ActivityRecord,
    Note,
    Opening,
    ValueKind,
    parse_notes,
)
from workseal_protocol.desk.tags import TagList
from workseal_protocol.desk.withdrawals import Withdrawals, withdrawals_of
from workseal_protocol.digest import Digest, sha256
from workseal_protocol.disclosure import Disclosure, VerifiedTiles, verify_disclosure
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.frame import CHANNELS, Grid
from workseal_protocol.lottery import round_start
from workseal_protocol.records import Segment, SegmentState
from workseal_protocol.terms import Terms
from workseal_protocol.verify import Report, check_frame_header, check_opening

# Reduces a wholly shown frame (width, height, RGB) to 64 bits; the caller brings the library.
Outline = Callable[[int, int, bytes], bytes]
_SHORT: Final = 16


@dataclass(frozen=True, slots=True)
class Placed:
    """Hold a segment of the hours in question, with its digest and what was opened of it."""

    digest: Digest
    segment: Segment
    activity: ActivityRecord | None = None
    notes: tuple[Note, ...] | None = None


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """Hold what was shown of one frame: a short digest of each tile, which are of one colour."""

    commitment: Digest
    place: Placed
    at: int
    display: int
    grid: Grid
    tiles: Mapping[int, bytes] = field(repr=False)
    flat: frozenset[int] = field(repr=False)
    outline: bytes | None = field(default=None, repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """Give width and height."""
        return self.grid.width, self.grid.height

    @property
    def pixels(self) -> int:
        """Count the pixels of the frame."""
        return self.grid.width * self.grid.height

    @property
    def shown_pixels(self) -> int:
        """Count the pixels that are shown."""
        return self._area(self.tiles)

    @property
    def telling_pixels(self) -> int:
        """Count the shown pixels in tiles of more than one colour."""
        return self._area(self.telling)

    def _area(self, numbers: Iterable[int]) -> int:
        return sum(self.grid.tile_bytes[number] for number in numbers) // CHANNELS

    @property
    def telling(self) -> Mapping[int, bytes]:
        """Give the tiles that show more than one colour."""
        return {number: tile for number, tile in self.tiles.items() if number not in self.flat}


@dataclass(frozen=True, slots=True)
class Material:
    """Hold everything that the checks read; `frames` ascend by their instants."""

    terms: Terms
    engagement: bytes
    begin: int
    end: int
    places: tuple[Placed, ...]
    withdrawn: Withdrawals
    frames: tuple[ShownFrame, ...] = ()
    tags: TagList | None = None
    tag_key: bytes | None = None

    @property
    def begun(self) -> tuple[Placed, ...]:
        """Give the segments that begin in the hours: their captures are those of a freeze."""
        return tuple(one for one in self.places if self.begin <= one.segment.begin < self.end)

    @property
    def working(self) -> Iterator[Placed]:
        """Give the segments of work on the screen."""
        return (one for one in self.places if one.segment.state is SegmentState.WORKING)


def gather(  # noqa: PLR0913 - each is another thing that may have been opened
    report: Report,
    *,
    hours: tuple[int, int] | None = None,
    filing: Digest | None = None,
    openings: Iterable[Opening] = (),
    disclosures: Iterable[Disclosure] = (),
    tags: TagList | None = None,
    tag_key: bytes | None = None,
    outline: Outline | None = None,
) -> Material:
    """Take from a report that holds what concerns the hours, or raise `VerificationError`.

    `filing` is the case's, whose place in the log is known if the bundle has it. `openings` and
    `disclosures` come on top of those in the bundle. A frame that is shown twice, with other tiles,
    counts with all of them together.
    """
    if not report.holds or report.bundle is None or report.terms is None:
        raise VerificationError("the bundle does not hold")
    if report.engagement is None:
        raise VerificationError("the bundle names no engagement")
    everything = _placed(report, openings)
    if tags is not None and tags.engagement != report.engagement:
        raise VerificationError("the tags are of another engagement")
    segments = [one for one in everything.values() if _within(one.segment, hours)]
    table = _frames_of(everything.values())
    shown: dict[Digest, ShownFrame] = {}
    told = (item.disclosure for item in report.bundle.contents.disclosures)
    for disclosure in (*told, *disclosures):
        frame = _shown(disclosure, table, report.terms, outline)
        if _within(frame.place.segment, hours):
            before = shown.get(frame.commitment)
            shown[frame.commitment] = frame if before is None else _joined(before, frame)
    begin, end = hours or _span(segments)
    return Material(
        terms=report.terms,
        engagement=report.engagement,
        begin=begin,
        end=end,
        places=tuple(segments),
        withdrawn=_withdrawn(report, report.terms, filing),
        frames=tuple(sorted(shown.values(), key=lambda one: (one.at, one.display))),
        tags=tags,
        tag_key=tag_key,
    )


def _withdrawn(report: Report, terms: Terms, filing: Digest | None) -> Withdrawals:
    segments = ((one.digest, one.record) for one in report.entries)
    filed = next((one.index for one in report.entries if one.digest == filing), None)
    return withdrawals_of(
        terms,
        report.entries,
        {digest: record.end for digest, record in segments if isinstance(record, Segment)},
        filed=filed,
        unplaced=filing is not None and filed is None,
    )


def _span(segments: Iterable[Placed]) -> tuple[int, int]:
    times = [(one.segment.begin, one.segment.end) for one in segments]
    if not times:
        return 0, 0
    return min(begin for begin, _ in times), max(end for _, end in times)


def _within(segment: Segment, hours: tuple[int, int] | None) -> bool:
    return hours is None or (segment.begin < hours[1] and segment.end > hours[0])


def _placed(report: Report, extra: Iterable[Opening]) -> dict[Digest, Placed]:
    """Give the segments in the order of the log, with what was opened of them."""
    places = {
        entry.digest: Placed(entry.digest, entry.record)
        for entry in report.entries
        if isinstance(entry.record, Segment)
    }
    inside = () if report.bundle is None else report.bundle.contents.openings
    for opening in inside:
        _note(places, opening)  # verified with the bundle
    records = {entry.digest: entry.record for entry in report.entries}
    for number, opening in enumerate(extra):
        try:
            check_opening(opening, records.get(opening.statement))
        except (MalformedError, VerificationError) as error:
            raise VerificationError(f"opening {number}: {error}") from error
        _note(places, opening)
    return places


def _note(places: dict[Digest, Placed], opening: Opening) -> None:
    """Keep a value that was verified, where a check reads its kind."""
    place = places.get(opening.statement)
    if place is None:
        return
    if opening.kind is ValueKind.NOTES:
        places[opening.statement] = replace(place, notes=parse_notes(opening.value))
    elif opening.kind is ValueKind.ACTIVITY:
        activity = ActivityRecord.parse(opening.value)
        places[opening.statement] = replace(place, activity=activity)


_Table = Mapping[tuple[int, int], tuple[tuple[Digest, Placed], ...]]


def _frames_of(places: Iterable[Placed]) -> _Table:
    """Find frames by what a header tells: round and display. Few segments share a round."""
    table: dict[tuple[int, int], tuple[tuple[Digest, Placed], ...]] = {}
    for one in places:
        for display, frame in enumerate(one.segment.frames):
            key = (one.segment.round, display)
            table[key] = (*table.get(key, ()), (frame, one))
    return table


def _shown(
    disclosure: Disclosure, table: _Table, terms: Terms, outline: Outline | None
) -> ShownFrame:
    header = disclosure.header
    for commitment, place in table.get((header.round, header.display), ()):
        try:
            tiles = verify_disclosure(disclosure, commitment)
        except VerificationError:
            continue
        check_frame_header(tiles.header, place.segment, header.display, terms)
        at = round_start(header.round, terms.round_ms) + header.offset_ms
        return _reduced(tiles, commitment, place, at, outline)
    raise VerificationError("a disclosure shows no frame of this bundle")


def _reduced(
    tiles: VerifiedTiles, commitment: Digest, place: Placed, at: int, outline: Outline | None
) -> ShownFrame:
    header = tiles.header
    whole = len(tiles.shown) == header.grid.count
    drawn = None
    if whole and outline is not None:
        drawn = outline(header.width, header.height, tiles.render())
    return ShownFrame(
        commitment=commitment,
        place=place,
        at=at,
        display=header.display,
        grid=header.grid,
        tiles={number: sha256(tile)[:_SHORT] for number, tile in tiles.tiles.items()},
        flat=frozenset(
            number
            for number, tile in tiles.tiles.items()
            if tile == tile[:CHANNELS] * (len(tile) // CHANNELS)
        ),
        outline=drawn,
    )


def _joined(one: ShownFrame, other: ShownFrame) -> ShownFrame:
    """Join two disclosures of one frame; a tile that both show is the same in both."""
    return replace(
        one,
        tiles={**one.tiles, **other.tiles},
        flat=one.flat | other.flat,
        outline=one.outline or other.outline,
    )
