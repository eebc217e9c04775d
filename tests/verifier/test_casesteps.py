"""The steps of cases, changed behind the server's back: `check-log` derives them again."""

from pathlib import Path

import pytest

from support.hearings import Hearing
from support.office import Office, check_changed, new_home
from support.scripted import ScriptedAgent
from support.simulator import START
from workseal_protocol.keys import Role
from workseal_protocol.records import Act

FORGED = "X'" + "ab" * 32 + "'"
LAST = "position = (SELECT max(position) FROM case_steps)"
STATE = "UPDATE case_steps SET state = 'final' WHERE {last}"
UNTIL = "UPDATE case_steps SET until_ms = until_ms + 1 WHERE {last}"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A log with a case whose arbitrator was drawn by a value of the beacon, closed."""
    office = Office(new_home(tmp_path_factory.mktemp("told"))).open()
    office.now = START
    agent = ScriptedAgent(office)
    Hearing(office, agent.engagement, agent.terms).file().answered().act(
        Role.CLIENT, Act.END
    ).draw()
    office.close()
    return office


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("", ""),
        ("DELETE FROM case_steps WHERE {last}", "case steps: 4 rows, and the log has 5"),
        (STATE, "its steps are not what"),
        (UNTIL, "its steps are not what"),
        ("UPDATE case_steps SET position = position + 900", "where the log has no statements"),
        ("UPDATE case_steps SET position = position - 1", "its statements are not those of one"),
        ("UPDATE case_steps SET engagement = substr({forged}, 1, 16)", "has no offer"),
        # Nobody committed to the value that drew the arbitrator.
        ("UPDATE beacons SET head = {forged}", "its statements are not those of one case"),
    ],
)
def test_names_what_was_changed(told: Office, tmp_path: Path, change: str, named: str) -> None:
    found = check_changed(told, tmp_path, change.format(last=LAST, forged=FORGED))
    assert [line for line in found if named in line] if change else not found, found
