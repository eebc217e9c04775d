"""The clerk: what the operator does in a case because time has passed, and nothing else.

Rules (docs/adr/0067): it notes that a notice was delivered, that a deadline has passed, that the
service was down, which person or sample a released value draws, and that what was sealed is gone.
It decides nothing: each of these is the one act that everybody computes. A lapse waits until this
log was up for a while after the deadline, so that nobody misses it because they found no door. What
is signed is kept before it is sent, under the head that it follows: two workers send one statement.
A turn looks at what is due (`wakes`), not at what exists.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import CLOSED, Case, CaseError, State
from workseal_protocol.dispute.deadlines import DAY_MS
from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.records import Act, CasePlace, DisputeAct, sign
from workseal_protocol.statement import Kind, Statement
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.beacon import Beacon
from workseal_verifier.services.casebook import CaseBook
from workseal_verifier.services.casedays import count
from workseal_verifier.services.casefold import knowing
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.duties import Duties, Found
from workseal_verifier.services.health import CASES, Health
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.mailbox import Packages
from workseal_verifier.services.noticing import About, notice, notices_of, people
from workseal_verifier.services.outage import Outage
from workseal_verifier.services.reminding import reminders
from workseal_verifier.services.wakes import SAFETY_MS, Wakes
from workseal_verifier.store.logrows import CaseRow
from workseal_verifier.store.notices import NoticeStore
from workseal_verifier.store.presence import OwnActStore, PresenceStore
from workseal_verifier.store.records import RecordStore

# Silence of more than this is an outage, if a short one.
GAP_MS: Final = 300_000
# What was signed and not taken for so long is signed anew: the log takes none that old.
_STALE_MS: Final = 180_000
_OVER: Final = frozenset(state.value for state in CLOSED | {State.SEALED})
# Acts of one case in one turn.
_MOST_ACTS: Final = 8


@dataclass(frozen=True, slots=True)
class Files:
    """Hold what the clerk reads and writes."""

    records: RecordStore
    cases: CaseBook
    notices: NoticeStore
    presence: PresenceStore
    acts: OwnActStore
    packages: Packages


@dataclass(frozen=True, slots=True)
class Orders:
    """Say whether the key acts by itself, and how long after a deadline it lets one lapse.

    `log` sequences a statement of the operator.
    """

    acts: bool
    grace_ms: int
    log: Callable[[Statement], None]


class Clerk:
    """Look after running cases."""

    def __init__(
        self,
        files: Files,
        orders: Orders,
        *,
        identity: Identity,
        beacon: Beacon,
        clock: Clock,
        health: Health,
    ) -> None:
        self._files = files
        self._orders = orders
        self._identity = identity
        self._duties = Duties(
            Found(files.notices, files.presence, beacon),
            identity.operator.public_key.thumbprint,
            grace_ms=orders.grace_ms,
            clock=clock,
        )
        self._clock = clock
        self._health = health
        self._log = orders.log
        self._wakes = Wakes(files.records, files.notices, files.presence)
        self._uncounted = Outage("deadlines of cases are counted again")
        # At which statement a case refused the operator's own act.
        self._refused: dict[Digest, int] = {}

    def beat(self) -> None:
        """Note that this log is up."""
        self._files.presence.beat(self._clock.now_ms(), gap_ms=GAP_MS)

    def run(self) -> None:
        """Remind, and act where it is time, in every running case."""
        now, refused = self._clock.now_ms(), dict[Digest, int]()
        for row in self._wakes.due(now):
            try:
                self._wakes.note(row, self._look_after(row), now)
            except CaseError as error:
                # It moved on meanwhile, and the next turn reads it anew; or it stands still.
                refused[row.filing] = row.position
                if self._refused.get(row.filing) == row.position:
                    told = f"an act of this server's is refused by its case again: {error.rule}"
                    self._uncounted.goes_on(error, told)
                    self._health.stuck(CASES)
            except RefusedError as refusal:
                if refusal.reason is not Reason.UNKNOWN_PARTY:
                    raise
                # The log does not hear the operator in this case: the others go on.
                told = "an act of this server's is refused: its key does not speak in that case"
                self._uncounted.goes_on(refusal, told)
                self._wakes.note(row, now + SAFETY_MS, now)
            except ValueError as error:
                self._uncounted.goes_on(error, f"a deadline of a case cannot be counted: {error}")
                self._health.stuck(CASES)
        self._refused = refused
        self._files.acts.clear(self._clock.now_ms() - DAY_MS)

    def _look_after(self, row: CaseRow) -> int:
        """Remind, and act where it is time; return when the case has to be looked at again."""
        now = self._clock.now_ms()
        if row.state in _OVER and row.until_ms is not None and row.until_ms >= now:
            # What is closed waits for months, and for its end alone.
            return row.until_ms + 1
        case = self._case(row)
        if case is None:
            return now + SAFETY_MS
        self._tell(case, row)
        if self._orders.acts:
            for _ in range(_MOST_ACTS):
                fields = self._duties.next(case)
                if fields is None:
                    break
                newest = self._newest(row) if self._act(case, fields) else None
                if newest is None or newest.head == case.head:
                    return now
                case = newest
        return self._wake(case, now)

    def _newest(self, row: CaseRow) -> Case | None:
        newest = self._files.cases.last(row.filing, below=MAX_INTEGER)
        return None if newest is None else self._case(newest)

    def _wake(self, case: Case, now: int) -> int:
        """Return when something of a case is due next; now, for what is due and was not done."""
        to_come = [at for role in people(case) for at in reminders(case, role).values() if at > now]
        if not self._orders.acts or case.due is None:
            return min(to_come, default=now + SAFETY_MS)
        until, operator = case.due.until, self._identity.operator.public_key.thumbprint
        to_come += [max(now, until + self._orders.grace_ms)]
        to_come += [until + 1] if now <= until else []
        allowed = case.allowed(operator, max(now, case.known_at))
        rounds = {"draw": case.panel_round, "sample": case.sample_round or 0}
        to_come += [
            max(now, number * case.terms.round_ms)
            for move, number in rounds.items()
            if move in allowed
        ]
        return min(to_come)

    def _case(self, row: CaseRow) -> Case | None:
        case = self._files.cases.at(row)
        path = self._files.cases.keys.below(row.position + 1).path
        operator = self._identity.operator.public_key.thumbprint
        return None if case is None else knowing(case, operator, path)

    # --- telling -----------------------------------------------------------------------

    def _tell(self, case: Case, row: CaseRow) -> None:
        """Write what nobody wrote: the notices of a step of an earlier program, and reminders."""
        now, notices = self._clock.now_ms(), self._files.notices
        if case.state is State.SEALED:
            return
        if not notices.of_step(row.filing, row.position):
            notices.add(notices_of(case, row, now))
        opened = self._opened(row)
        told = {(one.kind, one.recipient) for one in notices.of_step(row.filing, opened.position)}
        until = now if case.due is None else case.due.until
        made = [
            notice(case, opened, about, person, now)
            for role, person in people(case).items()
            for about, at in reminders(case, role).items()
            if at <= now < (until if about is not About.REVEAL_HALF else case.reveal_until or 0)
            and (about.value, person) not in told
        ]
        # A half that comes with the eve or after it, after an outage, says nothing more.
        eves = {one.recipient for one in made if one.kind == About.EVE}
        eves |= {person for kind, person in told if kind == About.EVE.value}
        notices.add([one for one in made if one.kind == About.EVE or one.recipient not in eves])

    def _opened(self, row: CaseRow) -> CaseRow:
        """Return the step that opened the deadline that runs: one is reminded of it once."""
        found = row
        for step in reversed(self._files.records.cases.steps(row.filing, below=row.position)):
            if (step.state, step.until_ms) != (row.state, row.until_ms):
                break
            found = step
        return found

    # --- acting ------------------------------------------------------------------------

    def _act(self, case: Case, fields: dict[str, Any]) -> bool:
        """Sign what follows the head, or take what was signed; tell whether the log took it."""
        if fields["act"] is Act.DESTROY and not self._let_go(case):
            return False
        statement = self._signed(case, fields)
        if statement is None:
            return False
        try:
            self._log(statement)
        except RefusedError as refusal:
            if refusal.reason not in {Reason.CONFLICT, Reason.REFUSED}:
                raise
            # Somebody else acted first.
            return False
        if fields["act"] is Act.DESTROY:
            self._files.notices.forget(case.case)
        self._uncounted.ends()
        self._health.freed(CASES)
        return True

    def _let_go(self, case: Case) -> bool:
        """Hold nothing sealed of a case any more; false where the mailbox does not answer."""
        told = self._files.records.cases.statements(case.case, below=MAX_INTEGER)
        try:
            for statement in (Statement.parse(body) for _, body in told):
                if statement.kind is Kind.DISPUTE_REQUEST:
                    self._files.packages.drop(statement.digest)
        except RefusedError:
            return False
        return True

    def _signed(self, case: Case, fields: dict[str, Any]) -> Statement | None:
        now, acts = self._clock.now_ms(), self._files.acts
        kept = acts.kept(case.case, case.head)
        if kept is not None and now - kept[1] < _STALE_MS:
            return Statement.parse(kept[0])
        made = self._made(case, fields, now)
        if kept is None:
            return Statement.parse(acts.keep(case.case, case.head, made.encode(), now))
        # Two that sign anew at once: one of them sends it, the other comes again.
        renewed = acts.replace(case.case, case.head, kept[0], made.encode(), now)
        return made if renewed else None

    def _made(self, case: Case, fields: dict[str, Any], now: int) -> Statement:
        signer = self._identity.operator
        issuer = signer.public_key.thumbprint
        at = max(now, case.known_at)
        record = DisputeAct(
            engagement=case.filing.engagement,
            claimed_at=at,
            place=CasePlace(case.case, case.head),
            **fields,
        )
        wanted = case.wanted(record, issuer, at)
        due = None if wanted is None else count(case, wanted)
        statement = sign(replace(record, place=CasePlace(case.case, case.head, due)), signer)
        case.after(statement, at)
        return statement
