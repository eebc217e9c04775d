import json

import pytest

from workseal_agent.language.phrase import Phrase, fits, phrase, phrases, places_of


def test_a_phrase_is_its_english_for_whoever_does_not_ask_for_more() -> None:
    one = phrase("kept {number} of {all:.1f}", number=3, all=4)
    assert one == "kept 3 of 4.0"
    assert json.dumps([one]) == '["kept 3 of 4.0"]'
    assert f"{one}!" == "kept 3 of 4.0!"
    assert hash(one) == hash("kept 3 of 4.0")


@pytest.mark.parametrize(("count", "told"), [(0, "0 left"), (1, "one left"), (2, "2 left")])
def test_english_says_one_thing_in_a_form_of_its_own(count: int, told: str) -> None:
    assert phrases(count, "one left", "{count} left") == told


def test_a_value_may_be_a_phrase_and_is_english_inside() -> None:
    assert phrase("{what}: {why}", what=phrase("stopped"), why="a {brace}") == "stopped: a {brace}"
    assert isinstance(phrase("{what}", what=1), Phrase)


@pytest.mark.parametrize(
    ("translation", "good"),
    [
        pytest.param("{b:02} und {a}", True, id="in another order"),
        pytest.param("{a} {a} {b:02}", True, id="one of them twice"),
        pytest.param("{a}", False, id="one is missing"),
        pytest.param("{a} {b:02} {c}", False, id="one too many"),
        pytest.param("{a} {b}", False, id="written in another way"),
        pytest.param("{a!r} {b:02}", False, id="converted"),
        pytest.param("{a.__class__} {b:02}", False, id="reaches into a value"),
        pytest.param("{a[0]} {b:02}", False, id="takes a part of a value"),
        pytest.param("{} {b:02}", False, id="without a name"),
        pytest.param("{a {b:02}", False, id="not closed"),
        pytest.param("a} {b:02}", False, id="not opened"),
        pytest.param("", False, id="empty"),
    ],
)
def test_a_translation_has_the_places_of_the_english(translation: str, good: bool) -> None:  # noqa: FBT001
    assert fits(translation, "{a} and {b:02}") is good


def test_a_form_of_a_plural_may_be_either_english_form() -> None:
    one, many = "one of {all}", "{count} of {all}"
    assert fits("{count} von {all}", one, many)
    assert fits("eines von {all}", one, many)
    assert not fits("{count}", one, many)
    assert not fits("{count} von {all}", one)


def test_a_translation_keeps_what_its_reader_types() -> None:
    assert fits("sieh {a}: `run --all` zeigt es", "`run --all` shows {a}")
    assert not fits("sieh {a}: `renne --alles` zeigt es", "`run --all` shows {a}")
    assert not fits("sieh {a}", "`run --all` shows {a}")


def test_a_malformed_text_has_no_places() -> None:
    assert places_of("{") is None
    assert places_of("{{}}") == frozenset()
