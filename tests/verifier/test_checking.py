"""Every stored table, changed behind the server's back: `check-log` names the row."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.office import Office, check_changed, new_home, stranger_offer
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, START
from workseal_protocol.records import Segment, sign
from workseal_verifier.errors import RefusedError
from workseal_verifier.services.checking import LogCheck
from workseal_verifier.store.engine import Row
from workseal_verifier.store.records import RecordStore

FORGED = "X'" + "ab" * 32 + "'"
SWAPPED = (
    "UPDATE checkpoints SET signed = (SELECT signed FROM checkpoints WHERE size = 5) WHERE size = 4"
)

ARBITRATORS = (
    "UPDATE parties SET thumbprint = (SELECT thumbprint FROM parties AS other"
    " WHERE other.engagement = parties.engagement AND role = 3) WHERE role = 2"
)
BESIDE = (
    "INSERT INTO statements SELECT {place}, {{f}}, X'00', kind, engagement, about, worker,"
    " begin_ms, end_ms, NULL FROM statements WHERE worker IS NOT NULL LIMIT 1"
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A log of a few statements, closed, so that its file can be changed."""
    office = Office(new_home(tmp_path_factory.mktemp("told"))).open()
    office.now = START
    agent = ScriptedAgent(office, terms=office.terms(capture_rate=65_536))
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    segment, record = agent.made[-1]
    assert isinstance(record, Segment)
    fork = sign(replace(record, agent_value=bytes(32)), office.people.freelancer)
    assert segment.digest != fork.digest
    with pytest.raises(RefusedError, match="another statement"):
        office.post([fork])
    office.post([stranger_offer(office, word) for word in range(256)])
    office.close()
    return office


NAMED = "INSERT INTO parties VALUES ({f}, substr({f}, 1, 16), ROLE, {f}, 3, 0, NULL)"
ANOTHER = "INSERT INTO parties SELECT {f}, engagement, 4, {f}, 3, 0, NULL FROM parties LIMIT 1"
OTHERS = "parties: a key stands where no terms name it"


def test_an_untouched_log_holds(told: Office, tmp_path: Path) -> None:
    assert check_changed(told, tmp_path, "") == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE statements SET digest = {f} WHERE position = 2", "statement 2:"),
        ("UPDATE statements SET body = X'00' WHERE position = 4", "statement 4:"),
        ("UPDATE statements SET kind = 'segment' WHERE position = 4", "statement 4:"),
        (
            "UPDATE statements SET engagement = X'" + "00" * 16 + "' WHERE position = 4",
            "statement 4:",
        ),
        ("UPDATE statements SET begin_ms = 1 WHERE position = 6", "statement 6:"),
        ("UPDATE statements SET end_ms = 1 WHERE position = 6", "statement 6:"),
        ("UPDATE statements SET end_ms = NULL WHERE position = 6", "statement 6:"),
        (
            "UPDATE statements SET seq = seq + 9 WHERE position = 6",
            "statement 6: it has another seq",
        ),
        ("UPDATE statements SET seq = NULL WHERE position = 6", "statement 6: it has another seq"),
        ("UPDATE statements SET worker = {f} WHERE position = 6", "statement 6:"),
        ("UPDATE statements SET about = {f} WHERE position = 6", "statement 6:"),
        ("DELETE FROM statements WHERE position = 7", "statements: 7 in a row"),
        ("UPDATE parties SET key = {f}", "the stored parties"),
        ("UPDATE parties SET role = 1 WHERE role = 2", "the stored parties"),
        ("UPDATE parties SET thumbprint = {f} WHERE role = 3", "the stored parties"),
        (ANOTHER, OTHERS),
        (NAMED.replace("ROLE", "2"), OTHERS),
        # As many rows as before.
        ("UPDATE parties SET thumbprint = {f}, key = {f} WHERE role = 3", OTHERS),
        (ARBITRATORS, "the stored parties"),
        ("UPDATE parties SET role = 9 WHERE role = 2", "the stored parties are malformed"),
        (
            NAMED.replace("ROLE", "9"),
            "parties: a row",
        ),
        # Where it would stand in the list of a party, and whether its cases would.
        ("UPDATE parties SET tie = 3 WHERE role = 1", "statement 3: its parties are tied"),
        ("UPDATE parties SET place = 3 WHERE role = 2", "statement 3: its parties are tied"),
        ("UPDATE parties SET moved = 4 WHERE role = 3", "statement 3: its parties are tied"),
        ("UPDATE parties SET tie = 9 WHERE role = 2", "the stored parties are malformed"),
        (BESIDE.format(place=999_999), "statements: 1 stand"),
        (BESIDE.format(place=-5), "statements: 1 stand"),
        ("UPDATE statements SET body = X'00' WHERE kind = 'offer'", "statement 3:"),
        ("UPDATE statements SET body = X'00' WHERE kind = 'beacon.commitment'", "beacon "),
        ("UPDATE checkpoints SET signed = NULL WHERE size = 4", "checkpoint 4:"),
        (
            "DELETE FROM checkpoints WHERE size = (SELECT size FROM head)",
            "missing, and it is the head's",
        ),
        ("UPDATE tiles SET hashes = {f} WHERE level = 0 AND number = 0", "tile 0/0:"),
        ("UPDATE tiles SET hashes = {f} WHERE level = 1", "tile 1/0:"),
        ("DELETE FROM tiles WHERE level = 0 AND number = 1", "tile 0/1:"),
        ("INSERT INTO tiles VALUES (0, 9, {f})", "tile 0/9:"),
        ("UPDATE head SET root = {f}", "head:"),
        ("UPDATE head SET size = 9", "head:"),
        ("UPDATE checkpoints SET root = {f} WHERE size = 4", "checkpoint 4:"),
        ("UPDATE checkpoints SET digest = {f} WHERE size = 4", "checkpoint 4:"),
        ("UPDATE checkpoints SET signed_at = 9 WHERE size = 4", "checkpoint 4:"),
        (SWAPPED, "checkpoint 4:"),
        ("UPDATE checkpoints SET signed = X'00' WHERE size = 4", "checkpoint 4:"),
        ("UPDATE beacons SET head = {f}", "beacon "),
        ("UPDATE beacons SET count = count + 1", "beacon "),
        ("UPDATE beacons SET position = 0", "beacon "),
        ("DELETE FROM beacons WHERE position < 3", "beacon rows:"),
        ("UPDATE conflicts SET body = X'00'", "another digest than the column"),
        ("UPDATE conflicts SET seq = seq - 1", "conflict under number 1: it has another"),
        ("UPDATE conflicts SET engagement = substr({f}, 1, 16)", "conflict under number 2: it has"),
        ("INSERT INTO timestamps VALUES (4, X'00', 1)", "time-stamp 4:"),
        ("INSERT INTO timestamps VALUES (999, X'00', 1)", "time-stamp 999:"),
    ],
)
def test_names_what_was_changed(told: Office, tmp_path: Path, change: str, named: str) -> None:
    found = check_changed(told, tmp_path, change.format(f=FORGED))
    assert [line for line in found if named in line], found


def test_holds_while_the_server_appends(office: Office) -> None:
    """What is logged during the check is not of the moment that is checked."""
    office.post([stranger_offer(office, 1)])
    verifier = office.verifier

    class Appending(RecordStore):
        def pages(self) -> Iterator[list[Row]]:
            for page in super().pages():
                yield page
                office.post([stranger_offer(office, 2)])

    check = LogCheck(verifier.log, Appending(verifier.database), verifier.identity, ())
    assert list(check.problems()) == []
    assert check.statements == 4
