import re
from pathlib import Path
from typing import Any

import pytest

from support.builders import (
    ARBITRATOR,
    NOW,
    digest,
    make_act,
    make_disclosure,
    make_due,
    make_filing,
    make_finding,
    make_request,
    make_terms,
)
from workseal_protocol.encoding import Value, decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.records import (
    CODES,
    FORMS,
    Act,
    CaseCalendar,
    CasePlace,
    DisputeAct,
    DisputeFiling,
    Due,
    Freeze,
    Holding,
    Ruling,
    Stratum,
    Verdict,
    read_record,
    sign,
)

SPEC = Path(__file__).parents[2] / "docs" / "spec" / "acts.md"
PLACE = CasePlace(digest("filing"), digest("statement before"), make_due())
UNTIMED = CasePlace(digest("filing"), digest("statement before"))
CALENDAR = CaseCalendar(
    name="DE-BY", zone="Europe/Berlin", weekend=0b1100000, days_off=(20_800, 20_801)
)
FREEZE = Freeze(digest("root"), (Stratum(Holding.KEPT, 20_000, 5),))
# One value for every field that an act can have.
VALUES: dict[str, Any] = {
    "text": "in few words",
    "cites": (digest(1), digest(2)),
    "level": 2,
    "count": 14,
    "begin": NOW,
    "end": NOW + 1,
    "value": bytes(32),
    "round": 7,
    "freeze": FREEZE,
    "amount": 5,
    "calendar": CALENDAR,
    "person": digest("person"),
    "why": "the sums do not tell",
    "sealing_key": bytes(1216),
}


def act_of(act: Act, *, whole: bool) -> DisputeAct:
    form = FORMS[act]
    names = form.needs | form.may if whole else form.needs
    fields = {name: VALUES[name] for name in names if name != "code"}
    code = next(iter(CODES[act])) if act in CODES else None
    return make_act(act=act, **({"text": None, "code": code} | fields))


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("act", Act)
def test_every_act_is_read_as_it_is_written(act: Act, *, whole: bool) -> None:
    record = act_of(act, whole=whole)
    assert DisputeAct.read(decode(encode(record.to_value()))) == record


@pytest.mark.parametrize("act", Act)
def test_an_act_has_the_fields_of_its_form_and_no_other(act: Act) -> None:
    form = FORMS[act]
    whole = act_of(act, whole=True).to_value()
    for name, value in VALUES.items():
        if name not in form.needs | form.may:
            with pytest.raises(ValueError, match=f"it has no {name}"):
                make_act(**(_fields_of(act) | {name: value}))
    for name in form.needs:
        with pytest.raises(ValueError, match=f"{name} is missing"):
            make_act(**(_fields_of(act) | {name: None}))
    assert set(whole) - {1, 2, 4, 6, 8, 9, 10} == {_KEYS[one] for one in form.needs | form.may}


_KEYS = {
    "text": 11, "code": 12, "cites": 13, "level": 14, "count": 15, "begin": 16, "end": 17,
    "value": 18, "round": 19, "freeze": 20, "amount": 21, "calendar": 22, "person": 23, "why": 24,
    "sealing_key": 25,
}  # fmt: skip


def _fields_of(act: Act) -> dict[str, Any]:
    fields = {name: VALUES[name] for name in FORMS[act].needs if name != "code"}
    code = next(iter(CODES[act])) if act in CODES else None
    return {"act": act, "text": None, "code": code} | fields


def test_the_specification_has_the_table_of_acts() -> None:
    told = re.findall(
        r"^\| ([0-9]+) \| ([a-z-]+) \| ([0-9 \[\]]*)\|$", SPEC.read_text(), re.MULTILINE
    )
    rows = []
    for act in Act:
        form = FORMS[act]
        needs, may = (sorted(_KEYS[one] for one in names) for names in (form.needs, form.may))
        keys = [str(key) for key in needs] + ([f"[{' '.join(map(str, may))}]"] if may else [])
        rows.append((str(act.value), act.name.lower().replace("_", "-"), " ".join(keys)))
    assert [(number, name, keys.strip()) for number, name, keys in told] == rows


def test_a_code_is_needed_exactly_where_there_is_a_table_of_codes() -> None:
    assert {act for act in Act if "code" in FORMS[act].needs | FORMS[act].may} == set(CODES)


def test_filing_keeps_segments_and_calendar() -> None:
    record = make_filing(segments=(digest(1), digest(2)), calendar=CALENDAR)
    assert DisputeFiling.read(decode(encode(record.to_value()))) == record


@pytest.mark.parametrize("place", [PLACE, UNTIMED])
def test_older_statements_join_a_case_and_stay_what_they_were_without_one(
    place: CasePlace,
) -> None:
    for make in (make_request, make_disclosure, make_finding):
        alone, joined = make(), make(place=place)
        assert set(alone.to_value()) & {4, 8, 9} == set()
        assert read_record(sign(joined, ARBITRATOR)) == joined
        assert {4, 8} <= set(joined.to_value())


@pytest.mark.parametrize("key", [4, 9])
def test_refuses_half_a_place(key: int) -> None:
    value = make_request(place=PLACE).to_value()
    half = {each: part for each, part in value.items() if each not in {4, 8, 9}} | {key: value[key]}
    with pytest.raises(MalformedError, match=f"unknown key {key}"):
        type(make_request()).read(half)
    with pytest.raises(MalformedError, match=r"prev \(4\)"):
        type(make_request()).read({each: part for each, part in value.items() if each != 4})


BAD: list[Any] = [
    pytest.param(make_due, {"until": -1}, id="deadline before 1970"),
    pytest.param(make_due, {"days": 0}, id="no days"),
    pytest.param(make_due, {"calendar": "de"}, id="calendar in small letters"),
    pytest.param(make_due, {"zone": "Europe/Ber lin"}, id="zone with a space"),
    pytest.param(make_due, {"zone": "localtime"}, id="zone of whatever machine reads it"),
    pytest.param(make_due, {"zone": "posix/Europe/Berlin"}, id="zone that some machines have"),
    pytest.param(make_due, {"zone": "A" * 65}, id="zone too long"),
    pytest.param(make_due, {"offset": 961}, id="offset beyond every zone"),
    pytest.param(make_due, {"weekend": 0b1000000}, id="six working days a week"),
    pytest.param(make_due, {"weekend": 0b1111000}, id="three working days a week"),
    pytest.param(make_due, {"weekend": 0b10000011}, id="eighth day"),
    pytest.param(make_due, {"source": ""}, id="no source"),
    pytest.param(make_filing, {"end": NOW - 7 * 86_400_000}, id="empty period"),
    pytest.param(make_filing, {"text": ""}, id="no claim"),
    pytest.param(make_filing, {"text": "x" * 4_001}, id="claim too long"),
    pytest.param(make_filing, {"segments": (digest(1),) * 2}, id="segment twice"),
    pytest.param(make_act, {"text": "a\tb"}, id="control character"),
    pytest.param(make_act, {"code": Verdict.UPHELD}, id="code of another act"),
    pytest.param(make_act, {"count": 0}, id="none granted"),
    pytest.param(
        make_act, {"act": Act.COMMIT, "text": None, "code": None, "value": b""}, id="no secret"
    ),
]


@pytest.mark.parametrize(("make", "changes"), BAD)
def test_refuses(make: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected|it has|ends before|twice|of another act"):
        make(**changes)


@pytest.mark.parametrize("days", [(2, 1), (1, 1), tuple(range(11)), (-1,)])
def test_refuses_days_off(days: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="day"):
        CaseCalendar(name="US", zone="UTC", weekend=0b1100000, days_off=days)


def test_takes_every_zone_that_terms_have() -> None:
    """Else whoever has such terms could write no deadline."""
    zone = "A" * 64
    assert make_terms(zone=zone).zone == make_due(zone=zone).zone


@pytest.mark.parametrize(
    "strata",
    [
        pytest.param((), id="none"),
        pytest.param((Stratum(Holding.WITHDRAWN, 1, 1), Stratum(Holding.KEPT, 1, 1)), id="order"),
        pytest.param((Stratum(Holding.KEPT, 1, 1),) * 2, id="twice"),
        pytest.param(tuple(Stratum(Holding.KEPT, day, 50_000) for day in range(3)), id="many"),
    ],
)
def test_refuses_strata(strata: tuple[Stratum, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Freeze(digest(1), strata)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param(12, 99, id="unknown code"),
        pytest.param(10, 99, id="unknown act"),
        pytest.param(13, [b"short"], id="citation of five bytes"),
        pytest.param(13, [7], id="citation that is a number"),
        pytest.param(13, [], id="no citation"),
        pytest.param(9, {}, id="empty deadline"),
        pytest.param(20, {1: bytes(32), 2: [[2, 1, 1]]}, id="unknown holding"),
        pytest.param(20, {1: bytes(32), 2: [[0, 1, 0]]}, id="empty stratum"),
        pytest.param(22, {1: "US", 2: "UTC", 3: 96, 4: ["x"]}, id="day off that is text"),
        pytest.param(22, {1: "US", 2: "localtime", 3: 96, 4: []}, id="zone of the reader"),
        pytest.param(22, {1: "US", 2: "right/UTC", 3: 96, 4: []}, id="zone with leap seconds"),
    ],
)
def test_reading_raises_only_malformed(key: int, value: Value) -> None:
    with pytest.raises(MalformedError):
        DisputeAct.read(make_act().to_value() | {key: value})


def test_an_act_without_codes_refuses_one() -> None:
    value = make_act(act=Act.PASS, text=None, code=None).to_value()
    with pytest.raises(MalformedError, match="it has no code"):
        DisputeAct.read(value | {12: 1})


def test_the_deadline_is_the_end_of_a_day_in_its_zone() -> None:
    due = make_due()
    assert isinstance(due, Due)
    assert (due.until + 1 + due.offset * 60_000) % 86_400_000 == 0
    assert make_act(code=Ruling.GRANT).place.due == due
