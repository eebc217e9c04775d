"""Commit, open and verify one frame, against one plain SHA-256 pass over the same pixels.

Run it with `.venv/bin/python bench/frame.py [--runs N] [--all]`. Each ratio is taken against the
plain pass measured in the same loop, alternating with it, on one thread. "best" is the fastest
run over the fastest plain pass, "median" the middle run over the middle plain pass.
"""

import argparse
import hashlib
import os
import platform
import statistics
import time
from collections.abc import Callable

from workseal_protocol.disclosure import Disclosure, open_frame, verify_disclosure
from workseal_protocol.frame import Box, FrameHeader, commit_frame

SCREENS = {"1080p": (1920, 1080), "1366x768": (1366, 768), "4K": (3840, 2160)}
# What somebody hides: a window, and a few lines of text.
HIDE = (Box(1200, 100, 600, 500), *(Box(80, 120 + 90 * line, 300, 18) for line in range(6)))


def picture(width: int, height: int) -> bytes:
    """Return something between a flat desktop and noise, so that deflating has work to do."""
    flat, text = bytes((32, 34, 37)) * width, os.urandom(width * 3)
    return b"".join(text if y % 24 < 4 else flat for y in range(height))


def unstripped(header: FrameHeader, pixels: bytes, salts: list[bytes]) -> list[bytes]:
    """Hash the leaves by taking each tile from the frame line by line: the obvious way."""
    view, grid, stride = memoryview(pixels), header.grid, header.width * 3
    leaves = []
    for number, salt in enumerate(salts):
        box = grid.box_of(number)
        start = box.top * stride + box.left * 3
        lines = [
            view[start + line * stride : start + line * stride + box.width * 3]
            for line in range(box.height)
        ]
        leaves.append(hashlib.sha256(b"".join((b"\x00", salt, *lines))).digest())
    return leaves


def measure(runs: int, tasks: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(runs):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            times[name].append((time.perf_counter() - start) * 1000)
    return times


def bench(name: str, tile: int, runs: int) -> None:
    width, height = SCREENS[name]
    header = FrameHeader(width, height, tile, 0, round=0, offset_ms=0, nonce=os.urandom(16))
    pixels, seed = picture(width, height), os.urandom(16)
    tree = commit_frame(header, pixels, seed)
    shown = header.grid.tiles_to_show(hide=HIDE)
    disclosure = open_frame(tree, shown, pixels=pixels, seed=seed)
    data = disclosure.encode()
    salts = [os.urandom(16)] * header.grid.count
    times = measure(
        runs,
        {
            "plain SHA-256 pass": lambda: hashlib.sha256(pixels).digest(),
            "commit": lambda: commit_frame(header, pixels, seed),
            "leaves alone, the obvious way": lambda: unstripped(header, pixels, salts),
            "open (deflates)": lambda: open_frame(tree, shown, pixels=pixels, seed=seed),
            "parse (inflates)": lambda: Disclosure.parse(data),
            "verify": lambda: verify_disclosure(disclosure, tree.commitment),
        },
    )
    count = header.grid.count
    proof = len(disclosure.seeds) + len(disclosure.hashes)
    print(f"\n{name} {width} x {height}, tiles of {tile}: {count} tiles, {len(shown)} shown,")
    print(f"{proof} bytes of seeds and hashes ({16 * len(shown)} with one salt for each tile)")
    plain = times["plain SHA-256 pass"]
    for task, spent in times.items():
        best, middle = min(spent), statistics.median(spent)
        print(
            f"  {task:30} best {best:8.2f} ms  {best / min(plain):5.2f} x"
            f"   median {middle:8.2f} ms  {middle / statistics.median(plain):5.2f} x"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--all", action="store_true", help="also other screens and tile sizes")
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} CPUs")
    print(f"{arguments.runs} runs of each")
    bench("1080p", 32, arguments.runs)
    if arguments.all:
        for name, tile in (("1080p", 64), ("1366x768", 32), ("4K", 32)):
            bench(name, tile, arguments.runs)


if __name__ == "__main__":
    main()
