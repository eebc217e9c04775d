"""A home with a recorded day, its recording process's socket, and its pages served in a thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

import cv2
import httpx

from support.rig import MemoryVault, Rig
from support.simulator import seeded
from workseal_agent.config import DisplaySettings, Settings
from workseal_agent.connection import DepartureRecorder, VerifierClient
from workseal_agent.daemon.acts import Acts
from workseal_agent.daemon.service import Service, Wakers
from workseal_agent.keystore import Keystore
from workseal_agent.mask import Masked
from workseal_agent.pages import Desk, PagesServer
from workseal_agent.screen import RawFrame
from workseal_agent.uplink import BeaconClient
from workseal_agent.vault import VaultWriter
from workseal_agent.vaultkey import generate_private, public_of
from workseal_protocol.keys import Signer
from workseal_protocol.records import DisputeRequest, RequestedFrame, sign
from workseal_protocol.statement import Statement

PASSPHRASE = "a passphrase for tests"  # noqa: S105
RECORDED = Path(__file__).resolve().parents[2] / "deploy" / "recorded"


class RecordedScreen:
    """Show recorded pictures in turn."""

    def __init__(self) -> None:
        self._pictures = [
            cast("Any", cv2.imread(str(path)))[:, :, ::-1]
            for path in sorted(RECORDED.glob("*.png"))
        ]
        self._next = 0

    def take(self) -> Masked:
        picture = self._pictures[self._next % len(self._pictures)]
        self._next += 1
        height, width, _ = picture.shape
        return Masked((RawFrame(0, 0, 0, width, height, picture.tobytes()),), 0, frozenset())


@cache
def _keys(seed: bytes) -> tuple[bytes, Keystore]:
    """Make the keys of such homes: to stretch their passphrase takes half a second."""
    private = generate_private()
    return private, Keystore.seal(seed, private, PASSPHRASE)


class PagedHome:
    """Hold the parts; the rig's clock is the pages' too."""

    def __init__(
        self, folder: Path, *, take: Callable[[], Masked] | None = None, **terms: object
    ) -> None:
        self.home = folder / "home"
        self.home.mkdir(mode=0o700)
        # The machine's zone is another one where tests run; which is used is tested on its own.
        self.settings = Settings(self.home, display=DisplaySettings(zone="agreement"))
        self.rig = Rig(self.home, **{"capture_rate": 200, **terms})  # type: ignore[arg-type]
        seed = seeded(self.rig.simulator.seed, "party", "freelancer")
        self.private, self.keystore = _keys(seed)
        self.case = generate_private()
        self.settings.keys_file.write_bytes(self.keystore.encode())
        vault = VaultWriter(self.settings.vault_folder, self.keystore.vault_public)
        self.rig.vault = cast("MemoryVault", vault)
        if take is not None:
            self.rig.screen.take = take  # type: ignore[method-assign]
        self.rig.client.close()
        self.rig.client = self._connect("http://localhost")
        self.rig.uplink = self.rig.build_uplink()
        self.rig.recorder = self.rig.build()
        self.service = self._service(vault)
        self.requests: list[tuple[str, str, bytes]] = self.rig.wire.requests
        self.desk = Desk(
            settings=self.settings,
            keystore=lambda: self.keystore,
            ledger=self.rig.ledger,
            connect=self._connect,
            clock=self.rig.clock,
            chosen=self.rig.engagement.id,
        )

    def _service(self, vault: VaultWriter) -> Service:
        rig = self.rig
        acts = Acts(rig.chain, rig.ledger, vault, rig.clock, rig.recorder, lambda: None)
        return Service(
            engagement=rig.engagement.id,
            socket_file=self.settings.socket_file,
            recorder=rig.recorder,
            uplink=rig.uplink,
            beacon=BeaconClient(rig.client, rig.engagement.terms.round_ms, lambda: None),
            wakers=Wakers.make(),
            acts=acts.table(),
        )

    def _connect(self, url: str, *, signer: Signer | None = None) -> VerifierClient:
        wall_ms = self.rig.clock.wall_ms
        written = DepartureRecorder(self.rig.wire, self.settings.sent_file, wall_ms)
        return VerifierClient(url, written, signer=signer, now_ms=wall_ms)

    def work_day(self) -> None:
        """Record some hours: at the screen, paused, sealed, offline, away from the screen."""
        rig = self.rig
        rig.recorder.start()
        rig.work(95 * 60)
        rig.recorder.pause()
        rig.work(14 * 60)
        rig.recorder.resume()
        rig.work(40 * 60)
        self.service.handle(self._asked("mode", mode="sealed"))
        rig.work(25 * 60)
        self.service.handle(self._asked("mode", mode="working"))
        rig.cut(up=False)
        rig.work(22 * 60)
        rig.cut(up=True)
        rig.work(20 * 60)
        self.service.handle(self._asked("mode", mode="off-screen", memo="a sketch on paper"))
        rig.work(30 * 60)
        self.service.handle(self._asked("mode", mode="working"))
        rig.work(17 * 60 + 4)

    def _asked(self, command: str, **more: object) -> dict[str, Any]:
        return {"command": command, "engagement": self.rig.engagement.id.hex(), **more}

    def asked(self, *numbers: int, reason: str = "was the report being written?") -> Statement:
        """Ask for frames as the arbitrator, by their place in the list."""
        rows = self.rig.ledger.captures(self.rig.engagement.id)
        record = DisputeRequest(
            engagement=self.rig.engagement.id,
            claimed_at=self.rig.clock.true_ms,
            frames=tuple(
                RequestedFrame(rows[number].segment, rows[number].commitment) for number in numbers
            ),
            reason=reason,
            sealing_key=public_of(self.case),
            answer_by=self.rig.clock.true_ms + 5 * 86_400_000,
        )
        return sign(record, self.rig.simulator.people.arbitrator)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Let the recording process's socket answer, without its loops."""
        control = self.service._control
        control.start()
        try:
            yield
        finally:
            control.close()

    @contextmanager
    def served(self) -> Iterator[PagesServer]:
        """Serve the pages until the block ends."""
        server = PagesServer(self.desk)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join(20)
            assert not thread.is_alive()


class Visitor:
    """Ask as a browser does that was let in, with each header to be changed by a test."""

    def __init__(self, server: PagesServer) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.origin, trust_env=False, timeout=20)
        self.cookie = ""
        self.form = ""

    def enter(self) -> "Visitor":
        """Use the token."""
        answer = self.ask("POST", "/enter", json={"token": self.server.entrance.token})
        assert answer.status_code == 204, answer.text
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        text = self.ask("GET", "/today").text
        self.form = text.partition('name="form" content="')[2].partition('"')[0]
        return self

    def ask(
        self, method: str, path: str, *, drop: tuple[str, ...] = (), **more: Any
    ) -> httpx.Response:
        """Send one request; `headers` change what a browser would send, `drop` leaves out."""
        reads = method in {"GET", "HEAD"}
        headers = {
            "sec-fetch-site": "same-origin",
            "sec-fetch-mode": "navigate" if reads else "cors",
            "sec-fetch-dest": "document" if reads else "empty",
        }
        if not reads:
            headers["origin"] = self.server.origin
        if self.cookie:
            headers["cookie"] = self.cookie
        headers |= more.pop("headers", {})
        for name in drop:
            headers.pop(name, None)
        answer = self.http.request(method, path, headers=headers, **more)
        self.http.cookies.clear()
        return answer

    def get(self, path: str) -> httpx.Response:
        """Read a page."""
        return self.ask("GET", path)

    def post(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form of these pages."""
        return self.ask("POST", path, data={"form": self.form, **fields})

    def close(self) -> None:
        """Close the connection."""
        self.http.close()


@contextmanager
def recorded(folder: Path, *, seconds: float, **options: Any) -> Iterator[PagedHome]:
    """Give a home in which so much was recorded, while its recording process answers."""
    home = PagedHome(folder, **options)
    home.rig.recorder.start()
    home.rig.work(seconds)
    with home.recording():
        yield home
    home.rig.ledger.close()
    home.rig.client.close()
