"""Days and minutes as they are typed, where clocks change and where calendars end."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from workseal_protocol.cli.acting.said import Said, instant_of
from workseal_protocol.cli.problem import CommandError

BERLIN = ZoneInfo("Europe/Berlin")


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type, misc]


def test_a_day_is_whole_where_clocks_change() -> None:
    begin = instant_of("--begin", "2026-03-29", BERLIN)
    end = instant_of("--end", "2026-03-29", BERLIN, end=True)
    assert (begin, end) == (ms(2026, 3, 28, 23), ms(2026, 3, 29, 22))
    # Of a minute that comes twice the first one is meant; the preview shows its offset.
    assert instant_of("--end", "2026-10-25T02:30", BERLIN) == ms(2026, 10, 25, 0, 30)
    # A day whose first minute does not exist begins with the first that does.
    assert instant_of("--begin", "2026-03-29", ZoneInfo("Asia/Beirut")) == ms(2026, 3, 28, 22)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-03-29T02:30", "clocks go forward then"),
        ("9999-12-31", "expected a day or a minute"),
        ("1969-12-30", "expected a day or a minute"),
        ("2026-03-02T24:00", "expected a day or a minute"),
        ("2026-03-02T09:30\n", "expected a day or a minute"),
        ("\u0662026-03-02", "expected a day or a minute"),
    ],
)
def test_what_is_no_time_is_refused(text: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        instant_of("--end", text, BERLIN, end=True)


def test_the_end_of_all_calendars_is_refused_in_the_west_too() -> None:
    with pytest.raises(CommandError, match="expected a day or a minute"):
        instant_of("--begin", "9999-12-31T23:30", ZoneInfo("America/New_York"))


def test_zero_and_an_empty_text_are_given() -> None:
    assert Said(level=0, text="").given() == {"level", "text"}
    assert Said().given() == frozenset()
