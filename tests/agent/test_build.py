"""What the recording process loads: it is there all day."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bridge import bridged
from support.buses import private_bus
from support.desktop import SCREEN_MARKS, private_desktop
from support.worker import PATIENCE_S, Worker
from support.worker import ended as end_workers

# Not loaded by the program itself, whose parts other programs use with them.
LEFT_OUT = frozenset({"nacl.bindings"})
# Libraries of pictures, of terminals and of pages, and parts of the agent that read or show.
HEAVY = (
    "PIL", "asyncio", "click", "cryptography.x509", "cv2", "dbus_fast", "fastapi",
    "email", "html.entities", "http.client", "httpcore", "httpx", "imagehash", "importlib.metadata",
    "jinja2", "numpy", "onnxruntime", "pydantic",
    "pygments", "rich", "sqlalchemy", "starlette", "typer", "uvicorn", "argparse",
    "workseal_agent.cli", "workseal_agent.engagement", "workseal_agent.listing",
    "workseal_agent.pages", "workseal_agent.suggestions", "workseal_agent.unreadcases",
    "workseal_protocol.bundle", "workseal_protocol.cli.program", "workseal_protocol.dispute",
    "workseal_protocol.verify", "workseal_witness.home",
)  # fmt: skip
# What another kind of screen or sensor needs, or a moment that most days do not have.
ELSEWHERE = (
    "bz2", "concurrent.futures", "logging", "lzma", "shutil", "subprocess", "zoneinfo",
    "cryptography.hazmat.primitives.serialization", "workseal_agent.activity.idle",
    "workseal_agent.activity.listener", "workseal_agent.activity.swayidle",
    "workseal_agent.daemon.watch", "workseal_agent.screen.cast", "workseal_agent.screen.grim",
    "workseal_agent.screen.native", "workseal_agent.screen.portal",
    "workseal_agent.windows.sway", "workseal_witness",
)  # fmt: skip
# What `mss` loads to find a library of the system.
BY_THE_FIRST_PICTURE = frozenset({"bz2", "lzma", "shutil", "subprocess"})
PROGRAM = """
import sys
import workseal_agent.recording
import workseal_agent.screen.x11, workseal_agent.activity.x11
print(*(name for name in sys.argv[1:] if name in sys.modules))
"""

COMMANDS = """
import sys
from workseal_agent.cli.commands import load_all
load_all()
print(*(name for name in sys.argv[1:] if name in sys.modules))
"""

# In each Python of the agent: the names of all modules, as it ends.
TELL = """
import atexit, os, pathlib, sys
def tell():
    pathlib.Path({folder!r}, str(os.getpid())).write_text(chr(10).join(sys.modules))
atexit.register(tell)
"""


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """End what a failing test left recording."""
    yield
    end_workers()


def test_what_records_all_day_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *HEAVY, *ELSEWHERE],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


@SCREEN_MARKS[0]
@SCREEN_MARKS[1]
def test_a_day_of_recording_never_loads_what_is_heavy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    told.mkdir()
    with (
        bridged() as bridge,
        private_bus(tmp_path) as address,
        private_desktop(window_manager=False) as desktop,
    ):
        for variable in ("DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS"):
            monkeypatch.setenv(variable, address)
        worker = Worker(tmp_path / "home", bridge, capture_rate=65_536)
        process = worker.start(TELL.format(folder=str(told)), desktop.display)
        worker.wait(process)
        while not worker.ask("status")["captured"]:
            assert process.poll() is None
            time.sleep(0.1)
        worker.ask("pause")
        worker.ask("resume")
        worker.ask("stop")
        assert process.wait(PATIENCE_S) == 0
        loaded = set((told / str(process.pid)).read_text().split())
    # What is there is found: it took pictures, sent, and listened to D-Bus.
    assert {"workseal_agent.recording", "zstandard", "h11", "jeepney"} <= loaded
    assert loaded.intersection(HEAVY + ELSEWHERE) <= BY_THE_FIRST_PICTURE
    assert not loaded & LEFT_OUT


def test_commands_load_no_arrays_before_they_look_at_pictures() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, "cv2", "numpy", "pygments"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []
