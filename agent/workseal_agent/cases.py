"""The freelancer inside a case: what was signed is settled, and frames are shown in it.

Rules: one statement of a case has at most one own successor that can still be logged: what was
signed and not answered is sent again, the same bytes, before anything new is signed. No more of a
frame is signed for than the ladder has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workseal_agent.connection import RefusedError
from workseal_agent.disclose import (
    Answer,
    FrameReader,
    Opened,
    Portion,
    Request,
    SecretKeeper,
    answer,
    deliver,
    deliver_sealed_only,
    kept_answer,
    read_disclosure,
    read_request,
    require_portions,
    send,
    send_sealed_only,
)
from workseal_agent.errors import AgentError
from workseal_agent.keptcases import KeptCases
from workseal_agent.language import phrase
from workseal_agent.ledger import SendState, StoredStatement
from workseal_protocol.cli.acting import Live
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import verify_disclosure
from workseal_protocol.dispute import Case
from workseal_protocol.dispute.table import DISCLOSED
from workseal_protocol.keys import Signer
from workseal_protocol.records import DisputeDisclosure, Finding, read_record
from workseal_protocol.statement import Kind, Statement


@dataclass(frozen=True, slots=True)
class OwnCases(KeptCases):
    """Settle what was signed, and answer requests for frames."""

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

    # --- frames ---

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

    def require_portions(
        self, request: Request, opened: Sequence[Opened], reader: FrameReader
    ) -> None:
        """Refuse to show more than the ladder has, by the request's case as it was last read."""
        portion = Portion.of(self.folder, request)
        require_portions(portion, opened, reader, self.ledger, self.engagement.id)

    def sign(
        self,
        request: Request,
        opened: Sequence[Opened],
        signer: Signer,
        reader: FrameReader,
        *,
        wall_ms: Callable[[], int],
    ) -> Answer:
        """Sign what shows these tiles, or return what was signed before that shows exactly them.

        Raises `AgentError` where the case takes no answer, or the ladder has fewer tiles.
        """
        case = self.disclosable(request)
        self.require_portions(request, opened, reader)
        kept = self.kept(request, opened)
        if kept is not None:
            return kept
        now_ms = wall_ms() if case is None else self.now_ms(case.known_at)
        return answer(request, opened, signer, now_ms=now_ms, case=case)

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
                self.park(answer.statement.digest, refused)
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
                self.park(answer.statement.digest, refused)
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
            self.park(stored.digest, refused)
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
        return Answer(
            read_request(asked.body, self.ledger, self.engagement), statement, tuple(opened)
        )
