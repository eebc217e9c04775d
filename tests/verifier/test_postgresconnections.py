"""What the server closed is not used again, and nobody asks it whether it is there."""

import select
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from support.postgres import Cluster
from workseal_verifier.store import postgresconnections
from workseal_verifier.store.engine import Database

pytestmark = pytest.mark.postgres


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Database]:
    made = Database(cluster.database())
    yield made
    made.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Note each time that the server is asked whether it is there, and what came of it."""
    found: list[bool] = []
    answers = postgresconnections._answers

    def noted(connection: Any) -> bool:
        found.append(answers(connection))
        return found[-1]

    monkeypatch.setattr(postgresconnections, "_answers", noted)
    return found


def used(database: Database) -> set[int]:
    """Read and write, and tell by which processes of the server."""
    asked = text("SELECT pg_backend_pid()")
    with database.read() as connection:
        pids = {connection.execute(asked).scalar_one()}
    with database.write() as connection:
        return pids | {connection.execute(asked).scalar_one()}


def test_a_connection_that_is_there_is_used_without_a_question(
    database: Database, asked: list[bool]
) -> None:
    first = used(database)
    assert len(first) == 2
    assert used(database) == first
    assert asked == []


def test_connections_that_the_server_closed_are_not_used_again(
    cluster: Cluster, database: Database, asked: list[bool]
) -> None:
    first = used(database)
    for pid in first:
        cluster.psql(f"SELECT pg_terminate_backend({pid}, 10000)")
    assert first.isdisjoint(used(database))
    assert asked == [False, False]


def test_what_the_server_says_unasked_closes_nothing(
    cluster: Cluster, database: Database, asked: list[bool]
) -> None:
    with database.read() as connection:
        connection.execute(text("LISTEN news"))
        driver = connection.connection.driver_connection
        assert driver is not None
        listening = driver.fileno()
    first = used(database)
    name = database._reading.url.database
    cluster.psql("NOTIFY news", name or "")
    # It is told when the server comes to it, after whoever sent it has had the answer.
    assert select.select([listening], [], [], 30)[0]
    assert used(database) == first
    assert asked == [True]
