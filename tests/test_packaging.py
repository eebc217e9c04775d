"""The wheel, and what a base install of it can do: without network, without any extra."""

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.scripted import tell_story
from workseal_protocol.cli.page import offline_page

ROOT = Path(__file__).resolve().parents[1]
# Everything that a base install brings, on the Python that runs this.
BASE = ("cbor2", "cryptography", "cffi", "pycparser")
FRAMEWORKS = (
    "cv2", "fastapi", "h11", "httpx", "mss", "numpy", "pydantic", "rfc3161_client", "rich",
    "sqlalchemy", "starlette", "typer", "uvicorn", "zstandard",
)  # fmt: skip


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of what git would hold, so that nothing lies about."""
    if find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed")
    source = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("protocol", "agent", "verifier"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    program = "from hatchling.build import build_wheel; print(build_wheel('dist'))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return source / "dist" / done.stdout.split()[-1]


@pytest.fixture(scope="session")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel and copies of its two dependencies into an environment of their own."""
    home = tmp_path_factory.mktemp("base")
    venv.create(home, symlinks=os.name == "posix")
    python = home / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    for name in BASE:
        copy_distribution(name, site)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return python


def copy_distribution(name: str, site: Path) -> None:
    """Copy an installed distribution, file by file; one that is not installed is not needed."""
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return
    for file in found.files or ():
        source = Path(str(found.locate_file(file)))
        if ".." in file.parts or not source.is_file():
            continue
        target = site / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def run(python: Path, *words: str | Path, code: int = 0, stderr: str | None = None) -> str:
    # -I: neither this folder nor this environment's variables can lend a module.
    done = subprocess.run(
        [python, "-I", *words], capture_output=True, text=True, check=False, cwd=python.parent
    )
    assert done.returncode == code, done.stdout + done.stderr
    if stderr is not None:
        assert done.stderr == stderr
    return done.stdout


def command(name: str) -> str:
    """Give what the installed script of this name runs."""
    for entry in metadata.distribution("workseal").entry_points:
        if entry.group == "console_scripts" and entry.name == name:
            return f"import sys; from {entry.module} import {entry.attr}; sys.exit({entry.attr}())"
    raise LookupError(name)


def test_the_wheel_has_the_five_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    roots = {name.split("/")[0] for name in names}
    packages = {
        "workseal_protocol",
        "workseal_client",
        "workseal_witness",
        "workseal_agent",
        "workseal_verifier",
    }
    assert packages <= roots
    assert all(root.endswith(".dist-info") for root in roots - packages)
    for package in packages:
        assert f"{package}/py.typed" in names
    parts = {part for name in names for part in name.split("/")}
    assert not [part for part in parts if part.startswith("test") or part.endswith(".pyc")]


def test_the_wheel_has_every_module_of_the_source(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("protocol", "agent", "verifier"):
        for file in (ROOT / folder).rglob("*.py"):
            assert file.relative_to(ROOT / folder).as_posix() in names


def test_reviewing_brings_one_opencv() -> None:
    """Two wheels of OpenCV write to one folder, and the one that is removed takes the other's."""
    wanted, seen = [("workseal", frozenset({"agent", "review"}))], set[str]()
    while wanted:
        name, extras = wanted.pop()
        seen.add(name)
        for text in metadata.distribution(name).requires or ():
            needed = Requirement(text)
            named = canonicalize_name(needed.name)
            asked = [{"extra": extra} for extra in extras] or [{"extra": ""}]
            here = needed.marker is None or any(map(needed.marker.evaluate, asked))
            if here and (named not in seen or needed.extras):
                wanted.append((named, frozenset(needed.extras)))
    assert "rapidocr" in seen
    opencv = {name for name in seen if name.startswith("opencv")}
    assert opencv == {"opencv-python-headless"}


def test_the_base_install_asks_for_two_distributions_and_windows_for_zones(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        lines = archive.read(name).decode().splitlines()
    needed = [line.split(": ")[1] for line in lines if line.startswith("Requires-Dist: ")]
    base = [Requirement(line) for line in needed if "extra ==" not in line]
    for system, wanted in (("linux", set()), ("darwin", set()), ("win32", {"tzdata"})):
        machine = {"sys_platform": system}
        named = {one.name for one in base if one.marker is None or one.marker.evaluate(machine)}
        assert named == {"cbor2", "cryptography", *wanted}


def test_importing_verification_loads_no_framework(base: Path) -> None:
    program = "import sys, json, workseal_protocol.verify; print(json.dumps(sorted(sys.modules)))"
    loaded = {name.split(".")[0] for name in json.loads(run(base, "-c", program))}
    assert "workseal_protocol" in loaded
    assert not loaded & set(FRAMEWORKS)
    # What does no I/O has no use for these either; `zipfile` would mean a second reader of ZIP.
    assert not loaded & {"asyncio", "http", "logging", "sqlite3", "zipfile"}


def test_a_base_install_verifies_a_bundle(base: Path, tmp_path: Path) -> None:
    story = tell_story()
    (tmp_path / "bundle").write_bytes(story.bundle().encode())
    (tmp_path / "policy").write_text(story.verifier.trust().encode())
    words = ("verify", tmp_path / "bundle", "--policy", tmp_path / "policy")
    out = run(base, "-c", command("workseal"), *words, stderr="")
    assert "HOLDS: all 13 steps" in out


def test_a_base_install_writes_the_offline_page(base: Path, tmp_path: Path) -> None:
    target = tmp_path / "verify.html"
    run(base, "-c", command("workseal"), "page", "--out", target)
    assert target.read_bytes() == offline_page()


def test_time_stamps_without_their_extra_are_one_sentence(base: Path, tmp_path: Path) -> None:
    story = tell_story()
    (tmp_path / "bundle").write_bytes(story.bundle().encode())
    (tmp_path / "policy").write_text(story.policy.encode())
    run(
        base, "-c", command("workseal"), "verify", tmp_path / "bundle",
        "--policy", tmp_path / "policy", code=2,
        stderr="workseal: this bundle has time-stamps, and checking them needs the time extra:"
        " pip install 'workseal[time]'\n",
    )  # fmt: skip


@pytest.mark.parametrize("extra", ["agent", "verifier", "witness"])
def test_a_command_without_its_extra_says_so_in_one_sentence(base: Path, extra: str) -> None:
    run(
        base, "-c", command(f"workseal-{extra}"), "--help", code=2,
        stderr=f"workseal-{extra} needs the {extra} extra: pip install 'workseal[{extra}]'\n",
    )  # fmt: skip
