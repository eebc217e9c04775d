"""`export` and `recover` as the operator types them, and a log that continues another."""

import errno
import os
import shutil
import time
from pathlib import Path

import httpx
import pytest

from support.command import run, serving
from support.office import ORIGIN, Office
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.digest import Digest
from workseal_protocol.logcopy import CopiedStatement, CopiedToken, CopyReader
from workseal_protocol.records import LogPolicy, read_record
from workseal_protocol.statement import Statement
from workseal_verifier.copies import write_export
from workseal_verifier.errors import ConfigError
from workseal_verifier.store.access import AccessStore, PasskeyRow
from workseal_verifier.store.engine import Database


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home that nobody has served yet, once; each test takes a copy."""
    home = tmp_path_factory.mktemp("made") / "v"
    done = run("init", "--home", home, "--origin", ORIGIN, "--period-ms", "1000")
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "v"))


def checkpoint_of(url: str) -> SignedCheckpoint:
    return SignedCheckpoint.parse(httpx.get(f"{url}/v1/log/checkpoint", trust_env=False).content)


def test_a_lost_database_comes_back_from_an_export_with_its_time_stamps(
    home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "log.logcopy"
    with serving(home, "--local-tsa", "--stamp-interval", "1") as url:
        before = checkpoint_of(url)
        while httpx.get(f"{url}/v1/log/timestamps", trust_env=False).content == b"\x80":
            time.sleep(0.1)
        done = run("export", "--home", home, out)
    assert done.returncode == 0, done.stderr
    assert out.stat().st_mode & 0o077 == 0
    kinds = [type(one) for one in CopyReader([out.read_bytes()])]
    assert kinds.count(CopiedStatement) == before.checkpoint.size
    assert CopiedToken in kinds
    for file in home.glob("verifier.db*"):
        file.unlink()
    refused = run("serve", "--home", home, "--port", "0")
    assert refused.returncode == 1
    assert "a backup was restored" in refused.stderr
    done = run("recover", "--home", home, out)
    assert done.returncode == 0, done.stderr
    assert f"the log ends at {before.checkpoint.size}" in done.stdout
    assert " and 1 time-stamps rebuilt" in done.stdout
    assert run("check-log", "--home", home).returncode == 0
    with serving(home) as url:
        assert checkpoint_of(url) == before


def test_a_passkey_that_was_ended_since_the_backup_stays_so(home: Path, tmp_path: Path) -> None:
    """Its device was stolen, perhaps: the restored database knows nothing of it."""
    with serving(home):
        done = run("export", "--home", home, tmp_path / "log.logcopy")
    assert done.returncode == 0, done.stderr
    database = Database(home / "verifier.db")
    store, owner = AccessStore(database), Digest.of(b"owner")
    row = PasskeyRow(b"a device", owner, b"its key", 0, 1)
    assert store.add_passkey(row, Digest.of(b"challenge"), 2, most=1)
    done = run("recover", "--home", home, tmp_path / "log.logcopy")
    assert done.returncode == 0, done.stderr
    assert "ended: 1 passkeys that the backup had" in done.stdout
    assert store.passkeys_of(owner) == []
    database.close()


def test_an_export_replaces_no_file(home: Path, tmp_path: Path) -> None:
    with serving(home):
        pass
    (tmp_path / "mine").write_bytes(b"mine")
    done = run("export", "--home", home, tmp_path / "mine")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_an_export_that_finds_no_room_is_told_by_its_name_and_leaves_nothing(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    out, verifier = tmp_path / "log.logcopy", office.verifier
    with pytest.raises(ConfigError, match=f"{out} cannot be written: no space left on device"):
        write_export(verifier.log, verifier.records, ORIGIN, out)
    assert not out.exists()


def test_what_is_no_copy_is_one_sentence_and_changes_nothing(home: Path, tmp_path: Path) -> None:
    with serving(home) as url:
        before = checkpoint_of(url)
    for data in (b"", b"no copy", b"PK\x03\x04 and no bundle"):
        (tmp_path / "file").write_bytes(data)
        done = run("recover", "--home", home, tmp_path / "file")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), data
        assert "neither a copy of a log nor a bundle" in done.stderr
    done = run("recover", "--home", home, tmp_path / "nowhere")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    with serving(home) as url:
        assert checkpoint_of(url).checkpoint.size == before.checkpoint.size


def test_nothing_is_recovered_under_a_running_server(home: Path, tmp_path: Path) -> None:
    with serving(home):
        done = run("recover", "--home", home, tmp_path / "any")
    assert done.returncode == 1
    assert "another process holds this home" in done.stderr


def test_a_log_that_continues_another_says_so_first(home: Path, tmp_path: Path) -> None:
    with serving(home) as url:
        last = checkpoint_of(url)
    (tmp_path / "last").write_bytes(last.encode())
    words = ("--origin", "office.workseal.example/2027", "--continues", tmp_path / "last")
    new = tmp_path / "new"
    assert run("init", "--home", new, *words).returncode == 0
    with serving(new):
        pass
    assert run("export", "--home", new, tmp_path / "copy").returncode == 0
    first = next(iter(CopyReader([(tmp_path / "copy").read_bytes()])))
    assert isinstance(first, CopiedStatement)
    record = read_record(Statement.parse(first.body))
    assert isinstance(record, LogPolicy)
    assert record.previous == last


def test_a_log_continues_no_log_of_its_own_name_and_no_stray_file(
    home: Path, tmp_path: Path
) -> None:
    with serving(home) as url:
        (tmp_path / "last").write_bytes(checkpoint_of(url).encode())
    (tmp_path / "stray").write_bytes(b"stray")
    for name, origin in (("last", ORIGIN), ("stray", "other.example/1")):
        words = ("--origin", origin, "--continues", tmp_path / name)
        done = run("init", "--home", tmp_path / "new", *words)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert not (tmp_path / "new").exists()
