"""A client that knows only the standards registers a statement, and checks the receipt."""

import json
import subprocess
from pathlib import Path

import pytest

from support.office import LiveServer, Office, new_home, stranger_offer
from support.simulator import START
from workseal_verifier.api.problems import PREFIX

CLIENT = Path(__file__).resolve().parents[1] / "oracles" / "scrapi_client.py"

pytestmark = [pytest.mark.journey, pytest.mark.oracle]


def test_a_client_of_the_standards_alone_is_served(tmp_path: Path, scitt_cose: Path) -> None:
    office = Office(new_home(tmp_path)).open()
    office.now = START
    statement = tmp_path / "statement.cose"
    statement.write_bytes(stranger_offer(office, 1).encode())
    with LiveServer(office) as live:
        done = subprocess.run(
            [scitt_cose, CLIENT, live.url, statement], capture_output=True, text=True, check=False
        )
    office.close()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "status": [201, 201, 401, 422],
        "type": "application/cose",
        "location is the same": True,
        "receipts": [True, True],
        "problem": [True, ["-1", "-2", f"{PREFIX}refused"]],
    }
