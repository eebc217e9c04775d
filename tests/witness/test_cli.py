import sys
from pathlib import Path

import pytest

from support.twofaced import TwoFacedLog
from workseal_protocol.checkpoint import SignedCheckpoint, verify_log
from workseal_protocol.note import VerifierKey
from workseal_protocol.policy import TlogPolicy
from workseal_witness.cli import main
from workseal_witness.home import Home

from .conftest import Stage, copy_of

LOG = TwoFacedLog()


def run(monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["workseal-witness", *map(str, words)])
    return main()


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    # The command sets it for its own process.
    monkeypatch.setattr("os.umask", lambda _: 0)


def test_init_prints_the_keys_and_vkey_prints_them_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--home", tmp_path / "w", "--name", "w.example/1")
    assert run(monkeypatch, "init", *words, "--pq") == 0
    printed = capsys.readouterr().out
    assert [VerifierKey.parse(line).name for line in printed.splitlines()] == ["w.example/1"] * 2
    assert run(monkeypatch, "vkey", "--home", tmp_path / "w") == 0
    assert capsys.readouterr().out == printed
    assert run(monkeypatch, "init", *words) == 1
    assert "nothing is overwritten" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("init", "--home", "w", "--name", "two words"), 2, "the name of a witness"),
        (("vkey", "--home", "nowhere"), 1, "is no witness"),
        (("serve", "--home", "nowhere"), 1, "is no witness"),
        (("add-log", "--home", "nowhere"), 2, "one of them"),
        (("add-log", "--home", "x", "--vkey", "nonsense"), 2, "malformed"),
        (("add-log", "--home", "x", "--policy", "missing"), 2, "cannot read"),
        (("forks",), 2, ""),
        (("frobnicate",), 2, ""),
    ],
)
def test_what_cannot_be_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *words) == code
    found = capsys.readouterr()
    assert told in found.err
    assert found.out == ""
    assert "Traceback" not in found.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("head", ["", "workseal-policy v1\n"])
def test_adds_the_logs_of_a_policy_once(
    monkeypatch: pytest.MonkeyPatch,
    home: Home,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    head: str,
) -> None:
    policy = tmp_path / "policy"
    policy.write_text(head + TlogPolicy((LOG.key,)).encode())
    for told in ("added", "known already"):
        assert run(monkeypatch, "add-log", "--home", home.folder, "--policy", policy) == 0
        assert capsys.readouterr().out == f"{LOG.key.name}: {told}\n"
    assert run(monkeypatch, "status", "--home", home.folder) == 0
    assert f"{LOG.key.name}: nothing cosigned yet" in capsys.readouterr().out


def test_takes_no_witness_for_a_log(
    monkeypatch: pytest.MonkeyPatch, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    vkey = stage.keys[0].encode()
    assert run(monkeypatch, "add-log", "--home", stage.home.folder, "--vkey", vkey) == 2
    assert "a witness's" in capsys.readouterr().err


def test_a_running_witness_knows_an_added_log_at_once(
    monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    other = TwoFacedLog("another.example/log")
    body = other.request(0, other.history(3))
    assert stage.witness.add_checkpoint(body).status == 404
    vkey = other.key.encode()
    assert run(monkeypatch, "add-log", "--home", stage.home.folder, "--vkey", vkey) == 0
    assert stage.witness.add_checkpoint(body).status == 200


def test_a_restored_database_is_told(
    monkeypatch: pytest.MonkeyPatch, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("status", "--home", stage.home.folder)
    stage.ask(0, stage.log.history(3))
    backup = copy_of(stage.home.database)
    assert run(monkeypatch, *words) == 0
    stage.ask(3, stage.log.history(5))
    backup(stage.home.database)
    assert run(monkeypatch, *words) == 1
    told = capsys.readouterr()
    assert "size 3, cosigned" in told.out
    assert "up to size 5, and its database ends at 3: a backup was restored" in told.err


def test_a_fork_is_told_and_can_be_taken_out(
    monkeypatch: pytest.MonkeyPatch,
    stage: Stage,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("--home", stage.home.folder)
    assert run(monkeypatch, "forks", *words) == 0
    assert capsys.readouterr().out == "no log has shown this witness two histories\n"
    stage.ask(0, stage.log.history(7))
    stage.ask(7, stage.log.history(7, 3))
    assert run(monkeypatch, "status", *words) == 0
    assert "size 7, cosigned 2026-11-18 11:06:40Z; 1 FORK kept" in capsys.readouterr().out
    assert run(monkeypatch, "forks", *words, "--out", tmp_path / "out") == 1
    assert "has two trees of size 7" in capsys.readouterr().out
    notes = [(tmp_path / "out" / f"1.{part}").read_bytes() for part in ("cosigned", "refused")]
    signed = [SignedCheckpoint.parse(note) for note in notes]
    for one in signed:
        verify_log(one, stage.log.key)
    assert len({one.checkpoint.size for one in signed}) == 1
    assert len({one.checkpoint.root for one in signed}) == 2


def test_a_damaged_home_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.database.write_bytes(b"nonsense" * 100)
    assert run(monkeypatch, "status", "--home", home.folder) == 1
    assert capsys.readouterr().err.startswith("workseal-witness: the database refused")
