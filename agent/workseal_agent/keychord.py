"""A key with its modifiers, as the settings name it: `ctrl+alt+s`.

Rules: one spelling of each key, whatever the keyboard calls it. A key that types something needs a
modifier besides shift, so that no letter is ever taken from what somebody writes.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

MODIFIERS: Final = ("ctrl", "alt", "shift", "super")
_NAMED: Final = frozenset({"insert", "menu", "pause", "print", "scroll_lock"})
_TYPING: Final = re.compile(r"[a-z0-9]")
_FUNCTION: Final = re.compile(r"f([1-9]|1[0-9]|2[0-4])")


@dataclass(frozen=True, slots=True)
class KeyChord:
    """Hold one key and the modifiers that are held down with it."""

    modifiers: frozenset[str]
    key: str

    def __post_init__(self) -> None:
        if not self.modifiers <= {*MODIFIERS}:
            raise ValueError("not a modifier")
        typing = _TYPING.fullmatch(self.key) is not None
        if not (typing or _FUNCTION.fullmatch(self.key) or self.key in _NAMED):
            raise ValueError("not a key")
        if typing and self.modifiers <= {"shift"}:
            raise ValueError("it types something")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read names joined by `+`, the key last, in any case; `ValueError` if it is none."""
        *held, key = text.lower().replace(" ", "").split("+")
        if len(set(held)) != len(held):
            raise ValueError("a modifier stands twice")
        return cls(frozenset(held), key)

    def __str__(self) -> str:
        return "+".join([one for one in MODIFIERS if one in self.modifiers] + [self.key])
