"""The log's tree beside pymerkle's: append, root and proof, inclusion, and opening a large one.

Run it with `.venv/bin/python bench/tree.py [--most LEAVES]`. Both trees get the same leaves; all
times are CPU times of one thread, the middle of several runs that alternate. Ours reads its tiles
from SQLite where they are older than its edge and its cache, as in the verifier; pymerkle's is the
one in memory. Each pair of roots is compared: the two trees are the same.
"""

import argparse
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pymerkle import InmemoryTree

from workseal_protocol import merkle
from workseal_protocol.digest import Digest
from workseal_verifier.services.tree import TileTree
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import Change, Entry, Head

RUNS = 5
STEP = 4_096
STEPS = 40  # single operations for one figure


@dataclass
class Ours:
    """The verifier's tree on a store of its own; `fresh` are the leaves that are not stored."""

    log: LogStore
    tree: TileTree
    head: Head
    fresh: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, path: Path) -> "Ours":
        """Begin an empty log."""
        database = Database(path)
        database.create()
        log = LogStore(database)
        log.found(merkle.EMPTY_ROOT)
        return cls(log, TileTree(0, log.tile), Head(0, merkle.EMPTY_ROOT))

    def extend(self, entries: Sequence[bytes]) -> None:
        """Append entries."""
        self.tree.extend(map(merkle.leaf_hash, entries))
        self.fresh += entries

    def store(self) -> None:
        """Store what was appended, as rows of statements that say nothing."""
        head = Head(self.tree.size, self.tree.root())
        entries = [
            Entry(position=place, digest=Digest(entry), body=b"-", kind="bench")
            for place, entry in enumerate(self.fresh, self.head.size)
        ]
        self.log.append(Change(old=self.head, new=head, entries=entries, tiles=self.tree.pending()))
        self.tree.settle()
        self.head, self.fresh = head, []

    def path(self, index: int) -> list[bytes]:
        """Prove one leaf."""
        size = self.tree.size
        return [self.tree.node(lo, hi) for lo, hi in merkle.inclusion_ranges(index, size)]


def spent(work: Callable[[], object], count: int) -> float:
    """Tell how many microseconds of CPU one of `count` calls takes."""
    begin = time.thread_time()
    for _ in range(count):
        work()
    return (time.thread_time() - begin) / count * 1e6


def middle(values: Sequence[float]) -> float:
    return statistics.median(values)


def grow(ours: Ours, theirs: InmemoryTree, leaves: int) -> tuple[float, float]:
    """Append up to so many leaves; returns microseconds of CPU a leaf."""
    took = [0.0, 0.0]
    count = 0
    while ours.tree.size < leaves:
        entries = [secrets.token_bytes(32) for _ in range(min(STEP, leaves - ours.tree.size))]
        begin = time.thread_time()
        ours.extend(entries)
        between = time.thread_time()
        for entry in entries:
            theirs.append_entry(entry)
        took[1] += time.thread_time() - between
        took[0] += between - begin
        count += len(entries)
        ours.store()
    if ours.tree.root() != theirs.get_root():
        raise SystemExit("the two trees differ")
    return took[0] / count * 1e6, took[1] / count * 1e6


def single(ours: Ours, theirs: InmemoryTree) -> dict[str, tuple[float, float]]:
    """Measure single operations on trees of one size; returns ours and theirs."""

    def ours_one() -> None:
        ours.extend([next(our_entries)])
        ours.tree.root()
        ours.path(ours.tree.size - 1)

    def theirs_one() -> None:
        index = theirs.append_entry(next(their_entries))
        theirs.get_root()
        theirs.prove_inclusion(index)

    size = ours.tree.size
    places = [secrets.randbelow(size) for _ in range(STEPS)]
    # pymerkle counts from one.
    our_places, their_places = iter(places * RUNS), iter([one + 1 for one in places] * RUNS)
    entries = [secrets.token_bytes(32) for _ in range(STEPS * RUNS)]
    our_entries, their_entries = iter(entries), iter(entries)
    pairs: dict[str, list[tuple[float, float]]] = {"append + root + proof": [], "inclusion": []}
    for _ in range(RUNS):
        pairs["inclusion"].append(
            (
                spent(lambda: ours.path(next(our_places)), STEPS),
                spent(lambda: theirs.prove_inclusion(next(their_places)), STEPS),
            )
        )
        pairs["append + root + proof"].append((spent(ours_one, STEPS), spent(theirs_one, STEPS)))
    ours.store()
    return {
        name: (middle([a for a, _ in found]), middle([b for _, b in found]))
        for name, found in pairs.items()
    }


def opened(ours: Ours) -> float:
    """Measure opening the stored tree up to its root, in microseconds of CPU."""

    def work() -> None:
        if TileTree(ours.head.size, ours.log.tile).root() != ours.head.root:
            raise SystemExit("the stored tree differs")

    return middle([spent(work, 5) for _ in range(RUNS)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=1_000_000, metavar="LEAVES")
    most = parser.parse_args().most
    print("CPU us: ours / pymerkle in memory = ratio")
    with tempfile.TemporaryDirectory() as name:
        ours, theirs = Ours.of(Path(name) / "tree.db"), InmemoryTree(algorithm="sha256")
        size = 1_000
        while size <= most:
            appended = grow(ours, theirs, size)
            figures = {"append, a leaf": appended} | single(ours, theirs)
            print(f"{size} leaves")
            for what, (one, two) in figures.items():
                print(f"  {what:24}{one:9.1f} /{two:9.1f} = {one / two:5.2f}")
            print(f"  {'open up to the root':24}{opened(ours):9.1f}", flush=True)
            size *= 10


if __name__ == "__main__":
    main()
