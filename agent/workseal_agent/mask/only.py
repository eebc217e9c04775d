"""The mode "only these windows": everything else on the screen is filled.

Rules: what was not seen to be a wanted window at one place before and after the picture is filled:
the background, panels, notices, whatever lies above a wanted window, and a wanted one that moved.
A window that a rule excludes is never wanted.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workseal_agent.errors import CaptureError, CaptureFailure
from workseal_agent.mask.paint import (
    MASK_COLOUR,
    Area,
    Masked,
    area_of,
    excluded_by,
    is_on,
    joined,
)
from workseal_agent.mask.rules import Rule
from workseal_agent.screen.frame import RawFrame
from workseal_agent.windows import WindowInfo

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Windows = Sequence[WindowInfo]


def fill_all_but(
    masked: Masked, listings: Sequence[Windows], rules: Sequence[Rule], only: Sequence[Rule]
) -> Masked:
    """Fill everything that is no window of `only` in every listing; bottom to top, as listed."""
    everything = tuple(window for listing in listings for window in listing)
    excluded, _ = excluded_by(everything, rules)
    wanted, matched = _wanted(everything, only)
    wanted -= excluded | _moved(listings)
    hidden = {
        window.identifier
        for window in everything
        if window.identifier not in wanted and not window.presumed
        if any(is_on(frame, area_of(window)) for frame in masked.frames)
    }
    try:
        frames = tuple(_fill(frame, listings, wanted) for frame in masked.frames)
    except ValueError as error:
        raise CaptureError(CaptureFailure.OTHER, "the picture cannot be masked") from error
    # Something is always filled where nothing was wanted: the background counts as one.
    count = max(len(hidden), int(frames != masked.frames), masked.masked_windows)
    return Masked(frames, count, masked.rules_matched | matched)


def _wanted(windows: Windows, only: Sequence[Rule]) -> tuple[frozenset[int], frozenset[str]]:
    """Return the windows that are wanted, with their dialogs and menus, and the rules' names.

    A menu belongs to the connection that made it. The process is not asked here: one process of a
    browser has many windows, and few of them may be wanted.
    """
    hits = [(window, rule) for window in windows for rule in only if rule.matches(window)]
    own = {window.identifier for window, _ in hits if not window.presumed}
    clients = {window.client for window in windows if window.identifier in own} - {None}
    belonging = {
        window.identifier
        for window in windows
        if window.transient_for in own or (window.popup and window.client in clients)
        if not window.presumed
    }
    return frozenset(own | belonging), frozenset(rule.name for _, rule in hits)


def _moved(listings: Sequence[Windows]) -> frozenset[int]:
    """Return the windows that are not in every listing at one place."""
    places = [{window.identifier: area_of(window) for window in one} for one in listings]
    everywhere = set(places[0].items())
    for others in places[1:]:
        everywhere &= others.items()
    still = {identifier for identifier, _ in everywhere}
    return frozenset(identifier for one in places for identifier in one if identifier not in still)


def _fill(frame: RawFrame, listings: Sequence[Windows], wanted: frozenset[int]) -> RawFrame:
    import numpy as np  # noqa: PLC0415 - only who uses this mode loads it

    shown = np.ones((frame.height, frame.width), np.bool_)
    for listing in listings:
        shown &= _shown(frame, listing, wanted)
    for area in _ways(listings, wanted):
        shown[_part(frame, area)] = False
    pixels = np.frombuffer(frame.rgb, np.uint8).reshape(frame.height, frame.width, 3).copy()
    pixels[~shown] = MASK_COLOUR
    return RawFrame(
        frame.display, frame.left, frame.top, frame.width, frame.height, pixels.tobytes()
    )


def _shown(frame: RawFrame, listing: Windows, wanted: frozenset[int]) -> "npt.NDArray[np.bool_]":
    """Say of each pixel whether the topmost thing that may be there is a wanted window."""
    import numpy as np  # noqa: PLC0415 - as above

    shown = np.zeros((frame.height, frame.width), np.bool_)
    for window in listing:
        if not window.presumed:
            shown[_part(frame, area_of(window))] = window.identifier in wanted
    for window in listing:
        # What a wanted window may have put up somewhere hides nothing; it is not shown either.
        if window.presumed and window.transient_for not in wanted:
            shown[_part(frame, area_of(window))] = False
    return shown


def _ways(listings: Sequence[Windows], wanted: frozenset[int]) -> Iterator[Area]:
    """Yield where windows that are not wanted moved, with all between."""
    ways: dict[int, Area] = {}
    moved = _moved(listings)
    for window in (window for listing in listings for window in listing):
        if window.identifier in moved and window.identifier not in wanted:
            ways[window.identifier] = joined(ways.get(window.identifier), area_of(window))
    yield from ways.values()


def _part(frame: RawFrame, area: Area) -> tuple[slice, slice]:
    return (
        slice(max(0, area.top - frame.top), max(0, area.bottom - frame.top)),
        slice(max(0, area.left - frame.left), max(0, area.right - frame.left)),
    )
