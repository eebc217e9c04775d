"""The terms that client and freelancer both sign before the first capture.

Rules: every figure that a later computation needs stands here, so that both sides compute the same;
each key has one role, so the parties' keys differ.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Final, Self

from workseal_protocol.encoding import Fields, Value
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import PublicKey, Role

MAX_ARBITRATORS: Final = 16
MAX_POLICY: Final = 4096
MIN_ROUND_MS: Final = 1_000
MAX_ROUND_MS: Final = 600_000
# One draw per round against 16 bits of hash: 65,536 means every round.
MAX_RATE: Final = 65_536
WEEK_MS: Final = 604_800_000
MAX_ROUNDING_MS: Final = 3_600_000
MAX_RATE_MINOR: Final = 1_000_000_000
MAX_DAYS: Final = 3_650
MAX_NAME: Final = 64
TILES: Final = (16, 32, 64, 128)

_POLICY = re.compile(r"(?:[\x20-\x7e]+\n)+")
_CURRENCY = re.compile(r"[A-Z]{3}")
# Names that mean another zone on another machine, or count leap seconds, are no agreement.
ZONE_FORM: Final = re.compile(
    r"(?!(?:localtime|posixrules|Factory)$|(?:posix|right)/)"
    r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,3}"
)
CALENDAR_FORM: Final = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")


class Level(IntEnum):
    """Say what evidence the agent records."""

    TIMER = 1
    ACTIVITY = 2
    FRAMES = 3


class Granularity(IntEnum):
    """Say in what steps the client sees worked time."""

    DAY = 1
    INTERVAL = 2


class RoundingMode(IntEnum):
    """Say which way the billed view rounds; worked time itself is never rounded."""

    DOWN = 0
    NEAREST = 1
    UP = 2


class WorkClass(IntEnum):
    """Name the classes of time that may be worth differently; the first three are a segment's."""

    WORKING = 1
    OFF_SCREEN = 2
    SEALED = 3
    LATE_DECLARED = 4


@dataclass(frozen=True, slots=True)
class Terms:
    """Hold what both sides agreed; raises `ValueError` when it contradicts itself.

    `worth_percent` has every `WorkClass`. In `weekly_cap_ms` and `rounding_ms`, 0 means none.
    """

    client: PublicKey
    freelancer: PublicKey
    arbitrators: tuple[PublicKey, ...]
    operator: PublicKey
    log_policy: str
    round_ms: int
    capture_rate: int
    level: Level
    tile: int
    max_withdrawn_percent: int
    max_offline_ms_per_week: int
    weekly_cap_ms: int
    granularity: Granularity
    rate_minor_per_hour: int
    currency: str
    rounding_ms: int
    rounding_mode: RoundingMode
    zone: str
    client_calendar: str
    freelancer_calendar: str
    review_days: int
    answer_days: int
    retention_days: int
    worth_percent: Mapping[WorkClass, int] = field(hash=False)

    def __post_init__(self) -> None:
        _check_parties(self)
        for name, (minimum, maximum) in _BOUNDS.items():
            if not minimum <= getattr(self, name) <= maximum:
                raise ValueError(f"terms: {name}: expected {minimum} to {maximum}")
        for name, (form, longest) in _FORMS.items():
            text = getattr(self, name)
            if len(text) > longest or form.fullmatch(text) is None:
                raise ValueError(f"terms: {name} does not have its form")
        if self.tile not in TILES:
            raise ValueError("terms: tile: expected 16, 32, 64 or 128")
        if self.level is not Level.FRAMES and self.capture_rate:
            raise ValueError("terms: a capture rate needs the level with frames")
        if set(self.worth_percent) != set(WorkClass) or not all(
            0 <= share <= 100 for share in self.worth_percent.values()
        ):
            raise ValueError("terms: worth_percent: expected 0 to 100 for each of four classes")
        # A copy that nobody can change behind the signature.
        object.__setattr__(self, "worth_percent", MappingProxyType(dict(self.worth_percent)))

    def role_of(self, key: PublicKey) -> Role | None:
        """Return the role in which the terms name this key."""
        if key in self.arbitrators:
            return Role.ARBITRATOR
        named = {
            self.client: Role.CLIENT,
            self.freelancer: Role.FREELANCER,
            self.operator: Role.OPERATOR,
        }
        return named.get(key)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `to_value` writes and close the map, or raise `MalformedError`."""
        arbitrators = fields.array(3, "arbitrators", minimum=1, maximum=MAX_ARBITRATORS)
        worth = fields.fields(24, "worth_percent")
        try:
            terms = cls(
                client=PublicKey.of_raw(fields.octets(1, "client")),
                freelancer=PublicKey.of_raw(fields.octets(2, "freelancer")),
                arbitrators=tuple(_read_key(item) for item in arbitrators),
                operator=PublicKey.of_raw(fields.octets(4, "operator")),
                log_policy=fields.text(5, "log_policy", maximum=MAX_POLICY),
                round_ms=fields.uint(6, "round_ms"),
                capture_rate=fields.uint(7, "capture_rate"),
                level=Level(fields.uint(8, "level")),
                tile=fields.uint(9, "tile"),
                max_withdrawn_percent=fields.uint(10, "max_withdrawn_percent"),
                max_offline_ms_per_week=fields.uint(11, "max_offline_ms_per_week"),
                weekly_cap_ms=fields.uint(12, "weekly_cap_ms"),
                granularity=Granularity(fields.uint(13, "granularity")),
                rate_minor_per_hour=fields.uint(14, "rate_minor_per_hour"),
                currency=fields.text(15, "currency", maximum=3),
                rounding_ms=fields.uint(16, "rounding_ms"),
                rounding_mode=RoundingMode(fields.uint(17, "rounding_mode")),
                zone=fields.text(18, "zone", maximum=MAX_NAME),
                client_calendar=fields.text(19, "client_calendar", maximum=6),
                freelancer_calendar=fields.text(20, "freelancer_calendar", maximum=6),
                review_days=fields.uint(21, "review_days"),
                answer_days=fields.uint(22, "answer_days"),
                retention_days=fields.uint(23, "retention_days"),
                worth_percent={
                    each: worth.uint(each, each.name.lower(), maximum=100) for each in WorkClass
                },
            )
        except ValueError as error:
            raise MalformedError(str(error)) from error
        worth.close()
        fields.close()
        return terms

    def to_value(self) -> dict[int, Value]:
        """Return the map that stands in offer and acceptance; `read` is its inverse."""
        return {
            1: self.client.raw,
            2: self.freelancer.raw,
            3: [key.raw for key in self.arbitrators],
            4: self.operator.raw,
            5: self.log_policy,
            6: self.round_ms,
            7: self.capture_rate,
            8: self.level,
            9: self.tile,
            10: self.max_withdrawn_percent,
            11: self.max_offline_ms_per_week,
            12: self.weekly_cap_ms,
            13: self.granularity,
            14: self.rate_minor_per_hour,
            15: self.currency,
            16: self.rounding_ms,
            17: self.rounding_mode,
            18: self.zone,
            19: self.client_calendar,
            20: self.freelancer_calendar,
            21: self.review_days,
            22: self.answer_days,
            23: self.retention_days,
            24: {each: self.worth_percent[each] for each in WorkClass},
        }


_BOUNDS: Final = {
    "round_ms": (MIN_ROUND_MS, MAX_ROUND_MS),
    "capture_rate": (0, MAX_RATE),
    "max_withdrawn_percent": (0, 100),
    "max_offline_ms_per_week": (0, WEEK_MS),
    "weekly_cap_ms": (0, WEEK_MS),
    "rate_minor_per_hour": (0, MAX_RATE_MINOR),
    "rounding_ms": (0, MAX_ROUNDING_MS),
    "review_days": (1, MAX_DAYS),
    "answer_days": (1, MAX_DAYS),
    "retention_days": (1, MAX_DAYS),
}
_FORMS: Final = {
    "log_policy": (_POLICY, MAX_POLICY),
    "currency": (_CURRENCY, 3),
    "zone": (ZONE_FORM, MAX_NAME),
    "client_calendar": (CALENDAR_FORM, 6),
    "freelancer_calendar": (CALENDAR_FORM, 6),
}


def _check_parties(terms: Terms) -> None:
    if not 1 <= len(terms.arbitrators) <= MAX_ARBITRATORS:
        raise ValueError(f"terms: expected 1 to {MAX_ARBITRATORS} arbitrators")
    keys = (terms.client, terms.freelancer, terms.operator, *terms.arbitrators)
    if len(set(keys)) != len(keys):
        raise ValueError("terms: one key stands for two parties")


def _read_key(item: Value) -> PublicKey:
    if not isinstance(item, bytes):
        raise MalformedError("terms: expected a byte string as arbitrator's key")
    return PublicKey.of_raw(item)
