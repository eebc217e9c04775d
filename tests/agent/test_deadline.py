import threading

import pytest

from workseal_agent.daemon.deadline import Deadline, OverdueError


def test_gives_what_the_work_gives_or_raises() -> None:
    assert Deadline(lambda: 7, 20)() == 7

    def fails() -> int:
        raise TimeoutError("the work's own")

    with pytest.raises(TimeoutError, match="own"):
        Deadline(fails, 20)()


def test_does_not_wait_behind_work_that_is_overdue() -> None:
    gate = threading.Event()
    begun: list[int] = []

    def slow() -> int:
        begun.append(1)
        gate.wait(20)
        return len(begun)

    patient = Deadline(slow, 0.05)
    for _ in range(3):
        with pytest.raises(OverdueError):
            patient()
    assert begun == [1]
    gate.set()
    while True:
        try:
            assert patient() == 2
        except OverdueError:
            continue
        break
