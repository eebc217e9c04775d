"""Clients that mean harm against the real command: cut off or refused, and little memory for them.

bench/hostile.py does the same with a thousand of them, and looks at the clock.
"""

import asyncio
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from support import hostile
from support.command import COMMAND
from support.hostile import MIB, Attack, attack, memory_of
from support.office import ORIGIN, new_home
from workseal_verifier.config import SETTINGS_FILE, render

# Between two letters of a client that sends one a second: what comes as the connection is closed
# takes the answer with it.
SHORT = "header_timeout_s = 1.5\nbody_timeout_s = 1.5\n"


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    process: int

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def ask(self) -> str:
        return httpx.get(f"{self.url}/healthz", trust_env=False, timeout=60).text


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = new_home(tmp_path_factory.mktemp("hostile")).home
    (home / SETTINGS_FILE).write_text(render(ORIGIN, (1_000,)) + SHORT)
    command = [str(COMMAND), "serve", "--home", str(home), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield Server(found[0], process.pid)
        process.terminate()
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        (hostile.slow_header, {"408"}),
        (hostile.slow_body, {"408"}),
        (hostile.unread, {"closed"}),
    ],
    ids=["header", "body", "unread"],
)
def test_who_is_slow_on_purpose_is_cut_off(server: Server, kind: Attack, ends: set[str]) -> None:
    outcomes = asyncio.run(attack(server.port, [("", kind)] * 60))
    assert {one.status for one in outcomes} == ends
    assert server.ask().startswith("ok")


@pytest.mark.parametrize("kind", [hostile.declared, hostile.undeclared], ids=["said", "unsaid"])
def test_huge_bodies_take_no_room(server: Server, kind: Attack) -> None:
    before = memory_of(server.process)
    outcomes = asyncio.run(attack(server.port, [("", kind)] * 24))
    # The answer is lost where the connection was closed while the client still wrote.
    assert {one.status for one in outcomes} <= {"413", "503", "closed"}
    assert max(one.sent for one in outcomes) < 40 * MIB
    assert memory_of(server.process) - before < 64 * MIB
    assert server.ask().startswith("ok")
