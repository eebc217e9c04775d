"""The lines of the bundle's README.txt and of docs/other-tools.md, run as they stand there."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from workseal_protocol.bundle import README
from workseal_protocol.cli.program import main

from .conftest import ROOT, DemoRun, need
from .test_third_party import own_root

PAGE = ROOT / "docs" / "other-tools.md"
VECTORS = ROOT / "tests" / "vectors" / "bundle"

pytestmark = [pytest.mark.journey, pytest.mark.oracle]


def readme_commands() -> dict[str, str]:
    """Give each block of commands in the README by the first words of the line above it."""
    text = README.decode().split("The commands below are run in that folder.", 1)[1]
    found = re.findall(r"^(\S[^\n]*):\n\n((?: {4}[^\n]*\n)+)", text, re.MULTILINE)
    return {title: dedent(block) for title, block in found}


def program(language: str) -> str:
    """Give the page's block in this language."""
    (block,) = re.findall(
        rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    return str(block)


@dataclass(frozen=True, slots=True)
class Desk:
    """A copy of the extracted bundle, and what the commands find there."""

    folder: Path
    tools: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, script: str, **more: str) -> subprocess.CompletedProcess[str]:
        paths = [str(self.tools), str(Path(need("openssl")).parent), os.environ["PATH"]]
        return subprocess.run(
            ["sh", "-e", "-c", script],
            cwd=self.folder,
            env={"PATH": ":".join(paths)} | self.variables | more,
            capture_output=True,
            text=True,
            check=False,
        )

    def spoil(self, name: str, place: int) -> None:
        path = self.folder / name
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)


Made = Callable[[], Desk]


@pytest.fixture
def desk(demo: DemoRun, scitt_cose: Path, tmp_path: Path) -> Desk:
    folder = tmp_path / "parts"
    shutil.copytree(demo.extracted, folder)
    last = max((folder / "receipts").iterdir()).stem
    return Desk(
        folder,
        scitt_cose.parent,
        {
            "N": last,
            "BUNDLE": str(demo.out / "bundle.workseal"),
            "CA": str(own_root(demo, tmp_path)),
            "WITNESS": demo.log_vkeys()[1],
        },
    )


@pytest.fixture
def opened(scitt_cose: Path, tmp_path: Path) -> Desk:
    """Give the parts of a bundle in which values were opened: the demo opens none."""
    folder = tmp_path / "opened"
    assert main(["inspect", str(VECTORS / "valid-evidence.bundle"), "--extract", str(folder)]) == 0
    (row, *_) = json.loads((folder / "openings.json").read_text())
    digests = {
        Desk(folder, scitt_cose.parent).run(f"sha256sum statements/{path.name}").stdout[:64]: path
        for path in (folder / "statements").iterdir()
    }
    return Desk(folder, scitt_cose.parent, {"O": "000000", "N": digests[row["statement"]].stem})


TITLES = {
    "An entry of the archive, whose digest stands in the manifest": ("manifest.cose", 1_000),
    "What a statement says, its entry in the log, and that one of the keys signed it": (
        "statements/{N}.cose",
        -1,
    ),
    "The manifest, the same way": ("manifest.cose", -1),
    "A receipt, for the statement's entry in the log": ("statements/{N}.cose", -1),
    "The checkpoint's line of the log": ("checkpoint.signed", 1),
    "A time-stamp": ("checkpoint.signed", 1),
}
OPENED = "An opened value: this digest stands in the statement that openings.json names for it"


def test_every_command_of_the_readme_is_run_here() -> None:
    assert set(readme_commands()) == {*TITLES, OPENED}


@pytest.mark.parametrize("title", TITLES)
def test_a_command_of_the_readme_accepts_what_is_whole_and_refuses_what_is_not(
    title: str, desk: Desk
) -> None:
    command = readme_commands()[title]
    done = desk.run(command)
    assert done.returncode == 0, done.stdout + done.stderr
    name, place = TITLES[title]
    if title.startswith("An entry"):
        # Its digest in the manifest becomes another one.
        whole = (desk.folder / name).read_bytes()
        found = desk.run(f"{command.splitlines()[0]}\necho $digest").stdout.strip()
        place = whole.index(bytes.fromhex(found))
    desk.spoil(name.format(**desk.variables), place)
    assert desk.run(command).returncode != 0


def test_the_readmes_command_finds_what_was_opened(opened: Desk) -> None:
    command = readme_commands()[OPENED]
    assert opened.run(command).stdout == "1\n"
    opened.spoil("openings/000000.committed", -1)
    done = opened.run(command)
    assert (done.returncode, done.stdout) == (1, "0\n")


def test_the_pages_program_accepts_every_proof_and_no_other_statement(
    desk: Desk, demo: DemoRun
) -> None:
    go = need("go")
    if not Path("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog").exists():
        pytest.skip("golang-golang-x-mod-dev is not installed")
    (desk.folder / "proofs.go").write_text(program("go"))
    how = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "HOME": str(demo.work)}
    how |= {"PATH": f"{Path(go).parent}:{os.environ['PATH']}", "LOG": demo.log_vkeys()[0]}
    command = 'go run proofs.go "$LOG"'
    done = desk.run(command, **how)
    assert (done.returncode, done.stdout) == (0, f"{demo.summary['statements']}\n"), done.stderr
    desk.spoil("statements/{N}.cose".format(**desk.variables), -1)
    refused = desk.run(command, **how)
    assert (refused.returncode, refused.stdout) == (1, "")


def test_the_pages_commands_accept_a_witnesss_line_and_none_over_another_size(desk: Desk) -> None:
    done = desk.run(program("sh"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Signature Verified Successfully" in done.stdout
    checkpoint = (desk.folder / "checkpoint").read_text()
    origin, size, rest = checkpoint.split("\n", 2)
    (desk.folder / "checkpoint").write_text(f"{origin}\n{int(size) + 1}\n{rest}")
    assert desk.run(program("sh")).returncode != 0


def test_the_pages_program_accepts_every_disclosed_frame_and_no_other_pixel(desk: Desk) -> None:
    (desk.folder / "tiles.py").write_text(program("python"))
    disclosures = sorted((desk.folder / "disclosures").iterdir())
    assert disclosures
    for path in disclosures:
        command = f"python3 -W error tiles.py disclosures/{path.name} statements/{path.stem}.cose"
        done = desk.run(command)
        assert done.returncode == 0, done.stderr
        shown, of, total, *_ = done.stdout.split()
        assert (of, 0 < int(shown) < int(total)) == ("of", True)
    other = next(path for path in disclosures if path != disclosures[-1])
    swapped = f"python3 tiles.py disclosures/{other.name} statements/{disclosures[-1].stem}.cose"
    assert "not a frame of this statement" in desk.run(swapped).stderr
