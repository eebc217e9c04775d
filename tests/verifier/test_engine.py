import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from support.command import run
from support.office import ORIGIN, new_home
from support.postgres import Cluster
from workseal_protocol.merkle import EMPTY_ROOT
from workseal_verifier.errors import ConfigError, StoreCorruptError, StoreError, StoreFullError
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import Head
from workseal_verifier.store.sqlite import SqliteBackend


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(tmp_path / "verifier.db")
    made.create()
    return made


def test_commits_survive_a_power_cut_by_setting(database: Database) -> None:
    with database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA temp_store").scalar_one() == 2


def test_writers_wait_for_each_other_instead_of_failing_at_the_end(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("CREATE TABLE counted (n INTEGER)"))
        connection.execute(text("INSERT INTO counted VALUES (0)"))
    failures: list[Exception] = []

    def count() -> None:
        try:
            for _ in range(25):
                with database.write() as connection:
                    n = connection.execute(text("SELECT n FROM counted")).scalar_one()
                    connection.execute(text("UPDATE counted SET n = :n"), {"n": n + 1})
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert (failures, connection.execute(text("SELECT n FROM counted")).scalar_one()) == (
            [],
            100,
        )


def test_a_full_disk_stores_nothing_and_recovers(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("CREATE TABLE filled (data BLOB)"))
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def fill() -> None:
        with database.write() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}")
            for _ in range(64):
                connection.execute(text("INSERT INTO filled VALUES (zeroblob(4096))"))

    with pytest.raises(StoreFullError):
        fill()
    with database.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        assert connection.execute(text("SELECT count(*) FROM filled")).scalar_one() == 0
        connection.execute(text("INSERT INTO filled VALUES (zeroblob(4096))"))


def test_no_room_for_what_connections_share_is_a_full_disk_too(tmp_path: Path) -> None:
    """So it is on a disk that is full to the last byte: nothing can even be read."""
    cause: Any = sqlite3.OperationalError("disk I/O error")
    cause.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    cause.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
    found = SqliteBackend(tmp_path / "verifier.db").translate(OperationalError(None, None, cause))
    assert isinstance(found, StoreFullError)
    assert str(found).endswith("SQLITE_IOERR_SHMSIZE: there is no space where verifier.db lies")


def test_an_error_never_quotes_what_was_stored(database: Database) -> None:
    with pytest.raises(StoreError) as caught, database.write() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:secret)"), {"secret": "hush"})
    seen = f"{caught.value} {caught.value.__cause__}"
    assert "hush" not in seen


def test_refuses_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "verifier.db"
    path.write_bytes(b"this is not a database file, but it is long enough to look at" * 99)
    with pytest.raises(StoreCorruptError):
        Database(path).create()


def test_only_one_process_leads_and_another_takes_over(where: Path | str) -> None:
    first, second = Database(where), Database(where)
    assert first.lead()
    assert first.lead()
    assert second.lead() is not first.shared
    first.close()
    assert second.lead()
    second.close()


def test_who_wants_to_be_alone_is_told_of_another_host(where: Path | str) -> None:
    first, second = Database(where), Database(where)
    first.create()
    assert first.lead()
    if first.shared:
        with pytest.raises(ConfigError, match="on another host: stop all"):
            second.require_alone()
    first.close()
    second.require_alone()
    second.close()


@pytest.mark.postgres
@pytest.mark.parametrize("words", [["migrate"], ["recover", "any.logcopy"]])
def test_nothing_is_brought_up_or_rebuilt_under_another_host(
    cluster: Cluster, tmp_path: Path, words: list[str]
) -> None:
    url = cluster.database()
    home = new_home(tmp_path).home
    (home / "verifier.toml").write_text(f'origin = "{ORIGIN}"\ndatabase_url = "{url}"\n')
    other = Database(url)
    other.create()
    assert other.lead()
    command, *rest = words
    done = run(command, "--home", home, *rest)
    assert (done.returncode, "stop all of them" in done.stderr) == (1, True)
    other.close()
    if command == "migrate":
        assert run(command, "--home", home).returncode == 0


def test_a_database_that_cannot_be_reached_is_no_other_host() -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        Database("postgresql+psycopg://test@127.0.0.1:1/none").require_alone()


def test_a_snapshot_shows_one_moment(where: Path | str) -> None:
    database = Database(where)
    database.create()
    log = LogStore(database)
    with database.snapshot():
        assert log.head() is None
        other = Database(where)
        LogStore(other).found(EMPTY_ROOT)
        other.close()
        assert log.head() is None
    assert log.head() == Head(0, EMPTY_ROOT)
    database.close()
