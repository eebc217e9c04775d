"""What the sources that use mss have in common: which monitors there are, and one monitor's pixels.

Rule: pixels are copied at once, as RGB; the alpha byte has no meaning. A process that records all
day loads no library for arrays for it: channel by channel takes a fifth longer, and 11 MiB less.
"""

import mss
from mss.models import Monitor

from workseal_agent.screen.frame import RawFrame

MAX_DISPLAYS = 255


def monitors_of(camera: mss.MSS) -> list[Monitor]:
    """Return what of each monitor is on the screen, once: mirrored ones show the same pixels."""
    everything, *single = camera.monitors
    inside = (_within(monitor, everything) for monitor in single)
    different = {(m["left"], m["top"], m["width"], m["height"]): m for m in inside}
    shown = [m for m in different.values() if m["width"] > 0 and m["height"] > 0] or [everything]
    return shown[:MAX_DISPLAYS]


def _within(monitor: Monitor, screen: Monitor) -> Monitor:
    """Cut off what lies outside of the screen.

    A part of a wide screen that was named a monitor outlives a smaller mode, and whoever asks for
    pixels that are nowhere gets none of any monitor.
    """
    left, top = max(monitor["left"], screen["left"]), max(monitor["top"], screen["top"])
    right, bottom = (
        min(monitor[start] + monitor[side], screen[start] + screen[side])
        for start, side in (("left", "width"), ("top", "height"))
    )
    return {"left": left, "top": top, "width": right - left, "height": bottom - top}


def take(camera: mss.MSS, number: int, monitor: Monitor) -> RawFrame:
    """Return one monitor's pixels."""
    shot = camera.grab(monitor)
    rgb = bytearray(shot.width * shot.height * 3)
    for channel in range(3):
        rgb[channel::3] = shot.raw[2 - channel :: 4]
    return RawFrame(number, shot.left, shot.top, shot.width, shot.height, bytes(rgb))
