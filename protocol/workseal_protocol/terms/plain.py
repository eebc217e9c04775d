"""The terms in words: what both sides read before they sign.

Rule: every field of the terms is in a sentence, and the sentences follow from the fields alone, so
client, freelancer and arbitrator read the same.
"""

from typing import Final

from workseal_protocol.keys import PublicKey
from workseal_protocol.terms.agreed import (
    MAX_RATE,
    Granularity,
    Level,
    RoundingMode,
    Terms,
    WorkClass,
)

# ISO 4217: how many decimals the minor unit stands for, where it is not two.
_NO_DECIMALS: Final = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
_THREE_DECIMALS: Final = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_MINOR_DIGITS: Final = {
    **dict.fromkeys(_NO_DECIMALS, 0),
    **dict.fromkeys(_THREE_DECIMALS, 3),
    "CLF": 4,
    "UYW": 4,
}
_EVIDENCE: Final = {
    Level.TIMER: "The agent records signed time only: no activity counts and no frames.",
    Level.ACTIVITY: (
        "The agent records signed time and coarse activity counts: which keys were pressed is"
        " never recorded, and no frames are."
    ),
    Level.FRAMES: (
        "The agent records signed time, coarse activity counts and frames of the screen: which"
        " keys were pressed is never recorded, and frames stay on the freelancer's machine unless"
        " the freelancer discloses parts of them in a dispute."
    ),
}
_GRANULARITY: Final = {
    Granularity.DAY: "The client sees worked time by the day.",
    Granularity.INTERVAL: "The client sees every interval of worked time.",
}
_ROUNDING: Final = {
    RoundingMode.DOWN: "down",
    RoundingMode.NEAREST: "to the nearest",
    RoundingMode.UP: "up",
}
_CLASS: Final = {
    WorkClass.WORKING: "work on the screen",
    WorkClass.OFF_SCREEN: "declared off-screen work",
    WorkClass.SEALED: "sealed work",
    WorkClass.LATE_DECLARED: "time declared late",
}


def plain_language(terms: Terms) -> tuple[str, ...]:
    """Say the terms in English sentences, in one order."""
    return (
        *_parties(terms),
        *_evidence(terms),
        *_limits(terms),
        *_money(terms),
        *_deadlines(terms),
    )


def minor_digits(currency: str) -> int:
    """Return how many digits stand behind the point of an amount."""
    return _MINOR_DIGITS.get(currency, 2)


def amount_text(minor: int, currency: str) -> str:
    """Write an amount of minor units, as in "65.00 EUR"."""
    digits = minor_digits(currency)
    sign = "-" if minor < 0 else ""
    whole, rest = divmod(abs(minor), 10**digits)
    return f"{sign}{whole}.{rest:0{digits}} {currency}" if digits else f"{sign}{whole} {currency}"


def duration_text(ms: int) -> str:
    """Write a duration exactly, as in "1 h 30 min" or "0 s"."""
    parts = []
    rest = ms
    for unit, size in (("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"


def _parties(terms: Terms) -> tuple[str, ...]:
    arbitrators = ", ".join(_short(key) for key in terms.arbitrators)
    return (
        f"The client is {_short(terms.client)} and the freelancer is {_short(terms.freelancer)}.",
        f"A dispute is decided by {arbitrators}.",
        (
            f"The verifier is run by {_short(terms.operator)}, under this log policy:"
            f" {'; '.join(terms.log_policy.splitlines())}."
        ),
    )


def _evidence(terms: Terms) -> tuple[str, ...]:
    grid = f"Time is recorded in rounds of {duration_text(terms.round_ms)}."
    if terms.level is not Level.FRAMES:
        return (_EVIDENCE[terms.level], grid, _tiles(terms))
    if not terms.capture_rate:
        return (_EVIDENCE[terms.level], grid, "No frame is ever due.", _tiles(terms))
    mean = round(terms.round_ms * MAX_RATE / terms.capture_rate, -3)
    return (
        _EVIDENCE[terms.level],
        grid,
        (
            f"A frame is due in {terms.capture_rate} of {MAX_RATE} rounds, drawn by lot: about one"
            f" in {duration_text(int(mean))} of work. Online, neither side can foresee the draw"
            " before its round begins, nor steer it; offline rounds are marked."
        ),
        _tiles(terms),
    )


def _tiles(terms: Terms) -> str:
    return f"A frame is divided into tiles of {terms.tile} by {terms.tile} pixels, shown or hidden."


def _limits(terms: Terms) -> tuple[str, ...]:
    cap = (
        f"At most {duration_text(terms.weekly_cap_ms)} a week are agreed."
        if terms.weekly_cap_ms
        else "There is no weekly cap."
    )
    return (
        (
            "The freelancer may withdraw any frame at any time without losing its time; more than"
            f" {terms.max_withdrawn_percent} % withdrawn is reported."
        ),
        (
            f"More than {duration_text(terms.max_offline_ms_per_week)} a week recorded offline is"
            " reported."
        ),
        cap,
        _GRANULARITY[terms.granularity],
    )


def _money(terms: Terms) -> tuple[str, ...]:
    rounding = (
        f"The billed view rounds each day {_ROUNDING[terms.rounding_mode]}"
        f" {'' if terms.rounding_mode is RoundingMode.NEAREST else 'to '}"
        f"{duration_text(terms.rounding_ms)}; the true figure stands beside it."
        if terms.rounding_ms
        else "Worked time is billed to the millisecond, without rounding."
    )
    worth = ", ".join(f"{name} at {terms.worth_percent[each]} %" for each, name in _CLASS.items())
    return (
        f"The rate is {amount_text(terms.rate_minor_per_hour, terms.currency)} an hour.",
        f"Of that rate are paid: {worth}.",
        rounding,
        f"Days and weeks are those of {terms.zone}.",
    )


def _deadlines(terms: Terms) -> tuple[str, ...]:
    return (
        (
            f"The client has {_days(terms.review_days, 'working day')} to review, and each side has"
            f" {_days(terms.answer_days, 'working day')} to answer in a dispute; working days are"
            f" those of both calendars, {terms.client_calendar} for the client and"
            f" {terms.freelancer_calendar} for the freelancer. Silence forfeits nothing by itself."
        ),
        (
            f"Frames are kept on the freelancer's machine for"
            f" {_days(terms.retention_days, 'day')}; after that they may be destroyed."
        ),
    )


def _days(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _short(key: PublicKey) -> str:
    return f"key {key.text()}" if len(key.raw) == 32 else f"key {key.uri}"
