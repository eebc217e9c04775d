"""An event loop's line to a process: answers in order, and everybody hears of its end, once."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from threading import Thread

import pytest

from workseal_protocol.keys import SeedSigner
from workseal_verifier import signatureline
from workseal_verifier.signatureline import SignatureLine, connect
from workseal_verifier.signatureprocess import Question, answer

SIGNER = SeedSigner(bytes(range(32)))
GOOD: Question = (SIGNER.public_key, SIGNER.sign(b"said"), b"said")
BAD: Question = (SIGNER.public_key, SIGNER.sign(b"said"), b"unsaid")
Heard = list[Sequence[bool] | None]


def spoken(
    process: Callable[[socket.socket], None],
    speak: Callable[[SignatureLine, Heard], Awaitable[None]],
) -> tuple[Heard, int]:
    """Play a process on one end, speak on the other; return what was heard, and how often lost."""
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    heard: Heard = []
    lost: list[None] = []

    async def all_of_it() -> None:
        line = await connect(ours, lambda: lost.append(None))
        await speak(line, heard)
        line.close()
        await until(lambda: not line.is_open)

    thread = Thread(target=process, args=(theirs,))
    thread.start()
    try:
        asyncio.run(asyncio.wait_for(all_of_it(), 20))
    finally:
        thread.join()
        theirs.close()
    return heard, len(lost)


def answering(times: int) -> Callable[[socket.socket], None]:
    def process(theirs: socket.socket) -> None:
        for _ in range(times):
            answer(theirs)

    return process


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - another thread makes it hold
        await asyncio.sleep(0.001)


def test_each_batch_hears_its_own_answers() -> None:
    busy: list[bool] = []

    async def speak(line: SignatureLine, heard: Heard) -> None:
        line.ask([GOOD, BAD], heard.append)
        busy.append(line.is_busy)
        line.ask([BAD, GOOD, GOOD], heard.append)
        busy.append(line.is_busy)
        await until(lambda: len(heard) == 2)
        busy.append(line.is_busy)
        line.ask([GOOD], heard.append)
        await until(lambda: len(heard) == 3)

    heard, lost = spoken(answering(3), speak)
    assert heard == [[True, False], [False, True, True], [True]]
    assert busy == [False, True, False]
    assert lost == 1


def test_answers_that_come_byte_by_byte_are_answers() -> None:
    def process(theirs: socket.socket) -> None:
        theirs.recv(65_536)
        for one in (b"\x01", b"\x00", b"\x01\x01", b"\x00"):
            theirs.sendall(one)

    async def speak(line: SignatureLine, heard: Heard) -> None:
        line.ask([GOOD] * 3, heard.append)
        line.ask([GOOD] * 2, heard.append)
        await until(lambda: len(heard) == 2)

    assert spoken(process, speak)[0] == [[True, False, True], [True, False]]


def test_what_is_owed_when_it_ends_hears_that_nobody_checked_it() -> None:
    def process(theirs: socket.socket) -> None:
        answer(theirs)
        theirs.recv(65_536)
        theirs.close()

    async def speak(line: SignatureLine, heard: Heard) -> None:
        line.ask([GOOD], heard.append)
        await until(lambda: len(heard) == 1)
        line.ask([GOOD], heard.append)
        await until(lambda: len(heard) == 2)
        assert not line.is_open
        with pytest.raises(ConnectionError):
            line.ask([GOOD], heard.append)

    heard, lost = spoken(process, speak)
    assert heard == [[True], None]
    assert lost == 1


def test_who_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatureline, "ANSWER_S", 0.2)

    def process(theirs: socket.socket) -> None:
        while theirs.recv(65_536):
            pass

    async def speak(line: SignatureLine, heard: Heard) -> None:
        line.ask([GOOD], heard.append)
        await until(lambda: len(heard) == 1)
        assert not line.is_open

    heard, lost = spoken(process, speak)
    assert heard == [None]
    assert lost == 1
