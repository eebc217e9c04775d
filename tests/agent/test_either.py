from collections.abc import Iterator
from pathlib import Path

import pytest

from support.paged import PagedHome
from workseal_agent.daemon import AlreadyRunningError, HomeLock
from workseal_agent.daemon.either import withdraw_either_way
from workseal_agent.ledger import CaptureRow
from workseal_protocol.keys import Signer
from workseal_protocol.records import WithdrawalReason


@pytest.fixture
def home(tmp_path: Path) -> Iterator[PagedHome]:
    home = PagedHome(tmp_path, capture_rate=65_536)
    home.rig.recorder.start()
    home.rig.work(30)
    yield home
    home.rig.ledger.close()


def frames(home: PagedHome) -> tuple[CaptureRow, ...]:
    return home.rig.ledger.captures(home.rig.engagement.id)


def do(home: PagedHome, row: CaptureRow) -> tuple[bool, int]:
    """Withdraw; say who did it, and how often the key was asked for."""
    asked = []

    def signer() -> Signer:
        asked.append(1)
        return home.rig.signer

    recorded = withdraw_either_way(
        home.settings, home.rig.engagement, row, WithdrawalReason.PRIVATE,
        ledger=home.rig.ledger, vault=home.desk.writer, signer=signer,
        now_ms=home.rig.clock.wall_ms(),
    )  # fmt: skip
    return recorded, len(asked)


def test_the_recording_process_does_it_without_another_key(home: PagedHome) -> None:
    with home.recording():
        assert do(home, frames(home)[0]) == (True, 0)
    assert frames(home)[0].withdrawn


def test_without_one_it_is_done_here(home: PagedHome) -> None:
    home.rig.recorder.stop()
    assert do(home, frames(home)[1]) == (False, 1)
    assert frames(home)[1].withdrawn


def test_it_is_not_done_while_another_process_holds_the_home(home: PagedHome) -> None:
    with HomeLock(home.home), pytest.raises(AlreadyRunningError):
        do(home, frames(home)[0])
    assert not frames(home)[0].withdrawn
