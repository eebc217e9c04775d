import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from workseal_verifier.errors import ConfigError
from workseal_verifier.keyfiles import create_secret, make_folder, read_secret, replace_file


def test_reads_back_what_it_made_and_never_makes_it_twice(tmp_path: Path) -> None:
    path = tmp_path / "one.seed"
    made = create_secret(path)
    assert len(made) == 32
    assert create_secret(path) == made == read_secret(path)
    assert [one.name for one in tmp_path.iterdir()] == ["one.seed"]


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    make_folder(tmp_path / "keys")
    path = tmp_path / "keys" / "one.seed"
    create_secret(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_refuses_a_secret_that_others_may_read(tmp_path: Path) -> None:
    path = tmp_path / "one.seed"
    create_secret(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_secret(path)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"00" * 31 + b"\n", id="short"),
        pytest.param(b"00" * 33 + b"\n", id="long"),
        pytest.param(b"0G" * 32 + b"\n", id="not hex"),
        pytest.param(b"00" * 32, id="no newline"),
    ],
)
def test_refuses_a_damaged_file_and_does_not_quote_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "one.seed"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="does not hold one seed") as caught:
        read_secret(path)
    assert content.decode().strip() == "" or content.decode().strip() not in str(caught.value)


def test_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"log\.seed is missing"):
        read_secret(tmp_path / "log.seed")


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings"
    replace_file(path, b"old")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def full(_: int) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="settings cannot be written"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["settings"]


def test_on_a_full_disk_what_is_there_is_read_and_what_is_not_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, new = tmp_path / "there", tmp_path / "new"
    value = create_secret(there)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert create_secret(there) == value
    with pytest.raises(ConfigError, match=f"{new} cannot be written: no space left on device"):
        create_secret(new)
    assert list(tmp_path.iterdir()) == [there]


def test_processes_that_make_one_secret_at_once_all_get_the_same(tmp_path: Path) -> None:
    """Workers and hosts share the folder: whoever is second reads what the first wrote."""
    program = (
        "import sys; from pathlib import Path;"
        "from workseal_verifier.keyfiles import create_secret;"
        "print('ready', flush=True); sys.stdin.readline();"
        "print(*(create_secret(Path(sys.argv[1], str(n))).hex() for n in range(40)))"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [racer.communicate(timeout=60)[0].split() for racer in racers]
    assert told[1:] == told[:-1]
    assert told[0] == [read_secret(tmp_path / str(n)).hex() for n in range(40)]
    assert len(set(told[0])) == len(list(tmp_path.iterdir())) == 40
