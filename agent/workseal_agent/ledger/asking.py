"""Asking the ledger's database: one question at a time, whoever shares it."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

from workseal_agent.language import phrase
from workseal_agent.ledger.errors import LedgerError, reason_of
from workseal_agent.ledger.sealing import LedgerKey


class Asking:
    """Hold the database and its lock, for the questions of those that are made of this."""

    def __init__(self, sql: sqlite3.Connection, path: Path, key: LedgerKey | None) -> None:
        self._lock = threading.RLock()
        self._key = key
        self._path = path
        self._sql = sql

    def _rows(self, query: str, *parameters: Any) -> list[Any]:
        with self._lock:
            try:
                return self._sql.execute(query, parameters).fetchall()
            except sqlite3.Error as error:
                raise LedgerError(
                    phrase("the ledger cannot be read: {error}", error=reason_of(error, self._path))
                ) from error

    def _one(self, query: str, *parameters: Any) -> Any:
        rows = self._rows(query, *parameters)
        return rows[0] if rows else None

    def _opener(self) -> LedgerKey:
        if self._key is None:
            raise LedgerError("the ledger was opened without its key")
        return self._key
