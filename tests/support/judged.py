"""The scripts that judge a page in a browser, the widths and the schemes that it is judged at."""

from pathlib import Path
from typing import Final, Literal

_HERE: Final = Path(__file__).parent
# Names, texts, order and sizes; after a line on what it is.
BASICS: Final = (_HERE / "basics.js").read_text().partition("\n")[2]
# Figures that break, and what the keyboard does not come to.
EVERYBODY: Final = (_HERE / "everybody.js").read_text()
WIDTHS: Final = (390, 820, 1280)
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
