import gettext
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from support.pseudo import speaking
from workseal_agent.errors import AgentError
from workseal_agent.language import (
    ENGLISH,
    Language,
    all_of,
    language_of,
    own,
    own_reason,
    own_word,
    phrase,
    phrases,
    spoken,
    told_of,
)
from workseal_agent.language import (
    speaking as module,
)

TEXTS: dict[tuple[str | tuple[str, str], str | None], str | tuple[str, str]] = {
    ("stopped", None): "angehalten",
    ("1,234.5", None): "1.234,5",
    ("kept {number}", None): "{number} behalten",
    ("lost {number}", None): "verloren",
    ("broken {number}", None): "{number",
    ("at {what}", None): "bei {what}",
    (("one left", "{count} left"), None): ("eines übrig", "{count} übrig"),
    (("one bad", "{count} bad"), None): ("eines {count} {x}", "{count} schlecht"),
    ("Open", "door.open"): "Öffnen",
    (("One of {all}", "{count} of {all}"), "door.of"): ("Eines von {all}", "{count} von {all}"),
}


def german(_domain: str) -> gettext.NullTranslations:
    catalog = Catalog(locale="de")
    for (text, context), told in TEXTS.items():
        catalog.add(text, told, context=context)
    file = io.BytesIO()
    write_mo(file, catalog)
    file.seek(0)
    return gettext.GNUTranslations(file)


@pytest.fixture
def _in_german() -> Iterator[None]:
    with speaking(Language("de", german)):
        yield


@pytest.mark.usefixtures("_in_german")
def test_a_phrase_is_said_in_the_owners_language_with_its_values() -> None:
    assert spoken() == "de"
    assert own(phrase("kept {number}", number=3)) == "3 behalten"
    assert own(phrase("at {what}", what=phrase("stopped"))) == "bei angehalten"
    # What is no phrase is somebody's own text.
    assert own(phrase("at {what}", what="stopped")) == "bei stopped"


@pytest.mark.usefixtures("_in_german")
def test_an_error_among_the_values_is_said_too() -> None:
    assert own(phrase("at {what}", what=AgentError(phrase("stopped")))) == "bei angehalten"
    assert own(phrase("at {what}", what=AgentError("stopped"))) == "bei angehalten"
    assert own(phrase("at {what}", what=OSError(2, "No such file"))) == "bei [Errno 2] No such file"
    assert told_of(AgentError(phrase("kept {number}", number=3))) == "kept 3"
    assert own(told_of(AgentError(phrase("kept {number}", number=3)))) == "3 behalten"


@pytest.mark.usefixtures("_in_german")
def test_numbers_have_the_separators_of_the_language() -> None:
    assert own(phrase("{size:,.1f} of {number:+d}", size=12345.6, number=7)) == "12.345,6 of +7"
    # What is no number, or is written as it is, stays.
    assert own(phrase("{name:>4} 1.5 {number}", name="a.b", number=1.5)) == " a.b 1.5 1.5"
    with speaking(ENGLISH):
        assert own(phrase("{size:,.1f}", size=12345.6)) == "12,345.6"


@pytest.mark.usefixtures("_in_german")
def test_reasons_stand_one_after_the_other_each_in_the_language() -> None:
    reasons = [phrase("stopped"), phrase("kept {number}", number=3), "x"]
    assert own(all_of(reasons)) == "angehalten; 3 behalten; x"
    assert (all_of(reasons), all_of([])) == ("stopped; kept 3; x", "")


@pytest.mark.usefixtures("_in_german")
@pytest.mark.parametrize(("count", "told"), [(0, "0 übrig"), (1, "eines übrig"), (2, "2 übrig")])
def test_plurals_are_the_languages_own(count: int, told: str) -> None:
    assert own(phrases(count, "one left", "{count} left")) == told


@pytest.mark.usefixtures("_in_german")
def test_what_came_as_english_is_found_as_a_whole() -> None:
    assert own("stopped") == "angehalten"
    assert own("never translated") == "never translated"
    # Somebody's braces are no places, and an empty text is not the catalogue's own head.
    assert own("kept {number}") == "kept {number}"
    assert own("") == ""


@pytest.mark.usefixtures("_in_german")
def test_a_translation_with_other_places_is_not_shown() -> None:
    assert own(phrase("lost {number}", number=3)) == "lost 3"
    assert own(phrase("broken {number}", number=3)) == "broken 3"
    assert own(phrases(1, "one bad", "{count} bad")) == "one bad"
    assert own(phrases(2, "one bad", "{count} bad")) == "2 schlecht"


@pytest.mark.usefixtures("_in_german")
def test_a_text_of_the_pages_is_found_by_name_and_english() -> None:
    assert own_word("door.open", "Open", None, {}) == "Öffnen"
    assert own_word("other.open", "Open", None, {}) == "Open"
    # The English has changed since it was translated: what it says now is what is shown.
    assert own_word("door.open", "Open for all", None, {}) == "Open for all"
    for count, told in ((1, "Eines von 9"), (4, "4 von 9")):
        values = {"count": count, "all": 9}
        assert own_word("door.of", "One of {all}", "{count} of {all}", values) == told


@pytest.mark.usefixtures("_in_german")
def test_an_error_is_said_and_stays_english_inside() -> None:
    error = AgentError(phrase("kept {number}", number=3))
    assert str(error) == "kept 3"
    assert own_reason(error) == "3 behalten"
    assert own_reason(AgentError("stopped")) == "angehalten"
    assert own_reason(AgentError()) == ""


@pytest.mark.parametrize(
    ("environment", "tag"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de_AT@euro"}, "de"),
        ({"LANG": "de"}, "de"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "tlh_QO"}, "en"),
        ({"LANG": "en_US", "LC_MESSAGES": "de_DE"}, "de"),
        ({"LANG": "de_DE", "LC_MESSAGES": "", "LC_ALL": "en_GB"}, "en"),
        ({"LANG": "en_US", "LANGUAGE": "de"}, "de"),
        ({"LANG": "de_DE", "LANGUAGE": "tlh:en:de"}, "en"),
        ({"LANG": "de_DE", "LANGUAGE": "tlh"}, "de"),
        ({"LANGUAGE": "de"}, "de"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "de"}, "en"),
        ({"LC_ALL": "POSIX", "LANG": "de_DE"}, "en"),
        ({"LANG": "../de"}, "en"),
        ({"LANGUAGE": "/etc/passwd:" + "x" * 100_000, "LANG": "de_DE"}, "de"),
    ],
)
def test_the_language_is_the_environments(environment: dict[str, str], tag: str) -> None:
    assert language_of(environment).tag == tag


@pytest.mark.parametrize("damage", [b"", b"\xde\x12\x04\x95", b"no catalogue at all", None])
def test_a_damaged_catalogue_is_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes | None
) -> None:
    if damage is not None:
        (tmp_path / "xx").mkdir()
        (tmp_path / "xx" / "agent.mo").write_bytes(damage)
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    loaded = module._loaded.__wrapped__("xx", "agent")
    assert loaded.gettext("stopped") == "stopped"


def test_without_a_choice_everything_is_english() -> None:
    assert spoken() == ENGLISH.tag == "en"
    assert own(phrase("stopped")) == "stopped"


def test_speaking_loads_what_is_needed_and_the_pages_texts_for_pages_alone() -> None:
    program = (
        "import sys; from workseal_agent.language import language_of, own, phrase, speak, speaking;"
        "speak(language_of({'LANG': 'de_DE'})); own(phrase('{state}; today {worked}', state=1,"
        " worked=2)); print(speaking._loaded.cache_info().currsize, 'babel' in sys.modules,"
        " 'tomllib' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "False", "False"]
