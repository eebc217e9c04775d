"""Four parties with a real server, a recorded story and files of theirs, for tests of bad input.

Rules: everything is made by the real commands, once. Whoever changes the freelancer's home works on
a copy of it; `Done` and `unharmed` say what each refused command must have printed and left alone.
"""

import hashlib
import json
import secrets
import shutil
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import urlsplit

from parties import PASSPHRASE, TERMS, CommandFailed, Freelancer, Operator, Party
from stages import RECORDED
from support import warm
from workseal_agent.daemon import ask
from workseal_agent.keystore import Keystore
from workseal_protocol.cli.seeds import read_signer
from workseal_protocol.httpsignature import NONCE_BYTES, Target, sign_request
from workseal_protocol.keys import SeedSigner, Signer

ROUND_MS = 1_000
REPLAY = ("--screen", "replay", "--replay", str(RECORDED))
IN_CHAIN = "segment IS NOT NULL"  # of captures: a statement names the frame
_SEQUENCE = "application/cbor-seq"
_MEDIA = {"/v1/log": "application/cbor", "/v1/sealed": "application/octet-stream"}
_LONGEST = 700  # characters: one sentence, not a page


@dataclass(frozen=True, slots=True)
class Done:
    """Hold how a command ended."""

    name: str
    code: int
    out: str
    err: str

    @property
    def printed(self) -> str:
        """Return everything that was printed."""
        return self.out + self.err

    def told(self, code: int) -> str:
        """Return the one sentence of a refused command, or fail."""
        assert self.code == code, f"{self.name} ended with {self.code}, not {code}: {self.printed}"
        assert "Traceback" not in self.printed, self.printed
        lines = self.err.splitlines()
        assert len(lines) == 1, f"expected one sentence, found: {self.err!r}"
        head = f"{self.name}: "
        assert lines[0].startswith(head), lines[0]
        sentence = lines[0].removeprefix(head)
        assert 10 <= len(sentence) <= _LONGEST, sentence
        assert "Errno" not in sentence, sentence
        assert "object at 0x" not in sentence, sentence
        return sentence

    def usage(self) -> str:
        """Return what was wrong with the options of a command made with typer, or fail."""
        assert self.code == 2, f"{self.name} ended with {self.code}, not 2: {self.printed}"
        assert "Traceback" not in self.printed, self.printed
        assert "Usage:" in self.err or "--help`" in self.err, self.err
        assert self.out == ""
        return self.err

    def fine(self) -> str:
        """Return what a command that did its work printed, or fail."""
        assert self.code == 0, f"{self.name} ended with {self.code}: {self.printed}"
        assert "Traceback" not in self.printed, self.printed
        return self.out


def attempt(
    party: Party,
    command: str,
    *words: str | Path,
    stdin: str = "",
    env: Mapping[str, str | None] = MappingProxyType({}),
    cwd: Path | None = None,
    limits: Mapping[int, tuple[int, int]] = MappingProxyType({}),
) -> Done:
    """Run one command of a party to its end, whatever that is; `env` replaces single variables."""
    environment = {**party.environment, **env}
    done = warm.run(
        [command, *words],
        environment={name: value for name, value in environment.items() if value is not None},
        folder=cwd or party.folder,
        stdin=stdin,
        limits=limits,
    )
    return Done(command, done.returncode, done.stdout, done.stderr)


class Person(Party):
    """Be a party whose commands are loaded already when they begin."""

    def run(self, command: str, *arguments: str | Path, expect: int = 0) -> str:
        """Run one command to its end and return what it printed."""
        done = attempt(self, command, *arguments)
        if done.code != expect:
            raise CommandFailed(f"{self.name}: {arguments} ended with {done.code}: {done.printed}")
        return done.out


class Worker(Person, Freelancer):
    """Be a freelancer whose refused commands are looked at."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        # Python would leave half a .pyc file behind where a test lets no file grow.
        super().__init__(folder, {**environment, "PYTHONDONTWRITEBYTECODE": "1"})

    def copy(self, folder: Path) -> "Worker":
        """Return the same freelancer with a copy of everything; nothing may be recording."""
        shutil.copytree(self.folder, folder)
        other = Worker.__new__(Worker)
        other.__dict__ |= self.__dict__
        other.folder, other.home, other.process = folder, folder / self.home.name, None
        other.traffic = folder / self.traffic.name
        other.environment = {**self.environment, "HOME": str(folder / "home")}
        return other

    def attempt(self, *words: str | Path, **more: Any) -> Done:
        """Run one agent command to its end."""
        return attempt(self, "workseal-agent", "--home", self.home, *words, **more)

    def holdings(self) -> dict[str, Any]:
        """Return what this home holds: the ledger's rows, and each file but what lists attempts."""
        files = [path for path in self.home.rglob("*") if path.is_file()]
        kept = {
            str(path.relative_to(self.home)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if not path.name.startswith(("ledger.sqlite", "agent.lo", "sent.sqlite"))
        }
        return {"files": kept, "rows": self.rows()}

    def public_key(self) -> str:
        """Return the freelancer's public key, as the agent prints it."""
        return self.agent("status", "--public-key").strip()

    def stored(self, table: str, where: str = "1") -> int:
        """Count rows of the ledger: a quicker look than a command's, for waiting."""
        with closing(sqlite3.connect(self.home / "ledger.sqlite", timeout=10)) as sql:
            (count,) = sql.execute(f"SELECT COUNT(*) FROM {table} WHERE {where}").fetchone()  # noqa: S608
            return int(count)

    def troubles(self) -> list[str]:
        """Return what the recording process complains of, asked by its socket, for waiting."""
        told: list[str] = ask(self.home / "control.sock", {"command": "status"})["troubles"]
        return told

    def sent(self) -> bool:
        """Tell whether nothing waits to be sent."""
        return self.stored("statements", "state = 'unsent'") == 0

    def rows(self) -> dict[str, list[Any]]:
        """Return every row of the ledger."""
        with closing(sqlite3.connect(self.home / "ledger.sqlite", timeout=10)) as sql:
            names = [n for (n,) in sql.execute("SELECT name FROM sqlite_schema WHERE type='table'")]
            return {name: sql.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608

    def log(self) -> str:
        """Return what the recording process printed."""
        path = self.folder / "workseal-agent.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def end(self) -> int:
        """Wait for the recording process to end; terminate it if it does not."""
        if self.process is None:
            return 0
        try:
            return self.process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    @contextmanager
    def recording(self, *words: str | Path) -> Iterator[None]:
        """Record while the block runs."""
        self.work(*(words or REPLAY))
        try:
            yield
            if self.process is not None and self.process.poll() is None:
                self.agent("stop")
            self.end()
        finally:
            if self.process is not None and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        assert "Traceback" not in self.log()

    def frames(self) -> list[dict[str, Any]]:
        """Return the frames that the agent lists."""
        frames: list[dict[str, Any]] = json.loads(self.agent("frames", "--json"))
        return frames


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Server(Person, Operator):
    """Be an operator whose server is asked directly."""

    def serve(self) -> None:
        """Start the verifier with quick time-stamps and wait until it answers."""
        self.process = self.start(
            "workseal-verifier", "serve", "--home", self.data,
            "--port", str(self.port), "--local-tsa", "--stamp-interval", "1",
        )  # fmt: skip
        wait_for(lambda: self.ask("GET", "/healthz").status == 200, "the verifier to answer")

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send one request; 0 is the status when nobody answers."""
        if body is not None:
            kinds = [kind for start, kind in _MEDIA.items() if path.startswith(start)]
            headers.setdefault("content-type", *(kinds or [_SEQUENCE]))
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as got:
                return Answer(got.status, _headers(got), got.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _headers(error), error.read())
        except OSError:
            return Answer(0, {}, b"")

    def ask_as(self, signer: Signer, method: str, path: str, body: bytes | None = None) -> Answer:
        """Send one request signed by a party's key."""
        fields = signed(signer, self.url + path, method, body or b"")
        return self.ask(method, path, body, **fields)

    def holdings(self) -> bytes:
        """Return the log's size and root, which every statement would change."""
        return b"\n".join(self.ask("GET", "/v1/log/checkpoint").body.splitlines()[:3])

    def log(self) -> str:
        """Return what the server printed."""
        return (self.folder / "workseal-verifier.log").read_text(errors="replace")


def signed(signer: Signer, address: str, method: str, body: bytes = b"") -> dict[str, str]:
    """Return the headers that show whose request this is."""
    parts = urlsplit(address)
    target = Target(method, parts.netloc, parts.path, f"?{parts.query}")
    now, nonce = int(time.time()), secrets.token_bytes(NONCE_BYTES)
    return sign_request(target, signer, created=now, nonce=nonce, body=body)


def _headers(answer: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


def wait_for(ready: Callable[[], Any], what: str, seconds: float = 30) -> None:
    """Look again and again until `ready()` holds."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


class World:
    """Hold the parties and the files that they made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = Server(folder / "operator", ROUND_MS)
        self.client = Person("client", folder / "client")
        self.arbitrator = Person("arbitrator", folder / "arbitrator")
        self.freelancer = Worker(folder / "freelancer", {})

    @classmethod
    @contextmanager
    def told(cls, folder: Path) -> Iterator[Self]:
        """Give a world whose story was told; the server's log must hold no traceback at the end."""
        world = cls(folder)
        try:
            world.tell()
            yield world
        finally:
            world.server.kill()
        assert "Traceback" not in world.server.log()

    def tell(self) -> None:
        """Agree, record some seconds, withdraw a frame, export, and ask for two frames."""
        self.server.serve()
        for party in (self.client, self.arbitrator):
            party.run("workseal", "keygen", "key")
        self.freelancer.agent("init")
        self.policy.write_text(self.policy_text())
        terms = TERMS.format(round_ms=ROUND_MS, rate=65_536)
        (self.client.folder / "terms.toml").write_text(terms)
        self.make_offer(self.client, self.offer)
        self.freelancer.agent("join", self.offer, "--verifier", self.server.url, "--yes")
        with self.freelancer.recording():
            wait_for(lambda: self.freelancer.stored("captures", IN_CHAIN) >= 3, "three frames")
        self.freelancer.agent("withdraw", "1", "--reason", "private", "--yes")
        self.freelancer.agent("export", self.bundle, "--no-receipts")
        self.make_request(self.request, "--frame", self.kept[0], "--frame", self.kept[1])

    @cached_property
    def freelancers_signer(self) -> SeedSigner:
        """Return the freelancer's key, as the passphrase opens it."""
        keystore = Keystore.load(self.freelancer.home / "keys")
        return SeedSigner(keystore.unlock_seed(PASSPHRASE))

    @cached_property
    def arbitrators_signer(self) -> SeedSigner:
        """Return the arbitrator's key."""
        return read_signer(self.arbitrator.folder / "key")

    @cached_property
    def kept(self) -> list[str]:
        """Return the commitments of the frames that are not withdrawn."""
        return [one["commitment"] for one in self.freelancer.frames() if one["state"] == "kept"]

    @property
    def policy(self) -> Path:
        """Return the client's policy file."""
        return self.client.folder / "policy"

    @property
    def offer(self) -> Path:
        """Return the client's offer."""
        return self.client.folder / "offer.cose"

    @property
    def bundle(self) -> Path:
        """Return the bundle of the recorded work."""
        return self.folder / "work.workseal"

    @property
    def request(self) -> Path:
        """Return the arbitrator's request for two frames."""
        return self.folder / "request.cose"

    @property
    def case_key(self) -> Path:
        """Return the key that opens the answer to the request."""
        return self.folder / "request.key"

    def policy_text(self, **changed: str) -> str:
        """Write a policy of these parties, some of them changed."""
        keys = {**self._keys, **changed}
        lines = "".join(f"party {role} {key}\n" for role, key in keys.items())
        return f"workseal-policy v1\n{lines}{self._log_lines}"

    @cached_property
    def _keys(self) -> dict[str, str]:
        return {
            "client": key_of(self.client),
            "arbitrator": key_of(self.arbitrator),
            "freelancer": self.freelancer.public_key(),
        }

    @cached_property
    def _log_lines(self) -> str:
        return self.server.policy_lines()

    def make_offer(self, client: Party, out: Path, policy: Path | None = None) -> None:
        """Let a client sign an offer."""
        client.run(
            "workseal", "offer", "--terms", self.client.folder / "terms.toml",
            "--policy", policy or self.policy, "--key", client.folder / "key", "--out", out,
        )  # fmt: skip

    def make_request(self, out: Path, *frames: str, reason: str = "was this the report?") -> None:
        """Let the arbitrator ask for frames."""
        self.arbitrator.run(
            "workseal", "request", "--bundle", self.bundle, *frames, "--reason", reason,
            "--key", "key", "--case-key", out.with_suffix(".key"), "--out", out,
        )  # fmt: skip

    def hire(self, name: str) -> Worker:
        """Return another freelancer of the same client, with an engagement of their own."""
        worker = Worker(self.folder / name, {})
        worker.name = name
        worker.agent("init")
        policy, offer = worker.folder / "policy", worker.folder / "offer.cose"
        policy.write_text(self.policy_text(freelancer=worker.public_key()))
        self.make_offer(self.client, offer, policy)
        worker.agent("join", offer, "--verifier", self.server.url, "--yes")
        return worker

    def party(self, name: str) -> Party:
        """Return somebody new with a key."""
        party = Person(name, self.folder / name)
        party.run("workseal", "keygen", "key")
        return party


def key_of(party: Party) -> str:
    """Return a party's public key."""
    return party.run("workseal", "keygen", "--show", "key").split()[0]


@contextmanager
def unharmed(*holders: Worker | Server) -> Iterator[None]:
    """Check that what these hold is the same after the block."""
    before = [holder.holdings() for holder in holders]
    yield
    for holder, held in zip(holders, before, strict=True):
        assert holder.holdings() == held, f"{holder.name} holds something else now"
