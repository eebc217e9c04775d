"""How a database goes about what it is asked: by an index, or by reading a whole table."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from workseal_verifier.store.engine import Database


def read_whole(database: Database, act: Callable[[], object]) -> list[str]:
    """Do something, and list the steps of its reads' plans that go through a whole table or index.

    The tables of a test are small, and PostgreSQL would read those at once: it is told to do that
    only where there is no other way.
    """
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    # One for both, or one that reads beside the one that writes.
    engines = {database._engine, database._reading}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
    found: list[str] = []
    with database.read() as connection:
        if database.shared:
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, values in asked:
            if statement.startswith("SELECT") and " FROM " in statement.replace("\n", " "):
                word = "EXPLAIN" if database.shared else "EXPLAIN QUERY PLAN"
                steps = connection.exec_driver_sql(f"{word} {statement}", values).all()
                found += [str(step[-1]).strip() for step in steps]
        if database.shared:
            connection.exec_driver_sql("RESET enable_seqscan")
    assert found
    return [step for step in found if "Seq Scan" in step or step.startswith("SCAN")]
