from pathlib import Path

from support.rig import Rig
from support.weeks import Weeks
from workseal_agent.ledger import SendState
from workseal_agent.possessionweeks import first_round, next_week_ms, said_of
from workseal_protocol.possession import WEEK_MS

DAY_MS = 86_400_000


def test_tells_how_far_the_weekly_statements_have_come(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path)

    def told() -> tuple[int, int, int, SendState | None, int | None]:
        said = said_of(weeks.rig.ledger, weeks.rig.engagement, weeks.now_ms)
        return said.week, said.shown, said.lost, said.state, said.due

    assert told() == (0, 0, 0, None, None)
    weeks.begin()
    assert told() == (0, 0, 0, None, 1)
    weeks.say()
    assert told() == (1, 0, 0, SendState.RECEIPTED, None)
    next_ms = next_week_ms(weeks.rig.ledger, weeks.rig.engagement, weeks.now_ms)
    assert next_ms is not None
    assert WEEK_MS - DAY_MS < next_ms - weeks.now_ms <= WEEK_MS


def test_before_the_first_session_there_is_no_week(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    assert first_round(rig.ledger, rig.engagement) is None
    assert next_week_ms(rig.ledger, rig.engagement, rig.clock.wall_ms()) is None
    said = said_of(rig.ledger, rig.engagement, rig.clock.wall_ms())
    assert (said.week, said.due, said.next_ms) == (0, None, None)
