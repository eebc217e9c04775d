"""What a party can do to the draw of a sample by filing, withdrawing, offering and waiting.

Each strategy is played through the fold, and what is filed is judged as `case verify` judges it.
The honest others commit and reveal; nobody can tell what the beacon will say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from support.builders import NOW, ROUND_MS
from support.cases import ARBITRATORS, DAY, SIGNERS, Play, beacon, frames_of, secret_of
from workseal_protocol.casefile.earlier import check_refiling
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import (
    Rule,
    State,
    draw_person,
    freeze_frames,
    sample_round,
    sample_seed,
)
from workseal_protocol.dispute.rules import CaseError
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, DisputeAct, Pause, read_record
from workseal_protocol.statement import Statement

FILERS = (Role.CLIENT, Role.FREELANCER)
MIXING = (Role.CLIENT, Role.FREELANCER, Role.ARBITRATOR)


def do_nothing(play: Play) -> None:
    del play


def end_talks(play: Play) -> None:
    play.act(play.case.filer, Act.END)


def wait_for_the_round(play: Play) -> None:
    play.now = max(play.now, play.case.panel_round * ROUND_MS)


def sit(play: Play) -> None:
    play.act(Role.ARBITRATOR, Act.DECLARE).both(Act.PASS)


def freeze(play: Play) -> None:
    play.shown(1).act(Role.ARBITRATOR, Act.ASK, **play.question(2))


def commit(play: Play) -> None:
    for role in MIXING:
        play.act(role, Act.COMMIT)


def reveal(play: Play) -> None:
    play.act(Role.ARBITRATOR, Act.RULE)
    for role in MIXING:
        play.act(role, Act.REVEAL)


# What an honest case does up to its draw of a sample and after it: instant by instant.
STEPS: dict[str, Callable[[Play], object]] = {
    "filed": do_nothing,
    "notice": lambda play: play.act(Role.OPERATOR, Act.NOTICE),
    "answered": lambda play: play.act(play.case.respondent, Act.ANSWER),
    "talks ended": end_talks,
    "round begun": wait_for_the_round,
    "person drawn": lambda play: play.draw(),
    "seated": sit,
    "frozen": freeze,
    "committed": commit,
    "ruling awaited": lambda play: play.both(Act.PASS),
    "secrets out": reveal,
    "sample drawn": lambda play: play.sampled(),
    "shown": lambda play: play.request().disclose().find(),
    "commented": lambda play: play.act(Role.CLIENT, Act.COMMENT),
    "drafted": lambda play: play.act(Role.ARBITRATOR, Act.DRAFT),
}
INSTANTS = tuple(STEPS)
# A withdrawal costs nothing until the round is set that draws somebody.
FREE = INSTANTS[: INSTANTS.index("talks ended")]
BARRED = INSTANTS[INSTANTS.index("talks ended") :]


NOTHING_BESIDE: Mapping[str, Callable[[Play], object]] = {}


def go_to(
    play: Play, instant: str, beside: Mapping[str, Callable[[Play], object]] = NOTHING_BESIDE
) -> Play:
    """Play an honest case up to an instant; `beside` has what comes after a step."""
    for name in INSTANTS[: INSTANTS.index(instant) + 1]:
        STEPS[name](play)
        beside.get(name, do_nothing)(play)
    return play


@dataclass
class Docket:
    """Hold what the log has of an engagement, and take filings as `case verify` would."""

    now: int = NOW
    logged: list[Statement] = field(default_factory=list)
    persons: list[Digest] = field(default_factory=list)
    samples: list[tuple[int, ...]] = field(default_factory=list)

    def file(self, by: Role, *, begin: int = NOW - 7 * DAY, end: int = NOW) -> Play:
        """File over some hours, or raise `VerificationError`."""
        play = Play.begin(
            by=SIGNERS[by], now=self.now, begin=begin, end=end, text=f"claim {len(self.logged)}"
        )
        check_refiling(play.case, [*self.logged, play.told[0][0]])
        return play

    def keep(self, play: Play) -> None:
        """Log a case, and what its parties saw drawn in it."""
        self.logged += [statement for statement, _ in play.told]
        self.now = play.now + DAY
        if play.case.arbitrator is not None:
            self.persons.append(play.case.arbitrator)
        if play.case.drawn is not None:
            self.samples.append(play.case.drawn)

    def withdraw(self, by: Role, instant: str) -> Play:
        """File, go to an instant, look at what was drawn, and withdraw."""
        play = go_to(self.file(by), instant)
        play.act(by, Act.WITHDRAW)
        assert stands(play, State.WITHDRAWN)
        self.keep(play)
        return play


def honest_seed(play: Play) -> bytes:
    """Give the seed that the page gives: of the ruling's instant, the freeze and all secrets."""
    acts = [(read_record(statement), at) for statement, at in play.told]
    ruled = [at for act, at in acts if isinstance(act, DisputeAct) and act.act is Act.RULE][-1]
    number = sample_round(ruled, ROUND_MS)
    return sample_seed(
        case=play.told[0][0].digest,
        freeze=freeze_frames(frames_of((NOW - 7 * DAY) // DAY + 1)),
        number=number,
        value=beacon(number),
        secrets={role: secret_of(role) for role in MIXING},
    )


def seed_of(play: Play) -> bytes:
    sample = play.case.sample
    assert sample is not None
    assert sample.seed is not None
    return sample.seed


def stands(play: Play, state: State) -> bool:
    return play.case.state is state


def refused(rule: Rule, act: Callable[[], object]) -> None:
    with pytest.raises(CaseError) as caught:
        act()
    assert caught.value.rule is rule, caught.value


# --- who filed withdraws and files again ---


@pytest.mark.parametrize("instant", BARRED)
@pytest.mark.parametrize("filer", FILERS)
def test_who_withdraws_after_a_draw_sees_no_second_one_over_these_hours(
    filer: Role, instant: str
) -> None:
    docket = Docket()
    first = docket.withdraw(filer, instant)
    assert first.case.bars_filer
    begin, end = first.case.filing.begin, first.case.filing.end
    for hours in ((begin, end), (begin - DAY, begin + 1), (end - 1, end + DAY)):
        with pytest.raises(VerificationError, match=f"withdrew case {first.case.case}"):
            docket.file(filer, begin=hours[0], end=hours[1])
    assert len(docket.persons) == (instant in INSTANTS[INSTANTS.index("person drawn") :])
    assert len(docket.samples) == (instant in INSTANTS[INSTANTS.index("sample drawn") :])


@pytest.mark.parametrize("instant", FREE)
@pytest.mark.parametrize("filer", FILERS)
def test_who_withdraws_before_a_draw_gets_the_one_that_the_rules_give(
    filer: Role, instant: str
) -> None:
    """Twice over: the third case draws by a value to come, from the same frozen frames."""
    docket = Docket()
    for _ in range(2):
        assert not docket.withdraw(filer, instant).case.bars_filer
    assert (docket.persons, docket.samples) == ([], [])
    filed = docket.now
    play = go_to(docket.file(filer), "sample drawn")
    assert play.case.panel_round * ROUND_MS > filed
    assert seed_of(play) == honest_seed(play)
    play.act(filer, Act.WITHDRAW)
    docket.keep(play)
    with pytest.raises(VerificationError):
        docket.file(filer)
    assert (len(docket.persons), len(docket.samples)) == (1, 1)


def test_a_person_that_a_value_tells_and_no_statement_yet_counts_as_drawn() -> None:
    """Whoever is quicker than the operator's program has seen a draw all the same."""
    docket = Docket()
    play = go_to(docket.file(Role.CLIENT), "round begun")
    number = play.case.panel_round
    assert play.now >= number * ROUND_MS
    told = draw_person(play.case.case, number, beacon(number), play.case.panel)
    assert told in {one.public_key.thumbprint for one in ARBITRATORS}
    play.act(Role.CLIENT, Act.WITHDRAW)
    docket.keep(play)
    with pytest.raises(VerificationError, match=f"withdrew case {play.case.case}"):
        docket.file(Role.CLIENT)


@pytest.mark.parametrize("instant", ["person drawn", "sample drawn"])
@pytest.mark.parametrize("filer", FILERS)
def test_the_parties_together_see_one_draw_each(filer: Role, instant: str) -> None:
    """One files, looks and withdraws; the other files for them, and may not again either."""
    other = next(one for one in FILERS if one is not filer)
    docket = Docket()
    docket.withdraw(filer, instant)
    second = go_to(docket.file(other), "sample drawn")
    assert seed_of(second) == honest_seed(second)
    second.act(other, Act.WITHDRAW)
    docket.keep(second)
    for role in FILERS:
        with pytest.raises(VerificationError):
            docket.file(role)
    assert len(docket.persons) == 2


# --- what the other party, and both, can do meanwhile ---


@pytest.mark.parametrize("filer", FILERS)
def test_who_did_not_file_withdraws_nothing_and_no_party_stays_a_case(filer: Role) -> None:
    other = next(one for one in FILERS if one is not filer)
    play = Docket().file(filer)

    for name, step in STEPS.items():
        step(play)
        before = play.case
        refused(Rule.PARTY, lambda: play.act(other, Act.WITHDRAW))
        seated = INSTANTS.index(name) >= INSTANTS.index("seated")
        for role in FILERS:
            refused(
                Rule.PARTY if seated else Rule.TABLE,
                lambda: play.act(role, Act.STAY, code=Pause.ILLNESS, end=play.now + DAY),  # noqa: B023
            )
        assert play.case is before


@pytest.mark.parametrize("offering", [(Role.CLIENT,), (Role.FREELANCER,), FILERS])
@pytest.mark.parametrize("filer", FILERS)
def test_an_offer_that_nobody_accepts_moves_no_draw(
    filer: Role, offering: tuple[Role, ...]
) -> None:
    """It comes while a person and while a sample is to be drawn, and before; so does an exhibit."""
    plain = go_to(Docket().file(filer), "sample drawn")

    def offer(play: Play) -> None:
        for role in offering:
            play.act(role, Act.OFFER).act(role, Act.EXHIBIT)

    def offer_later(play: Play) -> None:
        offer(play.wait(ROUND_MS))

    beside = {"answered": offer, "talks ended": offer_later, "frozen": offer}
    busy = go_to(Docket().file(filer), "sample drawn", beside | {"secrets out": offer_later})
    assert len(busy.told) > len(plain.told)
    assert busy.case.offers
    assert busy.case.arbitrator == plain.case.arbitrator
    assert (seed_of(busy), busy.case.drawn) == (seed_of(plain), plain.case.drawn)


@pytest.mark.parametrize("filer", FILERS)
def test_talks_that_lapse_lead_to_the_draw_that_the_rules_give(filer: Role) -> None:
    """Each party lets every deadline of its own pass, an offer open: an instant, and no draw."""
    play = Docket().file(filer)
    play.act(Role.OPERATOR, Act.NOTICE).act(play.case.respondent, Act.ANSWER)
    for role in FILERS:
        play.act(role, Act.OFFER)
    play.lapse()
    assert stands(play, State.DRAW)
    play.draw().act(Role.ARBITRATOR, Act.DECLARE).lapse()
    assert stands(play, State.EVIDENCE)
    freeze(play)
    commit(play)
    play.lapse()
    assert stands(play, State.RULING)
    reveal(play)
    play.sampled()
    assert seed_of(play) == honest_seed(play)


def test_a_settlement_takes_both_and_leaves_the_hours_open() -> None:
    """What docs/weaknesses.md says: with the other party's word, and not without."""
    docket = Docket()
    play = go_to(docket.file(Role.CLIENT), "sample drawn").act(Role.CLIENT, Act.OFFER)
    offer = play.case.head
    refused(Rule.CITATION, lambda: play.act(Role.CLIENT, Act.ACCEPT, cites=(offer,)))
    play.act(Role.FREELANCER, Act.ACCEPT, cites=(offer,))
    assert stands(play, State.SETTLED)
    docket.keep(play)
    again = go_to(docket.file(Role.CLIENT), "sample drawn")
    assert seed_of(again) == honest_seed(again) != seed_of(play)
