from pathlib import Path

import pytest

from workseal_verifier.errors import ConfigError
from workseal_verifier.homelock import HomeLock, Mark


def test_reads_back_its_mark_after_a_restart(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    assert lock.read() is None
    lock.write(Mark(10**18, bytes(range(32))))
    lock.write(Mark(7, bytes(32)))
    lock.close()
    again = HomeLock(tmp_path)
    assert again.read() == Mark(7, bytes(32))
    again.close()


def test_is_held_by_one(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    with pytest.raises(ConfigError, match="another server already runs"):
        HomeLock(tmp_path)
    lock.close()
    HomeLock(tmp_path).close()


def test_refuses_a_damaged_mark(tmp_path: Path) -> None:
    (tmp_path / "server.lock").write_bytes(b"7 what\n")
    lock = HomeLock(tmp_path)
    with pytest.raises(ConfigError, match="damaged"):
        lock.read()
    lock.close()
