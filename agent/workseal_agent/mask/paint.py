"""Painting over what is excluded, before anything else sees a pixel.

Rule: in doubt more is painted: the whole rectangle of a window with its decorations, where it stood
before and after the picture and all between, whatever lies above it, every window that belongs to
it, and every menu, tooltip and list of its program. A window whose title is too long to be read
whole is excluded by any rule.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from workseal_agent.errors import CaptureError, CaptureFailure
from workseal_agent.mask.rules import Rule
from workseal_agent.screen.frame import RawFrame
from workseal_agent.windows import WindowInfo

MASK_COLOUR = (74, 74, 82)
_TRANSIENT_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Masked:
    """Hold frames that may be committed, and what was painted over in them."""

    frames: tuple[RawFrame, ...]
    masked_windows: int
    rules_matched: frozenset[str]


class Area(NamedTuple):
    """Hold a rectangle by its edges; the right and the lower one are outside."""

    left: int
    top: int
    right: int
    bottom: int


def apply_mask(
    frames: Sequence[RawFrame], windows: Sequence[WindowInfo], rules: Sequence[Rule]
) -> Masked:
    """Paint every excluded window over; a window listed twice is masked between both places."""
    excluded, matched = excluded_by(windows, rules)
    areas: dict[int, Area] = {}
    for window in windows:
        if window.identifier in excluded:
            areas[window.identifier] = joined(areas.get(window.identifier), area_of(window))
    visible = {
        identifier: area
        for identifier, area in areas.items()
        if any(is_on(frame, area) for frame in frames)
    }
    presumed = {window.identifier for window in windows if window.presumed}
    try:
        painted = tuple(_paint(frame, visible.values()) for frame in frames)
    except ValueError as error:
        raise CaptureError(CaptureFailure.OTHER, "the picture cannot be masked") from error
    return Masked(painted, len(visible.keys() - presumed), matched)


def excluded_by(
    windows: Sequence[WindowInfo], rules: Sequence[Rule]
) -> tuple[frozenset[int], frozenset[str]]:
    """Return the excluded windows with all that belong to them, and the rules that matched."""
    hits = [(window, rule) for window in windows for rule in rules if rule.matches(window)]
    excluded = {window.identifier for window, _ in hits}
    excluded |= {window.identifier for window in windows if window.overlong}
    for _ in range(_TRANSIENT_DEPTH):
        more = _belonging(windows, excluded) - excluded
        if not more:
            break
        excluded |= more
    return frozenset(excluded), frozenset(rule.name for _, rule in hits)


def _belonging(windows: Sequence[WindowInfo], excluded: set[int]) -> set[int]:
    """List what says that it belongs to these windows, and the pop-ups of their programs.

    A menu need not say to which of its program's windows it belongs, so all of them are named.
    """
    owners = [window for window in windows if window.identifier in excluded]
    clients = {window.client for window in owners} - {None}
    processes = {window.process for window in owners} - {None}
    return {
        window.identifier
        for window in windows
        if window.transient_for in excluded
        or (window.popup and (window.client in clients or window.process in processes))
    }


def area_of(window: WindowInfo) -> Area:
    """Return where a window is, with its decorations."""
    return Area(window.left, window.top, window.left + window.width, window.top + window.height)


def joined(first: Area | None, second: Area) -> Area:
    """Return the rectangle around both."""
    if first is None:
        return second
    return Area(
        min(first.left, second.left),
        min(first.top, second.top),
        max(first.right, second.right),
        max(first.bottom, second.bottom),
    )


def is_on(frame: RawFrame, area: Area) -> bool:
    """Say whether a part of a rectangle lies on a frame."""
    return (
        area.left < frame.left + frame.width
        and area.right > frame.left
        and area.top < frame.top + frame.height
        and area.bottom > frame.top
    )


def _paint(frame: RawFrame, areas: Iterable[Area]) -> RawFrame:
    touching = [area for area in areas if is_on(frame, area)]
    if not touching:
        return frame
    pixels, stride = bytearray(frame.rgb), frame.width * 3
    for area in touching:
        left, right = (_within(x - frame.left, frame.width) * 3 for x in (area.left, area.right))
        top, bottom = (_within(y - frame.top, frame.height) for y in (area.top, area.bottom))
        line = bytes(MASK_COLOUR) * ((right - left) // 3)
        for begin in range(top * stride, bottom * stride, stride):
            pixels[begin + left : begin + right] = line
    return RawFrame(frame.display, frame.left, frame.top, frame.width, frame.height, bytes(pixels))


def _within(place: int, side: int) -> int:
    return min(max(0, place), side)
