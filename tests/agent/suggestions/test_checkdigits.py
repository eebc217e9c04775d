import pytest

from workseal_agent.suggestions.checkdigits import card_fits, iban_length


@pytest.mark.parametrize(
    "number",
    [
        "4111 1111 1111 1111",
        "5555555555554444",
        "3782 822463 10005",
        "4OOO OOOOOOOO OOO2".replace("O", "0"),
        "4l11 1111 1111 11l1",
    ],
)
def test_a_cards_number_fits(number: str) -> None:
    assert card_fits(number)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param("4111 1111 1111 1112", id="one digit is another"),
        pytest.param("0000 0000 0000 0000", id="one digit alone"),
        pytest.param("4111 1111", id="too short"),
        pytest.param("4l11 I111 1l11 1111", id="too many letters for digits"),
    ],
)
def test_other_digits_do_not_fit(number: str) -> None:
    assert not card_fits(number)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("DE89 3704 0044 0532 0130 00", 27),
        ("DE89370400440532013000", 22),
        ("GB82 WEST 1234 5698 7654 32 BIC", 27),
        ("DE89 3704 0044 0532 0130 01", 0),
        ("DEXX 3704 0044 0532 0130 00", 0),
    ],
)
def test_an_account_number_ends_where_its_check_digits_fit(text: str, length: int) -> None:
    assert iban_length(text) == length
