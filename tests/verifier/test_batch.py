"""What is admitted before its turn, and that nothing which others log meanwhile is overlooked."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import Any

import pytest

from support.office import ANSWER_S, Office, unique
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, seeded
from workseal_protocol.keys import SeedSigner
from workseal_protocol.receipt import SubmissionAnswer
from workseal_protocol.records import KeyRevoke, RevocationReason, sign
from workseal_protocol.statement import Statement
from workseal_verifier.errors import ForkError, Reason, RefusedError
from workseal_verifier.services.batch import Batch
from workseal_verifier.services.publication import Writing
from workseal_verifier.services.submission import Submission
from workseal_verifier.services.tick import Tick

Act = Callable[[], object]


class Turns:
    """Watch one process: what is admitted when, and what another one does before its turn."""

    def __init__(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        self.meanwhile: list[Act] = []
        # Of each admission, whether it was in the turn.
        self.admitted: list[bool] = []
        # How many statements the store was asked for.
        self.asked: list[int] = []
        self._in_turn = False
        publisher, records = office.verifier.publisher, office.verifier.records
        turn, admit, positions = publisher.turn, Tick.admit, records.positions

        @contextmanager
        def watched() -> Iterator[Writing]:
            while self.meanwhile:
                self.meanwhile.pop()()
            with turn() as writing:
                self._in_turn = True
                yield writing
            self._in_turn = False

        def noted(tick: Tick, *given: Any) -> tuple[int, ...]:
            # The other process has ticks of its own.
            if tick._committed is office.verifier.sequencer._admission:
                self.admitted.append(self._in_turn)
            return admit(tick, *given)

        def counted(digests: Sequence[Any]) -> Any:
            self.asked.append(len(digests))
            return positions(digests)

        monkeypatch.setattr(publisher, "turn", watched)
        monkeypatch.setattr(Tick, "admit", noted)
        monkeypatch.setattr(records, "positions", counted)


def working(office: Office, **given: Any) -> ScriptedAgent:
    """Let somebody's work begin, so that memory holds it."""
    agent = ScriptedAgent(office, **given)
    agent.open_session()
    agent.work(ROUND_MS)
    agent.send()
    return agent


def next_of(agent: ScriptedAgent, rounds: int = 1) -> list[Statement]:
    agent.work(rounds * ROUND_MS)
    statements = list(agent.pending)
    agent.pending.clear()
    return statements


def sent(office: Office, statements: Sequence[Statement]) -> Future[SubmissionAnswer]:
    body = b"".join(one.encode() for one in statements)
    return office.verifier.sequencer.submit(office.verifier.services.intake.read(body))


def refused(promise: Future[SubmissionAnswer]) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        promise.result(ANSWER_S)
    return caught.value


def test_what_goes_on_with_a_chain_in_memory_is_admitted_before_its_turn(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = working(office)
    turns = Turns(office, monkeypatch)
    answer = office.post(next_of(agent, 3))
    assert len(answer.indices) == 3
    assert turns.admitted == [False]
    # That memory knows them to be new, the store is not asked.
    assert turns.asked == [0]
    assert office.check() == []


def test_who_came_while_others_were_admitted_is_admitted_before_the_turn_too(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = working(office)
    turns = Turns(office, monkeypatch)
    first, second = next_of(agent), next_of(agent, 2)
    late = list[Future[SubmissionAnswer]]()
    admit = Batch.admit_ahead

    def meanwhile(batch: Batch, given: Sequence[Submission]) -> None:
        admit(batch, given)
        if not late:
            late.append(sent(office, second))

    monkeypatch.setattr(Batch, "admit_ahead", meanwhile)
    size = office.checkpoint().checkpoint.size
    assert sent(office, first).result(ANSWER_S).indices == (size,)
    assert late[0].result(ANSWER_S).indices == (size + 1, size + 2)
    assert turns.admitted == [False, False]
    assert turns.asked == [0]
    assert office.check() == []


def test_what_memory_does_not_hold_is_admitted_in_its_turn(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = working(office)
    office.verifier.sequencer._admission.forget()
    turns = Turns(office, monkeypatch)
    office.post(next_of(agent))
    assert turns.admitted == [True]
    assert turns.asked == [1]
    assert office.check() == []


def test_who_sends_again_gets_the_same_place(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = working(office)
    statements = next_of(agent, 3)
    first = office.post(statements)
    turns = Turns(office, monkeypatch)
    # The last of them is new.
    more = next_of(agent)
    again = office.post([*statements, *more])
    assert again.indices[:3] == first.indices
    assert turns.admitted == [True]
    assert turns.asked == [3]
    assert office.check() == []


def test_who_is_not_admitted_before_the_turn_is_asked_again_in_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = working(office)
    first, second = next_of(agent), next_of(agent)
    turns = Turns(office, monkeypatch)
    assert refused(sent(office, second)).reason is Reason.REFUSED
    assert turns.admitted == [False, True]
    office.post([*first, *second])
    assert office.check() == []


@pytest.mark.postgres
def test_what_was_admitted_before_stands_behind_what_others_logged_meanwhile(
    both: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = both
    agent = working(here)
    turns = Turns(here, monkeypatch)
    turns.meanwhile.append(lambda: there.others(2))
    answer = sent(here, next_of(agent, 2)).result(ANSWER_S)
    size = answer.signed.checkpoint.size
    assert answer.indices == (size - 2, size - 1)
    assert turns.admitted == [False]
    assert here.check() == []


@pytest.mark.postgres
def test_what_another_process_was_sent_too_has_one_place(
    both: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = both
    agent = working(here)
    statements = next_of(agent, 2)
    turns = Turns(here, monkeypatch)
    others: list[SubmissionAnswer] = []
    turns.meanwhile.append(lambda: others.append(there.post(statements)))
    answer = sent(here, statements).result(ANSWER_S)
    assert answer.indices == others[0].indices
    assert turns.admitted == [False, True]
    assert here.check() == []


@pytest.mark.postgres
@pytest.mark.parametrize("works", [True, False], ids=["work", "the end of a session"])
def test_another_body_that_was_first_elsewhere_is_a_fork(
    both: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch, *, works: bool
) -> None:
    here, there = both
    agent = working(here)
    twin = copy(agent)
    twin.verifier, twin.pending = there, []
    statements = next_of(agent)
    turns = Turns(here, monkeypatch)
    if works:
        twin.work(ROUND_MS // 2)
        turns.meanwhile.append(twin.send)
    else:
        turns.meanwhile.append(twin.close_session)
    assert isinstance(refused(sent(here, statements)), ForkError)
    assert turns.admitted == [False, True]
    assert here.check() == []


@pytest.mark.postgres
def test_work_of_the_same_person_that_was_logged_meanwhile_is_no_less_refused(
    both: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = both
    people = here.people
    client = SeedSigner(seeded(here.seed, "another client"))
    one = working(here)
    there.people = replace(people, client=client)
    terms = there.terms(client=client.public_key)
    two = working(there, terms=terms, engagement=unique(there, "there"))
    begin = here.now
    first = next_of(one)
    here.now = begin
    second = next_of(two)
    turns = Turns(here, monkeypatch)
    turns.meanwhile.append(lambda: there.post(second))
    assert refused(sent(here, first)).reason is Reason.OVERLAP
    assert turns.admitted == [False, True]
    assert here.check() == []


@pytest.mark.postgres
def test_a_key_that_was_revoked_meanwhile_says_nothing_more(
    both: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = both
    agent = working(here)
    statements = next_of(agent)
    key = here.people.freelancer
    revoke = sign(
        KeyRevoke(
            claimed_at=here.now, key=key.public_key.thumbprint, reason=RevocationReason.RETIRED
        ),
        key,
    )
    turns = Turns(here, monkeypatch)
    turns.meanwhile.append(lambda: there.post([revoke]))
    assert refused(sent(here, statements)).reason is Reason.UNKNOWN_PARTY
    assert turns.admitted == [False, True]
    assert here.check() == []


@pytest.mark.postgres
def test_a_chain_that_moved_on_elsewhere_is_not_gone_on_with_before_the_turn(
    both: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = both
    agent = working(here)
    there.post(next_of(agent, 2))
    turns = Turns(here, monkeypatch)
    answer = sent(here, next_of(agent)).result(ANSWER_S)
    assert answer.indices == (answer.signed.checkpoint.size - 1,)
    # Before, memory had not heard of it: what it said then does not count.
    assert turns.admitted == [False, True]
    assert here.check() == []
