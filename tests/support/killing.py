"""Acts of an agent, killed at each of their points: see `support.killed` for what these are.

A program of its own, with one thread. Each trial forks a child that acts on a copy of a home and
dies by SIGKILL just before or just after its k-th point. The parent is the verifier, and lives on.
Then it looks at what is left, starts again, and looks once more.

A kill leaves what the system already has: what a power cut would take, this cannot show.
"""

import contextlib
import copy
import itertools
import json
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from support.killed import (
    ACTS,
    BUNDLE,
    NEW_KEYS,
    OLD_BUNDLE,
    OLD_KEYS,
    VAULT_PRIVATE,
    VAULT_PUBLIC,
    Act,
    Killed,
    opened,
)
from support.rig import Rig
from support.simulator import Simulator
from support.wire import Wire
from workseal_agent.chain import OwnChain
from workseal_agent.connection import VerifierClient
from workseal_agent.evidence import bury
from workseal_agent.export import export
from workseal_agent.keyfile import change_file
from workseal_agent.ledger import Ledger, LedgerKey
from workseal_agent.vault import VaultReader
from workseal_agent.vaultobject import ObjectKind, object_id
from workseal_protocol.digest import Digest
from workseal_protocol.records import ChainedRecord, WithdrawalReason, read_record

ROUND_MS = 10_000
DAY = 86_400.0
# A kill leaves the system what it has: the disk has no part in this, where there is one in memory.
MEMORY = Path("/dev/shm")  # noqa: S108 - each sweep has a folder of its own there


class LeftWrongError(AssertionError):
    """Say what a kill left that it must not leave."""


@dataclass(slots=True)
class Heard:
    """Hold what the child told before it died: its points, and what had been acknowledged."""

    points: list[str] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    receipted: dict[str, int] = field(default_factory=dict)
    destroyed: list[str] = field(default_factory=list)
    worked_ms: int = 0
    wrong: str | None = None

    def require(self, ended: int, *, died: bool) -> None:
        """Raise `LeftWrongError` when it ended in another way than it was to."""
        if self.wrong is not None or ended != (signal.SIGKILL if died else 0):
            raise LeftWrongError(f"it ended with {ended}: {self.wrong}")


# The home before the act, its trials, and what is left.


def base_of(folder: Path) -> Rig:
    """Make a home with receipted and unsent segments and frames, as a kill left it.

    A session is open, a frame is in the vault that no segment names, and one that was withdrawn.
    """
    rig = Rig(folder, round_ms=ROUND_MS, capture_rate=65_536, retention_days=1)
    rig.ledger.close()
    opened(rig)
    rig.recorder.start()
    rig.work(25)
    rig.work(30, send=False)
    first, *_ = rig.ledger.captures(rig.engagement.id)
    bury(rig.chain, first, WithdrawalReason.PRIVATE, now_ms=rig.clock.wall_ms())
    while not rig.ledger.orphans():
        rig.work(1, send=False)
    rig.ledger.close()
    (folder / "keys").write_bytes(OLD_KEYS)
    (folder / BUNDLE).write_bytes(OLD_BUNDLE)
    return rig


def twin_of(base: Rig, folder: Path) -> Rig:
    """Copy a home and its verifier as they are."""
    shutil.copytree(base.path.parent, folder)
    rig = copy.copy(base)
    rig.path = folder / base.path.name
    rig.clock = copy.copy(base.clock)
    simulator = copy.copy(base.simulator)
    for name in ("leaves", "statements", "places", "checkpoints", "signed_at", "chains", "offers"):
        setattr(simulator, name, copy.copy(getattr(base.simulator, name)))
    return attached(rig, simulator)


def attached(rig: Rig, simulator: Simulator) -> Rig:
    """Join a rig with a verifier."""
    rig.simulator = simulator
    rig.wire = Wire(simulator)
    rig.beacon = copy.copy(rig.beacon)
    rig.beacon.simulator = simulator
    rig.client = VerifierClient("http://localhost", rig.wire)
    return rig


class Sweep:
    """Kill one act at its points."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.act = ACTS[name]
        self.folder = folder
        (folder / "base").mkdir()
        self.base = base_of(folder / "base")
        if name == "erase":
            self.base.clock.reboot(2 * DAY)
        else:
            self.base.clock.run(30)
        self.base.simulator.now = self.base.clock.true_ms
        self.trials = 0
        self.points: list[str] = []

    def run(self, chosen: Callable[[int], bool]) -> None:
        """Kill at the chosen points, until the act is through; raises `LeftWrongError`."""
        for kill_at in itertools.count(1):
            for before in (True, False):
                if self.points and not chosen(kill_at) and kill_at <= len(self.points):
                    continue
                heard = self._trial(kill_at if self.points else 0, before=before)
                if not self.points:
                    # The first trial dies nowhere: it tells which points there are.
                    self.points = heard.points
            if kill_at > len(self.points):
                return

    def _trial(self, kill_at: int, *, before: bool) -> Heard:
        self.trials += 1
        where = f"{self.name}, {'before' if before else 'after'} point {kill_at}"
        rig = twin_of(self.base, self.folder / f"trial-{self.trials}")
        heard = Heard(worked_ms=self._worked(rig))
        ended = self._fork(rig, heard, kill_at, before=before)
        try:
            heard.require(ended, died=0 < kill_at <= len(self.points))
            _Left(rig, heard).check(self.name)
        except Exception as error:
            told = f"{where} of {heard.points[-1:]}: {type(error).__name__}: {error}"
            raise LeftWrongError(told) from error
        finally:
            rig.client.close()
            shutil.rmtree(rig.path.parent)
        return heard

    def _worked(self, rig: Rig) -> int:
        rig.ledger = Ledger(rig.path, LedgerKey(rig.signer))
        with contextlib.closing(rig.ledger):
            return rig.worked_ms

    def _fork(self, rig: Rig, heard: Heard, kill_at: int, *, before: bool) -> int:
        mine, its = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            mine.close()
            _be_killed(self.act, rig, its, kill_at, before=before)
        its.close()
        with mine, mine.makefile("rb") as lines:
            for line in lines:
                _hear(json.loads(line), rig, heard, mine)
        _, status = os.waitpid(pid, 0)
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _be_killed(act: Act, rig: Rig, line: socket.socket, kill_at: int, *, before: bool) -> None:
    killed = None
    try:
        killed = Killed(rig, line, kill_at, before=before)
        killed.patch()
        act(killed)
        killed.acknowledge()
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - this process is a copy, and goes no further
        if killed is not None:
            killed.tell(wrong=f"{type(error).__name__}: {error}")
        os._exit(1)


def _hear(words: dict[str, Any], rig: Rig, heard: Heard, line: socket.socket) -> None:
    match words:
        case {"point": name}:
            heard.points.append(name)
        case {"wrong": text}:
            heard.wrong = text
        case {"stored": stored, "receipted": receipted, "destroyed": destroyed, "worked": worked}:
            heard.stored, heard.receipted, heard.destroyed = stored, receipted, destroyed
            heard.worked_ms = max(heard.worked_ms, worked)
        case {"method": method, "url": url, "body": body, "now": now}:
            rig.simulator.now = max(rig.simulator.now, now)
            answer = rig.wire.handle_request(
                httpx.Request(method, url, content=bytes.fromhex(body))
            )
            told = {
                "status": answer.status_code,
                "headers": dict(answer.headers),
                "body": answer.content.hex(),
            }
            line.sendall(json.dumps(told).encode() + b"\n")


class _Left:
    """Look at what a killed process left, start again, and look once more."""

    def __init__(self, rig: Rig, heard: Heard) -> None:
        self.rig = rig
        self.heard = heard
        self.vault = rig.path.parent / "vault"

    def check(self, name: str) -> None:
        """Raise `LeftWrongError` for what must not be."""
        if name == "rotate":
            self._check_keys()
        if name == "report":
            self._check_bundle()
        self.rig.ledger = Ledger(self.rig.path, LedgerKey(self.rig.signer))
        with self._closing():
            # Nothing was begun anew: this is what lies on the disk.
            OwnChain(self.rig.ledger, self.rig.engagement, self.rig.signer)
            self._check_acknowledged()
            self._check_bodies()
        self.rig.clock.reboot(120)
        self.rig.simulator.now = max(self.rig.simulator.now, self.rig.clock.true_ms)
        self.rig.random = itertools.count(1 << 20)
        opened(self.rig)
        with self._closing():
            self._go_on()
            self._check_acknowledged()
            self._check_bodies()
            self._check_vault()

    @contextlib.contextmanager
    def _closing(self) -> Iterator[None]:
        try:
            yield
        finally:
            self.rig.ledger.close()

    def _go_on(self) -> None:
        """Record on, send everything, and export: the bundle holds, and at most a round is lost."""
        rig = self.rig
        rig.recorder.start()
        before = rig.worked_ms
        if not self.heard.worked_ms - ROUND_MS <= before <= self.heard.worked_ms + 1_500:
            raise LeftWrongError(f"worked {self.heard.worked_ms} ms, and {before} ms are left")
        rig.work(12)
        rig.recorder.stop()
        if not rig.uplink.drain(100):
            raise LeftWrongError(f"not everything is sent: {rig.uplink.trouble}")
        made = export(
            rig.ledger, rig.client, rig.engagement, rig.signer,
            now_ms=rig.clock.true_ms, receipts=False,
        )  # fmt: skip
        if made.unsent or not made.report.holds:
            raise LeftWrongError(f"the bundle does not hold, or lacks {made.unsent}")
        if rig.worked_ms != before + 12_000:
            raise LeftWrongError(f"12 s of work after the start are {rig.worked_ms - before} ms")

    def _check_acknowledged(self) -> None:
        chain = {str(row.digest): row for row in self.rig.ledger.chain(self.rig.engagement.id)}
        for digest in self.heard.stored:
            if digest not in chain:
                raise LeftWrongError(f"statement {digest[:8]} was there, and is lost")
        for digest, index in self.heard.receipted.items():
            stored = chain.get(digest)
            if stored is not None and stored.log_index != index:
                raise LeftWrongError(f"the receipt of {digest[:8]} was there, and is lost")
        names = {path.name for path in self.vault.iterdir()}
        for frame in self.rig.ledger.captures(self.rig.engagement.id):
            told = str(frame.commitment) in self.heard.destroyed
            if told and not frame.withdrawn:
                raise LeftWrongError("a withdrawal was told as done, and is not")
            if told and object_name(frame.commitment) in names:
                raise LeftWrongError("a withdrawn frame was told as destroyed, and is there")

    def _check_bodies(self) -> None:
        """No number of the chain has one body here and another one in the log."""
        here = {row.seq: row.digest for row in self.rig.ledger.chain(self.rig.engagement.id)}
        for statement in self.rig.simulator.statements.values():
            record = read_record(statement)
            if isinstance(record, ChainedRecord) and here.get(record.seq) != statement.digest:
                raise LeftWrongError(f"number {record.seq} has another body in the log")

    def _check_vault(self) -> None:
        """The vault holds the frames that the chain names and did not withdraw, and no other."""
        rows = self.rig.ledger.captures(self.rig.engagement.id)
        report = VaultReader(self.vault, VAULT_PRIVATE).check(pixels=False)
        kept = {row.commitment for row in rows if not row.withdrawn}
        if report.problems or set(report.frames) != kept:
            raise LeftWrongError(
                f"the vault has {len(report.frames)} frames, the chain {len(kept)}"
            )
        if len(list(self.vault.iterdir())) != len(kept):
            raise LeftWrongError("something lies in the vault that is no frame of the chain")
        if self.rig.ledger.orphans() or self.rig.ledger.undestroyed():
            raise LeftWrongError("something announced or withdrawn was not tidied")

    def _check_keys(self) -> None:
        """The key file is the old one or the new one, and the next change leaves nothing else."""
        path = self.vault.parent / "keys"
        if path.read_bytes() not in (OLD_KEYS, NEW_KEYS):
            raise LeftWrongError("the key file is neither the old one nor the new one")
        change_file(path, 8192, lambda data: data)
        if [one.name for one in path.parent.glob("keys*")] != ["keys"]:
            raise LeftWrongError("a part of a key file was left")

    def _check_bundle(self) -> None:
        """The bundle is the older one or a whole one, and what was left beside it is private."""
        path = self.vault.parent / BUNDLE
        if path.read_bytes() != OLD_BUNDLE:
            with zipfile.ZipFile(path) as made:
                if made.testzip() is not None:
                    raise LeftWrongError("the bundle is not whole")
        for part in path.parent.glob(f"{BUNDLE}-*"):
            if part.stat().st_mode & 0o077:
                raise LeftWrongError("others can read what was left of a bundle")


def object_name(commitment: Digest) -> str:
    """Return the name of a frame's object in the vault of these trials."""
    return object_id(VAULT_PUBLIC, ObjectKind.FRAME, commitment.raw).hex()


def main(names: list[str], seed: int | None) -> None:
    """Sweep the named acts: whole, or a third of the points that a seed draws; tell as JSON."""
    chance = random.Random(seed)
    told: dict[str, Any] = {}
    for name in names:
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
            sweep = Sweep(name, Path(folder))
            offset = chance.randrange(3)
            problem = None
            try:
                sweep.run(lambda at, offset=offset: seed is None or at % 3 == offset)  # type: ignore[misc]
            except LeftWrongError as error:
                problem = str(error)
            told[name] = {"points": sweep.points, "trials": sweep.trials, "problem": problem}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[2:] or list(ACTS), None if sys.argv[1] == "all" else int(sys.argv[1]))
