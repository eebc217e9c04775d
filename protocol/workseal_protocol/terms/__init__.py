"""The terms of an engagement, as values and in plain words (docs/spec/terms.md)."""

from workseal_protocol.terms.agreed import (
    CALENDAR_FORM,
    MAX_ARBITRATORS,
    MAX_POLICY,
    MAX_RATE,
    MAX_ROUND_MS,
    MIN_ROUND_MS,
    WEEK_MS,
    ZONE_FORM,
    Granularity,
    Level,
    RoundingMode,
    Terms,
    WorkClass,
)
from workseal_protocol.terms.plain import (
    amount_text,
    duration_text,
    minor_digits,
    money_sentences,
    plain_language,
    worded_terms,
)

__all__ = [
    "CALENDAR_FORM",
    "MAX_ARBITRATORS",
    "MAX_POLICY",
    "MAX_RATE",
    "MAX_ROUND_MS",
    "MIN_ROUND_MS",
    "WEEK_MS",
    "ZONE_FORM",
    "Granularity",
    "Level",
    "RoundingMode",
    "Terms",
    "WorkClass",
    "amount_text",
    "duration_text",
    "minor_digits",
    "money_sentences",
    "plain_language",
    "worded_terms",
]
