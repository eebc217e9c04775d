"""What PostgreSQL does that SQLite does not: doubtful commits, weak settings, lost connections."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from support.postgres import Cluster
from workseal_protocol.merkle import EMPTY_ROOT
from workseal_verifier.config import Settings
from workseal_verifier.errors import ConfigError, SettingsError, StoreError, StoreRaceError
from workseal_verifier.store import postgres
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore

pytestmark = pytest.mark.postgres


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Database]:
    made = Database(cluster.database())
    made.create()
    with made.write() as connection:
        connection.execute(text("CREATE TABLE counted (n INTEGER)"))
    yield made
    made.close()


def count(database: Database) -> int:
    with database.read() as connection:
        found: int = connection.execute(text("SELECT count(*) FROM counted")).scalar_one()
    return found


@pytest.fixture
def counting(waiting: Cluster) -> Iterator[Database]:
    made = Database(waiting.database())
    made.create()
    with made.write() as connection:
        connection.execute(text("CREATE TABLE counted (n INTEGER)"))
    yield made
    made.close()


def add(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("INSERT INTO counted VALUES (1)"))


def while_cut(cluster: Cluster, work: Callable[[], object]) -> Future[object]:
    """Do something whose commits wait for a standby, and cut each wait short."""
    with ThreadPoolExecutor() as pool:
        done = pool.submit(work)
        while not done.done():
            cluster.cut_waits()
            time.sleep(0.02)
    return done


def test_a_cut_wait_for_a_standby_is_no_commit_that_counts(
    waiting: Cluster, counting: Database
) -> None:
    """The trap: the driver reports success, and a warning says that no standby has it."""
    with waiting.missing_a_standby():
        outcome = while_cut(waiting, lambda: add(counting)).exception()
    assert isinstance(outcome, StoreError)
    assert "may not be where it should be" in str(outcome)
    # It is there, on one disk: unknown is the only honest word. And the next commit counts again.
    assert count(counting) == 1
    add(counting)


def test_a_commit_that_waits_for_too_long_is_given_up_and_not_cancelled(
    waiting: Cluster, counting: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with waiting.missing_a_standby():
        with monkeypatch.context() as patch:
            patch.setattr(postgres, "COMMIT_S", 0.2)
            # So that the test fails rather than waits for ever.
            otherwise = threading.Timer(20, waiting.cut_waits)
            otherwise.start()
            with pytest.raises(StoreError, match="did not confirm a commit"):
                add(counting)
            otherwise.cancel()
        # The server still waits: nothing told it not to.
        assert waiting.waiting() == 1
        assert count(counting) == 0
    while count(counting) == 0:
        time.sleep(0.02)
    add(counting)


def test_what_is_settled_waited_for_the_standby(waiting: Cluster, counting: Database) -> None:
    counting.settle()
    with waiting.missing_a_standby():
        outcome = while_cut(waiting, counting.settle).exception()
    assert isinstance(outcome, StoreError)
    counting.settle()


def test_a_turn_that_appends_nothing_waited_for_the_standby(
    waiting: Cluster, counting: Database
) -> None:
    """Its commit stands behind all that it read: that is what the publisher relies on."""
    log = LogStore(counting)
    log.found(EMPTY_ROOT)

    def look() -> None:
        with log.turn():
            pass

    with waiting.missing_a_standby():
        outcome = while_cut(waiting, look).exception()
    assert isinstance(outcome, StoreError)
    look()


def test_the_leader_holds_no_transaction_open(cluster: Cluster, database: Database) -> None:
    assert database.lead()
    assert database.lead()
    found = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
    assert cluster.psql(found) == "0"


def test_a_leader_whose_connection_ends_leads_again(cluster: Cluster, database: Database) -> None:
    assert database.lead()
    held = "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
    pid = cluster.psql(held)
    cluster.psql(f"SELECT pg_terminate_backend({pid})")
    assert not database.lead()
    assert database.lead()
    assert cluster.psql(held) != pid


def test_options_of_the_url_are_kept_beside_those_of_the_program(cluster: Cluster) -> None:
    made = Database(cluster.database() + "&options=-c%20search_path%3Dpg_catalog")
    with made.read() as connection:
        for name, value in (("search_path", "pg_catalog"), ("lock_timeout", "30s")):
            assert connection.exec_driver_sql(f"SHOW {name}").scalar_one() == value
    made.close()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("synchronous_commit=off", "synchronous_commit = off"),
        ("synchronous_commit=remote_write", "synchronous_commit = remote_write"),
        ("fsync=off", "fsync"),
    ],
)
def test_a_server_that_forgets_what_it_acknowledged_is_refused(
    cluster: Cluster, setting: str, words: str
) -> None:
    if setting.startswith("fsync"):
        weak = Cluster("-c fsync=off")
        database = Database(weak.database())
    else:
        weak = None
        database = Database(f"{cluster.database()}&options=-c%20{setting.replace('=', '%3D')}")
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
    assert str(caught.value) == (
        "the database cannot be reached or lets this program not in:"
        " look at database_url, and into the database's own log"
    )
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


def test_another_leads_before_the_connection_of_the_leader_has_ended(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = cluster.database()
    first, second = Database(url), Database(url)
    assert first.lead()
    assert not second.lead()
    dispose = first._reading.dispose
    # Its connections stay open, as for a moment in the eyes of the server.
    monkeypatch.setattr(first._reading, "dispose", lambda: None)
    first.close()
    assert second.lead()
    dispose()
    second.close()
