from pathlib import Path

import pytest

from support.attested import attested
from workseal_agent.backupfile import MAGIC
from workseal_protocol.attestation import MAX_ATTESTATION_BYTES
from workseal_protocol.cli import kinds
from workseal_protocol.cli.files import MAX_TEXT_BYTES

from .conftest import Run

PDF = b"%PDF-1.4\n%"
INVOICE = b"<?xml version='1.0'?>\n<rsm:CrossIndustryInvoice xmlns:rsm='urn:un'/>"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (attested().encode(), "an attestation, and no bundle: workseal attestation"),
        (MAGIC + bytes(200), "a backup of an agent's home, and no bundle: workseal-agent restore"),
        (b"\xef\xbb\xbfworkseal-policy v1\r\n", "a policy, and no bundle: workseal verify BUNDLE"),
        (PDF, "name the bundle that proves their hours by its SHA-256"),
        (INVOICE, "name the bundle that proves their hours by its SHA-256"),
    ],
)
@pytest.mark.parametrize("command", ["verify", "inspect", "hours"])
def test_another_file_of_ours_is_named_with_its_command(
    folder: Path, run: Run, command: str, content: bytes, sentence: str
) -> None:
    (folder / "other").write_bytes(content)
    words = {"verify": (), "inspect": (), "hours": ("--out", folder / "hours.csv")}[command]
    policy = () if command == "inspect" else ("--policy", folder / "policy")
    done = run(command, folder / "other", *policy, *words)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("size", [4, MAX_TEXT_BYTES + 1])
def test_a_bundle_in_the_place_of_the_policy_is_told_its_own(
    folder: Path, run: Run, size: int
) -> None:
    (folder / "swapped").write_bytes(b"PK\x03\xff".ljust(size, b"\xff"))
    done = run("verify", folder / "policy", "--policy", folder / "swapped")
    assert (done.code, done.out) == (2, "")
    assert "The bundle comes first, and the policy, a text of your own, after --policy" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_folder_is_taken_for_a_case_file(folder: Path, run: Run) -> None:
    done = run("verify", folder, "--policy", folder / "policy")
    assert (done.code, done.out) == (2, "")
    assert f"workseal case verify {folder} --policy POLICY" in done.err


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04" + bytes(100), b"<html>", MAGIC[:4]])
def test_what_is_not_known_is_examined_as_a_bundle(folder: Path, run: Run, content: bytes) -> None:
    (folder / "other").write_bytes(content)
    done = run("verify", folder / "other", "--policy", folder / "policy")
    assert (done.code, done.err) == (2, "")
    assert "MALFORMED" in done.out


def test_a_bundle_passes(folder: Path, run: Run) -> None:
    assert run("verify", folder / "bundle", "--policy", folder / "policy").code == 0


def test_what_is_too_large_for_an_attestation_is_not_unpacked_to_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kinds, "read_archive", lambda _: pytest.fail("unpacked"))
    kinds.require_no_other(Path("large"), b"PK" + bytes(MAX_ATTESTATION_BYTES))
