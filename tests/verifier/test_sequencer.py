"""How long ticks wait; where witnesses are asked, that no tick waits for them; what is told."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from support.office import ANSWER_S, FakeClock, FlakyDatabase, Office, new_home, stranger_offer
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, START
from workseal_protocol.checkpoint import SignedCheckpoint, add_cosignature, cosign
from workseal_protocol.keys import SeedSigner
from workseal_protocol.merkle import EMPTY_ROOT, verify_consistency
from workseal_protocol.receipt import SubmissionAnswer
from workseal_protocol.statement import Statement
from workseal_verifier.errors import (
    Reason,
    RefusedError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
)
from workseal_verifier.services import outage, sequencer
from workseal_verifier.services.batch import Batch
from workseal_verifier.services.health import PUBLISHING
from workseal_verifier.services.publication import Writing
from workseal_verifier.services.sequencer import MIXED
from workseal_verifier.services.submission import Submission
from workseal_verifier.services.tick import Tick

WITNESS = SeedSigner(b"\x05" * 32)


class FakeWitness:
    """Cosign what continues the tree seen before; `gate` holds it up, `willing` makes it refuse."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.willing = True
        self.asked = 0
        self.asking = threading.Semaphore(0)
        self.seen: tuple[int, bytes] = (0, EMPTY_ROOT)

    def cosign(
        self, signed: SignedCheckpoint, prove: Callable[[int], tuple[bytes, ...]]
    ) -> SignedCheckpoint:
        self.asked += 1
        self.asking.release()
        self.gate.wait(20)
        if not self.willing:
            raise RefusedError(Reason.BUSY, "too few witnesses have cosigned", retry_after=1)
        size, root = signed.checkpoint.size, signed.checkpoint.root.raw
        verify_consistency(
            old_size=self.seen[0],
            old_root=self.seen[1],
            size=size,
            root=root,
            path=prove(self.seen[0]),
        )
        self.seen = (size, root)
        return add_cosignature(signed, cosign(signed.checkpoint, "w.example", WITNESS, 7))


@pytest.fixture
def witness() -> FakeWitness:
    return FakeWitness()


@pytest.fixture
def office(
    tmp_path: Path, witness: FakeWitness, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    monkeypatch.setattr(sequencer, "RETRY_S", 0.05)
    settings = new_home(tmp_path)
    made = Office(settings, clock=FakeClock(START - 3_600_000), cosigning=witness)
    made.open()
    made.now = START
    yield made
    witness.gate.set()
    witness.willing = True
    made.close()


def submit(office: Office, word: object) -> Future[SubmissionAnswer]:
    candidates = office.verifier.services.intake.read(stranger_offer(office, word).encode())
    return office.verifier.sequencer.submit(candidates)


def names(signed: SignedCheckpoint) -> list[str]:
    return [line.name for line in signed.lines]


def test_a_tick_that_holds_many_waits_for_no_more(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office.verifier.sequencer, "_tick_s", 3_600.0)
    waiting = [submit(office, number) for number in range(MIXED)]
    for one in waiting:
        one.result(ANSWER_S)
    assert office.check() == []


def test_a_tick_that_holds_few_waits_its_time_whoever_sends(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the time of a checkpoint would tell when one sender sent."""
    monkeypatch.setattr(office.verifier.sequencer, "_tick_s", 3.0)
    intake = office.verifier.services.intake
    bodies = [stranger_offer(office, number).encode() for number in range(MIXED - 1)]
    candidates = [intake.read(body) for body in bodies]
    waiting = []
    for one in candidates:
        waiting.append(office.verifier.sequencer.submit(one))
        time.sleep(0.01)
    assert len({one.result(ANSWER_S).signed.checkpoint.size for one in waiting}) == 1


class Arrivals:
    """A clock that moves as it is slept by, and a queue that grows meanwhile."""

    def __init__(self, *coming: int) -> None:
        self.now = 0.0
        self.slept = 0
        self.size = 0
        self._coming = iter(coming)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += 1
        self.size += next(self._coming, 0)

    def qsize(self) -> int:
        return self.size


@pytest.mark.parametrize(
    ("coming", "moments"),
    [
        pytest.param([MIXED], 2, id="all at once"),
        pytest.param([1] * 40, 41, id="one in each moment"),
        pytest.param([MIXED, 5, 5], 4, id="more than enough"),
        pytest.param([MIXED - 2], 128, id="one too few"),
        pytest.param([1] * 200, 128, id="without end"),
    ],
)
def test_a_tick_begins_when_no_more_came_for_a_moment(
    office: Office, monkeypatch: pytest.MonkeyPatch, coming: list[int], moments: int
) -> None:
    arrivals = Arrivals(*coming)
    waiting = office.verifier.sequencer
    waiting.stop()
    monkeypatch.setattr(sequencer, "time", arrivals)
    monkeypatch.setattr(waiting, "_queue", arrivals)
    # Both without a rounding: 128 moments.
    monkeypatch.setattr(sequencer, "_MOMENT_S", 2**-10)
    monkeypatch.setattr(waiting, "_tick_s", 2**-3)
    waiting._await_more(Submission([], came=0.0))
    assert arrivals.slept == moments


def test_a_tick_whose_first_has_waited_its_time_begins_at_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waited through the tick before: there, others could come to it."""
    arrivals = Arrivals()
    waiting = office.verifier.sequencer
    waiting.stop()
    monkeypatch.setattr(sequencer, "time", arrivals)
    monkeypatch.setattr(sequencer, "_MOMENT_S", 2**-10)
    monkeypatch.setattr(waiting, "_tick_s", 2**-3)
    waiting._await_more(Submission([], came=-(2**-3)))
    assert arrivals.slept == 0
    waiting._await_more(Submission([], came=-(2**-4)))
    assert arrivals.slept == 64


def test_who_comes_back_from_being_read_waits_for_others_anew(office: Office) -> None:
    """Else its tick would begin at once, and tell when somebody came who is with it by chance."""
    waiting = office.verifier.sequencer
    waiting.stop()
    one = Submission([], came=0.0)
    before = time.monotonic()
    waiting._read(one)
    assert one.came >= before


def test_who_comes_while_others_are_admitted_is_served_in_their_turn(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = list[Future[SubmissionAnswer]]()
    admit = Batch.admit_ahead

    def meanwhile(batch: Batch, given: Sequence[Submission]) -> None:
        admit(batch, given)
        if not late:
            late.append(submit(office, 2))

    monkeypatch.setattr(Batch, "admit_ahead", meanwhile)
    turns = counted_turns(office, monkeypatch)
    first = submit(office, 1)
    places = [first.result(ANSWER_S).indices, late[0].result(ANSWER_S).indices]
    assert (len(turns), places) == (1, [(turns[0],), (turns[0] + 1,)])
    assert office.check() == []


def test_who_comes_in_a_turn_waits_for_the_next_whatever_becomes_of_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = office.verifier.publisher
    real, late = publisher.turn, list[Future[SubmissionAnswer]]()

    @contextmanager
    def turn() -> Iterator[Writing]:
        with real() as writing:
            if late:
                yield writing
            else:
                late.append(submit(office, 2))
                yield writing
                raise StoreError("the outcome is unknown")

    monkeypatch.setattr(publisher, "turn", turn)
    refusal = submit(office, 1).exception(ANSWER_S)
    assert isinstance(refusal, RefusedError)
    assert refusal.reason is Reason.BUSY
    assert late[0].result(ANSWER_S).indices
    assert office.check() == []


def counted_turns(office: Office, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note the size of the log at each turn that ends well."""
    publisher = office.verifier.publisher
    real, sizes = publisher.turn, list[int]()

    @contextmanager
    def turn() -> Iterator[Writing]:
        with real() as writing:
            yield writing
        sizes.append(writing.size)

    monkeypatch.setattr(publisher, "turn", turn)
    return sizes


def test_what_is_published_has_the_witnesses_line(office: Office) -> None:
    answer = office.post([stranger_offer(office, 1)])
    assert "w.example" in names(answer.signed)
    assert office.checkpoint() == answer.signed
    assert office.check() == []


def test_ticks_go_on_while_a_witness_is_slow_and_one_checkpoint_answers_them(
    office: Office, witness: FakeWitness
) -> None:
    before = office.checkpoint().checkpoint.size
    while witness.asking.acquire(blocking=False):
        pass
    witness.gate.clear()
    first = submit(office, 1)
    assert witness.asking.acquire(timeout=20)
    others = [submit(office, number) for number in (2, 3)]
    while office.verifier.publisher.size < before + 3:
        pass
    assert not any(one.done() for one in (first, *others))
    assert office.checkpoint().checkpoint.size == before
    witness.gate.set()
    assert first.result(ANSWER_S).signed.checkpoint.size == before + 1
    sizes = {one.result(ANSWER_S).signed.checkpoint.size for one in others}
    assert sizes == {before + 3}
    # The size between them was never published, and nothing is missing.
    assert office.verifier.log.checkpoint(before + 2) is None
    assert office.check() == []


def test_too_few_witnesses_publish_nothing_and_lose_nothing(
    office: Office, witness: FakeWitness
) -> None:
    before = office.checkpoint()
    offer = stranger_offer(office, 1)
    witness.willing = False
    with pytest.raises(RefusedError, match="too few witnesses") as refused:
        office.post([offer])
    assert refused.value.reason is Reason.BUSY
    assert office.checkpoint() == before
    witness.willing = True
    # The same bytes get the place that they had all the time.
    assert office.post([offer]).indices == (before.checkpoint.size,)
    assert office.check() == []


def test_what_too_few_cosigned_is_shown_again_by_itself(
    office: Office, witness: FakeWitness
) -> None:
    size = office.checkpoint().checkpoint.size
    witness.willing = False
    with pytest.raises(RefusedError):
        office.post([stranger_offer(office, 1)])
    while PUBLISHING not in office.verifier.health.failing():
        pass
    witness.willing = True
    while office.checkpoint().checkpoint.size != size + 1:
        pass
    while office.verifier.health.failing():
        pass


def test_what_was_not_published_before_a_restart_is_published_after_it(
    tmp_path: Path, witness: FakeWitness
) -> None:
    settings = new_home(tmp_path)
    office = Office(settings, clock=FakeClock(START - 3_600_000), cosigning=witness)
    office.open()
    office.now = START
    before = office.checkpoint().checkpoint.size
    witness.willing = False
    with pytest.raises(RefusedError):
        office.post([stranger_offer(office, 1)])
    office.close()
    witness.willing = True
    again = Office(settings, clock=office.clock, cosigning=witness)
    again.open()
    while again.checkpoint().checkpoint.size != before + 1:
        pass
    assert again.check() == []
    again.close()


def test_a_stop_answers_what_was_taken(tmp_path: Path, witness: FakeWitness) -> None:
    settings = new_home(tmp_path)
    office = Office(settings, clock=FakeClock(START - 3_600_000), cosigning=witness)
    office.open()
    office.now = START
    witness.gate.clear()
    waiting = [submit(office, number) for number in range(3)]
    stopping = threading.Thread(target=office.close)
    stopping.start()
    witness.gate.set()
    assert all(one.result(ANSWER_S).indices for one in waiting)
    stopping.join()


# --- what the server's log has of it ---


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        one.getMessage()
        for one in caplog.records
        if one.name in {sequencer.__name__, outage.__name__}
    ]


@pytest.fixture
def flaky(tmp_path: Path) -> Iterator[tuple[Office, FlakyDatabase]]:
    office = Office(new_home(tmp_path), database=FlakyDatabase).open()
    office.now = START
    database = office.verifier.database
    assert isinstance(database, FlakyDatabase)
    yield office, database
    office.close()


def refused(office: Office, statements: Sequence[Statement]) -> Reason:
    with pytest.raises(RefusedError) as caught:
        office.post(statements)
    return caught.value.reason


def test_a_full_disk_is_one_line_however_often_it_is_tried(
    flaky: tuple[Office, FlakyDatabase], caplog: pytest.LogCaptureFixture
) -> None:
    office, database = flaky
    known = stranger_offer(office, "known")
    office.post([known])
    offers = [stranger_offer(office, number) for number in range(40)]
    for _ in range(2):
        caplog.clear()
        with database.read() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        database.page_limit = pages
        for _ in range(50):
            assert refused(office, offers) is Reason.FULL
            # Nothing is written for it, so it tells nothing of the disk.
            office.post([known])
        assert said(caplog) == ["the disk is full: nothing was stored"]
        database.page_limit = 1 << 30
        office.post(offers)
        office.post([stranger_offer(office, "more")])
        assert said(caplog)[1:] == ["the log is written again"]
        offers = [stranger_offer(office, number) for number in range(40, 80)]
    assert office.check() == []


def test_a_store_that_fails_is_one_line_of_each_kind(
    flaky: tuple[Office, FlakyDatabase],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    office, _ = flaky
    errors = [StoreError("gone"), StoreFullError("full"), StoreCorruptError("damaged")]
    failing = iter(errors * 20)

    def fails(*_: object) -> None:
        raise next(failing)

    offer = stranger_offer(office, 1)
    with monkeypatch.context() as patch:
        patch.setattr(office.verifier.log, "found", fails)
        office.verifier.publisher.forget()
        reasons = [refused(office, [offer]) for _ in range(60)]
    assert reasons == [Reason.BUSY, Reason.FULL, Reason.BUSY] * 20
    office.post([offer])
    # The line comes after the answer.
    office.verifier.sequencer.stop()
    assert said(caplog) == [
        "the log could not be written: gone",
        "the disk is full: nothing was stored",
        "the log could not be written: damaged",
        "the log is written again",
    ]


def test_two_statements_with_one_number_of_a_chain_stop_their_tick_and_leave_no_trace(
    flaky: tuple[Office, FlakyDatabase], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever memory believes, the database does not take them; then memory is read again."""
    office, _ = flaky
    agent = ScriptedAgent(office)
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    size = office.checkpoint().checkpoint.size
    agent.work(ROUND_MS)
    late = list(agent.pending)
    mark = Tick.mark

    def mistaken(tick: Tick) -> None:
        mark(tick)
        tick.entries = [replace(one, seq=0) for one in tick.entries]

    with monkeypatch.context() as patch:
        patch.setattr(Tick, "mark", mistaken)
        assert refused(office, late) is Reason.BUSY
        assert not office.verifier.publisher.is_loaded
        head = office.verifier.log.head()
        assert head is not None
        assert head.size == size
    agent.send()
    assert office.checkpoint().checkpoint.size == size + len(late)
    assert office.check() == []


def test_a_checkpoint_that_cannot_be_stored_is_one_line(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its thread tries again by itself; that ticks are committed meanwhile does not end it."""
    with monkeypatch.context() as patch:

        def fails(*_: object) -> None:
            raise StoreError("gone")

        patch.setattr(office.verifier.log, "save_signed", fails)
        for number in range(20):
            assert refused(office, [stranger_offer(office, number)]) is Reason.BUSY
        assert said(caplog) == ["the log could not be written: gone"]
    office.post([stranger_offer(office, "more")])
    # The line comes after the answer.
    office.verifier.sequencer.stop()
    assert said(caplog)[1:] == ["the log is written again"]
