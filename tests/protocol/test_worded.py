import pytest

from workseal_protocol.worded import Worded, counted, listed, worded


def test_a_sentence_is_its_english_with_its_values() -> None:
    amount = worded("{whole}.{rest}", whole="65", rest="00")
    assert (
        str(worded("The rate is {amount} an hour.", amount=amount)) == "The rate is 65.00 an hour."
    )


def test_a_sentence_keeps_what_it_was_made_of() -> None:
    told = worded("in {days}", days=counted(3, "{count} day", "{count} days"))
    assert told.one == "in {days}"
    assert told.values["days"] == Worded("{count} day", {"count": 3}, "{count} days")


@pytest.mark.parametrize(("count", "told"), [(0, "0 days"), (1, "1 day"), (2, "2 days")])
def test_one_thing_has_a_form_of_its_own(count: int, told: str) -> None:
    assert str(counted(count, "{count} day", "{count} days")) == told


def test_two_forms_need_a_count() -> None:
    with pytest.raises(ValueError, match="count"):
        Worded("a day", {}, "days")


def test_parts_stand_one_after_the_other() -> None:
    assert str(listed(worded("key {key}", key=one) for one in "abc")) == "key a, key b, key c"


def test_nobody_changes_the_values_of_a_sentence() -> None:
    values: dict[str, str | int | Worded] = {"key": "a"}
    told = Worded("key {key}", values)
    values["key"] = "b"
    assert str(told) == "key a"


def test_braces_in_a_value_are_no_places() -> None:
    assert str(worded("policy {policy}", policy="{0} {x}")) == "policy {0} {x}"
