"""Honest requests to a real server, while 1,000 slow connections and 100 huge bodies come in.

Run it with `.venv/bin/python bench/hostile.py [--slow N] [--bodies N]`. Attackers, the
honest clients and the server are processes of their own on loopback. Honest clients ask for the
checkpoint and a tile and log an offer, again and again, each with its latency; "quiet" is before
the attack. "growth" is resident memory beyond that before the attack. "closed" is when the last
hostile connection was over, from its first byte.
"""

import argparse
import asyncio
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import httpx

from support import builders, hostile
from support.simulator import seeded
from workseal_protocol.encoding import decode
from workseal_protocol.keys import PublicKey, SeedSigner
from workseal_protocol.records import Offer, sign

COMMAND = Path(sys.executable).with_name("workseal-verifier")


def honest(url: str, name: str, stop: threading.Event, kept: list[tuple[str, float]]) -> None:
    """Ask and submit until told to stop; keep (what, milliseconds)."""
    facts = decode(httpx.get(f"{url}/v1/operator", trust_env=False, timeout=60).content)
    match facts:
        case {1: bytes(key), 2: str(policy)}:
            operator = PublicKey(key)
        case _:
            raise SystemExit("the operator's facts are not in their form")
    number = 0
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        while not stop.is_set():
            number += 1
            body = offer(operator, policy, f"{name} {number}")
            for what, path, content in (
                ("read", "/v1/log/checkpoint", b""),
                ("read", "/v1/log/tile/0/000.p/3", b""),
                ("submit", "/v1/statements", body),
            ):
                begun = time.perf_counter()
                try:
                    answer = client.request("POST" if content else "GET", path, content=content)
                    end = "" if answer.is_success else f" {answer.status_code}"
                except httpx.HTTPError as error:
                    end = f" {type(error).__name__}"
                kept.append((what + end, (time.perf_counter() - begun) * 1000))
            time.sleep(0.02)


def offer(operator: PublicKey, policy: str, word: str) -> bytes:
    keys = {role: SeedSigner(seeded(b"hostile", role, word)) for role in ("client", "freelancer")}
    terms = builders.make_terms(
        **{role: signer.public_key for role, signer in keys.items()},
        operator=operator,
        log_policy=policy,
        round_ms=30_000,
    )
    identifier = seeded(b"hostile", "engagement", word)[:16]
    return sign(Offer(engagement=identifier, claimed_at=1, terms=terms), keys["client"]).encode()


def run_attack(
    port: int, kinds: list[str], results: "multiprocessing.Queue[list[hostile.Outcome]]"
) -> None:
    attacks = [(kind, getattr(hostile, kind)) for kind in kinds]
    results.put(asyncio.run(hostile.attack(port, attacks)))


def told(title: str, kept: list[tuple[str, float]]) -> None:
    for what in sorted({name for name, _ in kept}):
        times = sorted(took for name, took in kept if name == what)
        worst = times[-1]
        p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
        print(
            f"{title:>9} {what:<16} n {len(times):>5}  p50 {statistics.median(times):7.1f} ms"
            f"  p99 {p99:7.1f} ms  max {worst:7.1f} ms"
        )


def phase(title: str, url: str, process: int, kinds: list[str], quiet_s: float = 0) -> None:
    """Run the honest clients, beside an attack or alone for some seconds."""
    stop = threading.Event()
    kept: list[tuple[str, float]] = []
    clients = [
        threading.Thread(target=honest, args=(url, f"{title} {n}", stop, kept)) for n in range(2)
    ]
    before = peak = hostile.memory_of(process)
    for client in clients:
        client.start()
    if kinds:
        results: multiprocessing.Queue[list[hostile.Outcome]] = multiprocessing.Queue()
        port = int(url.rpartition(":")[2])
        attacker = multiprocessing.Process(target=run_attack, args=(port, kinds, results))
        attacker.start()
        while results.empty():
            peak = max(peak, hostile.memory_of(process))
            time.sleep(0.05)
        outcomes = results.get()
        attacker.join()
        for kind in dict.fromkeys(kinds):
            found = [one for one in outcomes if one.kind == kind]
            ends = {s: sum(one.status == s for one in found) for s in {one.status for one in found}}
            sent = max(one.sent for one in found) / hostile.MIB
            print(
                f"{title:>9} {kind:<16} n {len(found):>5}  ends {ends}"
                f"  closed {max(one.seconds for one in found):.1f} s  sent at most {sent:.1f} MiB"
            )
    else:
        time.sleep(quiet_s)
    stop.set()
    for client in clients:
        client.join()
    told(title, kept)
    if kinds:
        print(f"{title:>9} memory before {before >> 20} MiB, growth {(peak - before) >> 20} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slow", type=int, default=1_000)
    parser.add_argument("--bodies", type=int, default=100)
    parser.add_argument("--quiet", type=float, default=8)
    options = parser.parse_args()
    slow = ["slow_header"] * (options.slow * 4 // 10)
    slow += ["slow_body"] * (options.slow * 3 // 10)
    slow += ["unread"] * (options.slow - len(slow))
    bodies = ["declared", "undeclared"] * (options.bodies // 2)
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        subprocess.run(
            [COMMAND, "init", "--home", home, "--origin", "bench.example/hostile"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        command = [str(COMMAND), "serve", "--home", str(home), "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            line = server.stdout.readline() if server.stdout is not None else ""
            url = line.split()[-1]
            try:
                phase("quiet", url, server.pid, [], options.quiet)
                phase("slow", url, server.pid, slow)
                phase("bodies", url, server.pid, bodies)
            finally:
                server.terminate()
    print(f"load of the machine {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
