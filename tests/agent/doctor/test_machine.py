import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from support.rig import TurnedClock
from workseal_agent.connection import UnreachableError
from workseal_agent.doctor.machine import (
    check_clocks,
    check_folder,
    check_keyring,
    check_space,
    check_verifier,
)
from workseal_agent.errors import AgentError

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - what shutil returns


def test_the_clocks_tell_time_asleep() -> None:
    clock = TurnedClock()
    clock.suspend(3600 - 2000)  # it woke with boot time 2000 s ahead
    found = check_clocks(lambda: clock)
    assert found.needed
    assert found.found.fit
    assert "1.0 hours asleep" in found.found.reason
    assert check_clocks().found.fit


def test_without_clocks_recording_cannot_begin() -> None:
    def none() -> TurnedClock:
        raise AgentError("this system has no CLOCK_BOOTTIME: worked time needs Linux")

    found = check_clocks(none)
    assert found.needed
    assert not found.found.fit


@pytest.mark.parametrize(
    ("kind", "fit"),
    [("ext4", True), ("btrfs", True), ("tmpfs", False), ("nfs4", False), ("fuse.sshfs", False)],
)
def test_the_file_system_is_that_of_the_nearest_mount(
    tmp_path: Path, kind: str, *, fit: bool
) -> None:
    place = tmp_path / "with space"
    (place / "deep").mkdir(parents=True)
    mounts = tmp_path / "mounts"
    escaped = str(place).replace(" ", "\\040")
    mounts.write_text(
        f"1 1 8:1 / / rw - xfs /dev/sda rw\n2 1 8:2 / {escaped} rw shared:1 - {kind} x rw\n"
    )
    found = check_folder(place / "deep" / "vault", mounts)
    assert (found.found.fit, found.needed) == (fit, False)
    assert found.found.reason.startswith(kind)
    assert not (place / "deep" / "vault").exists()


def test_a_list_of_mounts_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    assert check_folder(tmp_path, tmp_path / "none").found.fit


def test_the_machines_own_list_of_mounts_is_read() -> None:
    # Not of a folder of the run's: these may lie in memory.
    assert check_folder(Path(__file__).parent).found.fit


def test_a_folder_that_cannot_be_written_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    found = check_folder(tmp_path)
    assert found.needed
    assert not found.found.fit


@pytest.mark.parametrize(
    ("free", "fit", "needed"), [(2 << 30, True, False), (1 << 29, False, False), (9, False, True)]
)
def test_little_space_is_told_and_none_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, *, fit: bool, needed: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 0, free))
    found = check_space(tmp_path / "not" / "yet")
    assert (found.found.fit, found.needed) == (fit, needed)


def test_a_keyring_is_wished_for_and_never_needed() -> None:
    assert check_keyring(lambda: ("SecretService answers", 5.0)).found.fit
    none = check_keyring(lambda: ("fail", 0))
    assert (none.found.fit, none.needed) == (False, False)
    assert "passphrase" in none.found.reason


def test_a_keyring_that_fails_tells_nothing_but_its_class() -> None:
    def broken() -> tuple[str, float]:
        raise RuntimeError("secret")

    found = check_keyring(broken).found
    assert not found.fit
    assert "secret" not in found.reason


def test_the_real_keyring_answers_something() -> None:
    assert check_keyring().found.name == "keyring"


def test_a_verifier_that_is_away_is_told_and_not_waited_for() -> None:
    def away() -> int:
        raise UnreachableError("the verifier does not answer")

    found = check_verifier(away, TurnedClock())
    assert (found.found.fit, found.needed) == (False, False)


def test_a_clock_that_differs_from_the_verifiers_is_told() -> None:
    clock = TurnedClock()
    assert check_verifier(lambda: clock.wall_ms() + 900, clock).found.fit
    found = check_verifier(lambda: clock.wall_ms() - 61_000, clock).found
    assert not found.fit
    assert "-61 s" in found.reason
