"""What this machine can do at all, in the same run as what is measured."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from workseal_protocol import merkle
from workseal_protocol.keys import SeedSigner

_SEED = bytes(32)
# A segment's bytes that its signature is over, about.
_MESSAGE = bytes(500)


def commits_per_second(folder: Path, seconds: float) -> float:
    """Tell how often in a second the disk can be asked to keep 4 KiB."""
    with (folder / "sync").open("wb", buffering=0) as file:
        begin, count = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.perf_counter() - begin)


def checks_per_second(seconds: float) -> float:
    """Tell how many signatures one core can check, by its CPU time."""
    signer = SeedSigner(_SEED)
    signature, key = signer.sign(_MESSAGE), signer.public_key
    return _per_cpu_second(lambda: key.verify(signature, _MESSAGE), seconds)


def nodes_per_second(seconds: float) -> float:
    """Tell how many nodes of a tree one core can hash, by its CPU time."""
    left, right = bytes(32), bytes(32)
    return _per_cpu_second(lambda: merkle.node_hash(left, right), seconds)


def _per_cpu_second(work: Callable[[], object], seconds: float) -> float:
    begin, count = time.thread_time(), 0
    while time.thread_time() - begin < seconds:
        for _ in range(100):
            work()
        count += 100
    return count / (time.thread_time() - begin)
