"""The example of docs/client-library.md, as it stands there but for the address."""

import re
import subprocess
import sys
from pathlib import Path

from support.office import LiveServer, Office, new_home, unique
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, seeded

PAGE = Path(__file__).resolve().parents[2] / "docs" / "client-library.md"
ADDRESS = "https://verifier.example"


def example() -> str:
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(block)


def run(folder: Path, url: str) -> str:
    assert example().count(ADDRESS) == 1
    done = subprocess.run(
        [sys.executable, "-c", example().replace(ADDRESS, url)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_the_example_reads_an_engagement_and_proves_each_statement(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path)).open()
    agent = ScriptedAgent(office, engagement=unique(office, "example"))
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    (tmp_path / "policy").write_text(office.trust(independent=()).encode())
    (tmp_path / "seed").write_bytes(seeded(office.seed, "party", "client"))
    (tmp_path / "engagement").write_text(agent.engagement.hex())
    with LiveServer(office) as live:
        told = run(tmp_path, live.url)
    office.close()
    kinds = [line.split()[1] for line in told.splitlines()]
    assert kinds.count("segment") == 2
    assert {"offer", "acceptance", "session.open"} <= set(kinds)
    # Nobody is there any more: said, and no traceback.
    assert run(tmp_path, live.url).startswith("later: no answer from the verifier")
