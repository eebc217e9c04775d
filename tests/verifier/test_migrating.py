"""Whatever a database was made by, its tables become those of the schema, or it is refused."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

from support.command import run
from support.office import ORIGIN, Office
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.merkle import EMPTY_ROOT
from workseal_protocol.records import (
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    Record,
    RevocationReason,
    sign,
)
from workseal_verifier.errors import StoreError
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import Head, LogStore
from workseal_verifier.store.schema import metadata

NEWEST = "0007"


def described(connection: Connection) -> dict[str, Any]:
    """Describe every table but alembic's own, in words that can be compared."""
    look = inspect(connection)
    found: dict[str, Any] = {}
    for table in look.get_table_names():
        if table == "alembic_version":
            continue
        found[table] = {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(table)
            ],
            "key": look.get_pk_constraint(table)["constrained_columns"],
            "indexes": sorted(
                (i["name"] or "", i["column_names"], bool(i["unique"]))
                for i in look.get_indexes(table)
            ),
            "unique": sorted(str(u["column_names"]) for u in look.get_unique_constraints(table)),
            "bounds": sorted(
                (str(c["name"]), re.sub(r"\s+", " ", str(c["sqltext"])))
                for c in look.get_check_constraints(table)
            ),
        }
    if connection.dialect.name == "sqlite":
        strict = connection.exec_driver_sql("SELECT name, strict FROM pragma_table_list").all()
        found["strict"] = {name: bool(flag) for name, flag in strict if name in found}
    return found


def test_the_revisions_make_the_tables_of_the_schema(where: Path | str, cluster: Any) -> None:
    migrated = Database(where)
    migrated.create()
    direct = Database(
        where.with_name("direct.db") if isinstance(where, Path) else cluster.database()
    )
    with direct.write() as connection:
        metadata.create_all(connection)
        wanted = described(connection)
    with migrated.read() as connection:
        assert described(connection) == wanted
    assert set(wanted) >= {table.name for table in metadata.sorted_tables}
    migrated.close()
    direct.close()


def old_file(path: Path) -> None:
    """Make the file of release 0.1.0: the first revision's tables, numbered by SQLite itself."""
    database = Database(path)
    database.create()
    LogStore(database).found(EMPTY_ROOT)
    database.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE alembic_version")
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall():
            if name not in FIRST:
                connection.execute(f"DROP TABLE {name}")
        connection.execute("PRAGMA user_version=1")
    connection.close()


FIRST = {"head", "statements", "parties", "tiles", "checkpoints", "timestamps", "beacons"}


def test_a_file_of_the_first_release_is_brought_up_and_keeps_what_it_holds(tmp_path: Path) -> None:
    old_file(tmp_path / "db")
    database = Database(tmp_path / "db")
    before, after = database.migrate()
    assert before == "0001"
    database.check_version()
    assert LogStore(database).head() == Head(0, EMPTY_ROOT)
    assert database.migrate() == (after, after)
    database.close()


def test_a_log_of_the_third_revision_learns_whom_its_key_statements_are_about(
    office: Office,
) -> None:
    old, new, recovery = (SeedSigner(bytes([n]) * 32) for n in (1, 2, 3))
    said: list[tuple[Record, SeedSigner]] = [
        (_announcement(office, old, recovery), old),
        (_announcement(office, new, None), new),
        (KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new), old),
    ]
    revoked = KeyRevoke(
        claimed_at=office.now, key=new.public_key.thumbprint, reason=RevocationReason.LOST
    )
    office.post([*(sign(*one) for one in said), sign(revoked, new)])
    database = office.verifier.database
    with database.write() as connection:
        connection.exec_driver_sql("DROP TABLE key_events")
        connection.exec_driver_sql("DROP TABLE case_steps")
        for name in ("notices", "contacts", "confirmations", "presence", "own_acts"):
            connection.exec_driver_sql(f"DROP TABLE {name}")
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    assert database.migrate() == ("0003", NEWEST)
    assert office.check() == []
    assert office.verifier.records.keys.count() == 4


def _announcement(office: Office, key: SeedSigner, recovery: SeedSigner | None) -> KeyAnnounce:
    return KeyAnnounce(
        claimed_at=office.now,
        public_key=key.public_key,
        role=Role.FREELANCER,
        recovery=None if recovery is None else recovery.public_key.thumbprint,
    )


@pytest.mark.parametrize("number", [8, 9999])
def test_a_file_of_a_later_release_is_left_alone(tmp_path: Path, number: int) -> None:
    path = tmp_path / "db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version={number}")
    connection.close()
    for act in (Database(path).create, Database(path).migrate, Database(path).check_version):
        with pytest.raises(StoreError, match=f"has schema {number:04}, this program knows"):
            act()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (number,)
        assert connection.execute("SELECT * FROM sqlite_master").fetchall() == []
    connection.close()


def test_a_revision_that_nobody_knows_is_left_alone(where: Path | str) -> None:
    database = Database(where)
    database.create()
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    for act in (database.create, database.migrate, database.check_version):
        with pytest.raises(StoreError, match="has schema later, this program knows"):
            act()
    database.close()


def test_the_tables_of_another_program_are_left_alone(where: Path | str) -> None:
    database = Database(where)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE theirs (n INTEGER)"))
    for act in (database.create, database.migrate):
        with pytest.raises(StoreError, match="made by a newer program, or by another"):
            act()
    with database.read() as connection:
        assert inspect(connection).get_table_names() == ["theirs"]
    database.close()


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    home = tmp_path / "v"
    assert run("init", "--home", home, "--origin", ORIGIN).returncode == 0
    old_file(home / "verifier.db")
    done = run("migrate", "--home", home)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"the database has schema \d{4}, it had 0001\n", done.stdout)
    assert run("check-log", "--home", home).returncode == 0
