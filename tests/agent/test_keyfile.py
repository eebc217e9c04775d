import itertools
import os
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from workseal_agent.errors import KeystoreError
from workseal_agent.keyfile import change_file, read_file, write_new

LIMIT = 100


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_new(tmp_path / "keys", b"before")
    return tmp_path / "keys"


def names(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


def test_a_change_takes_the_place_of_the_file(path: Path) -> None:
    change_file(path, LIMIT, lambda data: data + b" and after")
    assert read_file(path, LIMIT) == b"before and after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(path) == ["keys"]


def test_what_raises_changes_nothing(path: Path) -> None:
    def refuse(_: bytes) -> bytes:
        raise KeystoreError("no")

    with pytest.raises(KeystoreError, match="no"):
        change_file(path, LIMIT, refuse)
    assert path.read_bytes() == b"before"


@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
def test_whatever_write_fails_leaves_the_file_or_the_change_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Each call fails at each of its turns: the file is the old one or the new one, whole."""
    real = getattr(os, call)
    for turn in range(1, 4):
        turns = itertools.count(1)

        def failing(*words: object, last: int = turn, turns: Any = turns, **named: object) -> Any:
            if next(turns) == last:
                raise OSError(5, "Input/output error")
            return real(*words, **named)

        before = path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing)
            with suppress(KeystoreError):
                change_file(path, LIMIT, lambda data: data + b"+")
        assert path.read_bytes() in (before, before + b"+")
        assert names(path) == ["keys"]
    whole = path.read_bytes()
    change_file(path, LIMIT, lambda data: data + b"+")
    assert path.read_bytes() == whole + b"+"


def test_what_the_disk_changed_does_not_take_the_files_place(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"something else")
    with pytest.raises(KeystoreError, match="does not give back"):
        change_file(path, LIMIT, lambda data: data + b"+")
    monkeypatch.undo()
    assert path.read_bytes() == b"before"


def test_what_a_crash_left_is_removed_by_the_next_change(path: Path) -> None:
    path.with_name("keys-0123abcd.part").write_bytes(b"half")
    change_file(path, LIMIT, lambda data: data + b"+")
    assert names(path) == ["keys"]


def test_two_changes_at_once_are_both_made(path: Path) -> None:
    together = threading.Barrier(4)

    def add() -> None:
        together.wait()
        for _ in range(5):
            change_file(path, LIMIT, lambda data: data + b"+")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() == b"before" + b"+" * 20


def test_a_new_file_never_takes_a_place(path: Path) -> None:
    with pytest.raises(KeystoreError, match="never replaced"):
        write_new(path, b"another")
    assert path.read_bytes() == b"before"
    assert names(path) == ["keys"]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeystoreError, match="cannot be read"):
        change_file(tmp_path / "keys", LIMIT, lambda data: data)
    with pytest.raises(KeystoreError, match="cannot be written"):
        change_file(tmp_path / "absent" / "keys", LIMIT, lambda data: data)


KILLED = """
import itertools, os, sys
from pathlib import Path
from workseal_agent.keyfile import change_file
turns, last, after = itertools.count(1), int(sys.argv[2]), sys.argv[3] == "after"
def dying(real):
    def call(*words, **named):
        now = next(turns) == last
        if now and not after:
            os._exit(9)
        made = real(*words, **named)
        if now:
            os._exit(9)
        return made
    return call
for name in ("open", "fsync", "replace", "rename", "unlink", "write"):
    setattr(os, name, dying(getattr(os, name)))
change_file(Path(sys.argv[1]), 100, lambda data: b"after")
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_killed_at_any_step_leaves_one_whole_file(path: Path, when: str) -> None:
    ended = 9
    turn = 0
    while ended == 9:
        turn += 1
        path.write_bytes(b"before")
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, path, str(turn), when], check=False
        ).returncode
        assert path.read_bytes() in (b"before", b"after")
    assert ended == 0
    assert turn > 5
    change_file(path, LIMIT, lambda data: data + b"+")
    assert names(path) == ["keys"]
