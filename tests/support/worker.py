"""A home that has joined an engagement, and the real process that records for it."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from support import builders
from support.bridge import Bridge, now_ms
from workseal_agent.connection import VerifierClient
from workseal_agent.daemon import NotRunningError, ask
from workseal_agent.engagement import join, read_invitation
from workseal_agent.keystore import Keystore
from workseal_agent.ledger import Ledger, LedgerKey
from workseal_agent.vault import VaultWriter
from workseal_protocol.cli.png import encode_png
from workseal_protocol.keys import PublicKey, Role
from workseal_protocol.records import sign

PASSPHRASE = "a passphrase for tests"  # noqa: S105
# A process that has to begin or end, on a machine with many others that want its processors.
PATIENCE_S = 120
PROGRAM = "from workseal_agent import main; raise SystemExit(main())"


def ended() -> None:
    """End what a failing test left recording."""
    while Worker.started:
        process = Worker.started.pop()
        process.kill()
        process.wait()


class Worker:
    """A home that has joined, and the process that records for it."""

    started: ClassVar[list[subprocess.Popen[bytes]]] = []

    def __init__(self, home: Path, bridge: Bridge, **terms: object) -> None:
        self.home = home
        home.mkdir(mode=0o700)
        self.keystore = Keystore.create(home / "keys", PASSPHRASE)
        VaultWriter(home / "vault", self.keystore.vault_public)
        self.signer = self.keystore.unlock_signer(PASSPHRASE)
        self.pictures = home / "pictures"
        self.pictures.mkdir()
        for number in range(4):
            picture = encode_png(64, 48, bytes([60 * number]) * (64 * 48 * 3))
            (self.pictures / f"{number}.png").write_bytes(picture)
        freelancer = PublicKey.of_raw(self.keystore.signing_public)
        terms = {"freelancer": freelancer, "capture_rate": 49_152, "tile": 16} | terms
        offer = sign(
            builders.make_offer(claimed_at=now_ms(), terms=bridge.simulator.terms(**terms)),
            bridge.simulator.people.client,
        )
        bridge.simulator.history = bridge.simulator.history.start(
            {
                role: [freelancer] if role is Role.FREELANCER else [one.public_key for one in keys]
                for role, keys in bridge.simulator.people.keys().items()
            }
        )
        self.client = VerifierClient(bridge.url)
        invitation = read_invitation(offer.encode(), freelancer)
        with self.ledger() as ledger:
            self.engagement = join(invitation, ledger, self.client, self.signer, now_ms=now_ms())
        (home / "passphrase").write_text(PASSPHRASE + "\n")

    def ledger(self) -> Ledger:
        return Ledger(self.home / "ledger.sqlite", LedgerKey(self.signer))

    def start(
        self, patch: str | None = None, display: str | None = None
    ) -> subprocess.Popen[bytes]:
        """Start recording; `patch` is run first in each Python of it.

        It sees the folder of pictures, or an X11 display.
        """
        environment = dict(os.environ)
        seen: list[str | Path] = ["replay", "--replay", self.pictures]
        if display is not None:
            seen, environment["DISPLAY"] = ["x11"], display
        if patch is not None:
            folder = self.home / "patch"
            folder.mkdir()
            (folder / "sitecustomize.py").write_text(patch)
            environment["PYTHONPATH"] = str(folder)
        process = subprocess.Popen(
            [
                sys.executable, "-c", PROGRAM, "--home", self.home,
                "--passphrase-file", self.home / "passphrase",
                "start", "--foreground", "--screen", *seen,
            ],
            stdout=subprocess.DEVNULL,
            env=environment,
        )  # fmt: skip
        self.started.append(process)
        return process

    def ask(self, command: str) -> dict[str, Any]:
        meant = self.engagement.id.hex()
        return ask(self.home / "control.sock", {"command": command, "engagement": meant})

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(NotRunningError):
                self.ask("status")
                return
            time.sleep(0.05)
        raise AssertionError("the process did not begin to record")
