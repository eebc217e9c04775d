"""Phrases: English texts that remember what they were made of.

Rules: a phrase is a text like any other, with its values filled in, for whoever does not ask for
more. The English stands literally in the call, because the template for translators is read from
the sources. {name} is filled in with a value; nothing else is code.
"""

import re
from collections.abc import Iterable, Mapping
from functools import reduce
from string import Formatter
from typing import Self

from workseal_protocol.worded import Worded

# A place for a value: its name, how it is converted, how it is written.
Place = tuple[str, str | None, str | None]
_TYPED = re.compile(r"`[^`]*`")


class Phrase(str):
    """Be an English text that can still be said in another language."""

    __slots__ = ("many", "one", "values")
    one: str
    many: str | None
    values: Mapping[str, object]

    @classmethod
    def of(cls, one: str, many: str | None, values: Mapping[str, object]) -> Self:
        """Fill in the English; with `many`, the value `count` says which of the two it is."""
        english = one if many is None or values["count"] == 1 else many
        made = cls(english.format(**values))
        made.one, made.many, made.values = one, many, values
        return made

    @classmethod
    def from_worded(cls, told: Worded) -> Self:
        """Take over what the protocol or the client library words."""
        values = {
            name: cls.from_worded(value) if isinstance(value, Worded) else value
            for name, value in told.values.items()
        }
        return cls.of(told.one, told.many, values)


def phrase(english: str, /, **values: object) -> Phrase:
    """Return a text with its values."""
    return Phrase.of(english, None, values)


def phrases(count: int, one: str, many: str, /, **values: object) -> Phrase:
    """Return the text for one thing or for several; `count` is a value of it."""
    return Phrase.of(one, many, {"count": count, **values})


def told_of(error: Exception) -> str:
    """Return what an error says, in a form that can still be said in another language."""
    told = error.args[0] if error.args else None
    if isinstance(told, Phrase):
        return told
    if isinstance(told, Worded):
        return Phrase.from_worded(told)
    text = str(error)
    # What was raised literally is found as a whole; braces would be taken for places.
    return text if {"{", "}"} & set(text) else Phrase.of(text, None, {})


def all_of(reasons: Iterable[str]) -> str:
    """Write several reasons one after the other."""
    first, *more = [*reasons] or [""]
    return reduce(lambda one, then: phrase("{one}; {then}", one=one, then=then), more, first)


def places_of(text: str) -> frozenset[Place] | None:
    """Return the places for values in a text, None when it is malformed."""
    try:
        return frozenset(
            (name, conversion, form)
            for _, name, form, conversion in Formatter().parse(text)
            if name is not None
        )
    except ValueError:
        return None


def fits(translation: str, one: str, many: str | None = None) -> bool:
    """Tell whether a translation has exactly the places of an English form that it may stand for.

    Any form of a plural may be either: not every language has one for exactly one thing. What
    stands between backticks is typed by its reader: it is the same in every language.
    """
    if not translation or sorted(_TYPED.findall(translation)) != sorted(_TYPED.findall(one)):
        return False
    english = (one,) if many is None else (one, many)
    return places_of(translation) in [places_of(form) for form in english]
