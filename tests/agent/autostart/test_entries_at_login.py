"""What is written for the log-in, by a real manager of services: begun and ended with a session."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from support.bridge import bridged
from support.usermanager import UserManager, user_manager
from support.worker import PATIENCE_S, PROGRAM, Worker
from workseal_agent.autostart.entries import entries_for
from workseal_agent.autostart.places import Places
from workseal_agent.autostart.switch import Autostart
from workseal_agent.daemon import NotRunningError
from workseal_protocol.records import SessionClose, SessionOpen, read_record
from workseal_protocol.statement import Statement

UNIT = "workseal-agent.service"


def turned_on(worker: Worker, person: Path) -> None:
    """Write what begins this home's recording, paused, as `autostart on` does.

    Its passphrase stands in a file here, where a person's keyring would open the key.
    """
    words = [
        sys.executable, "-P", "-c", PROGRAM, "--home", str(worker.home),
        "--passphrase-file", str(worker.home / "passphrase"),
        "start", "--paused", "--screen", "replay", "--replay", str(worker.pictures),
    ]  # fmt: skip
    entries = entries_for("linux", person, person / ".config", words, systemd=True)
    Autostart(person / "written", Places()).turn_on(entries)


def state_of(worker: Worker) -> str | None:
    with suppress(NotRunningError):
        return str(worker.ask("status")["state"])
    return None


def until(said: Callable[[], object], wanted: object, manager: UserManager) -> None:
    """Wait for what systemd does after it has answered."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := said()) != wanted:
        assert time.monotonic() < deadline, (found, manager.holds(UNIT), manager.log())
        time.sleep(0.05)


def test_recording_is_ready_after_the_log_in_and_closed_by_the_end_of_the_session(
    tmp_path: Path,
) -> None:
    person = tmp_path / "ann"
    person.mkdir()
    with bridged() as bridge:
        worker = Worker(tmp_path / "home", bridge)
        turned_on(worker, person)
        with user_manager(person, os.environ) as manager:
            # The person is there by a console: nothing begins before there is a desktop.
            assert manager.holds(UNIT) == "inactive"
            assert state_of(worker) is None
            manager.log_in()
            until(lambda: manager.holds(UNIT), "active", manager)
            until(lambda: state_of(worker), "paused", manager)
            worker.ask("resume")
            until(lambda: state_of(worker), "working", manager)
            manager.log_out()
            until(lambda: manager.holds(UNIT), "inactive", manager)
            assert state_of(worker) is None
    with worker.ledger() as ledger:
        chain = [
            read_record(Statement.parse(row.body)) for row in ledger.chain(worker.engagement.id)
        ]
    assert isinstance(chain[0], SessionOpen)
    assert isinstance(chain[-1], SessionClose)
    assert sum(isinstance(record, SessionOpen) for record in chain) == 1
