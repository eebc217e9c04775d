"""What the process that reads gives up. That it reads is tried in `test_reading`."""

import subprocess
import sys
from pathlib import Path

import pytest

CONFINED = "from workseal_agent.suggestions.worker import confine; confine()\n"


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", "-c", CONFINED + program],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "asked",
    [
        "import socket; socket.socket()",
        "import socket; socket.getaddrinfo('localhost', 80)",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
        "import requests; requests.get('http://127.0.0.1:9/', timeout=1)",
    ],
)
def test_it_has_no_network(asked: str) -> None:
    done = run(asked)
    assert done.returncode == 1
    assert "the process that reads has no network" in done.stderr


def test_it_writes_no_file(tmp_path: Path) -> None:
    file = tmp_path / "text"
    assert "File too large" in run(f"open({str(file)!r}, 'wb', 0).write(b'x')").stderr
    assert file.read_bytes() == b""


def test_it_leaves_no_core_dump_and_cannot_be_traced() -> None:
    done = run(
        "import ctypes, resource\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    assert done.stdout == "(0, 0) 0\n"


def test_it_ends_when_nobody_asks_any_more() -> None:
    program = "import io; from workseal_agent.suggestions.worker import serve\n"
    program += "serve(io.BytesIO(), io.BytesIO(), None, None)"
    assert run(program).returncode == 0
