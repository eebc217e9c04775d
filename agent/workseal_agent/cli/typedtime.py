"""Times as people type them: one written form, and one moment that it means or none."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from workseal_agent.cli.problem import UsageProblem
from workseal_agent.language import phrase

# A day and a time of day, and where it is to be understood in another zone, how far that is away.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


def read_instant(text: str, zone: ZoneInfo) -> int:
    """Read a time as people write it, in Unix milliseconds; in `zone` where it names no other."""
    if not _TIME.fullmatch(text):
        raise UsageProblem(_no_time(text))
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageProblem(_no_time(text)) from error
    try:
        aware = read if read.tzinfo is not None else _in_zone(read, zone)
        ms = int(aware.timestamp() * 1000)
    except (OverflowError, ValueError):
        ms = -1
    if ms < 0:
        raise UsageProblem("a declared time lies between 1970 and now")
    return ms


def _no_time(text: str) -> str:
    return phrase(
        "a time is written like 2026-11-23T14:00, and this one is {found!r}", found=text[:40]
    )


def _in_zone(read: datetime, zone: ZoneInfo) -> datetime:
    """Take a time of day for that of a zone, where it is one moment and no other."""
    first, second = (read.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    # Where clocks are put on, no time of day between is shown by any.
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != read:
        raise UsageProblem(
            phrase(
                "there is no {text} in {zone}: clocks are put on then",
                text=read.isoformat(),
                zone=zone.key,
            )
        )
    raise UsageProblem(
        phrase(
            "{text} comes twice in {zone}, as clocks are put back: write which one is meant,"
            " as {first} or {second}",
            text=read.isoformat(),
            zone=zone.key,
            first=first.isoformat(),
            second=second.isoformat(),
        )
    )
