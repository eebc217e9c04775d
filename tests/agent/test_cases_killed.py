"""An act of the freelancer that dies by SIGKILL around its ledger and its verifier: made once."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from support.freelanced import Freelancer, at_a_bench
from workseal_agent.connection import VerifierClient
from workseal_agent.ledger import Ledger, SendState
from workseal_protocol.statement import Statement

# What ends a child that was to die and lived.
_LIVED: Final = 7


@pytest.fixture
def freelancer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Freelancer]:
    with at_a_bench(tmp_path, monkeypatch) as made:
        yield made


class Points:
    """Count where an act becomes durable or is sent, and die there."""

    def __init__(self, kill_at: int, *, before: bool) -> None:
        self.names: list[str] = []
        self._kill_at, self._before = kill_at, before

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        self.names.append(name)
        dies = len(self.names) == self._kill_at
        if dies and self._before:
            os.kill(os.getpid(), signal.SIGKILL)
        yield
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)

    def patch(self, patch: pytest.MonkeyPatch) -> None:
        """Make each transaction of the ledger and each submission a point."""
        write, submit = Ledger.write, VerifierClient.submit

        @contextmanager
        def counted(ledger: Ledger) -> Iterator[Any]:
            with self.at("ledger"), write(ledger) as writing:
                yield writing

        def sent(client: VerifierClient, *words: Any, **more: Any) -> Any:
            with self.at("submit"):
                return submit(client, *words, **more)

        patch.setattr(Ledger, "write", counted)
        patch.setattr(VerifierClient, "submit", sent)


def offer(freelancer: Freelancer) -> Statement | None:
    """Offer as the command does: what waits is settled first, and is the act that was typed."""
    cases, name = freelancer.cases, freelancer.name
    _, found = cases.settled(name)
    if found is None:
        statement = freelancer.signed("offer", text="half", amount="1.00")
        cases.keep_act(name, statement)
        assert cases.send(statement)
        assert cases.live(name).has(statement.digest)
    cases.told(name)
    return found


def dying(freelancer: Freelancer, folder: Path, kill_at: int, *, before: bool) -> int:
    """Offer in a child with connections of its own, which dies at a point; returns how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        with pytest.MonkeyPatch.context() as patch:
            Points(kill_at, before=before).patch(patch)
            offer(Freelancer(freelancer.court, folder, joined=True))
    except BaseException:  # noqa: BLE001 - nothing of the parent's may run on in the child
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(_LIVED)


def points_of(act: Callable[[], object]) -> list[str]:
    points = Points(0, before=True)
    with pytest.MonkeyPatch.context() as patch:
        points.patch(patch)
        act()
    return points.names


def trials_of(points: list[str]) -> list[tuple[int, bool]]:
    """Choose where to die: everywhere in the long form, else where most hangs on it."""
    if os.environ.get("WORKSEAL_LONG"):
        return [(n, before) for n in range(1, len(points) + 1) for before in (True, False)]
    kept, sent = points.index("ledger") + 1, points.index("submit") + 1
    return [(kept, True), (kept, False), (sent, False), (len(points), False)]


def test_an_act_that_is_killed_is_made_once_and_goes_on(
    freelancer: Freelancer, tmp_path: Path
) -> None:
    # Whoever reads a case first notes its hours: that is done by then.
    freelancer.cases.live(freelancer.name)
    court, points = freelancer.court, points_of(lambda: offer(freelancer))
    assert (points[0], points.count("submit")) == ("ledger", 1)
    live = freelancer.cases.live(freelancer.name)
    for number, before in trials_of(points):
        told = len(live.steps)
        court.turn(court.office.now + 1_000)
        ended = dying(freelancer, tmp_path, number, before=before)
        assert ended == -signal.SIGKILL, (points, number, before)
        # Once it was kept it is that one, and never a second beside it.
        again = offer(freelancer)
        assert (again is None) == ((number, before) == (1, True)), (points, number, before)
        live = freelancer.cases.live(freelancer.name)
        assert len(live.steps) == told + 1, (points, number, before)
        assert freelancer.state_of(live.steps[-1].statement) is SendState.RECEIPTED
        assert freelancer.cases.waiting(freelancer.name) == ()
    conflicts = court.office.verifier.services.conflicts
    assert list(conflicts.listing(court.agent.engagement)) == []
