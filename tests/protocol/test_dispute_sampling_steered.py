"""Whoever moves last in a draw of a sample gains nothing by it, and would be seen to if it did.

Evaders want no false frame drawn, seekers want one drawn; each is judged for itself, for the gain
of one is the loss of the other. The last test is the proof of the one before: who knows the value
of the beacon gains much, by the same rules and under the same judge. The long form plays 10,000
strategies in each arrangement:

    WORKSEAL_LONG=1 pytest -rP tests/protocol/test_dispute_sampling_steered.py
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from hashlib import sha256
from math import sqrt

import pytest

from support.builders import digest
from workseal_protocol import digest as hashing
from workseal_protocol.dispute import allocate, draw_places, miss_of, sample_seed
from workseal_protocol.keys import Role
from workseal_protocol.records import Freeze, Holding, Stratum

LONG = bool(os.environ.get("WORKSEAL_LONG"))
PARTIES = (Role.FREELANCER, Role.CLIENT, Role.ARBITRATOR)
SIZE = 14
# In each arrangement; half of them evade and half seek.
STRATEGIES = 10_000 if LONG else 200
HALF_A_POINT = 0.005

Secrets = dict[Role, bytes]


class Aim(Enum):
    EVADE = "evaders"
    SEEK = "seekers"


@dataclass(frozen=True)
class Arrangement:
    """Hold where false frames lie, and how often a draw that nobody steers finds one of them."""

    name: str
    strata: tuple[Stratum, ...]
    false: frozenset[int]
    honest: Fraction
    # How often each strategy plays: the nearer to a half the chance, the more tell half a point.
    plays: int

    def finds(self, seed: bytes) -> bool:
        """Say whether a draw meets a false frame; no day is sorted in which none lies."""
        begin = 0
        shares = allocate(seed, [one.count for one in self.strata], SIZE)
        for stratum, wanted in zip(self.strata, shares, strict=True):
            places = range(begin, begin + stratum.count)
            begin += stratum.count
            if wanted and not self.false.isdisjoint(places):
                drawn = sorted(places, key=lambda place: place_hash(seed, place))[:wanted]
                if not self.false.isdisjoint(drawn):
                    return True
        return False


def place_hash(seed: bytes, place: int) -> bytes:
    return hashing.sha256(hashing.Tag.PLACE, seed, place.to_bytes(8, "big"))


ONE_DAY = Arrangement(
    "one day",
    (Stratum(Holding.KEPT, 1, 240),),
    frozenset(range(48)),
    1 - miss_of(240, 48, SIZE),
    plays=8,
)
# Fourteen of fifteen equal days have one frame in the sample, and the lot says which has none: in
# two of fifteen draws that is one of the two days half of whose frames are false.
MANY_DAYS = Arrangement(
    "many days",
    tuple(Stratum(Holding.KEPT, day, 48) for day in range(15)),
    frozenset((*range(144, 168), *range(480, 504))),
    1 - (Fraction(13, 15) * Fraction(1, 4) + Fraction(2, 15) * Fraction(1, 2)),
    plays=26 if LONG else 8,
)
ARRANGEMENTS = (ONE_DAY, MANY_DAYS)
everywhere = pytest.mark.parametrize("arrangement", ARRANGEMENTS, ids=lambda one: one.name)


@dataclass(frozen=True)
class Figures:
    """Hold how often a false frame was found, against how often it is where nobody steers."""

    arrangement: Arrangement
    aim: Aim
    found: int
    plays: int

    @property
    def gain(self) -> float:
        more = self.found / self.plays - float(self.arrangement.honest)
        return more if self.aim is Aim.SEEK else -more

    @property
    def spread(self) -> float:
        """Give one standard deviation of the gain by chance alone."""
        honest = float(self.arrangement.honest)
        return sqrt(honest * (1 - honest) / self.plays)

    @property
    def bound(self) -> float:
        """Give what a gain stays below: half a point, or what so few draws can tell."""
        return HALF_A_POINT if LONG else 4 * self.spread

    def __str__(self) -> str:
        return (
            f"{self.arrangement.name}, {self.aim.value}: found in {self.found} of {self.plays}"
            f" draws, {float(self.arrangement.honest):.4f} unsteered; gain"
            f" {100 * self.gain:+.2f} points, bound {100 * self.bound:.2f}"
        )


@everywhere
def test_what_is_judged_here_is_what_the_draw_gives(arrangement: Arrangement) -> None:
    seeds = [digest(number).raw for number in range(150)]
    drawn = [draw_places(seed, arrangement.strata, SIZE) for seed in seeds]
    found = [not arrangement.false.isdisjoint(places) for places in drawn]
    assert [arrangement.finds(seed) for seed in seeds] == found
    assert len(set(found)) == 2


@everywhere
def test_the_last_mover_gains_nothing(arrangement: Arrangement) -> None:
    """Each strategy guesses the beacon by a rule of its own from all that it sees before."""
    for aim in Aim:
        figures = played(arrangement, aim, STRATEGIES // 2)
        print(figures)  # noqa: T201 - the figure of the long form
        assert 4 * figures.spread <= figures.bound, "too few draws to tell"
        # Who loses by a strategy wins by its contrary.
        assert abs(figures.gain) < figures.bound, figures


@pytest.mark.parametrize("known", [1, 3] if LONG else [1])
@everywhere
def test_who_knows_the_value_gains_much(arrangement: Arrangement, known: int) -> None:
    """It knows one value of `known`: of three draws it takes the one that suits it."""
    for aim in Aim:
        figures = played(arrangement, aim, 2_000 if known > 1 else 100, known)
        print(figures)  # noqa: T201 - the figure of the long form
        assert figures.gain > figures.bound, figures
        honest = float(arrangement.honest)
        wrong = honest if aim is Aim.EVADE else 1 - honest
        assert abs(figures.gain - (wrong - wrong**3) / known) < 4 * figures.spread, figures


def played(arrangement: Arrangement, aim: Aim, strategies: int, known: int = 0) -> Figures:
    """Play strategies; with `known`, they know the value each time that this number comes round."""
    rng = random.Random(f"{arrangement.name} {aim.value} {known}")
    found = plays = 0
    for strategy in range(strategies):
        role = PARTIES[strategy % len(PARTIES)]
        for _ in range(arrangement.plays):
            value = rng.randbytes(32)
            secrets = {one: rng.randbytes(32) for one in PARTIES}
            guess = guessed(strategy, secrets)
            if known and plays % known == 0:
                guess = value
            chosen = best_of(choices(role, secrets), guess, arrangement, aim)
            found += arrangement.finds(seed_of(value, chosen))
            plays += 1
    return Figures(arrangement, aim, found, plays)


def guessed(strategy: int, secrets: Secrets) -> bytes:
    """Guess a value from every secret: whoever moves last has all of them."""
    return sha256(b"".join((b"guess %d" % strategy, *secrets.values()))).digest()


def choices(role: Role, secrets: Secrets) -> Iterator[Secrets]:
    """Give what a party can bring about: its secret, none, another one that it committed to."""
    others = {one: secret for one, secret in secrets.items() if one is not role}
    yield secrets
    yield others
    yield others | {role: sha256(secrets[role]).digest()}


def best_of(
    options: Iterator[Secrets], guess: bytes, arrangement: Arrangement, aim: Aim
) -> Secrets:
    """Choose the first that suits by the guessed value, else the last: they are alike then."""
    option: Secrets = {}
    for option in options:
        if arrangement.finds(seed_of(guess, option)) is (aim is Aim.SEEK):
            break
    return option


def seed_of(value: bytes, secrets: Secrets) -> bytes:
    return sample_seed(
        case=digest("case"),
        freeze=Freeze(digest("root"), ONE_DAY.strata),
        number=7,
        value=value,
        secrets=secrets,
    )
