"""Whatever a database was made by, its tables become those of the schema, or it is refused."""

import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import ColumnClause, Connection, column, insert, inspect, text
from sqlalchemy import table as table_named

from support.builders import ENGAGEMENT, FREELANCER, make_open, make_segment
from support.command import run
from support.office import ORIGIN, FakeClock, Office
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.merkle import EMPTY_ROOT
from workseal_protocol.records import (
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    Record,
    RevocationReason,
    sign,
)
from workseal_verifier.errors import StoreCorruptError, StoreError
from workseal_verifier.services import contacts
from workseal_verifier.services.contacts import Contact, ContactBook, Kept
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.store import migrating, tables
from workseal_verifier.store.contacts import DAY_MS, ContactStore
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import Head, Tie
from workseal_verifier.store.notices import Channel, Fate, NoticeStore
from workseal_verifier.store.outbox import Counts, Outbox
from workseal_verifier.store.parties import PartyStore
from workseal_verifier.store.presence import OwnActStore, PresenceStore, Up
from workseal_verifier.store.records import RecordStore
from workseal_verifier.store.schema import metadata

NEWEST = "0011"


def described(connection: Connection) -> dict[str, Any]:
    """Describe every table, in words that can be compared."""
    look = inspect(connection)
    found: dict[str, Any] = {}
    for table in look.get_table_names():
        found[table] = {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(table)
            ],
            "key": look.get_pk_constraint(table)["constrained_columns"],
            "indexes": sorted(
                (i["name"] or "", i["column_names"], bool(i["unique"]), _among(i))
                for i in look.get_indexes(table)
            ),
            "unique": sorted(str(u["column_names"]) for u in look.get_unique_constraints(table)),
            "bounds": sorted(
                (str(c["name"]), re.sub(r"\s+", " ", str(c["sqltext"])))
                for c in look.get_check_constraints(table)
            ),
        }
    if connection.dialect.name == "sqlite":
        strict = connection.exec_driver_sql("SELECT name, strict FROM pragma_table_list").all()
        found["strict"] = {name: bool(flag) for name, flag in strict if name in found}
    return found


def _among(index: Any) -> str:
    """Tell which rows an index has, where it has not all."""
    options = index.get("dialect_options", {})
    return str([str(value) for name, value in options.items() if name.endswith("_where")])


def test_the_revisions_make_the_tables_of_the_schema(where: Path | str, cluster: Any) -> None:
    migrated = Database(where)
    assert migrated.migrate() == ("nothing", NEWEST)
    direct = Database(
        where.with_name("direct.db") if isinstance(where, Path) else cluster.database()
    )
    direct.create()
    with direct.read() as connection:
        wanted = described(connection)
    with migrated.read() as connection:
        assert described(connection) == wanted
    assert set(wanted) >= {table.name for table in metadata.sorted_tables}
    migrated.close()
    direct.close()


def old_file(path: Path) -> None:
    """Make the file of release 0.1.0: the first revision's tables, numbered by SQLite itself."""
    database = at_revision(path, "0001")
    LogStore(database).found(EMPTY_ROOT)
    database.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE alembic_version")
        connection.execute("PRAGMA user_version=1")
    connection.close()


def test_a_file_of_the_first_release_is_brought_up_and_keeps_what_it_holds(tmp_path: Path) -> None:
    old_file(tmp_path / "db")
    database = Database(tmp_path / "db")
    before, after = database.migrate()
    assert before == "0001"
    database.check_version()
    assert LogStore(database).head() == Head(0, EMPTY_ROOT)
    assert database.migrate() == (after, after)
    database.close()


def test_a_log_of_the_third_revision_learns_whom_its_key_statements_are_about(
    office: Office,
) -> None:
    old, new, recovery = (SeedSigner(bytes([n]) * 32) for n in (1, 2, 3))
    said: list[tuple[Record, SeedSigner]] = [
        (_announcement(office, old, recovery), old),
        (_announcement(office, new, None), new),
        (KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new), old),
    ]
    revoked = KeyRevoke(
        claimed_at=office.now, key=new.public_key.thumbprint, reason=RevocationReason.LOST
    )
    office.post([*(sign(*one) for one in said), sign(revoked, new)])
    database = office.verifier.database
    with database.write() as connection:
        connection.exec_driver_sql("DROP TABLE key_events")
        connection.exec_driver_sql("DROP TABLE case_steps")
        connection.exec_driver_sql("DROP TABLE milestones")
        for name in ("parties_engagement", "parties_tie", "parties_moved", "statements_seq"):
            connection.exec_driver_sql(f"DROP INDEX {name}")
        for name in ("tie", "place", "moved"):
            connection.exec_driver_sql(f"ALTER TABLE parties DROP COLUMN {name}")
        connection.exec_driver_sql("ALTER TABLE statements DROP COLUMN seq")
        for name in ("notices", "contacts", "confirmations", "presence", "own_acts"):
            connection.exec_driver_sql(f"DROP TABLE {name}")
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    assert database.migrate() == ("0003", NEWEST)
    assert office.check() == []
    assert office.verifier.records.keys.count() == 4


NOW = 1_794_900_000_000
KEYS = {name: Digest.of(name.encode()) for name in ("asks", "digest", "hook", "late")}
FILING = Digest.of(b"filing")
SECRET = b"s" * 32


def at_revision(where: Path | str, revision: str) -> Database:
    """Make the tables as a program of an earlier release did."""
    database = Database(where)
    with database.write() as connection:
        command.upgrade(migrating._config(connection), revision)
    return database


def put_in(database: Database, table: str, *rows: Mapping[str, object]) -> None:
    """Write rows by the columns that the table has, whatever this program knows of it."""
    with database.write() as connection:
        for row in rows:
            columns: list[ColumnClause[object]] = [column(name) for name in row]
            connection.execute(insert(table_named(table, *columns)).values(dict(row)))


def notice_row(word: str, channel: Channel, fate: Fate, **changes: object) -> dict[str, object]:
    sent_on = channel is not Channel.PAGE and fate is Fate.WAITING
    return {
        "name": Digest.of(word.encode()).raw,
        "channel": int(channel),
        "kind": "turn",
        "filing": FILING.raw,
        "step": 7,
        "recipient": KEYS["asks"].raw,
        "waiting": 2,
        "made_ms": NOW - 9,
        "state": int(fate),
        "tries": 0,
        "next_ms": NOW - 9 if sent_on else None,
        "ended_ms": None if fate is Fate.WAITING else NOW - 5,
    } | changes


def contact_row(name: str, book: ContactBook, **changes: object) -> dict[str, object]:
    salt = name.encode().ljust(16, b"-")
    return {
        "thumbprint": KEYS[name].raw,
        "mail": f"{name}@example.com",
        "webhook": None,
        "zone": "Europe/Berlin",
        "digest": 0,
        "salt": salt,
        "stop_mail": contacts._hashed(book._token(b"mail", salt)).raw,
        "stop_digest": contacts._hashed(book._token(b"digest", salt)).raw,
        "changed_ms": NOW - 99,
    } | changes


def book_of(database: Database) -> ContactBook:
    keys = KeyBook(RecordStore(database))
    return ContactBook(ContactStore(database), keys, FakeClock(NOW), SECRET, size=lambda: 0)


def test_what_the_sixth_revision_held_keeps_its_meaning(where: Path | str) -> None:
    """Notices, addresses, times and acts were written before an address had to be confirmed."""
    database = at_revision(where, "0006")
    book, store, outbox = book_of(database), NoticeStore(database), Outbox(database)
    put_in(
        database,
        "notices",
        notice_row("page", Channel.PAGE, Fate.WAITING),
        notice_row("read", Channel.PAGE, Fate.DONE),
        notice_row("due", Channel.MAIL, Fate.WAITING, tries=2),
        notice_row("later", Channel.WEBHOOK, Fate.WAITING, next_ms=NOW + 60_000, tries=3),
        notice_row("sent", Channel.WEBHOOK, Fate.DONE),
        notice_row("parked", Channel.MAIL, Fate.PARKED, tries=11),
        notice_row("none", Channel.MAIL, Fate.NOWHERE),
        notice_row("week", Channel.MAIL, Fate.WAITING, kind="week", filing=None, next_ms=NOW - 1),
    )
    put_in(
        database,
        "contacts",
        contact_row("asks", book),
        contact_row("digest", book, digest=1),
        contact_row("hook", book, mail=None, webhook="https://hooks.example.com/"),
    )
    put_in(database, "presence", {"begin_ms": NOW - 50, "end_ms": NOW - 40})
    act = {"filing": FILING.raw, "head": KEYS["late"].raw, "body": b"signed", "made_ms": NOW}
    put_in(database, "own_acts", act)
    assert database.migrate() == ("0006", NEWEST)

    # To be sent, in its order and with its tries; what was sent and given up is not.
    claimed = [outbox.claim(NOW, lease_ms=1) for _ in range(3)]
    assert [one and (one.name, one.tries) for one in claimed] == [
        (Digest.of(b"due"), 2),
        (Digest.of(b"week"), 0),
        None,
    ]
    later = outbox.claim(NOW + 60_000, lease_ms=1, channels=[Channel.WEBHOOK])
    assert later is not None
    assert (later.name, later.tries) == (Digest.of(b"later"), 3)
    assert outbox.counts().parked == 1
    assert outbox.try_parked(NOW) == 1
    assert store.ended_since(NOW - 5) == {FILING}
    page = store.board([KEYS["asks"]], below=9, before=9, most=9)
    assert {one.name: one.ended_ms for one in page} == {
        Digest.of(b"page"): None,
        Digest.of(b"read"): NOW - 5,
    }
    # An address stands there, and nothing goes to it: nobody confirmed it.
    assert book.own(KEYS["asks"]) == Kept(mail="asks@example.com", zone="Europe/Berlin")
    assert list(book.wanting_digests(9)) == []
    assert book.own(KEYS["hook"]).webhook == "https://hooks.example.com/"
    book.expire()
    assert book.own(KEYS["digest"]).digest
    # Given again it is asked for; the link of an old mail stops mails still.
    book.put(KEYS["asks"], Contact(mail="asks@example.com"))
    row = book.to_confirm(KEYS["asks"])
    assert row is not None
    book.confirm(book.confirm_token(row))
    assert book.own(KEYS["asks"]).confirmed
    book.stop(book._token(b"mail", b"asks".ljust(16, b"-")))
    assert book.own(KEYS["asks"]).mail is None
    book.stop(book._token(b"digest", b"digest".ljust(16, b"-")))
    assert not book.own(KEYS["digest"]).digest
    assert PresenceStore(database).since(0) == [Up(NOW - 50, NOW - 40)]
    assert OwnActStore(database).kept(FILING, KEYS["late"]) == (b"signed", NOW)
    database.close()


def test_what_the_seventh_revision_held_keeps_its_meaning(where: Path | str) -> None:
    database = at_revision(where, "0007")
    book, store, outbox = book_of(database), NoticeStore(database), Outbox(database)
    confirm = {
        name: contacts._hashed(book._token(b"confirm", name.encode().ljust(16, b"-"))).raw
        for name in KEYS
    }
    until = {"confirm_until_ms": NOW}
    put_in(
        database,
        "contacts",
        contact_row("asks", book, confirm=confirm["asks"], **until),
        contact_row("digest", book, digest=1, confirm=confirm["digest"], confirmed_ms=NOW, **until),
        contact_row("late", book, confirm=confirm["late"], confirm_until_ms=NOW - 1),
    )
    place = book._place("asks@example.com").raw
    old, recent = NOW - 3 * DAY_MS, NOW - DAY_MS + 1
    put_in(
        database,
        "confirmations",
        *(
            {
                "name": Digest.of(word).raw,
                "thumbprint": KEYS["asks"].raw,
                "place": place,
                "asked_ms": asked,
                "sent_ms": sent,
            }
            for word, asked, sent in (
                (b"one", NOW - 9, NOW - 9),
                (b"two", NOW - 9, None),
                (b"three", old, recent),
                (b"four", old, None),
                (b"five", old, NOW - DAY_MS),
            )
        ),
    )
    put_in(
        database,
        "notices",
        notice_row("due", Channel.MAIL, Fate.WAITING),
        notice_row("sent", Channel.MAIL, Fate.DONE),
    )
    assert database.migrate() == ("0007", NEWEST)

    book.expire()
    kept = {Digest.of(word) for word in (b"one", b"two", b"three")}
    for word in (b"one", b"two", b"three", b"four", b"five"):
        name = Digest.of(word)
        assert (ContactStore(database).place_of(name) is not None) == (name in kept)
    assert book.own(KEYS["late"]).mail is None
    assert [one.thumbprint for one in book.wanting_digests(9)] == [KEYS["digest"]]
    book.confirm(book._token(b"confirm", b"asks".ljust(16, b"-")))
    assert book.own(KEYS["asks"]).confirmed
    assert store.ended_since(NOW - 5) == {FILING}
    assert outbox.counts() == Counts(1, NOW - 9, 0)
    database.close()


def chained(position: int, record: Record) -> dict[str, object]:
    """Write the row of a statement as it was before it told its number."""
    statement = sign(record, FREELANCER)
    return {
        "position": position,
        "digest": statement.digest.raw,
        "body": statement.encode(),
        "kind": statement.kind.value,
        "engagement": ENGAGEMENT,
    }


def test_a_log_of_the_ninth_revision_learns_the_numbers_of_its_chains(where: Path | str) -> None:
    database = at_revision(where, "0009")
    put_in(
        database,
        "statements",
        chained(0, make_open(seq=0)),
        chained(1, make_segment(seq=1)),
        chained(2, make_segment(seq=2)),
        {"position": 3, "digest": bytes(32), "body": b"x", "kind": "log.policy"},
    )
    assert database.migrate() == ("0009", NEWEST)
    assert [one.seq for one in RecordStore(database).all()] == [0, 1, 2, None]
    database.close()


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (chained(2, make_segment(seq=1, worked=1)), "statements 1 and 2 are both number 1 of one"),
        (
            chained(2, make_segment(seq=2)) | {"kind": "evidence", "body": b"x"},
            "statement 2 cannot",
        ),
    ],
)
def test_a_chain_of_which_two_have_one_number_is_left_alone(
    where: Path | str, last: dict[str, object], said: str
) -> None:
    database = at_revision(where, "0009")
    put_in(
        database,
        "statements",
        chained(0, make_open(seq=0)),
        chained(1, make_segment(seq=1)),
        last,
    )
    with database.read() as connection:
        before = described(connection)
    with pytest.raises(StoreCorruptError, match=said):
        database.migrate()
    with database.read() as connection:
        assert described(connection) == before
        assert tables.revision(connection) == "0009"
    database.close()


def test_a_log_of_the_tenth_revision_learns_how_keys_are_tied_to_their_agreements(
    where: Path | str,
) -> None:
    """An offer, one that was accepted and one of which a case moved: each with all its parties."""
    database = at_revision(where, "0010")
    keys = {role: Digest.of(role.name.encode()) for role in Role if role is not Role.OPERATOR}
    offered, accepted, disputed = (bytes([number]) * 16 for number in (3, 2, 1))
    told = [(offered, "offer"), (accepted, "offer"), (disputed, "offer")]
    told += [(disputed, "acceptance"), (accepted, "acceptance"), (disputed, "dispute.filing")]
    put_in(
        database,
        "statements",
        *(
            {
                "position": place,
                "digest": Digest.of(bytes([place])).raw,
                "body": b"x",
                "kind": kind,
                "engagement": engagement,
            }
            for place, (engagement, kind) in enumerate(told)
        ),
    )
    put_in(
        database,
        "parties",
        *(
            {
                "thumbprint": key.raw,
                "engagement": engagement,
                "role": int(role),
                "key": key.raw,
            }
            for engagement in (offered, accepted, disputed)
            for role, key in keys.items()
        ),
    )
    step = {"position": 5, "filing": FILING.raw, "engagement": disputed, "state": "notice"}
    put_in(database, "case_steps", step)
    assert database.migrate() == ("0010", NEWEST)
    store = PartyStore(database)
    found = {(row.engagement, row.role): (row.tie, row.place, row.moved) for row in store.all()}
    assert found == {
        (offered, Role.CLIENT): (Tie.OFFERED, 0, None),
        (offered, Role.FREELANCER): (Tie.ASKED, 0, None),
        (offered, Role.ARBITRATOR): (Tie.ASKED, 0, None),
        (accepted, Role.CLIENT): (Tie.SIGNED, 4, None),
        (accepted, Role.FREELANCER): (Tie.SIGNED, 4, None),
        (accepted, Role.ARBITRATOR): (Tie.NAMED, 4, None),
        (disputed, Role.CLIENT): (Tie.SIGNED, 3, 5),
        (disputed, Role.FREELANCER): (Tie.SIGNED, 3, 5),
        (disputed, Role.ARBITRATOR): (Tie.NAMED, 3, 5),
    }
    database.close()


def _announcement(office: Office, key: SeedSigner, recovery: SeedSigner | None) -> KeyAnnounce:
    return KeyAnnounce(
        claimed_at=office.now,
        public_key=key.public_key,
        role=Role.FREELANCER,
        recovery=None if recovery is None else recovery.public_key.thumbprint,
    )


@pytest.mark.parametrize("number", [int(NEWEST) + 1, 9999])
def test_a_file_of_a_later_release_is_left_alone(tmp_path: Path, number: int) -> None:
    path = tmp_path / "db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version={number}")
    connection.close()
    for act in (Database(path).create, Database(path).migrate, Database(path).check_version):
        with pytest.raises(StoreError, match=f"has schema {number:04}, this program knows"):
            act()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (number,)
        assert connection.execute("SELECT * FROM sqlite_master").fetchall() == []
    connection.close()


def test_a_revision_that_nobody_knows_is_left_alone(where: Path | str) -> None:
    database = Database(where)
    database.create()
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    for act in (database.create, database.migrate, database.check_version):
        with pytest.raises(StoreError, match="has schema later, this program knows"):
            act()
    database.close()


def test_the_tables_of_another_program_are_left_alone(where: Path | str) -> None:
    database = Database(where)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE theirs (n INTEGER)"))
    for act in (database.create, database.migrate):
        with pytest.raises(StoreError, match="made by a newer program, or by another"):
            act()
    with database.read() as connection:
        assert inspect(connection).get_table_names() == ["theirs"]
    database.close()


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    home = tmp_path / "v"
    assert run("init", "--home", home, "--origin", ORIGIN).returncode == 0
    old_file(home / "verifier.db")
    done = run("migrate", "--home", home)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"the database has schema \d{4}, it had 0001\n", done.stdout)
    assert run("check-log", "--home", home).returncode == 0
