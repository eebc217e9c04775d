from typing import Any

import pytest

from support.builders import make_terms
from support.pseudo import PSEUDO, english_in, speaking
from workseal_agent.language import language_of, own
from workseal_agent.termsread import sentences_of
from workseal_protocol.terms import Granularity, Level, RoundingMode, Terms, plain_language

TIMER = {"level": Level.TIMER, "capture_rate": 0}
CHANGES: list[dict[str, Any]] = [
    {},
    TIMER,
    {**TIMER, "level": Level.ACTIVITY, "granularity": Granularity.INTERVAL},
    {"capture_rate": 0, "granularity": Granularity.DAY, "weekly_cap_ms": 0},
    {"weekly_cap_ms": 3_600_000, "review_days": 1, "answer_days": 5},
    {"rounding_ms": 0, "currency": "JPY"},
    *({"rounding_ms": 60_000, "rounding_mode": mode} for mode in RoundingMode),
]


@pytest.fixture(params=CHANGES, ids=str)
def terms(request: pytest.FixtureRequest) -> Terms:
    return make_terms(**request.param)


def test_in_english_they_are_what_the_client_reads(terms: Terms) -> None:
    assert sentences_of(terms) == plain_language(terms)
    assert tuple(map(own, sentences_of(terms))) == plain_language(terms)


def test_every_sentence_is_said_in_the_owners_language(terms: Terms) -> None:
    with speaking(PSEUDO):
        told = " ".join(map(own, sentences_of(terms)))
    for value in (
        *(key.text() for key in (terms.client, terms.freelancer, terms.operator)),
        *(key.text() for key in terms.arbitrators),
        *terms.log_policy.splitlines(),
        *(terms.zone, terms.currency, terms.client_calendar, terms.freelancer_calendar),
    ):
        told = told.replace(value, "")
    # Units are the same everywhere.
    assert set(english_in(told)) <= {"min"}


def test_in_german_amounts_and_days_are_germans() -> None:
    with speaking(language_of({"LANG": "de_DE"})):
        told = " ".join(
            map(own, sentences_of(make_terms(rate_minor_per_hour=6_500, answer_days=1)))
        )
    assert "Der Satz beträgt 65,00 EUR je Stunde." in told
    assert "1 Arbeitstag für ihre Antwort" in told
