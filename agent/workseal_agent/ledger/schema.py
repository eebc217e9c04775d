"""The tables of the ledger, and how its file is opened.

Rules: WAL with synchronous FULL, so that a row that was written survives a power cut; every write
transaction is BEGIN IMMEDIATE, so that two processes wait for each other instead of failing.
"""

import os
import sqlite3
from pathlib import Path

from workseal_agent.language import phrase
from workseal_agent.ledger.errors import LedgerError, reason_of

VERSION = 7
# How long one process waits for another that is writing: writes take milliseconds.
BUSY_MS = 10_000

_TABLES = """
CREATE TABLE engagements (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    offer BLOB NOT NULL,
    acceptance BLOB NOT NULL,
    url TEXT NOT NULL,
    tsa_roots BLOB NOT NULL
) STRICT;

-- Own statements, and those of others that this agent passed on: one body for each place.
CREATE TABLE statements (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    engagement BLOB NOT NULL REFERENCES engagements (id),
    seq INTEGER,
    digest BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('unsent', 'held', 'receipted', 'parked')),
    problem TEXT,
    log_index INTEGER,
    checkpoint_size INTEGER,
    UNIQUE (engagement, seq)
) STRICT;
CREATE INDEX statements_by_state ON statements (state, number);

CREATE TABLE checkpoints (
    engagement BLOB NOT NULL REFERENCES engagements (id),
    size INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (engagement, size)
) STRICT, WITHOUT ROWID;

-- `secrets`: last value of the agent's chain and the session's secret, sealed.
CREATE TABLE sessions (
    id BLOB PRIMARY KEY,
    engagement BLOB NOT NULL REFERENCES engagements (id),
    first_round INTEGER NOT NULL,
    rounds INTEGER NOT NULL,
    secrets BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What `status` and declarations ask of segments, without reading each statement again.
CREATE TABLE segments (
    digest BLOB PRIMARY KEY REFERENCES statements (digest),
    engagement BLOB NOT NULL,
    session BLOB NOT NULL,
    begin_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL,
    worked_ms INTEGER NOT NULL,
    state INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX segments_by_time ON segments (engagement, begin_ms);

-- A frame stands here before it is in the vault; `segment` names what committed to it.
CREATE TABLE captures (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    commitment BLOB NOT NULL UNIQUE,
    engagement BLOB NOT NULL,
    session BLOB NOT NULL,
    round INTEGER NOT NULL,
    captured_ms INTEGER NOT NULL,
    display INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    segment BLOB,
    tombstone BLOB,
    destroyed INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Values behind commitments: salt and value, sealed.
CREATE TABLE openings (
    statement BLOB NOT NULL,
    kind INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (statement, kind)
) STRICT, WITHOUT ROWID;

-- The memo of an off-screen stretch that is not declared yet, sealed.
CREATE TABLE memos (
    engagement BLOB PRIMARY KEY,
    begin_ms INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Which disclosures were made; their bytes stand in the vault.
CREATE TABLE disclosures (
    digest BLOB PRIMARY KEY,
    engagement BLOB NOT NULL,
    statement BLOB NOT NULL,
    frame BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What contradicts the log's own signatures: kept as evidence, never deleted.
CREATE TABLE incidents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    engagement BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    text TEXT NOT NULL,
    evidence BLOB NOT NULL
) STRICT;
"""

# What a version adds to the one before it.
_ADDED = {
    # Engagements of a ledger that was restored from a backup: what was signed after it is still to
    # be learned, and until then nothing is signed.
    2: "CREATE TABLE restored (engagement BLOB PRIMARY KEY) STRICT, WITHOUT ROWID",
    # Which tiles of a frame a statement showed, as runs: what was seen stays known when the frame
    # and its disclosures are destroyed.
    3: "CREATE TABLE reveals (statement BLOB NOT NULL, frame BLOB NOT NULL,"
    " engagement BLOB NOT NULL, runs BLOB NOT NULL, tiles INTEGER NOT NULL,"
    " PRIMARY KEY (statement, frame)) STRICT, WITHOUT ROWID",
    # What each weekly statement of possession committed to of its frames, 32 bytes each and in
    # their order: of a frame that was destroyed since, nobody could compute it again.
    4: "CREATE TABLE possessions (statement BLOB PRIMARY KEY, engagement BLOB NOT NULL,"
    " objects BLOB NOT NULL) STRICT, WITHOUT ROWID",
    # What stands in a case in the place of a statement that was refused.
    5: "ALTER TABLE statements ADD COLUMN successor BLOB",
    # How the text of an incident was made, so that it can be said in its owner's language.
    6: "ALTER TABLE incidents ADD COLUMN made TEXT",
    # The hours of cases that were read, whoever filed them: frames of these are kept until the
    # case has ended.
    7: "CREATE TABLE cases (filing BLOB PRIMARY KEY, engagement BLOB NOT NULL,"
    " begin_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, ended INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID",
}


def open_database(path: Path, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    """Open the ledger's file, and make its tables when it is new.

    Raises `LedgerError` when the file is damaged, or of a version that this agent does not know.
    On a medium that is read-only it is opened for looking alone.
    """
    try:
        if _is_only_read(path):
            return _opened_for_looking(path)
        if not path.exists():
            path.touch(mode=0o600)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        _prepare(connection, busy_ms)
    except (sqlite3.Error, OSError) as error:
        raise LedgerError(
            phrase("the ledger cannot be opened: {error}", error=reason_of(error, path))
        ) from error
    return connection


def _is_only_read(path: Path) -> bool:
    """Tell whether the medium takes no writing, and the whole ledger is in its one file.

    Where a log lies beside it, SQLite reads both by itself.
    """
    if path.with_name(f"{path.name}-wal").exists():
        return False
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _opened_for_looking(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?immutable=1",
        uri=True, isolation_level=None, check_same_thread=False,
    )  # fmt: skip
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        connection.close()
        raise LedgerError(
            phrase(
                "the ledger on this read-only medium has version {version}; this agent reads"
                " version {own} there, and brings older ones up to it on a medium that it can"
                " write",
                version=version,
                own=VERSION,
            )
        )
    return connection


def _prepare(connection: sqlite3.Connection, busy_ms: int) -> None:
    connection.execute(f"PRAGMA busy_timeout = {busy_ms}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # Half as long as usual: what the log has of room on a full disk is to last over a checkpoint.
    connection.execute("PRAGMA wal_autocheckpoint = 500")
    connection.execute("PRAGMA foreign_keys = ON")
    # What is deleted is overwritten: a withdrawn value does not stay in a free page.
    connection.execute("PRAGMA secure_delete = ON")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < VERSION:
        # Only then: a ledger that is as it should be opens also while somebody writes in it.
        _bring_up(connection)
    if version > VERSION:
        connection.close()
        raise LedgerError(
            phrase(
                "the ledger has version {version}; this agent reads version {own}",
                version=version,
                own=VERSION,
            )
        )


def _bring_up(connection: sqlite3.Connection) -> None:
    """Make the tables that are missing, or that another process made meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
            version = 1
        for number in range(version + 1, VERSION + 1):
            connection.execute(_ADDED[number])
        if version < VERSION:
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
