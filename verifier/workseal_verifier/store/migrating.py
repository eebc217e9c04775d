"""The tables' revisions: a new database gets them all, an older one is brought up step by step.

Rules: revisions only ever add to what is stored; each runs in one transaction, all or nothing. A
database that is behind, or ahead, is never touched by a server: its operator decides when.
"""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from workseal_verifier.errors import StoreError

_FOLDER: Final = Path(__file__).with_name("migrations")
# Release 0.1.0 numbered its one schema with SQLite's own field.
_FIRST: Final = "0001"
_NOTHING: Final = "nothing"


def create(connection: Connection) -> None:
    """Make the tables in an empty database; else require that they are current."""
    if _revision(connection) == _NOTHING:
        upgrade(connection)
    require_current(connection)


def upgrade(connection: Connection) -> tuple[str, str]:
    """Bring the tables to the newest revision; returns the revisions before and after."""
    before = _revision(connection)
    _require_known(before)
    config = _config(connection)
    if before == _FIRST and MigrationContext.configure(connection).get_current_revision() is None:
        command.stamp(config, _FIRST)
    command.upgrade(config, "head")
    return before, _newest()


def require_current(connection: Connection) -> None:
    """Raise `StoreError` unless the tables are those that this program knows."""
    found, newest = _revision(connection), _newest()
    if found == newest:
        return
    _require_known(found)
    raise StoreError(
        f"the database has schema {found}, this program needs {newest}:"
        " run 'workseal-verifier migrate'"
    )


def _require_known(found: str) -> None:
    if found != _NOTHING and found not in _revisions():
        raise StoreError(
            f"the database has schema {found}, this program knows {_newest()}:"
            " it was made by a newer program, or by another"
        )


def _revision(connection: Connection) -> str:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None:
        return str(found)
    if connection.dialect.name == "sqlite":
        version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if version:
            return f"{version:04}"
    tables = inspect(connection).get_table_names()
    return "of another program" if tables else _NOTHING


def _revisions() -> frozenset[str]:
    return frozenset(one.revision for one in _script().walk_revisions())


def _newest() -> str:
    return str(_script().get_current_head())


def _script() -> ScriptDirectory:
    return ScriptDirectory(str(_FOLDER))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
