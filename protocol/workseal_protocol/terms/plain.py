"""The terms in words: what both sides read before they sign.

Rule: every field of the terms is in a sentence, and the sentences follow from the fields alone, so
client, freelancer and arbitrator read the same; in another language, from the same fields.
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
from workseal_protocol.worded import Worded, counted, listed, worded

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
    Level.TIMER: worded("The agent records signed time only: no activity counts and no frames."),
    Level.ACTIVITY: worded(
        "The agent records signed time and coarse activity counts: which keys were pressed is"
        " never recorded, and no frames are."
    ),
    Level.FRAMES: worded(
        "The agent records signed time, coarse activity counts and frames of the screen: which"
        " keys were pressed is never recorded, and frames stay on the freelancer's machine unless"
        " the freelancer discloses parts of them in a dispute."
    ),
}
_GRANULARITY: Final = {
    Granularity.DAY: worded("The client sees worked time by the day."),
    Granularity.INTERVAL: worded("The client sees every interval of worked time."),
}


def plain_language(terms: Terms) -> tuple[str, ...]:
    """Say the terms in English sentences, in one order."""
    return tuple(map(str, worded_terms(terms)))


def worded_terms(terms: Terms) -> tuple[Worded, ...]:
    """Return the same sentences, to be said in another language."""
    # What is recorded and paid comes first; keys and the log's policy are compared, not read.
    return (
        *_evidence(terms),
        *_limits(terms),
        *_money(terms),
        *_deadlines(terms),
        *_parties(terms),
    )


def money_sentences(terms: Terms) -> tuple[str, ...]:
    """Say in English what is paid and how it is rounded, as the terms do."""
    return tuple(map(str, _paid(terms)))


def minor_digits(currency: str) -> int:
    """Return how many digits stand behind the point of an amount."""
    return _MINOR_DIGITS.get(currency, 2)


def amount_text(minor: int, currency: str) -> str:
    """Write an amount of minor units, as in "65.00 EUR"."""
    return str(_amount(minor, currency))


def duration_text(ms: int) -> str:
    """Write a duration exactly, as in "1 h 30 min" or "0 s"."""
    parts = []
    rest = ms
    for unit, size in (("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"


def _amount(minor: int, currency: str) -> Worded:
    digits = minor_digits(currency)
    sign = "-" if minor < 0 else ""
    whole, rest = divmod(abs(minor), 10**digits)
    if not digits:
        return worded("{whole} {currency}", whole=f"{sign}{whole}", currency=currency)
    return worded(
        "{whole}.{rest} {currency}",
        whole=f"{sign}{whole}",
        rest=f"{rest:0{digits}}",
        currency=currency,
    )


def _parties(terms: Terms) -> tuple[Worded, ...]:
    return (
        worded(
            "The client is {client} and the freelancer is {freelancer}.",
            client=_short(terms.client),
            freelancer=_short(terms.freelancer),
        ),
        worded(
            "A dispute is decided by {arbitrators}.",
            arbitrators=listed(_short(key) for key in terms.arbitrators),
        ),
        worded(
            "The verifier is run by {operator}, under this log policy: {policy}.",
            operator=_short(terms.operator),
            policy="; ".join(terms.log_policy.splitlines()),
        ),
    )


def _evidence(terms: Terms) -> tuple[Worded, ...]:
    grid = worded(
        "Time is recorded in rounds of {duration}.", duration=duration_text(terms.round_ms)
    )
    if terms.level is not Level.FRAMES:
        return (_EVIDENCE[terms.level], grid, _tiles(terms))
    if not terms.capture_rate:
        return (_EVIDENCE[terms.level], grid, worded("No frame is ever due."), _tiles(terms))
    mean = round(terms.round_ms * MAX_RATE / terms.capture_rate, -3)
    return (
        _EVIDENCE[terms.level],
        grid,
        worded(
            "A frame is due in {rate} of {all} rounds, drawn by lot: about one in {mean} of work."
            " Online, neither side can foresee the draw before its round begins, nor steer it;"
            " offline rounds are marked.",
            rate=terms.capture_rate,
            all=MAX_RATE,
            mean=duration_text(int(mean)),
        ),
        _tiles(terms),
    )


def _tiles(terms: Terms) -> Worded:
    return worded(
        "A frame is divided into tiles of {tile} by {tile} pixels, shown or hidden.",
        tile=terms.tile,
    )


def _limits(terms: Terms) -> tuple[Worded, ...]:
    cap = worded("There is no weekly cap.")
    if terms.weekly_cap_ms:
        most = duration_text(terms.weekly_cap_ms)
        cap = worded("At most {duration} a week are agreed.", duration=most)
    return (
        worded(
            "The freelancer may withdraw any frame at any time without losing its time; more than"
            " {percent} % withdrawn is reported.",
            percent=terms.max_withdrawn_percent,
        ),
        worded(
            "More than {duration} a week recorded offline is reported.",
            duration=duration_text(terms.max_offline_ms_per_week),
        ),
        cap,
        _GRANULARITY[terms.granularity],
    )


def _money(terms: Terms) -> tuple[Worded, ...]:
    return (*_paid(terms), worded("Days and weeks are those of {zone}.", zone=terms.zone))


def _paid(terms: Terms) -> tuple[Worded, ...]:
    worth = terms.worth_percent
    return (
        worded(
            "The rate is {amount} an hour.",
            amount=_amount(terms.rate_minor_per_hour, terms.currency),
        ),
        worded(
            "Of that rate are paid: work on the screen at {working} %, declared off-screen work at"
            " {off_screen} %, sealed work at {sealed} %, time declared late at {late_declared} %.",
            working=worth[WorkClass.WORKING],
            off_screen=worth[WorkClass.OFF_SCREEN],
            sealed=worth[WorkClass.SEALED],
            late_declared=worth[WorkClass.LATE_DECLARED],
        ),
        _rounding(terms),
    )


def _rounding(terms: Terms) -> Worded:
    if not terms.rounding_ms:
        return worded("Worked time is billed to the millisecond, without rounding.")
    grid = duration_text(terms.rounding_ms)
    if terms.rounding_mode is RoundingMode.NEAREST:
        return worded(
            "The billed view rounds each day to the nearest {duration}; the true figure stands"
            " beside it.",
            duration=grid,
        )
    if terms.rounding_mode is RoundingMode.UP:
        return worded(
            "The billed view rounds each day up to {duration}; the true figure stands beside it.",
            duration=grid,
        )
    return worded(
        "The billed view rounds each day down to {duration}; the true figure stands beside it.",
        duration=grid,
    )


def _deadlines(terms: Terms) -> tuple[Worded, ...]:
    return (
        worded(
            "The client has {review} to review, and each side has {answer} to answer in a dispute,"
            " in a case 10 at least and 15 at most; working days are those of both calendars,"
            " {client} for the client and {freelancer} for the freelancer. Silence forfeits"
            " nothing by itself.",
            review=counted(terms.review_days, "{count} working day", "{count} working days"),
            answer=counted(terms.answer_days, "{count} working day", "{count} working days"),
            client=terms.client_calendar,
            freelancer=terms.freelancer_calendar,
        ),
        worded(
            "Frames are kept on the freelancer's machine for {kept}; after that they may be"
            " destroyed.",
            kept=counted(terms.retention_days, "{count} day", "{count} days"),
        ),
    )


def _short(key: PublicKey) -> Worded:
    return worded("key {key}", key=key.text() if len(key.raw) == 32 else key.uri)
