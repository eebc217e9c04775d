"""Signatures checked in another process: the same answers, and nothing depends on it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.office import Office
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import PublicKey, Role, SeedSigner
from workseal_protocol.records import KeyAnnounce, sign
from workseal_verifier import signaturechecks
from workseal_verifier.services.candidate import LEAST_BATCH, Intake
from workseal_verifier.signaturechecks import LOAD, SignatureChecks, useful
from workseal_verifier.signatureprocess import Question, pack, receive

SIGNER = SeedSigner(bytes(range(32)))
GOOD: Question = (SIGNER.public_key, SIGNER.sign(b"said"), b"said")
BAD: Question = (SIGNER.public_key, SIGNER.sign(b"said"), b"unsaid")


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def begun(checks: SignatureChecks) -> SignatureChecks:
    """Ask as often as it takes, then wait until somebody answers."""

    def answers() -> bool:
        return checks.ask([GOOD] * LOAD) is not None

    wait_until(answers)
    return checks


def processes_of(checks: SignatureChecks) -> list[int]:
    return [one._process.pid for one in checks._processes]


def is_gone(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return True
    return status.rsplit(")", 1)[1].split()[0] in "ZX"


@pytest.fixture(scope="module")
def running() -> Iterator[SignatureChecks]:
    """One process that already checks."""
    checks = SignatureChecks(1)
    try:
        yield begun(checks)
    finally:
        checks.close()


def test_answers_in_the_order_of_the_questions(running: SignatureChecks) -> None:
    assert running.ask([GOOD, BAD, BAD, GOOD]) == [True, False, False, True]
    assert running.running == 1


def test_decides_as_this_process_does(running: SignatureChecks) -> None:
    """Also where libsodium and OpenSSL differ: a mixed key, R of small order, a large S."""
    raw = bytes.fromhex("988b8b06afc3abd50c44e1396f4587342176485abb80721cfde8385f5e9320ce")
    lax = bytes.fromhex(
        "f87a22889707d326b221b2dba4102625f99227c2febe06664c8d9409eb213e21"
        "98de37ed4db961132d40c19d2318eda32dcb5bd878b04c07ff7f775987727003"
    )
    signature = GOOD[1]
    order = 2**252 + 27742317777372353535851937790883648493
    large = int.from_bytes(signature[32:], "little") + order
    batch: list[Question] = [
        GOOD,
        (PublicKey(raw), lax, b"m10"),
        (GOOD[0], signature[:32] + large.to_bytes(32, "little"), b"said"),
        (GOOD[0], b"\x01" + bytes(63), b"said"),
        (GOOD[0], signature[:-1], b"said"),
    ]
    here = []
    for key, one, message in batch:
        try:
            key.verify(one, message)
        except VerificationError:
            here.append(False)
        else:
            here.append(True)
    assert running.ask(batch) == here


def test_nothing_is_begun_without_load() -> None:
    checks = SignatureChecks(1)
    for _ in range(LOAD - 1):
        assert checks.ask([GOOD]) is None
    assert checks._minder is None
    checks.close()


def test_what_others_check_is_a_load_too() -> None:
    checks = SignatureChecks(1)
    try:
        checks.note(LOAD)
        wait_until(lambda: checks.running == 1)
    finally:
        checks.close()


def test_one_loop_is_lent_a_connection_and_tells_when_it_is_lost() -> None:
    checks = SignatureChecks(1, again_s=3_600.0)
    assert checks.lend() is None
    try:
        begun(checks)
        (process,) = processes_of(checks)
        lent = checks.lend()
        assert lent is not None
        assert checks.lend() is None
        connection, lost = lent
        with connection:
            connection.settimeout(20)
            connection.sendall(pack([GOOD, BAD]))
            assert receive(connection, 2) == bytes((1, 0))
            assert checks.ask([BAD]) == [False]
        lost()
        wait_until(lambda: is_gone(process))
        # Told once more, it ends nothing else.
        lost()
        assert checks.lend() is None
    finally:
        checks.close()


def test_none_are_begun_where_none_are_wanted() -> None:
    checks = SignatureChecks(0)
    for _ in range(2 * LOAD):
        assert checks.ask([GOOD]) is None
    assert checks._minder is None
    checks.close()


def test_a_machine_with_one_processor_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0}, raising=False)
    assert useful(3) == 0
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1, 2}, raising=False)
    assert (useful(0), useful(1), useful(3)) == (0, 1, 2)


def test_who_is_killed_is_replaced_and_meanwhile_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signaturechecks, "ANSWER_S", 20.0)
    checks = begun(SignatureChecks(2, again_s=0.0))
    try:
        first = processes_of(checks)
        assert checks.running == len(first) == 2
        for one in first:
            os.kill(one, signal.SIGKILL)
        wait_until(lambda: all(map(is_gone, first)))
        assert checks.ask([GOOD]) is None
        begun(checks)
        second = processes_of(checks)
        assert not set(first) & set(second)
    finally:
        checks.close()
    assert all(map(is_gone, second))


def test_who_says_nothing_is_ended(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(signaturechecks, "ANSWER_S", 0.5)
    checks = begun(SignatureChecks(1, again_s=3_600.0))
    try:
        (process,) = processes_of(checks)
        os.kill(process, signal.SIGSTOP)
        assert checks.ask([GOOD]) is None
        # Not for want of questions, a minute later.
        assert "ended" in caplog.text
        wait_until(lambda: is_gone(process))
        wait_until(lambda: checks._minder is None)
        # And none is begun again so soon.
        for _ in range(2 * LOAD):
            assert checks.ask([GOOD]) is None
        assert checks._minder is None
    finally:
        checks.close()


def test_ends_when_nobody_asks() -> None:
    checks = begun(SignatureChecks(1, quiet_s=0.5))
    processes = processes_of(checks)
    wait_until(lambda: checks.running == 0 and all(map(is_gone, processes)))
    checks.close()


def test_a_process_that_cannot_be_begun_is_no_harm(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    checks = SignatureChecks(1)
    for _ in range(LOAD):
        assert checks.ask([GOOD]) is None
    wait_until(lambda: checks._minder is None)
    assert "could be begun" in caplog.text
    assert checks.ask([GOOD]) is None
    checks.close()


SERVER = """
import sys, time
from workseal_protocol.keys import SeedSigner
from workseal_verifier.signaturechecks import LOAD, SignatureChecks
signer = SeedSigner(bytes(32))
good = (signer.public_key, signer.sign(b"said"), b"said")
checks = SignatureChecks(1)
while checks.ask([good] * LOAD) is None:
    time.sleep(0.01)
print(checks._processes[0]._process.pid, flush=True)
sys.stdin.read()
"""


def test_a_server_that_is_killed_leaves_no_process() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        orphan = int(server.stdout.readline())
        server.kill()
    wait_until(lambda: is_gone(orphan))


# --- what the server makes of it ----------------------------------------------------


def announcements(count: int) -> list[bytes]:
    """Make statements that name their own keys: no store is asked for them."""
    return [
        sign(KeyAnnounce(claimed_at=1, public_key=one.public_key, role=Role.CLIENT), one).encode()
        for one in (SeedSigner(bytes([n]) * 32) for n in range(1, count + 1))
    ]


def test_nothing_is_lost_when_it_is_killed_in_the_midst(office: Office) -> None:
    checks = begun(SignatureChecks(1, again_s=0.0))
    intake = Intake(office.verifier.records, checks.ask)
    items = announcements(LEAST_BATCH)

    def submit(_number: int) -> bool:
        return all(one.signed for one in intake.read_items(items))

    try:
        with ThreadPoolExecutor(4) as threads:
            submitted = [threads.submit(submit, number) for number in range(200)]
            wait_until(submitted[20].done)
            for one in processes_of(checks):
                os.kill(one, signal.SIGKILL)
            assert all(one.result(60) for one in submitted)
    finally:
        checks.close()
    assert checks.running == 0


def test_the_server_begins_it_and_ends_it(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1}, raising=False)
    office: Office = request.getfixturevalue("office")
    intake, items = office.verifier.services.intake, announcements(LEAST_BATCH)

    def begun_by_submissions() -> bool:
        assert all(one.signed for one in intake.read_items(items))
        return office.verifier.checks.running == 1

    wait_until(begun_by_submissions)
    (process,) = processes_of(office.verifier.checks)
    office.verifier.close()
    assert is_gone(process)
