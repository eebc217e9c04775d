"""The cases of one engagement as the freelancer's ledger has them: read, replayed, kept and sent.

Rules: nothing that the verifier says of a case is believed but its statements. What is signed is in
the ledger before it is sent; what the verifier refuses for good is parked, and may be signed anew.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from workseal_agent.connection import RefusedError, UnreachableError, VerifierClient
from workseal_agent.disclose import OWN_IN_CASE, require_next
from workseal_agent.errors import AgentError
from workseal_agent.knowncases import row_of
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger, SendState, StoredStatement, short_name
from workseal_agent.listing import listed
from workseal_agent.refusal import kept_refusal
from workseal_agent.submission import Log, submit
from workseal_protocol.cli.acting import (
    CaseFolder,
    Known,
    Live,
    dated_at,
    learn,
    read_live,
    told_in,
)
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.keys import PublicKey
from workseal_protocol.records import DisputeFiling, read_record
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms

# The same bytes will be refused again; every other refusal may pass.
_FINAL = frozenset({400, 403, 409, 413, 422})


class CaseSource:
    """Ask the verifier about cases, as the shared code of the parties does."""

    def __init__(self, client: VerifierClient, engagement: Engagement) -> None:
        self._client = client
        self._engagement = engagement

    def told(self, case: Digest) -> tuple[Digest, str]:
        """Return head and state as the verifier says them."""
        return told_in(self._client.case(case))

    def statements(self, case: Digest) -> bytes:
        """Return the statements of a case."""
        return self._client.case_statements(case)

    def listing(self, engagement: bytes, since: int) -> Iterator[tuple[int, bytes]]:
        """Give (index, statement) of this engagement; of another one nothing is known here."""
        if engagement != self._engagement.id:
            raise AgentError(
                phrase(
                    "the case belongs to another engagement: name it with --engagement {name}",
                    name=short_name(engagement),
                )
            )
        return listed(self._client, self._engagement, since=since)

    def value(self, terms: Terms, number: int) -> bytes:
        """Return a value of the beacon."""
        return self._client.beacon_value(terms.round_ms, number)


@dataclass(frozen=True, slots=True)
class KeptCases:
    """Hold what acting in the cases of one engagement needs."""

    ledger: Ledger
    client: VerifierClient
    engagement: Engagement
    folder: CaseFolder
    key: PublicKey

    @property
    def source(self) -> CaseSource:
        """Return what is asked about cases."""
        return CaseSource(self.client, self.engagement)

    def known(self, engagement: bytes) -> Known:
        """Learn what is new of an engagement, and keep it; its terms must be those agreed here."""
        before = self.folder.known(engagement)
        known = learn(self.source, engagement, before)
        if known.terms != self.engagement.terms:
            raise AgentError("the verifier shows other terms than those that were agreed here")
        if known != before:
            self.folder.keep_known(engagement, known)
        return known

    def live(self, case: Digest) -> Live:
        """Read and replay a case, and keep what was seen of it: its hours hold frames from now on.

        Of own statements that were refused it tells which have a successor there now.
        """
        before = self.folder.told(case)
        own = self.key.thumbprint
        live = read_live(self.source, case, self.known, own=own, before=before)
        if live.data != before:
            self.folder.keep_told(case, live.data)
        self._note_hours(live.case)
        self._note_replaced(live.case)
        return live

    def _note_hours(self, case: Case) -> None:
        # That a deadline has lapsed is the operator's word: it does not count ahead of its time.
        ended = not case.open and case.known_at <= self.client.now_ms()
        row = row_of(case.case, case.filing, ended=ended)
        if row not in self.ledger.cases(self.engagement.id):
            with self.ledger.write() as writing:
                writing.note_case(self.engagement.id, row)

    def _note_replaced(self, case: Case) -> None:
        told = tuple(case.statements)
        replaced = []
        for stored in self._own(SendState.PARKED):
            successor = in_its_place(read_record(Statement.parse(stored.body)), case, told)
            if successor is not None:
                replaced.append((stored.digest, successor))
        if replaced:
            with self.ledger.write() as writing:
                for digest, successor in replaced:
                    writing.replace(digest, successor)

    def now_ms(self, least: int = 0) -> int:
        """Return the time; where this machine's is wrong, the verifier's."""
        return dated_at(self.client.now_ms(), self.client.operator().time_ms, least)

    # --- what is signed and kept ---

    def waiting(self, case: Digest) -> tuple[StoredStatement, ...]:
        """Return own statements of a case that are signed, and neither logged nor refused."""
        unanswered = self._own(SendState.UNSENT, SendState.HELD)
        return tuple(stored for stored in unanswered if _case_of(stored) == case)

    def _own(self, *states: SendState) -> Iterator[StoredStatement]:
        for kind in (Kind.DISPUTE_FILING, *OWN_IN_CASE):
            for stored in self.ledger.of_kind(self.engagement.id, kind):
                if stored.state in states:
                    yield stored

    def told(self, name: Digest) -> None:
        """Let go of what its owner was told to be in the case, or was refused."""
        self.folder.answered(str(name))

    def keep_act(self, name: Digest, statement: Statement) -> None:
        """Store an act before it is sent, as `keep`, until `told`."""
        self.keep(statement)
        self.folder.keep_unanswered(str(name), statement)

    def keep(self, statement: Statement) -> None:
        """Store a statement before it is sent; `AgentError` while another one may be logged."""
        with self.ledger.write() as writing:
            require_next(self.ledger, self.engagement.id, statement)
            writing.add_statement(self.engagement.id, statement)

    def send(self, statement: Statement) -> bool:
        """Have a kept statement logged; False when it was refused for good, and parked.

        Raises `UnreachableError` when there was no answer: it stays, and is sent again.
        """
        log, now_ms = Log.of(self.engagement), self.client.now_ms()
        try:
            submit(self.ledger, self.client, log, [statement.encode()], now_ms=now_ms)
        except RefusedError as refused:
            self.park(statement.digest, refused)
            return False
        return True

    def problem_of(self, digest: Digest) -> str:
        """Say why a statement was refused."""
        stored = self.ledger.statement(digest)
        return "" if stored is None else stored.problem or ""

    def park(self, digest: Digest, refused: RefusedError) -> None:
        """Park what was refused for good; `UnreachableError` for a refusal that may pass."""
        if refused.status not in _FINAL:
            raise UnreachableError(str(refused)) from refused
        with self.ledger.write() as writing:
            writing.park(digest, kept_refusal(refused.name, refused.detail))


def _case_of(stored: StoredStatement) -> Digest | None:
    record = read_record(Statement.parse(stored.body))
    if isinstance(record, DisputeFiling):
        return stored.digest
    place = getattr(record, "place", None)
    return None if place is None else place.case


def in_its_place(record: object, case: Case, told: Sequence[Digest]) -> Digest | None:
    """Return what stands in a case where a statement of it was to stand; None if nothing does."""
    if isinstance(record, DisputeFiling):
        # A filing has no place: what says the same was filed in its stead.
        same = replace(record, claimed_at=case.filing.claimed_at) == case.filing
        return case.case if same else None
    place = getattr(record, "place", None)
    if place is None or place.case != case.case or place.prev not in told:
        return None
    after = told.index(place.prev) + 1
    return told[after] if after < len(told) else None


def filings_waiting(ledger: Ledger, engagement: bytes) -> Sequence[StoredStatement]:
    """Return filings that are signed, and neither logged nor refused."""
    return [
        one
        for one in ledger.of_kind(engagement, Kind.DISPUTE_FILING)
        if one.state is SendState.UNSENT
    ]
