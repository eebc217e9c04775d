"""Which sensor counts input: what the settings name, or what the desktop has.

Rule: one list of candidates, in the order in which they are preferred, is what `start` picks from
and what `doctor` examines. A sensor's module is loaded when it is opened: who records all day has
one, and its program stays as small as that one needs.
"""

from collections.abc import Callable
from dataclasses import dataclass

from workseal_agent.activity.counts import ActivitySensor, NullActivity
from workseal_agent.config import ActivityKind
from workseal_agent.errors import NoScreenError
from workseal_agent.language import phrase
from workseal_agent.surroundings import Surroundings

_PRESENCE = phrase("seconds with input, and no counts")
_PATIENCE_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class SensorCandidate:
    """Name a sensor, how it is opened, and in a few words what it tells.

    `open` raises `NoScreenError` saying why it cannot be. `automatic` says whether it is tried when
    the settings name no sensor.
    """

    name: ActivityKind
    open: Callable[[], ActivitySensor]
    tells: str
    automatic: bool = True


def sensor_candidates(around: Surroundings) -> tuple[SensorCandidate, ...]:
    """List every sensor there is, the preferred ones first; the last one is always there."""
    wayland = around.wayland is not None and not around.named
    native = around.system in {"win32", "darwin"}
    return (
        SensorCandidate(
            "x11",
            lambda: _open_x11(around),
            phrase("counts of keys and pointer, and who made them"),
        ),
        SensorCandidate(
            "listener",
            lambda: _open_listener(around),
            phrase("counts of keys and pointer"),
            native,
        ),
        SensorCandidate("swayidle", lambda: _open_swayidle(around), _PRESENCE, wayland),
        SensorCandidate("mutter", lambda: _open_mutter(around), _PRESENCE, wayland),
        SensorCandidate("none", NullActivity, phrase("nothing, and each record says so")),
    )


def find_activity(
    kind: ActivityKind, around: Surroundings
) -> tuple[SensorCandidate, ActivitySensor]:
    """Open a sensor.

    "auto" falls back to one that observes nothing and says so in every record; a sensor that is
    named and is not there raises `NoScreenError` instead.
    """
    reasons = []
    for candidate in sensor_candidates(around):
        if kind == candidate.name or (kind == "auto" and candidate.automatic):
            try:
                return candidate, candidate.open()
            except NoScreenError as error:
                reasons.append(str(error))
    raise NoScreenError("; ".join(reasons))


def pick_activity(kind: ActivityKind, around: Surroundings) -> ActivitySensor:
    """Open the sensor that counts input; see `find_activity`."""
    return find_activity(kind, around)[1]


def _open_x11(around: Surroundings) -> ActivitySensor:
    if around.display is None:
        raise NoScreenError("no X11 display is named, neither in the settings nor by DISPLAY")
    from workseal_agent.activity.x11 import X11Activity  # noqa: PLC0415

    return X11Activity(around.display)


def _open_listener(around: Surroundings) -> ActivitySensor:
    from workseal_agent.activity.listener import ListenerActivity  # noqa: PLC0415

    return ListenerActivity(around)


def _open_swayidle(around: Surroundings) -> ActivitySensor:
    from workseal_agent.activity.idle import IdleActivity, told  # noqa: PLC0415
    from workseal_agent.activity.swayidle import SwayIdle  # noqa: PLC0415

    return IdleActivity(told(SwayIdle(around), _PATIENCE_SECONDS))


def _open_mutter(around: Surroundings) -> ActivitySensor:
    if around.session_bus is None:
        raise NoScreenError("this session has no D-Bus to ask GNOME on")
    from workseal_agent import bus  # noqa: PLC0415
    from workseal_agent.activity import mutter  # noqa: PLC0415
    from workseal_agent.activity.idle import IdleActivity, told  # noqa: PLC0415

    try:
        mutter.ask(around.session_bus)
    except bus.BusError as failure:
        raise NoScreenError(
            phrase("no window manager of GNOME tells idle time: {error}", error=failure)
        ) from failure
    return IdleActivity(told(mutter.MutterIdle(around.session_bus), _PATIENCE_SECONDS))
