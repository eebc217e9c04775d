"""Recovery words: 24 words for a sheet of paper that hold 256 random bits and a checksum.

Rules: the list and the checksum are those of BIP 39 (English), so other tools can read the sheet.
What is typed may have any case and spacing, and each word its first four letters alone. No text of
an error holds a word that was typed.
"""

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from workseal_agent.errors import KeystoreError
from workseal_agent.language import phrase

if TYPE_CHECKING:
    from mnemonic import Mnemonic

WORDS = 24
SECRET_BYTES = 32
_LEAST_LETTERS = 4


class RecoveryWordsError(KeystoreError):
    """Say which word is not of the list, or that they do not belong together."""


def words_of(secret: bytes) -> tuple[str, ...]:
    """Write 32 random bytes as 24 words."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"recovery words hold {SECRET_BYTES} bytes")
    return tuple(_list().to_mnemonic(secret).split(" "))


def secret_of(typed: str) -> bytes:
    """Read the words, or raise `RecoveryWordsError`."""
    words = _split(typed)
    if len(words) != WORDS:
        raise RecoveryWordsError(
            phrase(
                "there are {words} recovery words, and these are {found}",
                words=WORDS,
                found=len(words),
            )
        )
    known = [_known(word, place) for place, word in enumerate(words, 1)]
    try:
        return bytes(_list().to_entropy(known))
    except ValueError as error:
        raise RecoveryWordsError(
            "the recovery words do not belong together: one is another word of the list, or two"
            " changed places"
        ) from error


def looks_like_words(typed: str) -> bool:
    """Tell whether this is meant as recovery words, be they right or wrong."""
    return len(_split(typed)) == WORDS


def _split(typed: str) -> list[str]:
    # Numbers and commas, as a sheet may have them, are taken for spaces.
    plain = unicodedata.normalize("NFKD", typed).lower()
    return "".join(letter if letter.isalpha() else " " for letter in plain).split()


def _known(word: str, place: int) -> str:
    found = _list().expand_word(word)
    if found not in _places() or (found != word and len(word) < _LEAST_LETTERS):
        raise RecoveryWordsError(
            phrase("word {place} is not in the list of recovery words", place=place)
        )
    return found


@cache
def _list() -> "Mnemonic":
    from mnemonic import Mnemonic  # noqa: PLC0415 - the process that records needs no words

    return Mnemonic("english")


@cache
def _places() -> frozenset[str]:
    return frozenset(_list().wordlist)
