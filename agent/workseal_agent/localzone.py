"""In which time zone the owner's days begin: the machine's, the agreement's, or a chosen one.

Rules: it is asked anew for each page and command, because who travels changes it meanwhile. What
the client counts stays in the agreement's zone.
"""

import warnings
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from workseal_agent.config import AGREEMENT_ZONE, MACHINE_ZONE, DisplaySettings


def zone_of(display: DisplaySettings, agreement: str) -> ZoneInfo:
    """Return the zone of the owner's days; the agreement's where the machine has none."""
    if display.zone == AGREEMENT_ZONE:
        return ZoneInfo(agreement)
    if display.zone != MACHINE_ZONE:
        return ZoneInfo(display.zone)
    return machine_zone() or ZoneInfo(agreement)


def machine_zone() -> ZoneInfo | None:
    """Return the zone that the machine is set to now; None when it cannot tell."""
    import tzlocal  # noqa: PLC0415 - the recording process has no days

    try:
        # It warns where a machine contradicts itself, and then still says which one is in force.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return tzlocal.reload_localzone()
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None
