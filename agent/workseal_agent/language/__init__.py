"""The owner's language: English inside the program, a translation where its owner reads.

Rules: a text stays English until it is shown (terminal, notice, page), so that JSON, logs,
statements and everything that another program reads are English by themselves. A translation
whose places for values are not those of the English text is not shown, nor is one of a text
that has changed since: English is shown instead. No fault of a translation is an error here.
"""

from workseal_agent.language.carried import carried, kept, kept_again, received
from workseal_agent.language.phrase import Phrase, all_of, phrase, phrases, told_of
from workseal_agent.language.speaking import (
    ENGLISH,
    Language,
    language_of,
    own,
    own_reason,
    own_word,
    speak,
    spoken,
)

__all__ = [
    "ENGLISH",
    "Language",
    "Phrase",
    "all_of",
    "carried",
    "kept",
    "kept_again",
    "language_of",
    "own",
    "own_reason",
    "own_word",
    "phrase",
    "phrases",
    "received",
    "speak",
    "spoken",
    "told_of",
]
