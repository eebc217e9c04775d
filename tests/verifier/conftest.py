"""Fixtures: a real verifier in a temporary home."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.office import Office, new_home
from support.postgres import Cluster, runs_here
from support.scripted import ScriptedAgent
from support.simulator import START


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
