"""Which windows are on a screen of Sway, whose they are and where.

Rules: Sway lists windows and their title bars, also the bars of tabs that are behind others. It
lists no menus and no tooltips; they may be anywhere on the display of the window that has the
focus, so that whole display counts as a place of it. A socket that cannot be read is an error,
because then nobody can say what must be masked.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

from workseal_agent import swaysocket
from workseal_agent.errors import CaptureError, CaptureFailure
from workseal_agent.windows.info import MAX_TITLE, WindowInfo

# Sway keeps what is on no display under an output of this name.
_NOWHERE = "__i3"


def sway_windows(path: str) -> tuple[WindowInfo, ...]:
    """List what is shown, bottom to top; `CaptureError` when Sway cannot be asked."""
    try:
        return tuple(_Reader().read(swaysocket.tree(path)))
    except swaysocket.SWAY_ERRORS as failure:
        raise CaptureError(
            CaptureFailure.OTHER, "the windows of the screen cannot be listed"
        ) from failure


class _Area(NamedTuple):
    left: int
    top: int
    width: int
    height: int

    def joined(self, other: "_Area | None") -> "_Area":
        if other is None:
            return self
        left, top = min(self.left, other.left), min(self.top, other.top)
        right = max(self.left + self.width, other.left + other.width)
        bottom = max(self.top + self.height, other.top + other.height)
        return _Area(left, top, right - left, bottom - top)


class _Reader:
    """Walk one tree; what is drawn later gets the higher number."""

    def __init__(self) -> None:
        self._stacking = count()
        self._presumed = count(1)

    def read(self, root: Any) -> Iterator[WindowInfo]:
        """Yield the windows of every workspace that a display shows."""
        for output in root["nodes"]:
            if output["name"] == _NOWHERE:
                continue
            shown = output.get("current_workspace")
            for workspace in output["nodes"]:
                if shown is None or workspace["name"] == shown:
                    yield from self._inside(workspace, _area(output["rect"]), ())

    def _inside(self, parent: Any, display: _Area, bars: tuple[_Area, ...]) -> Iterator[WindowInfo]:
        # Floating windows lie above all others, the last one on top.
        for children in (parent["nodes"], parent["floating_nodes"]):
            for node in children:
                bar = _title_bar(node, parent, len(children))
                if "pid" in node:
                    yield from self._window(node, bar, display, bars)
                else:
                    yield from self._inside(node, display, bars if bar is None else (*bars, bar))

    def _window(
        self, node: Any, bar: _Area | None, display: _Area, bars: tuple[_Area, ...]
    ) -> Iterator[WindowInfo]:
        """Yield a window, the bars around it that name its program, and where its menus may be."""
        identifier, visible = int(node["id"]), bool(node["visible"])
        area = _area(node["rect"]).joined(bar) if visible else bar
        title = node["name"] or ""
        if area is not None:
            yield WindowInfo(
                title=title[:MAX_TITLE],
                wm_class=_names(node),
                **area._asdict(),
                stacking=next(self._stacking),
                identifier=identifier,
                process=node["pid"] or None,
                popup=node["type"] == "floating_con",
                overlong=len(title) > MAX_TITLE,
            )
        places = [*bars, display] if visible and node["focused"] else bars
        for place in places:
            yield WindowInfo(
                title="",
                wm_class=(),
                **place._asdict(),
                stacking=next(self._stacking),
                identifier=-(identifier << 16) - next(self._presumed),
                transient_for=identifier,
                presumed=True,
            )


def _area(rect: Any) -> _Area:
    return _Area(int(rect["x"]), int(rect["y"]), int(rect["width"]), int(rect["height"]))


def _title_bar(node: Any, parent: Any, siblings: int) -> _Area | None:
    """Return where a title bar may be; None without one.

    It is told relative to the parent with the parent's own bar, or bars when they are stacked, but
    the parent is told without: both places are taken.
    """
    bar, outer = _area(node["deco_rect"]), _area(parent["rect"])
    if not bar.width or not bar.height:
        return None
    above = int(parent["deco_rect"]["height"]) * max(1, siblings)
    top = outer.top + bar.top - above
    return _Area(outer.left + bar.left, top, bar.width, bar.height + above)


def _names(node: Any) -> tuple[str, ...]:
    """Return the application's name, for a program of X11 both names of its class."""
    properties = node.get("window_properties") or {}
    told = (node.get("app_id"), properties.get("instance"), properties.get("class"))
    return tuple(name for name in told if isinstance(name, str) and name)
