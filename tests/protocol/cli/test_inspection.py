import json
import shutil
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from support.examined import FOLDER
from support.scripted import Story
from workseal_protocol.policy import TrustPolicy

from .conftest import Run


def test_lists_entries_statements_and_frames(folder: Path, run: Run, story: Story) -> None:
    done = run("inspect", folder / "bundle")
    assert (done.code, done.err) == (0, "")
    for words in ("statements.cbor", "receipts.cbor", "000003", "acceptance", "000006"):
        assert words in done.out
    for frame in story.agent.frames:
        assert f"frame {frame.tree.commitment}" in done.out
    assert "nothing below is verified" in done.out


def test_extracts_into_a_new_folder_only(folder: Path, run: Run, story: Story) -> None:
    done = run("inspect", folder / "bundle", "--extract", folder / "parts")
    assert done.code == 0
    assert len(list((folder / "parts" / "statements").iterdir())) == len(story.contents.statements)
    opened = json.loads((folder / "parts" / "openings.json").read_text())
    assert len(opened) == len(story.contents.openings) > 0
    before = sorted(folder.rglob("*"))
    again = run("inspect", folder / "bundle", "--extract", folder / "parts")
    assert (again.code, again.out) == (2, "")
    assert "nothing is overwritten" in again.err
    assert sorted(folder.rglob("*")) == before


def test_extracts_nothing_when_the_proof_does_not_hold(
    folder: Path, run: Run, story: Story
) -> None:
    contents = replace(story.contents, hashes=(bytes(32), *story.contents.hashes[1:]))
    (folder / "forged").write_bytes(story.bundle(contents).encode())
    done = run("inspect", folder / "forged", "--extract", folder / "parts")
    assert (done.code, done.out) == (1, "")
    assert "the bundle's proof does not hold" in done.err
    assert not (folder / "parts").exists()


def test_what_is_no_bundle_is_one_sentence(folder: Path, run: Run) -> None:
    (folder / "notes").write_text("what was agreed\n")
    for name, why in (("notes", "the bundle "), ("policy", "policy is a policy, and no bundle: ")):
        done = run("inspect", folder / name)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert why in done.err


@pytest.mark.oracle
def test_openssl_checks_every_token_that_was_extracted(folder: Path, run: Run) -> None:
    parts = folder / "parts"
    run("inspect", folder / "bundle", "--extract", parts)
    tokens = sorted(parts.rglob("*.tsr"))
    assert len(tokens) == 2
    assert all(openssl_takes(token, parts, folder / "policy") for token in tokens)


@pytest.mark.oracle
def test_openssl_takes_no_token_under_a_root_that_the_bundle_brought(
    folder: Path, run: Run
) -> None:
    parts = folder / "parts"
    run("inspect", FOLDER / "time-stamp-disguised-root.bundle", "--extract", parts)
    assert not openssl_takes(parts / "checkpoint.tsr", parts, folder / "policy")


def openssl_takes(token: Path, parts: Path, policy: Path) -> bool:
    """Check a token as the tutorial does: under the root of one's own policy."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    (root,) = TrustPolicy.parse(policy.read_text()).tsa
    (parts / "root.pem").write_text(ssl.DER_cert_to_PEM_cert(root))
    check = [openssl, "ts", "-verify", "-data", str(token.with_suffix(".signed"))]
    check += ["-in", str(token), "-CAfile", str(parts / "root.pem")]
    check += ["-untrusted", str(parts / "tsa-ca.pem")]
    return subprocess.run(check, check=False, capture_output=True).returncode == 0
