"""A freelancer attests, somebody who saw the record countersigns, a stranger checks: real ones."""

import json
import shlex
import sqlite3
import subprocess
import zipfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from support.agreed import ZONE, today, yesterday
from support.world import Worker, World, attempt, key_of
from workseal_protocol.attestation import (
    README,
    Attestation,
    RecordOpening,
    ShownRecord,
    examine_attestation,
)
from workseal_protocol.keys import PublicKey
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.verify import examine_bundle

from .test_third_party import output_of

pytestmark = pytest.mark.journey
pytest_plugins = ["support.told"]


def days() -> tuple[str, ...]:
    return ("--from", str(yesterday()), "--to", str(today() + timedelta(days=1)))


def checked_by_the_arbitrator(world: World, worker: Worker, made: Path) -> Path:
    bundle, out = made.with_name("bundle"), made.with_name("checked")
    worker.agent("export", bundle, "--no-receipts")
    attempt(
        world.arbitrator, "workseal", "countersign", made, "--policy", world.policy,
        "--opening", f"{made}.opening", "--bundle", bundle, "--key", "key", "--out", out,
    ).fine()  # fmt: skip
    return out


def test_a_draft_shows_what_readers_see_and_is_signed_on_a_word(
    world: World, tmp_path: Path
) -> None:
    worker, out = world.freelancer.copy(tmp_path / "freelancer"), tmp_path / "mine"
    refused = worker.attempt("attest", out, *days())
    assert "nothing was signed" in refused.told(1)
    assert not list(tmp_path.glob("mine*"))
    shown = worker.attempt("attest", out, *days(), "--for", "Nova", "--yes").fine()
    for words in ("Its readers see your key", "made for: Nova", "the name of the log:"):
        assert words in shown
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("mine*")} == {0o600}
    assert "exists already" in worker.attempt("attest", out, *days(), "--yes").told(2)
    backwards = ("--from", "2026-11-02", "--to", "2026-11-01")
    assert "lies before" in worker.attempt("attest", tmp_path / "b", *backwards).told(2)
    long = worker.attempt("attest", tmp_path / "b", *days(), "--for", "x" * 201, "--yes")
    assert "expected 1 to 200 characters" in long.told(2)


def test_a_stranger_checks_hours_and_learns_of_no_client(world: World, tmp_path: Path) -> None:
    worker, out = world.freelancer.copy(tmp_path / "freelancer"), tmp_path / "mine"
    worker.attempt("attest", out, *days(), "--yes").fine()
    client = PublicKey.parse_text(key_of(world.client))
    engagement = bytes.fromhex(worker.status()["engagement"])
    for hidden in (client.raw, client.thumbprint.raw, engagement):
        assert hidden not in out.read_bytes()

    # Somebody new knows the log, and nobody of the engagement but its arbitrator.
    log = [line for line in world.policy.read_text().splitlines() if line.startswith("log ")]
    arbitrator = f"party arbitrator {key_of(world.arbitrator)}"
    policy = tmp_path / "policy"
    policy.write_text("\n".join(["workseal-policy v1", arbitrator, *log, "quorum none", ""]))

    def examined(file: Path) -> tuple[int, dict[str, object]]:
        words = ("attestation", file, "--policy", policy, "--json")
        done = attempt(world.client, "workseal", *words)
        return done.code, json.loads(done.out)

    assert examined(out)[0] == 1
    code, found = examined(checked_by_the_arbitrator(world, worker, out))
    assert (code, found["holds"]) == (0, True)
    words = ("verify", tmp_path / "bundle", "--policy", world.policy, "--json")
    totals = json.loads(attempt(world.client, "workseal", *words).out)["totals"]
    claim = found["claim"]
    assert isinstance(claim, dict)
    assert claim["recorded_ms"] == totals["worked_ms"] > 0


def test_a_kept_bundle_is_attested_when_the_verifier_is_gone(world: World, tmp_path: Path) -> None:
    worker, bundle = world.freelancer.copy(tmp_path / "freelancer"), tmp_path / "kept"
    worker.agent("export", bundle, "--no-receipts")
    with closing(sqlite3.connect(worker.home / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("UPDATE engagements SET url = 'http://127.0.0.1:1'")
    out = tmp_path / "mine"
    assert "cannot be reached" in worker.attempt("attest", out, *days(), "--yes").told(1)
    shown = worker.attempt("attest", out, *days(), "--bundle", bundle, "--yes").fine()
    assert "as of the bundle: what came later is not in it" in shown
    policy = TrustPolicy.parse(world.policy.read_text())
    report = examine_bundle(bundle.read_bytes(), policy, zone=ZONE)
    opening = RecordOpening.parse(Path(f"{out}.opening").read_bytes())
    found = examine_attestation(out.read_bytes(), policy, shown=ShownRecord(opening, report, ZONE))
    assert found.steps[-1].why == "recomputed from the bundle"
    assert found.recomputed is not None
    assert found.recomputed.recorded > 0

    def refused(given: Path) -> str:
        other = tmp_path / "other"
        return worker.attempt("attest", other, *days(), "--bundle", given, "--yes").told(2)

    (tmp_path / "half").write_bytes(bundle.read_bytes()[:-1])
    assert "is malformed" in refused(tmp_path / "half")
    assert "an attestation, and no bundle" in refused(out)
    assert not list(tmp_path.glob("other*"))


@pytest.mark.oracle
def test_the_commands_of_the_readme_are_right(
    world: World, tmp_path: Path, scitt_cose: Path
) -> None:
    worker, out = world.freelancer.copy(tmp_path / "freelancer"), tmp_path / "mine"
    worker.attempt("attest", out, *days(), "--yes").fine()
    checked = checked_by_the_arbitrator(world, worker, out)
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(checked) as file:
        file.extractall(folder)
    lines = [line.strip() for line in README.decode().splitlines() if line.startswith("    ")]
    commands = [shlex.split(line) for line in lines if not line.startswith("workseal ")]
    assert [words[0] for words in commands] == ["scitt-cose", "scitt-cose", "sha256sum"]
    tool = scitt_cose.with_name("scitt-cose")
    for _, *words in commands[:2]:
        assert "PASS" in output_of(tool, *words, cwd=folder)
    claim = Attestation.parse(checked.read_bytes()).claim.said
    assert str(claim.checkpoint) in output_of(*commands[2], cwd=folder)
    (folder / "claim.pem").write_bytes((folder / "checks/0.pem").read_bytes())
    refused = subprocess.run(
        [tool, *commands[0][1:]], cwd=folder, capture_output=True, text=True, check=False
    )
    assert refused.returncode != 0
