import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.twofaced import TwoFacedLog
from workseal_agent.cli import main
from workseal_agent.cli.handover import PASSPHRASE_VARIABLE
from workseal_protocol.note import VerifierKey
from workseal_witness.home import Home, opened, witness_of

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "a passphrase for tests")
    monkeypatch.setenv("WORKSEAL_AGENT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def command(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["workseal-agent", *map(str, words)])
        capfd.readouterr()
        code = main()
        said = capfd.readouterr()
        return code, said.out, said.err

    assert command("init")[0] == 0
    return command


def test_makes_a_witness_with_a_key_of_its_own(run: Run, tmp_path: Path) -> None:
    code, out, err = run("witness")
    assert (code, out) == (1, "")
    assert "witness --name NAME" in err
    code, out, _ = run("witness", "--name", "freelancer.example/w1")
    assert code == 0
    vkey, told = out.splitlines()
    assert "set listen under [witness]" in told
    key = VerifierKey.parse(vkey)
    _, own, _ = run("status", "--public-key")
    assert key.key.text() != own.strip()
    assert run("witness")[1].splitlines()[0] == vkey
    assert (tmp_path / "home" / "witness" / "witness.key").stat().st_mode & 0o777 == 0o600


def test_never_replaces_one(run: Run) -> None:
    run("witness", "--name", "freelancer.example/w1")
    before = run("witness")
    code, _, err = run("witness", "--name", "freelancer.example/w2")
    assert code == 1
    assert "nothing is overwritten" in err
    assert run("witness") == before


def test_a_name_that_cannot_be_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    code, _, err = run("witness", "--name", "two words")
    assert code == 2
    assert "the name of a witness" in err
    assert not (tmp_path / "home" / "witness").exists()


def test_tells_how_far_it_has_cosigned_and_of_forks(run: Run, tmp_path: Path) -> None:
    run("witness", "--name", "freelancer.example/w1")
    config = tmp_path / "home" / "config.toml"
    config.write_text(config.read_text() + '[witness]\nlisten = "127.0.0.1:8090"\n')
    log, home = TwoFacedLog(), Home(tmp_path / "home" / "witness")
    with opened(home) as state:
        witness = witness_of(home, state, lambda: 1_795_000_000)
        witness.trust([log.key])
        assert f"{log.key.name}: nothing cosigned yet" in run("witness")[1]
        witness.add_checkpoint(log.request(0, log.history(5)))
        witness.add_checkpoint(log.request(5, log.history(5, 3)))
    code, out, _ = run("witness")
    assert code == 0
    assert "it listens on 127.0.0.1 port 8090 while you record" in out
    assert f"{log.key.name}: size 5, cosigned 2026-11-18 11:06:40" in out
    assert "1 FORK kept" in out
