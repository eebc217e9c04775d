import json
from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from support.examined import vector
from workseal_protocol.cli import openings
from workseal_protocol.cli.openings import openings_lines, openings_value
from workseal_protocol.verify import Report


@pytest.fixture(scope="module")
def report() -> Report:
    return vector("valid-evidence")[1]


def test_each_value_stands_with_the_instant_by_which_it_existed(report: Report) -> None:
    head, *lines = openings_lines(report, ZoneInfo("Europe/Berlin"))
    assert "1 environment, 4 evidence values" in head
    told = [line.split("Z  ", 1)[1] for line in lines]
    assert told == [
        "environment: 1 display 64x48, virtual",
        (
            "evidence: commit 000102030405060708090a0b0c0d0e0f10111213 of api server,"
            " dated 2026-03-02 08:59:59.000Z by itself"
        ),
        (
            "evidence: file Entwurf ½.pdf, 5 bytes, SHA-256"
            " 7743ce348d9284d677a185f33295b92266cc435a5b5f775029b300066d26693a"
        ),
        "evidence: delivered as we agreed on the phone",
        (
            "evidence: 2026-03-02 10:00:00.000 +01:00 to 2026-03-02 11:00:00.000 +01:00"
            " was for billing #api #review"
        ),
    ]
    assert all(line.startswith("  by 2026-03-0") for line in lines)


def test_a_program_gets_the_same(report: Report) -> None:
    values = json.loads(json.dumps(openings_value(report)))
    assert [one["kind"] for one in values] == ["environment", *["evidence"] * 4]
    assert [one.get("form") for one in values[1:]] == ["git-commit", "file", "text", "label"]
    assert values[0]["text"] == "1 display 64x48, virtual"
    assert (values[2]["name"], values[2]["bytes"]) == ("Entwurf ½.pdf", 5)
    assert (values[4]["project"], values[4]["tags"]) == ("billing", ["api", "review"])
    assert all(one["existed_by_ms"] > 1_772_442_000_000 for one in values)


def test_memos_and_artefacts_are_shown_too() -> None:
    values = openings_value(vector("valid")[1])
    memos = [one for one in values if one["kind"] == "memo"]
    assert {one["text"] for one in memos} == {"sketched the new layout on paper"}
    digests = [one["digest"] for one in values if one["kind"] == "artefact"]
    assert len(digests) == len(memos) == 1


def test_nothing_is_shown_unless_step_12_holds() -> None:
    _, failing = vector("opened-other-value")
    assert list(openings_lines(failing, UTC)) == []
    assert openings_value(failing) == []


def test_nothing_opened_is_no_line(report: Report) -> None:
    assert report.bundle is not None
    contents = replace(report.bundle.contents, openings=())
    silent = replace(report, bundle=replace(report.bundle, contents=contents))
    assert list(openings_lines(silent, UTC)) == []


def test_others_words_cannot_steer_the_terminal(report: Report) -> None:
    assert report.bundle is not None
    memo = vector("valid")[1].bundle
    assert memo is not None
    wild = tuple(
        replace(one, value="a\u202eb\nHOLDS".encode()) if one.kind.name == "ENVIRONMENT" else one
        for one in report.bundle.contents.openings
    )
    contents = replace(report.bundle.contents, openings=wild)
    shown = list(
        openings_lines(replace(report, bundle=replace(report.bundle, contents=contents)), UTC)
    )
    assert shown[1].endswith(r"environment: a\u202eb\nHOLDS")


def test_a_long_list_says_how_much_of_it_is_not_on_the_screen(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openings, "MAX_OPENED", 2)
    lines = list(openings_lines(report, UTC))
    assert len(lines) == 4
    assert lines[-1] == "  and 3 more values; --json has every one"
    assert len(openings_value(report)) == 5
