"""What happens in a case by itself: reminders, and the operator's acts, at a clock that is set."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from support.courtroom import Courtroom, play_to
from support.hearings import DAY_MS, Hearing
from support.office import FlakyDatabase, Office, new_home
from support.scripted import ScriptedAgent
from support.simulator import START
from workseal_protocol.dispute import Case, CaseError, Rule, State, case_record, move_of
from workseal_protocol.dispute.deadlines import day_in
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    DisputeAct,
    read_record,
)
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason, RefusedError, StoreError
from workseal_verifier.services.casedays import works
from workseal_verifier.services.clerk import Orders
from workseal_verifier.services.noticing import About
from workseal_verifier.services.reminding import reminders

HOUR = 3_600_000
FOREVER = 2**53


class Bench:
    """An office whose clerk is run by hand, and a case in it."""

    def __init__(self, office: Office) -> None:
        self.office = office
        agent = ScriptedAgent(office, terms=office.terms())
        self.hearing = Hearing(office, agent.engagement, agent.terms)
        self.stay_up()

    def stay_up(self, to: int | None = None) -> None:
        """Be up, without a gap, until an instant."""
        self.office.now = self.office.now if to is None else to
        self.office.verifier.clerk._files.presence.beat(self.office.now, gap_ms=FOREVER)

    def come_back(self, to: int) -> None:
        """Be down until an instant."""
        self.office.now = to
        self.office.verifier.clerk.beat()

    def run(self) -> list[str]:
        """Let the clerk work, follow what it logged, and name its moves."""
        self.office.verifier.clerk.run()
        filing = self.hearing.case.case
        told = self.office.verifier.records.cases.statements(filing, below=FOREVER)
        moves = []
        for _, body in told[len(self.hearing.told) :]:
            statement = Statement.parse(body)
            record = case_record(statement)
            moves.append(move_of(record))
            self.hearing.follow(statement, record.claimed_at)
        return moves

    @property
    def state(self) -> State:
        return self.hearing.case.state

    @property
    def until(self) -> int:
        assert self.hearing.case.due is not None
        return self.hearing.case.due.until

    def kinds(self, person: Any) -> list[str]:
        rows = self.office.verifier.notices.board(
            [person.public_key.thumbprint], below=FOREVER, before=FOREVER, most=100
        )
        return [row.kind for row in reversed(rows)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    office = Office(new_home(tmp_path, acts_by_itself=True)).open()
    office.now = START
    made = Bench(office)
    yield made
    assert office.check() == []
    office.close()


def test_a_deadline_lapses_by_itself_after_the_grace_and_only_once(bench: Bench) -> None:
    bench.hearing.file()
    bench.stay_up(bench.until + HOUR - 1)
    assert bench.run() == []
    bench.stay_up(bench.until + HOUR)
    assert bench.run() == ["lapse"]
    assert str(bench.state) == "answer"
    # What was told before stays on the page.
    assert bench.kinds(bench.office.people.freelancer)[0] == "step"
    assert bench.run() == []
    # The delay costs nobody a day: the new one is counted from the old one's end.
    bench.stay_up(bench.until + HOUR)
    assert bench.run() == ["lapse"]
    assert str(bench.state) == "second"


def test_silence_moves_the_case_on_to_its_end_and_forfeits_nothing(bench: Bench) -> None:
    bench.hearing.file()
    seen = []
    while bench.hearing.case.due is not None:
        seen.append(bench.state)
        if bench.state is State.DRAW:
            bench.stay_up((bench.hearing.case.panel_round + 1) * bench.office.round_ms)
        else:
            bench.stay_up(bench.until + HOUR)
            # As each minute: rounds need their beacon.
            bench.office.verifier.housekeeping.keep()
        assert bench.run()
    assert bench.state is State.PURGED
    assert [one for n, one in enumerate(seen) if one not in seen[:n]] == [
        State.NOTICE,
        State.ANSWER,
        State.SECOND,
        State.DRAW,
        State.SEATING,
        State.UNDECIDED,
        State.SEALED,
    ]
    # Nobody decided: no sum was given to anybody.
    assert bench.hearing.case.decision is None
    records = [read_record(one) for one in bench.hearing.told[1:]]
    assert all(isinstance(one, DisputeAct) and one.amount is None for one in records)


def test_what_was_opened_is_noted_as_delivered(bench: Bench) -> None:
    bench.hearing.file()
    assert bench.run() == []
    bench.office.verifier.services.board.page(bench.office.people.client.public_key.thumbprint)
    assert bench.run() == []
    freelancer = bench.office.people.freelancer.public_key.thumbprint
    bench.office.verifier.services.board.page(freelancer)
    assert bench.run() == ["notice"]
    assert bench.state is State.ANSWER


def test_the_person_is_drawn_when_the_value_is_out_and_not_before(bench: Bench) -> None:
    bench.hearing.file().answered().act(Role.CLIENT, Act.END)
    assert bench.run() == []
    number = bench.hearing.case.panel_round
    bench.stay_up(number * bench.office.round_ms - 1)
    assert bench.run() == []
    bench.stay_up(number * bench.office.round_ms)
    assert bench.run() == ["draw"]
    assert bench.hearing.case.arbitrator is not None


def test_an_outage_on_the_last_day_gives_a_day_and_no_lapse(bench: Bench) -> None:
    bench.hearing.file()
    before = bench.until
    bench.stay_up(before - 6 * HOUR)
    bench.come_back(before + 2 * HOUR)
    assert bench.run() == ["outage"]
    assert bench.until >= before + DAY_MS
    assert bench.state is State.NOTICE
    assert bench.run() == []
    bench.stay_up(bench.until + HOUR)
    assert bench.run() == ["lapse"]


@pytest.mark.parametrize(
    "back",
    [
        pytest.param(17 * HOUR, id="before nine"),
        pytest.param(10 * HOUR, id="after nine"),
        pytest.param(-2 * HOUR, id="after the deadline"),
    ],
)
def test_after_an_outage_nobody_hears_of_half_of_their_time_again(bench: Bench, back: int) -> None:
    """The deadline moved: they hear of that, and once that its eve has come."""
    bench.hearing.file().act(Role.OPERATOR, Act.NOTICE)
    freelancer, until = bench.office.people.freelancer, bench.until
    for at in sorted(reminders(bench.hearing.case, Role.FREELANCER).values()):
        bench.stay_up(at)
        bench.run()
    before = len(bench.kinds(freelancer))
    bench.stay_up(until - 23 * HOUR)
    bench.come_back(until - back)
    assert bench.run() == ["outage"]
    bench.office.verifier.housekeeping.keep()
    for hours in range(0, 24, 3):
        bench.stay_up(until - back + hours * HOUR)
        bench.run()
    assert bench.kinds(freelancer)[before:] == ["turn", "eve"]


def test_a_half_that_was_missed_does_not_follow_the_eve(bench: Bench) -> None:
    bench.hearing.file().act(Role.OPERATOR, Act.NOTICE)
    eve = reminders(bench.hearing.case, Role.FREELANCER)[About.EVE]
    for hours in (0, 7, 14):
        bench.stay_up(eve + hours * HOUR)
        bench.run()
    kinds = bench.kinds(bench.office.people.freelancer)
    assert (kinds.count("half"), kinds.count("eve")) == (0, 1)


def test_a_short_outage_gives_an_hour_of_open_doors(bench: Bench) -> None:
    bench.hearing.file()
    until = bench.until
    bench.stay_up(until - HOUR)
    bench.come_back(until + HOUR + 1)
    assert bench.run() == []
    bench.stay_up(until + 2 * HOUR)
    assert bench.run() == []
    bench.stay_up(until + 2 * HOUR + 1)
    assert bench.run() == ["lapse"]


def test_an_extension_moves_the_deadline_that_lapses(bench: Bench) -> None:
    bench.hearing.file().act(Role.OPERATOR, Act.NOTICE)
    first = bench.until
    bench.hearing.act(Role.FREELANCER, Act.EXTEND)
    assert bench.until > first
    bench.stay_up(first + 2 * HOUR)
    assert bench.run() == []
    bench.stay_up(bench.until + HOUR)
    assert bench.run() == ["lapse"]


def test_by_hand_nothing_is_signed_and_everybody_is_told_all_the_same(bench: Bench) -> None:
    clerk = bench.office.verifier.clerk
    clerk._orders = replace(clerk._orders, acts=False)
    bench.hearing.file().act(Role.OPERATOR, Act.NOTICE)
    bench.stay_up(bench.until - HOUR)
    assert bench.run() == []
    assert "eve" in bench.kinds(bench.office.people.freelancer)
    bench.stay_up(bench.until + 10 * DAY_MS)
    assert bench.run() == []
    assert bench.state is State.ANSWER


def test_who_must_act_is_reminded_at_half_and_on_the_eve_in_their_own_morning(
    bench: Bench,
) -> None:
    bench.hearing.file().act(Role.OPERATOR, Act.NOTICE)
    people, zone = bench.office.people, ZoneInfo(bench.hearing.terms.zone)
    told = []
    for at in sorted(reminders(bench.hearing.case, Role.FREELANCER).values()):
        bench.stay_up(at - 1)
        assert bench.run() == []
        before = len(bench.kinds(people.freelancer))
        bench.stay_up(at)
        assert bench.run() == []
        told += [(kind, at) for kind in bench.kinds(people.freelancer)[before:]]
    assert [kind for kind, _ in told] == ["half", "eve"]
    for _, at in told:
        local = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)
        assert (local.hour, local.minute) == (9, 0)
    last = day_in(bench.until, zone)
    assert 1 <= (last - day_in(told[1][1], zone)).days <= 4
    assert told[0][1] - bench.hearing.case.since > 3 * DAY_MS
    assert not {"half", "eve"} & set(bench.kinds(people.client))


def test_half_is_the_day_by_which_half_have_passed_and_of_one_day_there_is_no_half(
    bench: Bench,
) -> None:
    bench.hearing.file().act(Role.OPERATOR, Act.NOTICE)
    case, zone = bench.hearing.case, ZoneInfo(bench.hearing.terms.zone)
    assert case.due is not None
    for days in range(1, 30):
        ends = replace(case, due=replace(case.due, until=case.since + (days + 1) * DAY_MS))
        worked = [
            day
            for ahead in range(1, days + 1)
            if works(case, Role.FREELANCER, day := day_in(case.since + ahead * DAY_MS, zone))
        ]
        found = {
            about.value: day_in(at, zone) for about, at in reminders(ends, Role.FREELANCER).items()
        }
        half = {"half": worked[(len(worked) - 1) // 2]} if len(worked) > 1 else {}
        assert found == half | ({"eve": worked[-1]} if worked else {})


def test_who_has_acted_and_what_was_opened_before_are_not_reminded_again(bench: Bench) -> None:
    bench.hearing.file().act(Role.OPERATOR, Act.NOTICE)
    bench.stay_up(bench.until - HOUR)
    bench.run()
    bench.hearing.act(Role.FREELANCER, Act.EXHIBIT, text="a word")
    bench.run()
    assert bench.kinds(bench.office.people.freelancer).count("eve") == 1
    bench.office.verifier.housekeeping.keep()
    bench.hearing.act(Role.FREELANCER, Act.ANSWER).act(Role.CLIENT, Act.END).draw()
    bench.hearing.act(Role.ARBITRATOR, Act.DECLARE).act(Role.CLIENT, Act.PASS)
    bench.stay_up(bench.until - HOUR)
    bench.run()
    assert bench.kinds(bench.office.people.client).count("eve") == 0
    assert bench.kinds(bench.office.people.freelancer).count("eve") == 2


def test_who_is_asked_by_a_declaration_is_not_reminded_on_that_day(bench: Bench) -> None:
    bench.hearing.file().answered().act(Role.CLIENT, Act.END).draw()
    client = bench.office.people.client
    assert Role.CLIENT not in bench.hearing.case.waiting_for
    bench.stay_up(bench.until - 2 * HOUR)
    bench.run()
    assert not {"half", "eve"} & set(bench.kinds(client))
    # The last hours: the parties have a working day more, and are told so once.
    bench.office.verifier.housekeeping.keep()
    bench.hearing.act(Role.ARBITRATOR, Act.DECLARE)
    bench.run()
    assert bench.kinds(client)[-1] == "turn"
    assert not {"half", "eve"} & set(bench.kinds(client))


def test_an_earlier_programs_case_is_told_of(bench: Bench) -> None:
    bench.hearing.file()
    with bench.office.verifier.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM notices")
    bench.run()
    assert bench.kinds(bench.office.people.freelancer) == ["step"]


def test_a_case_that_refuses_the_operators_act_twice_is_told_of(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, somebody else was first; at the same statement again, the case stands still."""
    bench.hearing.file()
    bench.stay_up(bench.until + HOUR)
    clerk, health = bench.office.verifier.clerk, bench.office.verifier.health

    def refuses(case: Case) -> None:
        raise CaseError(Rule.DEADLINE, "the deadline", expected="a day", found=str(case.case))

    with monkeypatch.context() as broken:
        broken.setattr(clerk._duties, "next", refuses)
        bench.run()
        assert "cases" not in health.failing()
        bench.run()
        bench.run()
    assert "cases" in health.failing()
    assert (
        caplog.messages.count("an act of this server's is refused by its case again: deadline") == 1
    )
    assert bench.run() == ["lapse"]
    assert "cases" not in health.failing()


def test_a_case_in_which_the_operator_is_not_heard_holds_up_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Else one agreement stops every case of a server."""
    office = bench.office
    agent = ScriptedAgent(office, terms=office.terms(), engagement=b"is not heard in!")
    other = Hearing(office, agent.engagement, agent.terms)
    other.file()
    office.now += 5_000
    bench.hearing.file()
    log = office.verifier.clerk._log

    def hears(statement: Statement) -> None:
        if other.engagement in statement.encode():
            raise RefusedError(Reason.UNKNOWN_PARTY, "the signer is not a party")
        log(statement)

    monkeypatch.setattr(office.verifier.clerk, "_log", hears)
    assert other.case.due is not None
    assert other.case.due.until <= bench.until
    bench.stay_up(bench.until + 2 * HOUR)
    assert bench.run() == ["lapse"]
    told = "an act of this server's is refused: its key does not speak in that case"
    assert told in caplog.messages
    assert "cases" not in office.verifier.health.failing()


def test_what_was_told_goes_with_what_is_destroyed(bench: Bench) -> None:
    bench.hearing.file().act(Role.CLIENT, Act.WITHDRAW)
    bench.stay_up(bench.until + HOUR)
    assert bench.run() == ["lapse"]
    assert bench.state is State.SEALED
    bench.stay_up(bench.until + HOUR)
    assert bench.run() == ["destroy"]
    # But for what still waits to be sent.
    assert bench.kinds(bench.office.people.freelancer) == []


def test_no_package_keeps_a_case_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = play_to(Courtroom(tmp_path), "disclosure")
    office, hearing, clerk = room.office, room.hearing, room.office.verifier.clerk
    request, mailbox = hearing.case.request, office.verifier.services.mailbox
    assert request is not None
    monkeypatch.setattr(clerk, "_orders", replace(clerk._orders, acts=True))
    hearing.act(Role.CLIENT, Act.WITHDRAW).pass_due().act(Role.OPERATOR, Act.LAPSE).pass_due()
    # Whoever sent it may send another one each minute.
    mailbox.put(request, room.agent.engagement, b"sealed")

    def state() -> str:
        last = office.verifier.records.cases.last(hearing.case.case, below=FOREVER)
        return "" if last is None else last.state

    with monkeypatch.context() as away:
        away.setattr(type(mailbox), "drop", busy)
        clerk.run()
    assert (state(), mailbox.get(request)) == ("sealed", b"sealed")
    clerk.run()
    assert state() == "sealed"
    assert move_of(case_record(newest(office, hearing))) == "destroy"
    with pytest.raises(RefusedError, match="no package waits"):
        mailbox.get(request)
    # Thirty days for the word of whoever sat, and the end.
    hearing.follow(newest(office, hearing), office.now)
    hearing.pass_due()
    clerk._files.presence.beat(office.now, gap_ms=FOREVER)
    office.now += HOUR
    clerk._files.presence.beat(office.now, gap_ms=FOREVER)
    clerk.run()
    assert state() == "purged"
    assert office.check() == []
    office.close()


def busy(*_: Any) -> None:
    raise RefusedError(Reason.BUSY, "the mailbox does not answer", retry_after=5)


def newest(office: Office, hearing: Hearing) -> Statement:
    told = office.verifier.records.cases.statements(hearing.case.case, below=FOREVER)
    return Statement.parse(told[-1][1])


@pytest.mark.parametrize("mode", ["lost", "kept"])
@pytest.mark.parametrize("write", range(4))
def test_whichever_write_fails_there_is_one_lapse(tmp_path: Path, mode: str, write: int) -> None:
    made: list[FlakyDatabase] = []

    def flaky(where: Path | str) -> FlakyDatabase:
        made.append(FlakyDatabase(where))
        return made[-1]

    office = Office(new_home(tmp_path, acts_by_itself=True), database=flaky).open()
    office.now = START
    bench = Bench(office)
    bench.hearing.file()
    bench.stay_up(bench.until + HOUR)
    (database,) = made
    database.fail_at = {database.writes + write: mode}
    moves = []
    for _ in range(3):
        # As the loop does, which comes again.
        with suppress(RefusedError, StoreError):
            moves += bench.run()
        office.now += 1_000
    moves += bench.run()
    assert moves == ["lapse"]
    assert office.check() == []
    assert office.verifier.conflicts.count() == 0
    office.close()


@pytest.mark.postgres
def test_two_hosts_that_act_at_once_sign_one_statement(both: tuple[Office, Office]) -> None:
    for office in both:
        clerk = office.verifier.clerk
        clerk._orders = Orders(acts=True, grace_ms=HOUR, log=clerk._orders.log)
    bench = Bench(both[0])
    for _ in range(3):
        if bench.hearing._case is None:
            bench.hearing.file()
        bench.stay_up(bench.until + HOUR)
        barrier = Barrier(2)

        def work(office: Office, barrier: Barrier = barrier) -> None:
            barrier.wait(timeout=20)
            office.verifier.clerk.run()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, both))
        assert bench.run() == ["lapse"]
    # Two different ones would be kept as a fork of the operator's own.
    assert both[0].verifier.conflicts.count() == 0
    assert both[0].check() == []
