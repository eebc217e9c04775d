"""Weeks of recorded frames in a real vault, and what readers find said of them."""

from pathlib import Path
from typing import Any

from support.rig import Rig
from support.vaults import PUBLIC
from workseal_agent.evidence import bury, finish_withdrawals
from workseal_agent.heldobject import Ciphertext
from workseal_agent.ledger import CaptureRow
from workseal_agent.possession import say
from workseal_agent.vault import VaultWriter
from workseal_agent.vaultobject import ObjectKind, object_id
from workseal_protocol.possession import WEEK_MS, HeldReport, possessions_of
from workseal_protocol.records import (
    BeaconCommitment,
    Possession,
    WithdrawalReason,
    read_record,
)
from workseal_protocol.statement import Statement

# Five rounds.
WORKED_S = 300
ROUND_MS = 60_000


class Weeks:
    """Record some frames each week; `begin` moves on to the next one."""

    def __init__(self, folder: Path, **terms: Any) -> None:
        self.rig = Rig(folder, round_ms=ROUND_MS, **({"capture_rate": 65_536} | terms))
        self.folder = folder / "vault"
        self.rig.vault = VaultWriter(self.folder, PUBLIC)  # type: ignore[assignment]
        self.rig.recorder = self.rig.build()
        self.ciphertext = Ciphertext(self.folder, PUBLIC)
        self.rig.recorder.start()
        self.begun_ms = self.now_ms
        self.week = 0
        self.work()

    @property
    def now_ms(self) -> int:
        return self.rig.clock.wall_ms()

    def work(self, *, send: bool = True) -> None:
        """Work for some rounds, then pause."""
        self.rig.work(WORKED_S, send=send)
        self.rig.recorder.pause()
        if send:
            assert self.rig.uplink.drain(100)

    def begin(self, *, work: bool = True, committed: bool = True, send: bool = True) -> None:
        """Let a week pass; the verifier commits to the values of the next one before."""
        round_ms = self.rig.simulator.round_ms
        self.week += 1
        self.rig.clock.suspend((self.begun_ms + self.week * WEEK_MS - self.now_ms) / 1_000)
        if committed:
            self.rig.simulator.start_beacon(self.now_ms // round_ms - 10, 100)
        self.rig.simulator.now = self.rig.clock.true_ms
        self.rig.beacon.up = committed
        if work:
            self.rig.recorder.resume()
            self.work(send=send)
        self.rig.beacon.up = True

    def value(self, number: int) -> bytes | None:
        return self.rig.simulator.value(number)

    def say(self) -> Statement | None:
        """Make the statement that is due, and send it."""
        statement = say(
            self.rig.ledger,
            self.rig.engagement,
            self.rig.signer,
            self.ciphertext,
            value_of=self.value,
            now_ms=self.now_ms,
        )
        if statement is not None:
            assert self.rig.uplink.drain(100)
        return statement

    def rows(self) -> tuple[CaptureRow, ...]:
        return self.rig.ledger.captures(self.rig.engagement.id)

    def file(self, row: CaptureRow) -> Path:
        """Return the file of a frame."""
        return self.folder / object_id(PUBLIC, ObjectKind.FRAME, row.commitment.raw).hex()

    def withdraw(self, row: CaptureRow, *, send: bool = True) -> None:
        """Withdraw a frame and destroy it."""
        bury(self.rig.chain, row, WithdrawalReason.PRIVATE, now_ms=self.now_ms)
        finish_withdrawals(self.rig.ledger, self.rig.vault)
        if send:
            assert self.rig.uplink.drain(100)

    def found(self) -> HeldReport:
        """Return what everybody finds who has the log's statements."""
        statements = self.rig.simulator.statements
        items = [(at, one.digest, read_record(one)) for at, one in statements.items()]
        proven = {
            at
            for at, _, one in items
            if isinstance(one, Possession) and one.value == self.value(one.round)
        }
        return possessions_of(self.rig.simulator.round_ms, items, proven, self.is_committed)

    def is_committed(self, number: int) -> bool:
        """Tell whether the log has a commitment to the value of a round."""
        found = (read_record(one) for one in self.rig.simulator.statements.values())
        return any(
            isinstance(one, BeaconCommitment) and 0 <= number - one.first_round < one.count
            for one in found
        )
