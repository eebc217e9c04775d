"""The program that checks signatures: what it answers, and when it ends."""

import socket
import subprocess
import sys
from threading import Thread

import pytest

from workseal_protocol.keys import Algorithm, SeedSigner
from workseal_verifier import signatureprocess
from workseal_verifier.signatureprocess import READY, answer, pack, receive, serve

SIGNERS = [
    SeedSigner(bytes(range(32)), Algorithm.EDDSA),
    SeedSigner(bytes(range(32)), Algorithm.ML_DSA_44),
    SeedSigner(bytes(range(32)), Algorithm.ML_DSA_65),
]


def test_answers_for_each_algorithm_whether_it_holds() -> None:
    ours, theirs = socket.socketpair()
    batch = []
    for signer in SIGNERS:
        signature = signer.sign(b"said")
        batch.append((signer.public_key, signature, b"said"))
        batch.append((signer.public_key, signature, b"unsaid"))
        batch.append((signer.public_key, b"", b"said"))
        batch.append((signer.public_key, signer.sign(b""), b""))
    with ours, theirs:
        ours.sendall(pack(batch))
        answer(theirs)
        assert receive(ours, len(batch)) == bytes([1, 0, 0, 1]) * len(SIGNERS)


def test_ends_when_one_connection_is_closed() -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    with pairs[0][1], pairs[1][0], pairs[1][1]:
        pairs[0][0].close()
        with pytest.raises(OSError, match=r"closed|reset|[Pp]ipe"):
            serve([theirs for _, theirs in pairs])


def test_questions_that_were_cut_are_not_answered() -> None:
    ours, theirs = socket.socketpair()
    key = SIGNERS[0].public_key
    packed = pack([(key, SIGNERS[0].sign(b"said"), b"said")])
    with theirs:
        with ours:
            ours.sendall(packed[:-1])
        with pytest.raises(ConnectionError):
            answer(theirs)


def test_another_number_than_announced_is_not_answered() -> None:
    ours, theirs = socket.socketpair()
    key = SIGNERS[0].public_key
    packed = pack([(key, SIGNERS[0].sign(b"said"), b"said")])
    with ours, theirs:
        ours.sendall(bytes([0, 0, 0, 2]) + packed[4:])
        with pytest.raises(ConnectionError):
            answer(theirs)


def test_many_at_once_pass_a_full_buffer() -> None:
    ours, theirs = socket.socketpair()
    signer = SIGNERS[2]
    signature = signer.sign(b"s" * 2_000)
    batch = [(signer.public_key, signature, b"s" * 2_000)] * 256
    with ours, theirs:
        other = Thread(target=answer, args=(theirs,))
        other.start()
        ours.sendall(pack(batch))
        assert receive(ours, len(batch)) == bytes([1]) * len(batch)
        other.join()


def test_the_program_loads_little() -> None:
    """It holds no library of the server's: neither its memory nor its reach."""
    code = f"import {signatureprocess.__name__}, sys; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    ).stdout.split()
    assert not {"fastapi", "sqlalchemy", "uvicorn", "cbor2", "asyncio", "pydantic"} & set(said)
    assert not any(name.startswith("workseal_verifier.services") for name in said)
    assert len(READY) == 1
