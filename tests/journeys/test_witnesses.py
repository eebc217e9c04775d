"""A witness, a log and an auditor that we did not write, against our log and witness, by HTTP."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.office import FakeClock, LiveServer, Office, new_home, stranger_offer
from support.twofaced import Leaves, TwoFacedLog
from support.witnessed import serving, stands
from workseal_protocol.checkpoint import SignedCheckpoint, verified_cosignatures, verify_log
from workseal_protocol.merkle import consistency_path, leaf_hash
from workseal_protocol.note import VerifierKey
from workseal_protocol.policy import verify_checkpoint
from workseal_protocol.witness import monitoring_path
from workseal_verifier.config import Settings, WitnessSettings
from workseal_verifier.homekeys import load_identity
from workseal_verifier.outward import Outward
from workseal_verifier.services.health import Health
from workseal_verifier.services.outside import Outside, Standing
from workseal_verifier.services.witnessing import Witnessing

from .conftest import environment_of

ORACLES = Path(__file__).resolve().parents[1] / "oracles"
COMMANDS = Path(sys.executable).parent

pytestmark = [pytest.mark.journey, pytest.mark.oracle]


class WallClock(FakeClock):
    """Tell the real time: the other witness has no other."""

    ms = property(lambda _: time.time_ns() // 1_000_000, lambda _, _ms: None)


@pytest.fixture(scope="module")
def aics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of commands of an environment with aics-witness and aics-tlog.

    They say that they need Python 3.12, and work with 3.11.
    """
    packages = ("aics-witness==0.1.0", "aics-tlog==0.2.1", "--ignore-requires-python")
    return environment_of(tmp_path_factory.mktemp("aics"), *packages).parent


def run(*words: str | Path, code: int = 0) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@dataclass
class Stranger:
    """A running aics-witness."""

    aics: Path
    config: Path
    url: str
    key: VerifierKey

    def evidence(self) -> list[dict[str, Any]]:
        kept = json.loads(run(self.aics / "aics-witness", "evidence", "--config", self.config))
        return list(kept)

    def newest(self, origin: str) -> SignedCheckpoint:
        with urllib.request.urlopen(self.url + monitoring_path(origin)) as answer:
            return SignedCheckpoint.parse(answer.read())


@contextmanager
def stranger(aics: Path, folder: Path, log: VerifierKey) -> Iterator[Stranger]:
    """Run an aics-witness that knows a log."""
    program, config = aics / "aics-witness", folder / "witness.json"
    name = "witness.aics.example/w1"
    vkey = run(program, "init", "--config", config, "--name", name).strip()
    run(program, "add-log", "--config", config, "--origin", log.name, "--vkey", log.encode())
    serving_it = subprocess.Popen(
        [program, "serve", "--config", config, "--listen", "127.0.0.1:0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        found = None
        while found is None:
            assert serving_it.stderr is not None
            line = serving_it.stderr.readline()
            assert line, "the witness did not start"
            found = re.search(r"listening on (http://\S+) ", line)
        yield Stranger(aics, config, found[1], VerifierKey.parse(vkey))
    finally:
        serving_it.kill()
        serving_it.communicate()


@dataclass
class Town:
    """A live log of ours with two witnesses: one of strangers, one of ours."""

    settings: Settings
    stranger: Stranger
    ours: VerifierKey
    office: Office
    live: LiveServer

    @property
    def log(self) -> VerifierKey:
        return self.office.log_key


def open_office(settings: Settings, closing: ExitStack) -> Office:
    office = Office(settings, clock=WallClock())
    closing.callback(office.close)
    return office.open()


@pytest.fixture(scope="module")
def town(aics: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    with ExitStack() as closing:
        plain = new_home(folder)
        key = load_identity(plain).log_key
        other = closing.enter_context(stranger(aics, folder, key))
        (own,) = closing.enter_context(stands(folder, ["own"], key, lambda: int(time.time())))
        tables = (
            WitnessSettings("stranger", other.key, other.url),
            WitnessSettings("own", own.keys[0], closing.enter_context(serving(own.witness))),
        )
        quorum = ("group all 3 clock stranger own", "quorum all")
        settings = Settings(
            home=plain.home,
            origin=plain.origin,
            periods_ms=plain.periods_ms,
            tick_ms=0,
            min_free_mib=0,
            witness=tables,
            quorum=quorum,
        )
        office = open_office(settings, closing)
        for word in range(300):
            office.post([stranger_offer(office, word)], office._old())
        live = closing.enter_context(LiveServer(office))
        yield Town(settings, other, own.keys[0], office, live)


# --- our log, their witness ------------------------------------------------------------


def test_their_witness_cosigns_each_of_our_checkpoints(town: Town) -> None:
    # Each of the 300 answers was verified under a policy that needs this cosignature.
    signed = town.office.checkpoint()
    verify_checkpoint(signed, town.office.policy)
    (found,) = verified_cosignatures(signed, [town.stranger.key])
    assert abs(found.timestamp - time.time()) < 600
    shown = town.stranger.newest(town.log.name)
    assert shown.checkpoint == signed.checkpoint
    assert town.stranger.evidence() == []


def test_after_a_restart_their_witness_says_where_it_is(aics: Path, tmp_path: Path) -> None:
    plain = new_home(tmp_path)
    key = load_identity(plain).log_key
    with ExitStack() as closing:
        other = closing.enter_context(stranger(aics, tmp_path, key))
        settings = Settings(
            home=plain.home,
            origin=plain.origin,
            periods_ms=plain.periods_ms,
            tick_ms=0,
            min_free_mib=0,
            witness=(WitnessSettings("stranger", other.key, other.url),),
            quorum=("quorum stranger",),
        )
        for life in range(2):
            office = open_office(settings, closing)
            office.post([stranger_offer(office, life)])
            office.close()
        (standing,) = office.verifier.witnesses.witnessing.standings()
        assert standing[1] is Standing.COSIGNS
        assert other.newest(key.name).checkpoint.size == standing[2]


# --- a log that forks --------------------------------------------------------------------


def test_their_witness_and_ours_refuse_the_same_fork(aics: Path, tmp_path: Path) -> None:
    log = TwoFacedLog()
    with ExitStack() as closing:
        other = closing.enter_context(stranger(aics, tmp_path, log.key))
        (own,) = closing.enter_context(stands(tmp_path, ["own"], log.key, lambda: int(time.time())))
        outward = Outward(5)
        closing.callback(outward.close)
        both = [
            Outside({"stranger": other.key}, outward.to(other.url)),
            Outside({"own": own.keys[0]}, own.send),
        ]
        for size in (3, 8, 64):
            # Each time a log that has not been refused yet.
            assert shown_to(both, log, log.history(size)) == ["stranger", "own"]
            for lie in (log.history(size, size - 1), log.history(size + 5, 1)):
                assert shown_to(both, log, lie) == []
        kept = other.evidence()
        assert {one["origin"] for one in kept} == {log.key.name}
        assert len(kept) >= 3


def shown_to(outside: list[Outside], log: TwoFacedLog, leaves: Leaves) -> list[str]:
    """Ask the witnesses for this history; name those who cosign it. The others refuse for good."""
    witnessing = Witnessing(
        log.key,
        outside,
        policies=list,
        size=lambda: len(leaves),
        clock=WallClock(),
        health=Health(),
        timeout_s=10,
    )
    signed = witnessing.refresh(log.signed(leaves), lambda old: consistency_path(leaves, old))
    witnessing.close()
    keys = {key: name for one in outside for name, key in one.keys.items()}
    found = [keys[one.key] for one in verified_cosignatures(signed, keys)]
    refused = {name for name, one, _ in witnessing.standings() if one is Standing.STOPPED}
    assert refused == set(keys.values()) - set(found)
    return found


# --- our tiles, their auditor ---------------------------------------------------------------


@pytest.fixture
def audit(town: Town) -> list[str | Path]:
    return [
        *("--tiles", f"{town.live.url}/v1/log/", "--log-key", town.log.encode()),
        *("--witness-key", town.stranger.key.encode(), "--witness-key", town.ours.encode()),
    ]


def test_their_auditor_accepts_checkpoint_and_tiles_with_both_witnesses(
    town: Town, aics: Path, audit: list[str | Path]
) -> None:
    told = json.loads(run(aics / "aics-tlog", "verify-checkpoint", *audit, "--quorum", "2"))
    size = town.office.checkpoint().checkpoint.size
    assert (told["ok"], told["size"], told["tiles_ok"]) == (True, size, True)


def test_their_auditor_misses_a_third_witness(aics: Path, audit: list[str | Path]) -> None:
    run(aics / "aics-tlog", "verify-checkpoint", *audit, "--quorum", "3", code=1)


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299])
def test_their_auditor_proves_inclusion_from_our_tiles(
    town: Town, aics: Path, audit: list[str | Path], index: int
) -> None:
    command = [aics / "aics-tlog", "verify-inclusion", *audit, "--quorum", "2"]
    body = next(
        entry for entry in town.office.verifier.records.all() if entry.position == index
    ).digest
    run(*command, "--index", str(index), "--leaf-hash", leaf_hash(body.raw).hex())
    run(*command, "--index", str(index), "--leaf-hash", leaf_hash(bytes(32)).hex(), code=1)


def test_their_auditor_sees_our_log_only_grow(
    town: Town, aics: Path, audit: list[str | Path], tmp_path: Path
) -> None:
    saved = tmp_path / "old.checkpoint"
    command = aics / "aics-tlog"
    run(command, "verify-checkpoint", *audit, "--quorum", "2", "--save-checkpoint", saved)
    town.office.post([stranger_offer(town.office, "growth")], town.office._old())
    run(command, "verify-consistency", *audit, "--quorum", "2", "--old-checkpoint", saved)
    forged = TwoFacedLog(town.log.name)
    forged.signer = town.office.verifier.identity.log
    size = town.office.checkpoint().checkpoint.size - 1
    saved.write_bytes(forged.signed(forged.history(size)).encode())
    run(command, "verify-consistency", *audit, "--old-checkpoint", saved, code=1)


# --- their log, our witness -----------------------------------------------------------------


def test_their_log_is_cosigned_by_our_witness_and_its_lies_are_not(
    aics: Path, tmp_path: Path
) -> None:
    command, home, oracle = (
        COMMANDS / "workseal-witness",
        tmp_path / "w",
        ORACLES / "feed_witness.py",
    )
    vkey = run(command, "init", "--home", home, "--name", "witness.example/w1").strip()
    log = run(aics / "python", oracle, "vkey").strip()
    run(command, "add-log", "--home", home, "--vkey", log)
    running = subprocess.Popen(
        [command, "serve", "--home", home, "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        found = re.search(r"http://\S+", running.stdout.readline())
        assert found is not None
        told = json.loads(run(aics / "python", oracle, found[0], vkey))
        assert told == {
            "cosigned": [1, 2, 3, 7, 7, 64, 65, 300, 310],
            "lies": ["WitnessRejected"] * 4,
        }
    finally:
        running.kill()
        running.communicate()
    # Two of the lies had the size that was cosigned: each is a proof.
    assert (
        len(run(command, "forks", "--home", home, "--out", tmp_path / "out", code=1).splitlines())
        == 2
    )
    for path in (tmp_path / "out").iterdir():
        verify_log(SignedCheckpoint.parse(path.read_bytes()), VerifierKey.parse(log))
