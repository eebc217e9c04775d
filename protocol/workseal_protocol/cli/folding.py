"""Long lines on a terminal: broken between words, and set in where they go on.

Rule: what goes on stands further in than any line that begins, so that no text of somebody else's
can look like a line of ours. Where no terminal is, lines stay whole: programs read those.
"""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import Final

_SET_IN: Final = "    "
# A length of time, an amount and a share are read as one figure.
_IN_A_FIGURE: Final = re.compile(r"(?<=\d) (?=(?:h|min|s|%|[A-Z]{3})(?!\w))|(?<=h|n) (?=\d\d)")
_HELD: Final = "\0"  # in no line that is `plain`
_LEAST_COLUMNS: Final = 40  # narrower, every second word would be a line


def print_lines(lines: Iterable[str]) -> None:
    """Print lines that are `plain` already, as wide as the terminal if there is one."""
    if not _is_terminal():
        for line in lines:
            print(line)
        return
    columns = shutil.get_terminal_size().columns
    for line in lines:
        print("\n".join(folded(line, columns)))


def folded(line: str, columns: int) -> list[str]:
    """Break a line between words; a figure, a key, an address or a digest stays whole."""
    indent = line[: len(line) - len(line.lstrip())]
    pieces = textwrap.wrap(
        _IN_A_FIGURE.sub(_HELD, line),
        max(columns, _LEAST_COLUMNS),
        subsequent_indent=indent + _SET_IN,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [piece.replace(_HELD, " ") for piece in pieces] or [line]


def _is_terminal() -> bool:
    try:
        return sys.stdout.isatty()
    except (AttributeError, ValueError):  # closed: who prints is told so
        return False
