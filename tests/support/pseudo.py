"""A language that nobody speaks: each text changed visibly and longer, so that English is seen."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from gettext import NullTranslations
from string import Formatter

from workseal_agent.language import Language, speak

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
    """Translate every text that the program asks for."""

    def gettext(self, message: str) -> str:
        return changed(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return changed(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        assert context
        return changed(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        assert context
        return self.ngettext(msgid1, msgid2, n)


# A real tag, because a page with a wrong one is a fault of its own.
PSEUDO = Language("en-XA", lambda _domain: Pseudo())


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
