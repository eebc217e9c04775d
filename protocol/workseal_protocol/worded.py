"""A sentence with the form it was made from, so that a program can say it in another language.

Rule: the English stands literally in the call, because translators read it from the source.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Worded:
    """Hold an English form, and its values; `many` is the form where `count` is not one.

    As a text it is the English.
    """

    one: str
    values: Mapping[str, "str | int | Worded"]
    many: str | None = None

    def __post_init__(self) -> None:
        if self.many is not None and not isinstance(self.values.get("count"), int):
            raise ValueError("a form for several has a count")
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    def __str__(self) -> str:
        form = self.one if self.many is None or self.values["count"] == 1 else self.many
        return form.format(**self.values)


def worded(english: str, /, **values: str | int | Worded) -> Worded:
    """Return a sentence, or a part of one, with its values."""
    return Worded(english, values)


def counted(count: int, one: str, many: str, /) -> Worded:
    """Return the form for one thing or for several."""
    return Worded(one, {"count": count}, many)


def listed(parts: Iterable[Worded]) -> Worded:
    """Return parts one after the other; there is at least one."""
    return reduce(lambda before, then: worded("{before}, {then}", before=before, then=then), parts)
