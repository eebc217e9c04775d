"""A turn of the clerk looks at what is due, whatever exists, and misses nothing of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.builders import make_filing
from support.hearings import DAY_MS, DAYS, Hearing
from support.office import Office, new_home
from support.simulator import START
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Span, count_due
from workseal_protocol.keys import Role
from workseal_protocol.records import Acceptance, Act, Offer, sign
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services import wakes
from workseal_verifier.services.clerk import GAP_MS
from workseal_verifier.services.wakes import SAFETY_MS
from workseal_verifier.store.logrows import CaseRow
from workseal_verifier.store.notices import Channel

HOUR = 3_600_000
CASES = 3


class Bench:
    """An office with some cases, and a count of what its clerk looks at."""

    def __init__(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        self.office = office
        self.clerk = office.verifier.clerk
        self.looked = list[Digest]()
        inner = self.clerk._look_after

        def look(row: CaseRow) -> int:
            self.looked.append(row.filing)
            return inner(row)

        monkeypatch.setattr(self.clerk, "_look_after", look)
        self.hearings = [self.case(bytes([number]) * 16) for number in range(CASES)]
        self.clerk.beat()

    def case(self, engagement: bytes) -> Hearing:
        office, people = self.office, self.office.people
        terms = office.terms()
        offer = sign(
            Offer(engagement=engagement, claimed_at=office.now, terms=terms), people.client
        )
        accepted = Acceptance(
            engagement=engagement, claimed_at=office.now, terms=terms, offer=offer.digest
        )
        filing = make_filing(
            engagement=engagement,
            claimed_at=office.now,
            due=count_due(Span(office.now, 5), DAYS[Role.FREELANCER]),
            begin=office.now - 7 * DAY_MS,
            end=office.now,
        )
        filed = sign(filing, people.client)
        office.post([offer, sign(accepted, people.freelancer), filed])
        return Hearing(office, engagement, terms).begin_with(filed)

    def turn(self, later_ms: int = 0) -> int:
        """Run a turn after some time in which it was up, and count what was looked at."""
        self.office.now += later_ms
        self.clerk._files.presence.beat(self.office.now, gap_ms=2**53)
        self.looked.clear()
        self.clerk.run()
        return len(self.looked)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    office = Office(new_home(tmp_path, acts_by_itself=True)).open()
    office.now = START
    yield Bench(office, monkeypatch)
    office.close()


def test_what_does_not_move_and_is_not_due_is_not_looked_at(bench: Bench) -> None:
    assert bench.turn() == CASES
    assert [bench.turn(60_000) for _ in range(5)] == [0] * 5
    moved = bench.hearings[2].act(Role.OPERATOR, Act.NOTICE).case
    assert bench.turn(60_000) == 1
    assert bench.looked == [moved.case]
    assert bench.turn(60_000) == 0


def test_each_is_looked_at_when_its_time_comes(bench: Bench) -> None:
    bench.turn()
    case = bench.hearings[0].case
    assert case.due is not None
    for hearing in bench.hearings[1:]:
        # Their time is over in another week.
        hearing.act(Role.OPERATOR, Act.NOTICE)
    bench.office.now = case.due.until + HOUR - 1
    bench.turn()
    assert bench.turn() == 0
    assert bench.turn(1) == 1
    assert bench.looked == [case.case]
    assert bench.office.verifier.records.cases.steps(case.case, below=2**53)[-1].state == "answer"


def test_an_opened_notice_is_seen_at_the_next_turn(bench: Bench) -> None:
    bench.turn()
    board = bench.office.verifier.services.board
    board.page(bench.office.people.freelancer.public_key.thumbprint)
    assert bench.turn(60_000) == CASES
    states = {
        bench.office.verifier.records.cases.steps(one.case.case, below=2**53)[-1].state
        for one in bench.hearings
    }
    assert states == {"answer"}


def test_what_another_process_opened_by_a_clock_that_is_behind_is_seen_at_the_next_turn(
    bench: Bench,
) -> None:
    bench.turn()
    bench.turn(60_000)
    notices = bench.office.verifier.notices
    freelancer = bench.office.people.freelancer.public_key.thumbprint
    case = bench.hearings[1].case.case
    (row,) = (one for one in notices.of_case(case, freelancer) if one.channel is Channel.PAGE)
    notices.open([row.name], bench.office.now - HOUR // 12)
    assert bench.turn(60_000) == 1
    assert bench.looked == [case]


def test_whoever_starts_knows_all_running_cases_however_many_a_read_gives(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = bench.clerk._files
    for page in (1, 2, CASES, CASES + 1):
        monkeypatch.setattr(wakes, "_PAGE", page)
        found = wakes.Wakes(files.records, files.notices, files.presence).due(bench.office.now)
        assert {row.filing for row in found} == {one.case.case for one in bench.hearings}
        assert len(found) == CASES


def test_what_a_turn_did_not_come_to_is_looked_at_however_long_that_lasts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.turn()
    bench.office.verifier.services.board.page(bench.office.people.freelancer.public_key.thumbprint)

    def full(_: object) -> None:
        raise RefusedError(Reason.BUSY, "too much")

    with monkeypatch.context() as patch:
        patch.setattr(bench.clerk, "_log", full)
        for _ in range(3):
            with pytest.raises(RefusedError):
                bench.turn(HOUR // 4)
    assert bench.turn(HOUR // 4) == CASES
    for one in bench.hearings:
        newest = bench.office.verifier.records.cases.last(one.case.case, below=2**53)
        assert newest is not None
        assert newest.state == "answer"


def test_all_are_looked_at_after_an_outage_and_after_a_safety_time(bench: Bench) -> None:
    bench.turn()
    bench.office.now += GAP_MS + 1
    bench.clerk.beat()
    assert bench.turn() == CASES
    assert bench.turn() == 0
    assert bench.turn(SAFETY_MS) == CASES
    # A clock that was ahead has nobody wait for its day.
    bench.office.now -= 3 * SAFETY_MS
    assert bench.turn() == CASES


def test_a_clock_that_was_a_year_ahead_for_a_moment_makes_no_outage_and_holds_no_lapse(
    bench: Bench,
) -> None:
    year = 365 * DAY_MS
    bench.turn()
    case = bench.hearings[0].case
    assert case.due is not None
    bench.office.now += year
    bench.clerk.beat()
    bench.office.now -= year
    bench.turn(case.due.until + HOUR - bench.office.now)
    states = [
        row.state for row in bench.office.verifier.records.cases.steps(case.case, below=2**53)
    ]
    assert states == ["notice", "answer"]
    assert bench.office.check() == []


def test_a_clock_that_was_hours_ahead_leaves_no_outage_behind_it(bench: Bench) -> None:
    presence = bench.clerk._files.presence
    begun = bench.office.now
    for step in (0, 5 * HOUR, 60_000, *range(GAP_MS, 6 * HOUR, GAP_MS)):
        presence.beat(begun + step, gap_ms=GAP_MS)
    assert len(presence.since(begun)) == 2
    # What is left is a beat's distance, and no outage.
    left = bench.clerk._duties.outages(begun - 1, begun + 6 * HOUR)
    assert all(end - begin <= GAP_MS for begin, end in left)
