"""What entries of the log say of an engagement, and whose keys are whose since when."""

from dataclasses import replace

from support.office import Office
from support.scripted import ScriptedAgent
from support.simulator import seeded
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.partykeys import Moment
from workseal_protocol.records import KeyRevoke, KeyRotate, RevocationReason, sign
from workseal_verifier.services.access import State, Who
from workseal_verifier.services.keyfold import KeyEvent
from workseal_verifier.services.publishedengagement import (
    TELLING,
    WAIT_MS,
    PublishedEngagement,
    party_keys,
    told,
)
from workseal_verifier.store.logrows import Entry

NEW = SeedSigner(seeded(b"\x51" * 32, "new"))


def entries(office: Office, agent: ScriptedAgent) -> list[Entry]:
    records, size = office.verifier.records, office.checkpoint().checkpoint.size
    return list(records.of_engagement_and_kinds(agent.engagement, TELLING, since=0, below=size))


def test_it_is_offered_accepted_and_then_disputed_for_who_asked(office: Office) -> None:
    offer, acceptance, *rest = entries(office, ScriptedAgent(office))
    assert rest == []
    nobody: frozenset[Digest] = frozenset()
    assert told(None, [], 5) is None
    offered = told(None, [offer], 5)
    assert isinstance(offered, PublishedEngagement)
    assert (offered.state(Who.CLIENT, nobody), offered.seen) == (State.OFFERED, 5)
    accepted = told(offered, [acceptance], 9)
    assert accepted is not None
    assert (accepted.state(Who.CLIENT, nobody), accepted.seen) == (State.ACCEPTED, 9)
    asker, other = (frozenset({Digest(bytes([n]) * 32)}) for n in (1, 2))
    asked = replace(accepted, requesters=asker)
    assert asked.state(Who.CLIENT, nobody) is State.DISPUTED
    assert asked.state(Who.ARBITRATOR, asker) is State.DISPUTED
    assert asked.state(Who.ARBITRATOR, other) is State.ACCEPTED


def test_a_key_that_followed_another_reads_after_the_waiting_time(office: Office) -> None:
    first = office.people.freelancer
    rotated = KeyRotate.make(claimed_at=office.now, old=first.public_key, new=NEW)
    revoked = KeyRevoke(
        claimed_at=office.now, key=NEW.public_key.thumbprint, reason=RevocationReason.RETIRED
    )
    events = [
        KeyEvent(position=7, statement=sign(rotated, first), record=rotated),
        KeyEvent(position=9, statement=sign(revoked, NEW), record=revoked),
    ]
    keys = party_keys(office.terms(), events, lambda index: Moment(index, 1_000 * index))
    old, new = (one for one in keys if one.role is Role.FREELANCER)
    assert (old.key, old.begun, old.ended) == (first.public_key, None, Moment(7, 7_000))
    assert (new.key, new.begun, new.ended) == (NEW.public_key, Moment(7, 7_000), Moment(9, 9_000))
    assert new.reads_from_ms == 7_000 + WAIT_MS
    assert [one for one in keys if one.ended and one.role is not Role.FREELANCER] == []
