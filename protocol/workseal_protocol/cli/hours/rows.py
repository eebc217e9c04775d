"""A table of any length on paper: one line a row, its head on every page.

Rule: a page costs what stands on it. The library's own table copies and measures all rows that are
left, at each page: 16,000 took half a minute.
"""

from typing import Final, TypeAlias

from reportlab.lib import colors
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, Table, TableStyle

Row: TypeAlias = list[str]

_SIZE: Final = 8
_PADDING: Final = 12  # of a cell, left and right together
_HEIGHT: Final = 18
_BOLD: Final = "Helvetica-Bold"
_GRID: Final = TableStyle(
    [
        ("FONTSIZE", (0, 0), (-1, -1), _SIZE),
        ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
        ("LINEBELOW", (0, 1), (-1, -1), 0.2, colors.lightgrey),
        ("FONTNAME", (0, 0), (-1, 0), _BOLD),
    ]
)


class Rows(Flowable):
    """Lay out rows below a head, in columns as wide as their widest cell."""

    def __init__(
        self, head: Row, rows: list[Row], space: float, widths: list[float] | None = None
    ) -> None:
        super().__init__()
        self._head, self._rows = head, rows
        self._widths = _widths_of(head, rows) if widths is None else widths
        self.spaceBefore = space

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """Tell how much room all rows take."""
        return sum(self._widths), (len(self._rows) + 1) * _HEIGHT

    def split(self, _width: float, height: float) -> list[Flowable]:
        """Give what fits into a height, and the rest; nothing where not one row fits."""
        count = int(height // _HEIGHT) - 1
        if count < 1:
            return []
        rest = Rows(self._head, self._rows[count:], self.spaceBefore, self._widths)
        return [self._table(self._rows[:count]), rest]

    def draw(self) -> None:
        """Draw all rows."""
        table = self._table(self._rows)
        table.wrapOn(self.canv, *self.wrap(0, 0))
        table.drawOn(self.canv, 0, 0)

    def _table(self, rows: list[Row]) -> Table:
        heights = [_HEIGHT] * (len(rows) + 1)
        shown, space = [self._head, *rows], self.spaceBefore
        return Table(shown, self._widths, heights, _GRID, spaceBefore=space, hAlign="LEFT")


def _widths_of(head: Row, rows: list[Row]) -> list[float]:
    columns = zip(head, *rows, strict=True)
    return [max(stringWidth(cell, _BOLD, _SIZE) for cell in set(one)) + _PADDING for one in columns]
