import time

import pytest

from support.office import Office, stranger_offer
from workseal_verifier import loops
from workseal_verifier.errors import Reason, RefusedError, StoreError
from workseal_verifier.services.health import HOUSEKEEPING, SEQUENCING, STAMPING, WITNESSING, Health


def test_tells_what_failed_three_times_in_a_row() -> None:
    health = Health()
    for _ in range(2):
        health.failed(STAMPING)
    health.worked(STAMPING)
    for _ in range(2):
        health.failed(STAMPING)
        health.failed(HOUSEKEEPING)
    assert health.failing() == ()
    health.failed(STAMPING)
    assert health.failing() == (STAMPING,)
    health.worked(STAMPING)
    assert health.failing() == ()


def test_what_stands_still_is_told_at_once_and_until_it_moves() -> None:
    health = Health()
    health.stuck(WITNESSING)
    health.worked(WITNESSING)
    assert health.failing() == (WITNESSING,)
    health.freed(WITNESSING)
    assert health.failing() == ()


def test_a_log_that_cannot_be_written_is_told_until_it_can(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = office.verifier.health

    def broken(*_: object) -> None:
        raise StoreError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(office.verifier.publisher, "turn", broken)
        for number in range(3):
            assert health.failing() == ()
            with pytest.raises(RefusedError):
                office.post([stranger_offer(office, number)])
    # Whoever sent is answered before it is noted how the tick went.
    while health.failing() != (SEQUENCING,):
        time.sleep(0.01)
    office.post([stranger_offer(office, 1)])
    while health.failing():
        time.sleep(0.01)


def test_a_log_without_space_is_read_only_and_nothing_fails(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever restarts what fails would restart it on a full disk, again and again."""
    known = stranger_offer(office, 0)
    office.post([known])
    failed: list[str] = []
    monkeypatch.setattr(office.verifier.health, "failed", failed.append)
    monkeypatch.setattr(office.verifier.space, "_least", 1 << 62)
    with pytest.raises(RefusedError) as caught:
        office.post([stranger_offer(office, 1)])
    assert caught.value.reason is Reason.FULL

    def refuse(_own: object) -> None:
        raise caught.value

    housekeeping = office.verifier.housekeeping
    monkeypatch.setattr(housekeeping, "_log", refuse)
    housekeeping._policy_is_logged = False
    assert housekeeping.keep() == loops.RETRY_S
    # The thread that notes how ticks went has then noted those before.
    office.post([known])
    assert failed == []
