"""What level 1 opens: of the granted hours, no more than was granted, chosen by neither side."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from support.builders import ENGAGEMENT, FREELANCER, make_open, make_segment
from support.cases import Play
from workseal_agent.caseopenings import granted_openings, openings_of
from workseal_agent.errors import AgentError
from workseal_agent.ledger import Ledger, SendState
from workseal_agent.ledger.rows import PrivateValue
from workseal_protocol.commitment import ValueKind
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Ask
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, Record, sign
from workseal_protocol.statement import Kind, Statement

ACTIVITY = frozenset({ValueKind.ACTIVITY})


@dataclass(frozen=True)
class Row:
    state: SendState
    statement: Statement

    @property
    def body(self) -> bytes:
        return self.statement.encode()

    @property
    def digest(self) -> Digest:
        return self.statement.digest


@dataclass
class Chain:
    """Hold a chain as a ledger does, as far as it is asked here: each with activity and notes."""

    rows: list[Row] = field(default_factory=list)

    def add(self, record: Record, state: SendState = SendState.RECEIPTED) -> Digest:
        self.rows.append(Row(state, sign(record, FREELANCER)))
        return self.rows[-1].digest

    def of_kind(self, engagement: bytes, kind: Kind) -> list[Row]:
        assert engagement == ENGAGEMENT
        return [row for row in self.rows if row.statement.kind is kind]

    def private_values(self, digest: Digest) -> tuple[PrivateValue, ...]:
        kinds = (ValueKind.ACTIVITY, ValueKind.NOTES, ValueKind.ENVIRONMENT)
        return tuple(PrivateValue(kind, digest.raw[:16], digest.raw) for kind in kinds)

    def opened(self, ask: Ask, kinds: Any = ACTIVITY) -> list[tuple[Digest, ValueKind]]:
        found = openings_of(cast("Ledger", self), ENGAGEMENT, ask, kinds)
        return [(one.statement, one.kind) for one in found]


@pytest.fixture
def chain() -> Chain:
    made = Chain()
    for number in range(10):
        begin = 10_000 + number * 1_000
        made.add(make_segment(seq=number + 2, begin=begin, end=begin + 900, worked=900))
    return made


def asked(granted: int, begin: int = 0, end: int = 99_000) -> Ask:
    return Ask(level=1, count=2_880, begin=begin, end=end, granted=granted)


def test_opens_the_segments_that_begin_in_the_hours_and_one_kind_alone(chain: Chain) -> None:
    own = [row.digest for row in chain.rows]
    found = chain.opened(asked(100, begin=11_000, end=14_000))
    assert found == [(digest, ValueKind.ACTIVITY) for digest in own[1:4]]


def test_of_more_than_were_granted_every_so_many_is_opened(chain: Chain) -> None:
    own = [row.digest for row in chain.rows]
    assert [digest for digest, _ in chain.opened(asked(4))] == [own[n] for n in (0, 2, 5, 7)]
    assert len(chain.opened(asked(10))) == 10


def test_what_is_not_logged_is_not_opened(chain: Chain) -> None:
    late = make_segment(seq=20, begin=30_000, end=30_900, worked=900)
    chain.add(late, SendState.UNSENT)
    assert len(chain.opened(asked(100))) == 10


def test_facts_of_displays_are_those_of_the_sessions_alone(chain: Chain) -> None:
    kinds = {ValueKind.ENVIRONMENT}
    before = chain.opened(asked(1), kinds)
    session = chain.add(make_open())
    chain.add(make_open(session=bytes(range(16)), seq=40))
    assert chain.opened(asked(1), kinds) == [(session, ValueKind.ENVIRONMENT), *before]


def test_nothing_is_opened_without_a_ruling_or_twice() -> None:
    play = Play.begin().heard()
    play.act(Role.ARBITRATOR, Act.ASK, **play.question(1)).both(Act.PASS)
    with pytest.raises(AgentError, match="no openings are granted"):
        granted_openings(play.case)
    play.act(Role.ARBITRATOR, Act.RULE)
    assert granted_openings(play.case).granted == play.question(1)["count"]
    play.act(Role.FREELANCER, Act.SHOW)
    with pytest.raises(AgentError, match="no openings are granted"):
        granted_openings(play.case)
