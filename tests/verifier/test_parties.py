"""Questions about whom terms name: each answers from few rows, however many there are."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.merkle import EMPTY_ROOT
from workseal_verifier.store import parties as parties_module
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import CaseRow, Change, Entry, Head, PartyRow, Tie
from workseal_verifier.store.parties import Mark, PartyStore
from workseal_verifier.store.prepared import Prepared

CLIENT, FREELANCER, JUDGE, OTHER = (Digest.of(bytes([number])) for number in range(4))
CASES = [bytes([number]) * 16 for number in range(5)]


def named(
    key: Digest, engagement: bytes, role: Role, *, place: int = 0, tie: Tie | None = None
) -> PartyRow:
    return PartyRow(
        thumbprint=key,
        engagement=engagement,
        role=role,
        key=key.raw,
        tie=Tie.of(role, accepted=False) if tie is None else tie,
        place=place,
    )


def log_of(where: Path | str) -> LogStore:
    database = Database(where)
    database.create()
    log = LogStore(database)
    log.found(EMPTY_ROOT)
    return log


@pytest.fixture
def parties(where: Path | str) -> Iterator[PartyStore]:
    log = log_of(where)
    rows = [named(CLIENT, case, Role.CLIENT) for case in CASES]
    rows += [named(FREELANCER, case, Role.FREELANCER) for case in CASES[2:]]
    rows += [named(JUDGE, case, Role.ARBITRATOR) for case in CASES[1:4]]
    # Who judges one case is the client's second key in another.
    rows.append(named(JUDGE, CASES[0], Role.CLIENT))
    entry = Entry(position=0, digest=Digest.of(b"x"), body=b"x", kind="offer", engagement=CASES[0])
    new = Head(1, bytes(32))
    log.append(Change(old=Head(0, EMPTY_ROOT), new=new, entries=[entry], tiles={}, parties=rows))
    yield PartyStore(log.database)
    log.database.close()


def test_gives_the_key_of_a_thumbprint(parties: PartyStore) -> None:
    assert parties.key(CLIENT) == CLIENT.raw
    assert parties.key(OTHER) is None


def test_reads_all_rows_page_by_page(parties: PartyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(parties.all())
    assert len(whole) == parties.count() == 12
    assert {one.engagement for one in whole if one.key == CLIENT.raw} == set(CASES)
    for page in (1, 2, 5, 12, 13):
        monkeypatch.setattr(parties_module, "_PAGE", page)
        assert list(parties.all()) == whole


def test_reads_what_one_engagement_has_of_some_keys(parties: PartyStore) -> None:
    judge = [named(JUDGE, CASES[0], Role.CLIENT)]
    assert parties.named_in(CASES[0], [JUDGE, FREELANCER]) == judge
    assert parties.named_in(CASES[0], []) == []


def test_tells_a_role_in_one_engagement(parties: PartyStore) -> None:
    assert parties.is_named(CASES[2], FREELANCER, Role.FREELANCER)
    assert not parties.is_named(CASES[2], FREELANCER, Role.CLIENT)
    assert not parties.is_named(CASES[1], FREELANCER, Role.FREELANCER)
    assert not parties.is_named(CASES[2], OTHER, Role.FREELANCER)


def test_lists_engagements_of_any_of_some_keys_up_to_a_bound(parties: PartyStore) -> None:
    assert set(parties.engagements_of([CLIENT], most=9)) == set(CASES)
    assert set(parties.engagements_of([FREELANCER, JUDGE], most=9)) == set(CASES)
    assert parties.engagements_of([OTHER], most=9) == []
    for most in (1, 2, 3):
        found = parties.engagements_of([CLIENT, FREELANCER], most=most)
        assert len(found) == len(set(found)) == most


def test_pairs_of_two_lists_are_asked_once(parties: PartyStore) -> None:
    """Two persons may have many keys each, and all others wait for the answer."""
    many = [Digest.of(b"many", bytes([number])) for number in range(64)]
    statements: list[str] = []
    event.listen(
        parties.database._reading,
        "before_cursor_execute",
        lambda *arguments: statements.append(arguments[2]),
    )
    found = parties.shared_by([*many, JUDGE], [*many, FREELANCER], most=9)
    assert set(found) == set(CASES[2:4])
    assert sum(one.startswith("SELECT") for one in statements) == 1


# --- what comes first ---


class Agreements:
    """A log to which agreements come one by one, as ticks write them."""

    def __init__(self, where: Path | str) -> None:
        self.log = log_of(where)
        self.store = PartyStore(self.log.database)
        self.size = 0

    def _append(self, kind: str, engagement: bytes, *, rows: Sequence[PartyRow] = ()) -> None:
        place = self.size
        entry = Entry(
            position=place,
            digest=Digest.of(bytes([place])),
            body=b"x",
            kind=kind,
            engagement=engagement,
        )
        filing, state = Digest.of(engagement), "answer"
        step = CaseRow(
            position=place, filing=filing, engagement=engagement, state=state, until_ms=None
        )
        self.size += 1
        change = Change(
            old=self.log.head() or Head(0, EMPTY_ROOT),
            new=Head(self.size, bytes(32)),
            entries=[entry],
            tiles={},
            parties=rows,
            cases=[step] if kind.startswith("dispute") else (),
        )
        self.log.append(change)

    def offer(self, number: int, **roles: Digest) -> bytes:
        engagement = bytes([number]) * 16
        rows = [
            named(key, engagement, Role[role.upper()], place=self.size)
            for role, key in roles.items()
        ]
        self._append("offer", engagement, rows=rows)
        return engagement

    def accept(self, engagement: bytes) -> None:
        self._append("acceptance", engagement)

    def move(self, engagement: bytes) -> None:
        self._append("dispute.act", engagement)

    def own(self, key: Digest, *, most: int = 64) -> list[bytes]:
        return self.store.engagements_of([key], most=most)


@pytest.fixture
def agreements(where: Path | str) -> Iterator[Agreements]:
    made = Agreements(where)
    yield made
    made.log.database.close()


def test_what_a_key_signed_comes_before_what_strangers_offer_it_whatever_numbers_they_pick(
    agreements: Agreements,
) -> None:
    own = [agreements.offer(n, client=CLIENT, freelancer=FREELANCER) for n in (200, 100)]
    for engagement in own:
        agreements.accept(engagement)
    pending = agreements.offer(150, client=CLIENT, freelancer=FREELANCER)
    strange = [agreements.offer(n, client=OTHER, freelancer=FREELANCER) for n in range(9)]
    assert agreements.own(FREELANCER) == [*own[::-1], *strange[::-1], pending]
    assert agreements.own(FREELANCER, most=3) == [*own[::-1], strange[-1]]
    # Whoever offers sees their own before those of others.
    agreements.offer(90, client=OTHER, freelancer=CLIENT)
    assert agreements.own(CLIENT) == [*own[::-1], pending, bytes([90]) * 16]


def test_what_two_others_signed_comes_after_what_a_key_signed_itself(
    agreements: Agreements,
) -> None:
    """A stranger has as many keys as it likes: two of them sign, and name a third person."""
    own = agreements.offer(200, client=CLIENT, freelancer=FREELANCER)
    agreements.accept(own)
    agreements.move(own)
    forged = []
    for number in range(5):
        forged.append(agreements.offer(number, client=OTHER, freelancer=JUDGE, arbitrator=CLIENT))
        agreements.accept(forged[-1])
        agreements.move(forged[-1])
    assert agreements.own(CLIENT) == [own, *forged[::-1]]
    assert list(agreements.store.disputed([CLIENT], most=1).engagements) == [own]
    assert agreements.store.shared_by([CLIENT], [FREELANCER, JUDGE, OTHER], most=1) == [own]


def test_pages_give_everything_once_and_say_when_they_end(agreements: Agreements) -> None:
    """Also where a person has two keys, and each stands in some."""
    keys = [CLIENT, JUDGE]
    made = [agreements.offer(n, client=keys[n % 2], freelancer=FREELANCER) for n in range(7)]
    for engagement in made[2:5]:
        agreements.accept(engagement)
    asked = [agreements.offer(n, client=OTHER, freelancer=CLIENT) for n in range(20, 24)]
    wanted = [*made[4:1:-1], *made[6:4:-1], *made[1::-1], *asked[::-1]]
    for most in range(1, 13):
        found: list[bytes] = []
        after = None
        while True:
            page = agreements.store.tied(keys, most=most, after=after)
            assert len(page.engagements) <= most
            found += page.engagements
            if page.following is None:
                break
            assert len(page.engagements) == most
            after = page.following
        assert found == wanted
    signed = agreements.store.tied(keys, most=9, ties=[Tie.SIGNED])
    assert (list(signed.engagements), signed.following) == (made[4:1:-1], None)


def test_cases_are_found_by_their_parties_the_latest_moved_first(agreements: Agreements) -> None:
    made = [agreements.offer(n, client=CLIENT, freelancer=FREELANCER) for n in range(5)]
    for engagement in made:
        agreements.accept(engagement)
    for number in (3, 0, 1, 3):
        agreements.move(made[number])
    for number in range(20, 29):
        agreements.offer(number, client=OTHER, freelancer=FREELANCER)
    page = agreements.store.disputed([FREELANCER], most=2)
    assert list(page.engagements) == [made[3], made[1]]
    assert page.following == Mark(Tie.SIGNED, 12)
    rest = agreements.store.disputed([FREELANCER], most=2, after=page.following)
    assert (list(rest.engagements), rest.following) == ([made[0]], None)
    assert not agreements.store.disputed([OTHER], most=2).engagements


def test_what_two_signed_with_each_other_is_found_without_any_strangers_offer(
    agreements: Agreements,
) -> None:
    made = [agreements.offer(n, client=CLIENT, freelancer=FREELANCER) for n in range(4)]
    for engagement in made[:3]:
        agreements.accept(engagement)
    turned = agreements.offer(10, client=FREELANCER, freelancer=CLIENT)
    agreements.accept(turned)
    beside = agreements.offer(11, client=OTHER, freelancer=FREELANCER, arbitrator=CLIENT)
    agreements.accept(beside)
    store = agreements.store
    page = store.between([CLIENT], [FREELANCER, OTHER], most=3)
    assert (list(page.engagements), page.following) == (made[2::-1], None)
    page = store.between([CLIENT, JUDGE], [FREELANCER], most=2)
    assert list(page.engagements) == made[2:0:-1]
    assert page.following is not None


def test_each_list_reads_as_many_rows_as_it_shows(agreements: Agreements) -> None:
    """Both databases find the first ones in an index, however many a stranger adds."""
    own = agreements.offer(99, client=CLIENT, freelancer=FREELANCER)
    agreements.accept(own)
    agreements.move(own)
    for number in range(20):
        agreements.offer(number, client=OTHER, freelancer=FREELANCER)
    plans = {
        parties_module._TIED: "parties_tie",
        parties_module._MOVED: "parties_moved",
    }
    with agreements.log.database.read() as connection:
        for question, index in plans.items():
            assert index in plan_of(connection, question)


def plan_of(connection: Connection, question: Prepared) -> str:
    """Ask a database how it would answer, where it has so many rows that an index is worth it."""
    values = {"of_key": CLIENT.raw, "of_tie": 0, "before": 9, "most": 3}
    written = question._for(connection.dialect)
    explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":
        driver.execute("SET enable_seqscan = off")
    return str(driver.execute(explain + written.text, written.bound(values)).fetchall())
