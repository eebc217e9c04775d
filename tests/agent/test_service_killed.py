"""SIGKILL at each point at which an act of the agent becomes durable, or leaves the machine.

The short form draws a third of the points. All of them, with the list:

    WORKSEAL_LONG=1 pytest -rP tests/agent/test_service_killed.py
"""

import json
import os
import subprocess
import sys

import pytest

LONG = bool(os.environ.get("WORKSEAL_LONG"))
SEED = "20261129"
# Each act, and the least of what is a point of it. A point more is swept by itself.
ACTS = {
    "start": ["commit", "fsync", "unlink"],
    "segment": ["commit"],
    "capture": ["commit", "fsync", "link", "unlink"],
    "declare": ["commit"],
    "stop": ["commit"],
    "withdraw": ["commit", "fsync", "unlink"],
    "upload": ["send", "commit"],
    "erase": ["commit", "fsync", "unlink"],
    "rotate": ["fsync", "replace"],
    "report": ["send", "fsync", "replace"],
}


@pytest.fixture(scope="module")
def swept() -> dict[str, dict[str, object]]:
    """Sweep all acts in a program of its own: a process with other threads is not forked."""
    done = subprocess.run(
        [sys.executable, "-m", "support.killing", "all" if LONG else SEED],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, dict[str, object]] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("act", ACTS)
def test_a_kill_at_any_point_loses_at_most_a_round_and_contradicts_nothing(
    swept: dict[str, dict[str, object]], act: str
) -> None:
    found = swept[act]
    print(act, found)  # noqa: T201 - the campaign's figures
    assert found["problem"] is None
    points = found["points"]
    assert isinstance(points, list)
    assert set(ACTS[act]) <= set(points)
    # One trial that dies nowhere, and two for each point: before it and after it.
    trials = found["trials"]
    assert isinstance(trials, int)
    assert trials >= (2 * len(points) if LONG else 2 * (len(points) // 3))
