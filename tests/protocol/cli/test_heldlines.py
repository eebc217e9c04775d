import json

import pytest

from support.examined import FOLDER, vector
from workseal_protocol.cli.heldlines import held_lines, held_value
from workseal_protocol.possession import HeldReport
from workseal_protocol.verify import Report

from .conftest import Run


def lines(name: str) -> str:
    _, report = vector(name)
    return "\n".join(held_lines(report))


def verified(run: Run, name: str, *options: str) -> str:
    done = run("verify", FOLDER / f"{name}.bundle", "--policy", FOLDER / "policy.txt", *options)
    assert done.code == 0
    return str(done.out)


def test_verify_shows_each_statement_and_what_stays_open(run: Run) -> None:
    said = verified(run, "valid-possession")
    assert said.count("Possession ") == 3
    assert "week 1: none drawn; 5 frames committed to" in said
    assert "week 2: 5 of 5 drawn frames shown as ciphertext; 5 frames committed to" in said
    assert "week 3: 9 of 9 drawn frames shown as ciphertext; 1 frame committed to" in said
    assert "not proven by it: that ciphertext opens to what was recorded" in said


def test_json_has_the_same_figures(run: Run) -> None:
    told = json.loads(verified(run, "valid-possession", "--json"))["possession"]
    assert [one["shown"] for one in told["statements"]] == [0, 5, 9]
    assert told["weeks_without"] == []


def test_what_is_lost_is_told_and_no_step_fails(run: Run) -> None:
    said = verified(run, "valid-possession-lost")
    assert "2 of 5 drawn frames shown as ciphertext, 3 LOST" in said
    assert "drawn frames that are lost: 3" in said


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("other-block", "a block is not the one that was committed to"),
        ("other-value", "its value is not shown to be the operator's"),
        ("unanswered", "it answers 4 of 5 draws"),
        ("other-count", "it covers 1 frames, and the chain has 5"),
        ("other-round", "its round is not that of a later week"),
        ("astray", "it does not follow the statement before it"),
        ("less-chain", "it speaks of less of the chain than the one before it"),
        ("left-out", "it leaves out frames that were in the log"),
        ("other-head", "the statement up to which it speaks does not stand before it"),
    ],
)
def test_what_does_not_hold_is_told_and_no_hour_depends_on_it(name: str, why: str) -> None:
    said = lines(f"valid-possession-{name}")
    assert f"DOES NOT HOLD: {why}" in said
    assert "no hour depends on it" in said
    _, report = vector(f"valid-possession-{name}")
    assert report.holds
    assert (report.possessions.failing, report.possessions.findings[1].shown) == (1, 0)


def test_a_week_without_a_statement_is_named() -> None:
    assert "No statement of possession in week 2, in which work was recorded" in lines(
        "valid-possession-missed"
    )


def test_many_weeks_are_named_in_part() -> None:
    report = Report(
        steps=(), malformed=False, not_proven=(), possessions=HeldReport((), tuple(range(1, 21)))
    )
    (said,) = held_lines(report)
    assert "in weeks 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 8 more" in said
    assert held_value(report)["weeks_without"] == list(range(1, 21))


def test_an_engagement_without_such_statements_says_nothing() -> None:
    assert lines("valid") == ""
