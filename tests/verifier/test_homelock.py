import os
import threading
from pathlib import Path

import pytest

from support.office import Office, new_home
from workseal_verifier.errors import ConfigError, StoreCorruptError
from workseal_verifier.homelock import HomeLock, Mark, require_free, supervising


def test_reads_back_its_mark_after_a_restart(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    assert lock.read() is None
    lock.write(Mark(7, bytes(32)))
    lock.write(Mark(10**18, bytes(range(32))))
    lock.close()
    again = HomeLock(tmp_path)
    assert again.read() == Mark(10**18, bytes(range(32)))
    again.close()


def test_the_mark_only_grows_whoever_moves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = HomeLock(tmp_path, shared=True), HomeLock(tmp_path, shared=True)
    further = threading.Thread(target=second.write, args=(Mark(9, bytes(32)),))
    read = first.read

    def read_and_wait() -> Mark | None:
        found = read()
        # The other one has its chance between our look and our move; it must wait instead.
        further.start()
        further.join(0.2)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(first, "read", read_and_wait)
        first.write(Mark(5, bytes(32)))
    further.join()
    assert first.read() == second.read() == Mark(9, bytes(32))
    first.write(Mark(7, bytes(32)))
    assert second.read() == Mark(9, bytes(32))
    first.close()
    second.close()


def test_threads_of_one_process_move_the_mark_in_turn(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)

    def move(begin: int) -> None:
        for size in range(begin, 200, 2):
            lock.write(Mark(size, size.to_bytes(32)))

    threads = [threading.Thread(target=move, args=(begin,)) for begin in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lock.read() == Mark(199, (199).to_bytes(32))
    lock.close()


def test_a_second_tree_of_one_size_is_refused(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    lock.write(Mark(7, bytes(32)))
    lock.write(Mark(7, bytes(32)))
    with pytest.raises(StoreCorruptError, match="another tree of size 7"):
        lock.write(Mark(7, bytes(31) + b"\1"))
    lock.close()


def test_the_mark_is_on_the_disk_when_it_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = HomeLock(tmp_path)
    synced: list[bytes] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", lambda handle: synced.append(os.pread(handle, 99, 0)))
        lock.write(Mark(7, bytes(32)))
        # As far already: nothing to wait for.
        lock.write(Mark(7, bytes(32)))
    assert [one.split()[0] for one in synced] == [b"7"]
    lock.close()


def test_is_held_by_one(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    with pytest.raises(ConfigError, match="another process holds this home"):
        HomeLock(tmp_path)
    lock.close()
    HomeLock(tmp_path).close()


def test_a_home_that_is_held_is_found_out_and_not_taken(tmp_path: Path) -> None:
    require_free(tmp_path)
    held = HomeLock(tmp_path, shared=True)
    with pytest.raises(ConfigError, match="another process holds this home"):
        require_free(tmp_path)
    held.close()
    with supervising(tmp_path), pytest.raises(ConfigError, match="another process holds"):
        require_free(tmp_path)
    require_free(tmp_path)
    HomeLock(tmp_path).close()


def test_refuses_a_damaged_mark(tmp_path: Path) -> None:
    (tmp_path / "server.lock").write_bytes(b"7 what\n")
    lock = HomeLock(tmp_path)
    with pytest.raises(ConfigError, match="damaged"):
        lock.read()
    lock.close()


def test_a_log_that_signed_and_whose_mark_is_gone_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As when the volume of `lock/` was not mounted: then nobody notices a restored backup."""
    settings = new_home(tmp_path)
    said = f"{settings.lock} remembers nothing"
    for _ in range(2):
        Office(settings).open().close()
        assert said not in caplog.text
    (settings.lock / "server.lock").unlink()
    Office(settings).open().close()
    assert said in caplog.text
