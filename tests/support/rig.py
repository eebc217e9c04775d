"""A whole agent without a machine: clocks that a test turns, a screen in memory, a verifier behind
`support.wire`. A day of work takes about a second."""

import itertools
from collections.abc import Callable
from pathlib import Path

from support import builders
from support.simulator import DAY_MS, START, Simulator
from support.wire import Wire
from workseal_agent.activity import Counts
from workseal_agent.chain import OwnChain
from workseal_agent.connection import VerifierClient
from workseal_agent.daemon.clockcheck import ClockCheck
from workseal_agent.engagement import join, read_invitation
from workseal_agent.errors import CaptureError, VaultError
from workseal_agent.ledger import Engagement, Ledger, LedgerKey
from workseal_agent.mask import Masked
from workseal_agent.recorder import Camera, Recorder, Schedule, SessionBook
from workseal_agent.screen import RawFrame
from workseal_agent.submission import Log
from workseal_agent.uplink import Uplink
from workseal_agent.vault import StoredFrame
from workseal_protocol.commitment import ActivitySource
from workseal_protocol.digest import Digest
from workseal_protocol.frame import FrameHeader
from workseal_protocol.records import Record, Segment, read_record, sign
from workseal_protocol.statement import Statement

NS = 1_000_000_000


class TurnedClock:
    """Show the time that the test sets; `true_ms` is what an outside observer would see."""

    def __init__(self, wall_ms: int = START) -> None:
        self.true_ns = wall_ms * 1_000_000
        self.offset_ms = 0
        self.mono = 5_000 * NS
        self.boot = 7_000 * NS

    def run(self, seconds: float) -> None:
        """Let time pass while the machine is awake."""
        step = round(seconds * NS)
        self.true_ns += step
        self.mono += step
        self.boot += step

    def suspend(self, seconds: float) -> None:
        """Let time pass while the machine sleeps."""
        step = round(seconds * NS)
        self.true_ns += step
        self.boot += step

    def reboot(self, seconds: float) -> None:
        """Let time pass while the machine is off."""
        self.true_ns += round(seconds * NS)
        self.mono = 10 * NS
        self.boot = 10 * NS

    @property
    def true_ms(self) -> int:
        return self.true_ns // 1_000_000

    def wall_ms(self) -> int:
        return self.true_ms + self.offset_ms

    def monotonic_ns(self) -> int:
        return self.mono

    def boottime_ns(self) -> int:
        return self.boot

    def boot_id(self) -> str:
        return "boot"


class DirectBeacon:
    """Ask the simulator itself, when the network is up."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.up = True

    def want(self, round_: int) -> None:
        pass

    def value(self, round_: int) -> bytes | None:
        if not self.up or round_ * self.simulator.round_ms > self.simulator.now:
            return None
        return self.simulator.value(round_)


class FixedSensor:
    """Count what the test says."""

    def __init__(self) -> None:
        self.keys = 0

    def take(self) -> Counts:
        counts = Counts(self.keys, 0, 0, self.keys, min(self.keys, 1), ActivitySource.XINPUT2)
        self.keys = 0
        return counts

    def idle_ms(self) -> int | None:
        return None

    def close(self) -> None:
        pass


WriteFault = Callable[[str], None]


def _no_fault(_when: str) -> None:
    """Let a write succeed."""


class MemoryVault:
    """Keep frames and secrets in memory; `fault` is asked before and after each write."""

    def __init__(self) -> None:
        self.frames: dict[Digest, StoredFrame] = {}
        self.secrets: dict[bytes, bytes] = {}
        self.fault: WriteFault = _no_fault

    def put_frame(
        self, header: FrameHeader, commitment: Digest, pixels: bytes, seed: bytes
    ) -> None:
        self.fault("before")
        self.frames[commitment] = StoredFrame(header, pixels, seed)
        self.fault("after")

    def destroy(self, commitment: Digest) -> bool:
        return self.frames.pop(commitment, None) is not None

    def put_secret(self, name: bytes, value: bytes) -> None:
        if name in self.secrets:
            raise VaultError("the vault holds this object already")
        self.secrets[name] = value

    def destroy_secret(self, name: bytes) -> bool:
        return self.secrets.pop(name, None) is not None

    def frame(self, commitment: Digest) -> StoredFrame:
        if commitment not in self.frames:
            raise VaultError("no such frame")
        return self.frames[commitment]

    def secret(self, name: bytes) -> bytes:
        if name not in self.secrets:
            raise VaultError("no such secret")
        return self.secrets[name]


class PaintedScreen:
    """Show a small picture that changes with each look, or fail as the test says."""

    def __init__(self, width: int = 64, height: int = 48) -> None:
        self.width = width
        self.height = height
        self.looks = itertools.count()
        self.masked = 0
        self.error: CaptureError | None = None

    def take(self) -> Masked:
        if self.error is not None:
            raise self.error
        size = self.width * self.height * 3
        rgb = bytes([next(self.looks) % 251]) * size
        frame = RawFrame(0, 0, 0, self.width, self.height, rgb)
        return Masked((frame,), self.masked, frozenset())


class Rig:
    """Hold one agent that has joined one engagement."""

    def __init__(
        self,
        folder: Path,
        *,
        start_ms: int = START,
        round_ms: int = 10_000,
        witnesses: int = 1,
        **terms: object,
    ) -> None:
        first_ms = start_ms - 3 * DAY_MS
        self.simulator = Simulator(now=first_ms, round_ms=round_ms, witnesses=witnesses)
        self.clock = TurnedClock(start_ms)
        self.simulator.publish_rules()
        first = start_ms // round_ms - 10
        self.simulator.start_beacon(first, 3 * 86_400_000 // round_ms)
        self.simulator.now = self.clock.true_ms
        self.wire = Wire(self.simulator)
        self.client = VerifierClient("http://localhost", self.wire)
        self.signer = self.simulator.people.freelancer
        self.path = folder / "ledger.sqlite"
        self.ledger = Ledger(self.path, LedgerKey(self.signer))
        self.vault = MemoryVault()
        self.screen = PaintedScreen()
        self.sensor = FixedSensor()
        self.beacon = DirectBeacon(self.simulator)
        self.random = itertools.count()
        offer = builders.make_offer(
            terms=self.simulator.terms(**terms), claimed_at=self.clock.true_ms
        )
        self.offer = sign(offer, self.simulator.people.client)
        self.engagement: Engagement = join(
            read_invitation(self.offer.encode(), self.signer.public_key),
            self.ledger,
            self.client,
            self.signer,
            now_ms=self.clock.wall_ms(),
        )
        self.recorder = self.build()
        self.uplink = self.build_uplink()
        self.clock_check = ClockCheck(self.client, self.recorder)
        self.online = True
        self.next_send = 0

    def _bytes(self, length: int) -> bytes:
        return Digest.of(b"rig", next(self.random).to_bytes(8, "big")).raw[:length]

    def build(self) -> Recorder:
        """Make a recorder as a new process would."""
        self.chain = OwnChain(self.ledger, self.engagement, self.signer)
        camera = Camera(self.screen.take, self.vault, self.ledger, self.engagement.terms.tile)
        return Recorder(
            clock=self.clock,
            chain=self.chain,
            ledger=self.ledger,
            book=SessionBook(
                self.chain,
                self.ledger,
                agent="workseal-agent test",
                wall_ms=self.clock.wall_ms,
                random=self._bytes,
            ),
            schedule=Schedule(self.engagement.id, self.engagement.terms, self.beacon, camera),
            sensor=self.sensor,
            environment=b"test",
        )

    def build_uplink(self) -> Uplink:
        """Make a sender as a new process would."""
        return Uplink(
            self.ledger,
            self.client,
            Log.of(self.engagement),
            wall_ms=self.clock.wall_ms,
            jitter=lambda: 0.5,
        )

    def kill(self) -> None:
        """End the process as SIGKILL does, and open its files in a new one."""
        self.ledger.close()
        self.ledger = Ledger(self.path, LedgerKey(self.signer))
        self.recorder = self.build()
        self.uplink = self.build_uplink()
        self.clock_check = ClockCheck(self.client, self.recorder)
        self.next_send = 0

    def work(self, seconds: float, *, send: bool = True) -> None:
        """Run the recorder's loop until time has passed; sends after each look when online."""
        end = self.clock.mono + round(seconds * NS)
        while self.clock.mono < end:
            wait = self.recorder.tick()
            # The loop wakes a moment after the time it asked for, as a real one does.
            self.clock.run(min(max(wait, 0.0) + 0.002, (end - self.clock.mono) / NS))
            self.simulator.now = self.clock.true_ms
            if send and self.online and self.clock.mono >= self.next_send:
                self.clock_check.step()
                wait = self.uplink.step() or 0.0
                self.next_send = self.clock.mono + round(wait * NS)
        self.recorder.tick()

    def cut(self, *, up: bool) -> None:
        """Cut the network, or mend it."""
        self.online = up
        self.beacon.up = up

    def records(self) -> list[Record]:
        """Return the chain's records."""
        rows = self.ledger.chain(self.engagement.id)
        return [read_record(Statement.parse(row.body)) for row in rows]

    def segments(self) -> list[Segment]:
        """Return the chain's segments."""
        return [record for record in self.records() if isinstance(record, Segment)]

    @property
    def worked_ms(self) -> int:
        """Add up what the segments say."""
        return sum(segment.worked for segment in self.segments())
