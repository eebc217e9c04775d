from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from support.twofaced import TwoFacedLog
from workseal_witness.errors import StoreError
from workseal_witness.store import MAX_FORKS, SeenRow, Store

LOG = TwoFacedLog()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.create(tmp_path / "witness.db", "witness.example/w1", ["one", "two"])
    yield made
    made.close()


def test_remembers_what_it_was_told(store: Store, tmp_path: Path) -> None:
    row = SeenRow(LOG.signed(LOG.history(3)), 7)
    with store.write() as writing:
        assert writing.add_log(LOG.key)
        assert not writing.add_log(LOG.key)
        writing.put_seen(SeenRow(LOG.signed(LOG.history(2)), 5))
        writing.put_seen(row)
    again = Store(tmp_path / "witness.db")
    with again.write() as reading:
        assert reading.identity() == ("witness.example/w1", ["one", "two"])
        assert reading.keys_of(LOG.key.name) == reading.logs() == [LOG.key]
        assert reading.keys_of("another.example") == []
        assert reading.seen(LOG.key.name) == row
        assert reading.seen("another.example") is None
    again.close()


def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    with suppress(KeyError), store.write() as writing:
        writing.add_log(LOG.key)
        raise KeyError
    with store.write() as reading:
        assert reading.logs() == []


def test_a_commit_is_durable(store: Store) -> None:
    settings = [store._sql.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous",)]
    assert settings == [2]  # FULL
    assert store._sql.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_keeps_each_fork_once_and_not_without_end(store: Store) -> None:
    cosigned = LOG.signed(LOG.history(3))
    with store.write() as writing:
        for number in range(MAX_FORKS + 5):
            refused = LOG.signed(LOG.history(3, 2, str(number)))
            assert writing.keep_fork(cosigned, refused, number) == (number < MAX_FORKS)
            assert not writing.keep_fork(cosigned, refused, number)
        kept = writing.forks()
    assert len(kept) == MAX_FORKS
    assert (kept[0].cosigned, kept[0].size, kept[1].found_at) == (cosigned.encode(), 3, 1)


def test_a_database_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="SQLITE_CANTOPEN"):
        Store(tmp_path / "gone.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("store")
def test_one_that_exists_is_never_touched(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        Store.create(tmp_path / "witness.db", "another.example", ["three"])
    assert (tmp_path / "witness.db").stat().st_mode & 0o777 == 0o600


def test_an_error_quotes_nothing_that_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "witness.db"
    path.write_bytes(b"secret words, and no database at all" * 40)
    with pytest.raises(StoreError) as found:
        Store(path)
    assert str(found.value) == "the database refused: SQLITE_NOTADB"


def test_refuses_a_schema_that_it_does_not_know(store: Store) -> None:
    store._sql.execute("PRAGMA user_version=9")
    with pytest.raises(StoreError, match="schema 9, expected 1"), store.write() as reading:
        reading.identity()
