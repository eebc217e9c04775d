"""Room that the ledger keeps for itself, so that a full disk costs pictures and no time.

Rules: the room is free pages in the ledger's file and an equal length of its write-ahead log, so no
other file can take it. It is asked for while there is room, and used up before the file grows. On a
disk that copies what is overwritten it is worth nothing, and segments wait in memory as before.
"""

import sqlite3
from pathlib import Path

# At 4 KB for a segment with all that belongs to it, eight hours of rounds of 30 seconds.
ROOM_BYTES = 4 << 20
_CACHE_PAGES = 16


def room_of(connection: sqlite3.Connection, file: Path) -> int:
    """Return how many bytes can be written although the disk is full."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    try:
        logged = file.with_name(f"{file.name}-wal").stat().st_size
    except OSError:
        logged = 0
    return min(int(free) * int(page), logged)


def make_room(connection: sqlite3.Connection, octets: int = ROOM_BYTES) -> None:
    """Make room, in one transaction; raises `sqlite3.Error` where the disk has none to give."""
    (usual,) = connection.execute("PRAGMA cache_size").fetchone()
    # The pages go to the disk as they come: kept until the end, they would stay in memory.
    connection.execute(f"PRAGMA cache_size = {_CACHE_PAGES}")
    try:
        _write(connection, octets)
        # Into the file now, while there is room.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    finally:
        connection.execute(f"PRAGMA cache_size = {usual}")


def _write(connection: sqlite3.Connection, octets: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # What is deleted is overwritten (secure_delete), so the pages are really the file's.
        connection.execute("CREATE TABLE room (filler BLOB NOT NULL) STRICT")
        connection.execute("INSERT INTO room VALUES (zeroblob(?))", (octets,))
        connection.execute("DROP TABLE room")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
