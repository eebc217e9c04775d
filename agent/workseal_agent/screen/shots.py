"""What the sources that use mss have in common: which monitors there are, and one monitor's pixels.

Rule: pixels are copied at once, as RGB; the alpha byte has no meaning. A process that records all
day loads no library for arrays for it: channel by channel takes a fifth longer, and 11 MiB less.
"""

import mss
from mss.models import Monitor

from workseal_agent.screen.frame import RawFrame

MAX_DISPLAYS = 255


def monitors_of(camera: mss.MSS) -> list[Monitor]:
    """Return each monitor once: mirrored ones show the same pixels."""
    everything, *single = camera.monitors
    places = ((m["left"], m["top"], m["width"], m["height"]) for m in single)
    different = dict(zip(places, single, strict=True))
    shown = [m for m in different.values() if m["width"] and m["height"]] or [everything]
    return shown[:MAX_DISPLAYS]


def take(camera: mss.MSS, number: int, monitor: Monitor) -> RawFrame:
    """Return one monitor's pixels."""
    shot = camera.grab(monitor)
    rgb = bytearray(shot.width * shot.height * 3)
    for channel in range(3):
        rgb[channel::3] = shot.raw[2 - channel :: 4]
    return RawFrame(number, shot.left, shot.top, shot.width, shot.height, bytes(rgb))
