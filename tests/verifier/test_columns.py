from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table, create_engine, insert, text
from sqlalchemy.exc import IntegrityError

from workseal_verifier.store.columns import Privacy, among, octets, whole, word


def table(*columns: Any) -> Table:
    return Table("one", MetaData(), *columns)


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        (lambda: octets("value", Privacy.PUBLIC, least=2, most=3), b"abc", b"a"),
        (lambda: octets("value", Privacy.PUBLIC, least=2, most=3), b"ab", b"abcd"),
        (lambda: word("value", Privacy.PUBLIC, most=3), "abc", "abcd"),
        (lambda: word("value", Privacy.PUBLIC, most=3), "a", ""),
        (lambda: whole("value", Privacy.TIME), 2**53, None),
    ],
)
def test_the_database_refuses_what_is_out_of_bounds(
    column: Callable[[], Column[Any]], good: object, bad: object
) -> None:
    made = table(whole("row", Privacy.PUBLIC, primary_key=True), column())
    engine = create_engine("sqlite://")
    made.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(made).values(value=good))
        with pytest.raises(IntegrityError):
            connection.execute(insert(made).values(value=bad))
    engine.dispose()


def test_an_index_of_some_rows_binds_these_alone() -> None:
    index = among("one_value", "value", where="value > 5", unique=True)
    made = table(
        whole("row", Privacy.PUBLIC, primary_key=True), whole("value", Privacy.TIME), index
    )
    engine = create_engine("sqlite://")
    made.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO one (value) VALUES (1), (1), (6)"))
        with pytest.raises(IntegrityError):
            connection.execute(text("INSERT INTO one (value) VALUES (6)"))
    engine.dispose()
