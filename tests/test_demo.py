"""What the demo prints is readable in a terminal of 80 columns."""

from pathlib import Path

import pytest

from demo import Story

LONG = "    - The agent records signed time, coarse activity counts and frames: which keys are"


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
