from pathlib import Path

import pytest

from support.office import FakeClock, Office, new_home
from support.simulator import START
from workseal_protocol.logcopy import CopiedStatement, CopyReader
from workseal_protocol.records import BeaconCommitment, LogPolicy, read_record
from workseal_protocol.statement import Statement
from workseal_verifier.errors import ConfigError
from workseal_verifier.owncopy import OWN_FILE, OwnCopy


def held(folder: Path) -> dict[int, bytes]:
    items = CopyReader([(folder / OWN_FILE).read_bytes()])
    return {one.index: one.body for one in items if isinstance(one, CopiedStatement)}


def test_holds_each_statement_once_whoever_adds_it(tmp_path: Path) -> None:
    first, second = OwnCopy(tmp_path, "o.example"), OwnCopy(tmp_path, "o.example")
    assert first.next_index() == 0
    first.add([(0, b"zero"), (4, b"four")])
    second.add([(4, b"again"), (2, b"two")])
    assert held(tmp_path) == {0: b"zero", 2: b"two", 4: b"four"}
    assert first.next_index() == 5


def test_a_damaged_copy_is_told_and_never_replaced(tmp_path: Path) -> None:
    (tmp_path / OWN_FILE).write_bytes(b"damaged")
    with pytest.raises(ConfigError, match="is damaged"):
        OwnCopy(tmp_path, "o.example").add([(0, b"zero")])
    assert (tmp_path / OWN_FILE).read_bytes() == b"damaged"


def test_a_running_log_copies_what_its_operator_signs_and_nothing_else(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    office = Office(settings, clock=FakeClock(START - 3_600_000))
    office.open()
    office.others(2)
    office.now += 86_400_000
    office.verifier.housekeeping.keep()
    kinds = {type(read_record(Statement.parse(body))) for body in held(settings.lock).values()}
    assert kinds == {LogPolicy, BeaconCommitment}
    stored = office.verifier.records.of_kinds(["beacon.commitment", "log.policy"], below=99)
    assert held(settings.lock) == {entry.position: entry.body for entry in stored}
    assert (settings.lock / OWN_FILE).stat().st_mode & 0o077 == 0
    office.close()
