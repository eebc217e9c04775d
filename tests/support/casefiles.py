"""A whole case with its record of work: the same parties in the log, the bundle and the case.

Rule: the case plays some days after the work, and the log has the first of its statements.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from support.acting import ScriptedAgent
from support.builders import CLIENT, ENGAGEMENT, FREELANCER, OPERATOR, ROUND_MS
from support.cases import ARBITRATORS, DAY, Play
from support.scripted import finish
from support.simulator import START, People, Simulator
from workseal_protocol.bundle import seal_bundle
from workseal_protocol.casefile import CaseParts, Logged, make_case_file, replay
from workseal_protocol.commitment import Opening, ValueKind
from workseal_protocol.dispute import WorkingDays
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.records import Act, CasePlace, DisputeAct, Segment, Tombstone, sign
from workseal_protocol.statement import Statement
from workseal_protocol.verify import Report, examine_bundle

LOGGED = 5
SEALED = b"sealed to the arbitrator, for all that we can tell"


@dataclass(frozen=True)
class Told:
    """Hold a case, its bundle, what was opened beside it, and whom a reader trusts."""

    play: Play
    bundle: bytes
    openings: tuple[Opening, ...]
    policy: TrustPolicy
    # What was handed over beside, with its salts.
    exhibits: tuple[bytes, ...] = ()

    @property
    def statements(self) -> tuple[Statement, ...]:
        return tuple(one for one, _ in self.play.told)

    @property
    def report(self) -> Report:
        return examine_bundle(self.bundle, self.policy)

    def parts(self, *, sealed: bool = True) -> CaseParts:
        opened = b"".join(one.encode() for one in self.openings)
        return CaseParts(
            self.statements, (), self.bundle, opened, (SEALED,) if sealed else (), self.exhibits
        )

    def files(self) -> dict[str, bytes]:
        report = self.report
        assert report.terms is not None
        logged = Logged.of(report)
        found = replay(self.statements, report.terms, logged)
        return make_case_file(self.parts(), found, logged.entries)


def refused_and_decided(refused: list[Statement], play: Play) -> None:
    """Play a case to its decision; `refused` gets an act on the filing that the log refused."""
    record = DisputeAct(
        engagement=ENGAGEMENT,
        claimed_at=play.now,
        place=CasePlace(play.case.case, play.case.head),
        act=Act.EXHIBIT,
        text="refused at first",
    )
    refused.append(sign(record, CLIENT))
    play.heard().shown(1).decided()


def sealed_ahead(false: list[Statement], play: Play, *, destroyed: bool = False) -> None:
    """Play a case to its end; `false` gets what its operator dates ahead, and what follows that."""
    play.heard().shown(1).decided().both(Act.PASS)
    ahead = replace(play, told=[*play.told], tried=[*play.tried]).lapse()
    if destroyed:
        ahead.pass_due().act(Role.ARBITRATOR, Act.DESTROY)
    false[:] = [one for one, _ in ahead.told[len(play.told) :]]


def simulator() -> Simulator:
    """Give a log whose parties are those of the builders."""
    verifier = Simulator(b"case files", round_ms=ROUND_MS)
    verifier.people = People(CLIENT, FREELANCER, ARBITRATORS[0], OPERATOR)
    verifier.history = KeyHistory.start(
        {role: [one.public_key for one in keys] for role, keys in verifier.people.keys().items()}
    )
    return verifier


def work_and_quarrel(
    case: Callable[[Play], object],
    work: Callable[[ScriptedAgent], object] | None = None,
    *,
    make: type[ScriptedAgent] = ScriptedAgent,
    filed: int = START + 3 * DAY,
    calendars: dict[Role, WorkingDays] | None = None,
    before: Sequence[Statement] = (),
    after: Sequence[Statement] = (),
    sealer: SeedSigner = FREELANCER,
    logged: int = LOGGED,
    **terms: object,
) -> Told:
    """Let the freelancer work, then both go through a case, whose beginning the log takes.

    `before` and `after` are what else it takes before the filing, and at the end; `sealer` signs
    the bundle; `logged` is how many statements of the case the log takes.
    """
    verifier = simulator()
    verifier.publish_rules()
    verifier.start_beacon(START // ROUND_MS - 360, 4_000)
    verifier.others(2)
    agent = make(verifier, terms=verifier.terms(**terms), engagement=ENGAGEMENT)
    verifier.now = START + 3_000
    agent.open_session()
    (work or _work)(agent)
    agent.send()
    agent.close_session()
    verifier.now = filed
    play = Play.begin(
        now=verifier.now,
        terms=agent.terms,
        calendars=calendars,
        begin=START,
        end=verifier.now - DAY,
    )
    play.chain = [
        (one.digest, told) for one, told in agent.made if isinstance(told, Segment | Tombstone)
    ]
    case(play)
    for statement in before:
        verifier.submit([statement])
    for statement, at in play.told[:logged]:
        verifier.now = max(verifier.now, at)
        verifier.submit([statement])
        verifier.others(1)
    for statement in after:
        verifier.submit([statement])
    return _told(verifier, agent, play, sealer)


def _told(verifier: Simulator, agent: ScriptedAgent, play: Play, sealer: SeedSigner) -> Told:
    contents, tsa = finish(verifier, agent, ())
    bundle = seal_bundle(
        replace(contents, openings=()),
        engagement=ENGAGEMENT,
        claimed_at=verifier.now,
        signer=sealer,
    )
    activity = [one for one in agent.openings if one.kind is ValueKind.ACTIVITY]
    policy = verifier.trust(tsa=(tsa.root_der,))
    return Told(play, bundle.encode(), tuple(activity), policy)


def _work(agent: ScriptedAgent) -> None:
    agent.work(300_000)
