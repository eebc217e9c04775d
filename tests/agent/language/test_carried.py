import json
from typing import Any

import pytest

from support.pseudo import PSEUDO, english_in, speaking
from workseal_agent.connection import UnreachableError
from workseal_agent.errors import AgentError
from workseal_agent.language import (
    Phrase,
    carried,
    kept,
    kept_again,
    own,
    phrase,
    phrases,
    received,
)
from workseal_protocol.worded import worded


def sent(answer: dict[str, Any]) -> dict[str, Any]:
    return received(json.loads(json.dumps(carried(answer))))


def test_a_phrase_comes_as_a_phrase_wherever_it_stands() -> None:
    trouble = phrase("the weekly proof of your frames waits: {reason}", reason=phrase("it is gone"))
    came = sent({"troubles": [trouble], "failing": {"why": trouble}, "none": None})
    assert came == {"troubles": [str(trouble)], "failing": {"why": str(trouble)}, "none": None}
    for one in (came["troubles"][0], came["failing"]["why"]):
        assert isinstance(one, Phrase)
        assert isinstance(one.values["reason"], Phrase)


def test_a_trouble_is_said_in_the_owners_language() -> None:
    error = UnreachableError(
        worded("no answer from the verifier: {reason}", reason=worded("it took too long"))
    )
    trouble = phrase("the weekly proof of your frames waits: {reason}", reason=error)
    came = sent({"troubles": [trouble, "somebody's own text"]})
    with speaking(PSEUDO):
        told = [own(one) for one in came["troubles"]]
    assert english_in(told[0]) == []
    assert told[1] == "somebody's own text"


def test_what_is_kept_in_the_ledger_is_the_phrase_that_it_was() -> None:
    text = phrase("no answer from the verifier: {reason}", reason=phrase("it took too long"))
    again = kept_again(str(text), kept(text))
    assert (again, isinstance(again, Phrase)) == (text, True)
    with speaking(PSEUDO):
        assert english_in(own(again)) == []
    assert kept("somebody's own text") is None


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(None, id="nothing was kept"),
        pytest.param("{", id="no JSON"),
        pytest.param("7", id="no phrase"),
        pytest.param(kept(phrase("another text")), id="of another text"),
        pytest.param("[" * 100_000, id="too deep"),
    ],
)
def test_what_does_not_make_exactly_the_kept_text_leaves_it_plain(made: str | None) -> None:
    again = kept_again("a text", made)
    assert (again, type(again)) == ("a text", str)


def test_numbers_keep_their_forms() -> None:
    (came,) = sent({"all": [phrases(3, "{count} frame", "{count} frames")]})["all"]
    assert (came, came.values) == ("3 frames", {"count": 3})
    (came,) = sent({"all": [phrase("{size:,.1f} GiB", size=1234.5)]})["all"]
    assert came == "1,234.5 GiB"


def test_what_is_no_phrase_is_as_it_was() -> None:
    answer = {"state": "working", "worked_ms": 3, "rules": ["{x}"], "nothing": None}
    assert carried(answer) == answer
    assert sent(answer) == answer


def test_an_error_among_the_values_keeps_its_own_words() -> None:
    (came,) = sent({"all": [phrase("at {what}", what=AgentError(phrase("stopped")))]})["all"]
    assert isinstance(came.values["what"], Phrase)


MADE = {"one": "at {what}", "many": None, "values": {"what": "sea"}}


@pytest.mark.parametrize(
    "made",
    [
        None,
        [],
        {},
        {**MADE, "more": 1},
        {**MADE, "one": 1},
        {**MADE, "many": 1},
        {**MADE, "values": []},
        {**MADE, "values": {}},
        {**MADE, "one": "at {what"},
        {**MADE, "one": "at {what.__class__}"},
        {**MADE, "one": "at {what!r}"},
        {**MADE, "one": "at {what:999999999}"},
        {**MADE, "values": {"what": "another"}},
        {**MADE, "values": {"what": {"one": "sea"}}},
        {**MADE, "many": "{count}", "values": {"what": "sea"}},
    ],
)
def test_what_does_not_make_its_text_again_is_a_plain_text(made: object) -> None:
    came = received({"trouble": "at sea", "phrases": {"at sea": made}})
    assert came == {"trouble": "at sea"}
    assert not isinstance(came["trouble"], Phrase)


def test_a_phrase_within_phrases_without_end_is_a_plain_text() -> None:
    made: dict[str, Any] = MADE
    for _ in range(500):
        made = {"one": "{what}", "many": None, "values": {"what": made}}
    assert not isinstance(received({"a": "at sea", "phrases": {"at sea": made}})["a"], Phrase)


@pytest.mark.parametrize("told", [None, 3, "x", {f"{number}": MADE for number in range(65)}])
def test_what_is_no_list_of_phrases_is_left_out(told: object) -> None:
    assert received({"a": "1", "phrases": told}) == {"a": "1"}
