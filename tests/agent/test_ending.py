import signal
import threading
from collections.abc import Iterator

import pytest

from workseal_agent.daemon.ending import on_end_signals

NUMBERS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_is_heard_while_the_main_thread_holds_what_the_act_needs(
    number: signal.Signals,
) -> None:
    lock, ended = threading.Lock(), threading.Event()

    def act() -> None:
        # A handler that did this itself would give up here, its own thread holding the lock.
        if lock.acquire(timeout=10):
            lock.release()
            ended.set()

    on_end_signals(act)
    with lock:
        signal.raise_signal(number)
        assert not ended.is_set()
    assert ended.wait(20)


def test_it_is_heard_again() -> None:
    heard = threading.Semaphore(0)
    on_end_signals(heard.release)
    for _ in range(3):
        signal.raise_signal(signal.SIGTERM)
        assert heard.acquire(timeout=20)
