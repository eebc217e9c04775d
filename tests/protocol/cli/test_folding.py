import sys

import pytest

from workseal_protocol.cli.folding import folded, print_lines

LONG = "  - It is not proven that the screen was not staged: the machine is the freelancer's own."
KEY = "ed25519:ouoThN44GELfL_Ehno9t3Je6t_wF49AGxS3ij5FDovQ"


def test_a_long_line_goes_on_further_in() -> None:
    first, second = folded(LONG, 70)
    assert first.startswith("  - It")
    assert second.startswith("      ")
    assert f"{first} {second.strip()}" == LONG
    assert len(first) <= 70


@pytest.mark.parametrize("line", ["", "Worked, recorded     0 h 02 min", KEY * 3])
def test_what_fits_or_cannot_be_broken_stays(line: str) -> None:
    assert folded(line, 70) == [line]


@pytest.mark.parametrize("figure", ["0 h 02 min 03.444 s", "2.00 EUR", "100 %", "1 h 02 min"])
def test_a_figure_is_never_on_two_lines(figure: str) -> None:
    line = f"recorded; billed in {figure}, and so on"
    for columns in range(40, 60):
        for before in range(20):
            assert any(figure in one for one in folded("y" * before + line, columns))


def test_no_text_of_others_begins_a_line_where_ours_begin() -> None:
    why = "statement 5: the signature does not match; " + "x" * 30 + " 13 ok   totals: holds"
    _, *rest = folded(f" 5 FAILS signatures: {why}", 80)
    assert rest
    assert all(line.startswith("     ") for line in rest)


def test_a_narrow_terminal_still_gets_words() -> None:
    assert max(map(len, folded(LONG, 1))) <= 40


@pytest.mark.parametrize(("terminal", "lines"), [(True, 2), (False, 1)])
def test_lines_stay_whole_where_no_terminal_is(
    terminal: bool,  # noqa: FBT001
    lines: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    monkeypatch.setenv("COLUMNS", "70")
    print_lines([LONG])
    assert len(capsys.readouterr().out.splitlines()) == lines
