"""What a case knows: all that the next statement is checked against, and what follows from it.

A value. What changes it stands in `moves`; here are the questions that a page asks of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from workseal_protocol.digest import Digest
from workseal_protocol.dispute.deadlines import DAY_MS
from workseal_protocol.dispute.ladder import Ask, reached_by
from workseal_protocol.dispute.panel import panel_round
from workseal_protocol.dispute.parties import Parties
from workseal_protocol.dispute.sampling import REVEAL_MS, draw_places, sample_round, sample_seed
from workseal_protocol.dispute.table import CLOCKS, CLOSED, State, Who
from workseal_protocol.dispute.values import (
    EXTENSION_DAYS,
    LEAST_ANSWER_DAYS,
    LIMIT_DAYS,
    MOST_ANSWER_DAYS,
    SEAL_DAYS,
    Deadline,
    Paused,
    Released,
    Sample,
)
from workseal_protocol.keys import Role
from workseal_protocol.records import CaseCalendar, DisputeFiling
from workseal_protocol.terms import Terms

_BOTH = frozenset({Role.CLIENT, Role.FREELANCER})
_ROLES: Mapping[Who, frozenset[Role]] = {
    Who.PARTY: _BOTH,
    Who.CLIENT: frozenset({Role.CLIENT}),
    Who.FREELANCER: frozenset({Role.FREELANCER}),
    Who.ARBITRATOR: frozenset({Role.ARBITRATOR}),
    Who.THREE: _BOTH | {Role.ARBITRATOR},
    Who.OPERATOR: frozenset({Role.OPERATOR}),
    Who.ANYONE: frozenset(Role),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold everything that the next statement of a case is checked against."""

    filing: DisputeFiling
    terms: Terms
    parties: Parties
    released: Released = field(compare=False, repr=False)
    case: Digest
    head: Digest
    state: State
    since: int  # when this state began
    filer: Role
    filed_at: int
    known_at: int  # of the last statement
    due: Deadline | None = None
    statements: Mapping[Digest, Role] = field(default_factory=dict)
    late: frozenset[Digest] = frozenset()
    calendars: Mapping[Role, tuple[CaseCalendar, int]] = field(default_factory=dict)
    effective_at: int | None = None
    answered: bool = False
    extended: bool = False
    arbitrator: Digest | None = None
    declared: bool = False
    declared_at: int = 0  # of the last declaration
    declared_late: bool = False  # whether that opened one more working day
    sealing_key: bytes | None = None  # of the case, as the one who sits declared it
    gone: frozenset[Digest] = frozenset()
    redrawn: int = 0  # how often no value came that could draw
    drawing: bool = False  # whether a round was ever set that draws somebody
    struck: frozenset[Role] = frozenset()
    done: frozenset[Role] = frozenset()
    # The open ones: the newest of each party since the last draft.
    offers: Mapping[Digest, Role] = field(default_factory=dict)
    offered: tuple[Role, ...] = ()
    exhibits: tuple[Role, ...] = ()
    climbed: tuple[Ask, ...] = ()  # the requests that were answered, refused or not, or met silence
    asked: int = 0
    ask: Ask | None = None
    sample: Sample | None = None
    request: Digest | None = None
    approved: bool = False
    shown: tuple[Digest, ...] = ()
    # Of each disclosure, who may still say what their check of it found.
    unexamined: Mapping[Digest, frozenset[Role]] = field(default_factory=dict)
    findings: Mapping[Digest, Digest] = field(default_factory=dict)  # of which disclosure each is
    clawed_back: frozenset[Digest] = frozenset()
    # What who sits could not open, as they said.
    unreadable: frozenset[Digest] = frozenset()
    checked: int = 0  # how often anybody who sat said what a check found, or that it could not be
    redrafted: bool = False
    answered_ask: bool = False
    answer: Digest | None = None  # the `show` that answered the request at hand
    shown_again: bool = False  # whether that is the second one
    decision: Digest | None = None
    appealed: bool = False
    reminded: bool = False  # whoever sits: once
    paused: Paused | None = None
    stays: int = 0
    stayed_days: int = 0
    halted_at: int | None = None
    stopped_ms: int = 0
    outages: int = 0
    down_until: int = 0  # the end of the last outage
    closed_at: int | None = None
    destroyed: frozenset[Role] = frozenset()  # who said that what they held is destroyed
    withdrawn: bool = False

    # --- what a page asks ---

    @property
    def respondent(self) -> Role:
        """Return the party that did not file."""
        return Role.FREELANCER if self.filer is Role.CLIENT else Role.CLIENT

    @property
    def open(self) -> bool:
        """Say whether the case still waits for somebody to decide or agree."""
        return self.closed_at is None

    @property
    def bars_filer(self) -> bool:
        """Say that whoever filed this case files no other over its hours (docs/spec/cases.md).

        From when the round is set: its value is out before anybody writes down whom it draws.
        """
        return self.withdrawn and self.drawing

    @property
    def panel(self) -> tuple[Digest, ...]:
        """Return the persons who can still be drawn, in the order of the terms."""
        return tuple(
            key.thumbprint for key in self.terms.arbitrators if key.thumbprint not in self.gone
        )

    @property
    def limit(self) -> int | None:
        """Return by when there should be a decision; None before notice took effect.

        It bounds further requests, and ends nothing.
        """
        if self.effective_at is None:
            return None
        return self.effective_at + LIMIT_DAYS * DAY_MS + self.stopped_ms

    @property
    def destroyed_from(self) -> int | None:
        """Return from when on what was shown is destroyed; None while the case is open."""
        if self.closed_at is None:
            return None
        return self.closed_at + max(self.terms.retention_days, SEAL_DAYS) * DAY_MS

    @property
    def keeps_silent(self) -> bool:
        """Say whether a case ended without the word of who sat that its key is destroyed."""
        never = self.arbitrator is not None and Role.ARBITRATOR not in self.destroyed
        return never and self.state is State.PURGED

    @property
    def reached(self) -> int:
        """Return the highest level that was reached, in whichever hours; 0 before any."""
        return reached_by(self.climbed)

    @property
    def shows_again(self) -> bool:
        """Say whether openings may be shown once more: those that were shown are of no use."""
        useless = self.answer in self.clawed_back or self.answer in self.unreadable
        return self.answer is not None and useless and not self.shown_again

    @property
    def answer_days(self) -> int:
        """Return the working days for an answer: those of the terms, neither few nor many."""
        return min(max(self.terms.answer_days, LEAST_ANSWER_DAYS), MOST_ANSWER_DAYS)

    @property
    def extension_days(self) -> int:
        """Return the working days that an extension gives; 0 where the terms leave none."""
        return min(EXTENSION_DAYS, MOST_ANSWER_DAYS - self.answer_days)

    @property
    def second_days(self) -> int:
        """Return the working days of a second notice; 0 where the answer had them all."""
        taken = self.answer_days + (self.extension_days if self.extended else 0)
        return min(CLOCKS[State.SECOND].days, MOST_ANSWER_DAYS - taken)

    @property
    def panel_round(self) -> int:
        """Return the round whose value draws the arbitrator."""
        return panel_round(self.since, self.terms.round_ms)

    @property
    def round_set_at(self) -> int:
        """Return since when the round is set that the next value draws by.

        A ruling sets that of a sample. Whatever commits to the value must be older.
        """
        if self.state is State.DRAW or self.sample is None or not self.sample.ruled_at:
            return self.since
        return self.sample.ruled_at

    @property
    def reveal_until(self) -> int | None:
        """Return until when secrets are taken; None while there is no ruling on a sample."""
        if self.sample is None or not self.sample.ruled_at:
            return None
        return self.sample.ruled_at + REVEAL_MS

    @property
    def sample_round(self) -> int | None:
        """Return the round whose value draws the sample; None while there is no ruling on one."""
        if self.sample is None or not self.sample.ruled_at:
            return None
        return sample_round(self.sample.ruled_at, self.terms.round_ms)

    @property
    def drawn(self) -> tuple[int, ...] | None:
        """Return the drawn places of the frozen frames; None before the draw."""
        if self.sample is None or self.sample.seed is None:
            return None
        return draw_places(self.sample.seed, self.sample.freeze.strata, self.sample.size)

    def roles_of(self, who: Who) -> frozenset[Role]:
        """Return the roles that a word of the table means in this case."""
        if who is Who.FILER:
            return frozenset({self.filer})
        if who is Who.RESPONDENT:
            return frozenset({self.respondent})
        return _ROLES[who]

    def seed_of(self, number: int, value: bytes) -> bytes:
        """Return the seed that a value of the beacon gives with the secrets that are out."""
        if self.sample is None:
            raise ValueError("nothing is frozen")
        return sample_seed(
            case=self.case,
            freeze=self.sample.freeze,
            number=number,
            value=value,
            secrets=self.sample.secrets,
        )

    def entered(self, state: State, known_at: int) -> Self:
        """Stand in a state from now on, with nothing done in it yet."""
        binds = self.roles_of(CLOCKS[state].binds) if state in CLOCKS else frozenset()
        moved = replace(self, state=state, since=known_at, done=frozenset(), due=None)
        if state is State.DRAW:
            return replace(moved, drawing=True)
        if state in CLOSED:
            until = known_at + SEAL_DAYS * DAY_MS
            return replace(moved, due=Deadline(until, binds), closed_at=known_at)
        if state is State.SEALED:
            until = known_at if moved.destroyed_from is None else moved.destroyed_from
            return replace(moved, due=Deadline(until, self.roles_of(Who.OPERATOR)))
        return moved

    @property
    def waited_since(self) -> int:
        """Return since when whoever is waited for is: parties of a seating from the declaration."""
        return max(self.since, self.declared_at) if self.state is State.SEATING else self.since

    @property
    def waiting_for(self) -> frozenset[Role]:
        """Return who is bound by the deadline and has not acted yet."""
        if self.due is None:
            return frozenset()
        if self.state is State.SEATING and not self.declared:
            # The parties may strike now, and accept nobody before the declaration.
            return self.roles_of(Who.ARBITRATOR)
        return self.due.binds - self.done
