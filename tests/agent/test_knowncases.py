"""Which frames cases hold, by what a real ledger knows of them."""

from pathlib import Path

import pytest

from support.builders import digest, make_act, make_due, make_filing, make_request
from support.rig import Rig
from workseal_agent.knowncases import Held, ListedFilings, row_of
from workseal_agent.ledger import CaptureRow, SendState
from workseal_protocol.digest import Digest
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import (
    CasePlace,
    DisputeFiling,
    KeyRotate,
    Record,
    RequestedFrame,
    sign,
)
from workseal_protocol.statement import Statement

CASE = digest("the client's filing")
IN_CASE = CasePlace(CASE, CASE, make_due())


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    rig.work(50)
    return rig


def rows_of(rig: Rig) -> tuple[CaptureRow, ...]:
    return rig.ledger.captures(rig.engagement.id)


def over(rig: Rig, first: int, last: int) -> DisputeFiling:
    """File about the rounds of two frames, and what lies between them."""
    rows, round_ms = rows_of(rig), rig.engagement.terms.round_ms
    begin, end = rows[first].round * round_ms, (rows[last].round + 1) * round_ms
    return make_filing(engagement=rig.engagement.id, begin=begin, end=end)


def said(rig: Rig, record: Record, state: SendState = SendState.RECEIPTED) -> Statement:
    statement = sign(record, rig.signer)
    with rig.ledger.write() as writing:
        writing.add_statement(rig.engagement.id, statement, state=state)
    return statement


def noted(rig: Rig, case: Digest, record: DisputeFiling, *, ended: bool = False) -> None:
    with rig.ledger.write() as writing:
        writing.note_case(rig.engagement.id, row_of(case, record, ended=ended))


def held(rig: Rig) -> list[int]:
    holding = Held.of(rig.ledger, rig.engagement)
    return [place for place, row in enumerate(rows_of(rig)) if holding.holds(row)]


def test_without_a_case_nothing_is_held(rig: Rig) -> None:
    assert held(rig) == []


@pytest.mark.parametrize("state", [SendState.UNSENT, SendState.RECEIPTED])
def test_an_own_filing_holds_its_hours_until_its_case_has_ended(rig: Rig, state: SendState) -> None:
    filed = said(rig, over(rig, 1, 2), state)
    assert held(rig) == [1, 2]
    noted(rig, filed.digest, over(rig, 1, 2))
    assert held(rig) == [1, 2]
    noted(rig, filed.digest, over(rig, 1, 2), ended=True)
    assert held(rig) == []


def test_a_filing_that_the_log_refused_holds_nothing(rig: Rig) -> None:
    said(rig, over(rig, 1, 2), SendState.PARKED)
    assert held(rig) == []


def test_a_round_of_which_a_millisecond_is_disputed_is_held(rig: Rig) -> None:
    row, round_ms = rows_of(rig)[2], rig.engagement.terms.round_ms
    begin = row.round * round_ms
    for first, last, places in (
        (begin, begin + 1, [2]),
        (begin + round_ms - 1, begin + round_ms, [2]),
        (begin - 1, begin, [1]),
        (begin + round_ms, begin + round_ms + 1, [3]),
    ):
        case = Digest.of(str(first).encode())
        record = make_filing(engagement=rig.engagement.id, begin=first, end=last)
        noted(rig, case, record)
        assert held(rig) == places
        noted(rig, case, record, ended=True)


def test_hours_of_two_cases_are_held_by_each(rig: Rig) -> None:
    noted(rig, CASE, over(rig, 0, 2), ended=True)
    noted(rig, digest("another"), over(rig, 2, 3))
    assert held(rig) == [2, 3]


def test_who_acted_in_a_case_of_unknown_hours_keeps_all(rig: Rig) -> None:
    said(rig, make_act(engagement=rig.engagement.id, place=IN_CASE), SendState.PARKED)
    assert held(rig) == [0, 1, 2, 3, 4]
    noted(rig, CASE, over(rig, 3, 3))
    assert held(rig) == [3]
    noted(rig, CASE, over(rig, 3, 3), ended=True)
    assert held(rig) == []


def test_what_a_case_asked_for_is_held_until_it_has_ended(rig: Rig) -> None:
    row = rows_of(rig)[4]
    asked = (RequestedFrame(row.segment, row.commitment),)
    noted(rig, CASE, over(rig, 0, 0))
    said(rig, make_request(engagement=rig.engagement.id, frames=asked, place=IN_CASE))
    assert held(rig) == [0, 4]
    noted(rig, CASE, over(rig, 0, 0), ended=True)
    assert held(rig) == []
    # Outside of a case there is no end that could be seen.
    said(rig, make_request(engagement=rig.engagement.id, frames=asked))
    assert held(rig) == [4]


def test_a_case_that_was_seen_to_have_ended_stays_so(rig: Rig) -> None:
    noted(rig, CASE, over(rig, 0, 1), ended=True)
    noted(rig, CASE, over(rig, 0, 1))
    assert held(rig) == []


def test_of_listed_filings_those_by_parties_alone_are_noted(rig: Rig) -> None:
    people, new = rig.simulator.people, SeedSigner(b"\x21" * 32)
    number = rig.engagement.id
    listing = [
        sign(over(rig, 0, 0), people.client),
        sign(over(rig, 1, 1), people.arbitrator),
        sign(over(rig, 2, 2), new),
        sign(make_filing(engagement=bytes(16), begin=0, end=1 << 46), people.client),
        sign(make_act(engagement=number, place=IN_CASE), people.client),
        sign(KeyRotate.make(claimed_at=4711, old=people.client.public_key, new=new), people.client),
        # By the key that replaced the client's; and by the freelancer, at another home perhaps.
        sign(over(rig, 3, 3), new),
        sign(over(rig, 4, 4), rig.signer),
    ]
    found = ListedFilings(rig.engagement)
    for index, statement in enumerate(listing):
        found.meet(index, statement)
    found.keep(rig.ledger)
    found.keep(rig.ledger)
    assert held(rig) == [0, 3, 4]
