from zoneinfo import ZoneInfo

import pytest

from workseal_agent.config import DisplaySettings
from workseal_agent.localzone import machine_zone, zone_of


def test_the_machines_zone_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Asia/Kathmandu", "America/New_York"):
        monkeypatch.setenv("TZ", name)
        assert machine_zone() == ZoneInfo(name)
        assert zone_of(DisplaySettings(), "Europe/Berlin") == ZoneInfo(name)


def test_a_chosen_zone_goes_before_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    for zone, expected in (("agreement", "Europe/Berlin"), ("Asia/Tokyo", "Asia/Tokyo")):
        assert zone_of(DisplaySettings(zone=zone), "Europe/Berlin").key == expected


@pytest.mark.parametrize("name", ["no such zone", "../../etc/passwd", "EST5EDT,M3.2.0,M11.1.0"])
def test_a_machine_that_cannot_tell_gets_the_agreements_zone(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("TZ", name)
    assert machine_zone() is None
    assert zone_of(DisplaySettings(), "Europe/Berlin").key == "Europe/Berlin"
