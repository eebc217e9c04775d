from pathlib import Path
from zoneinfo import ZoneInfo

from support.rig import Rig
from workseal_agent.day import day_at, read_day
from workseal_agent.pages.dayline import hours_of

BERLIN = ZoneInfo("Europe/Berlin")


def test_what_looks_alike_is_one_rectangle_however_it_is_proved(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.recorder.start()
    rig.work(60)
    rig.cut(up=False)
    rig.work(60)
    rig.cut(up=True)
    rig.work(60)
    rig.recorder.pause()
    rig.work(30)
    rig.recorder.resume()
    rig.work(30)
    rig.recorder.stop()
    now = rig.clock.wall_ms()
    day = read_day(rig.ledger, rig.engagement, None, day_at(now, BERLIN), now, BERLIN)
    assert len([one for one in day.stretches if one.worked_ms]) > 2
    (hour,) = hours_of(day)
    told = [(one.left, one.width, one.name) for one in hour.marks if one.name != "no-session"]
    assert told == [(0, 180, "working"), (180, 30, "paused"), (210, 30, "working")]
    rig.ledger.close()
