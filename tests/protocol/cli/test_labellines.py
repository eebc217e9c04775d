import json

import pytest

from support.examined import vector
from workseal_protocol.cli.labellines import label_lines, labels_value
from workseal_protocol.labels import Labelled


@pytest.fixture(scope="module")
def labelled() -> Labelled:
    return vector("valid-labels")[1].labelled


def test_projects_and_tags_stand_with_their_classes(labelled: Labelled) -> None:
    lines = list(label_lines(labelled))
    assert lines[0] == "By project, in the freelancer's words (labels that were opened):"
    assert lines[1:5] == [
        (
            "  first word: 0 h 00 min 50.009 s (working 0 h 00 min 46.011 s,"
            " off-screen 0 h 00 min 03.998 s)"
        ),
        "  =1+1: 0 h 00 min 30.000 s (working 0 h 00 min 03.995 s, off-screen 0 h 00 min 26.005 s)",
        (
            "  (no label): 0 h 10 min 10.000 s (working 0 h 00 min 10.000 s,"
            " late-declared 0 h 10 min 00.000 s)"
        ),
        "By tag; time counts under each of its tags:",
    ]


def test_a_program_gets_sums_and_days(labelled: Labelled) -> None:
    value = json.loads(json.dumps(labels_value(labelled)))
    assert [one["project"] for one in value["projects"]] == ["first word", "=1+1", None]
    assert [one["tag"] for one in value["tags"]] == ["a", "b", "ä \u202e"]
    for one in value["projects"]:
        days = [day for day in value["days"] if day["project"] == one["project"]]
        for kind, ms in one["worked_ms"].items():
            assert sum(day["worked_ms"][kind] for day in days) == ms


def test_no_label_is_no_line() -> None:
    assert list(label_lines(Labelled())) == []
