import pytest

from workseal_agent.keychord import KeyChord


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("super+pause", "super+pause"),
        ("Pause", "pause"),
        ("Alt + Ctrl + S", "ctrl+alt+s"),
        ("shift+F12", "shift+f12"),
        ("super+1", "super+1"),
        ("scroll_lock", "scroll_lock"),
    ],
)
def test_reads_a_key_in_any_spelling_and_writes_one(text: str, spelled: str) -> None:
    chord = KeyChord.parse(text)
    assert str(chord) == spelled
    assert KeyChord.parse(spelled) == chord


@pytest.mark.parametrize(
    "text",
    ["", "+", "s", "shift+s", "7", "shift+7", "ctrl", "ctrl+", "ctrl+ctrl+s", "hyper+s", "ctrl+ü",
     "ctrl+f25", "ctrl+f0", "ctrl+ab", "ctrl+s+alt", "ctrl+escape"],
)  # fmt: skip
def test_refuses_what_is_no_key_or_types_something(text: str) -> None:
    with pytest.raises(ValueError, match=r"modifier|key|types"):
        KeyChord.parse(text)
