from zoneinfo import ZoneInfo

from workseal_protocol.cli.moments import both, in_zone

MS = 1_796_229_671_812


def test_a_moment_stands_in_the_readers_zone_and_in_utc() -> None:
    assert both(MS, "Europe/Berlin") == (
        "2026-12-02 17:41:11 +0100 Europe/Berlin, 2026-12-02 16:41:11.812Z"
    )
    assert both(MS, "Mars/Base") == "2026-12-02 16:41:11.812Z"


def test_a_moment_beyond_the_calendar_is_written_all_the_same() -> None:
    assert in_zone(2**62, ZoneInfo("Europe/Berlin")) == f"{2**62} ms after 1970"
