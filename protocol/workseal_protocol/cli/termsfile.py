"""Terms as a client writes them: a TOML file with the names of `Terms`, words instead of numbers.

Rules: every name must be there and none may be unknown, because a default that nobody read is a
term that nobody agreed to. Parties and log may stand in the file, or come from the client's policy
file; where both name one, they must agree.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from enum import IntEnum
from typing import Any, Final, TypeVar

from workseal_protocol.cli.problem import CommandError
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import PublicKey, Role
from workseal_protocol.policy import TlogPolicy, TrustPolicy
from workseal_protocol.terms import Granularity, Level, RoundingMode, Terms, WorkClass

WORTH_NAMES: Final = {
    WorkClass.WORKING: "working",
    WorkClass.OFF_SCREEN: "off_screen",
    WorkClass.SEALED: "sealed",
    WorkClass.LATE_DECLARED: "late",
}

_PARTIES: Final = ("client", "freelancer", "arbitrators", "operator", "log_policy")
_WORDS: Final[Mapping[str, type[IntEnum]]] = {
    "level": Level,
    "granularity": Granularity,
    "rounding_mode": RoundingMode,
}
_TEXTS: Final = ("currency", "zone", "client_calendar", "freelancer_calendar")
_OWN: Final = (*_PARTIES, *_WORDS, *_TEXTS, "worth_percent")
_NUMBERS: Final = tuple(one.name for one in fields(Terms) if one.name not in _OWN)

_Found = TypeVar("_Found")


def read_terms(text: str, client: PublicKey, policy: TrustPolicy | None) -> Terms:
    """Read the terms that `client` offers, or raise `CommandError`."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"the terms are not TOML: {error}") from error
    names = (*_PARTIES, *_NUMBERS, *_WORDS, *_TEXTS, "worth_percent")
    unknown = sorted(set(table) - set(names))
    if unknown:
        raise CommandError(f"the terms have an unknown name: {unknown[0]}")
    missing = [name for name in names if name not in table and name not in _PARTIES]
    if missing:
        raise CommandError(f"the terms do not say: {', '.join(missing)}")
    try:
        values: dict[str, Any] = _parties(table, client, policy)
        values |= {name: _number(table[name], name) for name in _NUMBERS}
        values |= {name: _text(table[name], name) for name in _TEXTS}
        values |= {name: _word(table[name], name, kind) for name, kind in _WORDS.items()}
        return Terms(**values, worth_percent=_worth(table["worth_percent"]))
    except (MalformedError, ValueError) as error:
        raise CommandError(f"the terms do not fit: {error}") from error


def _parties(
    table: Mapping[str, Any], client: PublicKey, policy: TrustPolicy | None
) -> dict[str, Any]:
    known: Mapping[Role, tuple[PublicKey, ...]] = policy.parties if policy else {}
    log = table.get("log_policy")
    return {
        "client": _agreed("client", _keys(table, "client"), known.get(Role.CLIENT), (client,))[0],
        "freelancer": _agreed("freelancer", _keys(table, "freelancer"), known.get(Role.FREELANCER))[
            0
        ],
        "arbitrators": _agreed(
            "arbitrators", _keys(table, "arbitrators"), known.get(Role.ARBITRATOR)
        ),
        "operator": _agreed("operator", _keys(table, "operator"), known.get(Role.OPERATOR))[0],
        "log_policy": _agreed(
            "log_policy",
            None if log is None else TlogPolicy.read(_text(log, "log_policy")).encode(),
            policy.tlog.encode() if policy else None,
        ),
    }


def _agreed(name: str, *sources: _Found | None) -> _Found:
    found = [source for source in sources if source is not None]
    if not found:
        raise CommandError(f"neither the terms nor a policy file name the {name}")
    if any(other != found[0] for other in found):
        raise CommandError(f"the terms, the policy and the key file do not agree on the {name}")
    return found[0]


def _keys(table: Mapping[str, Any], name: str) -> tuple[PublicKey, ...] | None:
    if name not in table:
        return None
    given = table[name] if name == "arbitrators" else [table[name]]
    if not isinstance(given, list) or not given:
        raise CommandError(f"{name}: expected a list of public keys")
    return tuple(PublicKey.parse_text(_text(key, name)) for key in given)


def _number(value: Any, name: str) -> int:
    # TOML's true is Python's True, which is an int.
    if type(value) is not int:
        raise CommandError(f"{name}: expected a whole number")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise CommandError(f"{name}: expected a text in quotes")
    return value


def _word(value: Any, name: str, kind: type[IntEnum]) -> IntEnum:
    words = {member.name.lower(): member for member in kind}
    if not isinstance(value, str) or value not in words:
        raise CommandError(f"{name}: expected one of {', '.join(words)}")
    return words[value]


def _worth(value: Any) -> dict[WorkClass, int]:
    if not isinstance(value, dict) or set(value) != set(WORTH_NAMES.values()):
        raise CommandError(f"worth_percent: expected exactly {', '.join(WORTH_NAMES.values())}")
    return {
        kind: _number(value[name], f"worth_percent.{name}") for kind, name in WORTH_NAMES.items()
    }
