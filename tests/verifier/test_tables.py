"""A new database has the newest tables at once, under the number that `migrate` would give it."""

import sqlite3
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from workseal_verifier.errors import StoreError
from workseal_verifier.store import tables
from workseal_verifier.store.engine import Database


def test_the_revisions_known_are_those_that_can_be_run() -> None:
    script = ScriptDirectory(str(tables.REVISIONS))
    assert {one.revision for one in script.walk_revisions()} == set(tables._known())
    assert tables.newest() == script.get_current_head()


def test_a_new_database_is_what_bringing_up_would_leave(where: Path | str) -> None:
    database = Database(where)
    database.create()
    database.create()
    database.check_version()
    assert database.migrate() == (tables.newest(), tables.newest())
    database.close()


def test_tables_that_are_behind_are_left_alone(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")
    database.create()
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0007'")
    for act in (database.create, database.check_version):
        with pytest.raises(StoreError, match=r"schema 0007, this program needs .* migrate'"):
            act()
    database.close()
    with sqlite3.connect(tmp_path / "db") as file:
        assert file.execute("SELECT * FROM alembic_version").fetchall() == [("0007",)]
    file.close()
