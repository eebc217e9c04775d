"""A case over real work at a real verifier, played step by step, for the pages that show it.

`Courtroom` has the office, its agent and the hearing; each step leaves the case one further on.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from support.hearings import DAY_MS, Hearing
from support.office import Office, new_home
from support.scripted import ScriptedAgent, disclose
from support.simulator import START, seeded
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import FrozenFrame, frames_between, freeze_frames, secret_commitment
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import (
    Act,
    CasePlace,
    ChainedRecord,
    DeclarationForm,
    DisclosedFrame,
    DisputeDisclosure,
    DisputeRequest,
    Ground,
    Pause,
    Refusal,
    RequestedFrame,
    Ruling,
    SegmentState,
    Verdict,
    sign,
)
from workseal_protocol.sealing import case_public, encode_package
from workseal_protocol.terms import Terms

HOUR_MS: Final = 3_600_000
SECOND: Final = SeedSigner(b"\x44" * 32)
THREE: Final = (Role.FREELANCER, Role.CLIENT, Role.ARBITRATOR)
# Other people's words: markup, a text that turns what stands beside it, a long word.
CLAIMED: Final = "nothing came of <b>these</b> hours\u202e; see the messages " + "of-Monday-" * 9
ANSWERED: Final = "I worked them. The first draft was sent on Monday evening."
DECIDED: Final = (
    "The record covers the hours, and the drawn frames show work on the agreed text. A part of the"
    " evening was declared only later, and is not paid."
)


class Courtroom:
    """Play one case after some days of work."""

    def __init__(self, folder: Path, **terms: Any) -> None:
        self.office = office = Office(new_home(folder)).open()
        office.now = START
        keys = (office.people.arbitrator.public_key, SECOND.public_key)
        fields: dict[str, Any] = {
            "capture_rate": 65_536,
            "arbitrators": keys,
            "max_withdrawn_percent": 5,
        }
        self.agent = ScriptedAgent(office, terms=office.terms(**(fields | terms)))
        self.hearing = Hearing(office, self.agent.engagement, self.agent.terms)
        self.hearing.arbitrators = (office.people.arbitrator, SECOND)
        self.frozen: tuple[FrozenFrame, ...] = ()
        # Of the steps of `play_to`, how many are done.
        self.steps = 0
        self._work()

    @property
    def path(self) -> str:
        """Return where the page of the case is."""
        return f"/cases/{self.hearing.case.case}"

    @property
    def terms(self) -> Terms:
        return self.agent.terms

    @property
    def drawn(self) -> SeedSigner:
        """Return who sits."""
        return self.hearing.signer_of(Role.ARBITRATOR)

    @property
    def not_drawn(self) -> SeedSigner:
        return next(one for one in self.hearing.arbitrators if one is not self.drawn)

    def _work(self) -> None:
        agent, office = self.agent, self.office
        agent.open_session()
        agent.work(124_000)
        agent.send()
        agent.pause(45_000)
        agent.miss_next = True
        agent.work(63_000)
        agent.send()
        agent.work(60_000, SegmentState.OFF_SCREEN)
        agent.work(40_000, SegmentState.SEALED)
        agent.send()
        agent.online = False
        agent.work(30_000)
        agent.online = True
        agent.work(300_000)
        agent.send()
        agent.close_session()
        agent.withdraw(agent.frames[0])
        agent.pause(HOUR_MS)
        agent.declare(
            DeclarationForm.LATE, office.now - HOUR_MS // 2, office.now - HOUR_MS // 4, 800_000
        )
        office.now = START + DAY_MS
        agent.refresh()
        agent.open_session()
        agent.work(200_000)
        agent.send()
        agent.close_session()
        office.now += HOUR_MS

    # --- steps, in the order of a case ---

    def filed(self) -> "Courtroom":
        self.hearing.file(
            begin=START - HOUR_MS, end=START + DAY_MS + HOUR_MS, text=CLAIMED, amount=70_000
        )
        return self

    def noticed(self) -> "Courtroom":
        return self._act(Role.OPERATOR, Act.NOTICE)

    def answered(self) -> "Courtroom":
        self._act(Role.FREELANCER, Act.ANSWER, text=ANSWERED)
        return self._act(Role.FREELANCER, Act.EXHIBIT, text="the messages of Monday")

    def offered(self) -> "Courtroom":
        return self._act(Role.FREELANCER, Act.OFFER, text="half of it", amount=35_000)

    def drawn_for(self) -> "Courtroom":
        self._act(Role.CLIENT, Act.END)
        self.hearing.draw()
        return self

    def seated(self) -> "Courtroom":
        key = case_public(seeded(self.office.seed, "sealing") * 3)
        self._act(Role.ARBITRATOR, Act.DECLARE, text="no ties to either", sealing_key=key)
        return self._both(Act.PASS)

    def opened(self) -> "Courtroom":
        """Go up to level 1."""
        self.hearing.ask(1)
        self._act(Role.FREELANCER, Act.SHOW)
        return self._act(Role.CLIENT, Act.COMMENT, text="the figures are no surprise")

    def asked(self, count: int = 14) -> "Courtroom":
        """Ask at level 2, over the frames that the log has."""
        self.frozen = self.frames()
        filing = self.hearing.case.filing
        self._act(
            Role.ARBITRATOR,
            Act.ASK,
            level=2,
            count=count,
            begin=filing.begin,
            end=filing.end,
            text="what was on the screen",
            why="activity was there, its kind is in dispute",
            freeze=freeze_frames(self.frozen),
        )
        for role in THREE:
            self._act(role, Act.COMMIT, value=self.committed(role))
        return self._act(
            Role.FREELANCER, Act.OBJECT, code=Ground.TOO_WIDE, text="six would tell the same"
        )

    def ruled(self) -> "Courtroom":
        self._act(Role.CLIENT, Act.PASS)
        self._act(
            Role.ARBITRATOR, Act.RULE, code=Ruling.NARROW, count=6, text="six are enough to begin"
        )
        # The client keeps its secret back.
        for role in (Role.FREELANCER, Role.ARBITRATOR):
            self._act(role, Act.REVEAL, value=self.secret(role))
        return self

    def sampled(self) -> "Courtroom":
        self.hearing.sampled()
        return self

    def named(self) -> "Courtroom":
        places = [
            place for place in self.hearing.case.drawn or () if not self.frozen[place].holding
        ]
        self.hearing.request(
            DisputeRequest(
                engagement=self.agent.engagement,
                claimed_at=self.office.now,
                frames=tuple(
                    RequestedFrame(self.frozen[place].segment, self.frozen[place].frame)
                    for place in places
                ),
                reason="the drawn ones",
                sealing_key=self.hearing.case.sealing_key or b"",
                answer_by=self.office.now + 1,
                place=CasePlace(self.hearing.case.case, self.hearing.case.head),
            )
        )
        return self

    def withheld(self) -> "Courtroom":
        said = {"code": Refusal.THIRD_PARTY_NDA, "text": "another client's screen is on them"}
        return self._act(Role.FREELANCER, Act.WITHHOLD, **said)

    def shown(self) -> "Courtroom":
        """Disclose a tile of one named frame, and let the operator say what holds."""
        case = self.hearing.case
        wanted = {
            self.frozen[place].frame for place in case.drawn or () if not self.frozen[place].holding
        }
        frame = next(one for one in self.agent.frames if one.tree.commitment in wanted)
        shown = disclose(frame, (0,))
        record = DisputeDisclosure(
            engagement=self.agent.engagement,
            claimed_at=self.office.now,
            request=case.request or Digest(bytes(32)),
            frames=(DisclosedFrame(frame.tree.commitment, shown.digest),),
            place=CasePlace(case.case, case.head),
        )
        signer = self.office.people.freelancer
        due = self.hearing.due_for(record, signer.public_key.thumbprint)
        statement = sign(replace(record, place=CasePlace(case.case, case.head, due)), signer)
        checked = self.office.verifier.services.desk.check(
            encode_package([statement.encode(), shown.encode()])
        )
        for one in (statement, checked.finding):
            self.hearing.follow(one, self.office.now)
        return self

    def commented(self) -> "Courtroom":
        return self._act(Role.CLIENT, Act.COMMENT, text="one tile tells little")

    def drafted(self) -> "Courtroom":
        return self._decision(Act.DRAFT)

    def heard(self) -> "Courtroom":
        self._act(Role.CLIENT, Act.COMMENT, text="my last word: too much")
        return self._act(Role.FREELANCER, Act.COMMENT, text="my last word: too little")

    def decided(self) -> "Courtroom":
        return self._decision(Act.DECIDE)

    def appealed(self) -> "Courtroom":
        self._act(Role.FREELANCER, Act.APPEAL, text="the evening was work too")
        self.hearing.draw()
        return self.seated()

    def lapsed(self) -> "Courtroom":
        self.hearing.pass_due().act(Role.OPERATOR, Act.LAPSE)
        return self

    def purged(self) -> "Courtroom":
        """Be final, sealed and destroyed."""
        arbitrator = self.drawn
        self.lapsed().lapsed()
        self.hearing.pass_due()
        self._act(Role.ARBITRATOR, Act.DESTROY, by=arbitrator)
        return self._act(Role.OPERATOR, Act.DESTROY)

    def stayed(self) -> "Courtroom":
        until = self.office.now + 5 * DAY_MS
        said = {"code": Pause.ILLNESS, "text": "a week of illness"}
        return self._act(Role.ARBITRATOR, Act.STAY, end=until, **said)

    # --- what they are made of ---

    def frames(self) -> tuple[FrozenFrame, ...]:
        """Return the frames of the hours as the agent's own chain has them."""
        filing = self.hearing.case.filing
        chain = (
            (statement.digest, record)
            for statement, record in self.agent.made
            if isinstance(record, ChainedRecord)
        )
        return frames_between(chain, filing.begin, filing.end)

    def _decision(self, act: Act) -> "Courtroom":
        told = self.hearing.told
        cites = (told[0].digest, told[2].digest, self.agent.made[3][0].digest)
        said = {"code": Verdict.IN_PART, "amount": 42_500, "text": DECIDED, "cites": cites}
        return self._act(Role.ARBITRATOR, act, **said)

    def secret(self, role: Role) -> bytes:
        """Return what a party mixes into the draw."""
        return seeded(self.office.seed, "secret", role.name)

    def committed(self, role: Role) -> bytes:
        """Return what a party commits to before the ruling."""
        return secret_commitment(self.hearing.case.case, role, self.secret(role))

    def _both(self, act: Act) -> "Courtroom":
        for role in (Role.CLIENT, Role.FREELANCER):
            self._act(role, act)
        return self

    def _act(self, role: Role, act: Act, **fields: Any) -> "Courtroom":
        self.office.now += 1_000
        self.hearing.act(role, act, **fields)
        return self


_STEPS: Final[Mapping[str, Callable[[Courtroom], Courtroom]]] = {
    "notice": Courtroom.filed,
    "answer": Courtroom.noticed,
    "negotiation": lambda one: one.answered().offered(),
    "seating": Courtroom.drawn_for,
    "evidence": lambda one: one.seated().opened(),
    "objection": Courtroom.asked,
    "naming": Courtroom.ruled,
    "drawn": Courtroom.sampled,
    "disclosure": Courtroom.named,
    "comment": Courtroom.shown,
    "draft": lambda one: one.commented().drafted(),
    "decision": Courtroom.heard,
    "appeal": Courtroom.decided,
}


def play_to(courtroom: Courtroom, place: str) -> Courtroom:
    """Play a case up to a step, from wherever it stands."""
    names = list(_STEPS)
    for name in names[courtroom.steps : names.index(place) + 1]:
        _STEPS[name](courtroom)
        courtroom.steps += 1
    return courtroom
