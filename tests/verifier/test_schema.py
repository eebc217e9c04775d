from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Column, Integer, LargeBinary, Text, insert
from sqlalchemy.exc import IntegrityError

from support.office import Office, stranger_offer
from workseal_verifier.errors import StoreError
from workseal_verifier.store.columns import Privacy
from workseal_verifier.store.engine import Database
from workseal_verifier.store.schema import metadata, statements

COLUMNS = [column for table in metadata.sorted_tables for column in table.columns]
# The widest column holds one statement. A frame of one 1080p screen has 6,220,800 bytes.
WIDEST = 65_536


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_each_column_says_its_privacy_class(column: Column[Any]) -> None:
    assert Privacy(column.info["privacy"])


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_no_column_is_unbounded(column: Column[Any]) -> None:
    assert isinstance(column.type, LargeBinary | Text | Integer)
    if isinstance(column.type, LargeBinary | Text):
        assert column.info["bound"] <= WIDEST
        (bound,) = column.constraints
        assert isinstance(bound, CheckConstraint)
        assert str(bound.sqltext).endswith(f" AND {column.info['bound']}")


def test_no_column_is_named_for_what_must_never_be_stored() -> None:
    words = ("image", "frame", "pixel", "tile_data", "title", "window", "address", "ip", "agent")
    names = [column.name for column in COLUMNS]
    assert not [name for name in names if name in words or name.endswith("_ip")]


def test_the_database_itself_enforces_the_bound(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")
    database.create()
    row = {"position": 0, "digest": bytes(32), "body": bytes(WIDEST + 1), "kind": "x"}
    with pytest.raises(StoreError, match="CONSTRAINT"), database.write() as connection:
        connection.execute(insert(statements), [row])
    with pytest.raises(IntegrityError), database._engine.connect() as connection:
        connection.execute(insert(statements), [row | {"body": b"x", "digest": b"short"}])
    with pytest.raises(IntegrityError), database._engine.connect() as connection:
        connection.execute(insert(statements), [row | {"body": b"x", "begin_ms": b"a picture"}])
    database.close()


def test_the_stored_values_keep_to_the_declared_classes(office: Office) -> None:
    """What stands in the file is what the schema says: no other tables, no other columns."""
    office.post([stranger_offer(office, 1)])
    with office.verifier.database.read() as connection:
        found = connection.exec_driver_sql(
            "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p"
            " WHERE m.type = 'table'"
        ).all()
    # And the number of the newest revision.
    assert {(table, column) for table, column in found} == {
        ("alembic_version", "version_num"),
        *((column.table.name, column.name) for column in COLUMNS),
    }
