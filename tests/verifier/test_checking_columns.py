"""Every row and column of every table, changed: `check-log` names it, or the docs say why not."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Table

from support.hearings import Hearing
from support.office import Office, check_store, new_home, stranger_offer
from support.scripted import ScriptedAgent, dispute, first_day, second_day
from support.simulator import START, seeded
from support.stamp import FixedTsa
from support.tsa import POLICY_OID
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, ChainedRecord, KeyAnnounce, KeyRotate, Segment, sign
from workseal_verifier.config import Settings
from workseal_verifier.errors import RefusedError
from workseal_verifier.services import milestones
from workseal_verifier.services.stamping import Authority, Stamper
from workseal_verifier.store.schema import metadata

TSA = FixedTsa.from_seed(b"columns")
GUIDE = Path(__file__).parents[2] / "docs" / "operations" / "verifier.md"
# What no statement says, so that nothing can be derived again: each stands in the guide.
DOORS = frozenset({"invitations", "invited", "links", "sessions", "passkeys", "spent"}) | frozenset(
    {"notices", "contacts", "confirmations", "presence", "own_acts"}
)
# Changes that leave a log as it could have come about; each stands in the guide, with its reason.
UNTOLD = {
    ("checkpoints", "delete"): "an older checkpoint that no statement and no time-stamp names",
    ("checkpoints", "blank"): "an older checkpoint that no statement and no time-stamp names",
    ("timestamps", "delete"): "a time-stamp",
    ("conflicts", "delete"): "a kept second body",
    ("milestones", "delete"): "the last milestone of a chain",
}
TABLES = [table for table in metadata.sorted_tables if table.name not in DOORS]
# Of a table with more rows the first and the last are deleted.
MOST_DELETED = 50


@dataclass(frozen=True)
class Told:
    """A closed log, the sizes of the checkpoints that something else in it names, chains' ends."""

    settings: Settings
    named: frozenset[int]
    marked: frozenset[str]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A closed log with at least two rows in every table but `head`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(milestones, "EVERY", 8)
        yield _told(tmp_path_factory.mktemp("told"))


def _told(folder: Path) -> Told:
    office = Office(new_home(folder)).open()
    office.now = START
    agent = ScriptedAgent(office, terms=office.terms(capture_rate=65_536))
    first_day(office, agent, back_dated=False)
    second_day(office, agent)
    _fork(office, agent)
    dispute(office, agent)
    _cases(office, agent)
    _keys(office)
    for word in range(2):
        office.post([stranger_offer(office, word)])
        _stamp(office)
    stamps = [size for size, _, _ in office.verifier.log.stamps()]
    records = [record for _, record in agent.made]
    anchors = [one.anchor.size for one in records if isinstance(one, ChainedRecord)]
    named = frozenset({*stamps, *anchors, office.checkpoint().checkpoint.size})
    store = office.verifier.records.milestones
    ends = [store.after(one, 0)[-1] for one in store.engagements()]
    office.close()
    marked = frozenset(f"{one.engagement!r}/{one.reach}" for one in ends)
    return Told(office.verifier.settings, named, marked)


def _fork(office: Office, agent: ScriptedAgent) -> None:
    segments = [record for _, record in agent.made if isinstance(record, Segment)]
    for record in segments[-2:]:
        other = replace(record, agent_value=bytes(32))
        with pytest.raises(RefusedError, match="another statement"):
            office.post([sign(other, office.people.freelancer)])


def _cases(office: Office, agent: ScriptedAgent) -> None:
    """Two cases that run, one of them forked."""
    first = Hearing(office, agent.engagement, agent.terms).file().answered()
    prev = first.case.head
    first.act(Role.CLIENT, Act.EXHIBIT)
    other = first.statement(Role.CLIENT, Act.EXHIBIT, prev=prev, text="another word")
    with pytest.raises(RefusedError, match="statement 3 of the case"):
        office.post([other])
    Hearing(office, agent.engagement, agent.terms).file(Role.FREELANCER)


def _keys(office: Office) -> None:
    old, new, recovery = (SeedSigner(seeded(office.seed, word)) for word in ("a", "b", "c"))
    for key in (old, new):
        announce = KeyAnnounce(
            claimed_at=office.now,
            public_key=key.public_key,
            role=Role.FREELANCER,
            recovery=recovery.public_key.thumbprint if key is old else old.public_key.thumbprint,
        )
        office.post([sign(announce, key)])
    for here, there in ((old, recovery), (recovery, SeedSigner(seeded(office.seed, "d")))):
        rotate = KeyRotate.make(claimed_at=office.now, old=here.public_key, new=there)
        office.post([sign(rotate, here)])


def _stamp(office: Office) -> None:
    verifier = office.verifier

    def send(query: bytes) -> bytes:
        return TSA.answer(query, office.now)

    authority = Authority(name="fixed", send=send, roots=(TSA.root_der,), policy=POLICY_OID)
    stamper = Stamper(
        verifier.log,
        verifier.publisher,
        verifier.identity,
        [authority],
        clock=office.clock,
        health=verifier.health,
    )
    assert stamper.stamp()


# --- the changes ---------------------------------------------------------------------------

Row = dict[str, Any]


def changes(table: Table, rows: list[Row]) -> Iterator[tuple[str, dict[int, Row | None]]]:
    """Give each change by name: what becomes of the rows with these numbers, None for deleted."""
    for number, row in enumerate(rows):
        if number in {0, len(rows) - 1} or len(rows) < MOST_DELETED:
            yield f"delete {key_of(table, row)}", {number: None}
    for column in table.columns:
        yield from column_changes(column, rows)
    keys = {column.name for column in table.primary_key}
    if len(rows) > 1:
        first, last = rows[0], rows[-1]
        kept = ({name: row[name] for name in keys} for row in (first, last))
        yield "swap rows", {0: last | next(kept), len(rows) - 1: first | next(kept)}
    if table.name == "checkpoints":
        for number, row in enumerate(rows):
            blank = dict.fromkeys(("signed", "digest", "signed_at"))
            yield f"blank {key_of(table, row)}", {number: row | blank}


def column_changes(
    column: Column[Any], rows: list[Row]
) -> Iterator[tuple[str, dict[int, Row | None]]]:
    name = column.name
    full = [number for number, row in enumerate(rows) if row[name] is not None]
    empty = [number for number, row in enumerate(rows) if row[name] is None]
    for number in {full[0], full[-1]}:
        yield f"change {name}", {number: rows[number] | {name: changed(rows[number][name])}}
    other = next((n for n in full if rows[n][name] != rows[full[0]][name]), None)
    if other is not None:
        one, two = rows[full[0]], rows[other]
        yield f"swap {name}", {full[0]: one | {name: two[name]}, other: two | {name: one[name]}}
    if column.nullable:
        yield f"null {name}", {full[0]: rows[full[0]] | {name: None}}
    if empty:
        yield f"fill {name}", {empty[0]: rows[empty[0]] | {name: rows[full[0]][name]}}


def changed(value: int | str | bytes) -> int | str | bytes:
    match value:
        case int():
            return value + 1_000  # no other row has it
        case str():
            return value + "x"
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]


def key_of(table: Table, row: Row) -> str:
    return "/".join(str(row[column.name]) for column in table.primary_key if "_" not in column.name)


def rewrite(path: Path, table: Table, rows: list[Row], change: dict[int, Row | None]) -> None:
    keys = [column.name for column in table.primary_key]
    names = [column.name for column in table.columns]
    with closing(sqlite3.connect(path)) as copy, copy:
        for number in change:
            where = " AND ".join(f"{name} = ?" for name in keys)
            found = copy.execute(
                f"DELETE FROM {table.name} WHERE {where}",  # noqa: S608 - names of the schema
                [rows[number][name] for name in keys],
            )
            assert found.rowcount == 1
        for row in filter(None, change.values()):
            marks = ", ".join("?" * len(names))
            copy.execute(
                f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608
                [row[name] for name in names],
            )


def stored(path: Path, table: Table) -> list[Row]:
    order = ", ".join(column.name for column in table.primary_key)
    with closing(sqlite3.connect(path)) as source:
        source.row_factory = sqlite3.Row
        read = f"SELECT * FROM {table.name} ORDER BY {order}"  # noqa: S608
        return [dict(row) for row in source.execute(read)]


def untold(table: str, name: str, told: Told) -> bool:
    """Tell whether the guide says that nobody can tell of this change."""
    act, _, rest = name.partition(" ")
    if table == "checkpoints" and (table, act) in UNTOLD:
        return int(rest) not in told.named
    if table == "milestones":
        return act == "delete" and rest in told.marked
    return (table, act) in UNTOLD


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_names_every_change_but_those_of_the_guide(
    told: Told, tmp_path: Path, table: Table
) -> None:
    home = tmp_path / "home"
    shutil.copytree(told.settings.home, home)
    settings = replace(told.settings, home=home)
    assert check_store(settings, {}, (TSA.root_der,)) == []
    rows = stored(settings.database, table)
    assert len(rows) > (table.name not in {"head", "tiles"}), (
        "the fixture has no rows to change here"
    )
    silent = []
    for name, change in changes(table, rows):
        shutil.copyfile(told.settings.database, settings.database)
        rewrite(settings.database, table, rows, change)
        if stored(settings.database, table) != rows and not check_store(
            settings, {}, (TSA.root_der,)
        ):
            silent.append(name)
    assert silent == [name for name, _ in changes(table, rows) if untold(table.name, name, told)]
    assert bool(silent) == (table.name in {name for name, _ in UNTOLD})


def test_the_guide_says_what_is_not_told() -> None:
    guide = re.sub(r"\s+", " ", GUIDE.read_text())
    for reason in UNTOLD.values():
        assert reason in guide
    for table in DOORS:
        assert f"`{table}`" in guide
