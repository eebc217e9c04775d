from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.office import FakeClock
from workseal_protocol.digest import Digest
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.replay import SKEW_MS, WINDOW_MS, NonceMemory, SpentNonces
from workseal_verifier.store.access import AccessStore
from workseal_verifier.store.engine import Database

KEY, OTHER = Digest.of(b"key"), Digest.of(b"other")
NOW = 1_700_000_000_000


def reason(act: Callable[[], None]) -> Reason | None:
    try:
        act()
    except RefusedError as error:
        return error.reason
    return None


def nonce(number: int) -> bytes:
    return number.to_bytes(16)


@pytest.mark.parametrize(
    ("off_ms", "expected"),
    [
        (0, None),
        (WINDOW_MS, None),
        (-WINDOW_MS, None),
        (WINDOW_MS + 1_000, Reason.STALE),
        (-WINDOW_MS - 1_000, Reason.STALE),
    ],
)
def test_a_signature_is_taken_near_its_instant(off_ms: int, expected: Reason | None) -> None:
    memory = NonceMemory(FakeClock(NOW))
    assert reason(lambda: memory.require_near((NOW + off_ms) // 1000)) is expected


def test_a_nonce_is_taken_once_for_each_key() -> None:
    memory = NonceMemory(FakeClock(NOW))
    assert reason(lambda: memory.require_new(KEY, nonce(1))) is None
    assert reason(lambda: memory.require_new(KEY, nonce(1))) is Reason.STALE
    assert reason(lambda: memory.require_new(OTHER, nonce(1))) is None
    assert reason(lambda: memory.require_new(KEY, nonce(2))) is None


def test_a_nonce_is_remembered_as_long_as_its_signature_could_be_taken() -> None:
    """The latest instant that is taken at all lies one window ahead, and is taken one later."""
    clock = FakeClock(NOW)
    memory = NonceMemory(clock)
    created = (NOW + WINDOW_MS) // 1000
    memory.require_near(created)
    memory.require_new(KEY, nonce(1))
    clock.ms += 2 * WINDOW_MS
    memory.require_near(created)
    assert reason(lambda: memory.require_new(KEY, nonce(1))) is Reason.STALE
    clock.ms += 1_000
    assert reason(lambda: memory.require_near(created)) is Reason.STALE


@pytest.mark.parametrize(
    ("began_ms", "expected"),
    [(NOW, None), (NOW + 1_000, None), (NOW + 1_001, Reason.STALE), (NOW + 30_000, Reason.STALE)],
)
def test_what_was_signed_before_the_memory_began_is_not_remembered(
    began_ms: int, expected: Reason | None
) -> None:
    clock = FakeClock(began_ms)
    memory = NonceMemory(clock)
    clock.ms += 5_000
    assert reason(lambda: memory.require_remembered(NOW // 1000)) is expected


def test_what_is_forgotten_makes_room() -> None:
    clock = FakeClock(NOW)
    memory = NonceMemory(clock, most=2, of_a_key=2)
    for number in range(2):
        memory.require_new(KEY, nonce(number))
    assert reason(lambda: memory.require_new(KEY, nonce(2))) is Reason.BUSY
    clock.ms += 2 * WINDOW_MS + 1
    assert reason(lambda: memory.require_new(KEY, nonce(3))) is None
    assert len(memory._until) == 1
    assert memory._counts == {KEY: 1}


def test_one_key_takes_its_share_of_the_memory_and_no_more() -> None:
    memory = NonceMemory(FakeClock(NOW), most=3, of_a_key=2)
    for number in range(2):
        memory.require_new(KEY, nonce(number))
    assert reason(lambda: memory.require_new(KEY, nonce(2))) is Reason.BUSY
    assert reason(lambda: memory.require_new(OTHER, nonce(2))) is None
    assert reason(lambda: memory.require_new(OTHER, nonce(3))) is Reason.BUSY


# --- what changes something ---


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AccessStore]:
    database = Database(tmp_path / "log.db")
    database.create()
    yield AccessStore(database)
    database.close()


def test_what_changes_something_is_taken_once_by_all_workers(store: AccessStore) -> None:
    first, second = SpentNonces(store), SpentNonces(store)
    second_s = NOW // 1000
    assert reason(lambda: first.require_new(KEY, nonce(1), created_s=second_s)) is None
    assert reason(lambda: second.require_new(KEY, nonce(1), created_s=second_s)) is Reason.STALE
    assert reason(lambda: second.require_new(OTHER, nonce(1), created_s=second_s)) is None
    assert reason(lambda: second.require_new(KEY, nonce(2), created_s=second_s)) is None


def test_a_host_whose_clock_is_ahead_forgets_no_nonce_that_another_would_take(
    store: AccessStore,
) -> None:
    spent = SpentNonces(store)
    created = NOW // 1000
    spent.require_new(KEY, nonce(1), created_s=created)
    store.clear(NOW + WINDOW_MS + SKEW_MS - 1)
    assert reason(lambda: spent.require_new(KEY, nonce(1), created_s=created)) is Reason.STALE
    store.clear(NOW + WINDOW_MS + SKEW_MS)
    assert reason(lambda: spent.require_new(KEY, nonce(1), created_s=created)) is None
