from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import builders
from support.builders import ARBITRATOR, CLIENT, FREELANCER, OPERATOR, STRANGER, signer
from workseal_protocol.errors import VerificationError
from workseal_protocol.keyhistory import KEY_KINDS, MAKERS, MAX_KEYS, KeyHistory
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import KeyRecord, KeyRevoke, KeyRotate, RevocationReason, sign
from workseal_protocol.statement import Kind

PARTIES = {
    Role.CLIENT: (CLIENT.public_key,),
    Role.FREELANCER: (FREELANCER.public_key,),
    Role.ARBITRATOR: (ARBITRATOR.public_key,),
    Role.OPERATOR: (OPERATOR.public_key,),
}
FRESH = signer("fresh")
RECOVERY = signer("recovery")


def start() -> KeyHistory:
    return KeyHistory.start(PARTIES)


def after(history: KeyHistory, index: int, record: KeyRecord, by: SeedSigner) -> KeyHistory:
    return history.advance(index, sign(record, by), record)


def is_valid(history: KeyHistory, key: SeedSigner, index: int) -> bool:
    try:
        found = history.valid_key(key.public_key.thumbprint, index)
    except VerificationError:
        return False
    assert found == key.public_key
    return True


def test_trusted_keys_are_valid_from_index_0() -> None:
    assert all(
        is_valid(start(), key, index)
        for key in (CLIENT, FREELANCER, ARBITRATOR, OPERATOR)
        for index in (0, 2**53)
    )
    assert not is_valid(start(), STRANGER, 0)


@given(st.integers(1, 1000))
def test_a_rotation_ends_one_key_and_begins_another(index: int) -> None:
    rotate = KeyRotate.make(claimed_at=0, old=FREELANCER.public_key, new=FRESH)
    history = after(start(), index, rotate, FREELANCER)
    for at in (index - 1, index, index + 1):
        assert is_valid(history, FREELANCER, at) == (at < index)
        assert is_valid(history, FRESH, at) == (at > index)
    assert history.roles_of(FRESH.public_key.thumbprint, index + 1) == {Role.FREELANCER}
    assert history.roles_of(FRESH.public_key.thumbprint, index) == frozenset()


def test_a_rotation_needs_the_old_key_and_the_new_one() -> None:
    rotate = KeyRotate.make(claimed_at=0, old=FREELANCER.public_key, new=FRESH)
    with pytest.raises(VerificationError, match="signed by the key that it ends"):
        after(start(), 1, rotate, FRESH)
    other = KeyRotate.make(claimed_at=0, old=CLIENT.public_key, new=FRESH)
    with pytest.raises(VerificationError, match="does not match"):
        after(start(), 1, replace(rotate, proof=other.proof), FREELANCER)


def test_a_rotation_of_a_stranger_gives_no_role() -> None:
    rotate = KeyRotate.make(claimed_at=0, old=STRANGER.public_key, new=FRESH)
    with pytest.raises(VerificationError, match="not one of the parties"):
        after(start(), 1, rotate, STRANGER)
    announced = after(start(), 1, builders.make_announce(STRANGER, recovery=None), STRANGER)
    rotated = after(announced, 2, rotate, STRANGER)
    assert rotated.roles_of(FRESH.public_key.thumbprint, 3) == frozenset()


def test_a_rotation_does_not_revive_a_key() -> None:
    there = KeyRotate.make(claimed_at=0, old=FREELANCER.public_key, new=FRESH)
    back = KeyRotate.make(claimed_at=0, old=FRESH.public_key, new=FREELANCER)
    history = after(start(), 1, there, FREELANCER)
    with pytest.raises(VerificationError, match="leads to a key that has ended"):
        after(history, 2, back, FRESH)


@pytest.mark.parametrize(
    "by",
    [
        pytest.param(FREELANCER, id="itself"),
        pytest.param(RECOVERY, id="its recovery key"),
    ],
)
def test_revokes(by: SeedSigner) -> None:
    history = after(start(), 1, builders.make_announce(RECOVERY, recovery=None), RECOVERY)
    history = after(history, 2, builders.make_announce(FREELANCER), FREELANCER)
    history = after(history, 5, builders.make_revoke(FREELANCER), by)
    assert is_valid(history, FREELANCER, 4)
    assert not is_valid(history, FREELANCER, 5)
    with pytest.raises(VerificationError, match="rotated or revoked before"):
        after(history, 6, builders.make_revoke(FREELANCER), by)


@pytest.mark.parametrize("by", [CLIENT, OPERATOR, ARBITRATOR, STRANGER])
def test_nobody_else_revokes(by: SeedSigner) -> None:
    """Whoever has a dispute with somebody, or judges it, would take their voice away."""
    history = after(start(), 1, builders.make_announce(STRANGER, recovery=None), STRANGER)
    with pytest.raises(VerificationError, match="only the key or its recovery key"):
        after(history, 2, builders.make_revoke(FREELANCER), by)


def test_an_announcement_gives_no_role() -> None:
    record = builders.make_announce(STRANGER, role=Role.FREELANCER)
    history = after(start(), 3, record, STRANGER)
    assert is_valid(history, STRANGER, 4)
    assert not is_valid(history, STRANGER, 3)
    statement = sign(builders.make_open(), STRANGER)
    with pytest.raises(VerificationError, match=r"may not make a session\.open"):
        history.check_signature(statement, 4)


def test_an_announcement_is_signed_by_its_key() -> None:
    with pytest.raises(VerificationError, match="another key as its issuer"):
        after(start(), 1, builders.make_announce(STRANGER), FREELANCER)


def test_a_recovery_key_is_named_once() -> None:
    history = after(start(), 1, builders.make_announce(FREELANCER), FREELANCER)
    thief = builders.make_announce(FREELANCER, recovery=STRANGER.public_key.thumbprint)
    with pytest.raises(VerificationError, match="announced before"):
        after(history, 2, thief, FREELANCER)


@pytest.mark.parametrize("announced", [True, False])
def test_a_thief_who_rotates_does_not_escape_the_recovery_key(*, announced: bool) -> None:
    recovery = RECOVERY.public_key.thumbprint
    history = after(start(), 1, builders.make_announce(FREELANCER, recovery=recovery), FREELANCER)
    history = after(history, 2, builders.make_announce(RECOVERY), RECOVERY)
    if announced:
        own = builders.make_announce(FRESH, recovery=STRANGER.public_key.thumbprint)
        history = after(history, 3, own, FRESH)
    rotate = KeyRotate.make(claimed_at=0, old=FREELANCER.public_key, new=FRESH)
    history = after(history, 4, rotate, FREELANCER)
    history = after(history, 5, builders.make_revoke(FRESH), RECOVERY)
    assert not is_valid(history, FRESH, 6)


def test_a_rotation_does_not_join_the_roles_of_two_parties() -> None:
    rotate = KeyRotate.make(claimed_at=0, old=ARBITRATOR.public_key, new=CLIENT)
    with pytest.raises(VerificationError, match="speaks for somebody already"):
        after(start(), 1, rotate, ARBITRATOR)


def test_a_key_that_has_ended_announces_nothing() -> None:
    """Else a thief names a recovery key afterwards, or the listing of an earlier size grows."""
    rotate = KeyRotate.make(claimed_at=0, old=FREELANCER.public_key, new=FRESH)
    for ended in (builders.make_revoke(FREELANCER), rotate):
        history = after(start(), 1, ended, FREELANCER)
        with pytest.raises(VerificationError, match="rotated or revoked before"):
            after(history, 2, builders.make_announce(FREELANCER), FREELANCER)


@pytest.mark.parametrize("roles", [{Role.FREELANCER}, set()])
def test_a_rotation_leads_to_a_key_that_speaks_for_the_same(roles: set[Role]) -> None:
    """A caller may know both keys, from terms of before and after, or the later one alone."""
    known = (FRESH, FREELANCER) if roles else (FRESH,)
    parties = {**PARTIES, Role.FREELANCER: tuple(key.public_key for key in known)}
    history = after(KeyHistory.start(parties), 1, builders.make_announce(RECOVERY), RECOVERY)
    recovery = RECOVERY.public_key.thumbprint
    announced = builders.make_announce(FREELANCER, recovery=recovery)
    history = after(history, 2, announced, FREELANCER)
    rotate = KeyRotate.make(claimed_at=0, old=FREELANCER.public_key, new=FRESH)
    history = after(history, 3, rotate, FREELANCER)
    assert not is_valid(history, FREELANCER, 4)
    assert history.roles_of(FRESH.public_key.thumbprint, 0) == {Role.FREELANCER}
    assert history.roles_of(FRESH.public_key.thumbprint, 4) == {Role.FREELANCER}
    history = after(history, 5, builders.make_revoke(FRESH), RECOVERY)
    assert not is_valid(history, FRESH, 6)


def test_whoever_stole_a_key_does_not_escape_by_rotating_another_to_it() -> None:
    recovery = RECOVERY.public_key.thumbprint
    history = after(start(), 1, builders.make_announce(FREELANCER, recovery=recovery), FREELANCER)
    history = after(history, 2, builders.make_announce(RECOVERY), RECOVERY)
    own = builders.make_announce(STRANGER, recovery=FRESH.public_key.thumbprint)
    history = after(history, 3, own, STRANGER)
    rotate = KeyRotate.make(claimed_at=0, old=STRANGER.public_key, new=FREELANCER)
    history = after(history, 4, rotate, STRANGER)
    assert not is_valid(after(history, 5, builders.make_revoke(), RECOVERY), FREELANCER, 6)


def test_a_key_has_no_role_before_the_rotation_that_gives_it() -> None:
    history = after(start(), 1, builders.make_announce(FRESH), FRESH)
    rotate = KeyRotate.make(claimed_at=0, old=FREELANCER.public_key, new=FRESH)
    history = after(history, 5, rotate, FREELANCER)
    assert not history.roles_of(FRESH.public_key.thumbprint, 3)


def test_what_is_followed_is_what_was_checked() -> None:
    rotate = KeyRotate.make(claimed_at=0, old=FREELANCER.public_key, new=FRESH)
    history = start()
    records: list[KeyRecord] = [builders.make_announce(), rotate]
    for index, record in enumerate(records, 1):
        checked = after(history, index, record, FREELANCER)
        assert history.follow(index, FREELANCER.public_key.thumbprint, record) == checked
        history = checked


def test_key_statements_come_in_the_order_of_the_log() -> None:
    history = after(start(), 5, builders.make_announce(STRANGER), STRANGER)
    for index in (4, 5):
        with pytest.raises(VerificationError, match="order of the log"):
            after(history, index, builders.make_revoke(FREELANCER), FREELANCER)


RECORDS = {record.KIND: record for record, _ in builders.one_of_each()}


@pytest.mark.parametrize("kind", sorted(MAKERS.keys() - {Kind.BUNDLE_MANIFEST, Kind.DISPUTE_ACT}))
@pytest.mark.parametrize("key", [CLIENT, FREELANCER, ARBITRATOR, OPERATOR])
def test_each_kind_has_its_makers(kind: Kind, key: SeedSigner) -> None:
    role = next(role for role, keys in PARTIES.items() if key.public_key in keys)
    statement = sign(RECORDS[kind], key)
    if role in MAKERS[kind]:
        start().check_signature(statement, 0)
    else:
        with pytest.raises(VerificationError, match="may not make"):
            start().check_signature(statement, 0)


def test_every_kind_has_a_rule() -> None:
    assert {*Kind} == {*MAKERS} | KEY_KINDS
    several = {Kind.BUNDLE_MANIFEST, Kind.DISPUTE_FILING, Kind.DISPUTE_ACT, Kind.DISPUTE_FINDING}
    assert {kind for kind, makers in MAKERS.items() if len(makers) > 1} == several


def test_a_wrong_signature_is_refused_before_the_role_counts() -> None:
    statement = sign(builders.make_open(), FREELANCER)
    broken = replace(statement, signature=bytes(64))
    with pytest.raises(VerificationError, match="does not match"):
        start().check_signature(broken, 0)


@pytest.mark.parametrize(
    ("record", "named"),
    [
        pytest.param(builders.make_announce(STRANGER), STRANGER, id="announce"),
        pytest.param(
            KeyRotate.make(claimed_at=0, old=FREELANCER.public_key, new=FRESH),
            FREELANCER,
            id="rotate",
        ),
        pytest.param(
            KeyRevoke(
                claimed_at=0, key=FREELANCER.public_key.thumbprint, reason=RevocationReason.LOST
            ),
            FREELANCER,
            id="revoke",
        ),
    ],
)
def test_nobody_makes_a_key_statement_in_the_name_of_another(
    record: KeyRecord, named: SeedSigner
) -> None:
    # The header may name any key: only the signature says who made it.
    statement = sign(record, named)
    start().advance(1, statement, record)
    forged = replace(statement, signature=sign(record, CLIENT).signature)
    with pytest.raises(VerificationError, match="signature"):
        start().advance(1, forged, record)


def test_key_statements_are_not_for_check_signature() -> None:
    with pytest.raises(ValueError, match="checked by advance"):
        start().check_signature(sign(builders.make_announce(), FREELANCER), 0)


def test_a_history_is_bounded() -> None:
    history = start()
    for number in range(MAX_KEYS - 4):
        key = signer(f"key {number}")
        history = after(history, number, builders.make_announce(key, recovery=None), key)
    with pytest.raises(VerificationError, match="more than 1024 keys"):
        after(history, MAX_KEYS, builders.make_announce(STRANGER), STRANGER)


def test_a_full_history_still_takes_what_adds_no_key() -> None:
    history = start()
    for number in range(MAX_KEYS - 4):
        key = signer(f"key {number}")
        history = after(history, number, builders.make_announce(key, recovery=None), key)
    revoke = KeyRevoke(
        claimed_at=1, key=FREELANCER.public_key.thumbprint, reason=RevocationReason.LOST
    )
    assert not after(history, MAX_KEYS, revoke, FREELANCER).roles_of(
        FREELANCER.public_key.thumbprint, MAX_KEYS + 1
    )
