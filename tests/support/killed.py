"""What an agent does in one go, done by a process that dies at its k-th point.

A point is what makes something durable or lets it leave the machine: fsync, link, unlink, replace,
the commit of a transaction, a request. The child is forked by `support.killing`, which is its
verifier, with the real ledger, vault, recorder and sender over a copied home.
"""

import copy
import json
import os
import random
import signal
import socket
from collections.abc import Callable
from typing import Any

import httpx

from support.carried import Carrying
from support.rig import Rig
from workseal_agent.connection import VerifierClient
from workseal_agent.daemon.forgetting import Forgetting
from workseal_agent.daemon.unread import UnreadCases
from workseal_agent.evidence import finish_withdrawals, withdraw
from workseal_agent.export import export
from workseal_agent.keyfile import change_file
from workseal_agent.keyslot import SlotKind
from workseal_agent.keystore import Key, Keystore, random_secret
from workseal_agent.ledger import Ledger, LedgerKey, SendState
from workseal_agent.recorder import RecorderState
from workseal_agent.uplink import sender
from workseal_agent.vault import VaultWriter
from workseal_agent.vaultkey import generate_private, public_of
from workseal_agent.writing import write_private
from workseal_protocol.records import SegmentState, WithdrawalReason

PASSPHRASE = "a passphrase for tests"  # noqa: S105
VAULT_PRIVATE = generate_private()
VAULT_PUBLIC = public_of(VAULT_PRIVATE)

BUNDLE = "work.workseal"
OLD_BUNDLE = b"an older bundle"

Act = Callable[["Killed"], None]


def _key_files() -> tuple[bytes, bytes]:
    """Seal one pair of keys in two ways: under the passphrase, and with words beside it."""
    seed, private = random.randbytes(32), generate_private()
    old = Keystore.seal(seed, private, PASSPHRASE)
    secret = random_secret()
    keys = {Key.SIGNING: seed, Key.VAULT: private}
    new = old.with_secret(SlotKind.WORDS, keys, dict.fromkeys(Key, secret))
    return old.encode(), new.encode()


OLD_KEYS, NEW_KEYS = _key_files()


class _Telling(Carrying):
    """Carry the child's requests to its parent."""

    def __init__(self, killed: "Killed") -> None:
        self.killed = killed

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer: dict[str, Any] = {}

        def send() -> None:
            self.killed.tell(
                method=request.method, url=str(request.url), body=request.read().hex(),
                now=self.killed.rig.clock.true_ms,
            )  # fmt: skip
            answer.update(json.loads(self.killed.answers.readline()))

        self.killed.at("send", send)
        return httpx.Response(
            answer["status"], headers=answer["headers"], content=bytes.fromhex(answer["body"])
        )


class Killed:
    """Be the child: a rig over a copied home, whose points count once it is armed."""

    def __init__(self, rig: Rig, line: socket.socket, kill_at: int, *, before: bool) -> None:
        self.rig = rig
        self.line = line
        self.answers = line.makefile("rb")
        self.kill_at = kill_at
        self.before = before
        self.passed = 0
        self.armed = False
        rig.client = VerifierClient("http://localhost", _Telling(self))
        rig.simulator = copy.copy(rig.simulator)  # the child's own clock; its log is the parent's

    def tell(self, **words: Any) -> None:
        """Send one line to the parent."""
        self.line.sendall(json.dumps(words).encode() + b"\n")

    def at(self, name: str, act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Do what makes something durable, or lets it leave; die here if this is the place."""
        if not self.armed:
            return act(*arguments, **named)
        self.passed += 1
        self.tell(point=name)
        if self.passed == self.kill_at and self.before:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return act(*arguments, **named)
        finally:
            if self.passed == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def begin(self) -> None:
        """Open the home and begin to record, unharmed."""
        opened(self.rig)
        self.rig.recorder.start()

    def arm(self) -> None:
        """Count from here; what is there by now is acknowledged."""
        self.acknowledge()
        self.armed = True

    def acknowledge(self) -> None:
        """Tell what whoever asked has been told is done."""
        armed, self.armed = self.armed, False
        ledger, engagement = self.rig.ledger, self.rig.engagement.id
        running = 0
        if self.rig.recorder.state is not RecorderState.STOPPED:
            running = sum(one.worked_ms for one in self.rig.recorder.running())
        self.tell(
            stored=[str(row.digest) for row in ledger.chain(engagement)],
            receipted={
                str(row.digest): row.log_index
                for row in ledger.statements(engagement, SendState.RECEIPTED)
            },
            destroyed=[str(row.commitment) for row in ledger.captures(engagement) if row.withdrawn],
            worked=self.rig.worked_ms + running,
        )
        self.armed = armed

    def work(self, seconds: float) -> None:
        """Work, and acknowledge what was recorded each second."""
        for _ in range(int(seconds)):
            self.rig.work(1.0, send=False)
            self.acknowledge()

    def patch(self) -> None:
        """Make each call that changes what is on the disk a point."""
        for name in ("fsync", "link", "unlink", "replace", "rename"):
            setattr(os, name, self._counted(name, getattr(os, name)))
        Ledger._commit = self._counted("commit", Ledger._commit)  # type: ignore[method-assign]

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            return self.at(name, real, *arguments, **named)

        return counted


def opened(rig: Rig) -> None:
    """Open a home's files as a new process does, before it records."""
    rig.ledger = Ledger(rig.path, LedgerKey(rig.signer))
    rig.vault = VaultWriter(rig.path.parent / "vault", VAULT_PUBLIC)  # type: ignore[assignment]
    finish_withdrawals(rig.ledger, rig.vault)
    rig.recorder = rig.build()
    rig.uplink = rig.build_uplink()


# What is done. Each is what a person, or the process, does in one go.


def start(killed: Killed) -> None:
    """Begin where a crash left an open session, an orphan, and a withdrawal half done."""
    killed.armed = True
    killed.begin()
    killed.acknowledge()


def segment(killed: Killed) -> None:
    """Work over the end of a round."""
    killed.begin()
    killed.rig.recorder.set_mode(SegmentState.SEALED)
    killed.arm()
    killed.work(12)


def capture(killed: Killed) -> None:
    """Work over the moment of a capture and the end of its round."""
    killed.begin()
    killed.arm()
    killed.work(12)


def declare(killed: Killed) -> None:
    """Work off-screen with a memo, and come back."""
    killed.begin()
    recorder = killed.rig.recorder
    killed.arm()
    recorder.set_mode(SegmentState.OFF_SCREEN, "on paper")
    killed.acknowledge()
    killed.work(3)
    recorder.set_mode(SegmentState.WORKING)
    killed.acknowledge()


def stop(killed: Killed) -> None:
    """End the session in the middle of a round."""
    killed.begin()
    killed.work(3)
    killed.arm()
    killed.rig.recorder.stop()
    killed.acknowledge()


def withdraw_one(killed: Killed) -> None:
    """Withdraw a frame while recording."""
    rig = killed.rig
    killed.begin()
    killed.arm()
    row = next(one for one in rig.ledger.captures(rig.engagement.id) if not one.withdrawn)
    rig.recorder.between(
        lambda: withdraw(
            rig.chain, rig.ledger, rig.vault, row, WithdrawalReason.PRIVATE,
            now_ms=rig.clock.wall_ms(),
        )
    )  # fmt: skip
    killed.acknowledge()


def upload(killed: Killed) -> None:
    """Send what waits, two statements at a time, and store the receipts."""
    # The sender imports the bound by its name.
    sender.MAX_BATCH = 2  # type: ignore[attr-defined]
    opened(killed.rig)
    killed.arm()
    for _ in range(4):
        killed.rig.uplink.step()
        killed.acknowledge()


def erase(killed: Killed) -> None:
    """Withdraw two frames whose days are over."""
    rig = killed.rig
    killed.begin()
    forgetting = Forgetting(
        rig.engagement, rig.chain, rig.ledger, rig.vault, rig.clock, rig.recorder,
        unread=UnreadCases(rig.engagement, rig.ledger, rig.clock, frozenset),
        proven_ms=lambda: rig.clock.true_ms, on_statement=lambda: None,
    )  # fmt: skip
    killed.arm()
    for _ in range(2):
        forgetting.step()
        killed.acknowledge()


def rotate(killed: Killed) -> None:
    """Change the key file: another way in."""
    opened(killed.rig)
    killed.arm()
    change_file(killed.rig.path.parent / "keys", 8192, lambda _old: NEW_KEYS)


def report(killed: Killed) -> None:
    """Write the bundle that the client is given anew, in place of an older one."""
    rig = killed.rig
    opened(rig)
    killed.arm()
    made = export(
        rig.ledger, rig.client, rig.engagement, rig.signer,
        now_ms=rig.clock.true_ms, receipts=False,
    )  # fmt: skip
    write_private(rig.path.parent / BUNDLE, made.data)
    killed.acknowledge()


ACTS: dict[str, Act] = {
    "start": start, "segment": segment, "capture": capture, "declare": declare, "stop": stop,
    "withdraw": withdraw_one, "upload": upload, "erase": erase, "rotate": rotate,
    "report": report,
}  # fmt: skip
