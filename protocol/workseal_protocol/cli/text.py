"""Text for a terminal: figures in words, and other people's words made harmless.

Rule: whatever comes out of a bundle, a policy or an error passes `plain` before it is printed, so
that nobody's text can move the cursor, hide a line or run backwards.
"""

from datetime import UTC, datetime, timedelta, tzinfo

from workseal_protocol.visible import plain as plain  # noqa: PLC0414 - whoever prints finds it here

MAX_ERROR = 600  # characters; longer than any sentence of ours

_SECOND_MS = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK_CHARS = len("1970-01-01 00:00:00.000")


def bounded(text: str) -> str:
    """Return `plain` text for an error, cut where it is longer than any sentence of ours."""
    return plain(text if len(text) <= MAX_ERROR else text[:MAX_ERROR] + "…")


def duration(ms: int) -> str:
    """Write milliseconds as hours, minutes and seconds, to the second and never rounded up."""
    seconds = ms // _SECOND_MS
    return f"{seconds // 3600} h {seconds // 60 % 60:02d} min {seconds % 60:02d} s"


def exact(ms: int) -> str:
    """Write milliseconds as hours, minutes and seconds with all their digits: sums add up."""
    return f"{duration(ms).removesuffix(' s')}.{ms % _SECOND_MS:03d} s"


def instant(ms: int) -> str:
    """Write Unix milliseconds as a UTC time to the millisecond."""
    whole, rest = divmod(ms, _SECOND_MS)
    try:
        shown = datetime.fromtimestamp(whole, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return f"{ms} ms after 1970"  # a claim may lie beyond the calendar's end
    return f"{shown}.{rest:03d}Z"


def instant_in(ms: int, zone: tzinfo) -> str:
    """Write Unix milliseconds as a clock in a zone shows them, with the offset that it had then."""
    try:
        moment = (_EPOCH + timedelta(milliseconds=ms)).astimezone(zone)
    except (OverflowError, ValueError):
        return instant(ms)
    shown = moment.isoformat(" ", "milliseconds")
    return f"{shown[:_CLOCK_CHARS]} {shown[_CLOCK_CHARS:]}"


def count(number: int, singular: str, plural: str | None = None) -> str:
    """Write a number with its noun."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
