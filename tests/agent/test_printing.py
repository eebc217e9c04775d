import io

import pytest

from support.pseudo import speaking
from workseal_agent.cli.printing import confirmed
from workseal_agent.language import ENGLISH, Language, language_of

GERMAN = language_of({"LANG": "de_DE"})


def asked(
    monkeypatch: pytest.MonkeyPatch, language: Language, typed: str, *, default: bool = False
) -> bool:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    with speaking(language):
        return confirmed("Go on?", default=default)


@pytest.mark.parametrize(
    ("language", "typed", "meant"),
    [
        (ENGLISH, "y\n", True),
        (ENGLISH, "YES \n", True),
        (ENGLISH, "n\n", False),
        (ENGLISH, "j\nyes\n", True),
        (GERMAN, "j\n", True),
        (GERMAN, "ja\n", True),
        (GERMAN, "y\n", True),
        (GERMAN, "nein\n", False),
        (GERMAN, "no\n", False),
        (GERMAN, "perhaps\nJ\n", True),
        (GERMAN, "yesterday\nn\n", False),
    ],
)
def test_a_yes_is_one_of_the_owners_language_or_english(
    monkeypatch: pytest.MonkeyPatch, language: Language, typed: str, *, meant: bool
) -> None:
    assert asked(monkeypatch, language, typed) is meant


@pytest.mark.parametrize("default", [True, False])
def test_an_empty_answer_is_the_default_and_no_answer_is_a_no(
    monkeypatch: pytest.MonkeyPatch, *, default: bool
) -> None:
    assert asked(monkeypatch, ENGLISH, "\n", default=default) is default
    assert asked(monkeypatch, ENGLISH, "", default=default) is False
    assert asked(monkeypatch, ENGLISH, "perhaps", default=default) is False


def test_the_letters_that_can_be_typed_are_shown(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked(monkeypatch, GERMAN, "vielleicht\nj\n")
    told = capfd.readouterr().out
    assert told.startswith("Go on? [j/N]: ")
    assert "Bitte antworten Sie mit ja oder nein" in told
    asked(monkeypatch, ENGLISH, "y\n", default=True)
    assert "Go on? [Y/n]: " in capfd.readouterr().out
