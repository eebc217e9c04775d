"""How much may be worked: the tolerance between two clocks belongs to a round."""

import pytest

from support.shaped import first_round, shaped
from workseal_protocol.chain import ChainError
from workseal_protocol.records import DeclarationForm, SegmentState


def test_no_work_in_no_time() -> None:
    agent = shaped()
    agent.open_session()
    agent.part(first_round(agent), 500, 500, worked=1)
    with pytest.raises(ChainError, match="worked in no time"):
        agent.send()


def test_a_segment_without_length_may_tell_of_no_work() -> None:
    agent = shaped()
    agent.open_session()
    agent.part(first_round(agent), 500, 500)
    agent.send()


@pytest.mark.parametrize(("more", "holds"), [(10, True), (11, False)])
def test_many_short_segments_share_the_tolerance_of_their_round(more: int, *, holds: bool) -> None:
    agent = shaped(capture_rate=0)
    agent.open_session()
    number = first_round(agent)
    for place in range(10):
        agent.part(number, 100 * place, 100 * place + 1, worked=1 + (more // 2) * (place in {2, 5}))
    agent.part(number, 2000, 2010, worked=10 + more % 2)
    if holds:
        agent.send()
        # The next round has a tolerance of its own.
        agent.part(number + 1, 0, 1, worked=11)
        agent.send()
    else:
        with pytest.raises(ChainError, match="31 ms worked in 20 ms of round"):
            agent.send()


def test_the_tolerance_never_makes_a_round_longer() -> None:
    agent = shaped(capture_rate=0)
    agent.open_session()
    number = first_round(agent)
    agent.part(number, 0, 5000, worked=5005)
    agent.part(number, 5000, 10_000, worked=4996)
    with pytest.raises(ChainError, match="more work than it is long"):
        agent.send()


@pytest.mark.parametrize(("worked", "holds"), [(5000, True), (5001, False)])
def test_a_live_declaration_tells_of_no_more_work_than_its_segments(
    worked: int, *, holds: bool
) -> None:
    agent = shaped(capture_rate=0)
    agent.open_session()
    number = first_round(agent)
    agent.part(number, 0, 1000)
    agent.part(number, 1000, 3000, state=SegmentState.OFF_SCREEN)
    # A pause of almost three rounds is a pause like any other.
    agent.part(number + 3, 0, 3000, state=SegmentState.OFF_SCREEN)
    agent.part(number + 3, 3000, 9000)
    start = number * agent.terms.round_ms
    agent.told(DeclarationForm.LIVE, start + 1000, start + 33_000, worked)
    if holds:
        agent.send()
    else:
        with pytest.raises(ChainError, match=r"tells of 5001 ms worked, its segments of 5000"):
            agent.send()


@pytest.mark.parametrize(
    ("begin", "end", "holds"),
    [
        pytest.param(1000, 3000, True, id="what was recorded"),
        pytest.param(999, 3000, False, id="from before it"),
        pytest.param(1000, 3001, False, id="until after it"),
    ],
)
def test_a_live_declaration_reaches_beyond_no_segment(begin: int, end: int, *, holds: bool) -> None:
    agent = shaped(capture_rate=0)
    agent.open_session()
    number = first_round(agent)
    agent.part(number, 1000, 3000, state=SegmentState.OFF_SCREEN)
    start = number * agent.terms.round_ms
    agent.verifier.now = start + 20_000
    agent.told(DeclarationForm.LIVE, start + begin, start + end, 2000)
    if holds:
        agent.send()
    else:
        with pytest.raises(ChainError, match="reaches beyond off-screen segments"):
            agent.send()
