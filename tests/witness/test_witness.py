import base64
import logging
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.rivals import NOW, die_at, forked, race, race_alone, require_one_history
from support.twofaced import Leaves, TwoFacedLog
from workseal_protocol.checkpoint import SignedCheckpoint, cosign, verified_cosignatures, verify_log
from workseal_protocol.digest import Digest
from workseal_protocol.keys import SeedSigner
from workseal_protocol.merkle import root_of
from workseal_protocol.witness import Seen, monitoring_path, parse_size
from workseal_witness.errors import RestoredError, StoreError
from workseal_witness.home import Home, opened, witness_of
from workseal_witness.store import MAX_FORKS, Fork, Store
from workseal_witness.witness import SIZE

from .conftest import Stage, copy_of

RACERS = 8
SIZES = range(1, 25)


def test_cosigns_what_continues_the_log_with_both_keys(stage: Stage) -> None:
    leaves = stage.log.history(7)
    first = stage.ask(0, leaves[:3])
    assert (first.status, stage.times(first, leaves[:3])) == (200, [NOW, NOW])
    stage.now += 5
    grown = stage.ask(3, leaves)
    assert (grown.status, stage.times(grown, leaves)) == (200, [NOW + 5, NOW + 5])


def test_an_unchanged_log_gets_a_fresh_time(stage: Stage) -> None:
    leaves = stage.log.history(7)
    stage.ask(0, leaves)
    stage.now += 600
    again = stage.ask(7, leaves)
    assert stage.times(again, leaves) == [NOW + 600, NOW + 600]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"nonsense", 400),
        (b"old 0\n\nempty.example/log\n0\n" + base64.b64encode(bytes(32)) + b"\n\n", 400),
        (TwoFacedLog("stranger.example/log").request(0, ()), 404),
        (TwoFacedLog(seed=b"\x09" * 32).request(0, ()), 403),
        (TwoFacedLog().request(9, TwoFacedLog().history(3)), 400),
    ],
)
def test_answers_with_the_status_of_the_specification(
    stage: Stage, body: bytes, status: int
) -> None:
    assert stage.witness.add_checkpoint(body).status == status


def test_an_empty_log_with_another_root_is_unprocessable(stage: Stage) -> None:
    body = stage.log.request(0, ())
    other = base64.b64encode(bytes(32)) + b"\n"
    lines = body.split(b"\n")
    lines[4] = other.rstrip(b"\n")
    assert stage.witness.add_checkpoint(b"\n".join(lines)).status == 422


def test_names_its_own_size_when_asked_from_another(stage: Stage) -> None:
    stage.ask(0, stage.log.history(7))
    answer = stage.ask(5, stage.log.history(9))
    assert (answer.status, answer.media, parse_size(answer.body)) == (409, SIZE, 7)


@pytest.mark.parametrize("size", SIZES)
def test_refuses_a_fork_at_every_size_and_keeps_the_proof(
    stage: Stage, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    true, lie = stage.log.history(size), stage.log.history(size, size - 1)
    stage.ask(0, true)
    assert stage.ask(size, lie).status == 422
    assert stage.ask(size, stage.log.history(size + 9, size - 1)).status == 422
    (kept,) = forks_of(stage.home)
    for note, leaves in ((kept.cosigned, true), (kept.refused, lie)):
        signed = SignedCheckpoint.parse(note)
        verify_log(signed, stage.log.key)
        assert (signed.checkpoint.size, signed.checkpoint.root.raw) == (size, root_of(leaves))
    assert f"two trees of size {size}" in caplog.text


def test_keeps_a_fork_that_is_asked_from_a_wrong_size(stage: Stage) -> None:
    stage.ask(0, stage.log.history(7))
    assert stage.ask(0, stage.log.history(7, 3)).status == 409
    assert len(forks_of(stage.home)) == 1


def test_a_refused_proof_alone_is_no_fork(stage: Stage) -> None:
    stage.ask(0, stage.log.history(7))
    assert stage.ask(7, stage.log.history(9, 3)).status == 422
    assert forks_of(stage.home) == []


def test_keeps_only_lines_that_it_verified(stage: Stage) -> None:
    """A stranger's line beside the log's would be shown to monitors under the witness's eyes."""
    signed = stage.log.signed(stage.log.history(3))
    stranger = cosign(signed.checkpoint, "stranger.example/w", SeedSigner(b"\x07" * 32), NOW)
    body = b"old 0\n\n" + SignedCheckpoint(signed.checkpoint, (*signed.lines, stranger)).encode()
    assert stage.witness.add_checkpoint(body).status == 200
    shown = stage.witness.newest(monitoring_path(stage.log.key.name))
    assert shown is not None
    assert b"stranger" not in shown


def test_shows_monitors_what_it_cosigned(stage: Stage) -> None:
    path = monitoring_path(stage.log.key.name)
    assert stage.witness.newest(path) is None
    leaves = stage.log.history(5)
    stage.ask(0, leaves)
    shown = stage.witness.newest(path)
    assert shown is not None
    signed = SignedCheckpoint.parse(shown)
    verify_log(signed, stage.log.key)
    found = verified_cosignatures(signed, stage.keys)
    assert [one.timestamp for one in found] == [NOW, NOW]
    assert stage.witness.newest(monitoring_path("another.example/log")) is None


def test_does_not_sign_a_time_before_its_last(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    leaves = stage.log.history(5)
    stage.ask(0, leaves[:2])
    stage.now -= 2
    assert stage.times(stage.ask(2, leaves[:3]), leaves[:3]) == [NOW, NOW]
    stage.now -= 1
    assert stage.ask(3, leaves).status == 503
    assert "3 s behind" in caplog.text
    stage.now = NOW + 1
    assert stage.ask(3, leaves).status == 200


def test_a_repeated_request_costs_no_write(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    leaves = stage.log.history(5)
    first = stage.ask(0, leaves)
    monkeypatch.setattr("workseal_witness.store.Transaction.put_seen", None)
    again = stage.ask(5, leaves)
    assert stage.times(again, leaves) == stage.times(first, leaves)


def test_signs_nothing_when_the_store_fails(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("the database refused: SQLITE_IOERR")

    monkeypatch.setattr("workseal_witness.store.Transaction.put_seen", refuse)
    monkeypatch.setattr("workseal_witness.witness.cosign", None)
    answer = stage.ask(0, stage.log.history(5))
    assert answer.status == 503
    assert b"SQLITE" not in answer.body
    assert "SQLITE_IOERR" in caplog.text


def test_is_durable_before_it_signs(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at the file at the moment of signing finds what is signed."""
    found: list[Seen | None] = []

    def looking(*arguments: object) -> object:
        other = Store(stage.home.database)
        with other.write() as reading:
            row = reading.seen(stage.log.key.name)
        other.close()
        found.append(None if row is None else row.seen)
        return cosign(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("workseal_witness.witness.cosign", looking)
    leaves = stage.log.history(5)
    stage.ask(0, leaves)
    assert found == [Seen(5, Digest(root_of(leaves)))] * 2


def test_a_restored_database_signs_nothing_below_its_mark(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    leaves = stage.log.history(9)
    stage.ask(0, leaves[:3])
    backup = copy_of(stage.home.database)
    stage.ask(3, leaves)
    backup(stage.home.database)
    with opened(stage.home) as state:
        restored = witness_of(stage.home, state, lambda: NOW)
        forked = stage.log.history(9, 5)
        assert restored.add_checkpoint(stage.log.request(3, forked)).status == 503
        assert "a backup was restored" in caplog.text
        # What it has cosigned since is no longer known: nothing else is shown in its place.
        with pytest.raises(RestoredError):
            restored.newest(monitoring_path(stage.log.key.name))


def test_a_database_from_before_the_first_cosignature_shows_nothing(stage: Stage) -> None:
    backup = copy_of(stage.home.database)
    stage.ask(0, stage.log.history(3))
    backup(stage.home.database)
    with opened(stage.home) as state:
        restored = witness_of(stage.home, state)
        with pytest.raises(RestoredError):
            restored.newest(monitoring_path(stage.log.key.name))


def test_a_restored_copy_of_the_same_size_goes_on(stage: Stage) -> None:
    leaves = stage.log.history(9)
    stage.ask(0, leaves[:3])
    backup = copy_of(stage.home.database)
    backup(stage.home.database)
    with opened(stage.home) as state:
        restored = witness_of(stage.home, state, lambda: NOW)
        assert restored.add_checkpoint(stage.log.request(3, leaves)).status == 200


def test_nothing_of_a_request_is_logged(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stage.ask(0, stage.log.history(5))
    stage.witness.add_checkpoint(b"secret words")
    assert caplog.text == ""


# --- races --------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    asked=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.booleans()), max_size=25),
    fork=st.integers(0, 11),
    word=st.uuids(),
)
def test_whatever_is_asked_one_history_is_cosigned(
    stage: Stage, asked: list[tuple[int, int, bool]], fork: int, word: object
) -> None:
    log = TwoFacedLog(f"log.example/{word}")
    stage.witness.trust([log.key])
    histories = {True: log.history(12), False: log.history(12, fork)}
    cosigned: list[Leaves] = [()]
    for old, size, true in asked:
        leaves = histories[true][:size]
        if stage.witness.add_checkpoint(log.request(old, leaves)).status == 200:
            cosigned.append(leaves)
    require_one_history(cosigned)


def test_of_racing_threads_one_fork_is_cosigned_at_each_size(stage: Stage) -> None:
    def ask(seed: int, history: Leaves) -> int:
        return race(stage.witness, history, seed)

    with ThreadPoolExecutor(RACERS) as pool:
        require_one_winner(lambda history: list(pool.map(ask, range(RACERS), [history] * RACERS)))
    assert len(forks_of(stage.home)) == MAX_FORKS


def test_of_racing_processes_one_fork_is_cosigned_at_each_size(stage: Stage) -> None:
    folders = [stage.home.folder] * RACERS
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(RACERS // 2, mp_context=spawned) as pool:
        require_one_winner(
            lambda history: list(pool.map(race_alone, folders, [history] * RACERS, range(RACERS)))
        )
    assert len(forks_of(stage.home)) == MAX_FORKS


@pytest.mark.parametrize(("step", "remembered"), [("commit", 3), ("signature", 5)])
def test_killed_on_the_way_it_cosigns_no_second_history(
    stage: Stage, step: str, remembered: int
) -> None:
    stage.ask(0, stage.log.history(3))
    body = stage.log.request(3, stage.log.history(5))
    spawned = multiprocessing.get_context("spawn")
    dying = spawned.Process(target=die_at, args=(step, stage.home.folder, body))
    dying.start()
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    asked_again = stage.witness.add_checkpoint(body)
    if remembered == 3:
        assert asked_again.status == 200
    else:
        assert parse_size(asked_again.body) == 5
        assert stage.ask(5, stage.log.history(5)).status == 200
    assert stage.ask(5, stage.log.history(5, 4)).status == 422


def require_one_winner(round_: Callable[[Leaves], list[int]]) -> None:
    history: Leaves = ()
    for _ in SIZES:
        statuses = round_(history)
        assert sorted(statuses) == [200, *[409] * (RACERS - 1)]
        history = forked(history, statuses.index(200))


def forks_of(home: Home) -> list[Fork]:
    store = Store(home.database)
    with store.write() as reading:
        kept = reading.forks()
    store.close()
    return kept
