"""Checks 3 to 6: what the shown tiles tell, compared with each other and with counted input.

Rule: two frames are called equal only where both show enough that is more than one colour: the edge
of a window is the same in every honest frame.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from workseal_protocol.commitment import NoteCode
from workseal_protocol.desk.checked import Checked, Outcome
from workseal_protocol.desk.material import Material, Placed, ShownFrame
from workseal_protocol.frame import CHANNELS

# Frames that share fewer telling pixels, in percent of a frame, are not compared.
LEAST_COMMON_PERCENT: Final = 10
# A request names at most 64 frames; comparing all with all of more would not be bounded work.
MAX_COMPARED: Final = 64
LEAST_EQUAL: Final = 3
LEAST_RETURNS: Final = 3
RETURN_PERCENT: Final = 20


def check_geometry(material: Material) -> Checked:
    """Say which sizes the shown frames have, and whether a change of size was noted."""
    number, name = 3, "geometry"
    if not material.frames:
        return Checked(number, name, Outcome.NOT_RUN, "no frame is shown")
    sizes: dict[int, list[ShownFrame]] = {}
    for frame in material.frames:
        sizes.setdefault(frame.display, []).append(frame)
    changes = [
        (before, after)
        for frames in sizes.values()
        for before, after in pairwise(frames)
        if before.size != after.size
    ]
    unexplained = [pair for pair in changes if not _change_noted(material, *pair)]
    told = ", ".join(
        f"display {display}: {_sizes(frames)}" for display, frames in sorted(sizes.items())
    )
    sentence = f"{told}; {len(changes)} changes of size between shown frames"
    if changes:
        sentence += f", {len(unexplained)} of them without an opened note of a display that changed"
    proof = tuple(
        f"{_name(one)} has {_size(one)}, {_name(other)} {_size(other)}" for one, other in changes
    )
    outcome = Outcome.NOTICED if unexplained else Outcome.NOTHING
    return Checked(number, name, outcome, sentence, proof)


def _change_noted(material: Material, before: ShownFrame, after: ShownFrame) -> bool:
    return any(
        note.code is NoteCode.DISPLAY_CHANGE
        for place in material.places
        if before.at <= place.segment.end and place.segment.begin <= after.at
        for note in place.notes or ()
    )


def _sizes(frames: Sequence[ShownFrame]) -> str:
    return " and ".join(sorted({_size(one) for one in frames}))


def check_revealed(material: Material) -> Checked:
    """Say how much is shown, and how much of that is more than one colour."""
    number, name = 4, "revealed share"
    frames = material.frames
    if not frames:
        return Checked(number, name, Outcome.NOT_RUN, "no frame is shown")
    pixels = sum(one.pixels for one in frames)
    shown = sum(one.shown_pixels for one in frames)
    telling = sum(one.telling_pixels for one in frames)
    plain = sum(not one.telling for one in frames)
    sentence = (
        f"{_percent(shown, pixels)} of the pixels of {len(frames)} frames are shown,"
        f" {_percent(telling, pixels)} in tiles of more than one colour; {plain} frames show"
        " nothing but tiles of one colour"
    )
    proof = tuple(
        f"{_name(one)}: {len(one.tiles)} of {one.grid.count} tiles shown, {len(one.flat)} of one"
        " colour"
        for one in frames
    )
    outcome = Outcome.NOTICED if plain else Outcome.NOTHING
    return Checked(number, name, outcome, sentence, proof)


def check_equal(material: Material) -> Checked:
    """Say how many shown frames are equal, and whether input was counted around them."""
    number, name = 5, "equal frames"
    frames, left_out = _comparable(material)
    if len(frames) < 2:
        return Checked(number, name, Outcome.NOT_RUN, _TOO_LITTLE + left_out)
    groups = group_equal(frames)
    sizes = Counter(groups)
    largest, size = max(sizes.items(), key=lambda one: (one[1], -one[0]))
    alike = [frame for frame, group in zip(frames, groups, strict=True) if group == largest]
    known = [one.place for one in alike if one.place.activity is not None]
    counted = sum(_had_input(place) for place in known)
    sentence = (
        f"{size} of {len(frames)} comparable frames are equal in every tile that both show;"
        f" input was counted in {counted} of the {len(known)} of their rounds that are opened"
    )
    half = size >= LEAST_EQUAL and 2 * size >= len(frames)
    noticed = half and 2 * counted > len(known) > 0
    outcome = Outcome.NOTICED if noticed else Outcome.NOTHING
    return Checked(number, name, outcome, sentence + left_out, tuple(_rows(frames, groups)))


def check_returning(material: Material) -> Checked:
    """Say how many shown frames are equal to an earlier one, with others in between."""
    number, name = 6, "returning frames"
    frames, left_out = _comparable(material)
    if len(frames) < LEAST_EQUAL:
        return Checked(number, name, Outcome.NOT_RUN, _TOO_LITTLE + left_out)
    groups = group_equal(frames)
    returns = count_returns(groups)
    sentence = (
        f"{returns} of {len(frames)} comparable frames are equal to an earlier one after others"
        " were on the screen"
    )
    noticed = returns >= LEAST_RETURNS and returns * 100 >= RETURN_PERCENT * len(frames)
    outcome = Outcome.NOTICED if noticed else Outcome.NOTHING
    return Checked(number, name, outcome, sentence + left_out, tuple(_rows(frames, groups)))


_TOO_LITTLE: Final = "too few frames show enough to be compared"


def _comparable(material: Material) -> tuple[tuple[ShownFrame, ...], str]:
    """Give the frames of the display with the most that show enough, and what is left out."""
    enough = [one for one in material.frames if _telling_enough(one.telling_pixels, one)]
    shapes = Counter((one.display, one.size) for one in enough)
    if not shapes:
        return (), ""
    shape, _ = max(shapes.items(), key=lambda one: (one[1], one[0]))
    frames = [one for one in enough if (one.display, one.size) == shape]
    left = len(material.frames) - min(len(frames), MAX_COMPARED)
    note = f"; {left} shown frames are not compared" if left else ""
    return tuple(frames[:MAX_COMPARED]), note


def _telling_enough(pixels: int, frame: ShownFrame) -> bool:
    return pixels * 100 >= LEAST_COMMON_PERCENT * frame.pixels


def group_equal(frames: Sequence[ShownFrame]) -> tuple[int, ...]:
    """Give each frame the place of the first one that it is equal to."""
    groups: list[int] = []
    for place, frame in enumerate(frames):
        firsts = (at for at in range(place) if groups[at] == at)
        groups.append(next((at for at in firsts if _equal(frames[at], frame)), place))
    return tuple(groups)


def _equal(one: ShownFrame, other: ShownFrame) -> bool:
    """Say whether all tiles that both show are equal, and tell enough."""
    shown = other.tiles
    if any(shown.get(number, tile) != tile for number, tile in one.tiles.items()):
        return False
    sizes = one.grid.tile_bytes
    common = sum(sizes[number] for number in one.telling if number in shown)
    return _telling_enough(common // CHANNELS, one)


def count_returns(groups: Sequence[object]) -> int:
    """Count the places that equal an earlier one, with a different one directly before."""
    seen: set[object] = set()
    returns = 0
    before: object = None
    for group in groups:
        returns += group in seen and group != before
        seen.add(group)
        before = group
    return returns


def _had_input(place: Placed) -> bool:
    return place.activity is not None and place.activity.input_seconds > 0


def _rows(frames: Sequence[ShownFrame], groups: Sequence[int]) -> Iterator[str]:
    for frame, group in zip(frames, groups, strict=True):
        activity = frame.place.activity
        heard = "not opened" if activity is None else f"{activity.input_seconds} s with input"
        same = "new" if frames[group] is frame else f"equal to {_name(frames[group])}"
        yield f"{_name(frame)}: {same}; its round: {heard}"


def _name(frame: ShownFrame) -> str:
    return f"frame {str(frame.commitment)[:16]}"


def _size(frame: ShownFrame) -> str:
    return f"{frame.grid.width} x {frame.grid.height}"


def _percent(part: int, whole: int) -> str:
    return f"{part * 1000 // whole / 10} %"
