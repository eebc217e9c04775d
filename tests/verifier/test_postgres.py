"""What PostgreSQL does that SQLite does not: doubtful commits, weak settings, lost connections."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from support.postgres import Cluster, runs_here
from workseal_verifier.config import Settings
from workseal_verifier.errors import ConfigError, SettingsError, StoreError, StoreRaceError
from workseal_verifier.store.engine import Database

pytestmark = pytest.mark.postgres


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Database]:
    made = Database(cluster.database())
    made.create()
    with made.write() as connection:
        connection.execute(text("CREATE TABLE counted (n INTEGER)"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def waiting() -> Iterator[Cluster]:
    """Give a server whose commits wait for a standby that never comes."""
    if not runs_here():
        pytest.skip("needs a PostgreSQL server (Debian: postgresql)")
    made = Cluster()
    yield made
    made.close()


def count(database: Database) -> int:
    with database.read() as connection:
        found: int = connection.execute(text("SELECT count(*) FROM counted")).scalar_one()
    return found


def test_a_cut_wait_for_a_standby_is_no_commit_that_counts(waiting: Cluster) -> None:
    """The trap: the driver reports success, and a warning says that no standby has it."""
    database = Database(waiting.database())
    database.create()
    with database.write() as connection:
        connection.execute(text("CREATE TABLE counted (n INTEGER)"))
    waiting.psql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    waiting.psql("SELECT pg_reload_conf()")
    outcome: list[Exception | None] = []

    def write() -> None:
        try:
            with database.write() as connection:
                connection.execute(text("INSERT INTO counted VALUES (1)"))
        except StoreError as error:
            outcome.append(error)
        else:
            outcome.append(None)

    thread = threading.Thread(target=write)
    thread.start()
    stuck = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    while waiting.psql(f"SELECT count(*) {stuck}") != "1":
        time.sleep(0.05)
    assert not outcome
    waiting.psql(f"SELECT pg_cancel_backend(pid) {stuck}")
    thread.join()
    assert isinstance(outcome[0], StoreError)
    assert "may not be where it should be" in str(outcome[0])
    waiting.psql("ALTER SYSTEM RESET synchronous_standby_names")
    waiting.psql("SELECT pg_reload_conf()")
    # It is there, on one disk: unknown is the only honest word. And the next commit counts again.
    assert count(database) == 1
    with database.write() as connection:
        connection.execute(text("INSERT INTO counted VALUES (2)"))
    database.close()


@pytest.mark.parametrize(
    ("setting", "words"),
    [("synchronous_commit=off", "synchronous_commit = off"), ("fsync=off", "fsync")],
)
def test_a_server_that_forgets_what_it_acknowledged_is_refused(
    cluster: Cluster, setting: str, words: str
) -> None:
    if setting.startswith("fsync"):
        weak = Cluster("-c fsync=off")
        database = Database(weak.database())
    else:
        weak = None
        database = Database(cluster.database() + "&options=-c%20synchronous_commit%3Doff")
    with pytest.raises(ConfigError, match=words):
        database.create()
    database.close()
    if weak is not None:
        weak.close()


def test_a_connection_lost_in_a_transaction_is_an_unknown_outcome(
    cluster: Cluster, database: Database
) -> None:
    def cut() -> None:
        with database.write() as connection:
            connection.execute(text("INSERT INTO counted VALUES (1)"))
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            cluster.psql(f"SELECT pg_terminate_backend({pid})")

    with pytest.raises(StoreError):
        cut()
    assert count(database) == 0
    with database.write() as connection:
        connection.execute(text("INSERT INTO counted VALUES (1)"))
    assert count(database) == 1


def test_a_server_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    database = Database(f"postgresql+psycopg://user:hush@/log?host={tmp_path}")
    with pytest.raises(StoreError) as caught:
        database.create()
    assert str(caught.value) == "the database refused: OperationalError"
    database.close()


def test_writers_that_block_each_other_are_told_apart(database: Database) -> None:
    with pytest.raises(StoreRaceError), database.write() as connection:
        connection.execute(text("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$"))


def test_an_error_quotes_nothing(database: Database) -> None:
    with pytest.raises(StoreError) as caught, database.write() as connection:
        connection.execute(text("INSERT INTO counted VALUES (:secret)"), {"secret": "hush"})
    assert "hush" not in str(caught.value)


def test_only_a_url_of_this_driver_is_taken(tmp_path: Path) -> None:
    for url in ("postgresql://x/y", "mysql://x/y", "sqlite:///x"):
        with pytest.raises(SettingsError, match="database_url must begin with"):
            Settings(home=tmp_path, origin="o", database_url=url)
    with pytest.raises(ConfigError) as caught:
        Database("postgresql+psycopg://user:hush@host:port/name")
    assert "hush" not in str(caught.value)


@pytest.mark.usefixtures("cluster")
def test_a_crash_of_the_server_takes_back_nothing() -> None:
    own = Cluster()
    try:
        database = Database(own.database())
        database.create()
        with database.write() as connection:
            connection.execute(text("CREATE TABLE counted (n INTEGER)"))
        for number in range(20):
            with database.write() as connection:
                connection.execute(text("INSERT INTO counted VALUES (:n)"), {"n": number})
        own.stop("immediate")
        own.start()
        assert count(database) == 20
        database.close()
    finally:
        own.close()
