from typing import Any

import pytest

from support.builders import digest, make_act, make_terms
from workseal_protocol.cli.acting.preview import EFFECTS, preview
from workseal_protocol.records import Act
from workseal_protocol.records.acts import CODES, FORMS


@pytest.mark.parametrize("act", EFFECTS)
def test_what_an_act_does_is_said_before_it_is_signed(act: Act) -> None:
    values: dict[str, Any] = {"text": "for a reason", "cites": (digest(1),)}
    if act in CODES:
        values["code"] = next(iter(CODES[act]))
    said = {"text": None, "code": None} | {name: values[name] for name in FORMS[act].needs}
    record = make_act(act=act, **said)
    shown = [one for one in preview(record, make_terms(), None) if one.startswith("then ")]
    assert shown == [f"then      {EFFECTS[act]}"]


def test_nothing_follows_from_a_refusal_and_it_says_so() -> None:
    assert "nothing follows from that by itself" in EFFECTS[Act.WITHHOLD]
    # What cannot be made undone is not promised: a copy is a copy.
    assert "until they delete it" in EFFECTS[Act.CLAW_BACK]
