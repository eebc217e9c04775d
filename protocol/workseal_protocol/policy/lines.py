"""The lines of a policy file, and the bounds of what may stand in one."""

import re
from collections.abc import Iterator

from workseal_protocol.errors import MalformedError

MAX_POLICY_CHARACTERS = 262_144  # 64 ML-DSA keys with their names
MAX_ENTRIES = 32  # logs, witnesses, groups: C2SP asks for 32 of each at least

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def policy_lines(text: str) -> Iterator[list[str]]:
    """Split a policy file into its lines' words; comments and empty lines are left out."""
    if len(text) > MAX_POLICY_CHARACTERS:
        raise MalformedError(f"a policy file has at most {MAX_POLICY_CHARACTERS} characters")
    if not text.endswith("\n"):
        raise MalformedError("a policy file ends with a newline")
    if _FORBIDDEN.search(text):
        raise MalformedError("a policy file has no control characters but tab and newline")
    for line in text[:-1].split("\n"):
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if words and not words[0].startswith("#"):
            yield words
