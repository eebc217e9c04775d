"""Days in the owner's zone: where clocks are put on or back, where somebody travels, 12 hours."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from support.paged import PagedHome, Visitor
from workseal_agent.config import DisplaySettings
from workseal_agent.pages.render import clock, moment, total


@contextmanager
def worked(
    folder: Path, begin: datetime, seconds: float, display: DisplaySettings
) -> Iterator[Visitor]:
    """Give the pages of somebody who worked from a moment on."""
    home = PagedHome(folder)
    home.desk.settings = replace(home.settings, display=display)
    home.rig.clock.run(begin.timestamp() - home.rig.clock.wall_ms() / 1000)
    # The simulated verifier knows the rounds of two days; further away it is not heard.
    home.rig.cut(up=begin.month == 3 and begin.day < 4)
    home.rig.recorder.start()
    home.rig.work(seconds)
    with home.recording(), home.served() as server:
        visitor = Visitor(server).enter()
        yield visitor
        visitor.close()
    home.rig.ledger.close()
    home.rig.client.close()


def rows(text: str) -> list[str]:
    """Read the begin of each row of the table."""
    return re.findall(r'<tr class="working">\s*<td class="num">([^<]*)</td>', text)


def test_an_hour_that_is_left_out_is_left_out(tmp_path: Path) -> None:
    """Spring of New York, 8 March 2026: 02:00 is 03:00."""
    zone = ZoneInfo("America/New_York")
    begin = datetime(2026, 3, 8, 1, 58, tzinfo=zone)
    with worked(tmp_path, begin, 240, DisplaySettings(zone=zone.key)) as visitor:
        text = visitor.get("/today").text
        assert "America/New_York" in text
        assert '<span class="label">01:00 EST</span>' in text
        assert '<span class="label">03:00 EDT</span>' in text
        assert ">02:" not in text
        assert "4 min 00 s" in text
        later = visitor.get("/today/minute?day=2026-03-08&at=03:00").text
        assert "1 min 00 s of this minute are counted" in later
        assert visitor.get("/today/minute?day=2026-03-08&at=02:30").status_code == 400


def test_an_hour_that_comes_twice_has_two_names(tmp_path: Path) -> None:
    """Autumn of Sydney, 5 April 2026: 03:00 is 02:00 again."""
    zone = ZoneInfo("Australia/Sydney")
    begin = datetime(2026, 4, 5, 2, 59, tzinfo=zone)
    with worked(tmp_path, begin, 120, DisplaySettings(zone=zone.key)) as visitor:
        text = visitor.get("/today").text
        assert '<span class="label">02:00 AEDT</span>' in text
        assert '<span class="label">02:00 AEST</span>' in text
        assert "2 min 00 s" in text
        # The first of both at 02:00 is before the work; the moment of the second is in it.
        by_name = visitor.get("/today/minute?day=2026-04-05&at=02:00").text
        assert "0 s of this minute are counted" in by_name
        second = int((begin.timestamp() + 60) * 1000)
        told = visitor.get(f"/today/minute?day=2026-04-05&ms={second}").text
        assert "1 min 00 s of this minute are counted" in told
        assert "02:00 AEST to 02:01 AEST" in told


def test_who_works_into_the_new_year_sees_both_years(tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Berlin")
    begin = datetime(2026, 12, 31, 23, 58, tzinfo=zone)
    with worked(tmp_path, begin, 300, DisplaySettings(zone=zone.key)) as visitor:
        assert "3 min 00 s of this day is not in the log yet" in visitor.get("/today").text
        before = visitor.get("/today?day=2026-12-31").text
        assert "Thursday, 31 December 2026" in before
        # A day that is over is not called today.
        assert "2 min 00 s of this day is not in the log yet" in before
        week = visitor.get("/agreement/week").text
        assert "28 December 2026 to 3 January 2027" in week
        earlier = visitor.get("/agreement/week?of=2026-12-21").text
        assert "21 December to 27 December 2026" in earlier


def test_days_follow_who_travels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the client counts stays in the agreement's zone, and the page says so."""
    begin = datetime(2026, 3, 3, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    monkeypatch.setenv("TZ", "Europe/Berlin")
    with worked(tmp_path, begin, 60, DisplaySettings()) as visitor:
        home = visitor.get("/today").text
        assert "3 March 2026" in home
        assert "Your client counts days" not in home
        monkeypatch.setenv("TZ", "America/New_York")
        away = visitor.get("/today").text
        assert "2 March 2026" in away
        assert "America/New_York" in away
        assert "1 min 00 s" in away
        assert "Your client counts days in the agreement&#39;s zone, Europe/Berlin" in away
        # On the second of March the client counts nothing: for him it was worked on the third.
        assert "<dt>True time in the log</dt><dd>0 s</dd>" in away
        monkeypatch.setenv("TZ", "no such zone")
        assert "Europe/Berlin" in visitor.get("/today").text


def test_times_of_day_have_twelve_hours_for_who_wants_it(tmp_path: Path) -> None:
    begin = datetime(2026, 3, 2, 14, 5, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    display = DisplaySettings(hours="12", totals="minute", zone="agreement")
    with worked(tmp_path, begin, 71, display) as visitor:
        text = visitor.get("/today").text
        assert rows(text)[0] == "2:05:09 pm"
        # A field of a form has its own way to be written.
        assert re.search(r'type="time" required value="14:0\d"', text)
        assert re.search(r'<p class="figure"[^>]*>1 min</p>', text)
        assert "Exactly: 1 min 11 s" in text
        told = visitor.ask("GET", "/live").json()
        assert (told["worked"], told["exact"]) == ("1 min", "Exactly: 1 min 11 s")


@pytest.mark.parametrize(
    ("hour", "expected"),
    [(0, "12:07 am"), (1, "1:07 am"), (11, "11:07 am"), (12, "12:07 pm"), (23, "11:07 pm")],
)
def test_noon_and_midnight_are_twelve(hour: int, expected: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    ms = int(datetime(2026, 3, 2, hour, 7, tzinfo=zone).timestamp() * 1000)
    assert clock(ms, zone, hours="12") == expected
    assert moment(ms, zone, hours="12") == f"Mon 2 Mar 2026, {expected}"


def test_a_total_is_never_rounded_up() -> None:
    display = DisplaySettings(totals="minute")
    assert [total(ms, display) for ms in (59_999, 3_599_999, 3_600_000)] == [
        "0 min", "59 min", "1 h 00 min",
    ]  # fmt: skip
