"""The bounds that several records share, checked when a record is made.

Rule: a record that exists can be written and read again; so what a reader refuses, `__post_init__`
refuses as `ValueError`.
"""

from collections.abc import Iterable
from typing import Final

from workseal_protocol.encoding import MAX_INTEGER, Fields, is_text

VERSION: Final = 1
# The last millisecond of the year 9999: the largest instant that every library can name.
MAX_TIME: Final = 253_402_300_799_999
ID_BYTES: Final = 16
VALUE_BYTES: Final = 32
MAX_ROUND: Final = MAX_INTEGER


def check_uint(what: str, value: int, *, maximum: int = MAX_INTEGER, minimum: int = 0) -> None:
    """Raise `ValueError` unless the value lies within both bounds."""
    if not minimum <= value <= maximum:
        raise ValueError(f"{what}: expected {minimum} to {maximum}, found {value}")


def check_octets(what: str, value: bytes, length: int) -> None:
    """Raise `ValueError` unless the value has the length."""
    if len(value) != length:
        raise ValueError(f"{what}: expected {length} bytes, found {len(value)}")


def check_text(what: str, value: str, *, maximum: int, minimum: int = 1) -> None:
    """Raise `ValueError` unless the text has the length, in code points, and can be written."""
    if not minimum <= len(value) <= maximum:
        raise ValueError(f"{what}: expected {minimum} to {maximum} characters, found {len(value)}")
    if not is_text(value):
        raise ValueError(f"{what}: it has a control character other than line feed")


def check_distinct(what: str, values: Iterable[object], *, maximum: int) -> None:
    """Raise `ValueError` unless there are 1 to `maximum` values, each once."""
    found = tuple(values)
    if not 1 <= len(found) <= maximum:
        raise ValueError(f"{what}: expected 1 to {maximum}, found {len(found)}")
    if len(set(found)) != len(found):
        raise ValueError(f"{what}: one stands there twice")


def read_version(fields: Fields) -> None:
    """Take key 1, which says that the record has the form of this specification."""
    fields.integer(1, "version", minimum=VERSION, maximum=VERSION)
