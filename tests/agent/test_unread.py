"""Whether a case runs that was not read here: how often it is asked, and what no answer means."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from support.builders import digest, make_filing
from support.freelanced import Freelancer, at_a_bench
from support.rig import Rig, TurnedClock
from workseal_agent.connection import RefusedError, UnreachableError
from workseal_agent.daemon.unread import UnreadCaseError, UnreadCases, UntoldError
from workseal_agent.knowncases import row_of
from workseal_agent.unreadcases import running_cases
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, sign

CASE = digest("the client's filing")
HOUR_S = 3_600


class Asked:
    """Hold what the verifier says, how often it was asked, and who asks it."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder)
        self.running = frozenset[Digest]()
        self.error: Exception | None = None
        self.count = 0
        self.unread = UnreadCases(
            self.rig.engagement, self.rig.ledger, self.rig.clock, self._answer
        )

    def _answer(self) -> frozenset[Digest]:
        self.count += 1
        if self.error is not None:
            raise self.error
        return self.running

    def untold(self) -> UntoldError:
        with pytest.raises(UntoldError) as caught:
            self.unread.require_none()
        return caught.value


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def test_an_answer_is_good_for_an_hour_also_if_the_machine_slept(asked: Asked) -> None:
    asked.unread.require_none()
    asked.rig.clock.run(HOUR_S - 1)
    asked.unread.require_none()
    assert asked.count == 1
    asked.rig.clock.suspend(1)
    asked.running = frozenset({CASE})
    with pytest.raises(UnreadCaseError, match="case list"):
        asked.unread.require_none()
    assert asked.count == 2


def test_an_older_answer_stands_for_none_that_fails(asked: Asked) -> None:
    asked.unread.require_none()
    asked.rig.clock.run(HOUR_S)
    asked.error = UnreachableError("nobody answers")
    assert str(asked.untold()) == "whether a case runs is not known: nobody answers"
    asked.untold()
    asked.error = None
    asked.unread.require_none()
    assert asked.count == 4


def test_a_case_that_becomes_known_is_unread_no_more_without_another_question(
    asked: Asked,
) -> None:
    asked.running = frozenset({CASE})
    for _ in range(2):
        with pytest.raises(UnreadCaseError):
            asked.unread.require_none()
    rig = asked.rig
    with rig.ledger.write() as writing:
        filing = make_filing(engagement=rig.engagement.id)
        writing.note_case(rig.engagement.id, row_of(CASE, filing, ended=False))
    asked.unread.require_none()
    assert asked.count == 1


def test_what_this_home_filed_itself_it_knows(asked: Asked) -> None:
    rig = asked.rig
    filed = sign(make_filing(engagement=rig.engagement.id), rig.signer)
    with rig.ledger.write() as writing:
        writing.add_statement(rig.engagement.id, filed)
    asked.running = frozenset({filed.digest})
    asked.unread.require_none()


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(UnreachableError("nobody answers"), id="no answer"),
        pytest.param(RefusedError(401, "unproven", "this key has ended"), id="refused"),
    ],
)
def test_that_nobody_tells_lasts_after_an_hour_awake(asked: Asked, error: Exception) -> None:
    clock: TurnedClock = asked.rig.clock
    passes: tuple[tuple[Callable[[float], None], float], ...] = (
        (clock.run, HOUR_S - 1),
        (clock.suspend, 9 * HOUR_S),
    )
    asked.error = error
    assert not asked.untold().lasts
    for turn, seconds in passes:
        turn(seconds)
        assert not asked.untold().lasts
    clock.run(1)
    assert asked.untold().lasts
    asked.error = None
    asked.unread.require_none()
    clock.run(HOUR_S)
    asked.error = error
    assert not asked.untold().lasts


@pytest.fixture
def freelancer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Freelancer]:
    with at_a_bench(tmp_path, monkeypatch) as made:
        yield made


def unread_of(freelancer: Freelancer) -> UnreadCases:
    ask = partial(running_cases, freelancer.client, freelancer.engagement)
    return UnreadCases(freelancer.engagement, freelancer.ledger, TurnedClock(), ask)


def test_a_real_case_is_unread_until_it_was_read(freelancer: Freelancer) -> None:
    unread = unread_of(freelancer)
    with pytest.raises(UnreadCaseError):
        unread.require_none()
    freelancer.cases.live(freelancer.name)
    unread.require_none()


def test_of_a_real_case_that_nobody_read_the_end_is_told(freelancer: Freelancer) -> None:
    freelancer.court.hearing.act(Role.CLIENT, Act.WITHDRAW)
    unread_of(freelancer).require_none()
