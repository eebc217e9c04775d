"""Run the servers that are compared, each as a process of its own, and look at what it takes."""

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import load
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from segments import PERIOD_MS, LogSide, sequence

from workseal_protocol.encoding import Fields, decode
from workseal_protocol.keys import PublicKey
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.receipt import SubmissionAnswer
from workseal_protocol.statement import Statement

SUBMIT = "/v1/statements"
MEDIA = "application/cbor-seq"
_BIN = Path(sys.executable).parent
_HERE = Path(__file__).parent
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    """A server that answers; `process` and what came of it are what it takes."""

    port: int
    process: int

    def cpu_s(self) -> float:
        """Tell how much CPU time its processes have taken."""
        return sum(_cpu_s(one) for one in self._family())

    def rss_mib(self) -> float:
        """Tell how much memory its processes hold."""
        return sum(_rss_mib(one) for one in self._family())

    def _family(self) -> list[int]:
        """Name its process, its children and theirs: a worker has one that checks signatures."""
        family = [self.process]
        for process in family:
            family += _children(process)
        return family


def _children(process: int) -> list[int]:
    found: list[int] = []
    # A child is listed with the thread that began it, and threads come and go.
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (thread / "children").read_text().split())
    return found


def _cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _rss_mib(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@dataclass(frozen=True)
class Verifier(Running):
    """The running verifier, and its home."""

    home: Path

    def side(self) -> LogSide:
        """Ask what people must know who agree on this log."""
        fields = Fields(decode(load.ask(self.port, load.get("/v1/operator"))), "operator")
        return LogSide(
            operator=PublicKey.of_raw(fields.octets(1, "key")),
            policy=TlogPolicy.parse(fields.text(2, "policy")),
            log=self._log,
        )

    def _log(self, statements: Sequence[Statement]) -> SubmissionAnswer:
        return SubmissionAnswer.parse(load.ask(self.port, submission(statements)))

    def check(self) -> None:
        """Have the whole log derived again."""
        subprocess.run([_BIN / "workseal-verifier", "check-log", "--home", self.home], check=True)


def submission(statements: Sequence[Statement]) -> bytes:
    """Write the request that submits statements."""
    return load.post(SUBMIT, MEDIA, sequence(statements))


@dataclass(frozen=True)
class VerifierOptions:
    """How to run it: words for `serve`, and lines for its settings."""

    serve: Sequence[str] = ()
    settings: Mapping[str, str | int] = dataclasses.field(default_factory=dict)


@contextlib.contextmanager
def verifier(home: Path, options: VerifierOptions) -> Iterator[Verifier]:
    """Run the real command, as an operator does."""
    command = _BIN / "workseal-verifier"
    made = ["init", "--home", str(home), "--origin", "bench", "--period-ms", str(PERIOD_MS)]
    subprocess.run([command, *made], check=True, stdout=subprocess.DEVNULL)
    _set(home / "verifier.toml", options.settings)
    port = load.free_port()
    serve = ["serve", "--home", str(home), "--port", str(port), *options.serve]
    with _process([command, *serve], {}) as process:
        load.await_port(port)
        yield Verifier(port, process, home)


def _set(path: Path, settings: Mapping[str, str | int]) -> None:
    lines = path.read_text().splitlines()
    kept = [line for line in lines if line.split(" ", 1)[0] not in settings]
    # A string or number of JSON is one of TOML too.
    added = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    path.write_text("\n".join([*kept, *added, ""]))


@contextlib.contextmanager
def naive(folder: Path, kind: str, keys: Mapping[str, Ed25519PrivateKey]) -> Iterator[Running]:
    """Run the obvious server on a new database."""
    folder.mkdir()
    port = load.free_port()
    devices = {name: key.public_key().public_bytes_raw().hex() for name, key in keys.items()}
    environment = {
        "BENCH_DB": str(folder / "naive.db"),
        "BENCH_DEVICES": json.dumps(devices),
        "BENCH_KIND": kind,
        "BENCH_PORT": str(port),
    }
    with _process([sys.executable, _HERE / "naive.py"], environment) as process:
        load.await_port(port)
        yield Running(port, process)
    shutil.rmtree(folder)


@contextlib.contextmanager
def bare(body_bytes: int) -> Iterator[Running]:
    """Run Starlette, which answers with so many bytes and does nothing else."""
    port = load.free_port()
    environment = {"BENCH_BODY": str(body_bytes), "BENCH_PORT": str(port)}
    with _process([sys.executable, _HERE / "bare.py"], environment) as process:
        load.await_port(port)
        yield Running(port, process)


@contextlib.contextmanager
def _process(command: Sequence[str | Path], environment: Mapping[str, str]) -> Iterator[int]:
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()
