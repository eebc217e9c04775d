"""The acts of a case: what a party can do in a dispute, and which fields each act has.

Rules: an act is one number; its fields are those of `FORMS`, no more; a code is a member of the
enumeration that `CODES` names. What is allowed when is the matter of `dispute`, not of this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Act(IntEnum):
    """Name what a dispute.act does."""

    NOTICE = 1
    ANSWER = 2
    EXTEND = 3
    OFFER = 4
    ACCEPT = 5
    END = 6
    LAPSE = 7
    DRAW = 8
    DECLARE = 9
    RECUSE = 10
    STRIKE = 11
    PASS = 12
    ASK = 13
    OBJECT = 14
    RULE = 15
    COMMIT = 16
    REVEAL = 17
    SAMPLE = 18
    APPROVE = 19
    SHOW = 20
    WITHHOLD = 21
    EXHIBIT = 22
    COMMENT = 23
    DRAFT = 24
    DECIDE = 25
    APPEAL = 26
    STAY = 27
    RESUME = 28
    WITHDRAW = 29
    CLAW_BACK = 30
    OUTAGE = 31
    DESTROY = 32
    UNREADABLE = 33


class Claim(IntEnum):
    """Say what a filing is about."""

    NOT_WORKED = 1
    NOT_PAID = 2
    DECLARED_TIME = 3
    WITHDRAWN_FRAMES = 4
    MISSED_CAPTURES = 5
    RATE_OR_ROUNDING = 6
    OTHER = 7


class Delivery(IntEnum):
    """Say why a notice counts as delivered."""

    TWO_CHANNELS = 1
    OPENED = 2


class Ground(IntEnum):
    """Say why a request is objected to."""

    NOT_RELEVANT = 1
    NOT_MATERIAL = 2
    LOWER_LEVEL_SUFFICES = 3
    TOO_WIDE = 4
    THIRD_PARTY_NDA = 5
    PRIVACY_OF_OTHERS = 6
    CREDENTIALS = 7
    PRIVILEGE = 8
    BURDEN = 9
    WRONG_FREEZE = 10
    OTHER = 11


class Ruling(IntEnum):
    """Say what the arbitrator rules on a request."""

    GRANT = 1
    NARROW = 2
    REFUSE = 3


class Refusal(IntEnum):
    """Say why what was asked for is not shown."""

    THIRD_PARTY_NDA = 1
    PRIVACY_OF_OTHERS = 2
    CREDENTIALS = 3
    PRIVILEGE = 4
    DISPROPORTION = 5
    LOST_BEFORE_NOTICE = 6
    LOST_AFTER_NOTICE = 7


class Verdict(IntEnum):
    """Say how much of the claim a draft or decision upholds."""

    UPHELD = 1
    IN_PART = 2
    DISMISSED = 3


class Pause(IntEnum):
    """Say why a case is stayed."""

    ILLNESS = 1
    TALKS = 2
    COURT = 3
    TECHNICAL = 4
    OTHER = 5


CODES: Final[Mapping[Act, type[IntEnum]]] = {
    Act.NOTICE: Delivery,
    Act.OBJECT: Ground,
    Act.RULE: Ruling,
    Act.WITHHOLD: Refusal,
    Act.DRAFT: Verdict,
    Act.DECIDE: Verdict,
    Act.STAY: Pause,
}


@dataclass(frozen=True, slots=True)
class Form:
    """Name the fields that an act must have and those that it may have."""

    needs: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()


def _form(needs: str = "", may: str = "") -> Form:
    return Form(frozenset(needs.split()), frozenset(may.split()))


FORMS: Final[Mapping[Act, Form]] = {
    Act.NOTICE: _form("code"),
    Act.ANSWER: _form("text", "calendar"),
    Act.EXTEND: _form(),
    Act.OFFER: _form("text amount"),
    Act.ACCEPT: _form("cites"),
    Act.END: _form("", "text"),
    Act.LAPSE: _form(),
    Act.DRAW: _form("round value person"),
    Act.DECLARE: _form("text", "calendar sealing_key"),
    Act.RECUSE: _form("text"),
    Act.STRIKE: _form("", "text"),
    Act.PASS: _form(),
    Act.ASK: _form("level count begin end text why", "freeze"),
    Act.OBJECT: _form("code text"),
    Act.RULE: _form("code text", "count"),
    Act.COMMIT: _form("value"),
    Act.REVEAL: _form("value"),
    Act.SAMPLE: _form("round value"),
    Act.APPROVE: _form(),
    Act.SHOW: _form("value"),
    Act.WITHHOLD: _form("code text"),
    Act.EXHIBIT: _form("text", "value"),
    Act.COMMENT: _form("text"),
    Act.DRAFT: _form("code text amount cites"),
    Act.DECIDE: _form("code text amount cites"),
    Act.APPEAL: _form("text"),
    Act.STAY: _form("code text end"),
    Act.RESUME: _form("", "text"),
    Act.WITHDRAW: _form("", "text"),
    Act.CLAW_BACK: _form("cites text"),
    Act.OUTAGE: _form("begin end"),
    Act.DESTROY: _form(),
    Act.UNREADABLE: _form("cites text"),
}
