"""Group commit: submissions wait for the next tick, one transaction and one signature cover them.

One thread of a process sequences; between processes, the store gives one a turn at a time. A
submission is all or nothing: its first refused item refuses it, and it leaves no trace in the
others of its tick. Statements that are already logged keep their index, so sending again is always
safe.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workseal_verifier.errors import Reason, RefusedError, StoreError, StoreFullError
from workseal_verifier.services.admission import Admission
from workseal_verifier.services.batch import Batch
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.conflicts import ConflictBook
from workseal_verifier.services.health import PUBLISHING, SEQUENCING, Health
from workseal_verifier.services.meters import Meters
from workseal_verifier.services.outage import Outage
from workseal_verifier.services.publication import Published, Publisher
from workseal_verifier.services.space import Space
from workseal_verifier.services.submission import (
    Charge,
    Submission,
    answer,
    busy,
    fail,
    fail_all,
    spoken_of,
)
from workseal_verifier.services.tickproofs import TickProofs
from workseal_verifier.store.records import RecordStore

if TYPE_CHECKING:
    from workseal_protocol.receipt import SubmissionAnswer

_logger = logging.getLogger(__name__)

# Statements in one transaction: more would make the ones that wait wait for too long.
TICK_STATEMENTS = 4_096
# A tick that holds so many submissions need not wait for more, as soon as none came for a moment.
MIXED = 16
_MOMENT_S = 0.001
# What too few witnesses cosigned is shown to them again after this, whoever asks.
RETRY_S = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a tick waits for more, and how many submissions may wait."""

    tick_s: float
    max_pending: int


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how ticks end, and says whether there is room for one."""

    health: Health
    space: Space
    meters: Meters


class Sequencer:
    """Admit, order and publish what is submitted."""

    def __init__(
        self,
        publisher: Publisher,
        admission: Admission,
        records: RecordStore,
        *,
        limits: Limits,
        watch: Watch,
        conflicts: ConflictBook,
    ) -> None:
        self._publisher = publisher
        self._admission = admission
        self._records = records
        self._tick_s = limits.tick_s
        self._health = watch.health
        self._conflicts = conflicts
        self._space = watch.space
        self._meters = watch.meters
        self._queue: queue.Queue[Submission | None] = queue.Queue(maxsize=limits.max_pending)
        self._committed: queue.SimpleQueue[Sequence[Submission] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._publishing: threading.Thread | None = None
        # One thread: what it does beside its reading has the same interpreter.
        self._reading = ThreadPoolExecutor(1, "reading")
        self._stopping = threading.Event()
        # Whether the sequencing thread has taken the last of the queue.
        self._has_ended = False
        # One for each thread.
        self._not_committed, self._not_published = (
            Outage("the log is written again") for _ in range(2)
        )

    # --- in any thread -----------------------------------------------------------

    @property
    def current(self) -> Published:
        """The newest published checkpoint; refuses before the first."""
        return self.showing(None)

    def showing(self, reach: int | None) -> Published:
        """Return the same; who has just read how far signed checkpoints reach may say so."""
        publisher = self._publisher
        found = publisher.current if reach is None else publisher.showing(reach)
        if found is None:
            raise busy("the log is not open yet")
        return found

    @property
    def waiting(self) -> int:
        """Count the submissions that wait for a tick."""
        return self._queue.qsize()

    def submit(
        self, candidates: Sequence[Candidate], *, old: int = 0, charge: Charge | None = None
    ) -> "Future[SubmissionAnswer]":
        """Queue statements; the answer comes when they are durable, in the tree and signed for.

        Before it `charge` is told, in another thread, which of them were new.
        """
        submission = Submission(candidates, old, charge=charge)
        # From here on nobody can cancel it: what is admitted is logged, whoever still waits.
        submission.answer.set_running_or_notify_cancel()
        if self._stopping.is_set():
            raise busy("the server is stopping")
        try:
            self._queue.put_nowait(submission)
        except queue.Full:
            raise busy("too many submissions are waiting") from None
        return submission.answer

    def is_prepared(self, candidates: Sequence[Candidate]) -> bool:
        """Tell whether memory holds whatever these speak about; never waits."""
        return all(map(self._admission.is_held, spoken_of(candidates)))

    def prepare(self, candidates: Sequence[Candidate]) -> None:
        """Read what these speak about, so that the log is not held for as long as that takes."""
        for engagement, issuer in spoken_of(candidates).items():
            self._admission.prepare(engagement, issuer)

    def start(self) -> None:
        """Start the sequencing thread."""
        if self._publisher.is_loaded:
            # From now on engagements can be prepared.
            self._admission.begin(self._publisher.size)
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)
        self._thread.start()
        if self._publisher.asks_witnesses:
            self._publishing = threading.Thread(
                target=self._run_publishing, name="publishing", daemon=True
            )
            self._publishing.start()
            if self._publisher.size:
                # What was committed before this start and not published.
                self._committed.put([])

    def stop(self) -> None:
        """Finish what is queued and end the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        if self._publishing is not None:
            self._publishing.join()
            self._publishing = None

    # --- in the sequencing thread ---------------------------------------------------

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                break
            self._await_more(first)
            batch = [first]
            self._fill(batch)
            self.run_tick(batch)
            if self._has_ended:
                break
        # Who was put off comes back, and is refused with the rest.
        self._reading.shutdown()
        self._refuse_rest()
        self._committed.put(None)

    def _await_more(self, first: Submission) -> None:
        """Wait until the first has waited a fixed time, or is one among many.

        So the times of checkpoints tell little about one sender, and under load, a tick begins when
        the one before it has ended.
        """
        end = first.came + self._tick_s
        before = 0
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _MOMENT_S))
            more = self._queue.qsize()
            if more == before and more + 1 >= MIXED:
                return
            before = more

    # --- in the reading thread, while the log is free ------------------------------------

    def _read(self, one: Submission) -> None:
        """Read what a submission waits for, and queue it again."""
        try:
            # What cannot be read now is read in its tick, which says so.
            with suppress(StoreError):
                for loan in one.loans:
                    loan.read()
        finally:
            # It waits for others again: else its tick would tell when those came.
            one.came = time.monotonic()
            try:
                self._queue.put_nowait(one)
            except queue.Full:
                fail(one, busy("too many submissions are waiting"))

    # --- in the publishing thread, where witnesses are asked ---------------------------

    def _run_publishing(self) -> None:
        behind = False
        ending = False
        while not ending:
            batch, ending = self._take_committed(RETRY_S if behind else None)
            if not batch and ending:
                return
            behind = not self._done(batch, self._publish, self._not_published)
            if behind:
                self._health.failed(PUBLISHING)
            else:
                self._health.worked(PUBLISHING)

    def _take_committed(self, wait_s: float | None) -> tuple[list[Submission], bool]:
        """Take all that was committed meanwhile: one checkpoint covers it."""
        together: list[Submission] = []
        try:
            more = self._committed.get(timeout=wait_s)
            while more is not None:
                together += more
                more = self._committed.get_nowait()
        except queue.Empty:
            return together, False
        return together, True

    # --- in the sequencing thread, again -------------------------------------------------

    def _fill(self, batch: list[Submission]) -> None:
        """Take what waits into a batch, as far as there is room."""
        count = sum(len(one.candidates) for one in batch)
        while count < TICK_STATEMENTS and not self._has_ended:
            try:
                one = self._queue.get_nowait()
            except queue.Empty:
                return
            if one is None:
                self._has_ended = True
            else:
                batch.append(one)
                count += len(one.candidates)

    def _refuse_rest(self) -> None:
        while True:
            try:
                rest = self._queue.get_nowait()
            except queue.Empty:
                return
            if rest is not None:
                fail(rest, busy("the server is stopping"))

    def run_tick(self, batch: list[Submission]) -> None:
        """Sequence a batch, and what else came while it was admitted.

        Each submission is answered, refused or put off, nothing is raised.
        """
        begun = time.perf_counter()
        done = self._done(batch, self._sequence, self._not_committed)
        self._meters.ticked(time.perf_counter() - begun, len(batch))
        if not batch:
            # All of it waits to be read: nothing was asked of the log.
            return
        if done:
            self._health.worked(SEQUENCING)
        else:
            self._health.failed(SEQUENCING)

    def _done(
        self,
        batch: list[Submission],
        work: Callable[[list[Submission]], bool],
        outage: Outage,
    ) -> bool:
        """Do what tells whether it wrote anything; tell whether it went well."""
        try:
            if work(batch):
                outage.ends()
        except RefusedError as refusal:
            fail_all(batch, refusal)
            # Read-only for want of space is told as that: no restart helps, and one may do harm.
            return refusal.reason is Reason.FULL
        except StoreFullError as error:
            outage.goes_on(error, "the disk is full: nothing was stored")
            fail_all(batch, RefusedError(Reason.FULL, "the server has no space", retry_after=60))
        except StoreError as error:
            outage.goes_on(error, f"the log could not be written: {error}")
            fail_all(batch, busy("the log could not be written; send again"))
        except Exception as error:  # noqa: BLE001 - the thread must outlive any mistake
            _logger.error("sequencing failed: %s", type(error).__name__)  # noqa: TRY400
            self._publisher.forget()
            fail_all(batch, RefusedError(Reason.INTERNAL, "the server made a mistake"))
        else:
            return True
        return False

    def _sequence(self, batch: list[Submission]) -> bool:
        if not self._publisher.is_loaded:
            self._admission.forget()
            self._publisher.load()
        self._publisher.check_clock()
        tick = self._admission.begin(self._publisher.size)
        work = Batch(self._admission, self._records, tick)
        self._admit_ahead(batch, work)
        if not batch:
            return False
        with self._publisher.turn() as writing:
            work.admit_rest(batch, writing.size)
            tick = work.tick
            if tick.entries:
                self._space.require(sum(len(entry.body) for entry in tick.entries))
                tick.mark()
                writing.append(tick.entries, tick.change)
        self._admission.settle(tick)
        self._put_off(batch, work)
        # Only now is the body that was first surely in the log.
        if not self._space.is_full:
            self._conflicts.keep([fork for _, fork in work.forks])
        for one, fork in work.forks:
            fail(one, fork)
        if work.admitted and self._publisher.asks_witnesses:
            # They take their time: meanwhile the next ticks go on.
            self._committed.put(work.admitted)
        elif work.admitted:
            self._publish(work.admitted)
        return bool(tick.entries)

    def _admit_ahead(self, batch: list[Submission], work: Batch) -> None:
        """Admit what can be before the turn, and whoever came while that was done.

        Who comes later waits for the next tick: here other workers would wait for their admission.
        """
        work.admit_ahead(batch)
        known = len(batch)
        self._fill(batch)
        work.admit_ahead(batch[known:])
        self._put_off(batch, work)

    def _put_off(self, batch: list[Submission], work: Batch) -> None:
        """Have read what some of a batch wait for; whatever becomes of it is not theirs."""
        later = {id(one) for one, _ in work.later}
        batch[:] = [one for one in batch if id(one) not in later]
        for one, loans in work.later:
            one.loans = loans
            self._reading.submit(self._read, one)
        work.later.clear()

    def _publish(self, admitted: Sequence[Submission]) -> bool:
        published = self._publisher.publish()
        proofs = TickProofs(published.tree.node, published.size)
        for one in admitted:
            answer(one, published, proofs)
        return True
