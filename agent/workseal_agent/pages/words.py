"""The English of the pages, from one file, said in the owner's language.

Rule: a text that is missing is an error of the program and is never left blank.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from workseal_agent.language import own_word

# Of one thing, another text may be said: its name ends like this.
ALONE = "_alone"


@cache
def load_words() -> Mapping[str, str]:
    """Return every English text by its name, as in `today.heading`."""
    source = files("workseal_agent.pages").joinpath("words", "en.toml")
    tables = tomllib.loads(source.read_text("utf-8"))
    words = {
        f"{table}.{name}": text for table, texts in tables.items() for name, text in texts.items()
    }
    return MappingProxyType(words)


def say(name: str, /, **values: object) -> str:
    """Return a text with its values filled in; of one thing, the text that says so, if any."""
    words = load_words()
    alone = words.get(f"{name}{ALONE}") if isinstance(values.get("count"), int) else None
    if alone is None:
        return own_word(name, words[name], None, values)
    return own_word(name, alone, words[name], values)
