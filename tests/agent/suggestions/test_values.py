import pytest

from workseal_agent.suggestions.values import is_plain, is_told, may_be_secret


@pytest.mark.parametrize(
    "value",
    [
        "hunter2",
        "Sommer(2024)!",
        "$ecret(1)",
        "<hunter2>x",
        "{Sonne$24}",
        "x(9]{2}#a",
        "mysecret",
        "$ecretpassword",
    ],
)
def test_what_has_signs_of_code_in_it_is_still_a_secret(value: str) -> None:
    assert may_be_secret(value)


@pytest.mark.parametrize(
    "value", ["getpass()", "os.environ[name]", "list<String>", "${PW}", "str,", "None", "••••••"]
)
def test_code_and_what_says_nothing_is_none(value: str) -> None:
    assert not may_be_secret(value)


def test_what_is_quoted_is_no_code() -> None:
    assert may_be_secret("open(door)", quoted=True)
    assert not may_be_secret("open(door)")
    assert not may_be_secret("{password}", quoted=True)


@pytest.mark.parametrize("value", ["tr0ub4dor", "K7$vbq", "1234!67"])
def test_letters_with_digits_or_signs_tell_a_secret(value: str) -> None:
    assert is_told(value)


@pytest.mark.parametrize(
    "value", ["short", "wordsonly", "bob@example.org", "https://x.y/1", "2026-11-29", "sha256sum"]
)
def test_words_addresses_and_dates_tell_none(value: str) -> None:
    assert not is_told(value)


def test_one_word_is_plain_unless_forms_have_it() -> None:
    assert all(map(is_plain, ("mysecret", "Sommerregen", "correct-horse", "geheim")))
    assert not any(map(is_plain, ("email", "Remember", "protected", "two words", "abc", "hunter2")))
