"""What the demo prints is readable in a terminal of 80 columns."""

from pathlib import Path

import pytest

from demo import Story, folded

LONG = "    - The agent records signed time, coarse activity counts and frames: which keys are"


def test_a_long_line_goes_on_below_set_in_by_two() -> None:
    first, second = folded(LONG, 70)
    assert first.startswith("    - The agent")
    assert second.startswith("      ")
    assert " ".join((first + " " + second).split()) == " ".join(LONG.split())
    assert max(map(len, (first, second))) <= 70


@pytest.mark.parametrize("line", ["", "Worked, recorded     0 h 02 min", "x" * 90])
def test_a_line_that_fits_or_cannot_be_broken_stays(line: str) -> None:
    assert folded(line, 70) == [line]


def test_what_is_said_and_shown_keeps_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    story = Story(tmp_path, pace=1.0)
    story.say(LONG.strip() * 2)
    story.show(f"{LONG}\n\n{LONG}")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 6
    assert max(map(len, lines)) <= 80
    assert lines == [line.rstrip() for line in lines]
