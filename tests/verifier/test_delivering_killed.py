"""Real processes that send: of several one tells a receiver, and a kill loses nothing."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from support.command import COMMAND
from support.hearings import Hearing
from support.office import ORIGIN, Office, new_home
from support.postal import (
    PostOffice,
    gives,
    https,
    post_office,
    server_context,
    smtp_to,
)
from support.scripted import ScriptedAgent
from support.shifted import MOVED, Shift
from support.simulator import START
from workseal_protocol.keys import Role
from workseal_protocol.records import Act
from workseal_verifier.config import SETTINGS_FILE
from workseal_verifier.services.contacts import Contact
from workseal_verifier.services.delivering import LEASE_MS
from workseal_verifier.store.engine import Database
from workseal_verifier.store.notices import Fate
from workseal_verifier.store.outbox import Outbox

MAIL = "freelancer@example.com"
# Of a machine that is very busy: a bound, and nothing is judged by it.
WAIT_S = 240


@dataclass
class Receiver:
    """Take webhooks; `meets` is called when one was read, before it is answered."""

    authority: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    meets: Callable[[], None] = lambda: None
    answered: Callable[[], None] = lambda: None


@contextmanager
def receiving(certificate: tuple[Path, Path]) -> Iterator[Receiver]:
    made = Receiver()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with lock:
                made.bodies.append(json.loads(body))
                made.keys.append(self.headers["idempotency-key"])
                made.at_once += 1
                made.most_at_once = max(made.most_at_once, made.at_once)
            made.meets()
            with lock:
                made.at_once -= 1
            self.send_response(204)
            self.end_headers()
            self.wfile.flush()
            made.answered()

        def log_message(self, *_: object) -> None:
            pass

    with https(Handler, certificate) as made.authority:
        yield made


def settle(home: Path, certificate: tuple[Path, Path], box: PostOffice, database: str = "") -> None:
    """Write the settings by which a process of its own finds the ways out."""
    smtp = smtp_to(box, certificate[0])
    (home / SETTINGS_FILE).write_text(
        f'origin = "{ORIGIN}"\n{database}webhooks = true\nwebhooks_private = true\n'
        f'webhooks_roots = "{certificate[0]}"\n[smtp]\nhost = "localhost"\n'
        f'port = {smtp.port}\nsender = "{smtp.sender}"\nroots = "{smtp.roots}"\n'
    )


def told(office: Office, contact: Contact, steps: int) -> None:
    """Have a freelancer who is told of so many steps of a case."""
    office.now = START
    agent = ScriptedAgent(office, terms=office.terms())
    hearing = Hearing(office, agent.engagement, agent.terms)
    gives(office, office.people.freelancer.public_key.thumbprint, contact)
    hearing.file()
    for _ in range(steps - 1):
        hearing.act(Role.CLIENT, Act.EXHIBIT, text="one more")


@pytest.mark.postgres
def test_of_two_processes_one_tells_a_webhook_and_each_notice_goes_once(
    both: tuple[Office, Office], certificate: tuple[Path, Path]
) -> None:
    with post_office(server_context(*certificate)) as box, receiving(certificate) as receiver:
        told(both[0], Contact(webhook=f"https://{receiver.authority}/"), steps=3)
        homes = [one.verifier.settings.home for one in both]
        url = both[0].verifier.settings.database_url
        for home in homes:
            settle(home, certificate, box, f'database_url = "{url}"\n')

        def sending(home: Path) -> subprocess.Popen[str]:
            words: list[str | Path] = [COMMAND, "notices", "--home", home, "--send"]
            return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

        met, go = threading.Event(), threading.Event()

        def hold() -> None:
            if not met.is_set():
                # It is not to give up while the other one works, however long that takes.
                first.send_signal(signal.SIGSTOP)
                met.set()
                go.wait(WAIT_S)

        receiver.meets = hold
        first = sending(homes[0])
        assert met.wait(WAIT_S)
        said, _ = sending(homes[1]).communicate(timeout=WAIT_S)
        # All that waits is for the one who is being told of something just now.
        assert said.endswith("; 3 wait, 0 were given up\n")
        assert len(receiver.bodies) == 1
        first.kill()
        first.communicate(timeout=WAIT_S)
        go.set()
        # As if the lease of what it held had passed.
        with both[0].verifier.database.write() as connection:
            connection.exec_driver_sql(
                "UPDATE notices SET next_ms = made_ms, held_ms = 0 WHERE held_ms > 0"
            )
        for process in [sending(home) for home in homes]:
            process.communicate(timeout=WAIT_S)
    assert receiver.most_at_once == 1
    first_id, *ids = [one["id"] for one in receiver.bodies]
    assert sorted(ids) == sorted(set(ids))
    assert len(ids) == 3
    assert [one["id"] for one in receiver.bodies if one["again"]] == [first_id]


class Server:
    """A server of its own that is stopped and killed, with a clock that is moved."""

    def __init__(self, home: Path, shift: Shift) -> None:
        words: list[str | Path] = [
            sys.executable,
            "-c",
            MOVED,
            shift.file,
            "serve",
            "--home",
            home,
            "--port",
            "0",
        ]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=WAIT_S)


@pytest.fixture
def serve() -> Iterator[Callable[[Path, Shift], Server]]:
    """Start servers, and leave none behind."""
    made: list[Server] = []

    def start(home: Path, shift: Shift) -> Server:
        made.append(Server(home, shift))
        return made[-1]

    yield start
    for one in made:
        one.kill()


def until(holds: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("at", ["written", "read", "taken"])
def test_a_server_that_is_killed_loses_no_notice_and_repeats_one_at_most(
    tmp_path: Path,
    certificate: tuple[Path, Path],
    serve: Callable[[Path, Shift], Server],
    at: str,
) -> None:
    """Killed when nothing was sent; when a receiver had read; when it had taken, and not marked."""
    with post_office(server_context(*certificate)) as box, receiving(certificate) as receiver:
        office = Office(new_home(tmp_path)).open()
        contact = Contact(webhook=f"https://{receiver.authority}/")
        told(office, contact, steps=2)
        shift = Shift(tmp_path / "shift")
        home = office.verifier.settings.home
        office.close()
        settle(home, certificate, box)
        if at != "written":
            server = serve(home, shift)
            frozen, dead = threading.Event(), threading.Event()

            def freeze() -> None:
                # The first alone: what comes after it, by another server, is answered.
                if not frozen.is_set():
                    server.freeze()
                    frozen.set()

            def hold() -> None:
                freeze()
                dead.wait(WAIT_S)

            if at == "read":
                receiver.meets = hold
            else:
                receiver.meets, receiver.answered = freeze, dead.set
            assert frozen.wait(WAIT_S)
            if at == "taken":
                assert dead.wait(WAIT_S)
            server.kill()
            dead.set()
            assert len(receiver.bodies) == 1
            shift.move(LEASE_MS // 1000)
        server = serve(home, shift)
        wanted = 2 if at == "written" else 3
        until(lambda: len(receiver.bodies) == wanted)
        until(lambda: unsent(office) == [])
        server.kill()
    assert len({one["id"] for one in receiver.bodies}) == 2
    assert receiver.keys == [f'"{one["id"]}"' for one in receiver.bodies]
    again = [one["id"] for one in receiver.bodies if one["again"]]
    # What may have been taken says so, and nothing else does.
    assert again == ([] if at == "written" else [receiver.bodies[0]["id"]])


def unsent(office: Office) -> list[Fate]:
    """Read what another process left to be sent."""
    database = Database(office.verifier.settings.store)
    try:
        return [one.fate for one in Outbox(database).unsent(most=9)]
    finally:
        database.close()


def test_a_server_that_is_killed_when_its_mail_was_taken_sends_it_again_under_the_same_name(
    tmp_path: Path, certificate: tuple[Path, Path], serve: Callable[[Path, Shift], Server]
) -> None:
    with post_office(server_context(*certificate)) as box:
        office = Office(new_home(tmp_path)).open()
        told(office, Contact(mail=MAIL), steps=1)
        shift = Shift(tmp_path / "shift")
        home = office.verifier.settings.home
        office.close()
        settle(home, certificate, box)
        server = serve(home, shift)
        box.meets = server.freeze
        until(lambda: len(box.mails) == 1)
        server.kill()
        box.meets = lambda: None
        shift.move(LEASE_MS // 1000)
        server = serve(home, shift)
        until(lambda: len(box.mails) == 2)
        until(lambda: unsent(office) == [])
        server.kill()
    first, second = box.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first.get_content() == second.get_content()
