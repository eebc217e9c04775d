"""The tables' revisions: an older database is brought up step by step.

Rules: revisions only ever add to what is stored; each runs in one transaction, all or nothing.
Imported only to bring a database up: a server never does (`tables`).
"""

from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from workseal_verifier.store import tables

# Release 0.1.0 numbered its one schema with SQLite's own field.
_FIRST: Final = "0001"


def upgrade(connection: Connection) -> tuple[str, str]:
    """Bring the tables to the newest revision; returns the revisions before and after."""
    before = tables.revision(connection)
    tables.require_known(before)
    config = _config(connection)
    if before == _FIRST and MigrationContext.configure(connection).get_current_revision() is None:
        command.stamp(config, _FIRST)
    command.upgrade(config, "head")
    return before, tables.newest()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(tables.REVISIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
