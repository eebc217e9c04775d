import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from support.attested import (
    FIRST,
    LAST,
    SCENARIOS,
    ZONE,
    attested,
    bundle,
    claim,
    report,
    shown,
    told,
)
from support.shownrecords import unwitnessed, without_authorities
from support.simulator import seeded
from workseal_protocol.attestation import Attestation, figures_of, sign_said, verify_shown
from workseal_protocol.cli.seeds import write_seed
from workseal_protocol.digest import Digest

from .conftest import Outcome, Run

SEED = told().verifier.seed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "made").write_bytes(attested().encode())
    (tmp_path / "opening").write_bytes(claim()[1].encode())
    (tmp_path / "bundle").write_bytes(bundle())
    (tmp_path / "policy").write_text(told().policy.encode())
    for name in ("operator", "freelancer"):
        write_seed(tmp_path / name, seeded(SEED, "party", name))
    return tmp_path


def examine(run: Run, folder: Path, name: str, *words: object) -> Outcome:
    return run("attestation", folder / name, "--policy", folder / "policy", *words)


def record(folder: Path) -> tuple[object, ...]:
    return ("--opening", folder / "opening", "--bundle", folder / "bundle")


def countersign(run: Run, folder: Path, name: str, key: str, out: str = "checked") -> Outcome:
    return run(
        "countersign", folder / name, "--policy", folder / "policy", *record(folder),
        "--key", folder / key, "--out", folder / out,
    )  # fmt: skip


def test_an_own_word_is_told_as_that_and_ends_with_one(folder: Path, run: Run) -> None:
    done = examine(run, folder, "made")
    assert (done.code, done.err) == (1, "")
    assert "SIGNED, NOT SHOWN" in done.out
    assert "6 -    figures: not reached" in done.out
    assert "0 h 02 min 54.000 s recorded" in done.out
    assert "online 0 h 02 min 04.000 s, offline or late 0 h 00 min 30.000 s" in done.out
    assert "declared late, beside it: 0 h 30 min 00.000 s" in done.out
    assert "that a client accepted: 0 h 02 min 14.000 s" in done.out
    assert "made for: to work with Nova" in done.out
    assert "The figures: they are the freelancer's own word." in done.out


def test_with_its_record_it_holds(folder: Path, run: Run) -> None:
    done = examine(run, folder, "made", *record(folder))
    assert (done.code, done.err) == (0, "")
    assert "HOLDS: all 6 steps hold under your policy." in done.out


def test_who_saw_the_record_countersigns_and_the_reader_needs_it_no_more(
    folder: Path, run: Run
) -> None:
    done = countersign(run, folder, "made", "operator")
    assert (done.code, done.err) == (0, "")
    assert "checked and signed" in done.out
    shown = examine(run, folder, "checked")
    assert shown.code == 0
    assert "by the word of the operator" in shown.out
    assert "(operator)" in shown.out
    assert "word of its key's owner" in shown.out


def test_what_holds_says_that_one_person_may_be_both_and_that_hours_may_be_counted_twice(
    folder: Path, run: Run
) -> None:
    done = run("attestation", folder / "made", "--policy", folder / "policy", *record(folder))
    assert done.code == 0
    told = done.out.partition("Not proven, whatever the steps say:")[2]
    assert "whoever accepted hours may be the freelancer, by another key" in told
    assert "two records may be of the same hours" in told


def test_json_says_the_same(folder: Path, run: Run) -> None:
    countersign(run, folder, "made", "operator")
    value = json.loads(examine(run, folder, "checked", "--json").out)
    assert value["holds"]
    assert value["claim"]["recorded_ms"] == claim()[0].hours.recorded
    assert value["claim"]["accepted_ms"] == claim()[0].hours.accepted
    assert [one["role"] for one in value["checks"]] == ["operator"]
    assert value["claim"]["level"] == "frames"
    alone = json.loads(examine(run, folder, "made", "--json").out)
    assert not alone["holds"]
    assert [one["outcome"] for one in alone["steps"]][-1] == "not reached"
    assert alone["not_before_ms"] == value["not_before_ms"]


def test_nothing_is_countersigned_that_the_record_does_not_say(folder: Path, run: Run) -> None:
    said, _ = claim()
    said = replace(said, hours=replace(said.hours, working=said.hours.working + 1))
    maker = told().verifier.people.freelancer
    wrong = Attestation(sign_said(said, maker), told().contents.checkpoint)
    (folder / "wrong").write_bytes(wrong.encode())
    done = countersign(run, folder, "wrong", "operator")
    assert (done.code, done.out) == (1, "")
    assert "the hours are not those of the bundle" in done.err
    assert not (folder / "checked").exists()
    shown = examine(run, folder, "wrong", *record(folder))
    assert shown.code == 1
    assert "DOES NOT HOLD: step 6 (figures) fails." in shown.out


def test_nobody_countersigns_a_checkpoint_that_no_log_of_theirs_signed(
    folder: Path, run: Run
) -> None:
    """The bundle has none of this size, so the record alone does not show that it is false."""
    signed = told().contents.checkpoint
    size = signed.checkpoint.size - 1
    forged = replace(
        signed, checkpoint=replace(signed.checkpoint, size=size, root=Digest.of(b"forged"))
    )
    found = figures_of(report(), ZONE, FIRST, LAST, size=size)
    said, opening = claim(checkpoint=forged.digest, hours=found.hours)
    opening = replace(opening, head=found.head)
    said = replace(said, record=opening.commitment)
    made = Attestation(sign_said(said, told().verifier.people.freelancer), forged)
    verify_shown(made, shown(opening=opening))
    (folder / "made").write_bytes(made.encode())
    (folder / "opening").write_bytes(opening.encode())
    done = countersign(run, folder, "made", "operator")
    assert (done.code, done.out) == (1, "")
    assert "step 3 (log) fails" in done.err
    assert not (folder / "checked").exists()


def test_nobody_countersigns_beside_a_check_that_is_false(folder: Path, run: Run) -> None:
    (folder / "made").write_bytes(SCENARIOS["broken check"]().encode())
    write_seed(folder / "key", bytes(32))
    done = countersign(run, folder, "made", "key")
    assert (done.code, done.out) == (1, "")
    assert "step 5 (checks) fails" in done.err


def test_cosignatures_that_were_left_out_keep_nobody_from_countersigning(
    folder: Path, run: Run
) -> None:
    (folder / "made").write_bytes(SCENARIOS["no witness"]().encode())
    done = countersign(run, folder, "made", "operator")
    assert (done.code, done.err) == (0, "")


def test_nobody_countersigns_their_own(folder: Path, run: Run) -> None:
    done = countersign(run, folder, "made", "freelancer")
    assert (done.code, done.out) == (2, "")
    assert "does not check it" in done.err


def graded(folder: Path, **changes: int) -> None:
    """Put there what a reader has who trusts no time-stamp authority."""
    made = unwitnessed()
    (folder / "made").write_bytes(made.attested(**changes).encode())
    (folder / "opening").write_bytes(made.opening().encode())
    (folder / "bundle").write_bytes(made.bundle())
    (folder / "policy").write_text(without_authorities(made).encode())


def test_who_is_shown_less_online_reads_both_figures_and_no_lie(folder: Path, run: Run) -> None:
    graded(folder)
    done = examine(run, folder, "made", *record(folder))
    assert (done.code, done.err) == (1, "")
    assert "SIGNED, NOT SHOWN: nothing is false" in done.out
    assert "fails" not in done.out
    assert "  online 0 h 00 min 47.000 s, offline or late 0 h 00 min 37.000 s" in done.out
    assert "By your policy, the bundle says of these days: 0 h 01 min 24.000 s" in done.out
    assert "  online 0 h 00 min 00.000 s, offline or late 0 h 01 min 24.000 s" in done.out
    value = json.loads(examine(run, folder, "made", *record(folder), "--json").out)
    assert value["claim"]["offline_ms"] == 37_000
    assert value["recomputed"]["offline_ms"] == 84_000
    assert value["recomputed"]["recorded_ms"] == value["claim"]["recorded_ms"] == 84_000


def test_nobody_countersigns_that_more_was_online_than_they_are_shown(
    folder: Path, run: Run
) -> None:
    graded(folder)
    write_seed(folder / "key", bytes(32))
    done = countersign(run, folder, "made", "key")
    assert (done.code, done.out) == (1, "")
    assert "step 6 (figures) not reached: your policy and this bundle show less" in done.err
    graded(folder, offline=84_000)
    assert countersign(run, folder, "made", "key").code == 0


def test_figures_that_are_the_same_are_told_once(folder: Path, run: Run) -> None:
    done = examine(run, folder, "made", *record(folder))
    assert "By your policy" not in done.out
    value = json.loads(examine(run, folder, "made", *record(folder), "--json").out)
    assert value["recomputed"]["offline_ms"] == value["claim"]["offline_ms"]
    assert json.loads(examine(run, folder, "made", "--json").out)["recomputed"] is None


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--opening", "opening"), "go together"),
        (("--bundle", "bundle"), "go together"),
        (("--opening", "bundle", "--bundle", "bundle"), "opening"),
        (("--opening", "none", "--bundle", "bundle"), "cannot read the opening"),
    ],
)
def test_a_record_is_shown_whole_or_not(
    folder: Path, run: Run, words: tuple[str, ...], problem: str
) -> None:
    named = [word if word.startswith("--") else folder / word for word in words]
    done = examine(run, folder, "made", *named)
    assert (done.code, done.out) == (2, "")
    assert problem in done.err


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xd2\x84", bytes(2_000_000)])
def test_what_is_no_attestation_is_malformed(folder: Path, run: Run, content: bytes) -> None:
    (folder / "bad").write_bytes(content)
    shown = examine(run, folder, "bad")
    assert shown.code == 2
    done = countersign(run, folder, "bad", "operator")
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1


def test_a_ninth_check_and_a_file_that_exists_are_refused(folder: Path, run: Run) -> None:
    names = ["made", *(f"out{number}" for number in range(9))]
    for number, (name, out) in enumerate(pairwise(names)):
        write_seed(folder / f"key{number}", bytes([number] * 32))
        done = countersign(run, folder, name, f"key{number}", out)
        assert done.code == (0 if number < 8 else 2)
    assert "at most 8 checks" in done.err
    again = countersign(run, folder, "made", "key0", "out0")
    assert "exists already" in again.err


def test_text_of_others_is_made_harmless(folder: Path, run: Run) -> None:
    (folder / "made").write_bytes(attested(purpose="so\nHOLDS: all").encode())
    done = examine(run, folder, "made")
    assert "so\\nHOLDS: all" in done.out
