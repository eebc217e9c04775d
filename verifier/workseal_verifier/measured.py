"""What is told of a running verifier in numbers, and where: a port of this machine alone."""

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Final
from wsgiref.simple_server import WSGIServer

from prometheus_client import start_http_server

from workseal_verifier.errors import ConfigError
from workseal_verifier.services.conflicts import ConflictBook
from workseal_verifier.services.health import Health
from workseal_verifier.services.meters import Meters
from workseal_verifier.services.sequencer import Sequencer
from workseal_verifier.services.space import Space
from workseal_verifier.services.witnessing import Witnessing
from workseal_verifier.signaturechecks import SignatureChecks
from workseal_verifier.store.outbox import Outbox

# Each worker has a port of its own, from the configured one on.
_MOST_WORKERS: Final = 64
_LOOPBACK: Final = "127.0.0.1"


def register(
    meters: Meters,
    *,
    sequencer: Sequencer,
    space: Space,
    health: Health,
    conflicts: ConflictBook,
    database: Path,
) -> None:
    """Register the numbers of the log."""
    meters.gauge("log_size", "Statements in the log.", lambda: sequencer.current.size)
    meters.gauge("waiting", "Submissions that wait for a tick.", lambda: sequencer.waiting)
    meters.gauge("space_left_bytes", "Free on the disk and not owed.", space.left)
    meters.gauge("read_only", "1 while nothing is logged for want of space.", lambda: space.is_full)
    meters.gauge("conflicts", "Bodies kept as evidence of forks.", conflicts.count)
    meters.gauges("file_bytes", "The database's files.", "file", lambda: _sizes(database))
    meters.gauges("loop_age_seconds", "Since a loop did what it should.", "loop", health.ages)
    meters.gauges(
        "loop_failing",
        "1 for a loop that failed again and again.",
        "loop",
        lambda: dict.fromkeys(health.failing(), 1),
    )


def register_beside(
    meters: Meters,
    *,
    committed: Callable[[], int],
    witnessing: Witnessing,
    outbox: Outbox,
    checks: SignatureChecks,
) -> None:
    """Register the numbers of what stands beside the log.

    `committed` is how far witnesses are asked to go: without their quorum less is published.
    """
    meters.gauges(
        "witness_behind",
        "Statements that a witness has not cosigned yet.",
        "witness",
        lambda: {name: max(0, committed() - size) for name, _, size in witnessing.standings()},
    )
    meters.gauge(
        "notices_waiting", "Notices that are still to be sent.", lambda: outbox.counts().waiting
    )
    meters.gauge("notices_parked", "Notices that were given up.", lambda: outbox.counts().parked)
    meters.gauge("check_processes", "Processes that check signatures.", lambda: checks.running)


def wal_bytes(database: Path) -> int:
    """Measure what SQLite has still to copy into the database; 0 where there is no such file."""
    return _size(Path(f"{database}-wal"))


class MetricsServer:
    """Answer at /metrics on a port of this machine."""

    def __init__(self, meters: Meters, port: int) -> None:
        self._server, self._thread = _begun(meters, port)
        self.port: int = self._server.server_port

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        with closing(self._server.socket):
            self._server.server_close()
        self._thread.join(10)


def _begun(meters: Meters, port: int) -> tuple[WSGIServer, Thread]:
    for number in range(port, min(port + _MOST_WORKERS, 65_536)):
        try:
            return start_http_server(number, addr=_LOOPBACK, registry=meters.registry)
        except OSError:
            continue
    raise ConfigError(f"metrics_port {port} and the ports above it are in use")


def _sizes(database: Path) -> Mapping[str, float]:
    return {"database": _size(database), "wal": wal_bytes(database)}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
