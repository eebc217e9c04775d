import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bridge import Bridge, bridged
from support.homes import WORDS, RigHome
from support.typed import PASSPHRASE, Typed, typed_in
from support.vaults import PUBLIC, file_of
from support.worker import PATIENCE_S, Worker, ended
from workseal_agent import catchup
from workseal_agent.backup import write_backup
from workseal_agent.backupfile import CONTEXT, KeyDoor
from workseal_agent.cli.handover import PASSPHRASE_VARIABLE
from workseal_agent.keystore import Keystore
from workseal_agent.vaultkey import SealingKey


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with bridged() as bridge:
        yield bridge
    ended()


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Typed:
    return typed_in(tmp_path / "home", monkeypatch, capfd)


def test_a_move_to_another_machine(
    run: Typed, bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(tmp_path / "home", bridge, capture_rate=65_536)
    process = worker.start()
    worker.wait(process)
    saved = tmp_path / "saved.backup"
    save(run, saved, monkeypatch)
    take_another(worker)
    worker.ask("stop")
    assert process.wait(PATIENCE_S) == 0
    assert run("send").code == 0
    new = tmp_path / "new"
    refuse(run, saved, new)
    bridge.up = False
    done = run("--home", new, "restore", saved)
    assert done.code == 0, done.err
    assert "must never record or send again" in done.out
    assert "not caught up: no answer from the verifier" in done.out
    done = run("--home", new, "start")
    assert (done.code, "no answer from the verifier" in done.err) == (1, True)
    assert "restored from a backup: nothing is signed" in run("--home", new, "status").out
    assert run("--home", new, "catch-up").code == 1
    bridge.up = True
    monkeypatch.setattr(catchup, "_SENT_MS", 200)
    done = run(
        "--home",
        new,
        "declare",
        "--begin",
        "2026-01-01T09:00",
        "--end",
        "2026-01-01T10:00",
        "--memo=x",
    )
    assert (done.code, "`workseal-agent catch-up`" in done.err) == (1, True)
    done = run("--home", new, "catch-up")
    assert done.code == 0, done.out
    assert "listening for 1 seconds whether another copy of this home records" in done.out
    assert "statements were signed after the backup" in done.out
    assert "not here" in run("--home", new, "frames").out
    done = run("--home", new, "vault", "check")
    assert (done.code, "the frame is missing" in done.out) == (1, True)
    go_on(run, new, worker.pictures)
    assert run("--home", tmp_path / "third", "restore", tmp_path / "unattended").code == 0


def take_another(worker: Worker) -> None:
    """Wait until a frame was taken that is not in the backup."""

    def taken() -> int:
        with worker.ledger() as ledger:
            return len(ledger.captures(worker.engagement.id))

    before, deadline = taken(), time.monotonic() + 20
    while taken() < before + 2 and time.monotonic() < deadline:
        time.sleep(0.2)


def save(run: Typed, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a backup with the passphrase, and one without asking for it."""
    done = run("backup", saved)
    assert done.code == 0, done.err
    assert run("backup", saved).code == 1
    assert run("backup", saved.parent / "absent" / "b").code == 2
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    assert run("backup", saved.with_name("typed")).code == 2
    assert run("backup", saved.with_name("unattended"), "--unattended").code == 0
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)


def refuse(run: Typed, saved: Path, new: Path) -> None:
    """Refuse what cannot be meant, and make nothing."""
    strange = saved.with_name("strange")
    strange.write_bytes(b"x")
    for words, code, sentence in (
        (("restore", saved), 1, "never written over"),
        (("--home", new, "restore", strange), 2, "is no backup"),
        (("--home", new, "restore", saved.with_name("absent")), 2, "is no file"),
    ):
        done = run(*words)
        assert (done.code, sentence in done.err) == (code, True), done.err
    assert not new.exists()


def go_on(run: Typed, new: Path, pictures: Path) -> None:
    done = run("--home", new, "start", "--screen", "replay", "--replay", pictures)
    assert done.code == 0, done.err
    time.sleep(1.2)
    assert run("--home", new, "stop").code == 0
    told = json.loads(run("--home", new, "status", "--json").out)
    assert (told["unsent"], told["parked"], told["restored"]) == (0, 0, False)
    assert Keystore.load(new / "keys").unlock_seed(PASSPHRASE)


def test_what_is_not_whole_is_named_and_the_exit_code_says_so(
    run: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, WORDS)
    home = RigHome(tmp_path / "home")
    rows = home.ledger.captures(home.rig.engagement.id)
    missing, rotten = (file_of(home.settings.vault_folder, row.commitment) for row in rows[:2])
    missing.unlink()
    rotten.write_bytes(rotten.read_bytes()[:-1] + b"x")
    home.ledger.close()
    done = run("backup", tmp_path / "b")
    assert done.code == 1
    assert f"frame {rows[0].number} of engagement" in done.out
    assert "1 object of the vault not whole in the backup; all else is" in done.err
    done = run("--home", tmp_path / "new", "restore", tmp_path / "b")
    assert done.code == 1
    for row in rows[:2]:
        assert f"frame {row.number} of engagement" in done.out
    assert "2 objects of the vault damaged or missing in the backup" in done.err
    assert (tmp_path / "new" / "keys").exists()
    assert run("--home", tmp_path / "new", "backup", tmp_path / "again").code == 1
    assert (tmp_path / "again").exists()


def test_an_unattended_backup_shows_who_made_it(
    run: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, WORDS)
    home = RigHome(tmp_path / "home")
    home.settings.maker_file.unlink()
    done = run("backup", tmp_path / "a", "--unattended")
    assert (done.code, "nothing yet that shows that a backup is its own" in done.err) == (1, True)
    assert not (tmp_path / "a").exists()
    assert run("backup", tmp_path / "typed").code == 0
    assert run("backup", tmp_path / "a", "--unattended").code == 0
    new = tmp_path / "new"
    assert run("--home", new, "restore", tmp_path / "a").code == 0
    assert run("--home", new, "backup", tmp_path / "b", "--unattended").code == 0

    def by_anybody(file_key: bytes) -> KeyDoor:
        sealed = SealingKey(PUBLIC).seal(file_key, CONTEXT)
        return KeyDoor(home.keystore.encode(), sealed, vouched=False)

    home.settings.config_file.write_text("[mask]\ndefaults = false\n")
    write_backup(home.settings, home.ledger, PUBLIC, tmp_path / "forged", by_anybody)
    done = run("--home", tmp_path / "third", "restore", tmp_path / "forged")
    assert (done.code, "nothing shows who made this backup" in done.err) == (1, True)
    assert not (tmp_path / "third").exists()
    done = run("--home", tmp_path / "third", "restore", tmp_path / "forged", "--unknown-maker")
    assert (done.code, "Nobody vouches for this backup" in done.out) == (0, True)
