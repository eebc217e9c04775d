import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from support.scripted import Story
from workseal_protocol.cli import processes
from workseal_protocol.cli.processes import Processes, checker_for
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.verify import PARTS, Foreseen, ahead

from .conftest import Run

LARGE = bytes(processes.LEAST_BYTES)


@pytest.fixture
def named(story: Story) -> set[bytes]:
    """Name everything that can be foreseen of the story's bundle, and that holds."""
    foreseen = Foreseen(story.bundle().encode(), story.policy)
    joined = b"".join(map(foreseen.held, range(PARTS)))
    return {joined[at : at + 32] for at in range(0, len(joined), 32)}


def begun(story: Story, count: int = 2) -> Processes:
    return Processes(count, story.bundle().encode(), story.policy)


def test_processes_name_what_holds(story: Story, named: set[bytes]) -> None:
    before = set(Path("/proc/self/fd").iterdir())
    hands = begun(story)
    try:
        assert hands.held() == named
        assert len(named) > len(story.contents.statements)
    finally:
        hands.close()
    assert not multiprocessing.active_children()
    assert set(Path("/proc/self/fd").iterdir()) <= before


def test_what_nobody_has_begun_is_done_by_who_asks(story: Story, named: set[bytes]) -> None:
    hands = begun(story)
    try:
        children = multiprocessing.active_children()
        for child in children:
            os.kill(child.pid or 0, signal.SIGSTOP)

        def go_on() -> None:
            for child in children:
                os.kill(child.pid or 0, signal.SIGCONT)

        resumed = threading.Timer(0.5, go_on)
        resumed.start()
        assert hands.held() == named
        resumed.join()
    finally:
        hands.close()


def test_a_process_that_ends_early_vouches_for_no_more_than_it_did(
    story: Story, named: set[bytes]
) -> None:
    hands = begun(story)
    try:
        for child in multiprocessing.active_children():
            child.kill()
            child.join()
        assert hands.held() <= named
    finally:
        hands.close()


def test_a_process_that_ends_in_the_middle_leaves_the_rest(story: Story, named: set[bytes]) -> None:
    hands = begun(story)
    try:
        children = multiprocessing.active_children()
        for child in children:
            os.kill(child.pid or 0, signal.SIGSTOP)
        for child in children:
            child.kill()
        assert hands.held() <= named
    finally:
        hands.close()


def test_who_interrupts_the_command_does_not_interrupt_its_processes(
    story: Story, named: set[bytes]
) -> None:
    hands = begun(story, 1)
    try:
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGINT)
        assert hands.held() == named
    finally:
        hands.close()


def test_processes_that_were_ended_vouch_for_nothing(story: Story) -> None:
    hands = begun(story, 1)
    hands.close()
    assert hands.held() == frozenset()


@pytest.mark.parametrize("possible", [0, 1])
def test_where_not_all_can_be_begun_the_others_do_it(
    monkeypatch: pytest.MonkeyPatch, story: Story, named: set[bytes], possible: int
) -> None:
    real = os.fork
    forked: list[int] = []

    def fork() -> int:
        if len(forked) == possible:
            raise BlockingIOError
        forked.append(real())
        return forked[-1]

    monkeypatch.setattr(os, "fork", fork)
    hands = begun(story)
    assert len(multiprocessing.active_children()) == possible
    assert hands.held() == (named if possible else frozenset())
    hands.close()
    assert not multiprocessing.active_children()


def test_processes_end_with_one_that_is_killed(folder: Path) -> None:
    program = (
        "from pathlib import Path\n"
        "from workseal_protocol.cli.processes import Processes\n"
        "from workseal_protocol.policy import TrustPolicy\n"
        f"folder = Path({str(folder)!r})\n"
        "policy = TrustPolicy.parse((folder / 'policy').read_text())\n"
        "hands = Processes(2, (folder / 'bundle').read_bytes(), policy)\n"
        "print(len(hands.held()) > 0, flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as asking:
        assert asking.stdout is not None
        assert asking.stdout.readline() == b"True\n"
        asking.kill()
        # All copies have its output: it has an end when none of them is left.
        assert asking.communicate(timeout=20)[0] == b""


def test_small_bundles_and_single_processors_need_no_process(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    with checker_for(LARGE[1:], story.policy) as checker:
        assert checker is None
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0})
    with checker_for(LARGE, story.policy) as checker:
        assert checker is None


def test_a_process_with_a_second_thread_is_not_copied(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    ended = threading.Event()
    second = threading.Thread(target=ended.wait)
    second.start()
    try:
        with checker_for(LARGE, story.policy) as checker:
            assert checker is None
    finally:
        ended.set()
        second.join()


def test_there_are_four_at_most_and_none_when_the_work_is_over(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(64)))

    counts: list[int] = []

    def make(count: int, data: bytes, policy: TrustPolicy) -> Processes:
        counts.append(count)
        return Processes(count, data, policy)

    monkeypatch.setattr(processes, "Processes", make)

    def interrupted() -> None:
        with checker_for(LARGE, story.policy) as checker:
            assert checker is not None
            assert counts == [processes.MOST]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    left = multiprocessing.active_children()
    for child in left:
        child.kill()
    assert not left


@pytest.mark.parametrize("spoiled", [False, True])
def test_the_command_says_the_same_with_processes(
    folder: Path, story: Story, run: Run, monkeypatch: pytest.MonkeyPatch, *, spoiled: bool
) -> None:
    bundle = folder / "bundle"
    if spoiled:
        contents = story.contents
        first, *others = contents.checkpoints
        (line, *lines) = first.lines
        bad = replace(line, signature=line.signature[:-1] + bytes((line.signature[-1] ^ 1,)))
        checkpoints = (replace(first, lines=(bad, *lines)), *others)
        bundle = folder / "spoiled"
        changed = story.bundle(replace(contents, checkpoints=checkpoints))
        bundle.write_bytes(changed.encode())
    words = ("verify", bundle, "--policy", folder / "policy")
    before = run(*words)
    assert before.code == int(spoiled)
    counts: list[int] = []

    def make(count: int, data: bytes, policy: TrustPolicy) -> Processes:
        counts.append(count)
        return Processes(count, data, policy)

    monkeypatch.setattr(processes, "LEAST_BYTES", 1)
    monkeypatch.setattr(ahead, "FEW", 0)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    monkeypatch.setattr(processes, "Processes", make)
    after = run(*words)
    assert (after.code, after.out, after.err) == (before.code, before.out, before.err)
    # This one works too.
    assert counts == [1]
