"""The calendar of the terms that the stories agree on, so that a test holds at any hour.

Days count in the zone of the terms: late in the evening of UTC, theirs is the next one.
"""

import time
import tomllib
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from parties import TERMS

ZONE = ZoneInfo(tomllib.loads(TERMS.format(round_ms=60_000, rate=65_536))["zone"])


def today() -> date:
    """Return the day that it is now where the terms count days; a moved clock moves it."""
    return datetime.fromtimestamp(time.time_ns() // 1_000_000_000, tz=ZONE).date()


def yesterday() -> date:
    """Return the day before, when what was recorded a minute ago may have been recorded."""
    return today() - timedelta(days=1)
