"""Read-only before the disk is full, and writable again only when there is room for a while."""

import logging

import pytest

from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.space import MARGIN_BYTES, Space

LEAST = 100 << 20


class Disk:
    def __init__(self, free: int, owed: int = 0) -> None:
        self.free = free
        self.owed = owed

    def space(self, least: int = LEAST) -> Space:
        return Space(free=lambda: self.free, owed=lambda: self.owed, least_bytes=least)


def test_goes_and_comes_back_with_a_margin(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    disk = Disk(LEAST)
    space = disk.space()
    assert not space.look()
    disk.free = LEAST - 1
    assert space.look()
    assert space.is_full
    disk.free = LEAST + MARGIN_BYTES - 1
    assert space.look()
    disk.free = LEAST + MARGIN_BYTES
    assert not space.look()
    # And not so soon again.
    disk.free = LEAST
    assert not space.look()
    assert [one.getMessage().split(",")[0] for one in caplog.records] == [
        "the log is read-only: little space is left",
        "the log is written again",
    ]


def test_counts_what_is_still_to_be_copied_into_the_database() -> None:
    disk = Disk(LEAST + 10, owed=11)
    space = disk.space()
    assert space.left() == LEAST - 1
    assert space.look()


def test_counts_twice_what_a_tick_would_write() -> None:
    disk = Disk(LEAST + 10)
    space = disk.space()
    assert not space.look(5)
    with pytest.raises(RefusedError) as caught:
        space.require(6)
    assert caught.value.reason is Reason.FULL
    assert caught.value.retry_after is not None


def test_without_a_least_nothing_is_watched() -> None:
    space = Disk(0).space(least=0)
    space.require(1 << 60)
    assert not space.is_full
