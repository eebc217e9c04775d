"""Whose key a listing leads to, and whose it does not."""

import pytest

from workseal_agent.keyfollowing import followed
from workseal_protocol.digest import Digest
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import (
    KeyRevoke,
    KeyRotate,
    RevocationReason,
    SheetAnswer,
    TimesheetAnswer,
    sign,
)
from workseal_protocol.statement import Statement, sign_statement

NAMED, NEXT, LATER, STRANGER = (SeedSigner(bytes([one]) * 32) for one in range(1, 5))
KEYS = KeyHistory.start({Role.OPERATOR: (NAMED.public_key,)})


def rotation(old: SeedSigner, new: SeedSigner, *, by: SeedSigner | None = None) -> Statement:
    return sign(KeyRotate.make(claimed_at=1, old=old.public_key, new=new), by or old)


def speaking(*statements: Statement) -> set[Digest]:
    """Give the keys that speak for the operator after these."""
    keys = KEYS
    for index, statement in enumerate(statements):
        keys = followed(keys, index, statement)
    end = len(statements)
    return {one for one in keys.lives if Role.OPERATOR in keys.roles_of(one, end)}


def test_a_rotation_leads_on_and_ends_what_was_before() -> None:
    assert speaking() == {NAMED.public_key.thumbprint}
    assert speaking(rotation(NAMED, NEXT)) == {NEXT.public_key.thumbprint}
    assert speaking(rotation(NAMED, NEXT), rotation(NEXT, LATER)) == {LATER.public_key.thumbprint}


REVOKED = KeyRevoke(
    claimed_at=1, key=NAMED.public_key.thumbprint, reason=RevocationReason.COMPROMISED
)
ANSWER = TimesheetAnswer(
    engagement=bytes(16), claimed_at=1, timesheet=Digest.of(b"x"), answer=SheetAnswer.ACCEPTED
)


@pytest.mark.parametrize(
    "statement",
    [
        rotation(STRANGER, NEXT),
        rotation(NAMED, NEXT, by=STRANGER),
        sign(REVOKED, STRANGER),
        sign(ANSWER, NAMED),
    ],
    ids=["of somebody else", "signed by somebody else", "revoked by somebody", "of no key"],
)
def test_what_has_no_force_changes_nothing(statement: Statement) -> None:
    assert followed(KEYS, 0, statement) is KEYS


def test_what_stands_before_what_was_followed_changes_nothing() -> None:
    keys = followed(KEYS, 5, rotation(NAMED, NEXT))
    assert followed(keys, 5, rotation(NEXT, LATER)) is keys
    assert followed(keys, 6, rotation(NEXT, LATER)) is not keys


def test_what_is_no_record_of_its_kind_changes_nothing() -> None:
    good = rotation(NAMED, NEXT)
    bad = sign_statement(good.kind, good.subject, {}, NAMED)
    assert followed(KEYS, 0, bad) is KEYS
