"""The freelancer's own list: names and words that nobody is to read, one to a line.

Rules: the file is its owner's alone; no error says what stands in it. Words are compared without
case, width and accents, and with letters that a reader of screens mixes up taken for one another.
ü is found as ü, u, ue and ii, however it stands in the list; so are its like in other languages.
"""

import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from workseal_agent.errors import SettingsError
from workseal_agent.language import phrase
from workseal_agent.suggestions.finding import MAX_TEXT, Finding
from workseal_agent.suggestions.suggestion import Kind, Sureness, Why

MAX_LIST_BYTES: Final = 65_536
MAX_NAMES: Final = 2_000
# Two letters with nothing around them are still a name in some scripts; one is in every line.
_SHORTEST: Final = 2
# What is this short is only found as a word of its own: Ann is not in "annual".
_ALONE_BELOW: Final = 6
# Scripts that put no space between words: there no name stands alone.
_WITHOUT_SPACES: Final = "\u2e80"
_CONFUSED: Final = str.maketrans(
    {"0": "o", "1": "i", "l": "i", "|": "i", "!": "i", "5": "s", "8": "b", "2": "z", "6": "g"}
    # No accent to take off, though people leave it out.
    | {"ł": "i", "ı": "i", "ø": "o", "đ": "d", "ð": "d", "þ": "p", "æ": "ae", "œ": "oe", "β": "ss"}
    # The same shapes in the Cyrillic and the Greek alphabet.
    | dict(zip("аеорсухкмтвніѕј", "aeopcyxkmtbhisj", strict=True))
    | dict(zip("οανρτικχυ", "oavptikxu", strict=True))
)
# How these are written where they are not at hand, or are read by a machine.
_SPELLINGS: Final = {
    "ä": ("ae", "a"), "ö": ("oe", "o"), "ü": ("ue", "u", "ii"), "ß": ("ss", "s", "b"),
    "å": ("aa", "a"), "æ": ("ae", "a", "e"), "ø": ("oe", "o"), "œ": ("oe", "e", "ce"),
    "ñ": ("n", "fi", "ny"), "þ": ("th", "p"), "ð": ("d", "dh", "o"), "đ": ("d", "dj"),
    "ő": ("oe", "o"), "ű": ("ue", "u"),
}  # fmt: skip
# The other way round: Mueller in the list is Müller on the screen. Joe is not Jo.
_WRITTEN_OUT: Final = re.compile(r"([aou])e|(a)a")
_UNSURE: Final = re.compile(r"\(\?:[^)]*\)|.\?")
_SHORTEST_WRITTEN_OUT: Final = 5


@dataclass(frozen=True, slots=True)
class NameList:
    """Hold the words of the list; they are not shown."""

    names: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read the list; empty without a file, `SettingsError` for one that cannot be used."""
        try:
            with file.open("rb") as opened:
                mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
                data = opened.read(MAX_LIST_BYTES + 1)
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise SettingsError(
                phrase("the list {file} cannot be read: {reason}", file=file, reason=error.strerror)
            ) from error
        if mode & 0o077:
            raise SettingsError(
                phrase(
                    "the list {file} is open to other users (mode {mode:03o}, expected 600):"
                    " `chmod 600 {file}`",
                    file=file,
                    mode=mode,
                )
            )
        return cls.parse(data)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the lines of a list; # begins a remark, an empty line says nothing."""
        if len(data) > MAX_LIST_BYTES:
            raise SettingsError(
                phrase("the list of names is larger than {most} bytes", most=MAX_LIST_BYTES)
            )
        try:
            lines = data.decode("utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise SettingsError("the list of names is not UTF-8") from error
        names = []
        for number, line in enumerate(lines, 1):
            name = line.strip()
            if not name or name.startswith("#"):
                continue
            if len(_skeleton(name)[0]) < _SHORTEST:
                raise SettingsError(
                    phrase(
                        "line {number} of the list of names: expected two letters or more",
                        number=number,
                    )
                )
            names.append(name)
        if len(names) > MAX_NAMES:
            raise SettingsError(
                phrase(
                    "the list has {names} names, at most {most} are taken",
                    names=len(names),
                    most=MAX_NAMES,
                )
            )
        return cls(tuple(names))


class NameFinder:
    """Find the words of a list in a line."""

    def __init__(self, names: Sequence[str]) -> None:
        self._forms = tuple({_form(name) for name in names if _skeleton(name)[0]})

    def __call__(self, text: str) -> Iterator[Finding]:
        """Yield where words of the list stand, spaces and signs between their letters or not."""
        text = text[:MAX_TEXT]
        line, places = _skeleton(text)
        for form, sure, alone in self._forms:
            for match in form.finditer(line) if sure in line else ():
                first, end = match.span(1)
                start, after = places[first], places[end - 1] + 1
                if not alone or _stands_alone(text, start, after):
                    yield Finding(Kind.NAME, Why.LISTED, Sureness.LIKELY, start, after)


def _form(name: str) -> tuple[re.Pattern[str], str, bool]:
    """Return what finds a name in a line's skeleton, and whether it is only found alone.

    Between them, a part that is there however it is spelt: most lines are left out by it.
    """
    pieces, plain = [], ""
    for letter in unicodedata.normalize("NFC", name).lower():
        if letter in _SPELLINGS:
            spellings = (one.translate(_CONFUSED) for one in _SPELLINGS[letter])
            pieces += [_written_out(plain, name), f"(?:{'|'.join(spellings)})"]
            plain = ""
        else:
            plain += letter
    whole = _skeleton(name)[0]
    # A look ahead, so that what overlaps is found as well.
    form = "".join((*pieces, _written_out(plain, name)))
    sure = max(_UNSURE.split(form), key=len)
    return (
        re.compile(f"(?=({form}))"),
        sure,
        len(whole) < _ALONE_BELOW and max(whole) < _WITHOUT_SPACES,
    )


def _written_out(plain: str, name: str) -> str:
    skeleton = _skeleton(plain)[0]
    if len(name) < _SHORTEST_WRITTEN_OUT:
        return skeleton
    return _WRITTEN_OUT.sub(lambda match: f"{match[1] or match[2]}{match[0][1]}?", skeleton)


def _skeleton(text: str) -> tuple[str, list[int]]:
    """Return the letters and digits in one plain form, and where in the text each stood."""
    letters, places = [], []
    for place, letter in enumerate(text):
        for part in unicodedata.normalize("NFKD", letter).casefold().translate(_CONFUSED):
            if part.isalnum():
                letters.append(part)
                places.append(place)
    return _joined("".join(letters), places)


def _joined(letters: str, places: list[int]) -> tuple[str, list[int]]:
    """Take two letters that are read for one as that one: rn is m, vv is w."""
    for pair, one in (("rn", "m"), ("vv", "w")):
        at = letters.find(pair)
        while at >= 0:
            letters = letters[:at] + one + letters[at + 2 :]
            places = places[: at + 1] + places[at + 2 :]
            at = letters.find(pair, at + 1)
    return letters, places


def _stands_alone(text: str, start: int, end: int) -> bool:
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    return not (before.isalnum() or after.isalnum())
