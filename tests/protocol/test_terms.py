import re
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import (
    ARBITRATOR,
    CLIENT,
    FREELANCER,
    OPERATOR,
    STRANGER,
    make_terms,
    signer,
)
from workseal_protocol.encoding import Fields, Value, decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Algorithm, PublicKey, Role, SeedSigner
from workseal_protocol.terms import (
    Granularity,
    Level,
    RoundingMode,
    Terms,
    WorkClass,
    amount_text,
    duration_text,
    plain_language,
)

FULL = dict.fromkeys(WorkClass, 100)
percents = st.integers(0, 100)
weeks = st.integers(0, 604_800_000)
days = st.integers(1, 3650)
variants = st.fixed_dictionaries(
    {
        "round_ms": st.integers(1000, 600_000),
        "capture_rate": st.integers(0, 65_536),
        "tile": st.sampled_from([16, 32, 64, 128]),
        "max_withdrawn_percent": percents,
        "max_offline_ms_per_week": weeks,
        "weekly_cap_ms": weeks,
        "granularity": st.sampled_from(Granularity),
        "rate_minor_per_hour": st.integers(0, 1_000_000_000),
        "currency": st.from_regex(r"[A-Z]{3}", fullmatch=True),
        "rounding_ms": st.integers(0, 3_600_000),
        "rounding_mode": st.sampled_from(RoundingMode),
        "zone": st.sampled_from(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"]),
        "client_calendar": st.sampled_from(["US", "US-CA", "CH-ZH"]),
        "review_days": days,
        "answer_days": days,
        "retention_days": days,
        "worth_percent": st.fixed_dictionaries(dict.fromkeys(WorkClass, percents)),
    }
)
terms = variants.map(lambda changes: make_terms(**changes))


def read(value: Value) -> Terms:
    return Terms.read(Fields(value, "terms"))


@given(terms)
def test_read_is_the_inverse_of_to_value(agreed: Terms) -> None:
    assert read(decode(encode(agreed.to_value()))) == agreed


def test_the_keys_are_those_of_the_specification() -> None:
    value = make_terms().to_value()
    assert list(value) == list(range(1, 25))
    names = [each.name for each in fields(Terms)]
    assert [value[names.index(name) + 1] for name in ("round_ms", "zone", "retention_days")] == [
        30_000,
        "Europe/Berlin",
        90,
    ]
    assert value[24] == {1: 100, 2: 100, 3: 100, 4: 50}


@pytest.mark.parametrize("key", range(1, 25))
def test_refuses_a_missing_key(key: int) -> None:
    value = make_terms().to_value()
    del value[key]
    with pytest.raises(MalformedError, match=f"\\({key}\\) is missing"):
        read(value)


BAD = [
    pytest.param("client", FREELANCER.public_key, id="client is the freelancer"),
    pytest.param("operator", CLIENT.public_key, id="operator is the client"),
    pytest.param("arbitrators", (CLIENT.public_key,), id="arbitrator is the client"),
    pytest.param("arbitrators", (), id="no arbitrator"),
    pytest.param("arbitrators", (ARBITRATOR.public_key,) * 2, id="an arbitrator twice"),
    pytest.param(
        "arbitrators",
        tuple(signer(f"arbitrator {number}").public_key for number in range(17)),
        id="17 arbitrators",
    ),
    pytest.param("log_policy", "", id="no policy"),
    pytest.param("log_policy", "quorum none", id="policy without line end"),
    pytest.param("log_policy", "quorum\n\nnone\n", id="policy with an empty line"),
    pytest.param("log_policy", "quörum\n", id="policy beyond ASCII"),
    pytest.param("log_policy", "a" * 4096 + "\n", id="policy too long"),
    pytest.param("round_ms", 999, id="round too short"),
    pytest.param("round_ms", 600_001, id="round too long"),
    pytest.param("capture_rate", -1, id="negative rate"),
    pytest.param("capture_rate", 65_537, id="rate above one"),
    pytest.param("tile", 48, id="tile"),
    pytest.param("max_withdrawn_percent", 101, id="share above all"),
    pytest.param("max_offline_ms_per_week", 604_800_001, id="more than a week offline"),
    pytest.param("weekly_cap_ms", 604_800_001, id="cap beyond a week"),
    pytest.param("rate_minor_per_hour", -1, id="negative pay"),
    pytest.param("rate_minor_per_hour", 1_000_000_001, id="pay out of bounds"),
    pytest.param("currency", "eur", id="currency in lower case"),
    pytest.param("currency", "EURO", id="currency of four letters"),
    pytest.param("rounding_ms", 3_600_001, id="rounding beyond an hour"),
    pytest.param("zone", "", id="no zone"),
    pytest.param("zone", "../etc/passwd", id="zone as path"),
    pytest.param("zone", "/UTC", id="zone with leading slash"),
    pytest.param("zone", "localtime", id="zone of whatever machine reads it"),
    pytest.param("zone", "posixrules", id="zone that is a default"),
    pytest.param("zone", "right/Europe/Berlin", id="zone with leap seconds"),
    pytest.param("zone", "Europe/Berlin\n", id="zone with line end"),
    pytest.param("zone", "A" * 65, id="zone too long"),
    pytest.param("client_calendar", "usa", id="calendar"),
    pytest.param("freelancer_calendar", "DE-", id="calendar without region"),
    pytest.param("review_days", 0, id="no day to review"),
    pytest.param("answer_days", 0, id="no day to answer"),
    pytest.param("retention_days", 3651, id="retention beyond ten years"),
    pytest.param("worth_percent", FULL | {WorkClass.SEALED: 101}, id="worth above all"),
    pytest.param("worth_percent", FULL | {WorkClass.SEALED: -1}, id="worth below nothing"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_refuses(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match="terms: "):
        make_terms(**{name: value})


def raw(value: Any) -> Value:
    """Write a field as its bytes would be, without the checks of Terms."""
    if isinstance(value, PublicKey):
        return value.raw
    if isinstance(value, tuple):
        return [raw(each) for each in value]
    return value  # type: ignore[no-any-return]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_refuses_the_same_in_bytes(name: str, value: Any) -> None:
    key = [each.name for each in fields(Terms)].index(name) + 1
    with pytest.raises(MalformedError):
        read(make_terms().to_value() | {key: raw(value)})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param(1, bytes(32), id="client's key of small order"),
        pytest.param(1, bytes(31), id="client's key too short"),
        pytest.param(3, [1], id="arbitrator's key as number"),
        pytest.param(8, 0, id="level 0"),
        pytest.param(8, 4, id="level 4"),
        pytest.param(13, 3, id="granularity 3"),
        pytest.param(17, 3, id="rounding mode 3"),
        pytest.param(24, {1: 100, 2: 100, 3: 100}, id="a class without worth"),
        pytest.param(24, {1: 1, 2: 1, 3: 1, 4: 1, 5: 1}, id="a fifth class"),
        pytest.param(24, [100], id="worth as array"),
        pytest.param(25, 0, id="unknown key"),
    ],
)
def test_refuses_in_bytes(key: int, value: Value) -> None:
    with pytest.raises(MalformedError):
        read(make_terms().to_value() | {key: value})


@given(st.integers(1, 25), st.integers() | st.binary(max_size=40) | st.text(max_size=9))
def test_read_raises_only_malformed(key: int, value: Value) -> None:
    with suppress(MalformedError):
        read(make_terms().to_value() | {key: value})


@pytest.mark.parametrize("level", [Level.TIMER, Level.ACTIVITY])
def test_a_capture_rate_needs_frames(level: Level) -> None:
    with pytest.raises(ValueError, match="level with frames"):
        make_terms(level=level)
    assert make_terms(level=level, capture_rate=0).level is level


@pytest.mark.parametrize("worth", [{}, {WorkClass.WORKING: 100}, FULL | {5: 100}])
def test_every_class_has_its_worth_and_no_other(worth: Any) -> None:
    with pytest.raises(ValueError, match="worth_percent"):
        make_terms(worth_percent=worth)


def test_each_key_has_its_role() -> None:
    agreed = make_terms(arbitrators=(ARBITRATOR.public_key, signer("second").public_key))
    found = [
        agreed.role_of(each.public_key)
        for each in (CLIENT, FREELANCER, ARBITRATOR, signer("second"), OPERATOR, STRANGER)
    ]
    assert found == [
        Role.CLIENT,
        Role.FREELANCER,
        Role.ARBITRATOR,
        Role.ARBITRATOR,
        Role.OPERATOR,
        None,
    ]


def test_a_party_may_have_an_ml_dsa_key() -> None:
    key = SeedSigner(bytes(32), Algorithm.ML_DSA_44).public_key
    agreed = make_terms(operator=key)
    assert read(agreed.to_value()).operator == key


def test_nobody_changes_the_worth_behind_the_signature() -> None:
    given_worth = dict(FULL)
    agreed = make_terms(worth_percent=given_worth)
    given_worth[WorkClass.SEALED] = 0
    assert agreed.worth_percent[WorkClass.SEALED] == 100
    with pytest.raises(TypeError):
        agreed.worth_percent[WorkClass.SEALED] = 0  # type: ignore[index]
    assert hash(agreed) == hash(make_terms(worth_percent=FULL))


# For each field, another value: the sentences must change with it.
OTHER: dict[str, Any] = {
    "client": STRANGER.public_key,
    "freelancer": STRANGER.public_key,
    "arbitrators": (STRANGER.public_key,),
    "operator": STRANGER.public_key,
    "log_policy": "log other\nquorum none\n",
    "round_ms": 60_000,
    "capture_rate": 0,
    "level": Level.ACTIVITY,
    "tile": 64,
    "max_withdrawn_percent": 21,
    "max_offline_ms_per_week": 1,
    "weekly_cap_ms": 0,
    "granularity": Granularity.DAY,
    "rate_minor_per_hour": 1,
    "currency": "JPY",
    "rounding_ms": 60_000,
    "rounding_mode": RoundingMode.UP,
    "zone": "UTC",
    "client_calendar": "GB",
    "freelancer_calendar": "CH",
    "review_days": 6,
    "answer_days": 1,
    "retention_days": 91,
    "worth_percent": FULL | {WorkClass.LATE_DECLARED: 51},
}


@pytest.mark.parametrize("name", [each.name for each in fields(Terms)])
def test_every_field_is_told_in_words(name: str) -> None:
    start = make_terms(rounding_ms=900_000)
    if name == "level":
        start = replace(start, capture_rate=0)
    assert plain_language(replace(start, **{name: OTHER[name]})) != plain_language(start)


@pytest.mark.parametrize("each", WorkClass)
def test_every_class_is_told_with_its_worth(each: WorkClass) -> None:
    told = plain_language(make_terms(worth_percent=FULL | {each: 7}))
    assert sum("at 7 %" in sentence for sentence in told) == 1


@given(terms)
def test_sentences_are_sentences(agreed: Terms) -> None:
    for sentence in plain_language(agreed):
        assert re.fullmatch(r"[A-Z][^\n]+\.", sentence)
        assert "  " not in sentence


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (6500, "EUR", "65.00 EUR"),
        (5, "USD", "0.05 USD"),
        (-5, "USD", "-0.05 USD"),
        (6500, "JPY", "6500 JPY"),
        (6500, "KWD", "6.500 KWD"),
        (6500, "CLF", "0.6500 CLF"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(minor: int, currency: str, text: str) -> None:
    assert amount_text(minor, currency) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 s"),
        (1, "1 ms"),
        (30_000, "30 s"),
        (5_400_000, "1 h 30 min"),
        (144_000_000, "40 h"),
        (3_661_001, "1 h 1 min 1 s 1 ms"),
    ],
)
def test_durations_are_exact(ms: int, text: str) -> None:
    assert duration_text(ms) == text
