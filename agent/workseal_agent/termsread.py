"""The terms in words, in the language of who reads them before they sign.

Rule: what is signed are the fields of the terms. The English sentences, which the client reads,
stay within reach of whoever reads a translation.
"""

from workseal_agent.language import Phrase
from workseal_protocol.terms import Terms, worded_terms


def sentences_of(terms: Terms) -> tuple[Phrase, ...]:
    """Return the sentences of the terms; each is its English until it is said."""
    return tuple(map(Phrase.from_worded, worded_terms(terms)))
