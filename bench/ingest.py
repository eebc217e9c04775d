"""Durable, receipted segments per second: this verifier, the obvious server, and the limits.

Run it with `.venv/bin/python bench/ingest.py`, on a machine that does nothing else (the packages
are those of the extra `bench`). Each run measures the limits of the machine, the obvious server
(`naive.py`) in all its variants, and this verifier with one segment a request and with 64, each
signed; every ratio is to the fastest variant of the same run. All statements are signed before a
clock starts. The answer to each connection's last request is verified, and at the end `check-log`
derives the whole log again. Sender and servers share the machine: both pay for it.
"""

import argparse
import hashlib
import json
import os
import platform
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import limits
import load
import segments
import servers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from workseal_protocol.digest import Digest
from workseal_protocol.receipt import SubmissionAnswer, verify_answer

BATCH = 64
# Kind of endpoint, and how many connections it serves at once.
VARIANTS = (("plain", 1), ("plain", 4), ("plain", 32), ("async", 1), ("async", 32))
# Requests before the clock starts: the first ones pay for what later ones find.
WARM = 2
# So many leaves the log has when its speed is measured early and late.
EARLY, LATE = 240_000, 3_200_000


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    runs: int
    connections: int
    many: int
    scale: int
    late: int
    verifier: servers.VerifierOptions


@dataclass
class Report:
    """Every figure of the bench, as it is printed."""

    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, value: float) -> float:
        """Keep one figure of one run."""
        self.figures.setdefault(name, []).append(value)
        return value

    def row(self, name: str, figures: load.Figures, cpu_s: float) -> None:
        """Print and keep what came of some load."""
        micros = 1e6 * cpu_s / figures.count
        print(
            f"  {name:36}{figures.rate:9.0f}/s   p50 {figures.p50_ms:6.1f}   p99"
            f" {figures.p99_ms:6.1f} ms   server CPU {micros:6.0f} us each",
            flush=True,
        )
        self.note(f"{name}, per second", figures.rate)
        self.note(f"{name}, p50 ms", figures.p50_ms)
        self.note(f"{name}, p99 ms", figures.p99_ms)
        self.note(f"{name}, server CPU us", micros)
        self.note(f"{name}, sender CPU us", 1e6 * figures.sender_cpu_s / figures.count)

    def ratio(self, name: str, value: float, goal: str) -> None:
        """Print one run's ratio beside the goal for it, and keep it."""
        print(f"  {name:58}{value:8.2f}   goal {goal}", flush=True)
        self.note(name, value)


# --- the obvious server ------------------------------------------------------------


def naive_loads(keys: Mapping[str, Ed25519PrivateKey], each: int) -> list[load.Load]:
    """Make chained entries for each device."""
    loads = []
    for name, key in keys.items():
        prev, requests = "", []
        for seq in range(each):
            fields = {
                "device": name,
                "seq": seq,
                "ts": 1764000000.5 + seq,
                "prev": prev,
                "commitment": secrets.token_hex(32),
            }
            data = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
            body = json.dumps(fields | {"signature": key.sign(data).hex()}).encode()
            requests.append(load.post("/entries", "application/json", body))
            prev = hashlib.sha256(data).hexdigest()
        loads.append(load.Load(requests))
    return loads


def measure_naive(folder: Path, scale: int, report: Report) -> tuple[float, float]:
    """Measure every variant; returns the best rate, and the best p99 at 32 connections in ms."""
    rates, waits = [], []
    for kind, connections in VARIANTS if scale > 1 else VARIANTS[-1:]:
        keys = {secrets.token_hex(8): Ed25519PrivateKey.generate() for _ in range(connections)}
        loads = naive_loads(keys, WARM + max(4, 32 * scale // connections))
        with servers.naive(folder / "naive", kind, keys) as server:
            load.drive(server.port, [load.Load(one.requests[:WARM]) for one in loads])
            loads = [load.Load(one.requests[WARM:]) for one in loads]
            cpu = server.cpu_s()
            figures = load.drive(server.port, loads)
            name = f"obvious, {kind}, {connections} connections"
            report.row(name, figures, server.cpu_s() - cpu)
        rates.append(figures.rate)
        if connections == 32:
            waits.append(figures.p99_ms)
    return max(rates), min(waits)


# --- this verifier -------------------------------------------------------------------


@dataclass
class Crowd:
    """People whose work is sent, and the digests of what each connection sends last."""

    side: segments.LogSide
    workers: list[segments.Worker]
    last: list[list[Digest]] = field(default_factory=list)

    @classmethod
    def of(cls, server: servers.Verifier, count: int) -> "Crowd":
        """Let so many people join."""
        side = server.side()
        return cls(side, [segments.join(side) for _ in range(count)])

    def loads(self, each: int, batch: int) -> list[load.Load]:
        """Sign chained segments: `each` requests for each worker."""
        self.last = []
        loads = []
        for worker in self.workers:
            groups = [[worker.segment() for _ in range(batch)] for _ in range(each)]
            loads.append(load.Load([servers.submission(group) for group in groups]))
            self.last.append([statement.digest for statement in groups[-1]])
        segments.await_end(self.workers)
        return loads

    def verify(self, loads: Sequence[load.Load]) -> None:
        """Verify the answer to each connection's last request, as an agent would."""
        for one, digests in zip(loads, self.last, strict=True):
            verify_answer(SubmissionAnswer.parse(one.last), digests, None, self.side.policy)


def measure(
    server: servers.Verifier, crowd: Crowd, *, each: int, batch: int, pace: float = 0.0
) -> tuple[load.Figures, float]:
    """Send one load, verify the last answers; returns figures and the server's CPU seconds."""
    loads = crowd.loads(each, batch)
    cpu = server.cpu_s()
    figures = load.drive(server.port, loads, each=batch, pace=pace)
    cpu = server.cpu_s() - cpu
    crowd.verify(loads)
    return figures, cpu


def one_run(server: servers.Verifier, folder: Path, options: Options, report: Report) -> None:
    """Measure everything once."""
    scale = options.scale
    commits = report.note("durable writes/s", limits.commits_per_second(folder, scale / 10))
    checks = report.note("signature checks/s", limits.checks_per_second(scale / 20))
    nodes = report.note("node hashes/s", limits.nodes_per_second(scale / 40))
    print(f"  limits: {commits:.0f} durable writes/s; one core: {checks:.0f} signature checks/s,")
    print(f"          {nodes:.0f} node hashes/s")
    naive, naive_wait = measure_naive(folder, scale, report)
    some = Crowd.of(server, options.connections)
    many = Crowd.of(server, options.many)
    best = 0.0
    for crowd in (some, many):
        figures, cpu = measure(server, crowd, each=max(4, 400 * scale // options.many), batch=1)
        report.row(f"ours, 1 a request, {len(crowd.workers)} connections", figures, cpu)
        best = max(best, figures.rate)
    full, cpu = measure(server, some, each=3 * scale, batch=BATCH)
    report.row(f"ours, {BATCH} a request, {options.connections} connections", full, cpu)
    half, half_cpu = measure(
        server, some, each=max(4, 3 * scale // 2), batch=BATCH, pace=full.rate / BATCH / 2
    )
    report.row(f"ours, {BATCH} a request, half load", half, half_cpu)
    report.ratio("1 a request / best obvious", best / naive, ">= 8")
    report.ratio(f"{BATCH} a request, each signed / best obvious", full.rate / naive, ">= 30")
    report.ratio(
        "p99 at half load / obvious p99, 32 connections", half.p99_ms / naive_wait, "<= 0.4"
    )
    report.ratio(f"{BATCH} a request / durable writes", full.rate / commits, ">= 5")
    report.ratio(f"{BATCH} a request / signature checks of one core", full.rate / checks, "-")
    report.ratio("server CPU each / a node hash", cpu / full.count * nodes, "-")


def measure_reading(server: servers.Verifier, options: Options, report: Report) -> None:
    """Measure what monitors and agents fetch, beside a server that only answers."""
    crowd = Crowd.of(server, 1)
    loads = crowd.loads(1, 1)
    load.drive(server.port, loads)
    digest = crowd.last[0][0]
    print("reading")
    paths = {"a full tile": "/v1/log/tile/0/000", "a proof": f"/v1/statements/{digest}"}
    for what, path in paths.items():
        size = len(load.ask(server.port, load.get(path)))
        with servers.bare(size) as bare:
            plain = _fetch(bare, "/", options, report, f"bare Starlette, {size} bytes")
        ours = _fetch(server, path, options, report, f"ours, {what}, {size} bytes")
        report.ratio(f"{what} / bare Starlette", ours / plain, "-")


def _fetch(
    server: servers.Running, path: str, options: Options, report: Report, name: str
) -> float:
    count = max(4, 10 * options.scale)
    loads = [load.Load([load.get(path)] * count) for _ in range(options.connections)]
    cpu = server.cpu_s()
    figures = load.drive(server.port, loads)
    report.row(name, figures, server.cpu_s() - cpu)
    return figures.rate


def measure_growth(server: servers.Verifier, options: Options, report: Report) -> None:
    """Measure the log's speed when it is young and when it is large."""
    crowd = Crowd.of(server, options.connections)
    each = 3 * options.scale
    step = each * BATCH * options.connections
    rates = []
    print("growth")
    size = crowd.side.log([crowd.workers[0].segment()]).signed.checkpoint.size
    for wanted in (EARLY * options.late // LATE, options.late):
        while size + step < wanted:
            load.drive(server.port, crowd.loads(each, BATCH), each=BATCH)
            size += step
        figures, cpu = measure(server, crowd, each=each, batch=BATCH)
        size += step
        report.row(f"ours, {BATCH} a request, {size} leaves", figures, cpu)
        rates.append(figures.rate)
        print(f"  memory {report.note('memory MiB', server.rss_mib()):.0f} MiB", flush=True)
    report.ratio("speed late / early", rates[1] / rates[0], ">= 0.8")


# --- the report ----------------------------------------------------------------------


def summary(report: Report) -> None:
    """Print the middle of each ratio over the runs."""
    print("middle of the runs")
    for name, values in report.figures.items():
        if " / " in name:
            spread = ", ".join(f"{value:.2f}" for value in values)
            print(f"  {name:58}{statistics.median(values):8.2f}   ({spread})")


def _options(words: Sequence[str] | None) -> tuple[Options, argparse.Namespace]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--many", type=int, default=256, help="connections with one a request")
    parser.add_argument("--quick", action="store_true", help="a little load: does it run at all?")
    parser.add_argument(
        "--late",
        type=int,
        metavar="LEAVES",
        nargs="?",
        const=LATE,
        default=0,
        help=f"also grow the log to so many leaves ({LATE}; takes long)",
    )
    parser.add_argument("--database", metavar="URL", help="the verifier's database")
    parser.add_argument("--workers", type=int, help="the verifier's processes")
    parser.add_argument("--tick-ms", type=int, help="how long a tick waits for more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    given = parser.parse_args(words)
    # The few signers of a bench send far more than agents do.
    settings: dict[str, str | int] = {"signer_rate": 0}
    if given.database is not None:
        settings["database_url"] = given.database
    if given.tick_ms is not None:
        settings["tick_ms"] = given.tick_ms
    serve = [] if given.workers is None else ["--workers", str(given.workers)]
    options = Options(
        runs=1 if given.quick else given.runs,
        connections=4 if given.quick else given.connections,
        many=8 if given.quick else given.many,
        scale=1 if given.quick else 20,
        late=given.late,
        verifier=servers.VerifierOptions(serve, settings),
    )
    return options, given


def main(words: Sequence[str] | None = None) -> None:
    options, given = _options(words)
    report = Report()
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} CPUs"
    print(machine)
    begin = time.time()
    # Beside the source and not in /tmp, which may be memory: commits must reach a disk.
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent, prefix=".bench-") as name:
        folder = Path(name)
        with servers.verifier(folder / "home", options.verifier) as server:
            report.note("idle memory MiB", server.rss_mib())
            for number in range(options.runs):
                print(f"run {number + 1}")
                one_run(server, folder, options, report)
            measure_reading(server, options, report)
            if options.late:
                measure_growth(server, options, report)
        server.check()
    summary(report)
    if given.json is not None:
        told = {"machine": machine, "began": int(begin), "argv": sys.argv[1:]}
        given.json.write_text(json.dumps(told | {"figures": report.figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
