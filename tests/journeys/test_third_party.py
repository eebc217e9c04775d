"""Tools that we did not write read the demo's bundle, each in its own environment."""

import json
import shutil
import subprocess
from pathlib import Path
from textwrap import wrap

import pytest

from .conftest import DemoRun, need

ORACLES = Path(__file__).resolve().parents[1] / "oracles"

pytestmark = [pytest.mark.journey, pytest.mark.oracle]


def output_of(
    *command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None
) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def own_root(demo: DemoRun, folder: Path) -> Path:
    """Write the root of the reader's own policy: whoever made a bundle chose what is in it."""
    lines = (demo.out / "policy").read_text().splitlines()
    (root,) = [line.split()[1] for line in lines if line.startswith("tsa ")]
    path = folder / "root.pem"
    pem = ("-----BEGIN CERTIFICATE-----", *wrap(root, 64), "-----END CERTIFICATE-----", "")
    path.write_text("\n".join(pem))
    return path


def test_openssl_accepts_the_token_over_the_signed_checkpoint(
    demo: DemoRun, tmp_path: Path
) -> None:
    folder = demo.extracted
    printed = output_of(
        need("openssl"), "ts", "-verify", "-data", folder / "checkpoint.signed",
        "-in", folder / "checkpoint.tsr", "-CAfile", own_root(demo, tmp_path),
        "-untrusted", folder / "tsa-ca.pem",
    )  # fmt: skip
    assert "Verification: OK" in printed


def test_openssl_refuses_the_token_over_another_checkpoint(demo: DemoRun, tmp_path: Path) -> None:
    other = tmp_path / "checkpoint.signed"
    other.write_bytes((demo.extracted / "checkpoint.signed").read_bytes() + b"\n")
    done = subprocess.run(
        [
            *(need("openssl"), "ts", "-verify", "-data", other),
            *("-in", demo.extracted / "checkpoint.tsr", "-CAfile", own_root(demo, tmp_path)),
        ],
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0


def altered(demo: DemoRun, folder: Path) -> Path:
    """Copy the extracted bundle with one byte of its last statement's payload changed."""
    copy = folder / "extracted"
    shutil.copytree(demo.extracted, copy)
    victim = max((copy / "statements").iterdir())
    data = bytearray(victim.read_bytes())
    data[-70] ^= 1  # before the signature's 64 bytes and its head
    victim.write_bytes(data)
    return copy


def test_scitt_cose_accepts_every_statement_and_receipt(demo: DemoRun, scitt_cose: Path) -> None:
    counts = json.loads(output_of(scitt_cose, ORACLES / "cose_check.py", demo.extracted))
    assert counts["statements"] == demo.summary["statements"] > 0
    assert counts["scitt_cose"] == counts["statements"]
    assert counts["receipts"] == counts["scitt_cose_receipts"] == counts["statements"]


def test_scitt_cose_refuses_an_altered_statement(
    demo: DemoRun, scitt_cose: Path, tmp_path: Path
) -> None:
    counts = json.loads(output_of(scitt_cose, ORACLES / "cose_check.py", altered(demo, tmp_path)))
    assert counts["scitt_cose"] == counts["statements"] - 1
    assert counts["scitt_cose_receipts"] == counts["receipts"] - 1


def test_pycose_accepts_every_statement(demo: DemoRun, pycose: Path) -> None:
    counts = json.loads(output_of(pycose, ORACLES / "pycose_check.py", demo.extracted))
    assert counts["pycose"] == counts["statements"] == demo.summary["statements"]


def test_pycose_refuses_an_altered_statement(demo: DemoRun, pycose: Path, tmp_path: Path) -> None:
    counts = json.loads(output_of(pycose, ORACLES / "pycose_check.py", altered(demo, tmp_path)))
    assert counts["pycose"] == counts["statements"] - 1


def test_webcrypto_in_node_accepts_every_tlog_proof(demo: DemoRun) -> None:
    printed = output_of(need("node"), ORACLES / "tlog_proof.mjs", demo.extracted, *demo.log_vkeys())
    result = json.loads(printed)
    assert result["proofs"] == demo.summary["statements"]
    assert result["lines"]["1"] == 1
    assert result["lines"]["4"] >= 1
