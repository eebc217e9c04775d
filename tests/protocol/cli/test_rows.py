import io
from typing import Any

import pytest
from pypdf import PdfReader
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

from workseal_protocol.cli.hours import rows
from workseal_protocol.cli.hours.rows import Rows

HEAD = ["Begin", "A wide head of a column"]


def pages_of(count: int, *, above: float = 0) -> list[str]:
    file = io.BytesIO()
    found = [[f"row {number}.", "x"] for number in range(count)]
    table = Rows(HEAD, found, 5)
    after = Paragraph("after", getSampleStyleSheet()["BodyText"])
    story = [Spacer(0, above), table, after] if above else [table, after]
    SimpleDocTemplate(file, pagesize=A4, invariant=1).build(story)
    return [page.extract_text() for page in PdfReader(file).pages]


@pytest.mark.parametrize("count", [0, 1, 36, 37, 38, 39, 40, 200])
@pytest.mark.parametrize("above", [0, 300, 640, 660, 680])
def test_each_row_stands_once_in_order_with_a_head_on_its_page(count: int, above: float) -> None:
    pages = pages_of(count, above=above)
    whole = "\n".join(pages)
    places = [whole.index(f"row {number}.") for number in range(count)]
    assert places == sorted(places)
    assert whole.count("row ") == count
    assert whole.count("after") == 1
    headed = [page for page in pages if "Begin" in page]
    assert whole.count("Begin") == len(headed)
    assert headed == [page for page in pages if "row " in page] or count == 0
    assert headed


def test_a_page_measures_its_own_rows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def table(shown: list[list[str]], *words: Any, **named: Any) -> Table:
        measured.append(len(shown))
        return Table(shown, *words, **named)

    monkeypatch.setattr(rows, "Table", table)
    pages = pages_of(2_000)
    # The library's own table measures all rows that are left at each page: 60,000.
    assert sum(measured) == 2_000 + len(pages)
