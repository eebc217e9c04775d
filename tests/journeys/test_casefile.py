"""Tools that we did not write read a case file, each in its own environment."""

import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from support.casefiles import Told, work_and_quarrel
from support.cases import Play
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.records import Act

from .conftest import environment_of, need

MESSAGES = b"as we said" + bytes(range(16))

pytestmark = [pytest.mark.journey, pytest.mark.oracle]


@cache
def told() -> Told:
    return replace(work_and_quarrel(quarrel), exhibits=(MESSAGES,))


def quarrel(play: Play) -> None:
    value = Digest.of(MESSAGES).raw
    for _ in range(2):
        # The same file twice: of each statement the graph has a node of its own.
        play.act(Role.CLIENT, Act.EXHIBIT, value=value, text="our messages")
    play.heard().shown(1).decided()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a case file."""
    for name, data in told().files().items():
        path = tmp_path / "case" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "case"


@pytest.fixture(scope="module")
def bagit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the program of the Library of Congress."""
    python = environment_of(tmp_path_factory.mktemp("bagit"), "bagit==1.9.0")
    return python.parent / "bagit.py"


def code_of(*command: str | Path, cwd: Path | None = None) -> int:
    return subprocess.run(command, cwd=cwd, capture_output=True, check=False).returncode


def test_bagit_takes_the_folder_for_a_valid_bag(bagit: Path, folder: Path) -> None:
    python = bagit.parent / "python"
    assert code_of(python, bagit, "--validate", folder) == 0
    assert code_of(python, bagit, "--validate", "--fast", folder) == 0


@pytest.mark.parametrize(
    "name", ["data/case.cbor", "data/sealed/0000.sealed", "bag-info.txt", "manifest-sha512.txt"]
)
def test_bagit_finds_a_changed_byte(bagit: Path, folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(bytes(data))
    assert code_of(bagit.parent / "python", bagit, "--validate", folder) != 0


@pytest.mark.parametrize("tool", ["sha256", "sha512"])
def test_the_usual_programs_check_the_manifests(folder: Path, tool: str) -> None:
    for manifest in (f"manifest-{tool}.txt", f"tagmanifest-{tool}.txt"):
        assert code_of(need(f"{tool}sum"), "--strict", "-c", manifest, cwd=folder) == 0
    shutil.copy(folder / "bagit.txt", folder / "data" / "case.cbor")
    assert code_of(need(f"{tool}sum"), "-c", f"manifest-{tool}.txt", cwd=folder) != 0


def test_case_validate_takes_the_custody_graph(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    python = environment_of(tmp_path_factory.mktemp("case-utils"), "case-utils==0.18.0")
    validate = python.parent / "case_validate"
    graph = folder / "data" / "custody.jsonld"
    done = subprocess.run([validate, graph], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Conforms: True" in done.stdout
    # The tool is one that refuses: a performer that is no object of UCO is told.
    graph.write_text(graph.read_text().replace("xsd:hexBinary", "xsd:string"))
    done = subprocess.run([validate, graph], capture_output=True, text=True, check=False)
    assert "Conforms: False" in done.stdout
