import logging

import pytest

from workseal_witness.logs import REPEATED_S, Line, Seldom


def record(text: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("asyncio", logging.ERROR, "x.py", 1, text, arguments, None)


def test_a_line_has_no_trace_and_no_second_line() -> None:
    made = record("accept failed\nsocket: %s", "('203.0.113.7', 5)")
    error = OSError("alice@example.com")
    made.exc_info = (type(error), error, None)
    made.created = 1_795_000_000.5
    assert Line().format(made) == "2026-11-18T11:06:40Z asyncio: accept failed"


def test_the_same_is_told_once_a_minute() -> None:
    now = [0.0]
    seldom = Seldom(lambda: now[0])
    assert seldom.filter(record("nothing is cosigned: %s", "a"))
    assert not seldom.filter(record("nothing is cosigned: %s", "a"))
    assert seldom.filter(record("nothing is cosigned: %s", "b"))
    now[0] = REPEATED_S
    assert seldom.filter(record("nothing is cosigned: %s", "a"))


def test_what_is_remembered_is_bounded() -> None:
    seldom = Seldom(lambda: 0.0)
    told = [seldom.filter(record("%d", number)) for number in range(1_000)]
    assert all(told)
    assert len(seldom._told) <= 64


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
def test_nothing_below_a_warning_is_written(level: int) -> None:
    assert not logging.getLogger("asyncio").isEnabledFor(level)
