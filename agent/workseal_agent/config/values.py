"""Each setting that has one value, by its name, as text: what a form shows, and what it sends.

Rule: a text that is none of its kind stays a text, so that reading the file refuses it in the same
words as if its owner had typed it there.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from workseal_agent.config.settings import Settings

# "[table] key", as `table.key`; what is not set is an empty text.
NAMES: Final = (
    "display.hours", "display.totals", "display.zone", "notices.show", "vault.warn_above_gib",
    "lock.time", "seal.key", "mask.defaults", "screen.kind", "screen.display", "screen.replay",
    "activity.kind", "witness.listen", "verifier.url", "verifier.ca_file",
)  # fmt: skip
_FLAGS = frozenset({"notices.show", "mask.defaults"})
_NUMBERS = frozenset({"vault.warn_above_gib"})
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


def values_of(settings: Settings) -> Mapping[str, str]:
    """Return every setting of `NAMES` as text."""
    witness = settings.witness
    found = {
        "display.hours": settings.display.hours,
        "display.totals": settings.display.totals,
        "display.zone": settings.display.zone,
        "notices.show": _flag(value=settings.notices.show),
        "vault.warn_above_gib": str(settings.vault.warn_above_gib),
        "lock.time": "count" if settings.lock.counts else "pause",
        "seal.key": _text(settings.seal.key),
        "mask.defaults": _flag(value=settings.mask.defaults),
        "screen.kind": settings.screen.kind,
        "screen.display": _text(settings.screen.display),
        "screen.replay": _text(settings.screen.replay),
        "activity.kind": settings.activity.kind,
        "witness.listen": "" if witness is None else _address(witness.host, witness.port),
        "verifier.url": _text(settings.verifier.url),
        "verifier.ca_file": _text(settings.verifier.ca_file),
    }
    return MappingProxyType(found)


def value_for_file(name: str, text: str) -> str | int | bool:
    """Return what stands in the file for a text: a number or a flag, where it is one."""
    if name in _FLAGS and text in {"true", "false"}:
        return text == "true"
    if name in _NUMBERS and _NUMBER.fullmatch(text):
        return int(text)
    return text


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _flag(*, value: bool) -> str:
    return "true" if value else "false"


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
