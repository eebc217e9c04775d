"""A case that is played at a real verifier: what an honest program would sign now, sent there.

`Hearing` holds the case as its own replay has it, so that a test can compare it with the server's.
"""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from support.builders import make_filing
from support.cases import CLIENT_DAYS, CONTENTS, FREELANCER_DAYS
from support.office import Office
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import (
    Case,
    CaseError,
    CaseRecord,
    FrozenFrame,
    Span,
    WorkingDays,
    count_due,
    draw_person,
    frames_between,
    freeze_frames,
)
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import (
    Act,
    CasePlace,
    ChainedRecord,
    DisputeAct,
    DisputeRequest,
    Due,
    Freeze,
    read_record,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms

DAY_MS = 86_400_000
# A verifier knows zones: their days end when they do there.
BERLIN = ZoneInfo("Europe/Berlin")
CLIENTS = replace(CLIENT_DAYS, zone=BERLIN)
DAYS: dict[Role, WorkingDays] = {
    Role.CLIENT: CLIENTS,
    Role.FREELANCER: replace(FREELANCER_DAYS, zone=BERLIN),
    Role.ARBITRATOR: CLIENTS,
    Role.OPERATOR: CLIENTS,
}


class Hearing:
    """Play one case; the office's clock is the clock of everybody."""

    def __init__(self, office: Office, engagement: bytes, terms: Terms) -> None:
        self.office = office
        self.engagement = engagement
        self.terms = terms
        people = office.people
        self.signers = {
            Role.CLIENT: people.client,
            Role.FREELANCER: people.freelancer,
            Role.OPERATOR: people.operator,
        }
        self.arbitrators: tuple[SeedSigner, ...] = (people.arbitrator,)
        self.told: list[Statement] = []
        self._case: Case | None = None

    @property
    def case(self) -> Case:
        assert self._case is not None
        return self._case

    def filing(self, by: Role = Role.CLIENT, **changes: Any) -> Statement:
        """Sign a filing over the week before."""
        now = self.office.now
        other = Role.FREELANCER if by is Role.CLIENT else Role.CLIENT
        fields: dict[str, Any] = {
            "engagement": self.engagement,
            "claimed_at": now,
            "due": count_due(Span(now, 5), DAYS[other]),
            "begin": now - 7 * DAY_MS,
            "end": now,
        }
        return sign(make_filing(**(fields | changes)), self.signers[by])

    def file(self, by: Role = Role.CLIENT, **changes: Any) -> "Hearing":
        statement = self.filing(by, **changes)
        self.office.post([statement])
        return self.begin_with(statement)

    def begin_with(self, statement: Statement) -> "Hearing":
        """Take a filing that is logged."""
        self._case = Case.begin(
            statement, self.office.now, terms=self.terms, released=self._released
        )
        self.told = [statement]
        return self

    def signer_of(self, role: Role) -> SeedSigner:
        if role is not Role.ARBITRATOR:
            return self.signers[role]
        return next(
            one for one in self.arbitrators if one.public_key.thumbprint == self.case.arbitrator
        )

    def statement(self, role: Role, act: Act, **fields: Any) -> Statement:
        """Sign what a party would do now; with `due` or `prev`, what it should not."""
        due, prev = fields.pop("due", ...), fields.pop("prev", self.case.head)
        by: SeedSigner = fields.pop("by", None) or self.signer_of(role)
        record = DisputeAct(
            engagement=fields.pop("engagement", self.engagement),
            claimed_at=fields.pop("claimed_at", self.office.now),
            place=CasePlace(fields.pop("case", self.case.case), prev),
            act=act,
            **(self.content(act) | fields),
        )
        written = self.due_for(record, by.public_key.thumbprint) if due is ... else due
        return sign(replace(record, place=replace(record.place, due=written)), by)

    def act(self, role: Role, act: Act, **fields: Any) -> "Hearing":
        """Let a party act now, at the server and in the replay."""
        statement = self.statement(role, act, **fields)
        self.office.post([statement])
        self._case = self.case.after(statement, max(self.office.now, self.case.known_at))
        self.told.append(statement)
        return self

    def ask(self, level: int, **fields: Any) -> "Hearing":
        """Ask for one of a level, let nobody object, and grant it."""
        said = {
            "level": level,
            "count": 1,
            "begin": self.case.filing.begin,
            "end": self.case.filing.end,
            "text": "was there work in these hours",
            "why": "the sums alone do not tell",
        }
        self.act(Role.ARBITRATOR, Act.ASK, **(said | fields))
        for role in (Role.CLIENT, Role.FREELANCER):
            self.act(role, Act.PASS)
        return self.act(Role.ARBITRATOR, Act.RULE)

    def freeze(self, begin: int | None = None, end: int | None = None) -> Freeze:
        """Freeze the frames of the disputed hours, from what the log hands out."""
        return freeze_frames(self.frames(begin, end))

    def frames(self, begin: int | None = None, end: int | None = None) -> tuple[FrozenFrame, ...]:
        filing = self.case.filing
        listed = self.office.verifier.records.of_engagement(self.engagement, below=2**53)
        told = ((one.digest, read_record(Statement.parse(one.body))) for one in listed)
        chain = [(digest, one) for digest, one in told if isinstance(one, ChainedRecord)]
        return frames_between(chain, begin or filing.begin, end or filing.end)

    def sampled(self) -> "Hearing":
        """Draw the sample by a value of the beacon and no secret."""
        number = self.case.sample_round or 0
        # As a running server has: it commits to the next day before that begins.
        self.office.verifier.housekeeping.keep()
        self.office.now = max(self.office.now, (number + 1) * self.office.round_ms)
        value = self.office.value(number)
        return self.act(Role.FREELANCER, Act.SAMPLE, round=number, value=value)

    def request(self, record: DisputeRequest) -> Statement:
        """Let the arbitrator name frames."""
        by = self.signer_of(Role.ARBITRATOR)
        due = self.due_for(record, by.public_key.thumbprint)
        assert due is not None
        place = CasePlace(self.case.case, self.case.head, due)
        statement = sign(replace(record, place=place, answer_by=due.until), by)
        self.office.post([statement])
        self.follow(statement, self.office.now)
        return statement

    def follow(self, statement: Statement, at: int) -> None:
        """Take what somebody else logged."""
        self._case = self.case.after(statement, max(at, self.case.known_at))
        self.told.append(statement)

    def due_for(self, record: CaseRecord, thumbprint: Digest) -> Due | None:
        try:
            wanted = self.case.wanted(record, thumbprint, self.office.now)
        except CaseError:
            return None
        return None if wanted is None else wanted.count(DAYS[one] for one in wanted.counted)

    def content(self, act: Act) -> dict[str, Any]:
        case = self.case
        if act is Act.DRAW:
            number = case.panel_round
            value = self.office.value(number)
            person = draw_person(case.case, number, value, case.panel)
            return {"round": number, "value": value, "person": person}
        cites = {"cites": (case.case,)} if act in {Act.DRAFT, Act.DECIDE} else {}
        return CONTENTS.get(act, {}) | cites

    def draw(self) -> "Hearing":
        self.office.now = max(self.office.now, (self.case.panel_round + 1) * self.office.round_ms)
        return self.act(Role.CLIENT, Act.DRAW)

    def answered(self) -> "Hearing":
        """Give notice, and answer."""
        return self.act(Role.OPERATOR, Act.NOTICE).act(self.case.respondent, Act.ANSWER)

    def seated(self) -> "Hearing":
        """Answer, end the talks, draw; the arbitrator declares, and nobody strikes."""
        self.answered().act(Role.CLIENT, Act.END).draw().act(Role.ARBITRATOR, Act.DECLARE)
        return self.act(Role.CLIENT, Act.PASS).act(Role.FREELANCER, Act.PASS)

    def pass_due(self) -> "Hearing":
        """Let the deadline pass."""
        assert self.case.due is not None
        self.office.now = max(self.office.now, self.case.due.until + 2_000)
        return self

    def _released(self, number: int, value: bytes) -> bool:
        return self.office.verifier.beacon.is_committed(self.terms.round_ms, number, value)
