"""Decide whether a statement may stand next in the log.

Rules: everything decided here can be recomputed by whoever holds the log; what the protocol's own
folds decide (chain, keys, lottery) is never decided a second way. A refusal's text tells a sender
about their own statement and never about anybody else's.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.records import Segment
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.casefold import CASE_KINDS, stored_case
from workseal_verifier.services.chainreading import follow_chain, read_chain
from workseal_verifier.services.draft import House
from workseal_verifier.services.engagement import Engagement
from workseal_verifier.services.held import Held
from workseal_verifier.services.keyevents import KEY_STATEMENTS, KeyBook, KeyEvents
from workseal_verifier.services.loan import Loan
from workseal_verifier.services.readahead import ReadAhead
from workseal_verifier.services.tick import Tick
from workseal_verifier.store.records import Touched

# What is not held is read again when it is needed: with too few places, for each statement anew.
# Each takes about 10 KB, and this much for each statement of its chain.
_CACHED_ENGAGEMENTS = 4_096
_STATEMENT_BYTES = 90
# More than this that other processes logged, and it is cheaper to begin again.
_MOST_FOREIGN = 65_536
# Each takes some 100 KB at most: a case has 400 statements.
_CACHED_CASES = 256
# More than this that others logged of one chain takes too long to read while the log is held. It
# moves on elsewhere when its sender's connection leads to another worker.
FAR = 256


@dataclass(frozen=True, slots=True)
class _Behind:
    """From where on other processes logged more of an engagement, and how much."""

    since: int
    count: int


class Admission:
    """The state of every engagement, in a bounded cache over the store.

    All but `is_held` and `prepare` is for the one thread that sequences.
    """

    def __init__(self, house: House, *, memory_bytes: int) -> None:
        self.house = house
        self._keys = KeyBook(house.records)
        self.events: KeyEvents | None = None
        # Up to where memory holds what the log holds.
        self._size = 0
        self._states = Held(
            most=_CACHED_ENGAGEMENTS, most_statements=memory_bytes // _STATEMENT_BYTES
        )
        # Of whom other processes logged more than the cached state holds.
        self._behind: dict[bytes, _Behind] = {}
        self._lent: dict[bytes, Loan] = {}
        self._prepared = ReadAhead()
        self._cases: OrderedDict[Digest, Case] = OrderedDict()

    def is_held(self, identifier: bytes) -> bool:
        """Tell whether memory holds an engagement; in whatever thread."""
        return (
            identifier in self._states or identifier in self._lent or self._prepared.has(identifier)
        )

    def prepare(self, identifier: bytes, issuer: Digest) -> None:
        """Fold an engagement, in whatever thread, for a party who speaks in it.

        A long chain takes its time: nobody but its own sender is to wait for that.
        """
        events, size = self.events, self._size
        if events is None or self.is_held(identifier):
            return
        if self.house.records.parties.is_in(identifier, events.lineage(issuer)):
            records = self.house.records
            self._prepared.keep(
                identifier, size, lambda: read_chain(records, identifier, events, below=size)
            )

    @property
    def lends(self) -> bool:
        """Tell whether there is anything to lend."""
        return bool(self._lent) or any(one.count > FAR for one in self._behind.values())

    def lend(self, identifiers: Iterable[bytes]) -> list[Loan]:
        """Lend out those of which others logged so much that it is to be read elsewhere.

        Who is lent already is given to whoever asks: each is read once.
        """
        loans = []
        for one in identifiers:
            behind = self._behind.get(one)
            if behind is not None and behind.count > FAR:
                self._lend(one, behind.since)
            if one in self._lent:
                loans.append(self._lent[one])
        return loans

    def _lend(self, identifier: bytes, since: int) -> None:
        state, events = self._states.take(identifier), self.events
        if state is not None and events is not None:
            del self._behind[identifier]
            self._lent[identifier] = Loan(
                state,
                since,
                self._size,
                lambda state, since, below: self._follow(state, events, since, below),
            )

    def take_back(self, loans: Iterable[Loan]) -> None:
        """Take back what was lent, unless it is known anew by now or everything was forgotten."""
        for loan in loans:
            identifier = loan.state.identifier
            if self._lent.get(identifier) is loan:
                missing = self._behind.get(identifier)
                self._keep(identifier, loan.state)
                if missing is not None or not loan.is_read:
                    self._behind[identifier] = _Behind(loan.reach, 0)

    def forget(self) -> None:
        """Drop every cached state: the store is asked again."""
        self.events = None
        self._states.clear()
        self._behind.clear()
        self._lent.clear()
        self._cases.clear()
        self._prepared.clear()
        self.house.work.forget()

    def is_new(self, candidate: Candidate) -> bool:
        """Tell whether memory knows that a statement is not logged: its chain has not come so far.

        Without an answer from the store for each, of which nearly every one is new.
        """
        record = candidate.record
        if not isinstance(record, Segment) or record.engagement in self._behind:
            return False
        state = self._states.get(record.engagement)
        chain = None if state is None else state.chain
        return chain is not None and record.seq >= chain.next_seq

    def begin(self, size: int) -> Tick:
        """Begin to admit statements that will stand from position `size` on."""
        self._reach(size)
        self._states.begin()
        return self._tick()

    def go_on(self, tick: Tick, size: int) -> Tick:
        """Move a tick to where others brought the log meanwhile.

        Returns another one, empty, where something of what they logged may matter to it.
        """
        before = self.events
        touched = self._reach(size)
        if touched is None or self.events is not before or tick.may_mind(touched):
            return self._tick()
        tick.move_to(size)
        return tick

    def _tick(self) -> Tick:
        if self.events is None:
            raise ValueError("nothing was begun")
        return Tick(self, self._size, self.events)

    def _reach(self, size: int) -> list[Touched] | None:
        """Take over what is logged below a size; None where memory had to begin anew."""
        if self.events is None or size - self._size > _MOST_FOREIGN:
            self.forget()
            self.events = self._keys.below(size)
            self.house.beacon.refresh()
            self._size = size
            return None
        if self._size == size:
            return []
        touched = self.house.records.touched(self._size, size)
        self.events = self._catch_up(self.events, size, touched)
        self._size = size
        return touched

    def _catch_up(self, events: KeyEvents, size: int, touched: Iterable[Touched]) -> KeyEvents:
        """Take over what other processes logged since; of engagements, only what is asked for."""
        kinds = set()
        for one in touched:
            kinds.add(one.kind)
            if one.engagement is None:
                continue
            if one.kind in CASE_KINDS:
                self._drop_cases(one.engagement)
            if one.engagement in self._states or one.engagement in self._lent:
                before = self._behind.get(one.engagement, _Behind(self._size, 0))
                self._behind[one.engagement] = _Behind(before.since, before.count + one.count)
            if one.worker is not None and one.end_ms is not None:
                self.house.work.ended(Digest(one.worker), one.engagement, one.end_ms)
        return self._keys.below(size) if kinds & KEY_STATEMENTS else events

    def settle(self, tick: Tick) -> None:
        """Take over what a tick admitted, now that it is durable."""
        self._size += len(tick.entries)
        if tick.keys:
            # What memory held of them meanwhile is stored now.
            self.events = self._keys.below(self._size)
        for identifier, state in tick.states.items():
            self._keep(identifier, state)
        for filing, case in tick.cases.items():
            self._keep_case(filing, case)
        self.house.work.settle(tick.spans)

    def case(self, filing: Digest, state: Engagement, events: KeyEvents) -> Case | None:
        """Return the committed state of a case of an engagement; None when there is none."""
        case = self._cases.get(filing)
        if case is None:
            case = stored_case(
                self.house.records,
                filing,
                self.house.grounds(state.terms, events),
                engagement=state.identifier,
                below=2**63 - 1,
            )
        if case is not None:
            self._keep_case(filing, case)
        return case

    def _keep_case(self, filing: Digest, case: Case) -> None:
        self._cases[filing] = case
        self._cases.move_to_end(filing)
        if len(self._cases) > _CACHED_CASES:
            self._cases.popitem(last=False)

    def _drop_cases(self, engagement: bytes) -> None:
        for filing in [
            one for one, case in self._cases.items() if case.filing.engagement == engagement
        ]:
            del self._cases[filing]

    def state(self, identifier: bytes, events: KeyEvents) -> Engagement | None:
        """Return the committed state of an engagement; None when it has no offer."""
        state = self._states.get(identifier)
        if state is None:
            state = self._load(identifier, events)
        elif identifier in self._behind:
            state = self._follow(state, events, self._behind[identifier].since)
        if state is not None:
            self._keep(identifier, state)
        return state

    def held(self, identifier: bytes) -> Engagement | None:
        """Return a state that memory holds, perhaps behind what other processes logged since."""
        return self._states.get(identifier)

    def _follow(
        self, state: Engagement, events: KeyEvents, since: int, below: int = 2**63 - 1
    ) -> Engagement:
        return follow_chain(self.house.records, state, events, since=since, below=below)

    def _keep(self, identifier: bytes, state: Engagement) -> None:
        for one in (identifier, *self._states.keep(identifier, state)):
            self._behind.pop(one, None)
        # What is known by another way: a loan would bring back how it stood before.
        self._lent.pop(identifier, None)

    def _load(self, identifier: bytes, events: KeyEvents) -> Engagement | None:
        prepared = self._prepared.take(identifier)
        if prepared is not None:
            state, size = prepared
            return self._follow(state, events, size)
        return read_chain(self.house.records, identifier, events)
