"""The English of the pages, from one file; another language is another file beside it.

Rule: a text that is missing is an error of the program and is never left blank.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

LANGUAGE = "en"


@lru_cache(maxsize=4)
def load_words(language: str = LANGUAGE) -> Mapping[str, str]:
    """Return every text by its name, as in `today.heading`."""
    source = files("workseal_agent.pages").joinpath("words", f"{language}.toml")
    tables = tomllib.loads(source.read_text("utf-8"))
    words = {
        f"{table}.{name}": text for table, texts in tables.items() for name, text in texts.items()
    }
    return MappingProxyType(words)


def say(name: str, /, **values: object) -> str:
    """Return a text with its values filled in; of one thing, the text that says so, if any."""
    words = load_words()
    alone = f"{name}_alone"
    if values.get("count") == 1 and alone in words:
        name = alone
    return words[name].format(**values)
