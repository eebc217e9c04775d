"""Check a disclosure against what was committed, in memory, and say what was found.

Rules: the tiles live in the request's memory until the answer is sent, and nowhere else: not in the
database, not in a file, not in a log line. What stays is the freelancer's statement and the
finding, which hold digests and counts. One disclosure is checked at a time: it may take 64 MiB.
More tiles than the ladder has for the level of the request are refused before anything is logged.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from workseal_protocol.chain import owed_instant
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure, told_tiles, verify_disclosure
from workseal_protocol.dispute import excess_of, levels_of
from workseal_protocol.encoding import MAX_INTEGER, read_item
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Role
from workseal_protocol.lottery import round_start
from workseal_protocol.receipt import SubmissionAnswer
from workseal_protocol.records import (
    CasePlace,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    Finding,
    KeyRotate,
    Offer,
    Outcome,
    Segment,
    read_record,
    sign,
)
from workseal_protocol.sealing import parse_package
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.candidate import Candidate, Intake
from workseal_verifier.services.casefold import filing_of
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.draft import unknown_party
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.keyrules import MAX_SUCCESSION
from workseal_verifier.services.sequencer import Sequencer
from workseal_verifier.store.logrows import Entry
from workseal_verifier.store.records import RecordStore

# A submission that was not answered in this time is in doubt: the sender asks again.
ANSWER_TIMEOUT_S = 60
# So often a case may move on while a finding is signed.
_FOLLOWED = 4
_TAG_18 = b"\xd2"

_Record = TypeVar("_Record", DisputeRequest, Segment)


@dataclass(frozen=True, slots=True)
class Checked:
    """The signed finding, and the answer for [disclosure statement, finding]."""

    finding: Statement
    answer: SubmissionAnswer


class DisclosureDesk:
    """Take disclosures, one at a time."""

    def __init__(
        self,
        *,
        intake: Intake,
        sequencer: Sequencer,
        records: RecordStore,
        identity: Identity,
        clock: Clock,
    ) -> None:
        self._intake = intake
        self._sequencer = sequencer
        self._records = records
        self._identity = identity
        self._clock = clock
        self._busy = threading.Lock()

    def check(self, body: bytes) -> Checked:
        """Check and log one package: a statement, then the disclosures that it names, in order."""
        if not self._busy.acquire(blocking=False):
            raise RefusedError(Reason.BUSY, "another disclosure is being checked", retry_after=5)
        try:
            return self._check(body)
        finally:
            self._busy.release()

    def require_sender(self, begun: bytes) -> Entry:
        """Look at how a package begins, and return the request that it answers.

        What no party signed, or answers nothing that was asked, is refused before the rest arrives.
        """
        try:
            _, end = read_item(begun, int(begun.startswith(_TAG_18)))
        except MalformedError as error:
            raise RefusedError(Reason.MALFORMED, str(error)) from error
        candidate = self._intake.read_items([begun[:end]])[0]
        if not isinstance(candidate.record, DisputeDisclosure):
            raise RefusedError(Reason.MALFORMED, "expected a dispute.disclosure first", item=0)
        issuer, engagement = candidate.statement.issuer, candidate.record.engagement
        if not candidate.signed or not self._speaks_as(Role.FREELANCER, issuer, engagement):
            raise unknown_party()
        asked = self._records.by_digest(candidate.record.request)
        request = Kind.DISPUTE_REQUEST.value
        if asked is None or (asked.kind, asked.engagement) != (request, engagement):
            raise RefusedError(Reason.REFUSED, "the disclosure answers no logged request")
        return asked

    def _speaks_as(self, role: Role, issuer: Digest, engagement: bytes) -> bool:
        """Tell whether a key is of this role in the engagement, or a successor of one that is."""
        key: Digest | None = issuer
        for _ in range(MAX_SUCCESSION):
            if key is None:
                return False
            if self._records.parties.is_named(engagement, key, role):
                return True
            entry = self._records.rotation_to(key)
            record = None if entry is None else read_record(Statement.parse(entry.body))
            key = record.old if isinstance(record, KeyRotate) else None
        return False

    def _check(self, body: bytes) -> Checked:
        try:
            statement, *packed = parse_package(body)
        except MalformedError as error:
            raise RefusedError(Reason.MALFORMED, str(error)) from error
        candidate = self._intake.read_items([statement])[0]
        record = candidate.record
        if not isinstance(record, DisputeDisclosure):
            raise RefusedError(Reason.MALFORMED, "expected a dispute.disclosure first", item=0)
        _require_named(record, packed)
        finding = self._earlier(candidate, record)
        if finding is None:
            self._require_few(record, packed)
            # Who may say this is decided before any work is done on the tiles.
            self._log([candidate])
            return self._log_finding(candidate, self._finding(candidate, record, packed))
        return self._log_pair(candidate, finding)

    def _require_few(self, record: DisputeDisclosure, packed: Sequence[bytes]) -> None:
        """Refuse more tiles of a frame than the level of the request has; no pixel is inflated."""
        level = self._level_of(record.request)
        for number, (named, data) in enumerate(zip(record.frames, packed, strict=True), start=1):
            try:
                shown, tiles = told_tiles(data)
            except MalformedError:
                # The finding says so of it.
                continue
            found = excess_of(record.request, named.disclosure, level, shown=shown, tiles=tiles)
            if found is not None:
                raise RefusedError(
                    Reason.REFUSED,
                    f"expected at most {found.most} of {tiles} tiles of a frame at level {level}"
                    f" of the ladder, found {shown}",
                    item=number,
                )

    def _level_of(self, request: Digest) -> int:
        """Return at which level of its case something was asked for; 0 for what is in no case."""
        entry = self._records.by_digest(request)
        asked = None if entry is None else read_record(Statement.parse(entry.body))
        if not isinstance(asked, DisputeRequest) or asked.place is None:
            return 0
        told = self._records.cases.statements(asked.place.case, below=MAX_INTEGER)
        statements = (Statement.parse(body) for _, body in told)
        return levels_of((one.digest, read_record(one)) for one in statements).get(request, 0)

    def _log_pair(self, candidate: Candidate, finding: DisputeFinding | Statement) -> Checked:
        if isinstance(finding, DisputeFinding):
            finding = sign(finding, self._identity.operator)
        return Checked(finding, self._log([candidate, self._intake.own(finding)]))

    def _log_finding(self, candidate: Candidate, finding: DisputeFinding) -> Checked:
        """Log what was found, as the next statement of the case that the disclosure is part of.

        What moved on meanwhile is followed; where the case takes no finding any more, it is logged
        beside the case: the parties read it all the same.
        """
        for _ in range(_FOLLOWED):
            place = self._place(candidate)
            if place is None:
                break
            try:
                return self._log_pair(candidate, replace(finding, place=place))
            except RefusedError as refusal:
                if refusal.reason not in {Reason.CONFLICT, Reason.REFUSED}:
                    raise
        return self._log_pair(candidate, finding)

    def _place(self, candidate: Candidate) -> CasePlace | None:
        filing = filing_of(candidate.statement, candidate.record)
        told = [] if filing is None else self._records.cases.statements(filing, below=MAX_INTEGER)
        return CasePlace(filing, Digest.of(told[-1][1])) if filing is not None and told else None

    def _log(self, candidates: Sequence[Candidate]) -> SubmissionAnswer:
        try:
            self._sequencer.prepare(candidates)
            return self._sequencer.submit(candidates).result(ANSWER_TIMEOUT_S)
        except TimeoutError:
            raise RefusedError(
                Reason.BUSY, "the log takes long to write; send again", retry_after=5
            ) from None

    def _earlier(self, candidate: Candidate, record: DisputeDisclosure) -> Statement | None:
        found = self._records.about(
            candidate.digest.raw, Kind.DISPUTE_FINDING.value, record.engagement
        )
        for statement in (Statement.parse(one.body) for one in found):
            # What an arbitrator found is no answer of this check.
            if not self._speaks_as(Role.ARBITRATOR, statement.issuer, record.engagement):
                return statement
        return None

    def _finding(
        self, candidate: Candidate, record: DisputeDisclosure, packed: Sequence[bytes]
    ) -> DisputeFinding:
        request = self._record(record.request, DisputeRequest)
        terms = self._terms(record.engagement)
        segments = {one.frame: one.segment for one in request.frames}
        findings = tuple(
            self._examine(data, named.frame, segments[named.frame], terms)
            for named, data in zip(record.frames, packed, strict=True)
        )
        return DisputeFinding(
            engagement=record.engagement,
            claimed_at=self._clock.now_ms(),
            disclosure=candidate.digest,
            findings=findings,
        )

    def _examine(self, data: bytes, frame: Digest, segment: Digest, terms: Terms) -> Finding:
        digest = Digest.of(data)
        try:
            disclosure = Disclosure.parse(data)
        except MalformedError:
            return Finding(digest, Outcome.FAILS, 0, 0)
        shown, tiles = len(disclosure.shown), disclosure.header.grid.count
        try:
            verify_disclosure(disclosure, frame)
            _require_drawn(disclosure, frame, self._record(segment, Segment), terms)
        except VerificationError:
            return Finding(digest, Outcome.FAILS, shown, tiles)
        return Finding(digest, Outcome.HOLDS, shown, tiles)

    def _record(self, digest: Digest, kind: type[_Record]) -> _Record:
        entry = self._records.by_digest(digest)
        record = None if entry is None else read_record(Statement.parse(entry.body))
        if not isinstance(record, kind):
            raise RefusedError(Reason.INTERNAL, "the log lacks what the disclosure answers")
        return record

    def _terms(self, engagement: bytes) -> Terms:
        offer = next(self._records.of_engagement(engagement, below=2**63 - 1))
        record = read_record(Statement.parse(offer.body))
        if not isinstance(record, Offer):
            raise RefusedError(Reason.INTERNAL, "the engagement does not begin with an offer")
        return record.terms


def _require_named(record: DisputeDisclosure, packed: Sequence[bytes]) -> None:
    """Require that what was sent is what the statement names, in its order."""
    if len(packed) != len(record.frames):
        raise RefusedError(
            Reason.REFUSED, f"expected {len(record.frames)} disclosures, found {len(packed)}"
        )
    for number, (named, data) in enumerate(zip(record.frames, packed, strict=True), start=1):
        if Digest.of(data) != named.disclosure:
            raise RefusedError(
                Reason.REFUSED, "the disclosure is not the one that is named", item=number
            )


def _require_drawn(disclosure: Disclosure, frame: Digest, segment: Segment, terms: Terms) -> None:
    """Require that the frame is of its place in the segment, and of the instant that was drawn."""
    header = disclosure.header
    instant = owed_instant(terms, segment.engagement, segment)
    taken = round_start(header.round, terms.round_ms) + header.offset_ms
    if frame not in segment.frames or header.display != segment.frames.index(frame):
        raise VerificationError("the frame's header names another display than its place")
    if header.round != segment.round or header.tile != terms.tile or taken != instant:
        raise VerificationError("the frame's header is not that of the capture that was drawn")
