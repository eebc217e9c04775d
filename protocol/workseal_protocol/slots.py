"""Filling a frozen, slotted value field by field, where its own `__init__` would cost too much.

Rule: only for bytes that were just read in the one form which makes each field what it must be; who
fills a value calls its `__post_init__` unless that has nothing left to check.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeAlias

Put: TypeAlias = Callable[[object, object], None]


def puts_of(kind: type[Any]) -> tuple[Put, ...]:
    """List what sets each field of a slotted dataclass, in the order of the fields."""
    return tuple(getattr(kind, one.name).__set__ for one in fields(kind))
