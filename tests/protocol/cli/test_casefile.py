import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest

from support.builders import digest
from support.casefiles import SEALED, Told, refused_and_decided, sealed_ahead, work_and_quarrel
from support.cases import Play
from support.scripted import ScriptedAgent
from workseal_protocol.cli import casefile
from workseal_protocol.cli.casefile import MAX_FILES
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, Finding, Verdict
from workseal_protocol.records import Outcome as Outcomes
from workseal_protocol.statement import Statement

from .conftest import Outcome, Run

MESSAGES = b"as we said" + bytes(range(1, 17))


@cache
def told() -> Told:
    return replace(work_and_quarrel(quarrel), exhibits=(MESSAGES,))


def quarrel(play: Play) -> None:
    for data in (MESSAGES, b"not at hand"):
        play.act(Role.CLIENT, Act.EXHIBIT, value=Digest.of(data).raw, text="our messages")
    play.heard().shown(1).decided()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Give a folder with the parts of a case and a policy."""
    (tmp_path / "bundle").write_bytes(told().bundle)
    (tmp_path / "policy").write_text(told().policy.encode())
    (tmp_path / "openings").write_bytes(b"".join(one.encode() for one in told().openings))
    (tmp_path / "sealed").write_bytes(SEALED)
    (tmp_path / "messages.salted").write_bytes(MESSAGES)
    for number, statement in enumerate(told().statements):
        # In no order, each in a file of its own.
        (tmp_path / f"{number * 7 % 97:02d}.cose").write_bytes(statement.encode())
    return tmp_path


def export(run: Run, desk: Path, *more: object) -> Outcome:
    return run(
        "case", "export", desk / "file", "--bundle", desk / "bundle", "--policy", desk / "policy",
        "--openings", desk / "openings", "--sealed", desk / "sealed",
        "--exhibit", desk / "messages.salted", *more,
        *sorted(desk.glob("*.cose")),
    )  # fmt: skip


def verify(run: Run, desk: Path, *more: object) -> Outcome:
    return run("case", "verify", desk / "file", "--policy", desk / "policy", *more)


def test_one_command_verifies_what_another_exported(desk: Path, run: Run) -> None:
    done = export(run, desk)
    assert (done.code, done.err) == (0, "")
    found = {
        path.relative_to(desk / "file").as_posix(): path.read_bytes()
        for path in (desk / "file").rglob("*")
        if path.is_file()
    }
    assert found == told().files()
    assert all(path.stat().st_mode & 0o077 == 0 for path in (desk / "file").rglob("*"))
    done = verify(run, desk)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line[0] for line in lines[:8]] == list("12345678")
    assert "HOLDS: the case file is whole." in lines
    rows = [line for line in lines if " -> " in line]
    assert len(rows) == len(told().statements)
    assert "log index" in rows[0]
    assert rows[-1].endswith("not in the log")
    beside = [line.partition("beside it ")[2] for line in rows if "beside it" in line]
    assert beside[:2] == ["data/exhibits/0000.salted", "a file that is not here"]
    assert "the decision is not final: it can be appealed against" in lines
    value = json.loads(verify(run, desk, "--json").out)
    decision = str(told().play.case.decision)
    assert (value["decision"], value["decision_is_final"]) == (decision, False)
    assert "Not proven, whatever the steps say:" in lines


def test_what_was_opened_of_the_hours_asked_for_is_counted(desk: Path, run: Run) -> None:
    """Of a hundred granted segments the freelancer hands over the one they like."""
    every = told().openings
    (desk / "openings").write_bytes(every[3].encode())
    assert export(run, desk).code == 0
    done = verify(run, desk)
    assert done.code == 0
    assert f"activity is opened of 1 of the {len(every)} segments of its hours" in done.out
    (value,) = json.loads(verify(run, desk, "--json").out)["opened"]
    assert (value["opened"], value["segments"]) == (1, len(every))


def test_what_shows_more_than_its_level_has_is_said(tmp_path: Path, run: Run) -> None:
    over = Finding(digest("disclosure"), Outcomes.HOLDS, 256, 2040)

    def quarrel(play: Play) -> None:
        play.heard().shown(1).granted(2).request().disclose().find(findings=(over,))

    def work(agent: ScriptedAgent) -> None:
        agent.work(600_000)

    made = work_and_quarrel(quarrel, work, capture_rate=65_536)
    for name, data in made.files().items():
        path = tmp_path / "file" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "policy").write_text(made.policy.encode())
    done = run("case", "verify", tmp_path / "file", "--policy", tmp_path / "policy")
    sentence = f"{digest('disclosure')} shows 256 of 2040 tiles of a frame: level 2 has 255 at most"
    assert done.out.splitlines().count(sentence) == 1
    assert "HOLDS: the case file is whole." in done.out
    value = json.loads(
        run("case", "verify", tmp_path / "file", "--policy", tmp_path / "policy", "--json").out
    )
    assert value["excesses"] == [sentence]
    # How many of the drawn frames were shown, in the words of the page.
    sample = value["sample"]
    assert (sample["asked_for"], sample["shown"]) == (sample["could_be_shown"], 1)
    assert set(sample["sentences"]) <= set(done.out.splitlines())
    assert f"1 of {sample['asked_for']} shown so far" in done.out


def test_a_decision_that_is_not_its_draft_is_said(tmp_path: Path, run: Run) -> None:
    def quarrel(play: Play) -> None:
        play.heard().act(Role.ARBITRATOR, Act.DRAFT, amount=0, code=Verdict.DISMISSED)
        play.both(Act.COMMENT).act(Role.ARBITRATOR, Act.DECIDE)

    made = work_and_quarrel(quarrel)
    for name, data in made.files().items():
        path = tmp_path / "file" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "policy").write_text(made.policy.encode())
    done = verify(run, tmp_path)
    sentence = "The decision (in part, 650.00 EUR) is not that of the draft (dismissed, 0.00 EUR)."
    assert sentence in done.out.splitlines()
    assert json.loads(verify(run, tmp_path, "--json").out)["departures"] == [sentence]


@pytest.mark.parametrize(
    ("play", "what"),
    [
        (refused_and_decided, "a second statement after number 0;"),
        (sealed_ahead, "an act of the operator at another instant than it claims, after number"),
    ],
)
def test_what_the_log_took_beside_the_case_is_said_and_left_out(
    tmp_path: Path, run: Run, play: Callable[[list[Statement], Play], None], what: str
) -> None:
    """Whoever exports hands over all that the log has given them, in any order."""
    late: list[Statement] = []
    whole = work_and_quarrel(partial(play, late), logged=999, after=late)
    (tmp_path / "bundle").write_bytes(whole.bundle)
    (tmp_path / "policy").write_text(whole.policy.encode())
    (tmp_path / "all.cose").write_bytes(
        b"".join(one.encode() for one in (*late, *whole.statements))
    )
    done = run(
        "case", "export", tmp_path / "file", "--bundle", tmp_path / "bundle",
        "--policy", tmp_path / "policy", tmp_path / "all.cose",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "file/data/case.cbor").read_bytes() == b"".join(
        one.encode() for one in whole.statements
    )
    done = verify(run, tmp_path)
    assert done.code == 0
    assert "HOLDS: the case file is whole." in done.out
    breach = [one for one in done.out.splitlines() if one.startswith("A breach by the log")]
    assert len(breach) == 1
    assert what in breach[0]
    assert breach[0].endswith("; it counts for nothing in the case.")
    assert json.loads(verify(run, tmp_path, "--json").out)["breaches"] == breach


def test_the_same_as_json(desk: Path, run: Run) -> None:
    export(run, desk)
    shown = json.loads(verify(run, desk, "--json").out)
    assert (shown["holds"], shown["malformed"]) == (True, False)
    assert shown["head"] == str(told().play.case.head)
    assert [one["number"] for one in shown["steps"]] == list(range(1, 11))
    assert shown["statements"] == len(told().statements)


def test_a_changed_file_does_not_hold_and_a_strange_one_is_malformed(desk: Path, run: Run) -> None:
    export(run, desk)
    path = desk / "file" / "data" / "decision.txt"
    path.write_bytes(path.read_bytes() + b"!")
    done = verify(run, desk)
    assert done.code == 1
    assert "2 bag: fails (data/decision.txt is not what manifest-sha256.txt says)" in done.out
    assert "DOES NOT HOLD." in done.out
    (desk / "file" / "data" / "more").write_bytes(b"")
    assert verify(run, desk).code == 2


def test_nothing_is_written_that_would_not_hold(desk: Path, run: Run) -> None:
    false = bytearray((desk / "openings").read_bytes())
    false[-1] ^= 1
    (desk / "openings").write_bytes(bytes(false))
    done = export(run, desk)
    assert (done.code, done.out) == (1, "")
    assert "the case file would not hold: step 7 openings" in done.err
    assert not (desk / "file").exists()


def test_a_case_that_lacks_a_statement_is_not_exported(desk: Path, run: Run) -> None:
    (desk / "07.cose").unlink()
    done = export(run, desk)
    assert (done.code, "follow nothing in these files" in done.err) == (1, True)
    for path in desk.glob("*.cose"):
        path.unlink()
    (desk / "07.cose").write_bytes(told().statements[1].encode())
    done = export(run, desk)
    assert (done.code, "expected one dispute.filing, found 0" in done.err) == (2, True)


def test_what_no_statement_names_is_no_exhibit(desk: Path, run: Run) -> None:
    """One that somebody took the salt from, too: what was handed over has it."""
    (desk / "messages.salted").write_bytes(MESSAGES[:-16])
    done = export(run, desk)
    assert (done.code, done.out) == (1, "")
    assert "names a file of 10 bytes with the SHA-256" in done.err
    assert not (desk / "file").exists()


def test_what_was_taken_back_is_not_handed_on(tmp_path: Path, run: Run) -> None:
    def quarrel(play: Play) -> None:
        play.heard().granted(1).act(Role.FREELANCER, Act.SHOW, value=Digest.of(MESSAGES).raw)
        play.act(Role.FREELANCER, Act.CLAW_BACK, cites=play.case.shown)

    made = work_and_quarrel(quarrel)
    (tmp_path / "bundle").write_bytes(made.bundle)
    (tmp_path / "policy").write_text(made.policy.encode())
    (tmp_path / "case.cbor").write_bytes(b"".join(one.encode() for one in made.statements))
    (tmp_path / "messages.salted").write_bytes(MESSAGES)
    (tmp_path / "openings").write_bytes(b"")

    def exported(*more: object) -> Outcome:
        return run(
            "case", "export", tmp_path / "file", "--bundle", tmp_path / "bundle",
            "--policy", tmp_path / "policy", *more, tmp_path / "case.cbor",
        )  # fmt: skip

    done = exported("--exhibit", tmp_path / "messages.salted")
    assert (done.code, "and taken back: it goes to nobody" in done.err) == (1, True)
    assert not (tmp_path / "file").exists()
    # Values have no salt, so nothing tells which of them were shown by which `show`.
    told = "is a value that was taken back in it?"
    assert told in exported("--openings", tmp_path / "openings").out


def test_never_overwrites(desk: Path, run: Run) -> None:
    assert export(run, desk).code == 0
    done = export(run, desk)
    assert (done.code, "is not empty" in done.err) == (2, True)


def test_follows_no_link_and_opens_nothing_special(desk: Path, run: Run) -> None:
    export(run, desk)
    for make in (
        lambda path: path.symlink_to(desk / "bundle"),
        os.mkfifo,
        lambda path: path.symlink_to(desk),
    ):
        path = desk / "file" / "data" / "one"
        make(path)
        done = verify(run, desk)
        assert (done.code, "is no ordinary file" in done.err) == (2, True)
        path.unlink()


def test_reads_few_files_and_no_deep_folders(desk: Path, run: Run) -> None:
    export(run, desk)
    for number in range(MAX_FILES):
        (desk / "file" / f"{number}").write_bytes(b"")
    done = verify(run, desk)
    assert (done.code, f"more than {MAX_FILES} files" in done.err) == (2, True)


def test_reads_files_that_are_small_together(
    desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(run, desk)
    sizes = [one.stat().st_size for one in (desk / "file").rglob("*") if one.is_file()]
    # Each alone would do.
    monkeypatch.setattr(casefile, "MAX_FOLDER_BYTES", sum(sizes) - 1)
    done = verify(run, desk)
    assert (done.code, "bytes together" in done.err) == (2, True), done.err
    monkeypatch.setattr(casefile, "MAX_FOLDER_BYTES", sum(sizes))
    assert verify(run, desk).code == 0


@pytest.mark.parametrize(
    "name", ["a", "data/a word to the reader", "data/sealed/more", "data/data", ".git"]
)
def test_refuses_a_folder_that_no_case_file_has(desk: Path, run: Run, name: str) -> None:
    """An empty one stands in no manifest: it could say anything, and still the file would hold."""
    export(run, desk)
    (desk / "file" / name).mkdir()
    done = verify(run, desk)
    assert (done.code, f"the folder has {name}/, which no case file has" in done.err) == (2, True)


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_a_name_that_is_no_text_is_one_sentence(
    desk: Path, run: Run, make: Callable[[Path], None]
) -> None:
    export(run, desk)
    make(desk / "file" / os.fsdecode(b"\xff\x1b[31m"))
    for more in ((), ("--json",)):
        done = verify(run, desk, *more)
        assert done.code == 2
        assert "\x1b" not in done.out + done.err
        (done.out + done.err).encode()


def test_a_folder_that_is_not_there_is_one_sentence(desk: Path, run: Run) -> None:
    done = verify(run, desk)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "cannot read the folder" in done.err


def test_too_many_exhibits_are_refused(desk: Path, run: Run) -> None:
    done = export(run, desk, *(w for _ in range(48) for w in ("--exhibit", desk / "sealed")))
    assert (done.code, "at most 48 exhibits, found 49" in done.err) == (2, True)


def test_too_many_sealed_packages_are_refused(desk: Path, run: Run) -> None:
    done = export(run, desk, *(word for _ in range(64) for word in ("--sealed", desk / "sealed")))
    assert (done.code, "at most 64 sealed packages, found 65" in done.err) == (2, True)
