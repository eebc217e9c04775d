"""A whole dispute played by everybody in it: with fixed keys, plain calendars, a beacon by hash.

Rule: `Play.act` makes the statement that an honest program would make now: it asks the case which
deadline belongs there, counts it by the calendar of whoever is bound, and signs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, timedelta, tzinfo
from functools import cache
from typing import Any

from support.builders import (
    CLIENT,
    ENGAGEMENT,
    FREELANCER,
    NOW,
    OPERATOR,
    ROUND_MS,
    digest,
    make_filing,
    make_terms,
    signer,
)
from workseal_protocol.digest import Digest, sha256
from workseal_protocol.dispute import (
    Case,
    CaseError,
    CaseRecord,
    FrozenFrame,
    Span,
    WorkingDays,
    count_due,
    draw_person,
    drawn_frames,
    frames_between,
    freeze_frames,
    secret_commitment,
)
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import (
    Act,
    CaseCalendar,
    CasePlace,
    ChainedRecord,
    Delivery,
    DisclosedFrame,
    DisputeAct,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    Due,
    Finding,
    Ground,
    Holding,
    Outcome,
    Pause,
    Refusal,
    RequestedFrame,
    Ruling,
    Verdict,
    read_record,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms

# As many as terms may name; most cases have three of them.
PANEL = tuple(signer(f"arbitrator {number}") for number in range(1, 17))
ARBITRATORS = PANEL[:3]
SIGNERS = {Role.CLIENT: CLIENT, Role.FREELANCER: FREELANCER, Role.OPERATOR: OPERATOR}
BEACON_TAG = b"beacon of the tests"
HOUR, DAY = 3_600_000, 86_400_000


@cache
def frames_of(day: int) -> tuple[FrozenFrame, ...]:
    """Give 108 frames of two days, and three that were withdrawn, for a case without a chain."""
    rows = ((Holding.KEPT, day, 48), (Holding.KEPT, day + 1, 60), (Holding.WITHDRAWN, day + 1, 3))
    return tuple(
        FrozenFrame(holding, on, digest(f"segment {holding} {on}"), digest(f"{holding} {on} {n}"))
        for holding, on, count in rows
        for n in range(count)
    )


@dataclass(frozen=True)
class PlainDays:
    """Monday to Friday, but for some days."""

    name: str = "US"
    zone_name: str = "Europe/Berlin"
    zone: tzinfo = UTC
    weekend: int = 0b1100000
    source: str = "plain 1"
    off: frozenset[date] = frozenset()

    @classmethod
    def of(cls, calendar: CaseCalendar) -> "PlainDays":
        off = frozenset(date(1970, 1, 1) + timedelta(days=day) for day in calendar.days_off)
        return cls(calendar.name, calendar.zone, weekend=calendar.weekend, off=off)

    def works(self, day: date) -> bool:
        return not self.weekend >> day.weekday() & 1 and day not in self.off


CLIENT_DAYS = PlainDays("US")
FREELANCER_DAYS = PlainDays("DE-BY")


def beacon(number: int) -> bytes:
    return sha256(BEACON_TAG, number.to_bytes(8, "big"))


def released(number: int, value: bytes) -> bool:
    return value == beacon(number)


def secret_of(role: Role) -> bytes:
    return sha256(b"secret of", bytes((role,)))


def case_terms(**changes: Any) -> Terms:
    return make_terms(arbitrators=tuple(one.public_key for one in ARBITRATORS), **changes)


@dataclass
class Play:
    """Hold the case, the clock of the log and all statements."""

    case: Case
    now: int
    told: list[tuple[Statement, int]]
    tried: list[tuple[Statement, int]] = field(default_factory=list)
    # Signs what the case will refuse, too.
    stubborn: bool = False
    # What the freelancer's chain told before the case; None for a case without a record of work.
    chain: Sequence[tuple[Digest, ChainedRecord]] | None = None
    calendars: dict[Role, WorkingDays] = field(
        default_factory=lambda: {
            Role.CLIENT: CLIENT_DAYS,
            Role.FREELANCER: FREELANCER_DAYS,
            Role.ARBITRATOR: CLIENT_DAYS,
            Role.OPERATOR: CLIENT_DAYS,
        }
    )

    @classmethod
    def begin(
        cls,
        *,
        by: SeedSigner = CLIENT,
        now: int = NOW,
        terms: Terms | None = None,
        calendars: dict[Role, WorkingDays] | None = None,
        **changes: Any,
    ) -> "Play":
        days = calendars or {}
        other = Role.FREELANCER if by is CLIENT else Role.CLIENT
        plain: dict[Role, WorkingDays] = {
            Role.CLIENT: CLIENT_DAYS,
            Role.FREELANCER: FREELANCER_DAYS,
        }
        due = count_due(Span(now, 5), (plain | days)[other])
        period = {"begin": now - 7 * DAY, "end": now}
        filing = make_filing(**({"claimed_at": now, "due": due} | period | changes))
        statement = sign(filing, by)
        agreed = case_terms() if terms is None else terms
        case = Case.begin(statement, now, terms=agreed, released=released)
        play = cls(case, now, [(statement, now)], [(statement, now)])
        play.calendars |= days
        return play

    @property
    def arbitrator(self) -> SeedSigner:
        return next(one for one in PANEL if one.public_key.thumbprint == self.case.arbitrator)

    def signer_of(self, role: Role) -> SeedSigner:
        return self.arbitrator if role is Role.ARBITRATOR else SIGNERS[role]

    def act(self, role: Role, act: Act, **fields: Any) -> "Play":
        """Let a party act now."""
        due, prev = fields.pop("due", ...), fields.pop("prev", None)
        by = fields.pop("by", None) or self.signer_of(role)
        record = DisputeAct(
            engagement=ENGAGEMENT,
            claimed_at=self.now,
            place=CasePlace(self.case.case, self.case.head),
            act=act,
            **(self.content(role, act) | fields),
        )
        return self.send(record, by, due, prev)

    def send(
        self, record: CaseRecord, by: SeedSigner, due: Any = ..., prev: Digest | None = None
    ) -> "Play":
        """Write the deadline that belongs there, sign, and let the log take it."""
        thumbprint = by.public_key.thumbprint
        written = self.due_for(record, thumbprint) if due is ... else due
        place = CasePlace(self.case.case, prev or self.case.head, written)
        if isinstance(record, DisputeRequest) and written is not None:
            return self.log(sign(replace(record, place=place, answer_by=written.until), by))
        return self.log(sign(replace(record, place=place), by))

    def log(self, statement: Statement) -> "Play":
        self.tried.append((statement, self.now))
        self.case = self.case.after(statement, self.now)
        self.told.append((statement, self.now))
        return self

    def due_for(self, record: CaseRecord, thumbprint: Digest) -> Due | None:
        try:
            wanted = self.case.wanted(record, thumbprint, self.now)
        except CaseError:
            if not self.stubborn:
                raise
            return None
        if wanted is None:
            return None
        announced = {role: days for role, (days, _) in self.case.calendars.items()}
        if isinstance(record, DisputeAct) and record.calendar is not None:
            announced[self.case.parties.roles[thumbprint]] = record.calendar
        if isinstance(record, DisputeAct) and record.act in {Act.RECUSE, Act.STRIKE}:
            announced.pop(Role.ARBITRATOR, None)
        return wanted.count(
            [
                days
                for role in sorted(wanted.counted)
                for days in (
                    [PlainDays.of(announced[role])] if role in announced else self.days_of(role)
                )
            ]
        )

    def days_of(self, role: Role) -> list[WorkingDays]:
        """Give whose days count for a role: its own, or those of both parties."""
        own = self.calendars.get(role)
        both = (self.calendars[Role.CLIENT], self.calendars[Role.FREELANCER])
        return list(both) if own is None else [own]

    def content(self, role: Role, act: Act) -> dict[str, Any]:  # noqa: PLR0911
        """Give what an honest party would say."""
        case = self.case
        match act:
            case Act.DRAW:
                number = case.panel_round
                person = draw_person(case.case, number, beacon(number), case.panel)
                return {"round": number, "value": beacon(number), "person": person}
            case Act.SAMPLE:
                number = case.sample_round or 0
                return {"round": number, "value": beacon(number)}
            case Act.COMMIT:
                return {"value": secret_commitment(case.case, role, secret_of(role))}
            case Act.REVEAL:
                return {"value": secret_of(role)}
            case Act.ASK:
                return self.question(min(case.reached + 1, 4))
            case Act.OUTAGE:
                assert case.due is not None
                return {"begin": case.due.until - 6 * HOUR, "end": case.due.until - HOUR}
            case _:
                return CONTENTS.get(act, {}) | (
                    {"cites": (case.case,)} if act in {Act.DRAFT, Act.DECIDE} else {}
                )

    def question(self, level: int) -> dict[str, Any]:
        case = self.case
        frozen = case.sample is not None
        most = min(14, len(self.frames))
        size = case.sample.size if case.sample is not None and case.sample.size else most
        counts = {1: 100, 2: size, 3: size, 4: 2}
        below = [one for one in case.climbed if one.level >= level - 1 > 0]
        within = below[-1] if below else case.filing
        return {
            "level": level,
            "count": counts[level],
            "begin": within.begin,
            "end": within.end,
            "text": "was there work in these hours",
            "why": "the sums alone do not tell",
            "freeze": freeze_frames(self.frames) if level == 2 and not frozen else None,
        }

    @property
    def frames(self) -> tuple[FrozenFrame, ...]:
        """Give the frames of the hours of the case, in their canonical order."""
        begin, end = self.case.filing.begin, self.case.filing.end
        if self.chain is None:
            return frames_of(begin // DAY + 1)
        return frames_between(self.chain, begin, end)

    def nameable(self) -> tuple[RequestedFrame, ...]:
        """Give the frames that may be named now: drawn ones, or any where none are drawn."""
        ask = self.case.ask
        if self.case.drawn is not None and ask is not None and ask.level < 4:
            return drawn_frames(self.case, self.frames)[: ask.granted]
        kept = (one for one in self.frames if one.holding is Holding.KEPT)
        granted = ask.granted if ask is not None else 1
        return tuple(RequestedFrame(one.segment, one.frame) for one in kept)[:granted]

    def request(self, **changes: Any) -> "Play":
        record = DisputeRequest(
            engagement=ENGAGEMENT,
            claimed_at=self.now,
            frames=changes.pop("frames", ()) or self.nameable(),
            reason="the drawn frames",
            sealing_key=self.case.sealing_key or bytes(1216),
            answer_by=self.now + 1,
            place=CasePlace(self.case.case, self.case.head),
        )
        return self.send(replace(record, **changes), self.arbitrator)

    def disclose(self, **changes: Any) -> "Play":
        record = DisputeDisclosure(
            engagement=ENGAGEMENT,
            claimed_at=self.now,
            request=self.case.request or digest("no request"),
            frames=(DisclosedFrame(self._asked_for(), digest("disclosure")),),
            place=CasePlace(self.case.case, self.case.head),
        )
        return self.send(replace(record, **changes), FREELANCER)

    def _asked_for(self) -> Digest:
        requests = (read_record(one) for one, _ in reversed(self.told))
        named = (one.frames for one in requests if isinstance(one, DisputeRequest))
        return next((frames[0].frame for frames in named), digest("no request"))

    def find(self, by: Role = Role.OPERATOR, **changes: Any) -> "Play":
        record = DisputeFinding(
            engagement=ENGAGEMENT,
            claimed_at=self.now,
            disclosure=min(self._unexamined(by), default=digest("nothing")),
            findings=(Finding(digest("disclosure"), Outcome.HOLDS, 9, 2040),),
            place=CasePlace(self.case.case, self.case.head),
        )
        return self.send(replace(record, **changes), self.signer_of(by))

    def _unexamined(self, by: Role) -> list[Digest]:
        case = self.case
        left = {one for one, roles in case.unexamined.items() if by in roles}
        return sorted(left - case.clawed_back)

    # --- ways on ---

    def wait(self, ms: int) -> "Play":
        self.now += ms
        return self

    def pass_due(self) -> "Play":
        """Let the deadline pass by two seconds."""
        assert self.case.due is not None
        self.now = max(self.now, self.case.due.until + 2_000)
        return self

    def lapse(self) -> "Play":
        return self.pass_due().act(Role.OPERATOR, Act.LAPSE)

    def both(self, act: Act) -> "Play":
        return self.act(Role.CLIENT, act).act(Role.FREELANCER, act)

    def seat(self) -> "Play":
        """Draw an arbitrator, who declares, and nobody strikes."""
        return self.draw().act(Role.ARBITRATOR, Act.DECLARE).both(Act.PASS)

    def draw(self) -> "Play":
        self.now = max(self.now, (self.case.panel_round + 1) * ROUND_MS)
        return self.act(Role.CLIENT, Act.DRAW)

    def heard(self) -> "Play":
        """Give notice, answer and end the talks, and seat an arbitrator."""
        self.act(Role.OPERATOR, Act.NOTICE).act(self.case.respondent, Act.ANSWER)
        return self.act(Role.CLIENT, Act.END).seat()

    def granted(self, level: int) -> "Play":
        """Ask for a level, let nobody object, and grant it."""
        self.act(Role.ARBITRATOR, Act.ASK, **self.question(level))
        if level == 2:
            for role in (Role.CLIENT, Role.FREELANCER, Role.ARBITRATOR):
                self.act(role, Act.COMMIT)
        self.both(Act.PASS).act(Role.ARBITRATOR, Act.RULE)
        if level == 2:
            for role in (Role.CLIENT, Role.FREELANCER, Role.ARBITRATOR):
                self.act(role, Act.REVEAL)
            self.sampled()
        return self

    def sampled(self) -> "Play":
        self.now = max(self.now, ((self.case.sample_round or 0) + 1) * ROUND_MS)
        return self.act(Role.FREELANCER, Act.SAMPLE)

    def shown(self, level: int) -> "Play":
        """Go up one level, to the end of the comments."""
        self.granted(level)
        if level == 1:
            self.act(Role.FREELANCER, Act.SHOW)
        else:
            self.request()
            if level == 4:
                self.act(Role.FREELANCER, Act.APPROVE)
            self.disclose().find()
        return self.act(Role.CLIENT, Act.COMMENT)

    def decided(self) -> "Play":
        self.act(Role.ARBITRATOR, Act.DRAFT).both(Act.COMMENT)
        return self.act(Role.ARBITRATOR, Act.DECIDE)

    def replayed(self, upto: int | None = None) -> Case:
        """Replay what was told from the start."""
        (first, at), *rest = self.told[:upto]
        case = Case.begin(first, at, terms=self.case.terms, released=released)
        for statement, known_at in rest:
            case = case.after(statement, known_at)
        return case


SAID: dict[str, Any] = {"text": "said in few words"}
CONTENTS: dict[Act, dict[str, Any]] = {
    Act.NOTICE: {"code": Delivery.TWO_CHANNELS},
    Act.ANSWER: SAID,
    Act.OFFER: SAID | {"amount": 90_000},
    Act.DECLARE: SAID,
    Act.RECUSE: SAID,
    Act.OBJECT: SAID | {"code": Ground.TOO_WIDE},
    Act.RULE: SAID | {"code": Ruling.GRANT},
    Act.SHOW: {"value": bytes(32)},
    Act.WITHHOLD: SAID | {"code": Refusal.THIRD_PARTY_NDA},
    Act.EXHIBIT: SAID | {"value": bytes(32)},
    Act.COMMENT: SAID,
    Act.DRAFT: SAID | {"code": Verdict.IN_PART, "amount": 65_000},
    Act.DECIDE: SAID | {"code": Verdict.IN_PART, "amount": 65_000},
    Act.APPEAL: SAID,
    Act.STAY: SAID | {"code": Pause.ILLNESS},
    Act.CLAW_BACK: SAID,
    Act.UNREADABLE: SAID,
}
