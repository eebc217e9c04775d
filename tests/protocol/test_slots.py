"""Values filled field by field are those that their own way makes."""

from dataclasses import FrozenInstanceError, fields

import pytest

from support.builders import make_segment
from workseal_protocol.records import Segment
from workseal_protocol.slots import puts_of

SEGMENT = make_segment()


def test_fills_what_init_would_fill() -> None:
    filled = object.__new__(Segment)
    values = [getattr(SEGMENT, one.name) for one in fields(Segment)]
    for put, value in zip(puts_of(Segment), values, strict=True):
        put(filled, value)
    assert filled == SEGMENT
    assert hash(filled) == hash(SEGMENT)
    with pytest.raises(FrozenInstanceError):
        filled.seq = 1  # type: ignore[misc]
