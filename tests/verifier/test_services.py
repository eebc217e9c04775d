"""Sequencer and intake under many hands; the rest of services/ has modules of its own."""

import random
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.office import Office, new_home, stranger_offer
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, START
from workseal_protocol.digest import Digest
from workseal_protocol.receipt import SubmissionAnswer
from workseal_protocol.records import SessionOpen, sign
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.work import PendingWork, Span


def try_post(office: Office, statements: list[Statement]) -> RefusedError | SubmissionAnswer:
    services = office.verifier.services
    body = b"".join(one.encode() for one in statements)
    try:
        return services.sequencer.submit(services.intake.read(body)).result(30)
    except RefusedError as refusal:
        return refusal


def test_of_many_bodies_under_one_number_exactly_one_is_logged(
    office: Office, agent: ScriptedAgent
) -> None:
    agent.online = False
    agent.open_session()
    record = agent.made[-1][1]
    assert isinstance(record, SessionOpen)
    bodies = [
        sign(replace(record, agent=f"agent {n}"), office.people.freelancer) for n in range(12)
    ]
    start = threading.Barrier(len(bodies))

    def race(statement: Statement) -> RefusedError | SubmissionAnswer:
        start.wait()
        return try_post(office, [statement])

    with ThreadPoolExecutor(len(bodies)) as pool:
        results = list(pool.map(race, bodies))
    won = [one for one in results if isinstance(one, SubmissionAnswer)]
    lost = [one for one in results if isinstance(one, RefusedError)]
    assert (len(won), {one.reason for one in lost}) == (1, {Reason.CONFLICT})
    assert office.check() == []


def test_many_senders_in_any_order_with_repeats_make_one_log(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path, tick_ms=5)).open()
    office.now = START
    offers = [stranger_offer(office, n) for n in range(60)]
    sent = offers * 3
    random.Random(7).shuffle(sent)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda offer: try_post(office, [offer]), sent))
    places: dict[Digest, set[int]] = {}
    for offer, answer in zip(sent, answers, strict=True):
        assert isinstance(answer, SubmissionAnswer)
        places.setdefault(offer.digest, set()).add(answer.indices[0])
    assert all(len(found) == 1 for found in places.values())
    assert sorted(place for found in places.values() for place in found) == list(range(3, 63))
    # Group commit: fewer checkpoints than submissions.
    assert len(list(office.verifier.log.checkpoint_roots())) < 60
    assert office.check() == []
    office.close()


def test_a_full_queue_is_told_at_once(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path, max_pending=3)).open()
    office.now = START
    sequencer = office.verifier.sequencer
    hold = threading.Event()
    real = sequencer.run_tick
    sequencer.run_tick = lambda batch: (hold.wait(20), real(batch))[1]  # type: ignore[method-assign]
    offers = [stranger_offer(office, n) for n in range(30)]
    waiting: list[Future[SubmissionAnswer]] = []

    def fill() -> None:
        for offer in offers:
            candidates = office.verifier.services.intake.read(offer.encode())
            waiting.append(sequencer.submit(candidates))

    with pytest.raises(RefusedError, match="too many submissions") as full:
        fill()
    assert (full.value.reason, full.value.retry_after) == (Reason.BUSY, 1)
    hold.set()
    assert all(one.result(20).indices for one in waiting)
    assert office.check() == []
    office.close()


def test_whoever_stops_waiting_cancels_nothing(office: Office) -> None:
    offer = stranger_offer(office, 1)
    candidates = office.verifier.services.intake.read(offer.encode())
    answer = office.verifier.sequencer.submit(candidates)
    assert not answer.cancel()
    assert answer.result(20).indices == (3,)


def test_one_submissions_mistake_is_not_the_others(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = stranger_offer(office, 1), stranger_offer(office, 2)
    house = office.verifier.sequencer._admission.house
    real = type(house.beacon).periods_ms.fget  # type: ignore[attr-defined]

    class Failing:
        def __init__(self) -> None:
            self.left = 1

        def __getattr__(self, name: str) -> object:
            if name == "periods_ms" and self.left:
                self.left -= 1
                raise ZeroDivisionError("hush")
            return getattr(house.beacon, name)

    assert real is not None
    monkeypatch.setattr(
        office.verifier.sequencer._admission,
        "house",
        replace(house, beacon=Failing()),  # type: ignore[arg-type]
    )
    first = try_post(office, [bad])
    assert isinstance(first, RefusedError)
    assert first.reason is Reason.INTERNAL
    assert "hush" not in first.detail + caplog.text
    assert isinstance(try_post(office, [good]), SubmissionAnswer)
    assert office.check() == []


def test_after_an_unforeseen_error_memory_is_read_anew(
    office: Office, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement is durable, and what was folded of it is not: the next one must still fit."""

    def trips(_: object) -> None:
        raise ZeroDivisionError

    agent.online = False
    agent.open_session()
    agent.work(ROUND_MS)
    first, *others = [statement for statement, _ in agent.made[-2:]]
    with monkeypatch.context() as patch:
        patch.setattr(office.verifier.sequencer._admission, "settle", trips)
        answer = try_post(office, [first])
        assert isinstance(answer, RefusedError)
        assert answer.reason is Reason.INTERNAL
    assert isinstance(try_post(office, others), SubmissionAnswer)
    assert isinstance(try_post(office, [first]), SubmissionAnswer)
    assert office.check() == []


def test_work_of_which_memory_learned_only_half_overlaps_all_the_same(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mistake came after the size was counted: nothing else shows that memory is behind."""

    def trips(_: object) -> None:
        raise ZeroDivisionError

    first = ScriptedAgent(office)
    second = ScriptedAgent(
        office, terms=office.terms(rate_minor_per_hour=1), engagement=bytes(range(16))
    )
    for one in (first, second):
        one.open_session()
    first.work(2 * ROUND_MS)
    first.send()
    begin = office.now
    first.work(2 * ROUND_MS)
    with monkeypatch.context() as patch:
        patch.setattr(office.verifier.sequencer._admission.house.work, "settle", trips)
        with pytest.raises(RefusedError) as refused:
            first.send()
        assert refused.value.reason is Reason.INTERNAL
    end, office.now = office.now, begin
    second.work(ROUND_MS)
    office.now = end
    with pytest.raises(RefusedError) as refused:
        second.send()
    assert refused.value.reason is Reason.OVERLAP
    # What was logged with the mistake has its place.
    first.send()
    assert office.check() == []


def test_with_a_clock_that_went_back_nothing_is_stored(office: Office) -> None:
    office.post([stranger_offer(office, 1)])
    size = office.verifier.publisher.size
    office.now -= 3_600_000
    refusal = try_post(office, [stranger_offer(office, 2)])
    assert isinstance(refusal, RefusedError)
    assert refusal.reason is Reason.CLOCK
    head = office.verifier.log.head()
    assert head is not None
    assert head.size == size


def test_what_comes_behind_the_last_tick_is_refused_and_not_forgotten(office: Office) -> None:
    sequencer = office.verifier.sequencer
    sequencer.stop()
    sequencer._stopping.clear()
    # The sign to stop stands in the queue, and a submission slipped in behind it.
    sequencer._queue.put(None)
    candidates = office.verifier.services.intake.read(stranger_offer(office, 1).encode())
    answer = sequencer.submit(candidates)
    sequencer.start()
    refusal = answer.exception(10)
    assert isinstance(refusal, RefusedError)
    assert refusal.reason is Reason.BUSY
    sequencer.start()


def test_a_stopped_server_says_so(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path)).open()
    office.now = START
    offer = stranger_offer(office, 1)
    office.verifier.sequencer.stop()
    refusal = try_post(office, [offer])
    assert isinstance(refusal, RefusedError)
    assert "stopping" in refusal.detail
    office.close()


spans = st.builds(
    lambda begin, length, engagement: Span(
        Digest(bytes(32)), bytes([engagement]) * 16, begin, begin + length
    ),
    st.integers(0, 40),
    st.integers(1, 10),
    st.integers(0, 2),
)


@settings(max_examples=80)
@given(st.lists(spans, max_size=8), spans)
def test_overlap_is_a_shared_moment_in_another_engagement(held: list[Span], new: Span) -> None:
    pending = PendingWork()
    for span in held:
        pending.add(span)
    moments = set(range(new.begin_ms, new.end_ms))
    shared = any(
        moments & set(range(one.begin_ms, one.end_ms))
        for one in held
        if one.engagement != new.engagement
    )
    assert pending.meets(frozenset({new.worker}), new) is shared
    assert not pending.meets(frozenset({Digest.of(b"another")}), new)
