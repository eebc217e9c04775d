"""A real PostgreSQL server of the tests' own: a private cluster on a socket in a new folder."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

_USER = "postgres"
_MEMORY = Path("/dev/shm")  # noqa: S108 - each server has a folder of its own there
_STUCK = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
_OPTIONS = "-c listen_addresses= -c max_connections=200 -c shared_buffers=64MB"


def find_programs() -> Path | None:
    """Find the folder of the newest server's programs."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: int(one.parts[-3])
    )
    if installed:
        return installed[-1].parent
    found = shutil.which("initdb")
    return None if found is None else Path(found).resolve().parent


def runs_here() -> bool:
    """Tell whether a server can be started: the programs exist, and a user who may run them."""
    if find_programs() is None:
        return False
    if os.getuid() != 0:
        return True
    try:
        pwd.getpwnam(_USER)
    except KeyError:
        return False
    return True


class Cluster:
    """One server; each test takes a database of its own."""

    def __init__(self, options: str = "") -> None:
        programs = find_programs()
        if programs is None:
            raise RuntimeError("there is no PostgreSQL server on this machine")
        self._programs = programs
        # Short: the path of a socket has at most 107 bytes. In memory, for each commit is synced,
        # and the crashes of the tests are those of the server, not of its machine.
        place = _MEMORY if _MEMORY.is_dir() else Path("/tmp")  # noqa: S108
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir=place))
        self._as_user = []
        if os.getuid() == 0:
            shutil.chown(self.folder, _USER)
            self._as_user = ["runuser", "-u", _USER, "--"]
        self._count = 0
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "test", "-E", "UTF8")
        self._options = f"-k {self.folder} {_OPTIONS} {options}"
        self.start()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        """Start the server, or start it again."""
        self._run(
            "pg_ctl", "-D", str(self._data), "-w", "-o", self._options, "-l",
            str(self.folder / "log"), "start",
        )  # fmt: skip

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; `immediate` is a crash."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def database(self) -> str:
        """Make an empty database and return its URL."""
        self._count += 1
        name = f"log{self._count}"
        self.psql(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://test@/{name}?host={self.folder}"

    def psql(self, sql: str, database: str = "postgres") -> str:
        """Run SQL as the superuser."""
        done = self._run("psql", "-h", str(self.folder), "-U", "test", "-d", database, "-Atc", sql)
        return done.stdout.strip()

    @contextmanager
    def missing_a_standby(self) -> Iterator[None]:
        """Let every commit wait for a standby that never comes, until the block ends.

        A process of the server's own puts the change into effect, some time after it was told to:
        the block begins only when a commit was seen to wait.
        """
        self._say("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        try:
            while not self._makes_wait():
                pass
            yield
        finally:
            self._say("ALTER SYSTEM RESET synchronous_standby_names")

    def _say(self, sql: str) -> None:
        self.psql(sql)
        self.psql("SELECT pg_reload_conf()")

    def _makes_wait(self) -> bool:
        """Commit something of no meaning, and tell whether it had to wait."""
        waited = False
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(self.psql, "SELECT pg_logical_emit_message(true, 'tests', '')")
            while not done.done():
                waited = waited or self.waiting() > 0
                self.cut_waits()
        return waited

    def waiting(self) -> int:
        """Count the commits that wait for a standby."""
        return int(self.psql(f"SELECT count(*) {_STUCK}"))

    def cut_waits(self) -> None:
        """Cut the waits short, as an operator may do."""
        self.psql(f"SELECT pg_cancel_backend(pid) {_STUCK}")

    def close(self) -> None:
        """Stop the server and remove all of it."""
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self._as_user, str(self._programs / program), *words],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            timeout=120,
            # A server that is started keeps the pipes: it must not be waited for.
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr or done.stdout}")
        return done
