"""A demo that does not come to its end, or never begins, leaves nothing behind."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .conftest import ROOT, run_demo

pytestmark = pytest.mark.journey


def processes_naming(text: str) -> list[str]:
    """Return the command lines that hold a text."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line:
            found.append(line)
    return found


@contextmanager
def noticed(number: signal.Signals) -> Iterator[None]:
    """Let a program that is started here notice a signal, even if these tests run under nohup."""
    before = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_demo_that_is_broken_off_ends_all_that_it_started(
    tmp_path: Path, number: signal.Signals
) -> None:
    work = tmp_path / "work"
    command: list[str | Path] = [
        sys.executable,
        ROOT / "deploy" / "demo.py",
        "--screen",
        "replay",
        "--keep",
        work,
    ]
    with (
        noticed(number),
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as demo,
    ):
        assert demo.stdout is not None
        try:
            assert any("freelancer: recording" in line for line in demo.stdout)
            assert any("import record;" in line for line in processes_naming(str(work)))
            demo.send_signal(number)
            _, told = demo.communicate(timeout=60)
        finally:
            demo.kill()
    assert demo.returncode == 1
    assert told.strip() == "the demo was broken off; all that it started is ended"
    deadline = time.monotonic() + 20
    while left := processes_naming(str(work)):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_a_folder_that_cannot_be_used_is_told_before_anything_begins(tmp_path: Path) -> None:
    file, full = tmp_path / "file", tmp_path / "full"
    file.touch()
    full.mkdir()
    (full / "something").touch()
    for folder, reason in ((file, "cannot be used: file exists"), (full, "is not empty")):
        done = run_demo(folder)
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1] == f"dev.py demo: error: {folder} {reason}"
        assert done.stdout == ""


def test_a_folder_is_named_from_where_the_demo_was_typed(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    done = subprocess.run(
        [sys.executable, ROOT / "dev.py", "demo", "--out", "full"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == "dev.py demo: error: full is not empty"
