"""The submissions of one tick: admitted before its turn where memory is enough, the rest in it.

Only one process has the turn, and all others wait for it. So what goes on with chains that memory
holds to their ends is admitted before; what others logged meanwhile is then looked at for what
could change that.

Rule: nobody is refused before the turn. Whoever memory alone does not let in is asked again in it,
where all that is logged is known.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from workseal_protocol.digest import Digest
from workseal_verifier.errors import ForkError, Reason, RefusedError, StoreError
from workseal_verifier.services.admission import Admission
from workseal_verifier.services.submission import Submission, fail, spoken_of
from workseal_verifier.services.tick import Tick
from workseal_verifier.store.records import RecordStore

if TYPE_CHECKING:
    from workseal_verifier.services.loan import Loan

_logger = logging.getLogger(__name__)


class Batch:
    """What becomes of some submissions; for the one thread that sequences."""

    def __init__(self, admission: Admission, records: RecordStore, tick: Tick) -> None:
        self._admission = admission
        self._records = records
        self.tick = tick
        self.admitted: list[Submission] = []
        self.forks: list[tuple[Submission, ForkError]] = []
        # Those that wait for a chain to be read, and for which.
        self.later: list[tuple[Submission, list[Loan]]] = []

    def admit_ahead(self, submissions: Sequence[Submission]) -> None:
        """Admit, before the turn, what goes on with chains as memory holds them.

        Whose chain is known to have moved on far elsewhere is put off: no turn is needed for that.
        """
        size = self._begun_at
        now = self._split(submissions)
        self.admitted += [
            one for one in now if one.old <= size and self._is_new(one) and self._fits(one)
        ]

    def admit_rest(self, submissions: Sequence[Submission], size: int) -> None:
        """Admit all that are not admitted yet, in the turn, to a log of this size."""
        self._go_on(size)
        ahead = set(map(id, self.admitted))
        now = self._split([one for one in submissions if id(one) not in ahead])
        known = self._records.positions(
            [
                candidate.digest
                for one in now
                for candidate in one.candidates
                if not self._admission.is_new(candidate)
            ]
        )
        self.admitted += [one for one in now if self._admit(one, known, size)]

    @property
    def _begun_at(self) -> int:
        """The size of the log on top of which the tick admits."""
        return self.tick.next_place - len(self.tick.entries)

    def _go_on(self, size: int) -> None:
        """Move to where others brought the log, or begin anew where what they said may matter."""
        before = self._begun_at
        tick = self._admission.go_on(self.tick, size)
        if tick is not self.tick:
            self.tick, self.admitted = tick, []
        elif size != before:
            for one in self.admitted:
                one.indices = tuple(index + size - before for index in one.indices)

    def _is_new(self, one: Submission) -> bool:
        return all(map(self._admission.is_new, one.candidates))

    def _fits(self, one: Submission) -> bool:
        try:
            self._take(one, {})
        except Exception:  # noqa: BLE001 - in the turn it is asked again, and told why
            return False
        return True

    def _split(self, submissions: Sequence[Submission]) -> list[Submission]:
        """Give those whose turn it is, not those that go on with chains others moved on far."""
        # Who comes back came before all others: who goes on with the same chain stands behind.
        inline = sorted(submissions, key=lambda one: not one.loans)
        for one in inline:
            self._admission.take_back(one.loans)
        now: list[Submission] = []
        lends = self._admission.lends
        for one in inline:
            asks = lends and not one.loans
            loans = self._admission.lend(spoken_of(one.candidates)) if asks else []
            if loans:
                self.later.append((one, loans))
            else:
                now.append(one)
        return now

    def _admit(self, one: Submission, known: Mapping[Digest, int], size: int) -> bool:
        try:
            if one.old > size:
                raise RefusedError(  # noqa: TRY301 - one place refuses a submission
                    Reason.MALFORMED, f"old is {one.old}, the log has {size} leaves"
                )
            self._take(one, known)
        except ForkError as fork:
            self.forks.append((one, fork))
            return False
        except RefusedError as refusal:
            fail(one, refusal)
            return False
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - one submission's mistake is not the others'
            _logger.error("admission failed: %s", type(error).__name__)  # noqa: TRY400
            fail(one, RefusedError(Reason.INTERNAL, "the server made a mistake"))
            return False
        return True

    def _take(self, one: Submission, known: Mapping[Digest, int]) -> None:
        first = self.tick.next_place
        one.indices = self.tick.admit(one.candidates, known)
        told = dict(zip(one.indices, one.candidates, strict=True))
        one.new = [candidate for place, candidate in told.items() if place >= first]
