"""A chain that moved on far elsewhere is read while the log is free, by one thread, once."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest

from support.office import ANSWER_S, Office, stranger_offer
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS
from workseal_protocol.receipt import SubmissionAnswer
from workseal_verifier.errors import Reason, RefusedError, StoreError
from workseal_verifier.services import admission
from workseal_verifier.services.engagement import Engagement
from workseal_verifier.services.loan import Loan
from workseal_verifier.services.publication import Published, Writing


class Reading:
    """Where, and of which places, chains are read; `fails` makes it refuse."""

    def __init__(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        self.threads: list[str] = []
        self.fails = False
        self.gate = threading.Event()
        self.gate.set()
        held = office.verifier.sequencer._admission
        self._follow = held._follow
        monkeypatch.setattr(held, "_follow", self.follow)

    def follow(self, *given: Any) -> Engagement:
        name = threading.current_thread().name
        self.threads.append(name.partition("_")[0])
        if name.startswith("reading"):
            self.gate.wait(ANSWER_S)
            if self.fails:
                raise StoreError("the database is away")
        return self._follow(*given)


@pytest.fixture
def moved(
    both: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch
) -> tuple[Office, ScriptedAgent, Reading]:
    """Give a process that holds a chain which moved on in another one; the chain goes on there."""
    monkeypatch.setattr(admission, "FAR", 2)
    here, there = both
    agent = ScriptedAgent(here)
    agent.open_session()
    agent.work(ROUND_MS)
    agent.send()
    agent.verifier = there
    agent.work(4 * ROUND_MS)
    agent.send()
    agent.verifier = here
    return here, agent, Reading(here, monkeypatch)


def sent(office: Office, agent: ScriptedAgent) -> Future[SubmissionAnswer]:
    body = b"".join(one.encode() for one in agent.pending)
    agent.pending.clear()
    candidates = office.verifier.services.intake.read(body)
    return office.verifier.sequencer.submit(candidates)


@pytest.mark.postgres
def test_a_chain_that_moved_on_elsewhere_is_read_while_the_log_is_free(
    moved: tuple[Office, ScriptedAgent, Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, agent, reading = moved
    agent.work(ROUND_MS)
    reading.gate.clear()
    first = sent(here, agent)
    # Others go on meanwhile, and whoever goes on with the same chain waits in line.
    here.others(1)
    agent.work(ROUND_MS)
    # It waits so long that the first is queued behind it when it comes back.
    monkeypatch.setattr(here.verifier.sequencer, "_tick_s", 0.3)
    second = sent(here, agent)
    assert not first.done()
    reading.gate.set()
    answers = [one.result(ANSWER_S) for one in (first, second)]
    assert answers[0].indices < answers[1].indices
    # What little came while it was read is read in the tick.
    assert reading.threads[0] == "reading"
    assert reading.threads.count("reading") == 1
    assert here.check() == []


@pytest.mark.postgres
def test_what_is_known_to_have_moved_on_is_read_without_a_turn_and_admitted_before_its_own(
    moved: tuple[Office, ScriptedAgent, Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, agent, reading = moved
    # So it learns what the other process logged.
    here.others(1)
    turns: list[list[str]] = []
    turn = here.verifier.publisher.turn

    @contextmanager
    def counted() -> Iterator[Writing]:
        turns.append(list(reading.threads))
        with turn() as writing:
            yield writing

    monkeypatch.setattr(here.verifier.publisher, "turn", counted)
    agent.work(ROUND_MS)
    sent(here, agent).result(ANSWER_S)
    # One turn, when all was read; nothing was read in it.
    assert turns == [["reading"]]
    assert reading.threads == ["reading"]
    assert here.check() == []


@pytest.mark.postgres
def test_what_others_log_while_a_chain_is_read_is_not_overlooked(
    moved: tuple[Office, ScriptedAgent, Reading], both: tuple[Office, Office]
) -> None:
    here, agent, reading = moved
    here.others(1)
    reading.gate.clear()
    agent.work(ROUND_MS)
    statements = list(agent.pending)
    first = sent(here, agent)
    # The sender gave up, and sent the same to the other one; more came to this one meanwhile.
    intake = both[1].verifier.services.intake
    body = b"".join(one.encode() for one in statements)
    elsewhere = both[1].verifier.sequencer.submit(intake.read(body)).result(ANSWER_S)
    here.others(1)
    agent.work(ROUND_MS)
    second = sent(here, agent)
    reading.gate.set()
    assert first.result(ANSWER_S).indices == elsewhere.indices
    assert second.result(ANSWER_S).indices > elsewhere.indices
    assert here.check() == []


@pytest.mark.postgres
def test_who_waits_to_be_read_is_not_refused_with_the_rest_of_a_tick(
    moved: tuple[Office, ScriptedAgent, Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, agent, reading = moved
    reading.gate.clear()
    agent.work(ROUND_MS)
    publisher = here.verifier.publisher
    done, publish = threading.Event(), publisher.publish

    def fails() -> Published:
        done.set()
        raise StoreError("the database is away")

    monkeypatch.setattr(here.verifier.sequencer, "_tick_s", 0.3)
    monkeypatch.setattr(publisher, "publish", fails)
    candidates = here.verifier.services.intake.read(stranger_offer(here, 7).encode())
    other = here.verifier.sequencer.submit(candidates)
    first = sent(here, agent)
    assert isinstance(other.exception(ANSWER_S), RefusedError)
    assert done.is_set()
    monkeypatch.setattr(publisher, "publish", publish)
    reading.gate.set()
    first.result(ANSWER_S)
    assert here.check() == []


@pytest.mark.postgres
def test_a_chain_that_moved_on_a_little_waits_for_no_reading(
    moved: tuple[Office, ScriptedAgent, Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, agent, reading = moved
    monkeypatch.setattr(admission, "FAR", 100)
    agent.work(ROUND_MS)
    sent(here, agent).result(ANSWER_S)
    assert reading.threads == ["sequencer"]


@pytest.mark.postgres
def test_what_cannot_be_read_then_is_read_in_its_tick(
    moved: tuple[Office, ScriptedAgent, Reading],
) -> None:
    here, agent, reading = moved
    reading.fails = True
    agent.work(ROUND_MS)
    sent(here, agent).result(ANSWER_S)
    assert reading.threads == ["reading", "sequencer"]
    assert here.check() == []


@pytest.mark.postgres
def test_a_lent_chain_is_forgotten_with_the_rest(
    moved: tuple[Office, ScriptedAgent, Reading],
) -> None:
    here, agent, reading = moved
    reading.gate.clear()
    agent.work(ROUND_MS)
    first = sent(here, agent)
    here.others(1)
    # As after a failure: nothing that memory held is believed.
    here.verifier.publisher.forget()
    here.others(1)
    reading.gate.set()
    first.result(ANSWER_S)
    held = here.verifier.sequencer._admission
    assert held._lent == {}
    assert here.check() == []


@pytest.mark.postgres
def test_who_is_put_off_at_the_end_is_told_to_come_back(
    moved: tuple[Office, ScriptedAgent, Reading],
) -> None:
    here, agent, reading = moved
    reading.gate.clear()
    agent.work(ROUND_MS)
    first = sent(here, agent)
    here.others(1)
    stopping = threading.Thread(target=here.verifier.sequencer.stop)
    stopping.start()
    reading.gate.set()
    stopping.join(ANSWER_S)
    with pytest.raises(RefusedError) as caught:
        first.result(ANSWER_S)
    assert caught.value.reason is Reason.BUSY


@pytest.mark.postgres
def test_a_chain_that_changes_its_process_with_each_statement_has_one_history(
    both: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "FAR", 0)
    agent = ScriptedAgent(both[0])
    agent.open_session()
    agent.work(8 * ROUND_MS)
    lent: list[Loan] = []
    read = Loan.read

    def noted(loan: Loan) -> None:
        lent.append(loan)
        read(loan)

    monkeypatch.setattr(Loan, "read", noted)
    places: list[int] = []
    for number, statement in enumerate(agent.pending):
        office, other = both[number % 2], both[1 - number % 2]
        intake = office.verifier.services.intake
        submitted = office.verifier.sequencer.submit(intake.read(statement.encode()))
        # The other process logs for somebody else meanwhile.
        other.post([stranger_offer(other, number)])
        places += submitted.result(ANSWER_S).indices
        # Sent again, it keeps its place, also where it is not known yet.
        again = other.verifier.services.intake.read(statement.encode())
        assert other.verifier.sequencer.submit(again).result(ANSWER_S).indices == (places[-1],)
    assert places == sorted(set(places))
    assert len(lent) >= 4
    assert both[0].check() == []


def test_a_loan_is_read_once_and_comes_back_as_it_was_where_reading_fails() -> None:
    states: list[Any] = [object(), object()]
    asked = []

    def follow(state: Any, since: int, below: int) -> Any:
        asked.append((state, since, below))
        if len(asked) == 1:
            raise StoreError("the database is away")
        return states[1]

    loan = Loan(states[0], 3, 9, follow)
    with pytest.raises(StoreError):
        loan.read()
    assert (loan.state, loan.reach) == (states[0], 3)
    loan.read()
    loan.read()
    assert (loan.state, loan.reach) == (states[1], 9)
    assert asked == [(states[0], 3, 9)] * 2
