"""Whose key is an arbitrator's."""

from workseal_agent.disclose.arbitrators import key_of
from workseal_agent.keyfollowing import followed
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import KeyAnnounce, KeyRotate, sign

NAMED, NEXT, STRANGER = (SeedSigner(bytes([one]) * 32) for one in range(1, 4))


def test_a_key_is_an_arbitrators_if_the_terms_name_it_or_lead_to_it() -> None:
    keys = KeyHistory.start({Role.ARBITRATOR: (NAMED.public_key,)})
    rotated = KeyRotate.make(claimed_at=1, old=NAMED.public_key, new=NEXT)
    announced = KeyAnnounce(claimed_at=1, public_key=STRANGER.public_key, role=Role.ARBITRATOR)
    for index, statement in enumerate((sign(rotated, NAMED), sign(announced, STRANGER))):
        keys = followed(keys, index, statement)
    # What was asked by the one before stays readable; who announces a key is nobody's arbitrator.
    assert key_of(keys, NAMED.public_key.thumbprint) == NAMED.public_key
    assert key_of(keys, NEXT.public_key.thumbprint) == NEXT.public_key
    assert STRANGER.public_key.thumbprint in keys.lives
    assert key_of(keys, STRANGER.public_key.thumbprint) is None
