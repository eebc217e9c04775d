import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from support.scripted import Story
from workseal_protocol.cli.verification import exit_code
from workseal_protocol.records import Segment
from workseal_protocol.verify import STEPS, Outcome, examine_bundle

from .conftest import Run


def test_a_bundle_that_holds_ends_with_0_and_every_step(folder: Path, run: Run) -> None:
    done = run("verify", folder / "bundle", "--policy", folder / "policy")
    assert (done.code, done.err) == (0, "")
    shown = re.findall(r"^ ?([0-9]+) ok   ([a-z -]+): holds", done.out, re.MULTILINE)
    assert [(int(number), name) for number, name in shown] == [(s.number, s.name) for s in STEPS]
    assert "HOLDS: all 13 steps" in done.out


def test_shows_window_totals_diary_and_what_is_not_proven(
    folder: Path, run: Run, story: Story, bundle_bytes: bytes
) -> None:
    out = run("verify", folder / "bundle", "--policy", folder / "policy").out
    report = examine_bundle(bundle_bytes, story.policy, zone=ZoneInfo("Europe/Berlin"))
    for sentence in report.not_proven:
        assert sentence in out
    for words in ("Signed not before", "Worked, recorded", "Diary:", "1 independent witness"):
        assert words in out


def test_json_has_the_same_figures(folder: Path, run: Run, story: Story) -> None:
    done = run("verify", folder / "bundle", "--policy", folder / "policy", "--json")
    value = json.loads(done.out)
    assert (done.code, value["holds"], value["malformed"]) == (0, True, False)
    assert value["statements"] == len(story.contents.statements)
    assert sum(value["totals"]["by_state"].values()) == value["totals"]["worked_ms"]
    assert sum(value["totals"]["by_grade"].values()) == value["totals"]["worked_ms"]
    spans = value["diary"]
    assert all(one["end_ms"] == two["begin_ms"] for one, two in pairwise(spans))
    recorded = sum(one["worked_ms"] for one in spans)
    assert recorded == value["totals"]["worked_ms"] + value["totals"]["late_declared_ms"]


def test_who_lacks_the_zone_of_the_terms_is_told_what_that_does_and_how_to_get_it(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workseal_protocol.cli.verification.zone_named", lambda _: None)
    done = run("verify", folder / "bundle", "--policy", folder / "policy")
    assert done.code == 0
    said = " ".join(done.out.split())
    assert "does not know the zone Europe/Berlin; days and times are UTC's" in said
    assert "more or less is billed than was agreed" in said
    assert "pip install tzdata" in said


def test_days_are_those_of_the_zone_of_the_terms(folder: Path, run: Run, story: Story) -> None:
    done = run("verify", folder / "bundle", "--policy", folder / "policy", "--json")
    value = json.loads(done.out)
    days = {day["day"]: sum(day["worked_ms"].values()) for day in value["totals"]["days"]}
    # Midnight in Berlin is 23:00 UTC and the end of a round, so no segment is cut.
    midnight = int(datetime(2026, 3, 2, 23, tzinfo=UTC).timestamp() * 1000)
    segments = [record for _, record in story.agent.made if isinstance(record, Segment)]
    before = sum(one.worked for one in segments if one.end <= midnight)
    after = sum(one.worked for one in segments if one.begin >= midnight)
    assert before > 0 < after
    assert value["zone"] == "Europe/Berlin"
    assert days["2026-03-02"] == before
    assert days["2026-03-03"] == after + value["totals"]["late_declared_ms"]


def test_a_bundle_under_another_policy_ends_with_1(folder: Path, run: Run, story: Story) -> None:
    lines = story.policy.encode().splitlines(keepends=True)
    (folder / "policy").write_text(
        "".join(line for line in lines if not line.startswith("party client"))
    )
    done = run("verify", folder / "bundle", "--policy", folder / "policy")
    assert done.code == 1
    assert re.search(r"^ 5 FAIL signatures: fails \(", done.out, re.MULTILINE)
    assert "DOES NOT HOLD: step 5" in done.out
    assert "Worked, recorded" not in done.out


def test_one_flipped_bit_anywhere_is_never_accepted(
    folder: Path, run: Run, bundle_bytes: bytes
) -> None:
    for place in range(0, len(bundle_bytes), len(bundle_bytes) // 40):
        changed = bytearray(bundle_bytes)
        changed[place] ^= 1
        (folder / "changed").write_bytes(changed)
        done = run("verify", folder / "changed", "--policy", folder / "policy")
        assert done.code in {1, 2}, place
        assert done.out


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_truncated_bundle_is_malformed(
    folder: Path, run: Run, bundle_bytes: bytes, keep: int
) -> None:
    (folder / "part").write_bytes(bundle_bytes[:keep])
    done = run("verify", folder / "part", "--policy", folder / "policy")
    assert done.code == 2
    assert "MALFORMED" in done.out


def test_missing_files_are_one_sentence(folder: Path, run: Run) -> None:
    for words in (
        ("verify", folder / "none", "--policy", folder / "policy"),
        ("verify", folder / "bundle", "--policy", folder / "none"),
        ("verify", folder, "--policy", folder / "policy"),
        ("verify", folder / "bundle", "--policy", folder / "bundle"),
        ("verify", folder / "bundle", "--policy", "/dev/null"),
    ):
        done = run(*words)
        assert (done.code, done.out) == (2, "")
        assert re.fullmatch(r"workseal: [^\n]+\n", done.err)


def test_a_step_that_is_not_reached_does_not_hold(story: Story, bundle_bytes: bytes) -> None:
    report = examine_bundle(bundle_bytes, story.policy)
    assert exit_code(report) == 0
    empty = examine_bundle(b"", story.policy)
    assert Outcome.NOT_REACHED in {step.outcome for step in empty.steps}
    assert exit_code(empty) == 2


# A finder that refuses the one module stands for an installation without the extra.
WITHOUT_TIME = """
import importlib.util, sys
real = importlib.util.find_spec
def find_spec(name, package=None):
    return None if name == "rfc3161_client" else real(name, package)
importlib.util.find_spec = find_spec
sys.modules["rfc3161_client"] = None
from workseal_protocol.cli import main
sys.exit(main())
"""


def verify_without_time(folder: Path) -> subprocess.CompletedProcess[str]:
    words = ["verify", str(folder / "bundle"), "--policy", str(folder / "policy")]
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TIME, *words], capture_output=True, text=True, check=False
    )


def test_without_the_time_extra_a_token_is_no_verdict(folder: Path) -> None:
    done = verify_without_time(folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'workseal[time]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_the_time_extra_a_policy_without_authorities_works(folder: Path) -> None:
    lines = (folder / "policy").read_text().splitlines(keepends=True)
    (folder / "policy").write_text("".join(one for one in lines if not one.startswith("tsa ")))
    done = verify_without_time(folder)
    assert (done.returncode, done.stderr) == (0, "")
