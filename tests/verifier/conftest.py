"""Fixtures: a real verifier in a temporary home."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.office import Office, new_home
from support.scripted import ScriptedAgent
from support.simulator import START


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
