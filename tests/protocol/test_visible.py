"""Nothing of a text is hidden, and nothing turns it round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.visible import plain


@given(st.text())
def test_every_character_of_it_is_seen(text: str) -> None:
    shown = plain(text)
    assert all(char == " " or char.isprintable() for char in shown)


@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_what_is_seen_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J", "a\rb", "a\nb", "\u202egpj.exe", "\x9b31m", "\u200b"]
)
def test_spells_out_what_is_not_visible(hostile: str) -> None:
    assert "\\" in plain(hostile)
