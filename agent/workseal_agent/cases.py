"""The freelancer inside a case: read and replayed here, acted in through the ledger.

Rules: nothing that the verifier says of a case is believed but its statements. What is signed is in
the ledger before it is sent, and one statement of a case has at most one own successor that can
still be logged: what was signed and not answered is sent again, the same bytes, before anything new
is signed. What the verifier refuses for good is parked, and may be signed anew.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from workseal_agent.connection import RefusedError, UnreachableError, VerifierClient
from workseal_agent.disclose import (
    OWN_IN_CASE,
    Answer,
    FrameReader,
    Opened,
    Request,
    SecretKeeper,
    deliver,
    deliver_sealed_only,
    kept_answer,
    read_disclosure,
    read_request,
    require_next,
    send,
    send_sealed_only,
)
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger, SendState, StoredStatement
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
from workseal_protocol.disclosure import verify_disclosure
from workseal_protocol.dispute import Case
from workseal_protocol.dispute.table import DISCLOSED
from workseal_protocol.keys import PublicKey
from workseal_protocol.records import DisputeDisclosure, DisputeFiling, Finding, read_record
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
            raise AgentError("the case belongs to another engagement: name it with --engagement")
        return listed(self._client, self._engagement, since=since)

    def value(self, terms: Terms, number: int) -> bytes:
        """Return a value of the beacon."""
        return self._client.beacon_value(terms.round_ms, number)


@dataclass(frozen=True, slots=True)
class OwnCases:
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
        """Read and replay a case, and keep what was seen of it.

        Of own statements that were refused it tells which have a successor there now.
        """
        before = self.folder.told(case)
        own = self.key.thumbprint
        live = read_live(self.source, case, self.known, own=own, before=before)
        if live.data != before:
            self.folder.keep_told(case, live.data)
        self._note_replaced(live.case)
        return live

    def _note_replaced(self, case: Case) -> None:
        told = tuple(case.statements)
        replaced = []
        for stored in self._own(SendState.PARKED):
            successor = _in_its_place(read_record(Statement.parse(stored.body)), case, told)
            if successor is not None:
                replaced.append((stored.digest, successor))
        if replaced:
            with self.ledger.write() as writing:
                for digest, successor in replaced:
                    writing.replace(digest, successor)

    def now_ms(self, least: int = 0) -> int:
        """Return the time; where this machine's is wrong, the verifier's."""
        return dated_at(self.client.now_ms(), self.client.operator().time_ms, least)

    # --- what was signed before ---

    def waiting(self, case: Digest) -> tuple[StoredStatement, ...]:
        """Return own statements of a case that are signed, and neither logged nor refused."""
        unanswered = self._own(SendState.UNSENT, SendState.HELD)
        return tuple(stored for stored in unanswered if _case_of(stored) == case)

    def _own(self, *states: SendState) -> Iterator[StoredStatement]:
        for kind in (Kind.DISPUTE_FILING, *OWN_IN_CASE):
            for stored in self.ledger.of_kind(self.engagement.id, kind):
                if stored.state in states:
                    yield stored

    def settle(
        self, case: Digest, reader: FrameReader | None = None, *, sealed_only: bool = False
    ) -> tuple[Digest, ...]:
        """Send again what waits; returns what is logged now. What is refused for good is parked.

        A disclosure needs the vault's `reader` for its tiles; `AgentError` without one. One that
        was kept sealed only stays so; with `sealed_only` every one goes so.
        """
        done: list[Digest] = []
        for stored in self.waiting(case):
            if stored.kind == Kind.DISPUTE_DISCLOSURE:
                if reader is None:
                    raise AgentError(
                        "a disclosure of this case is signed and not answered: the same"
                        " `workseal-agent disclose` command sends it again"
                    )
                sent = self.disclose_again(stored, reader, sealed_only=sealed_only)
            else:
                sent = self.send(Statement.parse(stored.body))
            if sent:
                done.append(stored.digest)
        return tuple(done)

    def settled(self, name: Digest) -> tuple[Live, Statement | None]:
        """Settle what was signed before; returns it where it is in the case and was not told.

        `told` lets go of it, once its owner has read so.
        """
        done = self.settle(name)
        live, before = self.live(name), self.folder.unanswered(str(name))
        # Logged by the recording's own sending, or told by nobody: whoever saw nothing types again.
        last = done[0] if done else None if before is None else before.digest
        found = None if last is None else live.statement(last)
        if found is None and before is not None:
            self.told(name)
        return live, found

    def told(self, name: Digest) -> None:
        """Let go of what its owner was told to be in the case, or was refused."""
        self.folder.answered(str(name))

    # --- what is signed now ---

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
            self._park(statement.digest, refused)
            return False
        return True

    def problem_of(self, digest: Digest) -> str:
        """Say why a statement was refused."""
        stored = self.ledger.statement(digest)
        return "" if stored is None else stored.problem or ""

    def answered_before(
        self, request: Request, reader: FrameReader, *, sealed_only: bool = False
    ) -> str | None:
        """Settle what was signed in the request's case before; the package is left once more.

        Returns where the package lies if that was the answer to this request, and the case takes
        no other one now; None otherwise.
        """
        place = request.record.place
        if place is None:
            return None
        settled = self.settle(place.case, reader, sealed_only=sealed_only)
        stored = self._logged_answer(request)
        if stored is None or (stored.digest not in settled and self._is_open(request, stored)):
            return None
        package = self.answer_of(stored, reader).package()
        return self.client.put_sealed(request.statement.digest, package)

    def _logged_answer(self, request: Request) -> StoredStatement | None:
        """Return the newest own answer to a request that is in the log."""
        for stored in reversed(self.ledger.of_kind(self.engagement.id, Kind.DISPUTE_DISCLOSURE)):
            record = read_record(Statement.parse(stored.body))
            named = record.request if isinstance(record, DisputeDisclosure) else None
            if stored.state is SendState.RECEIPTED and named == request.statement.digest:
                return stored
        return None

    def _is_open(self, request: Request, answer: StoredStatement) -> bool:
        """Tell whether an answer was taken back, or the case takes another one."""
        if answer.digest in self._taken_back(request):
            return True
        try:
            return self.disclosable(request) is not None
        except AgentError:
            return False

    def _taken_back(self, request: Request) -> frozenset[Digest]:
        place = request.record.place
        return frozenset() if place is None else self.live(place.case).case.clawed_back

    def kept(self, request: Request, opened: Sequence[Opened]) -> Answer | None:
        """Return what was signed before that shows exactly this, to be sent as it is."""
        return kept_answer(self.ledger, request, opened, but=self._taken_back(request))

    def disclosable(self, request: Request) -> Case | None:
        """Return the case in which a request may be answered now, replayed; None for no case.

        Raises `AgentError` where the case takes no answer to it.
        """
        place = request.record.place
        if place is None:
            return None
        case = self.live(place.case).case
        if case.request != request.statement.digest:
            raise AgentError("the case does not wait for an answer to this request")
        if DISCLOSED not in case.allowed(self.key.thumbprint, self.now_ms(case.known_at)):
            raise AgentError(
                phrase(
                    "the case does not take a disclosure now: it is in {state}, `workseal-agent"
                    " case show {case}` says what it takes",
                    state=case.state,
                    case=case.case,
                )
            )
        return case

    def deliver(
        self, answer: Answer, package: bytes, vault: SecretKeeper
    ) -> tuple[tuple[Finding, ...], str]:
        """Keep an answer, have it logged and checked, leave its package; as `disclose.deliver`.

        One of a case that is refused for good is parked.
        """
        now_ms = self.client.now_ms()
        try:
            return deliver(
                answer, package, self.ledger, vault, self.client, self.engagement, now_ms=now_ms
            )
        except RefusedError as refused:
            if answer.request.record.place is not None:
                self._park(answer.statement.digest, refused)
            raise

    def is_sealed_only(self, answer: Answer) -> bool:
        """Tell whether an answer was kept sealed only, and is not logged yet: it stays so."""
        stored = self.ledger.statement(answer.statement.digest)
        return stored is not None and stored.state is SendState.UNSENT

    def deliver_sealed_only(self, answer: Answer, package: bytes, vault: SecretKeeper) -> str:
        """Keep an answer, have it logged without its tiles, leave its package; as `deliver`."""
        now_ms = self.client.now_ms()
        try:
            return deliver_sealed_only(
                answer, package, self.ledger, vault, self.client, self.engagement, now_ms=now_ms
            )
        except RefusedError as refused:
            if answer.request.record.place is not None:
                self._park(answer.statement.digest, refused)
            raise

    def disclose_again(
        self, stored: StoredStatement, reader: FrameReader, *, sealed_only: bool = False
    ) -> bool:
        """Send a kept disclosure as it was to be sent, and leave its package.

        False when it was refused for good, and parked.
        """
        answer = self.answer_of(stored, reader)
        now_ms = self.client.now_ms()
        try:
            if sealed_only:
                with self.ledger.write() as writing:
                    writing.queue(stored.digest)
            if sealed_only or stored.state is SendState.UNSENT:
                send_sealed_only(answer, self.ledger, self.client, self.engagement, now_ms=now_ms)
            else:
                send(answer, self.ledger, self.client, self.engagement, now_ms=now_ms)
        except RefusedError as refused:
            self._park(stored.digest, refused)
            return False
        self.client.put_sealed(answer.request.statement.digest, answer.package())
        return True

    def answer_of(self, stored: StoredStatement, reader: FrameReader) -> Answer:
        """Make a kept answer again, of the very disclosures that were signed."""
        statement = Statement.parse(stored.body)
        record = read_record(statement)
        if not isinstance(record, DisputeDisclosure):
            raise AgentError("a statement that is stored as a disclosure is none")
        asked = self.ledger.statement(record.request)
        if asked is None:
            raise AgentError("the request that was answered is not in the ledger")
        rows = {row.commitment: row for row in self.ledger.captures(self.engagement.id)}
        opened: list[Opened] = []
        for one in record.frames:
            disclosure = read_disclosure(reader, one.disclosure)
            seen = verify_disclosure(disclosure, one.frame)
            opened.append(Opened(rows[one.frame], disclosure, seen))
        return Answer(read_request(asked.body, self.engagement), statement, tuple(opened))

    def _park(self, digest: Digest, refused: RefusedError) -> None:
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


def _in_its_place(record: object, case: Case, told: Sequence[Digest]) -> Digest | None:
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
