"""The tables of a new database, and whether those of one that exists are what this program knows.

Rules: a database that is behind, or ahead, is never touched by a server: its operator decides when
(`migrating`). A new one gets the tables of the schema at once, which the revisions lead to as well;
so a server needs nothing of what brings old tables up.
"""

from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
)

from workseal_verifier.errors import StoreError
from workseal_verifier.store import schema

REVISIONS: Final = Path(__file__).with_name("migrations")
NOTHING: Final = "nothing"
# As alembic makes it.
_revision = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def create(connection: Connection) -> None:
    """Make the tables in an empty database; else require that they are current."""
    if revision(connection) == NOTHING:
        made = schema.tables_for(connection.dialect.name)
        made.create_all(connection, checkfirst=False)
        _revision.create(connection)
        connection.execute(insert(_revision).values(version_num=newest()))
    require_current(connection)


def require_current(connection: Connection) -> None:
    """Raise `StoreError` unless the tables are those that this program knows."""
    found = revision(connection)
    if found == newest():
        return
    require_known(found)
    raise StoreError(
        f"the database has schema {found}, this program needs {newest()}:"
        " run 'workseal-verifier migrate'"
    )


def require_known(found: str) -> None:
    """Raise `StoreError` for the tables of a newer program, or of another."""
    if found != NOTHING and found not in _known():
        raise StoreError(
            f"the database has schema {found}, this program knows {newest()}:"
            " it was made by a newer program, or by another"
        )


def revision(connection: Connection) -> str:
    """Name the revision of the tables, or say `NOTHING`."""
    look = inspect(connection)
    if look.has_table(_revision.name):
        named = connection.scalar(select(_revision.c.version_num))
        if named is not None:
            return str(named)
    if connection.dialect.name == "sqlite":
        # Release 0.1.0 numbered its one schema with SQLite's own field.
        version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if version:
            return f"{version:04}"
    return "of another program" if look.get_table_names() else NOTHING


def newest() -> str:
    """Name the revision that this program knows and needs."""
    return _known()[-1]


@cache
def _known() -> tuple[str, ...]:
    # Each file begins with the number of its revision.
    names = (REVISIONS / "versions").glob("[0-9]*_*.py")
    return tuple(sorted(one.name.partition("_")[0] for one in names))
