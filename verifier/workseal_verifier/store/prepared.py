"""Statements of SQL that are used again and again: compiled once, put to the driver itself.

What lies between costs four times what the database takes for one indexed row. Rules: values are
bound, never written into the text; an error reaches the caller in the form that everything else's
errors have; within a transaction it is part of that, outside each is one of its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    TextClause,
    Update,
    bindparam,
)
from sqlalchemy.exc import DBAPIError

Row: TypeAlias = tuple[Any, ...]
# SQLite's own limit on parameters is 32,766.
_MOST_VALUES = 512


class Prepared:
    """One statement; what changes from use to use is a `bindparam` in it."""

    def __init__(self, statement: Select[Any] | Update | TextClause) -> None:
        self._statement = statement
        self._written: dict[str, _Written] = {}

    def rows(self, connection: Connection, **values: object) -> list[Row]:
        """Read all rows."""
        found: list[Row] = self._done(connection, values).fetchall()
        return found

    def row(self, connection: Connection, **values: object) -> Row | None:
        """Read the first row, None where there is none."""
        found: Row | None = self._done(connection, values).fetchone()
        return found

    def change(self, connection: Connection, **values: object) -> int:
        """Change rows, and count them."""
        count: int = self._done(connection, values).rowcount
        return count

    def change_each(self, connection: Connection, many: Iterable[Mapping[str, object]]) -> None:
        """Change rows for each of many sets of values; a database elsewhere is waited for once."""

        def put(driver: Any, written: "_Written") -> None:
            cursor = driver.cursor()
            try:
                cursor.executemany(written.text, [written.bound(values) for values in many])
            finally:
                cursor.close()

        self._put(connection, put)

    def _done(self, connection: Connection, values: dict[str, object]) -> Any:
        return self._put(
            connection,
            lambda driver, written: driver.execute(written.text, written.bound(values)),
        )

    def _put(self, connection: Connection, put: "Callable[[Any, _Written], Any]") -> Any:
        written = self._for(connection.dialect)
        driver: Any = connection.connection.driver_connection
        dbapi: Any = connection.dialect.dbapi
        try:
            return put(driver, written)
        except dbapi.Error as error:
            # As SQLAlchemy wraps what passes through it.
            raise DBAPIError(None, None, error, hide_parameters=True) from error

    def _for(self, dialect: Dialect) -> "_Written":
        written = self._written.get(dialect.name)
        if written is None:
            compiled: Any = self._statement.compile(dialect=dialect)
            constants = {name: one for name, one in compiled.params.items() if one is not None}
            written = _Written(str(compiled), compiled.positiontup, constants)
            self._written[dialect.name] = written
        return written


class Among:
    """One SELECT of the rows in which a column has one of many values."""

    def __init__(self, statement: Select[Any], column: ColumnElement[Any]) -> None:
        self._statement = statement
        self._column = column
        # By how many values are asked for: a power of two, so that there are few texts.
        self._prepared: dict[int, Prepared] = {}

    def rows(self, connection: Connection, values: Sequence[object]) -> list[Row]:
        """Read the rows, in no order."""
        found: list[Row] = []
        for start in range(0, len(values), _MOST_VALUES):
            part = values[start : start + _MOST_VALUES]
            count = 1 << (len(part) - 1).bit_length()
            # The last one again and again: that finds nothing twice.
            padded = [*part, *[part[-1]] * (count - len(part))]
            named = {f"value_{number}": value for number, value in enumerate(padded)}
            found += self._of(count).rows(connection, **named)
        return found

    def _of(self, count: int) -> Prepared:
        prepared = self._prepared.get(count)
        if prepared is None:
            names: list[BindParameter[Any]] = [
                bindparam(f"value_{number}") for number in range(count)
            ]
            prepared = Prepared(self._statement.where(self._column.in_(names)))
            self._prepared[count] = prepared
        return prepared


@dataclass(frozen=True, slots=True)
class _Written:
    """A statement in one dialect: `order` is that of its values where they have no names there."""

    text: str
    order: Sequence[str] | None
    constants: Mapping[str, object]

    def bound(self, values: Mapping[str, object]) -> Any:
        values = {**self.constants, **values}
        return values if self.order is None else [values[name] for name in self.order]
