"""Prepared SQL: what is bound, what is counted, and how it stands in transactions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, bindparam, select, update

from workseal_verifier.errors import StoreError
from workseal_verifier.store.engine import Database
from workseal_verifier.store.prepared import Among, Prepared

THINGS = Table(
    "things",
    MetaData(),
    Column("number", BigInteger, primary_key=True),
    Column("data", LargeBinary),
)
# The later column first, and a number that never changes between the two.
FOUND = Prepared(
    select(THINGS.c.data, THINGS.c.number)
    .where(THINGS.c.data == bindparam("of_data"), THINGS.c.number > bindparam("above"))
    .order_by(THINGS.c.number.desc())
    .limit(2)
)
ALL = Prepared(select(THINGS.c.number).order_by(THINGS.c.number))
AMONG = Among(select(THINGS.c.number), THINGS.c.data)
REPLACE = Prepared(
    update(THINGS).where(THINGS.c.number >= bindparam("least")).values(data=bindparam("new_data"))
)


@pytest.fixture
def database(where: Path | str) -> Iterator[Database]:
    made = Database(where)
    with made.write() as connection:
        THINGS.create(connection)
        made.insert(connection, THINGS, [(1, b"a"), (2, b"a"), (3, b"a"), (4, b"\0'\"%s:x?")])
    yield made
    made.close()


def test_values_are_bound_by_their_names(database: Database) -> None:
    with database.read() as connection:
        assert FOUND.rows(connection, above=0, of_data=b"a") == [(b"a", 3), (b"a", 2)]
        assert FOUND.rows(connection, of_data=b"a", above=2) == [(b"a", 3)]
        assert FOUND.row(connection, of_data=b"\0'\"%s:x?", above=0) == (b"\0'\"%s:x?", 4)
        assert FOUND.row(connection, of_data=b"b", above=0) is None


def test_changed_rows_are_counted(database: Database) -> None:
    with database.write() as connection:
        assert REPLACE.change(connection, least=3, new_data=b"b") == 2
        assert REPLACE.change(connection, least=9, new_data=b"b") == 0
    with database.read() as connection:
        assert FOUND.rows(connection, of_data=b"b", above=0) == [(b"b", 4), (b"b", 3)]


def test_rows_are_changed_for_each_of_many_sets_of_values(database: Database) -> None:
    with database.write() as connection:
        REPLACE.change_each(
            connection, iter([{"least": 2, "new_data": b"b"}, {"new_data": b"c", "least": 4}])
        )
        REPLACE.change_each(connection, [])
    with database.read() as connection:
        assert FOUND.rows(connection, of_data=b"b", above=0) == [(b"b", 3), (b"b", 2)]
        assert FOUND.rows(connection, of_data=b"c", above=0) == [(b"c", 4)]
    with pytest.raises(StoreError), database.write() as connection:
        REPLACE.change_each(connection, [{"least": "x", "new_data": object()}])


def test_it_is_part_of_the_transaction(database: Database) -> None:
    def broken_off() -> None:
        with database.write() as connection:
            assert REPLACE.change(connection, least=1, new_data=b"b") == 4
            assert len(FOUND.rows(connection, of_data=b"b", above=0)) == 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    with database.read() as connection:
        assert FOUND.rows(connection, of_data=b"b", above=0) == []


def test_it_sees_the_moment_of_a_snapshot(database: Database, where: Path | str) -> None:
    other = Database(where)
    with database.snapshot():
        for number in (9, 10):
            with database.read() as connection:
                assert len(ALL.rows(connection)) == 4
            with other.write() as connection:
                other.insert(connection, THINGS, [(number, b"x")])
    other.close()
    with database.read() as connection:
        assert len(ALL.rows(connection)) == 6


def test_a_failure_is_told_as_every_other_and_quotes_nothing(database: Database) -> None:
    with database.write() as connection:
        THINGS.drop(connection)
    with pytest.raises(StoreError) as caught, database.read() as connection:
        FOUND.row(connection, of_data=b"secret", above=0)
    assert "secret" not in repr(caught.value)
    assert "things" not in str(caught.value)
    with pytest.raises(StoreError), database.write() as connection:
        REPLACE.change(connection, least=0, new_data=b"secret")


@pytest.mark.parametrize("count", [0, 1, 2, 3, 511, 512, 513, 1_300])
def test_each_row_with_one_of_many_values_is_read_once(database: Database, count: int) -> None:
    wanted = [b"w%d" % number for number in range(count)]
    with database.write() as connection:
        database.insert(connection, THINGS, [(100 + n, one) for n, one in enumerate(wanted)])
        database.insert(connection, THINGS, [(9_000, b"other")])
    with database.read() as connection:
        found = AMONG.rows(connection, wanted)
    assert sorted(found) == [(100 + number,) for number in range(count)]
