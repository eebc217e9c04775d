"""Questions about whom terms name: each answers from few rows, however many there are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.merkle import EMPTY_ROOT
from workseal_verifier.store import parties as parties_module
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import Change, Entry, Head, PartyRow
from workseal_verifier.store.parties import PartyStore

CLIENT, FREELANCER, JUDGE, OTHER = (Digest.of(bytes([number])) for number in range(4))
CASES = [bytes([number]) * 16 for number in range(5)]


def named(key: Digest, engagement: bytes, role: Role) -> PartyRow:
    return PartyRow(thumbprint=key, engagement=engagement, role=role, key=key.raw)


@pytest.fixture
def parties(where: Path | str) -> Iterator[PartyStore]:
    database = Database(where)
    database.create()
    log = LogStore(database)
    log.found(EMPTY_ROOT)
    rows = [named(CLIENT, case, Role.CLIENT) for case in CASES]
    rows += [named(FREELANCER, case, Role.FREELANCER) for case in CASES[2:]]
    rows += [named(JUDGE, case, Role.ARBITRATOR) for case in CASES[1:4]]
    # Who judges one case is the client's second key in another.
    rows.append(named(JUDGE, CASES[0], Role.CLIENT))
    entry = Entry(position=0, digest=Digest.of(b"x"), body=b"x", kind="offer", engagement=CASES[0])
    new = Head(1, bytes(32))
    log.append(Change(old=Head(0, EMPTY_ROOT), new=new, entries=[entry], tiles={}, parties=rows))
    yield PartyStore(database)
    database.close()


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


def test_lists_cases_of_a_judge_that_name_a_key_up_to_a_bound(parties: PartyStore) -> None:
    assert set(parties.cases_of([JUDGE], [FREELANCER], most=9)) == set(CASES[2:4])
    assert set(parties.cases_of([JUDGE, OTHER], [CLIENT, OTHER], most=9)) == set(CASES[1:4])
    assert len(parties.cases_of([JUDGE], [CLIENT, FREELANCER], most=2)) == 2
    assert parties.cases_of([CLIENT], [FREELANCER], most=9) == []
    assert parties.cases_of([JUDGE], [OTHER], most=9) == []


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
