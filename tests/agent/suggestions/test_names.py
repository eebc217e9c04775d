from pathlib import Path

import pytest

from workseal_agent.errors import SettingsError
from workseal_agent.suggestions.names import MAX_LIST_BYTES, MAX_NAMES, NameFinder, NameList
from workseal_agent.suggestions.suggestion import Kind


def found(name: str, text: str) -> bool:
    return any(one.kind is Kind.NAME for one in NameFinder((name,))(text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("Zanzibar Quartz", "for ZANZIBAR QUARTZ Ltd", id="case"),
        pytest.param("Zanzibar Quartz", "ZanzibarQuartz", id="a lost space"),
        pytest.param("Müller", "frau muller", id="an accent that was not read"),
        pytest.param("Muller", "Frau Müller", id="an accent more"),
        pytest.param("Straße", "STRASSE 7", id="sharp s"),
        pytest.param("Ludlow", "LudI0w", id="letters mixed up"),
        pytest.param("Burnham", "Bumham signed", id="rn read as m"),
        pytest.param("Hammond", "Harnmond", id="m read as rn"),
        pytest.param("\uff37\uff49\uff44\uff45", "wide load", id="full width"),
        pytest.param("Ann", "call Ann, please", id="a short name alone"),
        pytest.param("Müller", "Frau Mueller", id="an umlaut written out"),
        pytest.param("Mueller", "Frau Müller", id="an umlaut where the list has none"),
        pytest.param("Müller", "MUELLER GMBH", id="an umlaut written out, in capitals"),
        pytest.param("Müller", "Frau Miiller", id="an umlaut read as two letters"),
        pytest.param("Mu\u0308ller", "Mueller", id="a list in pieces"),
        pytest.param("Müller", "Mu\u0308ller", id="a screen in pieces"),
        pytest.param("Jürgen Strauß", "Juergen Strauss", id="two of them written out"),
        pytest.param("Jürgen Strauß", "JURGEN STRAUB", id="sharp s read as B"),
        pytest.param("Goetz", "Götz", id="a short umlaut where the list has none"),
        pytest.param("Søren", "Soeren", id="o with a stroke written out"),
        pytest.param("Łukasz", "Lukasz", id="l with a stroke"),
        pytest.param("Ångström", "Aangstroem", id="a ring written out"),
        pytest.param("Núñez", "Nunez", id="a tilde"),
        pytest.param("Núñez", "Nufiez", id="a tilde read as two letters"),
        pytest.param("Æther", "Aether", id="a ligature"),
        pytest.param("Dvořák", "DVORAK", id="a caron"),
        pytest.param("Сбербанк", "Cбербанк", id="a letter of the other alphabet"),
        pytest.param("山田", "山田さんから", id="a script without spaces"),
        pytest.param("가나", "\u1100\u1161\u1102\u1161", id="syllables in pieces"),
        pytest.param("山田", "山田太郎"[:2], id="two letters of another script"),
    ],
)
def test_finds_a_name_as_it_may_be_read(name: str, text: str) -> None:
    assert found(name, text)


def test_a_short_name_is_not_found_inside_a_word() -> None:
    assert not found("Ann", "the annual plan")
    assert not found("Ann", "nothing of the kind")
    assert not found("Joe", "Jo called")
    assert not found("Müller", "a mill and a miller")


def test_a_finding_covers_the_name() -> None:
    text = "see: Z-a-n-z-i-b-a-r."
    (one,) = NameFinder(("zanzibar",))(text)
    assert text[one.start : one.end] == "Z-a-n-z-i-b-a-r"


def test_a_list_has_a_name_on_each_line_and_remarks() -> None:
    assert NameList.parse(b"# people\n\n Jane Doe \nACME\n").names == ("Jane Doe", "ACME")


def test_the_words_of_a_list_are_not_shown() -> None:
    assert "Jane" not in repr(NameList(("Jane Doe",)))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"Jane\nx\n", "line 2 of the list", id="one letter"),
        pytest.param(b"\xff\xfe", "not UTF-8", id="not UTF-8"),
        pytest.param(b"a" * (MAX_LIST_BYTES + 1), "larger than", id="too large"),
        pytest.param(b"abc\n" * (MAX_NAMES + 1), "at most", id="too many"),
    ],
)
def test_refuses_a_list_without_saying_what_stands_in_it(data: bytes, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as refused:
        NameList.parse(data)
    assert "Jane" not in str(refused.value)


def test_a_list_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "names"
    assert NameList.load(file) == NameList()
    file.write_text("Jane Doe\n")
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="mode 644, expected 600"):
        NameList.load(file)
    file.chmod(0o600)
    assert NameList.load(file).names == ("Jane Doe",)
    with pytest.raises(SettingsError, match="cannot be read"):
        NameList.load(tmp_path)
