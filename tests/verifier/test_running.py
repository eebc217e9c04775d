"""The whole server, killed with SIGKILL in the middle of its work."""

import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from support.drand import GENESIS_S, PERIOD_S, OneMan
from support.load import load_of
from support.office import ORIGIN, Office, check_store, new_home, stranger_offer
from support.simulator import START
from support.tsa import Authority as Certified
from support.tsahttp import Dripping
from workseal_verifier.config import SETTINGS_FILE, Settings, render
from workseal_verifier.services.stamping import Authority

if TYPE_CHECKING:
    from workseal_protocol.checkpoint import Checkpoint
    from workseal_protocol.digest import Digest
    from workseal_protocol.statement import Statement

COMMAND = Path(sys.executable).with_name("workseal-verifier")
SENDERS = 3


class Server:
    """The real command, in a process of its own."""

    def __init__(self, home: Path) -> None:
        self._process = subprocess.Popen(
            [COMMAND, "serve", "--home", home, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        found = re.search(r"http://\S+", self._process.stdout.readline())
        assert found is not None, self._process.communicate()
        self.url = found[0]

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = new_home(tmp_path, periods_ms=(1_000,), tick_ms=5)
    text = render(ORIGIN, (1_000,)).replace("tick_ms = 20", "tick_ms = 5")
    (made.home / SETTINGS_FILE).write_text(text)
    return made


# What comes only when it is wanted: old tables, PostgreSQL, others' servers, passkeys.
UNWANTED = {
    "alembic",
    "httpx",
    "psycopg",
    "pygments",
    "rich",
    "sqlalchemy.dialects.postgresql",
    "webauthn",
}
IDLE = """
import pathlib, sys
from workseal_verifier import cli, serving
from workseal_verifier.app import create_app
from workseal_verifier.config import Settings
from workseal_verifier.running import Verifier

settings = Settings.load(pathlib.Path(sys.argv[1]))
verifier = Verifier(settings)
verifier.open()
serving.make_server(create_app(settings, verifier), settings).config.load()
print(*sys.modules)
verifier.close()
"""


def test_an_idle_server_has_loaded_only_what_it_serves_with(settings: Settings) -> None:
    words = [sys.executable, "-c", IDLE, str(settings.home)]
    loaded = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    assert {"fastapi", "sqlalchemy.dialects.sqlite", "workseal_verifier.app"} <= set(loaded)
    assert UNWANTED.isdisjoint(loaded)


def test_what_was_acknowledged_survives_sigkill(settings: Settings) -> None:
    """Three lives under load; each acknowledged receipt stays true in all that follow."""
    everything: dict[Digest, int] = {}
    newest: Checkpoint | None = None
    in_doubt: dict[Digest, Statement] = {}
    for life, enough in enumerate((40, 25, 60)):
        server = Server(settings.home)
        load = load_of(server.url, enough)
        if newest is not None:
            load.seen.append(newest)
        with httpx.Client(base_url=server.url, trust_env=False, timeout=20) as client:
            # Whoever was left in doubt sends the same again, and learns one index.
            for statement in in_doubt.values():
                load.post(client, [statement])
                load.post(client, [statement])
        senders = [
            threading.Thread(target=load.send_until_it_dies, args=(f"{life}/{n}",))
            for n in range(SENDERS)
        ]
        for sender in senders:
            sender.start()
        assert load.reached.wait(60)
        server.kill()
        for sender in senders:
            sender.join()
        everything |= load.acknowledged
        in_doubt = {d: s for d, s in load.sent.items() if d not in load.acknowledged}
        newest = max(load.seen, key=lambda one: one.size)
        assert check_store(settings, everything) == []
    assert len(everything) >= 125


def test_a_silent_authority_does_not_hold_the_start(tmp_path: Path) -> None:
    asked, end = threading.Event(), threading.Event()

    def silent(_: bytes) -> bytes:
        asked.set()
        end.wait(20)
        raise OSError("the authority did not answer")

    authority = Authority(name="silent", send=silent, roots=(), policy="1.2.3")
    office = Office(new_home(tmp_path), authorities=[authority]).open()
    try:
        assert asked.wait(10)
        office.now = START
        office.post([stranger_offer(office, 1)])
    finally:
        end.set()
        office.close()


def test_nobody_elses_server_holds_the_start_or_the_readers(
    settings: Settings,
) -> None:
    """Authority and relay take connections and say nothing."""
    root, man = Certified.root(), OneMan()
    (settings.home / "root.pem").write_bytes(root.pem)
    with Dripping(b"", b"") as authority, Dripping(b"", b"") as relay:
        path = settings.home / SETTINGS_FILE
        path.write_text(
            f"""{path.read_text()}
[[tsa]]
url = "{authority.url}"
roots = "root.pem"
policy = "1.2.3"

[drand]
urls = ["{relay.url}"]
chain = "{man.chain.hex()}"
key = "{man.key.hex()}"
genesis = {GENESIS_S}
period = {PERIOD_S}
"""
        )
        server = Server(settings.home)
        try:
            with (
                httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client,
                ThreadPoolExecutor(1) as pool,
            ):
                asked = pool.submit(client.get, "/v1/beacon/drand/latest")
                while not asked.done():
                    assert client.get("/healthz").text == "ok"
                assert asked.result().status_code == 503
                assert "no drand relay" in asked.result().text
        finally:
            server.kill()
