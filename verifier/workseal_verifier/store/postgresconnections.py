"""Connections to a PostgreSQL server: how they are made, and whether one still is.

Rule: a connection that the server has closed is known by what lies at its socket. Nobody asks the
server before each use: that would take as long as most questions do.
"""

import importlib
import select
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from workseal_verifier.config import URL_BEGIN
from workseal_verifier.errors import ConfigError

_DRIVER = "psycopg"
# Where a connection keeps the classes of the warnings that it was sent.
WARNINGS = "workseal_warnings"
# A host that froze in its turn must not stop the others for ever. Neither cuts a commit short.
_OPTIONS = "-c lock_timeout=30s -c idle_in_transaction_session_timeout=60s"
# Of a server's 100 connections, so many at most for each worker: more readers wait.
_READING, _WRITING = 8, 4


def engine_for(url: str, *, reads_alone: bool) -> Engine:
    """Prepare to connect; connections that read alone have no BEGIN before, no ROLLBACK after."""
    try:
        parsed = make_url(url)
        asked = parsed.query.get("options", ())
        options = (_OPTIONS, *([asked] if isinstance(asked, str) else asked))
        own = {"isolation_level": "AUTOCOMMIT"} if reads_alone else {}
        engine = create_engine(
            parsed,
            poolclass=QueuePool,
            pool_size=_READING if reads_alone else _WRITING,
            max_overflow=0,
            # The one that was used last: others may not be needed.
            pool_use_lifo=True,
            hide_parameters=True,
            connect_args={
                "connect_timeout": 10,
                # A host that is gone without a word ends its connections.
                "keepalives_idle": 30,
                "tcp_user_timeout": 30_000,
                "application_name": "workseal-verifier",
                "options": " ".join(options),
            },
            **own,
        )
    except (SQLAlchemyError, ImportError, ValueError) as error:
        # The URL may hold a password: it is never quoted.
        raise ConfigError(
            "the database's URL cannot be used: expected"
            f" {URL_BEGIN}USER@HOST/NAME, and the postgres extra"
        ) from (None if isinstance(error, ValueError) else error)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "checkout", _on_checkout)
    return engine


def _on_connect(connection: Any, record: Any) -> None:
    seen = record.info.setdefault(WARNINGS, [])
    connection.add_notice_handler(
        lambda said: seen.append(said.sqlstate) if said.severity_nonlocalized == "WARNING" else None
    )


def _on_checkout(connection: Any, _record: object, _proxy: object) -> None:
    if connection.closed or (_has_news(connection) and not _answers(connection)):
        # The pool opens another one.
        raise DisconnectionError


def _has_news(connection: Any) -> bool:
    """Tell whether the server said something unasked: most often, that it is gone."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _answers(connection: Any) -> bool:
    # The driver is an extra: what it raises is known where it is there.
    connection_lost: type[Exception] = importlib.import_module(_DRIVER).Error
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except connection_lost:
        return False
    return True
