"""Fixtures: a real verifier in a temporary home."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from support.office import FakeClock, Office, new_home
from support.postal import make_certificate
from support.postgres import Cluster, runs_here
from support.scripted import ScriptedAgent
from support.simulator import START


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give the certificate of a server of this machine, and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Give a PostgreSQL server for the whole run."""
    if not runs_here():
        pytest.skip("needs a PostgreSQL server (Debian: postgresql)")
    made = Cluster()
    yield made
    made.close()


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)],
)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Give an empty place for a log, in each kind of database."""
    if request.param == "sqlite":
        return tmp_path / "verifier.db"
    url: str = request.getfixturevalue("cluster").database()
    return url


@pytest.fixture(scope="session")
def waiting() -> Iterator[Cluster]:
    """Give a server of which a test may say that commits wait for a standby."""
    if not runs_here():
        pytest.skip("needs a PostgreSQL server (Debian: postgresql)")
    made = Cluster()
    yield made
    made.close()


@contextmanager
def two_offices(folder: Path, url: str) -> Iterator[tuple[Office, Office]]:
    first = new_home(folder / "one", database_url=url)
    second = replace(first, home=folder / "two" / "home")
    second.lock.mkdir(parents=True)
    second.keys.symlink_to(first.keys)
    clock = FakeClock(START - 3_600_000)
    offices = Office(first, clock=clock), Office(second, clock=clock)
    for one in offices:
        one.open()
    clock.ms = START
    yield offices
    for one in offices:
        one.close()


@pytest.fixture
def both(tmp_path: Path, cluster: Cluster) -> Iterator[tuple[Office, Office]]:
    """Give two processes of two hosts on one log."""
    with two_offices(tmp_path, cluster.database()) as offices:
        yield offices


@pytest.fixture
def both_waiting(tmp_path: Path, waiting: Cluster) -> Iterator[tuple[Office, Office]]:
    """Give the same on a server whose commits can be made to wait."""
    with two_offices(tmp_path, waiting.database()) as offices:
        yield offices


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(new_home(tmp_path)).open()
    made.now = START
    yield made
    made.close()


@pytest.fixture
def agent(office: Office) -> ScriptedAgent:
    # A capture in every round: tests of frames must not depend on the beacon's chance.
    return ScriptedAgent(office, terms=office.terms(capture_rate=65_536))
