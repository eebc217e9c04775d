"""What was taken back in a case stays closed, though the bundle is older than the claw-back."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.acting import KeptFrame, ScriptedAgent
from support.casefiles import work_and_quarrel
from support.cases import ARBITRATORS, Play
from support.scripted import disclose
from workseal_protocol.cli.seeds import write_case_key, write_seed
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    DisclosedFrame,
    DisputeRequest,
    read_record,
)
from workseal_protocol.sealing import case_public, seal_package

from .conftest import Run

PRIVATE = hashlib.shake_256(b"case key").digest(96)


@dataclass
class Answered:
    """Hold the files of an arbitrator whose request was answered, and the case as it stands."""

    folder: Path
    run: Run
    before: Path
    after: Path

    @property
    def sealed(self) -> tuple[object, ...]:
        here = self.folder
        return (
            "--request", here / "request.cose", "--case-key", here / "case.key",
            "--policy", here / "policy",
        )  # fmt: skip

    def open(self, case: Path, *more: object) -> tuple[int, str]:
        here = self.folder
        done = self.run(
            "open", here / "sealed", *self.sealed, "--bundle", here / "bundle", "--case", case,
            *more,
        )  # fmt: skip
        return done.code, done.err

    def check(self, case: Path) -> tuple[int, str]:
        here = self.folder
        done = self.run(
            "case", "checks", here / "bundle", *self.sealed, "--sealed", here / "sealed",
            "--filing", case, "--only", 4,
        )  # fmt: skip
        return done.code, done.err


@pytest.fixture
def answered(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Answered:
    frames: list[KeptFrame] = []

    def work(agent: ScriptedAgent) -> None:
        agent.work(3_600_000)
        frames.extend(agent.frames)

    def quarrel(play: Play) -> None:
        play.act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)
        play.act(Role.CLIENT, Act.END).draw()
        play.act(Role.ARBITRATOR, Act.DECLARE, sealing_key=case_public(PRIVATE)).both(Act.PASS)
        play.shown(1).granted(2).request()
        request = play.told[-1][0]
        asked = read_record(request)
        assert isinstance(asked, DisputeRequest)
        named = {one.frame for one in asked.frames}
        kept = [one for one in frames if one.tree.commitment in named]
        shown = [disclose(one, (0,)) for one in kept]
        pairs = zip(kept, shown, strict=True)
        play.disclose(
            frames=tuple(DisclosedFrame(one.tree.commitment, each.digest) for one, each in pairs)
        )
        answer = play.told[-1][0]
        items = [answer.encode(), *(one.encode() for one in shown)]
        package = seal_package(case_public(PRIVATE), request.digest, items)
        (tmp_path / "sealed").write_bytes(package)
        (tmp_path / "request.cose").write_bytes(request.encode())
        write_told(tmp_path / "before.cbor", play)
        play.act(Role.FREELANCER, Act.CLAW_BACK, cites=(answer.digest,))
        write_told(tmp_path / "after.cbor", play)
        number = ARBITRATORS.index(play.arbitrator) + 1
        seed = Digest.of(b"workseal test key: ", f"arbitrator {number}".encode())
        write_seed(tmp_path / "arbitrator.key", seed.raw)
        monkeypatch.setattr(time, "time_ns", lambda: (play.now + 1_000) * 1_000_000)

    told = work_and_quarrel(quarrel, work, capture_rate=65_536)
    (tmp_path / "bundle").write_bytes(told.bundle)
    (tmp_path / "policy").write_text(told.policy.encode())
    write_case_key(tmp_path / "case.key", PRIVATE)
    return Answered(tmp_path, run, tmp_path / "before.cbor", tmp_path / "after.cbor")


def write_told(path: Path, play: Play) -> None:
    path.write_bytes(b"".join(statement.encode() for statement, _ in play.told))


TAKEN_BACK = "it was disclosed by mistake and taken back: nothing is drawn"


def test_the_case_at_hand_tells_what_was_taken_back(answered: Answered) -> None:
    code, error = answered.open(answered.before)
    assert code == 0, error
    out = answered.folder / "pictures"
    code, error = answered.open(answered.after, "--out", out)
    assert (code, TAKEN_BACK in error) == (1, True)
    assert not out.exists()


def test_nobody_signs_a_finding_of_what_was_taken_back(answered: Answered) -> None:
    out, key = answered.folder / "finding.cose", answered.folder / "arbitrator.key"
    code, error = answered.open(answered.after, "--finding", out, "--key", key)
    assert (code, TAKEN_BACK in error) == (1, True)
    assert not out.exists()


def test_the_checks_of_the_desk_do_not_look_into_it(answered: Answered) -> None:
    code, error = answered.check(answered.before)
    assert code == 0, error
    code, error = answered.check(answered.after)
    assert (code, TAKEN_BACK in error) == (1, True)
