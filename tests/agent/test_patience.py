import threading

import pytest

from workseal_agent.daemon.patience import Patience


class Hanging:
    """Hang until released, and count how often that was asked for."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.calls = 0
        self.threads: list[threading.Thread] = []

    def __call__(self) -> str:
        self.calls += 1
        self.threads.append(threading.current_thread())
        self.released.wait()
        return "late"

    def release(self) -> None:
        self.released.set()
        for thread in self.threads:
            thread.join()


def test_gives_what_the_action_gives() -> None:
    patience = Patience(60)
    assert patience.wait_for(lambda: 1) == 1
    with pytest.raises(KeyError):
        patience.wait_for(lambda: dict[str, int]()["nothing"])
    assert patience.wait_for(lambda: 2) == 2


def test_a_call_that_hangs_is_not_waited_for_and_not_repeated() -> None:
    hanging, patience = Hanging(), Patience(0.01)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            patience.wait_for(hanging)
    assert hanging.calls == 1
    hanging.release()


def test_what_comes_late_is_dropped_and_the_next_call_is_made() -> None:
    hanging, patience = Hanging(), Patience(0.01)
    with pytest.raises(TimeoutError):
        patience.wait_for(hanging)
    hanging.release()
    patience._seconds = 60
    assert patience.wait_for(lambda: "new") == "new"


def test_the_end_of_the_process_waits_for_nothing_that_hangs() -> None:
    hanging, patience = Hanging(), Patience(0.01)
    with pytest.raises(TimeoutError):
        patience.wait_for(hanging)
    assert all(thread.daemon for thread in hanging.threads)
    hanging.release()
