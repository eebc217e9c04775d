"""A script of `support.dayscript`, happening to a real recorder, chain, ledger and sender."""

from functools import partial
from pathlib import Path

import httpx

from support.dayscript import Act, Script, Step
from support.rig import Rig
from support.wire import Fault
from workseal_agent.daemon.build import clock_correction
from workseal_agent.evidence import withdraw
from workseal_agent.export import Exported, export
from workseal_agent.ledger import CaptureRow
from workseal_protocol.records import SegmentState, WithdrawalReason

_STATES = {
    Act.WORKING: SegmentState.WORKING,
    Act.OFF_SCREEN: SegmentState.OFF_SCREEN,
    Act.SEALED: SegmentState.SEALED,
}
_DAY_MS = 86_400_000


def _unreachable(_request: httpx.Request) -> Fault | None:
    raise httpx.ConnectError("refused")


def _answer_lost(request: httpx.Request) -> Fault | None:
    return Fault(None) if request.method == "POST" else None


_FAULTS = {0: _unreachable, 1: lambda _request: None, 2: _answer_lost}


class Played:
    """Let a script happen; `rig` is what it happened to."""

    def __init__(self, folder: Path, script: Script) -> None:
        self.script = script
        self.rig = Rig(
            folder,
            start_ms=script.start_ms,
            round_ms=script.round_ms,
            zone=script.zone,
            capture_rate=16_384,
        )
        self.rig.recorder.start()
        for step in script.steps:
            self._play(step)
        self.rig.recorder.stop()

    def deliver(self) -> None:
        """Mend the network, and wait until all is sent, also what a clock ahead told too early."""
        rig = self.rig
        self._network(1)
        self._send()
        if self.unsent:
            rig.clock.run(_DAY_MS / 1000)
            self._send()

    @property
    def unsent(self) -> int:
        """Count what the log does not have."""
        counts = self.rig.ledger.counts(self.rig.engagement.id)
        return counts.unsent + counts.parked

    def export(self) -> Exported:
        """Make the bundle; raises when it would not hold."""
        rig = self.rig
        return export(
            rig.ledger, rig.client, rig.engagement, rig.signer,
            now_ms=rig.clock.true_ms, receipts=False,
        )  # fmt: skip

    def withdraw(self, percent: int) -> int:
        """Withdraw a share of the frames that are there; returns how many."""
        rig = self.rig
        rows = [row for row in rig.ledger.captures(rig.engagement.id) if not row.withdrawn]
        chosen = rows[: round(len(rows) * percent / 100)]
        for row in chosen:
            rig.recorder.between(partial(self._withdraw, row))
        return len(chosen)

    def _withdraw(self, row: CaptureRow) -> None:
        rig, now_ms = self.rig, self.rig.clock.wall_ms()
        withdraw(rig.chain, rig.ledger, rig.vault, row, WithdrawalReason.OTHER, now_ms=now_ms)

    def _send(self) -> None:
        self.rig.simulator.now = self.rig.clock.true_ms
        with self.rig.ledger.write() as writing:
            writing.unpark(self.rig.engagement.id)
        self.rig.uplink.drain(1_000)

    def _play(self, step: Step) -> None:  # noqa: C901 - one line for each act
        rig, recorder = self.rig, self.rig.recorder
        match step.act:
            case Act.WORK:
                rig.work(step.seconds)
            case Act.PAUSE:
                recorder.pause()
                rig.work(step.seconds)
                recorder.resume()
            case Act.WORKING | Act.OFF_SCREEN | Act.SEALED:
                memo = "on paper" if step.act is Act.OFF_SCREEN else None
                recorder.set_mode(_STATES[step.act], memo)
            case Act.SUSPEND:
                if step.value:
                    recorder.settle()
                rig.clock.suspend(step.seconds)
                rig.simulator.now = rig.clock.true_ms
            case Act.LOCK:
                recorder.lock(counts=bool(step.value))
                rig.work(step.seconds)
                recorder.unlock()
            case Act.FREEZE:
                rig.clock.run(step.seconds)
                rig.simulator.now = rig.clock.true_ms
            case Act.CLOCK:
                rig.clock.offset_ms = step.value
            case Act.NETWORK:
                self._network(step.value)
            case Act.WITHDRAW:
                self.withdraw(step.value)
            case Act.CRASH | Act.REBOOT | Act.STOP:
                self._again(step)

    def _network(self, how: int) -> None:
        self.rig.wire.fault = _FAULTS[how]
        self.rig.beacon.up = how != 0

    def _again(self, step: Step) -> None:
        rig = self.rig
        if step.act is Act.STOP or (step.act is Act.REBOOT and step.value):
            rig.recorder.stop()
        if step.act is Act.REBOOT:
            rig.clock.reboot(step.seconds)
        else:
            rig.clock.run(step.seconds)
        rig.simulator.now = rig.clock.true_ms
        rig.kill()
        with rig.ledger.write() as writing:
            writing.unpark(rig.engagement.id)
        rig.recorder.start(clock_correction(rig.client, rig.clock))
