"""Moments for whoever reads of a case: as a clock in their zone shows them, and in UTC."""

from datetime import UTC, datetime, timedelta, tzinfo

from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.cli.text import instant


def both(ms: int, zone: str) -> str:
    """Write a moment in a zone and in UTC."""
    known = zone_named(zone)
    if known is None:
        return instant(ms)
    return f"{in_zone(ms, known)} {zone}, {instant(ms)}"


def in_zone(ms: int, zone: tzinfo) -> str:
    """Write a moment as a clock in a zone shows it, with its offset."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
        return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z")
    except (OverflowError, ValueError):
        return instant(ms)
