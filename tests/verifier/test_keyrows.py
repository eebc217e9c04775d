"""Whom key statements are about, as the store is asked for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.merkle import EMPTY_ROOT
from workseal_verifier.store.engine import Database
from workseal_verifier.store.keyrows import KeyRowStore
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import Change, Entry, Head, KeyRow, PartyRow, Tie

# The number of the third one is the lowest there is.
ENGAGEMENT, OTHER, FORGED = b"\x02" * 16, b"\x01" * 16, bytes(16)


def name(word: str) -> Digest:
    return Digest.of(word.encode())


# Who named whom as recovery key, and which keys follow each other: P rotates to Q, Q to R.
ROWS = [
    KeyRow(position=0, subject=name("stranger"), recovery=name("K")),
    KeyRow(position=1, subject=name("R"), recovery=name("K")),
    KeyRow(position=2, subject=name("P"), successor=name("Q")),
    KeyRow(position=3, subject=name("Q"), successor=name("R")),
    KeyRow(position=4, subject=name("P")),
]


@pytest.fixture
def rows(where: Path | str) -> Iterator[KeyRowStore]:
    database = Database(where)
    database.create()
    log = LogStore(database)
    log.found(EMPTY_ROOT)
    parties = [
        PartyRow(
            thumbprint=name(one),
            engagement=engagement,
            role=role,
            key=bytes(32),
            tie=tie,
            place=0,
        )
        for engagement, people, tie in (
            (ENGAGEMENT, "AP", Tie.SIGNED),
            (OTHER, "BX", Tie.SIGNED),
            # A stranger names both in an offer.
            (FORGED, "AP", Tie.ASKED),
        )
        for one, role in zip(people, (Role.CLIENT, Role.FREELANCER), strict=True)
    ]
    entries = [
        Entry(position=row.position, digest=name(str(row)), body=b"%d" % row.position, kind="k")
        for row in ROWS
    ]
    new = Head(len(ROWS), bytes(32))
    change = Change(
        old=Head(0, EMPTY_ROOT), new=new, entries=entries, tiles={}, parties=parties, keys=ROWS
    )
    log.append(change)
    yield KeyRowStore(database)
    database.close()


def test_reads_what_a_key_must_count_for_between_two_places(rows: KeyRowStore) -> None:
    assert rows.about(name("P"), since=0, below=9) == [(2, b"2"), (4, b"4")]
    assert rows.about(name("P"), since=3, below=9) == [(4, b"4")]
    assert rows.about(name("P"), since=0, below=4) == [(2, b"2")]
    assert rows.rotations_to(name("R"), since=0, below=9) == [ROWS[3]]
    assert rows.rotations_to(name("R"), since=0, below=3) == []
    assert rows.naming(name("K"), since=0, below=9, most=9) == ROWS[:2]
    assert rows.naming(name("K"), since=0, below=9, most=1) == ROWS[:1]


def test_tells_how_far_they_reach(rows: KeyRowStore) -> None:
    assert [rows.reach(below) for below in (0, 1, 4, 99)] == [0, 1, 4, 5]
    assert rows.count() == 5
    assert (rows.at(2), rows.at(9)) == (ROWS[2], None)


def test_finds_who_relies_on_a_recovery_key_by_their_engagement(rows: KeyRowStore) -> None:
    """The terms name P, whose second successor named K; the stranger is in no terms."""

    def relying(asker: str, below: int = 9, most: int = 64) -> list[bytes]:
        return rows.relying_on(name("K"), [name(asker)], below=below, most=most)

    assert relying("A") == relying("P") == [ENGAGEMENT, FORGED]
    assert relying("A", most=1) == [ENGAGEMENT]
    assert relying("B") == relying("stranger") == []
    # Before R followed Q, nobody of the engagement had named it.
    assert relying("A", below=3) == []
    assert rows.relying_on(name("none"), [name("A")], below=9, most=64) == []
