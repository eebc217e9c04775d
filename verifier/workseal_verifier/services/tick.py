"""What one tick of the sequencer has admitted so far, on top of what is committed.

Rules: a submission is admitted whole or leaves nothing. Before its turn a tick may move to another
place in the log, unless what others logged meanwhile may change what it admitted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_verifier.errors import RefusedError
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.draft import Draft, House
from workseal_verifier.services.engagement import Engagement
from workseal_verifier.services.keyevents import KeyEvents
from workseal_verifier.services.milestones import is_due, rows_since
from workseal_verifier.services.rules import admit_one
from workseal_verifier.services.work import PendingWork
from workseal_verifier.store.logrows import Change, Head
from workseal_verifier.store.records import Touched

if TYPE_CHECKING:
    from workseal_verifier.store.logrows import BeaconRow, CaseRow, Entry, KeyRow, PartyRow
    from workseal_verifier.store.milestonerows import MilestoneRow
    from workseal_verifier.store.notices import Notice


class Committed(Protocol):
    """What is committed, as a tick asks for it."""

    house: House

    def state(self, identifier: bytes, events: KeyEvents) -> Engagement | None:
        """Return the committed state of an engagement; None when it has no offer."""

    def held(self, identifier: bytes) -> Engagement | None:
        """Return a state that memory holds, perhaps behind what other processes logged since."""

    def case(self, filing: Digest, state: Engagement, events: KeyEvents) -> Case | None:
        """Return the committed state of a case of an engagement; None when there is none."""


class Tick:
    """What one sequencing tick has admitted so far, on top of the committed state."""

    def __init__(self, committed: Committed, size: int, events: KeyEvents) -> None:
        self._committed = committed
        self._size = size
        self.events = events
        self.states: dict[bytes, Engagement] = {}
        self.entries: list[Entry] = []
        self.beacons: list[BeaconRow] = []
        self.parties: list[PartyRow] = []
        self.keys: list[KeyRow] = []
        self.cases: dict[Digest, Case] = {}
        self.case_rows: list[CaseRow] = []
        self.notices: list[Notice] = []
        self.milestones: list[MilestoneRow] = []
        self.spans = PendingWork()
        # By the bytes of digests, whose hash is known: they are looked up for each statement.
        self._places: dict[bytes, int] = {}

    def may_mind(self, touched: Iterable[Touched]) -> bool:
        """Tell whether something logged by others may change what was admitted here.

        That is more of the same engagements, or work of the same persons in any other.
        """
        workers = {one.raw for worker in self.spans.spans for one in self.events.lineage(worker)}
        return any(one.engagement in self.states or one.worker in workers for one in touched)

    def move_to(self, size: int) -> None:
        """Let what was admitted stand from another position on: segments, and nothing else."""
        by = size - self._size
        if by:
            self.entries = [entry.moved(by) for entry in self.entries]
            self._places = {name: place + by for name, place in self._places.items()}
            self._size = size

    @property
    def next_place(self) -> int:
        """The place of whatever is admitted next."""
        return self._size + len(self.entries)

    def admit(
        self, candidates: Sequence[Candidate], known: Mapping[Digest, int]
    ) -> tuple[int, ...]:
        """Admit a whole submission and return each statement's index, or raise `RefusedError`.

        On a refusal nothing of the submission stays.
        """
        draft = Draft(
            house=self._committed.house,
            lookup=self._find,
            known=self._known,
            waiting_entry=self._entry,
            waiting_entries=self.entries,
            lookup_case=self._case,
            waiting_cases=lambda: self.cases,
            waiting=self.spans,
            waiting_parties=tuple(self.parties),
            waiting_beacons=tuple(self.beacons),
            events=self.events,
        )
        indices: list[int] = []
        for number, candidate in enumerate(candidates):
            name = candidate.digest.raw
            place = self._places.get(name, draft.places.get(name))
            if place is None and known:
                place = known.get(candidate.digest)
            if place is None:
                place = self.next_place + len(draft.entries)
                try:
                    admit_one(draft, candidate, place)
                except RefusedError as refusal:
                    refusal.item = number
                    raise
            indices.append(place)
        self._take(draft)
        return tuple(indices)

    def change(self, old: Head, new: Head, tiles: Mapping[tuple[int, int], bytes]) -> Change:
        """Make what is written of a tick that moves the log from one head to another."""
        return Change(
            old=old,
            new=new,
            entries=self.entries,
            tiles=tiles,
            beacons=self.beacons,
            parties=self.parties,
            keys=self.keys,
            cases=self.case_rows,
            notices=self.notices,
            milestones=self.milestones,
        )

    def mark(self) -> None:
        """Write down how those chains stand that have come far since that was done."""
        for identifier, state in self.states.items():
            chain = state.chain
            if chain is None or not is_due(chain, state.marked):
                continue
            place = self._places.get(chain.head.raw)
            if place is not None:
                rows = rows_since(chain, state.marked, place)
                self.milestones += rows
                self.states[identifier] = replace(state, marked=rows[-1].reach)

    def _find(self, identifier: bytes) -> Engagement | None:
        return self.states.get(identifier) or self._committed.state(identifier, self.events)

    def _known(self, identifier: bytes) -> Engagement | None:
        return self.states.get(identifier) or self._committed.held(identifier)

    def _case(self, filing: Digest, state: Engagement) -> Case | None:
        return self.cases.get(filing) or self._committed.case(filing, state, self.events)

    def _entry(self, digest: Digest) -> "Entry | None":
        place = self._places.get(digest.raw)
        return None if place is None else self.entries[place - self._size]

    def _take(self, draft: Draft) -> None:
        self.events = draft.events
        self.states.update(draft.states)
        self.entries += draft.entries
        self.beacons += draft.beacons
        self.parties += draft.parties
        self.keys += draft.keys
        self.cases.update(draft.cases)
        self.case_rows += draft.case_rows
        self.notices += draft.notices
        self.spans.add_all(draft.spans)
        self._places.update(draft.places)
