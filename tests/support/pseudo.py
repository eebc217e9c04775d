"""A language that nobody speaks: each text changed visibly and longer, so that English is seen."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from gettext import NullTranslations
from string import Formatter

from babel.messages.pofile import read_po

from workseal_agent.language import Language, speak
from workseal_agent.language.speaking import FOLDER

# No letter of English stays one; these stand in every font and are not written in any English.
_TO = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "äƀčđéƒĝĥïĵķłɱñöþǫřšţůṽŵẋýžÄƁČĐÉƑĜĤÏĴĶŁṀÑÖÞǪŘŠŢŮṼŴẊÝŽ",
)


def changed(text: str) -> str:
    """Change all of a text but what is filled in and what is typed; make it longer by a third."""
    if "`" in text:
        parts = text.split("`")
        return "`".join(changed(one) if at % 2 == 0 else one for at, one in enumerate(parts))
    told = ""
    for literal, name, form, conversion in Formatter().parse(text):
        told += literal.translate(_TO).replace("{", "{{").replace("}", "}}")
        if name is not None:
            told += "{" + name + (f"!{conversion}" if conversion else "")
            told += (f":{form}" if form else "") + "}"
    return told + " " + "·" * (len(text) // 3)


class Pseudo(NullTranslations):
    """Translate every text of a template, and nothing that is not in it."""

    def __init__(self, domain: str) -> None:
        super().__init__()
        with (FOLDER / f"{domain}.pot").open("rb") as file:
            self._known = {(one.context, text) for one in read_po(file) for text in _forms(one.id)}

    def gettext(self, message: str) -> str:
        return self._of(None, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._of(None, msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self._of(context, message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        return self._of(context, msgid1 if n == 1 else msgid2)

    def _of(self, context: str | None, message: str) -> str:
        return changed(message) if (context, message) in self._known else message


def _forms(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


# A real tag, because a page with a wrong one is a fault of its own.
PSEUDO = Language("en-XA", cache(Pseudo))


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Say everything in a language until the block ends."""
    before = speak(language)
    try:
        yield
    finally:
        speak(before)


def english_in(text: str) -> list[str]:
    """List what looks like English words: two letters of it in a row."""
    return re.findall(r"[A-Za-z]{2,}", text)
