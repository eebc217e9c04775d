"""A month's bundle: what verifying it takes, beside the bare checks of its signatures.

Run it with `.venv/bin/python bench/verify.py [--segments N]`. The bundle is told by the tests'
simulator: one engagement, a segment in each round, sent two hundred at a time. All times are CPU
times of one thread, the middle of some runs that alternate. Signatures are checked by the library
that is found; `--cryptography` keeps to that of a base install.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.scripted import ScriptedAgent, Story, finish
from support.simulator import START, Simulator
from workseal_protocol import ed25519
from workseal_protocol.keys import PublicKey
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.statement import Statement
from workseal_protocol.verify import examine_bundle

AT_ONCE = 200
RUNS = 3


def told(segments: int) -> Story:
    """Tell an engagement of so many segments."""
    verifier = Simulator(b"bench")
    verifier.publish_rules()
    verifier.start_beacon(START // verifier.round_ms - 360, segments + 1_000)
    agent = ScriptedAgent(verifier, terms=verifier.terms(capture_rate=0))
    verifier.now = START
    verifier.others(3)
    agent.open_session(rounds=segments + 200)
    for begun in range(0, segments, AT_ONCE):
        agent.work(min(AT_ONCE, segments - begun) * verifier.round_ms)
        agent.send()
    agent.close_session()
    verifier.now += 60_000
    verifier.others(2)
    return Story(verifier, agent, *finish(verifier, agent, ()))


def spent(work: Callable[[], object]) -> float:
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


def check_signatures(statements: tuple[Statement, ...], keys: dict[object, PublicKey]) -> None:
    """Check every signature, and nothing else."""
    for statement in statements:
        statement.verify_signature(keys[statement.issuer])


def examine(data: bytes, policy: TrustPolicy) -> None:
    """Verify the bundle, which must hold."""
    report = examine_bundle(data, policy)
    if not report.holds:
        raise SystemExit(f"the bundle does not hold: {report.steps}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, default=20_000)
    parser.add_argument("--cryptography", action="store_true")
    options = parser.parse_args()
    if options.cryptography:
        setattr(ed25519, "_SODIUM_IS_STRICT", False)  # noqa: B010
    story = told(options.segments)
    data, policy = story.bundle().encode(), story.policy
    statements = story.contents.statements
    keys: dict[object, PublicKey] = {
        signer.public_key.thumbprint: signer.public_key
        for signers in story.verifier.people.keys().values()
        for signer in signers
    }
    bare, whole = [], []
    for _ in range(RUNS):
        bare.append(spent(lambda: check_signatures(statements, keys)))
        whole.append(spent(lambda: examine(data, policy)))
    one, two = statistics.median(bare), statistics.median(whole)
    print(f"{len(statements)} statements, {len(data)} bytes")
    print(f"bare signature checks {one:.2f} s, the whole bundle {two:.2f} s: {two / one:.2f}")


if __name__ == "__main__":
    main()
