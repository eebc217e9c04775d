"""A submission while it is being admitted: reads through to the tick, writes only to itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import PublicKey
from workseal_protocol.records import Offer, read_record
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.anchors import AnchorBook
from workseal_verifier.services.beacon import Beacon
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.casefold import Grounds
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.columns import key_row
from workseal_verifier.services.engagement import Engagement
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.keyevents import KeyEvents
from workseal_verifier.services.keyfold import KeyEvent
from workseal_verifier.services.noticing import notices_of
from workseal_verifier.services.work import PendingWork, Span, WorkBook
from workseal_verifier.store.logrows import BeaconRow, CaseRow, Entry, KeyRow, PartyRow
from workseal_verifier.store.notices import Notice
from workseal_verifier.store.records import RecordStore

# A key may stand in the terms of thousands of engagements, and whoever says something about it has
# it looked for in so many: all others wait meanwhile.
MAX_NAMED = 64


@dataclass(frozen=True, slots=True)
class House:
    """What the rules compare with: who this log is, what it offers, what it has stored."""

    identity: Identity
    policy_text: str
    may_offer: Callable[[PublicKey], bool]
    # Whose key is taken before any terms name it.
    may_come: Callable[[PublicKey], bool]
    beacon: Beacon
    clock: Clock
    records: RecordStore
    work: WorkBook
    anchors: AnchorBook

    def grounds(self, terms: Terms, events: KeyEvents) -> Grounds:
        """Return what a case under these terms is folded by."""
        return Grounds(terms, partial(self.beacon.is_committed, terms.round_ms), events.path)


@dataclass(slots=True)
class Draft:
    """What a submission would add."""

    house: House
    lookup: Callable[[bytes], Engagement | None]
    # Looks in memory alone.
    known: Callable[[bytes], Engagement | None]
    # Finds what the tick has admitted before.
    waiting_entry: Callable[[Digest], Entry | None]
    waiting_entries: Sequence[Entry]
    # Finds a case of an engagement as the tick has it, and lists what the tick has begun.
    lookup_case: Callable[[Digest, Engagement], Case | None]
    waiting_cases: Callable[[], Mapping[Digest, Case]]
    waiting: PendingWork
    waiting_parties: tuple[PartyRow, ...]
    waiting_beacons: tuple[BeaconRow, ...]
    events: KeyEvents
    states: dict[bytes, Engagement] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    beacons: list[BeaconRow] = field(default_factory=list)
    parties: list[PartyRow] = field(default_factory=list)
    keys: list[KeyRow] = field(default_factory=list)
    cases: dict[Digest, Case] = field(default_factory=dict)
    case_rows: list[CaseRow] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    spans: PendingWork = field(default_factory=PendingWork)
    # Whose time is free from when on, but for what this submission claims in the same engagement.
    _free: tuple[Digest, bytes, int] | None = None
    # By the bytes of digests.
    places: dict[bytes, int] = field(default_factory=dict)

    def find(self, identifier: bytes) -> Engagement | None:
        """Return an engagement as it stands after everything admitted so far."""
        state = self.states.get(identifier) or self.lookup(identifier)
        return None if state is None else state.refreshed(self.events)

    def get(self, identifier: bytes) -> Engagement:
        """Return an engagement, or refuse whoever is not one of its parties."""
        state = self.find(identifier)
        if state is None:
            raise unknown_party()
        return state

    def may_speak(self, identifier: bytes, issuer: Digest) -> bool:
        """Tell strangers from parties before an engagement is read that memory does not hold."""
        if identifier in self.states or self.known(identifier) is not None:
            return True
        own = self.events.lineage(issuer)
        return self.house.records.parties.is_in(identifier, own)

    def may_be_fresh(self, thumbprint: Digest) -> bool:
        """Tell whether a key may be known that intake did not find: this log's, or a tick's own."""
        if self.events.came(thumbprint) is not None:
            return True
        if thumbprint == self.house.identity.operator.public_key.thumbprint:
            return True
        return any(one.thumbprint == thumbprint for one in self._fresh_parties)

    def put(self, state: Engagement) -> None:
        """Keep the next state of an engagement."""
        self.states[state.identifier] = state

    def case(self, filing: Digest, state: Engagement) -> Case | None:
        """Return a case of an engagement as it stands after everything admitted so far."""
        case = self.cases.get(filing) or self.lookup_case(filing, state)
        return case if case is not None and case.filing.engagement == state.identifier else None

    def fresh_case(self, filing: Digest) -> Case | None:
        """Return a case as the tick or this submission moved it; None where the store has it."""
        return self.cases.get(filing) or self.waiting_cases().get(filing)

    def cases_in(self, state: Engagement) -> Iterator[Digest]:
        """Name every case of an engagement."""
        stored = self.house.records.cases.of_engagement(state.identifier, below=MAX_INTEGER)
        fresh = (*self.waiting_cases().values(), *self.cases.values())
        own = (one.case for one in fresh if one.filing.engagement == state.identifier)
        yield from dict.fromkeys([*(row.filing for row in stored), *own])

    def put_case(self, case: Case, row: CaseRow) -> None:
        """Keep the next state of a case, and who is to be told of it."""
        self.cases[case.case] = case
        self.case_rows.append(row)
        self.notices += notices_of(case, row, self.house.clock.now_ms())

    def grounds(self, state: Engagement) -> Grounds:
        """Return what a case of an engagement is folded by."""
        return self.house.grounds(state.terms, self.events)

    def engagements_of(self, thumbprints: frozenset[Digest]) -> list[bytes]:
        """List engagements whose terms name one of these keys, at most `MAX_NAMED`."""
        stored = self.house.records.parties.engagements_of(thumbprints, most=MAX_NAMED)
        fresh = [one.engagement for one in self._fresh_parties if one.thumbprint in thumbprints]
        return list(dict.fromkeys([*stored, *fresh]))[:MAX_NAMED]

    def names_both(self, some: frozenset[Digest], others: frozenset[Digest]) -> bool:
        """Tell whether the terms of an engagement name one of some keys and one of the others."""
        if self.house.records.parties.shared_by(some, others, most=1):
            return True
        fresh = [
            {one.engagement for one in self._fresh_parties if one.thumbprint in keys}
            for keys in (some, others)
        ]
        return not fresh[0].isdisjoint(fresh[1])

    def logged(self, digest: Digest) -> Entry | None:
        """Return what is logged under a digest, or will be before this submission's next."""
        own = next((one for one in self.entries if one.digest == digest), None)
        return own or self.waiting_entry(digest) or self.house.records.by_digest(digest)

    def has_about(self, kind: Kind, about: bytes | None, engagement: bytes) -> bool:
        """Tell whether a statement of a kind is logged, or will be, that answers this already."""
        wanted = (kind.value, about, engagement)
        fresh = (*self.waiting_entries, *self.entries)
        if any((one.kind, one.about, one.engagement) == wanted for one in fresh):
            return True
        return about is not None and bool(self.house.records.about(about, kind.value, engagement))

    def makers_of(self, candidate: Candidate, about: Digest) -> set[Digest]:
        """Return who made statements of a candidate's kind and engagement that answer this."""
        kind = candidate.statement.kind.value
        engagement = getattr(candidate.record, "engagement", b"")
        wanted = (kind, about.raw, engagement)
        fresh = (*self.waiting_entries, *self.entries)
        found = [one for one in fresh if (one.kind, one.about, one.engagement) == wanted]
        found += self.house.records.about(about.raw, kind, engagement)
        return {Statement.parse(one.body).issuer for one in found}

    def history_in(self, identifier: bytes) -> KeyHistory:
        """Return what became of the keys of an engagement; its chain is not looked at."""
        state = self.states.get(identifier) or self.known(identifier)
        if state is not None:
            return state.refreshed(self.events).keys
        entry = self.house.records.first_of(identifier)
        record = None if entry is None else read_record(Statement.parse(entry.body))
        if not isinstance(record, Offer):
            raise unknown_party()
        return self.events.history(record.terms)

    @property
    def _fresh_parties(self) -> tuple[PartyRow, ...]:
        return (*self.waiting_parties, *self.parties)

    def claim(self, span: Span) -> None:
        """Claim time as worked, or refuse when the same person worked elsewhere then."""
        if not self._is_free(span):
            self._require_free(span)
        self.spans.add(span)

    def _is_free(self, span: Span) -> bool:
        """Tell whether the claim before this one has answered for it too."""
        if self._free is None:
            return False
        worker, engagement, since = self._free
        return span.worker == worker and span.engagement == engagement and span.begin_ms >= since

    def _require_free(self, span: Span) -> None:
        workers = self.events.lineage(span.worker)
        claimed = (self.waiting, self.spans, self.house.work)
        since = max([one.ended_elsewhere(workers, span.engagement) for one in claimed])
        if span.begin_ms < since and any(one.meets(workers, span) for one in claimed):
            # The same words whoever the other client is: the text must tell nothing about them.
            raise RefusedError(Reason.OVERLAP, "other work is recorded for this time")
        self._free = (span.worker, span.engagement, since)

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        if entry.position > MAX_INTEGER:
            raise RefusedError(Reason.FULL, "the log is full")
        self.entries.append(entry)
        self.places[entry.digest.raw] = entry.position

    def add_event(self, event: KeyEvent) -> None:
        """Append a key statement."""
        self.keys.append(key_row(event.record, event.position))
        self.events = self.events.with_event(event)
        # Perhaps two keys are one person's now.
        self._free = None


def unknown_party() -> RefusedError:
    """Make the one refusal for strangers: it does not tell whether the engagement exists."""
    return RefusedError(Reason.UNKNOWN_PARTY, "the signer is not a party who may say this here")
