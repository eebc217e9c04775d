"""How much of a frame an answer in a case may show: counted before anything is signed or sealed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.freelanced import Freelancer, Kept, asked_in_case, at_a_bench, opened_of
from workseal_agent.disclose import Answer, Portion
from workseal_agent.errors import AgentError
from workseal_agent.ledger import SendState
from workseal_protocol.keys import Role
from workseal_protocol.records import Act
from workseal_protocol.statement import Kind


@pytest.fixture
def freelancer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Freelancer]:
    with at_a_bench(tmp_path, monkeypatch) as made:
        yield made


def own(freelancer: Freelancer) -> list[SendState]:
    kind = Kind.DISPUTE_DISCLOSURE
    return [one.state for one in freelancer.ledger.of_kind(freelancer.engagement.id, kind)]


def test_at_level_2_few_tiles_of_a_frame_are_shown_by_all_answers_together(
    freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, row, frame = asked_in_case(freelancer, monkeypatch)
    cases, vault, tiles = freelancer.cases, Kept(), frame.tree.header.grid.count
    assert 1 < tiles <= 8
    # Nothing of the case was read here: nothing is known, and nothing is refused yet.
    assert Portion.of(cases.folder, request) is None

    def sign(*shown: int) -> Answer:
        opened = [opened_of(row, frame, shown)]
        now = freelancer.court.office.now
        return cases.sign(request, opened, freelancer.signer, vault, wall_ms=lambda: now)

    for many in ((0, 1), tuple(range(tiles))):
        with pytest.raises(AgentError, match=f"{len(many)} of {tiles} tiles would be seen.* 1 at"):
            sign(*many)
    assert own(freelancer) == []
    portion = Portion.of(cases.folder, request)
    assert portion is not None
    assert (portion.level, portion.answers, portion.most_of(16)) == (2, frozenset(), 2)
    first = sign(0)
    cases.deliver_sealed_only(first, first.package(), vault)
    freelancer.court.hearing.follow(first.statement, freelancer.court.office.now)
    assert own(freelancer) == [SendState.RECEIPTED]
    # Another request at the same level: the same tile may be shown again, and no other one.
    cases.live(freelancer.name)
    again = Portion.of(cases.folder, request)
    assert again == replace(portion, answers=frozenset({first.statement.digest}))
    cases.require_portions(request, [opened_of(row, frame, (0,))], vault)
    with pytest.raises(AgentError, match=f"saw of it before, 2 of {tiles} tiles would be known"):
        cases.require_portions(request, [opened_of(row, frame, (1,))], vault)
    # What was taken back does not count.
    freelancer.court.hearing.act(
        Role.FREELANCER, Act.CLAW_BACK, cites=(first.statement.digest,), text="the wrong place"
    )
    cases.live(freelancer.name)
    cases.require_portions(request, [opened_of(row, frame, (1,))], vault)


def test_what_stands_in_no_case_has_no_ladder(
    freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, row, frame = asked_in_case(freelancer, monkeypatch)
    freelancer.cases.live(freelancer.name)
    beside = replace(request, record=replace(request.record, place=None))
    assert Portion.of(freelancer.cases.folder, beside) is None
    whole = opened_of(row, frame, tuple(range(frame.tree.header.grid.count)))
    freelancer.cases.require_portions(beside, [whole], Kept())
    with pytest.raises(AgentError):
        freelancer.cases.require_portions(request, [whole], Kept())
