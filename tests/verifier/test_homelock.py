import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from support.office import Office, new_home
from workseal_verifier.errors import ConfigError, RefusedError, StoreCorruptError, StoreError
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


def failing(what: str, count: int) -> Callable[..., int]:
    """Make a call of the system's fail so often, as on a disk that is failing."""
    real, left = getattr(os, what), [count]

    def called(*arguments: object) -> int:
        if left[0]:
            left[0] -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return int(real(*arguments) or 0)

    return called


@pytest.mark.parametrize("before", [None, Mark(5, bytes(32))])
def test_a_move_that_failed_is_none_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: Mark | None
) -> None:
    first, second = HomeLock(tmp_path, shared=True), HomeLock(tmp_path, shared=True)
    if before is not None:
        first.write(before)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing("fdatasync", 1))
        with pytest.raises(StoreError, match=f"{tmp_path} cannot be written: Input/output error"):
            first.write(Mark(7, bytes(32)))
    assert first.read() == second.read() == before
    first.close()
    second.close()


def test_a_move_that_failed_and_can_be_read_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file system turns read-only between the two: what was there cannot be put back."""
    lock = HomeLock(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing("fdatasync", 2))
        patch.setattr(HomeLock, "_put_back", lambda *_: None)
        for _ in range(2):
            with pytest.raises(StoreError):
                lock.write(Mark(7, bytes(32)))
        assert lock.read() == Mark(7, bytes(32))
    synced: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", synced.append)
        for _ in range(2):
            lock.write(Mark(7, bytes(32)))
    assert len(synced) == 1
    lock.close()


def test_nothing_is_signed_that_the_mark_may_forget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    office = Office(new_home(tmp_path)).open()
    size = office.checkpoint().checkpoint.size
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing("fdatasync", 99))
        for _ in range(3):
            with pytest.raises(RefusedError, match="send again"):
                office.others(1)
        assert office.checkpoint().checkpoint.size == size
        # Where the volume is told of, and once.
        said = f"the log could not be written: {office.verifier.settings.lock} cannot be written"
        assert [one.getMessage() for one in caplog.records] == [f"{said}: Input/output error"]
    office.others(1)
    assert office.checkpoint().checkpoint.size > size
    assert office.check() == []
    office.close()


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
