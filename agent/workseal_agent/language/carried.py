"""Phrases on their way from one process of a home to another, or kept in its ledger, in JSON.

Rules: the texts of an answer stay English where they stand. Beside them, under one name, lies how
each was made, so that who reads it can say it in the owner's language; who does not know that name
misses nothing. What does not make exactly its text again is left a plain text.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from workseal_agent.language.phrase import Phrase, places_of, told_of

# The one key that an answer has besides its own.
NAME = "phrases"
# Far more than one answer has, and than one phrase is put together from.
_MOST, _DEPTH = 64, 6
# As in ",.1f", and some more.
_LONGEST = 5


def carried(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer with the making of each phrase in it."""
    made = {str(one): _made(one) for one in _phrases(answer)}
    return {**answer, NAME: made} if made else dict(answer)


def received(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with its phrases, and without what says how they were made."""
    told = answer.pop(NAME, None)
    if not isinstance(told, dict) or len(told) > _MOST:
        return answer
    known = {text: _again(made, _DEPTH) for text, made in told.items()}
    return {key: _with(known, value) for key, value in answer.items()}


def kept(text: str) -> str | None:
    """Return how a text was made, to be kept beside it; None of what is a plain text."""
    return json.dumps(_made(text)) if isinstance(text, Phrase) else None


def kept_again(text: str, made: str | None) -> str:
    """Return a text as the phrase that it was, where what was kept makes exactly it."""
    try:
        again = _again(json.loads(made or "null"), _DEPTH)
    except (ValueError, RecursionError):
        return text
    return again if again is not None and again == text else text


def _phrases(value: object) -> Iterator[Phrase]:
    if isinstance(value, Phrase):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _phrases(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _phrases(one)


def _made(one: Phrase) -> dict[str, Any]:
    values = {name: _value(value) for name, value in one.values.items()}
    return {"one": one.one, "many": one.many, "values": values}


def _value(value: object) -> object:
    told = told_of(value) if isinstance(value, Exception) else value
    if isinstance(told, Phrase):
        return _made(told)
    # As it is written where no form says otherwise; a number has its form.
    return told if isinstance(told, str | int | float) else str(told)


def _again(made: object, depth: int) -> Phrase | None:
    """Make a phrase again; None where its parts are none."""
    if not (isinstance(made, dict) and made.keys() == {"one", "many", "values"} and depth):
        return None
    one, many, values = made["one"], made["many"], made["values"]
    if not (isinstance(one, str) and isinstance(many, str | None) and isinstance(values, dict)):
        return None
    again = {
        name: _again(value, depth - 1) if isinstance(value, dict) else value
        for name, value in values.items()
    }
    forms = [one] if many is None else [one, many]
    if None in again.values() or not all(_names(form) <= again.keys() for form in forms):
        return None
    try:
        return Phrase.of(one, many, again)
    except (KeyError, ValueError, TypeError):
        return None


def _names(form: str) -> set[str]:
    """Return the names of a form's places, and one that no value has where one reaches further."""
    places = places_of(form)
    if places is None:
        return {"{"}
    # Somebody's width must not become memory.
    return {"{" if how or len(form or "") > _LONGEST else name for name, how, form in places}


def _with(known: Mapping[str, Phrase | None], value: Any) -> Any:
    if isinstance(value, str):
        phrase = known.get(value)
        return phrase if phrase is not None and phrase == value else value
    if isinstance(value, list):
        return [_with(known, one) for one in value]
    if isinstance(value, dict):
        return {key: _with(known, one) for key, one in value.items()}
    return value
