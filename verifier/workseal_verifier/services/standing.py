"""What a key is here: whose key, in which engagement, in what state; and a party's keys for both.

Rules: the signed terms and the key statements of the published log decide, nothing else. A key that
was rotated away or revoked is nobody's, at once. One that came by rotation reads only after a
waiting time, in which the other party can see it coming: until then a thief's key opens nothing.
The protocol has no clock, so statements by the new key count at once (docs/adr/0021).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.keyhistory import KEY_KINDS
from workseal_protocol.keys import PublicKey, Role
from workseal_protocol.partykeys import Moment, PartyKey
from workseal_protocol.records import (
    DisputeFinding,
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    read_record,
)
from workseal_protocol.statement import Kind, Statement
from workseal_verifier.services.access import About, Standing, State, Who
from workseal_verifier.services.casebook import CaseBook
from workseal_verifier.services.casefold import filing_of
from workseal_verifier.services.publishedengagement import (
    TELLING,
    PublishedEngagement,
    party_keys,
    told,
)
from workseal_verifier.store.invitations import InvitationStore
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import CaseRow, Entry, Tie
from workseal_verifier.store.parties import Mark
from workseal_verifier.store.records import RecordStore

# A place behind everything that is logged: what has ended by now has ended there.
_NOW = MAX_INTEGER
_CACHED = 1_024
# An engagement that nobody has: a real one is drawn at random.
_NOWHERE = bytes(16)
# A key may stand in thousands of engagements: where none is named, so many of them are looked at.
MOST_CASES = 64
_KEYS = frozenset(kind.value for kind in KEY_KINDS)


@dataclass(frozen=True, slots=True)
class Listed:
    """Hold engagements of a key and what it is there, and after what more of them come, if any."""

    engagements: tuple[tuple[bytes, Standing], ...] = ()
    following: Mark | None = None


# Who sits in the case of a row.
_Sitting = Callable[[CaseRow], Digest | None]


class Standings:
    """Answer from the published log; `size` tells how far it reaches."""

    def __init__(
        self,
        *,
        log: LogStore,
        records: RecordStore,
        access: InvitationStore,
        cases: CaseBook,
        operator: PublicKey,
        size: Callable[[], int],
    ) -> None:
        self._log = log
        self._records = records
        self._access = access
        self._keys = cases.keys
        self._tried = cases
        self._operator = operator
        self._size = size
        self._lock = threading.Lock()
        self._cases: OrderedDict[bytes, PublishedEngagement] = OrderedDict()

    def key(self, thumbprint: Digest) -> PublicKey | None:
        """Return the key of this name if anybody here has or had it."""
        if thumbprint == self._operator.thumbprint:
            return self._operator
        # All three are asked: it takes about as long whoever has the key, and if nobody has it.
        named = self._records.parties.key(thumbprint)
        entry = self._records.rotation_to(thumbprint)
        invited = self._access.invited(thumbprint)
        if named is not None:
            return PublicKey.of_raw(named)
        if entry is not None and entry.position < self._size():
            record = read_record(Statement.parse(entry.body))
            return record.public_key if isinstance(record, KeyRotate) else None
        return next((row.key for row in invited), None)

    def anywhere(self, thumbprint: Digest) -> Standing:
        """Say what a key is where nothing is named: a party of anything, or invited."""
        if self._is_operator(thumbprint):
            return Standing(Who.OPERATOR)
        engagements = self._engagements_of(thumbprint)
        waiting = Standing()
        # In no case in particular: who sits where is not looked up.
        for _, found in filter(None, (self._known_in(one, thumbprint) for one in engagements)):
            if not found.from_ms:
                return found
            waiting = found
        if not engagements and not self._has_ended(thumbprint):
            invited = [Who.of(row.role) for row in self._access.invited(thumbprint)]
            return Standing(invited[0] if invited else Who.PUBLIC)
        return waiting

    def of(self, thumbprint: Digest, about: About, name: bytes) -> list[Standing]:
        """Say what a key is to the engagement, request or statement of this name.

        A key statement concerns several engagements: what one of them allows is allowed.
        """
        match about:
            case About.NOTHING:
                return [self.anywhere(thumbprint)]
            case About.ENGAGEMENT:
                return [self._in(name, thumbprint)]
            case About.REQUEST:
                return [self._of_request(thumbprint, Digest(name))]
            case About.STATEMENT:
                return self._of_statement(thumbprint, Digest(name))
            case About.CASE:
                return [self._in_case(thumbprint, Digest(name), self._tried.seated)]
            case About.SAID:
                # That the key of a case is destroyed is said when it is sealed.
                return [self._in_case(thumbprint, Digest(name), self._tried.sat)]

    def engagements(
        self, thumbprint: Digest, *, ties: Sequence[Tie] = tuple(Tie), after: Mark | None = None
    ) -> Listed:
        """List the engagements of a key and what it is there, `MOST_CASES` on a page.

        Those that it signed come first, what strangers offer it last, of each the newest first.
        """
        if self._has_ended(thumbprint):
            return Listed()
        page = self._records.parties.tied(
            self._lineage(thumbprint), most=MOST_CASES, ties=ties, after=after
        )
        return Listed(self._standing_in(page.engagements, thumbprint), page.following)

    def between(self, thumbprint: Digest, client: Digest, freelancer: Digest) -> Listed:
        """List what two persons have signed with each other and a key knows of, a page of it."""
        if self._has_ended(thumbprint):
            return Listed()
        both = map(self._lineage, (client, freelancer))
        page = self._records.parties.between(*both, most=MOST_CASES)
        return Listed(self._standing_in(page.engagements, thumbprint), page.following)

    def _standing_in(
        self, engagements: Iterable[bytes], thumbprint: Digest
    ) -> tuple[tuple[bytes, Standing], ...]:
        found = ((one, self._in(one, thumbprint)) for one in engagements)
        return tuple((one, there) for one, there in found if there.who is not Who.PUBLIC)

    def keys_of(self, engagement: bytes) -> tuple[PartyKey, ...]:
        """List every key that a party had or has, by role and in the order of the log."""
        case = self._case(engagement)
        return () if case is None else case.keys

    def _is_operator(self, thumbprint: Digest) -> bool:
        """Tell whether a key is the operator's by now: another host may have rotated it."""
        history = self._keys.below(self._size()).history_of({Role.OPERATOR: (self._operator,)})
        return bool(history.roles_of(thumbprint, _NOW))

    def _of_request(self, thumbprint: Digest, name: Digest) -> Standing:
        entry = self._entry(name)
        is_request = entry is not None and entry.kind == Kind.DISPUTE_REQUEST.value
        engagement = entry.engagement if entry is not None and is_request else None
        # What is no request is looked for in no engagement: the public entries name all statements,
        # and how long an answer takes must not tell which of them are requests.
        found = self._in(engagement or _NOWHERE, thumbprint)
        if entry is None or found.who is not Who.ARBITRATOR:
            return found
        request = Statement.parse(entry.body)
        if request.issuer not in self._lineage(thumbprint):
            # Another arbitrator of the panel: this request is not theirs.
            return replace(found, state=State.ACCEPTED)
        filing = filing_of(request, read_record(request))
        # What was asked for in a case is for who sits there, whatever else they asked for.
        return found if filing is None else self._in_case(thumbprint, filing, self._tried.seated)

    def _of_statement(self, thumbprint: Digest, name: Digest) -> list[Standing]:
        found = [self._in(one, thumbprint) for one in self._told_in(thumbprint, name)]
        if not any(one.closed for one in found):
            return found
        case = self._case_of(name)
        return [replace(one, state=State.ACCEPTED) if case in one.closed else one for one in found]

    def _case_of(self, name: Digest) -> Digest | None:
        """Name the case that a statement is of, also if it stands beside and is about one of it."""
        entry = self._entry(name)
        if entry is None:
            return None
        statement = Statement.parse(entry.body)
        record = read_record(statement)
        filing = filing_of(statement, record)
        if filing is None and isinstance(record, DisputeFinding):
            return self._case_of(record.disclosure)
        return filing

    def _in_case(self, thumbprint: Digest, filing: Digest, sitting: _Sitting) -> Standing:
        row = self._records.cases.last(filing, below=self._size())
        # As with requests: what is no filing is looked for as one is.
        found = self._in(_NOWHERE if row is None else row.engagement, thumbprint)
        if row is None or found.who is not Who.ARBITRATOR:
            return found
        sits = sitting(row) in self._lineage(thumbprint)
        # Another one of the panel sits in this case, or nobody any more.
        return replace(found, state=State.DISPUTED if sits else State.ACCEPTED)

    def _told_in(self, thumbprint: Digest, name: Digest) -> Sequence[bytes]:
        """List the engagements that a statement is about, of a key statement the asker's alone."""
        entry = self._entry(name)
        if entry is None:
            return []
        if entry.engagement is not None:
            return [entry.engagement]
        if entry.kind not in _KEYS:
            # The operator's own: whoever is party of anything.
            return self._engagements_of(thumbprint)
        record = read_record(Statement.parse(entry.body))
        relying: Sequence[bytes] = ()
        match record:
            case KeyAnnounce():
                concerned = {record.public_key.thumbprint}
                relying = self._relying_on(record.public_key.thumbprint, thumbprint)
            case KeyRotate():
                concerned = {record.old}
            case KeyRevoke():
                concerned = {record.key}
            case _:
                concerned = set()
        own = self._lineage(thumbprint)
        about = frozenset().union(*map(self._lineage, concerned))
        return [*self._records.parties.shared_by(own, about, most=MOST_CASES), *relying]

    def _relying_on(self, recovery: Digest, thumbprint: Digest) -> Sequence[bytes]:
        """List the asker's engagements whose parties named a recovery key, however many did."""
        own, below = self._lineage(thumbprint), self._size()
        rows = self._records.keys
        return rows.relying_on(recovery, own, below=below, most=MOST_CASES)

    def _in(self, engagement: bytes, thumbprint: Digest) -> Standing:
        known = self._known_in(engagement, thumbprint)
        if known is None:
            return Standing()
        case, found = known
        own = self._lineage(thumbprint)
        if found.who is Who.ARBITRATOR:
            # For nobody else: whoever sits, its parties read.
            case = self._with_seats(engagement, case)
            found = replace(found, closed=case.seats.closed_to(own))
        return replace(found, state=case.state(found.who, own))

    def _known_in(
        self, engagement: bytes, thumbprint: Digest
    ) -> tuple[PublishedEngagement, Standing] | None:
        """Return an engagement and what a key is there, but for its state; None for a stranger."""
        # First, so that for who is no party it takes as long as for what does not exist.
        if not self._records.parties.is_in(engagement, self._lineage(thumbprint)):
            return None
        case = self._case(engagement)
        if case is None:
            return None
        roles = case.history.roles_of(thumbprint, _NOW)
        if not roles:
            return None
        own = next(one for one in case.keys if one.key.thumbprint == thumbprint)
        return case, Standing(Who.of(next(iter(roles))), from_ms=own.reads_from_ms)

    def _case(self, engagement: bytes) -> PublishedEngagement | None:
        """Return what is known of an engagement, brought up to the published log."""
        size = self._size()
        with self._lock:
            case = self._cases.get(engagement)
        if case is None or case.seen < size:
            since = 0 if case is None else case.seen
            entries = self._records.of_engagement_and_kinds(
                engagement, TELLING, since=since, below=size
            )
            case = told(case, entries, size)
        if case is not None:
            case = self._followed(case)
            self._remember(engagement, case)
        return case

    def _remember(self, engagement: bytes, case: PublishedEngagement) -> None:
        with self._lock:
            self._cases[engagement] = case
            self._cases.move_to_end(engagement)
            if len(self._cases) > _CACHED:
                self._cases.popitem(last=False)

    def _followed(self, case: PublishedEngagement) -> PublishedEngagement:
        """Fold the key statements that were logged since."""
        events = self._keys.below(self._size())
        if case.version == events.version:
            return case
        return replace(
            case,
            version=events.version,
            history=events.history(case.terms),
            keys=party_keys(case.terms, events.concerning(case.terms), self._moment),
        )

    def _with_seats(self, engagement: bytes, case: PublishedEngagement) -> PublishedEngagement:
        """Look who sits, if a case has moved since."""
        if case.moved == case.seated_at:
            return case
        rows = self._records.cases.of_engagement(engagement, below=case.seen)
        case = replace(case, seats=self._tried.seats(rows), seated_at=case.moved)
        self._remember(engagement, case)
        return case

    def _entry(self, digest: Digest) -> Entry | None:
        entry = self._records.by_digest(digest)
        return None if entry is None or entry.position >= self._size() else entry

    def _engagements_of(self, thumbprint: Digest) -> list[bytes]:
        """List engagements of a key, at most `MOST_CASES`; none when it has ended for all."""
        if self._has_ended(thumbprint):
            return []
        own = self._lineage(thumbprint)
        return self._records.parties.engagements_of(own, most=MOST_CASES)

    def _has_ended(self, thumbprint: Digest) -> bool:
        return self._keys.below(self._size()).has_ended(thumbprint)

    def _lineage(self, thumbprint: Digest) -> frozenset[Digest]:
        return self._keys.below(self._size()).lineage(thumbprint)

    def _moment(self, index: int) -> Moment:
        return Moment(index, (self._log.signed_after(index) or 0) * 1000)
