"""One run of the real demo, its bundle extracted, and the environments of the third-party tools."""

import json
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class DemoRun:
    """What `dev.py demo --out` left, and what it printed."""

    out: Path
    extracted: Path
    work: Path
    summary: dict[str, Any]
    printed: str

    def log_vkeys(self) -> list[str]:
        """Return the verifier keys of the bundle's policy: the log's first."""
        lines = [line.split() for line in (self.extracted / "policy").read_text().splitlines()]
        logs = [words[1] for words in lines if words and words[0] == "log"]
        return logs + [words[2] for words in lines if words and words[0] == "witness"]


def run_demo(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the demo as its own process, as a user would."""
    return subprocess.run(
        [sys.executable, str(ROOT / "deploy" / "demo.py"), "--out", str(out), *options],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """Run the demo once, keeping every party's folder, and extract its bundle."""
    base = tmp_path_factory.mktemp("demo")
    out, work, extracted = base / "out", base / "work", base / "extracted"
    done = run_demo(out, "--quick", "--keep", str(work))
    assert done.returncode == 0, done.stdout + done.stderr
    subprocess.run(
        [COMMANDS / "workseal", "inspect", out / "bundle.workseal", "--extract", extracted],
        check=True,
        capture_output=True,
    )
    summary = json.loads((out / "summary.json").read_text())
    return DemoRun(out, extracted, work, summary, done.stdout)


def need(program: str) -> str:
    """Return the program's path, or skip with the reason (a skip fails in CI)."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


@pytest.fixture(scope="session")
def cose_tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment that holds scitt-cose and pycose and nothing of ours."""
    folder = tmp_path_factory.mktemp("cose-tools")
    venv.create(folder)
    python = folder / "bin" / "python"
    # The project's own environment holds no pip; the Python that it was made from does.
    host = Path(sys.base_prefix) / "bin" / "python3"
    done = subprocess.run(
        [
            *(host, "-m", "pip", "--disable-pip-version-check", "--python", python),
            *("install", "-q", "scitt-cose==0.5.0", "pycose==1.1.0"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"scitt-cose and pycose cannot be installed: {done.stderr[-300:]}")
    return python
