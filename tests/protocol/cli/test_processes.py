import multiprocessing
import os
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


def test_processes_that_were_ended_vouch_for_nothing() -> None:
    hands = Processes(1)
    hands.close()
    hands.begin([put_off(b"one")])
    assert not hands.all_held()


def test_small_bundles_and_single_processors_need_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with checker_for(LARGE[1:]) as checker:
        assert checker is None
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0})
    with checker_for(LARGE) as checker:
        assert checker is None


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
