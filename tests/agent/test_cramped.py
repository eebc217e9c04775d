import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from support.rig import Rig
from workseal_agent.daemon import cramped
from workseal_agent.daemon.cramped import Cramped
from workseal_agent.ledger import ROOM_BYTES


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def seen(rig: Rig, folder: Path) -> tuple[Cramped, list[float]]:
    now = [0.0]
    return Cramped(rig.ledger, folder, lambda: now[0]), now


def test_a_disk_with_space_is_no_trouble_and_is_looked_at_now_and_then(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[None] = []
    monkeypatch.setattr(rig.ledger, "keep_room", lambda: looks.append(None))
    looker, now = seen(rig, tmp_path)
    for second in range(150):
        now[0] = float(second)
        looker.step()
    assert (len(looks), looker.trouble) == (3, None)


def test_a_full_disk_is_told_also_while_the_ledger_has_room(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looker, now = seen(rig, tmp_path)
    monkeypatch.setattr(cramped, "ROOM_BYTES", 1 << 62)
    looker.step()
    assert "the disk is full" in str(looker.trouble)
    monkeypatch.setattr(cramped, "ROOM_BYTES", ROOM_BYTES)
    now[0] = 100.0
    looker.step()
    assert looker.trouble is None


def test_a_ledger_that_gets_no_room_is_told(rig: Rig, tmp_path: Path) -> None:
    rig.ledger.close()
    looker, _ = seen(rig, tmp_path)
    looker.step()
    assert str(looker.trouble).startswith("the ledger has no room of its own: ")


def test_a_ledger_that_another_program_holds_is_not_told_as_a_full_disk(
    rig: Rig, tmp_path: Path
) -> None:
    rig.ledger._sql.execute("PRAGMA busy_timeout = 10")
    looker, now = seen(rig, tmp_path)
    with closing(sqlite3.connect(rig.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        looker.step()
    assert str(looker.trouble) == (
        "the ledger has no room of its own: another program is writing in it, and does not end"
    )
    now[0] = 100.0
    looker.step()
    assert looker.trouble is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of its own, which only root can make."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root mounts a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", str(disk)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let root mount")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_real_full_disk_costs_no_time(small_disk: Path) -> None:
    """The control, without the room, keeps the same rounds in memory alone."""
    waiting = {}
    for kept in (True, False):
        home = small_disk / str(kept)
        home.mkdir()
        rig = Rig(home, capture_rate=0)
        if kept:
            Cramped(rig.ledger, home).step()
        rig.recorder.start()
        rig.work(20)
        fill(small_disk / "filler")
        rig.work(3_600, send=kept)
        waiting[kept] = len(rig.recorder.running())
        if kept:
            assert rig.recorder.trouble is None
            rig.recorder.stop()
            assert rig.worked_ms == 3_620_000
        else:
            assert "full" in str(rig.recorder.trouble)
        (small_disk / "filler").unlink()
        rig.recorder.stop()
        assert rig.worked_ms == 3_620_000
        rig.ledger.close()
    assert waiting[True] == 1
    assert waiting[False] > 300


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as filler:
        while True:
            try:
                filler.write(bytes(4_096))
            except OSError:
                return


def test_a_ledger_on_a_full_disk_says_what_is_wrong(small_disk: Path) -> None:
    Rig(small_disk).ledger.close()
    fill(small_disk / "filler")
    program = (
        "import sys; from pathlib import Path; from workseal_agent.ledger import Ledger\n"
        "Ledger(Path(sys.argv[1]))"
    )
    (file,) = small_disk.glob("*.sqlite")
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1].endswith("the ledger cannot be opened: the disk is full")
