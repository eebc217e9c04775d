from typing import Any

import pytest

from support.builders import digest, make_act, make_terms
from workseal_protocol.cli.acting.preview import preview
from workseal_protocol.cli.acting.said import ACTS
from workseal_protocol.cli.movewords import then_of
from workseal_protocol.records import Act
from workseal_protocol.records.acts import CODES, FORMS

VALUES: dict[str, Any] = {
    "text": "for a reason", "why": "the level below does not tell", "cites": (digest(1),),
    "amount": 1, "level": 1, "count": 1, "begin": 0, "end": 60_000, "round": 1,
    "value": bytes(32), "person": digest(2),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTS)
def test_what_an_act_does_is_said_before_it_is_signed(name: str) -> None:
    act = ACTS[name]
    code = next(iter(CODES[act])) if act in CODES else None
    values = VALUES | {"code": code}
    none = dict.fromkeys([*VALUES, "code"])
    record = make_act(act=act, **none | {one: values[one] for one in FORMS[act].needs})
    shown = [one for one in preview(record, make_terms(), None) if one.startswith("then ")]
    assert shown == [f"then      {then_of(name, None)}"]


def test_nothing_follows_from_a_refusal_and_it_says_so() -> None:
    assert "nothing follows from that by itself" in then_of("withhold", None)
    # What cannot be made undone is not promised: a copy is a copy.
    assert "until they delete it" in then_of("claw-back", None)
    assert Act.PASS in ACTS.values()
