import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.office import FakeClock
from support.twofaced import Leaves, TwoFacedLog
from support.witnessed import Stand, stands
from workseal_protocol.merkle import consistency_path
from workseal_protocol.witness import AddCheckpoint, encode_size
from workseal_verifier.services.outside import Lines, Outside, Peer, Round, Standing

LOG = TwoFacedLog()


class Asked:
    """A peer under test, asked for one checkpoint after another."""

    def __init__(self, stand: Stand, clock: FakeClock, outside: Outside | None = None) -> None:
        self.reports = 0
        self.reach = 0
        self.stand = stand
        self.clock = clock
        self.peer = Peer(outside or stand.outside, LOG.key, lambda: self.reach, clock, self._report)

    def _report(self) -> None:
        self.reports += 1

    def ask(self, leaves: Leaves) -> Lines:
        round_ = round_of(leaves)
        self.reach = max(self.reach, len(leaves))
        self.peer.ask(round_)
        round_.wait(20)
        return round_.lines

    @property
    def olds(self) -> list[int]:
        """Give the old sizes that arrived, in order."""
        return [AddCheckpoint.parse(body).old for _, body in self.stand.asked if body is not None]


def round_of(leaves: Leaves, enough: Callable[[Lines], bool] = bool, prove: object = None) -> Round:
    signed = LOG.signed(leaves)

    def proof(old: int) -> tuple[bytes, ...]:
        return consistency_path(leaves, old)

    return Round(signed, signed, proof if prove is None else prove, enough, waiting=1)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_795_000_000_000)


@pytest.fixture
def stand(tmp_path: Path, clock: FakeClock) -> Iterator[Stand]:
    with stands(tmp_path, ["w"], LOG.key, lambda: clock.ms // 1000) as (one,):
        yield one


@pytest.fixture
def asked(stand: Stand, clock: FakeClock) -> Iterator[Asked]:
    made = Asked(stand, clock)
    yield made
    made.peer.end()


def test_begins_at_0_and_then_knows_where_the_witness_is(asked: Asked) -> None:
    leaves = LOG.history(9)
    for size in (3, 5, 5, 9):
        assert list(asked.ask(leaves[:size])) == list(asked.stand.keys)
    assert asked.olds == [0, 3, 5, 5]
    assert (asked.peer.standing, asked.peer.size) == (Standing.COSIGNS, 9)


def test_after_a_start_it_is_told_where_the_witness_is(asked: Asked, clock: FakeClock) -> None:
    leaves = LOG.history(9)
    asked.ask(leaves[:5])
    restarted = Asked(asked.stand, clock)
    assert restarted.ask(leaves)
    assert asked.olds == [0, 0, 5]
    restarted.peer.end()


def test_sends_no_proof_where_none_is_needed(asked: Asked) -> None:
    def never(_: int) -> tuple[bytes, ...]:
        raise AssertionError("a proof was asked for")

    leaves = LOG.history(4)
    for _ in range(2):
        round_ = round_of(leaves, prove=never)
        asked.peer.ask(round_)
        assert round_.wait(20)


def test_a_lost_answer_is_found_again(asked: Asked) -> None:
    """The witness has stored it, and the answer was lost on the way."""
    leaves = LOG.history(9)
    asked.ask(leaves[:3])

    def lost(path: str, body: bytes | None) -> tuple[int, bytes]:
        asked.stand.really(path, body)
        raise OSError("no whole answer in 5 s")

    asked.stand.instead = lost
    assert asked.ask(leaves[:7]) == {}
    assert asked.peer.standing is Standing.SILENT
    asked.stand.instead = None
    assert asked.ask(leaves[:7])
    assert asked.ask(leaves)
    assert asked.olds == [0, 3, 3, 7, 7]


def test_another_history_stops_the_witness_for_good(
    asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    asked.ask(LOG.history(5))
    assert asked.ask(LOG.history(8, 3)) == {}
    assert asked.peer.standing is Standing.STOPPED
    requests = len(asked.stand.asked)
    for size in (8, 9, 10):
        assert asked.ask(LOG.history(size)) == {}
    assert len(asked.stand.asked) == requests
    (told,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert "witness w has seen another history" in told.getMessage()
    assert asked.reports == 2


def test_a_conflict_that_names_the_size_asked_from_is_another_history_too(asked: Asked) -> None:
    """So did witnesses of tlog-witness 1.0."""
    leaves = LOG.history(5)
    asked.ask(leaves)
    asked.stand.instead = lambda *_: (409, encode_size(5))
    assert asked.ask(LOG.history(5, 2)) == {}
    assert asked.peer.standing is Standing.STOPPED


def test_a_conflict_that_contradicts_itself_is_no_other_history(asked: Asked) -> None:
    """Else one wrong answer would stop a witness that the quorum needs, until a restart."""
    leaves = LOG.history(9)
    asked.ask(leaves[:3])
    asked.stand.instead = lambda *_: (409, encode_size(0))
    assert asked.ask(leaves[:5]) == {}
    assert asked.peer.standing is Standing.SILENT
    asked.stand.instead = None
    assert list(asked.ask(leaves[:7])) == list(asked.stand.keys)


def test_never_believes_more_than_the_log_has(
    asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    asked.stand.instead = lambda *_: (409, encode_size(1_000))
    for _ in range(3):
        assert asked.ask(LOG.history(5)) == {}
    assert asked.olds == [0, 0, 0]
    assert (asked.peer.standing, asked.peer.size) == (Standing.AHEAD, 0)
    assert caplog.text.count("it names size 1000, and this log has 5") == 1
    asked.stand.instead = None
    assert asked.ask(LOG.history(6))
    assert asked.peer.standing is Standing.COSIGNS


def test_a_witness_that_is_further_is_not_asked_for_less(asked: Asked) -> None:
    leaves = LOG.history(9)
    asked.ask(leaves)
    assert asked.ask(leaves[:5]) == {}
    assert asked.olds == [0]
    assert asked.peer.standing is Standing.COSIGNS


def test_a_witness_that_forgot_is_told_of_and_goes_on(
    asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    leaves = LOG.history(9)
    asked.ask(leaves[:5])
    forgetful = [(409, encode_size(2))]

    def once(path: str, body: bytes | None) -> tuple[int, bytes]:
        return forgetful.pop() if forgetful else asked.stand.really(path, body)

    asked.stand.instead = once
    assert asked.ask(leaves)
    assert "has forgotten what it cosigned: it cosigned size 5, and now names 2" in caplog.text


def test_an_endless_dispute_about_sizes_ends(asked: Asked) -> None:
    named = iter(range(1, 100))
    asked.stand.instead = lambda *_: (409, encode_size(next(named)))
    assert asked.ask(LOG.history(50)) == {}
    assert len(asked.stand.asked) == 3


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((403, b"no\n"), "it answered 403"),
        ((404, b"no\n"), "it answered 404"),
        ((500, b""), "it answered 500"),
        ((301, b""), "it answered 301"),
        ((200, b""), "signature lines"),
        ((200, b"nonsense\n"), "signature line"),
        ((409, b"seven\n"), "expected a size"),
    ],
)
def test_any_other_answer_is_none_and_is_asked_again(
    asked: Asked, answer: tuple[int, bytes], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    asked.stand.instead = lambda *_: answer
    for _ in range(2):
        assert asked.ask(LOG.history(5)) == {}
    assert asked.peer.standing is Standing.SILENT
    assert caplog.text.count(told) == 1
    asked.stand.instead = None
    assert asked.ask(LOG.history(5))


def test_a_mistake_of_ours_does_not_end_the_thread(asked: Asked) -> None:
    def broken(_: int) -> tuple[bytes, ...]:
        raise ZeroDivisionError

    asked.ask(LOG.history(3))
    round_ = round_of(LOG.history(5), prove=broken)
    asked.peer.ask(round_)
    assert not round_.wait(20)
    assert asked.ask(LOG.history(5))


def test_a_cosignature_of_another_key_or_another_tree_counts_for_nothing(
    asked: Asked, clock: FakeClock, tmp_path: Path
) -> None:
    with stands(tmp_path / "more", ["other"], LOG.key, lambda: clock.ms // 1000) as (other,):
        asked.stand.instead = other.really
        assert asked.ask(LOG.history(3)) == {}
        asked.stand.instead = lambda path, _body: asked.stand.really(
            path, LOG.request(0, LOG.history(2))
        )
        assert asked.ask(LOG.history(3)) == {}
    assert asked.peer.standing is Standing.SILENT


@pytest.mark.parametrize(("seconds", "kept"), [(-7, False), (-5, True), (5, True), (6, False)])
def test_a_cosignature_of_another_time_counts_for_nothing(
    asked: Asked, clock: FakeClock, seconds: int, *, kept: bool
) -> None:
    """Stored, it would spoil every bundle: bounds of two clocks may differ by five seconds."""

    def off(path: str, body: bytes | None) -> tuple[int, bytes]:
        clock.ms += 1000 * seconds
        answer = asked.stand.really(path, body)
        clock.ms -= 1000 * seconds
        return answer

    asked.stand.instead = off
    assert bool(asked.ask(LOG.history(3))) is kept


def test_what_waits_is_the_newest_checkpoint_alone(asked: Asked) -> None:
    leaves = LOG.history(9)
    asked.stand.open.clear()
    rounds = [round_of(leaves[:size]) for size in (3, 5, 9)]
    asked.peer.ask(rounds[0])
    while not asked.stand.asked:
        threading.Event().wait(0.01)
    for round_ in rounds[1:]:
        asked.peer.ask(round_)
    # The one in the middle will not be asked for: nobody waits for it any longer.
    assert rounds[1].waiting == 0
    asked.stand.open.set()
    assert rounds[2].wait(20)
    assert asked.olds == [0, 3]


def test_what_is_over_is_not_asked_for(asked: Asked) -> None:
    round_ = round_of(LOG.history(3))
    assert not round_.wait(0)
    asked.peer.ask(round_)
    with round_.changed:
        assert round_.changed.wait_for(lambda: not round_.waiting, 20)
    assert asked.ask(LOG.history(4))
    assert asked.olds == [0]


def test_a_line_that_comes_when_all_is_over_changes_nothing(asked: Asked) -> None:
    """The checkpoint is put together meanwhile, from the lines that came in time."""
    leaves = LOG.history(3)
    lines = asked.ask(leaves)
    round_ = round_of(leaves)
    assert lines
    assert not round_.wait(0)
    round_.answered(lines)
    assert (round_.lines, round_.waiting) == ({}, 0)
    assert round_.result() == round_.signed


def test_a_witness_of_two_keys_is_asked_once(
    stand: Stand, clock: FakeClock, tmp_path: Path
) -> None:
    with stands(tmp_path / "more", ["pq"], LOG.key, lambda: clock.ms // 1000) as (second,):
        both = Outside({"one": stand.keys[0], "two": second.keys[0]}, stand.send)

        def two(path: str, body: bytes | None) -> tuple[int, bytes]:
            (status, one), (_, other) = stand.really(path, body), second.really(path, body)
            return status, one + other

        stand.instead = two
        asked = Asked(stand, clock, both)
        assert set(asked.ask(LOG.history(3))) == {stand.keys[0], second.keys[0]}
        assert len(stand.asked) == 1
        asked.peer.end()


@pytest.mark.parametrize("wrong", ["down", "none", "error", "nonsense", "stranger"])
def test_a_sighting_counts_only_if_the_log_signed_it(
    asked: Asked, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Else one witness could stop the log's start by naming a size."""
    leaves = LOG.history(5)
    asked.ask(leaves)
    (seen,) = asked.peer.sighting()
    assert (seen.name, seen.size, seen.root) == ("w", 5, LOG.signed(leaves).checkpoint.root.raw)
    stranger = TwoFacedLog(seed=b"\x08" * 32)
    answers = {
        "none": (404, b""),
        "error": (500, b""),
        "nonsense": (200, b"nonsense"),
        "stranger": (200, stranger.signed(stranger.history(99)).encode()),
    }
    asked.stand.instead = lambda *_: answers[wrong]
    if wrong == "down":
        asked.stand.down()
    assert asked.peer.sighting() == []
    assert ("witness w shows nothing" in caplog.text) == (wrong != "none")
