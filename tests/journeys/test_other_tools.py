"""The lines of the bundle's README.txt and of docs/other-tools.md, run as they stand there."""

import base64
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from textwrap import dedent

import pytest

from workseal_protocol.bundle import README

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


def program(language: str, section: str) -> str:
    """Give the block in this language of a section of the page."""
    text = PAGE.read_text().split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(block)


def splitter() -> str:
    """Give the program of the README that writes a bundle's parts."""
    text = README.decode().partition('"python3 split.py BUNDLE FOLDER":\n\n')[2]
    lines = takewhile(lambda line: not line[:1].strip(), text.splitlines(keepends=True))
    return dedent("".join(lines))


def split(bundle: Path, folder: Path, tools: Path) -> None:
    """Write a bundle's parts by that program, in an environment without anything of ours."""
    (folder.parent / "split.py").write_text(splitter())
    command: list[str | Path] = [
        tools / "python3",
        "-I",
        "-W",
        "error",
        folder.parent / "split.py",
        bundle,
        folder,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@dataclass(frozen=True, slots=True)
class Desk:
    """A bundle's parts, and what the commands find there."""

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
    split(demo.out / "bundle.workseal", folder, scitt_cose.parent)
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
    split(VECTORS / "valid-evidence.bundle", folder, scitt_cose.parent)
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


def test_the_readmes_program_writes_the_files_that_ours_writes(desk: Desk, demo: DemoRun) -> None:
    whole = {"manifest.cose", "checkpoint", "checkpoint.signed", "checkpoint.tsr", "tsa-ca.pem"}
    for name in (*whole, "policy", "keys/log.pem"):
        assert (desk.folder / name).read_bytes() == (demo.extracted / name).read_bytes(), name
    for part in ("statements", "receipts", "disclosures"):
        found = {one.name: one.read_bytes() for one in (desk.folder / part).iterdir()}
        assert found == {one.name: one.read_bytes() for one in (demo.extracted / part).iterdir()}
    keys = [
        sorted(base64.b64decode(one.read_text().splitlines()[1]) for one in folder.glob("*.pem"))
        for folder in (desk.folder / "keys", demo.extracted / "keys")
    ]
    assert keys[0] == keys[1]


@pytest.mark.parametrize("kind", ["bundle", "deflated", "overlapping", "many"])
def test_the_pages_program_tells_a_file_that_would_fill_a_disk(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes((VECTORS / "valid.bundle").read_bytes())
    if kind != "bundle":
        how = zipfile.ZIP_DEFLATED if kind == "deflated" else zipfile.ZIP_STORED
        with zipfile.ZipFile(file, "w", how) as archive:
            archive.writestr("statements.cbor", bytes(2 if kind == "many" else 100_000))
            for number in range(514 if kind == "many" else 0):
                archive.writestr(f"{number:06d}", b"")
            if kind == "overlapping":
                # The directory names the same bytes over and over.
                archive.filelist += archive.filelist * 500
    (tmp_path / "size.py").write_text(program("python", "Size"))
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "size.py", file],
        capture_output=True,
        text=True,
        check=False,
    )
    told = ("", 0) if kind == "bundle" else ("no bundle: do not unpack it\n", 1)
    assert (done.stderr, done.returncode) == told


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
    (desk.folder / "proofs.go").write_text(program("go", "Proofs"))
    (desk.folder / "paths.py").write_text(program("python", "Proofs"))
    made = desk.run("python3 -W error paths.py")
    assert made.returncode == 0, made.stderr
    ours = {path.name: path.read_bytes() for path in (demo.extracted / "proofs").iterdir()}
    assert {one.name: one.read_bytes() for one in (desk.folder / "proofs").iterdir()} == ours
    how = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "HOME": str(demo.work)}
    how |= {"PATH": f"{Path(go).parent}:{os.environ['PATH']}", "LOG": demo.log_vkeys()[0]}
    command = 'go run proofs.go "$LOG"'
    done = desk.run(command, **how)
    whole = demo.summary["statements"]
    assert (done.returncode, done.stdout) == (0, f"{whole} of {whole}\n"), done.stderr
    # One that no log has: somebody put it there, and nothing proves it.
    alone = desk.folder / "statements" / f"{whole:06d}.cose"
    alone.write_bytes((desk.folder / "statements" / "000000.cose").read_bytes())
    missed = desk.run("python3 paths.py")
    assert (missed.returncode, missed.stdout) == (1, "")
    assert f"{whole + 1} statements, {whole} in the proof" in missed.stderr
    missed = desk.run(command, **how)
    assert (missed.returncode, missed.stdout) == (1, f"{whole} of {whole + 1}\n")
    alone.unlink()
    desk.spoil("statements/{N}.cose".format(**desk.variables), -1)
    refused = desk.run(command, **how)
    assert (refused.returncode, refused.stdout) == (1, "")


def test_the_pages_commands_accept_a_witnesss_line_and_none_over_another_size(desk: Desk) -> None:
    done = desk.run(program("sh", "Witnesses"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Signature Verified Successfully" in done.stdout
    checkpoint = (desk.folder / "checkpoint").read_text()
    origin, size, rest = checkpoint.split("\n", 2)
    (desk.folder / "checkpoint").write_text(f"{origin}\n{int(size) + 1}\n{rest}")
    assert desk.run(program("sh", "Witnesses")).returncode != 0


def test_the_pages_program_accepts_every_disclosed_frame_and_no_other_pixel(desk: Desk) -> None:
    (desk.folder / "tiles.py").write_text(program("python", "Tiles"))
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
