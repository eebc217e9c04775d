"""One run of the real demo, its bundle extracted, and the environments of the third-party tools."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
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


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that one process of this run makes, while the others wait; none changes it.

    What was not made to its end is made again, in a new folder.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    made = base / f"{name}.made"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            folder = factory.mktemp(name)
            make(folder)
            made.write_text(str(folder))
    return Path(made.read_text())


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """Run the demo once, keeping every party's folder, and extract its bundle."""
    base = made_once(tmp_path_factory, "demo", _tell_demo)
    out = base / "out"
    summary = json.loads((out / "summary.json").read_text())
    printed = (base / "printed").read_text()
    return DemoRun(out, base / "extracted", base / "work", summary, printed)


def _tell_demo(base: Path) -> None:
    out, extracted = base / "out", base / "extracted"
    done = run_demo(out, "--quick", "--keep", str(base / "work"))
    assert done.returncode == 0, done.stdout + done.stderr
    (base / "printed").write_text(done.stdout)
    subprocess.run(
        [COMMANDS / "workseal", "inspect", out / "bundle.workseal", "--extract", extracted],
        check=True,
        capture_output=True,
    )


def need(program: str) -> str:
    """Return the program's path, or skip with the reason (a skip fails in CI)."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def environment_with(factory: pytest.TempPathFactory, name: str, *packages: str) -> Path:
    """Make such an environment once for all processes of the run."""
    folder = made_once(factory, name, lambda one: environment_of(one, *packages))
    return folder / "bin" / "python"


def environment_of(folder: Path, *packages: str) -> Path:
    """Make an environment that holds these packages and nothing of ours; return its Python."""
    venv.create(folder)
    python = folder / "bin" / "python"
    # The project's own environment holds no pip; the Python that it was made from does.
    host = Path(sys.base_prefix) / "bin" / "python3"
    done = subprocess.run(
        [
            *(host, "-m", "pip", "--disable-pip-version-check", "--python", python),
            *("install", "-q", *packages),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"{packages[0]} cannot be installed: {done.stderr[-300:]}")
    return python


@pytest.fixture(scope="session")
def scitt_cose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the Python of an environment with scitt-cose."""
    return environment_with(tmp_path_factory, "scitt-cose", "scitt-cose==0.5.0")


@pytest.fixture(scope="session")
def pycose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the Python of an environment with pycose, which cannot work with cbor2 6."""
    return environment_with(tmp_path_factory, "pycose", "pycose==1.1.0", "cbor2<6")
