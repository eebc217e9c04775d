"""A real verifier in a temporary home, driven at a clock that the test sets.

`Office` answers like `support.simulator.Simulator`, so the scripted agent can work against the real
service; behind it are the real store, sequencer and keys.
"""

import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType, TracebackType
from typing import Any, Self

from sqlalchemy import Connection

from support.simulator import ROUND_MS, START, People, Simulator, seeded
from workseal_protocol.checkpoint import Checkpoint, SignedCheckpoint
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import decode
from workseal_protocol.keys import SeedSigner
from workseal_protocol.receipt import SubmissionAnswer, verify_answer
from workseal_protocol.records import Offer, sign
from workseal_protocol.statement import Statement
from workseal_verifier import housekeeping
from workseal_verifier.app import create_app
from workseal_verifier.config import Settings
from workseal_verifier.errors import RefusedError, StoreError
from workseal_verifier.homekeys import load_identity, make_keys
from workseal_verifier.running import Verifier
from workseal_verifier.services import beacon
from workseal_verifier.services.checking import LogCheck
from workseal_verifier.services.publication import Cosigning
from workseal_verifier.services.stamping import Authority
from workseal_verifier.serving import bind, make_server
from workseal_verifier.store.engine import Database, Where
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.records import RecordStore

ORIGIN = "office.workseal.example/2026"
ANSWER_S = 20


def _remember(module: ModuleType, name: str) -> None:
    """Let a pure function answer what it was asked before from memory."""
    setattr(module, name, lru_cache(maxsize=8)(getattr(module, name)))


# Half of what opening costs: the same page in each office, the same two chains twice in one.
_remember(housekeeping, "offline_page")
_remember(beacon, "build_chain")


class FakeClock:
    """Tell the time that the test set."""

    def __init__(self, ms: int = START) -> None:
        self.ms = ms

    def now_ms(self) -> int:
        return self.ms


def new_home(folder: Path, *, pq: bool = False, **changes: Any) -> Settings:
    """Make the keys of a new home."""
    fields: dict[str, Any] = {"periods_ms": (ROUND_MS,), "tick_ms": 0, "min_free_mib": 0}
    # What would go on beside a test is done by the test.
    fields |= {"outbox_interval_s": 86_400, "cases_interval_s": 240, "acts_by_itself": False}
    settings = Settings(home=folder / "home", origin=ORIGIN, **(fields | changes))
    make_keys(settings, pq=pq)
    return settings


@cache
def empty_tables() -> bytes:
    """Make an SQLite file with all tables and no rows, once."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "tables.db")
        database = Database(path)
        database.create()
        database.close()
        return path.read_bytes()


class Office(Simulator):
    """Drive a real verifier; `now` is its clock."""

    def __init__(
        self,
        settings: Settings,
        *,
        seed: bytes = b"office",
        clock: FakeClock | None = None,
        database: Callable[[Where], Database] = Database,
        authorities: Sequence[Authority] = (),
        cosigning: Cosigning | None = None,
    ) -> None:
        self.clock = clock or FakeClock(START - 3_600_000)
        self.seed = seed
        self.round_ms = settings.periods_ms[0]
        self.verifier = Verifier(
            settings,
            clock=self.clock,
            database=database,
            authorities=authorities,
            cosigning=cosigning,
        )
        identity = self.verifier.identity
        operator = identity.operator
        if not isinstance(operator, SeedSigner):
            raise TypeError("the office signs with seeds")
        people = People.from_seed(seed)
        self.people = People(people.client, people.freelancer, people.arbitrator, operator)
        self.policy = identity.policy
        self.log_key = identity.log_key
        # Digest of everything acknowledged, with its index.
        self.acknowledged: dict[Digest, int] = {}
        # How often a submission that was told to come back is sent again.
        self.patience = 0
        self.seen: Checkpoint | None = None

    @property
    def now(self) -> int:
        return self.clock.ms

    @now.setter
    def now(self, ms: int) -> None:
        self.clock.ms = ms

    def open(self) -> "Office":
        """Open the log, then let an hour of the first beacon window begin."""
        store = self.verifier.settings.store
        if isinstance(store, Path) and not store.exists():
            # What opening would make of no file, for half of what opening costs.
            store.write_bytes(empty_tables())
        self.verifier.open()
        return self

    def close(self) -> None:
        self.verifier.close()

    def value(self, number: int) -> bytes:
        return self.verifier.beacon.release(self.round_ms, number)

    def post(self, statements: Sequence[Statement], old: int = 0) -> SubmissionAnswer:
        """Send statements through intake and sequencer; verify the answer as an agent does."""
        answer = self._send(b"".join(one.encode() for one in statements), old)
        digests = [one.digest for one in statements]
        seen = self.seen if self.seen is not None and self.seen.size == old else None
        verified = verify_answer(answer, digests, seen, self.policy)
        self.acknowledged |= dict(zip(digests, answer.indices, strict=True))
        if self.seen is None or verified.checkpoint.size >= self.seen.size:
            self.seen = verified.checkpoint
        return answer

    def _send(self, body: bytes, old: int) -> SubmissionAnswer:
        services = self.verifier.services
        for _ in range(self.patience):
            with suppress(RefusedError, StoreError):
                return services.sequencer.submit(services.intake.read(body), old=old).result(
                    ANSWER_S
                )
        return services.sequencer.submit(services.intake.read(body), old=old).result(ANSWER_S)

    def submit(
        self, statements: Sequence[Statement], old: Checkpoint | None = None
    ) -> SubmissionAnswer:
        return self.post(statements, old.size if old is not None else self._old())

    def admit(self, statements: Sequence[Statement]) -> tuple[int, ...]:
        return self.post(statements, self._old()).indices

    def checkpoint(self) -> SignedCheckpoint:
        return self.verifier.sequencer.current.signed

    def _old(self) -> int:
        return 0 if self.seen is None else self.seen.size

    def others(self, count: int) -> None:
        """Log offers by other clients."""
        for _ in range(count):
            number = self.checkpoint().checkpoint.size
            self.post([stranger_offer(self, number)], self._old())

    def check(self) -> list[str]:
        """Derive the whole log again, in a database opened anew; name what differs."""
        return check_home(self.verifier.settings, self)


def check_home(settings: Settings, office: Office) -> list[str]:
    """Check a home's log from outside, and that it holds what the office acknowledged."""
    return check_store(
        settings, office.acknowledged, tuple(office.verifier.services.tsa_certificates)
    )


def check_store(
    settings: Settings, acknowledged: Mapping[Digest, int], roots: tuple[bytes, ...] = ()
) -> list[str]:
    """Check a log in a database opened anew; name whatever differs or is missing."""
    database = Database(settings.store)
    records = RecordStore(database)
    check = LogCheck(LogStore(database), records, load_identity(settings), roots)
    found = list(check.problems())
    places = records.positions(list(acknowledged))
    found += [
        f"acknowledged {digest} at {index}, stored at {places.get(digest)}"
        for digest, index in acknowledged.items()
        if places.get(digest) != index
    ]
    database.close()
    return found


def check_changed(told: Office, folder: Path, change: str) -> list[str]:
    """Check a copy of a closed log in which one statement of SQL changed something."""
    home = folder / "home"
    # The same keys: what differs is the database alone.
    shutil.copytree(told.verifier.settings.home, home)
    target = home / "verifier.db"
    with sqlite3.connect(told.verifier.settings.database) as source:
        target.unlink(missing_ok=True)
        with sqlite3.connect(target) as copy:
            source.backup(copy)
            if change:
                assert copy.execute(change).rowcount > 0
        copy.close()
    source.close()
    return check_store(replace(told.verifier.settings, home=home), told.acknowledged)


class FlakyDatabase(Database):
    """Fail chosen writes: `lost` before the commit, `kept` after it (the answer is the same)."""

    def __init__(self, where: Where) -> None:
        super().__init__(where)
        self.writes = 0
        self.fail_at: dict[int, str] = {}
        # SQLite's own limit on the file: beyond it a write fails with SQLITE_FULL.
        self.page_limit = 1 << 30

    def write(self) -> Any:
        return _FlakyWrite(self, super().write())


class _FlakyWrite:
    def __init__(self, database: FlakyDatabase, inner: Any) -> None:
        self._database = database
        self._inner = inner
        self._mode = ""

    def __enter__(self) -> Connection:
        number = self._database.writes
        self._database.writes += 1
        self._mode = self._database.fail_at.get(number, "")
        connection: Connection = self._inner.__enter__()
        if not self._database.shared:
            limit = self._database.page_limit
            connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")
        return connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        if kind is None and self._mode == "lost":
            failure = StoreError("the test lost this write")
            if not self._inner.__exit__(StoreError, failure, None):
                raise failure
        done = self._inner.__exit__(kind, error, trace)
        if kind is None and self._mode == "kept":
            raise StoreError("the test kept this write and says that it failed")
        return done


def stranger_offer(office: Office, word: object) -> Statement:
    """Give a valid offer by a client who has nothing to do with the others."""
    client = SeedSigner(seeded(office.seed, "other client", word))
    freelancer = SeedSigner(seeded(office.seed, "other freelancer", word))
    terms = office.terms(client=client.public_key, freelancer=freelancer.public_key)
    record = Offer(engagement=unique(office, word), claimed_at=office.now, terms=terms)
    return sign(record, client)


def unique(office: Office, word: object) -> bytes:
    """Give an engagement identifier."""
    return seeded(office.seed, "engagement", word)[:16]


def cbor_map(data: bytes) -> dict[int, Any]:
    """Decode a CBOR map of an answer."""
    value = decode(data, max_bytes=1 << 26)
    if not isinstance(value, dict):
        raise TypeError("expected a map")
    return dict(value)


class LiveServer:
    """Serve an office over HTTP, in a thread, on a free loopback port."""

    def __init__(self, office: Office, **changes: Any) -> None:
        self.settings = replace(office.verifier.settings, **changes)
        self.listener = bind("127.0.0.1", 0)
        self.port: int = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.app = create_app(self.settings, office.verifier)
        self._server = make_server(self.app, self.settings)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self.listener]}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join()

    def stop(self) -> None:
        """Tell it to stop; it does so beside the test."""
        self._server.should_exit = True

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.settimeout(20)
        return connection
