"""The tree that statements lead to is compared where it is complete, and remembers little."""

from pathlib import Path

import pytest

from workseal_protocol.merkle import EMPTY_ROOT, leaf_hash, root_of
from workseal_verifier.services.derivedtree import DerivedTree
from workseal_verifier.services.tree import TileTree
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore

SIZES = (1, 255, 256, 257, 700)
LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(700)]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A log of 700 leaves, with a checkpoint at each of the sizes."""
    made = Database(tmp_path / "db")
    made.create()
    tree = TileTree(0, lambda _level, _number: None)
    tree.extend(LEAVES)
    with made.write() as connection:
        for (level, number), hashes in tree.pending().items():
            row = (level, number, hashes)
            connection.exec_driver_sql("INSERT INTO tiles VALUES (?, ?, ?)", row)
        for size in SIZES:
            row_of = (size, root_of(LEAVES[:size]))
            connection.exec_driver_sql("INSERT INTO checkpoints (size, root) VALUES (?, ?)", row_of)
    return made


def grown(database: Database, step: int, most: int = 50) -> tuple[DerivedTree, list[str]]:
    tree = DerivedTree(LogStore(database), most)
    for start in range(0, len(LEAVES), step):
        tree.extend(LEAVES[start : start + step])
    return tree, list(tree.end())


@pytest.mark.parametrize("step", [1, 100, 256, 700])
def test_what_is_stored_holds_however_it_is_fed(database: Database, step: int) -> None:
    tree, lines = grown(database, step)
    assert (tree.root(), tree.wrong_roots, lines) == (root_of(LEAVES), set(), [])


def test_an_empty_tree_has_the_empty_root(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")
    database.create()
    assert DerivedTree(LogStore(database), 50).root() == EMPTY_ROOT


def test_names_what_differs_and_no_more_than_is_told(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE tiles SET hashes = zeroblob(8192) WHERE level = 0")
        connection.exec_driver_sql("INSERT INTO tiles VALUES (0, 9, zeroblob(32))")
        connection.exec_driver_sql("UPDATE checkpoints SET root = zeroblob(32) WHERE size > 255")
        row = (701, bytes(32))
        connection.exec_driver_sql("INSERT INTO checkpoints (size, root) VALUES (?, ?)", row)
    tree, lines = grown(database, 100)
    assert tree.wrong_roots == {256, 257, 700, 701}
    assert lines == [
        *(f"tile 0/{number}: the statements have other hashes" for number in range(3)),
        "tile 0/9: stored, but the log does not reach that far",
    ]
    tree, lines = grown(database, 100, most=2)
    assert (len(tree.wrong_roots), len(lines)) == (2, 3)
