"""The resident agent: its memory and processor, and what a capture costs up to its commitment.

Run it with `.venv/bin/python bench/agent.py [--runs N] [--seconds N] [--json FILE]`. It starts
private X servers (Xvfb) with a picture on them, and the tests' simulator as the verifier.

`capture` takes pictures in this process with the real screen, mask, commitment, vault and ledger,
in turns with what any program would need for the same bytes: a copy, SHA-256, AES-GCM, zstd, and a
PNG made by OpenCV. CPU time of one thread; ratios are taken within a run.

`resident` starts the real recording process, looks at what the system says of it when it listens
with the rounds that terms usually have and no capture yet, and after some captures, and how much
processor it takes when nothing is due.

`imports` compares what a fresh Python spends to load the program that records on X11 with what it
spends to load the libraries that an agent without care would load, in turns. `commands` does so
for commands that people type, with no home to work on.

What is started is compiled before, as an installation has it, whatever the environment says of
writing compiled files.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "deploy"))

import cv2
import numpy as np
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desktop import Desktop
from support.bridge import bridged
from support.desktop import paint_root
from support.rig import Rig
from support.worker import Worker, ended
from workseal_agent.config import Settings
from workseal_agent.lightheap import keep_heap_light
from workseal_agent.mask import capture_masked, load_rules
from workseal_agent.recorder import Camera
from workseal_agent.recorder.camera import Due
from workseal_agent.screen.x11 import X11Screen
from workseal_agent.vault import VaultWriter
from workseal_agent.vaultkey import generate_private, public_of

SCREENS = {"1080p": (1920, 1080), "4K": (3840, 2160)}
# The terms' usual: thirty seconds, and a capture in one round of twenty.
ROUND_MS = 30_000
CAPTURES_AN_HOUR = 6
# Here a capture falls into every round, so that many need not be waited for.
OFTEN_MS = 2_000


def picture(width: int, height: int) -> bytes:
    """Return something between a flat desktop and noise: a third is full of small text."""
    flat = bytes((32, 34, 37)) * width
    rng = np.random.default_rng(1)
    rows = []
    for y in range(height):
        if y % 24 < 8:
            dots = rng.integers(0, 2, width, np.uint8) * rng.integers(90, 220, width, np.uint8)
            rows.append(np.repeat(dots, 3).tobytes())
        else:
            rows.append(flat)
    return b"".join(rows)


@contextmanager
def screen(width: int, height: int) -> Iterator[Desktop]:
    """Run a desktop with the picture on it."""
    with Desktop.start(width, height, window_manager=False) as desktop:
        paint_root(desktop, width, height, picture(width, height))
        yield desktop


# What a capture costs


def spent(runs: int, tasks: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Measure the milliseconds of CPU of each task, in turns."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(runs):
        for name, task in tasks.items():
            begin = time.thread_time()
            task()
            times[name].append((time.thread_time() - begin) * 1000)
    return times


def captures(name: str, runs: int) -> dict[str, float]:
    """Measure a capture beside what its bytes cost anybody; tells the medians, in ms of CPU."""
    width, height = SCREENS[name]
    keep_heap_light()  # as the recording process does
    with tempfile.TemporaryDirectory() as folder, screen(width, height) as desktop:
        source = X11Screen(desktop.display)
        rules = load_rules(Settings(Path(folder)))
        vault = VaultWriter(Path(folder) / "vault", public_of(generate_private()))
        rig = Rig(Path(folder))
        camera = Camera(
            lambda: capture_masked(source, source.windows, rules), vault, rig.ledger, 32
        )
        rounds = iter(range(1, 1 << 30))

        def take() -> None:
            shot = camera.shoot(Due(rig.engagement.id, bytes(16), next(rounds), 0, 0))
            if not shot.frames:
                raise SystemExit("no picture was taken")

        (frame,) = source.grab()
        pixels, key = frame.rgb, AESGCM(secrets.token_bytes(32))
        packed = zstandard.ZstdCompressor(level=3).compress(pixels)
        table = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
        times = spent(
            runs,
            {
                "capture to sealed commitment": take,
                "grab and mask alone": lambda: capture_masked(source, source.windows, rules),
                "memcpy": lambda: bytearray(pixels),
                "SHA-256": lambda: hashlib.sha256(pixels).digest(),
                "zstd, level 3": lambda: zstandard.ZstdCompressor(level=3).compress(pixels),
                "AES-GCM of what zstd leaves": lambda: key.encrypt(bytes(12), packed, None),
                "PNG by OpenCV": lambda: cv2.imencode(".png", table),
            },
        )
        rig.ledger.close()
        rig.client.close()
    found = {task: statistics.median(one) for task, one in times.items()}
    floor = sum(found[one] for one in ("memcpy", "SHA-256", "zstd, level 3"))
    floor += found["AES-GCM of what zstd leaves"]
    found["floor: copy, hash, pack and seal"] = floor
    sizes = f"{len(pixels) / 1e6:.1f} MB, {len(packed) / 1e6:.2f} packed"
    print(f"\n{name} {width} x {height}, {sizes}")
    for task, ms in found.items():
        print(f"  {task:34} {ms:8.2f} ms  {ms / floor:5.2f} x floor")
    return found


# What a start takes

EAGER = "import mss, cv2, numpy, imagehash, PIL, scipy.fftpack"
RECORDER = (
    "import sys; sys.modules['nacl'] = None;"  # as `record` does
    "import workseal_agent.recording, workseal_agent.screen.x11, workseal_agent.activity.x11"
)
# What a person types, and what the overview is.
COMMANDS = {"--help": ["--help"], "pause --help": ["pause", "--help"]}
COMMAND = """
import sys
sys.argv[1:] = {words!r}
sys.stdout = open("/dev/null", "w")
from workseal_agent import main
main()
"""


@contextmanager
def compiled() -> Iterator[None]:
    """Have each Python that is started write and read compiled files, in a folder of its own."""
    variables = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
    before = {name: os.environ.pop(name, None) for name in variables}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def started(program: str) -> float:
    """Return the milliseconds of CPU that a fresh Python takes for a program."""
    before = os.times()
    subprocess.run([sys.executable, "-P", "-c", program], check=True)
    after = os.times()
    spent = after.children_user - before.children_user
    return 1000 * (spent + after.children_system - before.children_system)


def imports(runs: int) -> dict[str, float]:
    """Measure what loading costs, in turns, after one turn that compiles."""
    programs = {"Python alone": "pass", "eager libraries": EAGER, "recording program": RECORDER}
    turns = [{name: started(text) for name, text in programs.items()} for _ in range(runs + 1)][1:]
    found = {name: statistics.median(turn[name] for turn in turns) for name in programs}
    ratios = [turn["recording program"] / turn["eager libraries"] for turn in turns]
    found["recording program / eager"] = statistics.median(ratios)
    print("\nimports, ms of CPU")
    for what, value in found.items():
        print(f"  {what:34} {value:8.2f}")
    return found


def commands(runs: int) -> dict[str, float]:
    """Measure what commands cost that do nothing but tell how they are used, in turns."""
    programs = {name: COMMAND.format(words=words) for name, words in COMMANDS.items()}
    turns = [{name: started(text) for name, text in programs.items()} for _ in range(runs + 1)][1:]
    found = {name: statistics.median(turn[name] for turn in turns) for name in programs}
    print("\ncommands, ms of CPU")
    for what, value in found.items():
        print(f"  {what:34} {value:8.2f}")
    return found


# What the resident process takes


def of_process(pid: int) -> dict[str, float]:
    """Return what Linux says of a process: MiB of memory, seconds of CPU, threads."""
    status = Path(f"/proc/{pid}/status").read_text()
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")

    def told(text: str, name: str) -> float:
        found = re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)
        return int(found[1]) if found else 0.0

    return {
        "resident": told(status, "VmRSS") / 1024,
        "peak": told(status, "VmHWM") / 1024,
        "own": told(rollup, "Private_Dirty") / 1024 + told(rollup, "Private_Clean") / 1024,
        "cpu": (int(fields[11]) + int(fields[12])) / ticks,
        "threads": told(status, "Threads"),
    }


def begun(worker: Worker, desktop: Desktop) -> "subprocess.Popen[bytes]":
    """Start the real recording process on a screen."""
    process = subprocess.Popen(
        [
            sys.executable, "-c", "from workseal_agent import main; raise SystemExit(main())",
            "--home", worker.home, "--passphrase-file", worker.home / "passphrase",
            "start", "--foreground", "--screen", "x11",
        ],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "DISPLAY": desktop.display},
    )  # fmt: skip
    Worker.started.append(process)
    worker.wait(process)
    return process


def resident(name: str, seconds: float, wanted: int) -> dict[str, float]:
    """Look at the recording process after some captures, and at rest before any."""
    width, height = SCREENS[name]
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, screen(width, height) as desktop:
        home = Path(folder)
        with bridged(OFTEN_MS) as bridge:
            worker = Worker(home / "capturing", bridge, capture_rate=65_536, tile=32)
            process = begun(worker, desktop)
            found["start, s of CPU"] = of_process(process.pid)["cpu"]
            while worker.ask("status")["captured"] < wanted:
                time.sleep(0.2)
            after = of_process(process.pid)
            found["after captures, MiB"] = after["resident"]
            found["after captures, own MiB"] = after["own"]
            found["peak, MiB"] = after["peak"]
            worker.ask("stop")
            process.wait(30)
        with bridged(ROUND_MS) as bridge:
            worker = Worker(home / "resting", bridge, capture_rate=0, tile=32)
            process = begun(worker, desktop)
            time.sleep(5.0)
            before, begin = of_process(process.pid), time.monotonic()
            found["listening, MiB"] = before["resident"]
            found["listening, own MiB"] = before["own"]
            time.sleep(seconds)
            used = of_process(process.pid)["cpu"] - before["cpu"]
            found["at rest, % of a core"] = 100 * used / (time.monotonic() - begin)
            worker.ask("stop")
            process.wait(30)
    print(f"\nresident, {name}")
    for what, value in found.items():
        print(f"  {what:34} {value:8.2f}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=40.0, help="at rest, for the processor")
    parser.add_argument("--captures", type=int, default=12, help="of the resident process")
    parser.add_argument("--quick", action="store_true", help="1080p alone, and little of it")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.runs, arguments.seconds, arguments.captures = 2, 1.0, 1
    load = os.getloadavg()[0]
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {load:.1f}")
    told: dict[str, Any] = {}
    try:
        with compiled():
            told["imports"] = imports(arguments.runs)
            told["commands"] = commands(arguments.runs)
            for name in ("1080p",) if arguments.quick else SCREENS:
                cost = captures(name, arguments.runs)
                told[f"capture {name}"] = cost
                found = resident(name, arguments.seconds, arguments.captures)
                told[f"resident {name}"] = found
                drawn = cost["capture to sealed commitment"] / 1000 * CAPTURES_AN_HOUR / 36
                found["captures, % of a core"] = drawn
                whole = found["at rest, % of a core"] + drawn
                print(f"  {'at the default rate, % of a core':34} {whole:8.2f}")
    finally:
        ended()
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
