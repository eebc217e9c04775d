"""Saying a text in the owner's language: which language that is, and its catalogues.

The catalogues are GNU gettext's. `agent` is what every command may say; `pages` is larger and is
loaded by the pages alone, so that the recording process never holds it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from string import Formatter
from struct import error as StructError  # noqa: N812 - a class
from typing import Any

from workseal_agent.language.phrase import Phrase, fits, phrase
from workseal_protocol.worded import Worded

# How a language writes a number: what stands after its first and after its fifth digit is taken.
SEPARATORS = phrase("1,234.5")
FOLDER = Path(__file__).parent
AGENT, PAGES = "agent", "pages"
# In the order in which GNU gettext reads them; LANGUAGE is a list and goes before all.
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
_ENGLISH_NAMES = frozenset({"en", "C", "POSIX"})


@dataclass(frozen=True, slots=True)
class Language:
    """Hold a language: its tag, as pages name it (BCP 47), and what finds its catalogues."""

    tag: str
    catalogue: Callable[[str], NullTranslations]


ENGLISH = Language("en", lambda _domain: NullTranslations())


class _Spoken:
    """Hold the language of this process's owner; English until it is chosen."""

    language = ENGLISH


def speak(language: Language) -> Language:
    """Say everything in a language from now on; returns the one before."""
    before, _Spoken.language = _Spoken.language, language
    return before


def spoken() -> str:
    """Return the tag of the language that is spoken."""
    return _Spoken.language.tag


def language_of(environment: Mapping[str, str]) -> Language:
    """Return the first wanted language that there is, as GNU gettext reads an environment."""
    locale = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    # With the locale C nobody asked for a language: the list is for another session.
    listed = [] if _base(locale) in {"C", "POSIX"} else environment.get("LANGUAGE", "").split(":")
    for wanted in (*listed, locale):
        name = wanted.partition(".")[0].partition("@")[0]
        if _base(name) in _ENGLISH_NAMES:
            return ENGLISH
        for tag in (name.replace("_", "-"), _base(name)):
            if tag in translations():
                return Language(tag, lambda domain, tag=tag: _loaded(tag, domain))  # type: ignore[misc]
    return ENGLISH


@cache
def translations() -> frozenset[str]:
    """Return the tags of the languages that there are beside English."""
    return frozenset(file.parent.name for file in FOLDER.glob("*/agent.mo"))


def own(text: str) -> str:
    """Say a text in the owner's language; one that is in no catalogue stays as it is.

    Of a phrase the values are said too, where they are phrases. Any other text is looked for
    as a whole: so is what came as English from another process.
    """
    if isinstance(text, Phrase):
        return _said(AGENT, None, text.one, text.many, text.values)
    if not text or "{" in text or "}" in text:
        return text
    return _said(AGENT, None, text, None, {})


def own_reason(error: Exception) -> str:
    """Say an error of this program's own in the owner's language."""
    told = error.args[0] if error.args else None
    if isinstance(told, Worded):
        return own(Phrase.from_worded(told))
    return own(told) if isinstance(told, str) else str(error)


def own_word(name: str, one: str, many: str | None, values: Mapping[str, object]) -> str:
    """Say a text of the pages, which has a name, in the owner's language."""
    return _said(PAGES, name, one, many, values)


def _said(
    domain: str, name: str | None, one: str, many: str | None, values: Mapping[str, object]
) -> str:
    catalogue = _Spoken.language.catalogue(domain)
    count = values.get("count") if many is not None else None
    english = one if many is None or count == 1 else many
    if many is None or not isinstance(count, int):
        found = catalogue.gettext(one) if name is None else catalogue.pgettext(name, english)
    elif name is None:
        found = catalogue.ngettext(one, many, count)
    else:
        found = catalogue.npgettext(name, one, many, count)
    text = found if fits(found, one, many) else english
    return _Filled().vformat(text, (), {key: _value(value) for key, value in values.items()})


def _value(value: object) -> object:
    """Say a value too, where it is a phrase or an error."""
    if isinstance(value, Phrase):
        return own(value)
    return own_reason(value) if isinstance(value, Exception) else value


class _Filled(Formatter):
    """Fill in values; numbers with the separators of the language."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        told = super().format_field(value, format_spec)
        if not format_spec or not isinstance(value, int | float):
            return told
        thousands, decimal = own(SEPARATORS)[1], own(SEPARATORS)[5]
        return told.translate(str.maketrans(",.", thousands + decimal))


@cache
def _loaded(tag: str, domain: str) -> NullTranslations:
    try:
        with (FOLDER / tag / f"{domain}.mo").open("rb") as file:
            return GNUTranslations(file)
    except (OSError, StructError, ValueError):  # a damaged file is English, and no reason to stop
        return NullTranslations()


def _base(name: str) -> str:
    return name.partition(".")[0].partition("@")[0].partition("_")[0]
