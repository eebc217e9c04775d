"""What `status` and `vault check` tell of the weekly proof."""

import pytest

from workseal_agent.ledger import SendState
from workseal_agent.possessiontold import possession_lines, possession_value
from workseal_agent.possessionweeks import Said


def said(**changes: object) -> Said:
    fields = {"week": 3, "shown": 16, "lost": 0, "state": SendState.RECEIPTED}
    fields |= {"due": None, "next_ms": 7}
    return Said(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (said(), "week 3, 16 of 16 drawn frames shown; in the log"),
        (said(shown=14, lost=2), "week 3, 14 of 16 drawn frames shown, 2 LOST; in the log"),
        (said(week=1, shown=0), "week 1, nothing drawn yet; in the log"),
        (said(state=SendState.UNSENT), "week 3, 16 of 16 drawn frames shown; not sent yet"),
        (
            said(state=SendState.PARKED),
            "week 3, 16 of 16 drawn frames shown; refused by the verifier; no hour waits for it",
        ),
    ],
)
def test_tells_in_one_line_what_was_said(told: Said, line: str) -> None:
    assert list(possession_lines(told)) == [f"weekly proof of your frames: {line}"]


def test_tells_what_is_due_and_that_no_hour_depends_on_it() -> None:
    (line,) = possession_lines(said(week=0, shown=0, state=None, due=1))
    assert line == (
        "weekly proof of your frames: week 1 is due; the next recording makes it, or"
        " `workseal-agent vault prove`, and no hour depends on it"
    )


def test_tells_nothing_where_there_is_nothing_to_tell() -> None:
    assert list(possession_lines(said(week=0, shown=0, state=None))) == []


def test_tells_a_program_the_same() -> None:
    assert possession_value(said(lost=1, due=4)) == {
        "week": 3,
        "shown": 16,
        "lost": 1,
        "state": "receipted",
        "week_due": 4,
        "next_ms": 7,
    }
    nothing = possession_value(said(week=0, shown=0, state=None))
    assert (nothing["week"], nothing["state"]) == (None, None)
