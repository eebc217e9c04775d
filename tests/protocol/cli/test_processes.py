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
from workseal_protocol.keys import SeedSigner
from workseal_protocol.verify import PutOff

from .conftest import Run

SIGNER = SeedSigner(bytes(32))
LARGE = bytes(processes.LEAST_BYTES)


def put_off(message: bytes, *, good: bool = True) -> PutOff:
    return SIGNER.public_key, SIGNER.sign(message if good else b"another"), message


def test_processes_tell_whether_every_signature_holds() -> None:
    for bad in (None, 0, 7):
        hands = Processes(2)
        try:
            for number in range(8):
                hands.begin([put_off(b"one"), put_off(b"two", good=number != bad)])
            assert hands.all_held() is (bad is None)
        finally:
            hands.close()
    assert not multiprocessing.active_children()


def test_a_process_that_ends_early_vouches_for_nothing() -> None:
    hands = Processes(2)
    try:
        for child in multiprocessing.active_children():
            child.kill()
            child.join()
        hands.begin([put_off(b"one")])
        assert not hands.all_held()
    finally:
        hands.close()


def test_a_process_that_ends_in_the_middle_vouches_for_nothing() -> None:
    hands = Processes(2)
    try:
        children = multiprocessing.active_children()
        for child in children:
            os.kill(child.pid or 0, signal.SIGSTOP)
        hands.begin([put_off(b"one")])
        for child in children:
            child.kill()
        assert not hands.all_held()
    finally:
        hands.close()


def test_who_interrupts_the_command_does_not_interrupt_its_processes() -> None:
    hands = Processes(1)
    try:
        assert hands.all_held()
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGINT)
        hands.begin([put_off(b"one")])
        assert hands.all_held()
    finally:
        hands.close()


def test_processes_that_were_ended_vouch_for_nothing() -> None:
    hands = Processes(1)
    hands.close()
    hands.begin([put_off(b"one")])
    assert not hands.all_held()


def test_where_not_all_can_be_begun_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fork
    begun: list[int] = []

    def fork() -> int:
        if begun:
            raise BlockingIOError
        begun.append(real())
        return begun[0]

    monkeypatch.setattr(os, "fork", fork)
    hands = Processes(2)
    left = multiprocessing.active_children()
    for child in left:
        child.kill()
    assert (len(begun), left, hands.all_held()) == (1, [], False)


def test_processes_end_with_one_that_is_killed() -> None:
    program = (
        "from workseal_protocol.cli.processes import Processes\n"
        "hands = Processes(2)\n"
        "print(hands.all_held(), flush=True)\n"
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
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with checker_for(LARGE[1:]) as checker:
        assert checker is None
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0})
    with checker_for(LARGE) as checker:
        assert checker is None


def test_a_process_with_a_second_thread_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    ended = threading.Event()
    second = threading.Thread(target=ended.wait)
    second.start()
    try:
        with checker_for(LARGE) as checker:
            assert checker is None
    finally:
        ended.set()
        second.join()


def test_there_are_four_at_most_and_none_when_the_work_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(64)))

    def interrupted() -> None:
        with checker_for(LARGE) as checker:
            assert checker is not None
            assert len(multiprocessing.active_children()) == processes.MOST
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
    begun: list[int] = []

    def make(count: int) -> Processes:
        begun.append(count)
        return Processes(count)

    monkeypatch.setattr(processes, "LEAST_BYTES", 1)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    monkeypatch.setattr(processes, "Processes", make)
    after = run(*words)
    assert (after.code, after.out, after.err) == (before.code, before.out, before.err)
    assert begun == [2]
