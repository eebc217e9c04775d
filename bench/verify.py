"""A month's bundle: what verifying it takes, beside the bare checks of its signatures.

Run it with `.venv/bin/python bench/verify.py [--segments N] [--kept FOLDER] [--cryptography]`. The
bundle is `month.py`'s, kept in the folder for further runs. The floor is every signature of it but
those of time-stamps, checked one after another: of statements and manifest, of log and witness
under each checkpoint, and of the receipts, of which those that repeat one signature over one root
count once (`all` counts them all). Beside it in each run: the same examination within this process,
which has one processor, and the whole command `workseal verify`, its start included. With
`--cryptography` it is a base install: PyNaCl is not found. Ratios are within a run; the middle one
is told.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
if "--cryptography" in sys.argv:
    sys.modules["nacl"] = None  # type: ignore[assignment]

from month import SEGMENTS, Check, Month, checks_of, month

from workseal_protocol import ed25519
from workseal_protocol.verify import examine_bundle

RUNS = 5
# The program as it is installed, or as it is where PyNaCl is not.
COMMAND = "import sys; {}; from workseal_protocol.cli.program import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Spent:
    """Hold seconds by the clock, seconds of processors, and the most memory in MiB."""

    wall: float
    cpu: float
    peak: float = 0.0


def within(work: Callable[[], object]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def command(folder: Path, *, base: bool) -> Spent:
    """Run the whole command, and add up what its processes took."""
    code = COMMAND.format("sys.modules['nacl'] = None" if base else "pass")
    words = ["verify", str(folder / "bundle"), "--policy", str(folder / "policy")]
    begun = time.perf_counter()
    running = subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(running.pid, 0)
    wall = time.perf_counter() - begun
    if status:
        raise SystemExit("the command says that the bundle does not hold")
    return Spent(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def check(checks: Sequence[Check]) -> None:
    """Check every signature, and nothing else."""
    for key, signature, message in checks:
        key.verify(signature, message)


def examine(found: Month) -> None:
    """Verify the bundle, which must hold."""
    report = examine_bundle(found.data, found.policy, zone=ZoneInfo("Europe/Berlin"))
    if not report.holds:
        raise SystemExit(f"the bundle does not hold: {report.steps}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, default=SEGMENTS)
    parser.add_argument("--kept", type=Path, metavar="FOLDER")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--cryptography", action="store_true")
    options = parser.parse_args()
    found = month(options.segments, options.kept)
    kinds = checks_of(found)
    every = [one for kind in kinds.values() for one in kind]
    distinct = list({(one[0].raw, *one[1:]): one for one in every}.values())
    counted = ", ".join(f"{name}: {len(kind)}" for name, kind in kinds.items())
    print(f"{found.about}, {len(found.data)} bytes; signatures of {counted}")
    # What is asked is what `ed25519` asks, so that it says which library answers.
    library = "libsodium" if getattr(ed25519, "_SODIUM_IS_STRICT") else "cryptography"  # noqa: B009
    print(f"{library}; floor: {len(distinct)} checks, all: {len(every)}")
    rows: dict[str, list[Spent]] = {"floor": [], "all": [], "examined": [], "command": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bundle").write_bytes(found.data)
        (folder / "policy").write_text(found.policy.encode())
        for run in range(options.runs):
            rows["floor"].append(within(lambda: check(distinct)))
            rows["command"].append(command(folder, base=options.cryptography))
            rows["examined"].append(within(lambda: examine(found)))
            rows["all"].append(within(lambda: check(every)))
            told = ", ".join(
                f"{kind} {each[-1].wall:.2f} ({each[-1].cpu:.2f})" for kind, each in rows.items()
            )
            print(f"run {run + 1}, load {os.getloadavg()[0]:.1f}, s (CPU): {told}")
    tell(rows)


def tell(rows: dict[str, list[Spent]]) -> None:
    floor = rows["floor"]
    for name, spent in rows.items():
        wall = [one.wall / least.wall for one, least in zip(spent, floor, strict=True)]
        cpu = [one.cpu / least.cpu for one, least in zip(spent, floor, strict=True)]
        print(
            f"{name:9} {statistics.median(one.wall for one in spent):6.2f} s,"
            f" {statistics.median(one.cpu for one in spent):6.2f} s of CPU; to the floor:"
            f" {statistics.median(wall):.2f} by the clock ({min(wall):.2f} to {max(wall):.2f}),"
            f" {statistics.median(cpu):.2f} by CPU"
        )
    print(f"the command's highest: {max(one.peak for one in rows['command']):.0f} MiB")


if __name__ == "__main__":
    main()
