"""Admission of what is said about keys, against a real log."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from support.office import Office, stranger_offer, unique
from support.refusing import STRANGER, announcement, offer_of, refused, size_of
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, seeded
from workseal_protocol import keyhistory
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import (
    Acceptance,
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    Offer,
    RevocationReason,
    read_record,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services import draft, keyevents, keyrules, loggedkeys


def few_vouchers(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (keyevents, loggedkeys):
        monkeypatch.setattr(module, "MAX_VOUCHERS", 2)


def _rotate_strangers_key(office: Office, *, times: int) -> None:
    """Log an offer by strangers, and rotate its freelancer's key."""
    client = SeedSigner(seeded(office.seed, "strange client"))
    key = SeedSigner(seeded(office.seed, "strange freelancer"))
    terms = office.terms(client=client.public_key, freelancer=key.public_key)
    offer = Offer(engagement=unique(office, "strange"), claimed_at=office.now, terms=terms)
    office.post([sign(offer, client)])
    for number in range(times):
        new = SeedSigner(seeded(office.seed, f"strange freelancer {number}"))
        rotate = KeyRotate.make(claimed_at=office.now, old=key.public_key, new=new)
        office.post([sign(rotate, key)])
        key = new


@pytest.mark.parametrize("times", [1, 3])
def test_work_goes_on_after_others_rotated_their_keys(
    office: Office, agent: ScriptedAgent, times: int
) -> None:
    _rotate_strangers_key(office, times=times)
    agent.open_session()
    agent.work(ROUND_MS)
    agent.send()


def test_a_key_is_revoked_after_others_rotated_theirs(office: Office, agent: ScriptedAgent) -> None:
    _rotate_strangers_key(office, times=1)
    agent.open_session()
    agent.send()
    key = office.people.freelancer
    revoke = KeyRevoke(
        claimed_at=office.now, key=key.public_key.thumbprint, reason=RevocationReason.RETIRED
    )
    office.post([sign(revoke, key)])
    agent.work(ROUND_MS)
    assert refused(agent.send).reason is Reason.UNKNOWN_PARTY


def test_a_rotated_key_speaks_and_the_old_one_no_more(office: Office, agent: ScriptedAgent) -> None:
    new = SeedSigner(seeded(office.seed, "new key"))
    old = office.people.freelancer
    rotate = KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new)
    office.post([sign(rotate, old)])
    with pytest.raises(RefusedError) as caught:
        agent.open_session()
    assert caught.value.reason is Reason.UNKNOWN_PARTY
    again = sign(agent.made[-1][1], new)
    office.post([again])
    office.verifier.sequencer._admission.forget()
    assert office.post([again]).indices == (office.acknowledged[again.digest],)
    assert office.check() == []


def test_checks_the_signature_of_a_key_that_the_same_submission_brings(
    office: Office, agent: ScriptedAgent
) -> None:
    new = SeedSigner(seeded(office.seed, "new key"))
    old = office.people.freelancer
    rotate = sign(KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new), old)
    agent.online = False
    agent.open_session()
    statement = sign(agent.made[-1][1], new)
    false = replace(statement, signature=bytes(64))
    found = refused(lambda: office.post([rotate, false]))
    assert (found.reason, found.item) == (Reason.REFUSED, 1)
    office.post([rotate, statement])
    # From now on intake knows the key: the signature is checked before the queue.
    assert office.verifier.services.intake.read(statement.encode())[0].signed
    assert office.check() == []


def closed(office: Office) -> None:
    """Let this server take offers from its own clients alone."""
    office.verifier.settings = replace(office.verifier.settings, invited_only=True)


def invite(office: Office, key: SeedSigner) -> None:
    invitations = office.verifier.invitations
    token = invitations.make(Role.FREELANCER, uses=1, days=1)
    invitations.accept(token, key.public_key)


def test_a_closed_server_refuses_the_keys_of_strangers(
    office: Office, agent: ScriptedAgent
) -> None:
    del agent
    closed(office)
    for statement in (announcement(office, STRANGER), _revocation(office, STRANGER, STRANGER)):
        found = refused(lambda statement=statement: office.post([statement]))  # type: ignore[misc]
        assert found.reason is Reason.UNKNOWN_PARTY
    invite(office, STRANGER)
    office.post([announcement(office, STRANGER)])


@pytest.mark.parametrize("way", [closed, lambda _: None])
def test_a_key_has_its_life_before_any_terms_name_it(
    office: Office, way: Callable[[Office], None]
) -> None:
    """Else a client would learn from what came before their offer that there is another client."""
    way(office)
    keys = [SeedSigner(seeded(office.seed, f"own {n}")) for n in range(3)]
    recovery = SeedSigner(seeded(office.seed, "own recovery"))
    invite(office, keys[0])
    invite(office, recovery)
    office.post([announcement(office, keys[0], recovery), announcement(office, recovery)])
    for old, new in pairwise(keys):
        record = KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new)
        office.post([sign(record, old)])
    office.now += 1
    again = KeyRotate.make(claimed_at=office.now, old=keys[0].public_key, new=STRANGER)
    assert "rotated or revoked" in str(refused(lambda: office.post([sign(again, keys[0])])))
    for signer in (STRANGER, office.people.client, office.people.arbitrator):
        found = refused(
            lambda signer=signer: office.post([_revocation(office, keys[2], signer)])  # type: ignore[misc]
        )
        assert found.reason is Reason.UNKNOWN_PARTY
    office.post([_revocation(office, keys[2], recovery)])
    office.now += 1
    found = refused(lambda: office.post([_revocation(office, keys[2], keys[2])]))
    assert "rotated or revoked" in str(found)
    assert office.check() == []


@pytest.mark.parametrize("number", range(4))
def test_a_recovery_key_revokes_what_came_after_the_key_that_named_it(
    office: Office, number: int
) -> None:
    """Also when the new key was announced by itself, whatever the order of their thumbprints."""
    old, new, recovery = (SeedSigner(seeded(office.seed, f"{number} {n}")) for n in range(3))
    office.post([announcement(office, old, recovery), announcement(office, new)])
    office.post([announcement(office, recovery)])
    record = KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new)
    office.post([sign(record, old)])
    office.post([_revocation(office, new, recovery)])


def test_a_key_that_was_never_announced_says_nothing_of_itself(office: Office) -> None:
    found = refused(lambda: office.post([_revocation(office, STRANGER, STRANGER)]))
    assert found.reason is Reason.UNKNOWN_PARTY


@pytest.mark.parametrize("kind", ["announce", "rotate", "revoke", "acceptance"])
def test_a_false_signature_does_not_tell_whether_a_key_is_known(
    office: Office, agent: ScriptedAgent, kind: str
) -> None:
    """Who will make an offer knows the freelancer's key, and must not learn of other clients."""
    announced, new = (SeedSigner(seeded(office.seed, f"own {n}")) for n in range(2))
    office.post([announcement(office, announced, office.people.freelancer)])
    record = KeyRotate.make(claimed_at=office.now, old=announced.public_key, new=new)
    office.post([sign(record, announced)])
    known = [office.people.freelancer, office.people.client, announced, new]
    offer = agent.made[0][1]
    assert isinstance(offer, Offer)
    said: list[tuple[str, Reason, int | None]] = []
    for key in (*known, STRANGER):
        forged = _forged(office, kind, key, offer.terms)
        before = size_of(office)
        with pytest.raises(RefusedError) as caught:
            office.post([forged])
        assert size_of(office) == before
        said.append((str(caught.value), caught.value.reason, caught.value.item))
    assert len(set(said)) == 1
    assert said[0][1] is Reason.UNKNOWN_PARTY


def _forged(office: Office, kind: str, key: SeedSigner, terms: Terms) -> Statement:
    """Make a statement in the name of a key that its holder did not sign."""
    later = SeedSigner(seeded(office.seed, "later"))
    match kind:
        case "announce":
            return sign(read_record(announcement(office, key)), later)
        case "rotate":
            rotate = KeyRotate.make(claimed_at=office.now, old=key.public_key, new=later)
            return replace(sign(rotate, key), signature=bytes(64))
        case "revoke":
            return replace(_revocation(office, key, key), signature=bytes(64))
    acceptance = Acceptance(
        engagement=unique(office, "no such"),
        claimed_at=office.now,
        offer=Digest.of(b"none"),
        terms=terms,
    )
    return replace(sign(acceptance, key), signature=bytes(64))


def test_a_list_of_recovery_keys_without_end_is_looked_at_two_steps_deep(office: Office) -> None:
    """Announcing costs nothing, and each engagement's keys are folded from what concerns them."""
    keys = [SeedSigner(seeded(office.seed, f"link {n}")) for n in range(6)]
    for key, following in reversed(list(pairwise(keys))):
        office.post([announcement(office, key, following)])
    terms = office.terms(freelancer=keys[0].public_key)
    offer = Offer(engagement=unique(office, "chained"), claimed_at=office.now, terms=terms)
    office.post([sign(offer, office.people.client)])
    events = office.verifier.sequencer._admission.events
    assert events is not None
    told = [one.statement.issuer for one in events.concerning(terms)]
    assert set(told) == {key.public_key.thumbprint for key in keys[:3]}


@pytest.mark.parametrize("whose", ["client", "freelancer", "arbitrator", "operator"])
def test_nobody_revokes_somebody_elses_key(
    office: Office, agent: ScriptedAgent, whose: str
) -> None:
    """An arbitrator neither: whom they end could not answer, sit or appeal."""
    agent.open_session()
    key = getattr(office.people, whose)
    for by in ("client", "freelancer", "arbitrator"):
        if by != whose:
            revoke = _revocation(office, key, getattr(office.people, by))
            assert refused(lambda revoke=revoke: office.post([revoke])).reason is Reason.REFUSED  # type: ignore[misc]
    assert office.check() == []


def test_a_recovery_key_revokes_what_named_it(office: Office, agent: ScriptedAgent) -> None:
    recovery = SeedSigner(seeded(office.seed, "recovery"))
    freelancer = office.people.freelancer
    announce = KeyAnnounce(
        claimed_at=office.now,
        public_key=freelancer.public_key,
        role=Role.FREELANCER,
        recovery=recovery.public_key.thumbprint,
    )
    office.post([sign(announce, freelancer)])
    second = KeyAnnounce(
        claimed_at=office.now, public_key=recovery.public_key, role=Role.FREELANCER
    )
    office.post([sign(second, recovery)])
    again = replace(announce, claimed_at=office.now + 1)
    assert refused(lambda: office.post([sign(again, freelancer)])).reason is Reason.CONFLICT
    revoke = KeyRevoke(
        claimed_at=office.now,
        key=freelancer.public_key.thumbprint,
        reason=RevocationReason.LOST,
    )
    office.post([sign(revoke, recovery)])
    with pytest.raises(RefusedError) as caught:
        agent.open_session()
    assert caught.value.reason is Reason.UNKNOWN_PARTY
    listing = list(office.verifier.services.reader.listing(agent.engagement))
    kinds = [entry.kind for entry in listing if entry.kind.startswith("key.")]
    assert kinds == ["key.announce", "key.announce", "key.revoke"]
    # Of keys that others have, an engagement's listing tells nothing.
    office.post([stranger_offer(office, "else")])
    others = list(office.verifier.services.reader.listing(unique(office, "else")))
    assert [entry.kind for entry in others if entry.kind.startswith("key.")] == []


def test_a_recovery_key_may_name_one_itself(office: Office, agent: ScriptedAgent) -> None:
    """Else who names a key takes that from its holder, and learns whether other terms name it."""
    del agent
    recovery, next_one = (SeedSigner(seeded(office.seed, f"recovery {n}")) for n in range(2))
    office.post([announcement(office, office.people.freelancer, recovery)])
    office.post([announcement(office, recovery, next_one), announcement(office, next_one)])
    office.post([_revocation(office, recovery, next_one)])
    found = refused(lambda: office.post([_revocation(office, office.people.freelancer, recovery)]))
    assert "rotated or revoked before" in str(found)
    assert office.check() == []


def test_naming_a_partys_key_as_recovery_takes_nothing_from_them(
    office: Office, agent: ScriptedAgent
) -> None:
    """Anybody may name anybody's key: who is named still has a recovery key of their own."""
    del agent
    recovery = SeedSigner(seeded(office.seed, "recovery"))
    office.post([stranger_offer(office, 1)])
    stranger = SeedSigner(seeded(office.seed, "other client", 1))
    office.post([announcement(office, stranger, office.people.freelancer)])
    office.post([announcement(office, office.people.freelancer, recovery)])
    office.post([announcement(office, recovery)])
    assert office.check() == []


def test_the_first_who_names_a_recovery_key_is_not_crowded_out(
    office: Office, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    del agent
    few_vouchers(monkeypatch)
    recovery = SeedSigner(seeded(office.seed, "recovery"))
    office.post([announcement(office, office.people.freelancer, recovery)])
    for number in range(3):
        office.post([stranger_offer(office, number)])
        stranger = SeedSigner(seeded(office.seed, "other client", number))
        office.post([announcement(office, stranger, recovery)])
    events = office.verifier.sequencer._admission.events
    assert events is not None
    named_by = events.vouching(recovery.public_key.thumbprint)
    assert len(named_by) == 2
    assert office.people.freelancer.public_key.thumbprint in named_by
    office.post([announcement(office, recovery)])


def test_a_recovery_key_is_announced_by_its_holder_alone(
    office: Office, agent: ScriptedAgent
) -> None:
    del agent
    recovery = SeedSigner(seeded(office.seed, "recovery"))
    office.post([announcement(office, office.people.freelancer, recovery)])
    true = announcement(office, recovery)
    for false in (
        replace(true, signature=bytes(64)),
        sign(read_record(true), office.people.freelancer),
    ):
        assert refused(lambda false=false: office.post([false])).reason is Reason.REFUSED  # type: ignore[misc]


def test_a_history_that_is_full_takes_no_recovery_key(
    office: Office, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    del agent
    recovery = SeedSigner(seeded(office.seed, "recovery"))
    office.post([announcement(office, office.people.freelancer, recovery)])
    # Nobody may come by themselves here: it counts because terms name the key that named it.
    closed(office)
    monkeypatch.setattr(keyhistory, "MAX_KEYS", 4)
    found = refused(lambda: office.post([announcement(office, recovery)]))
    assert "more than 4 keys" in str(found)


def test_a_person_has_only_so_many_keys(
    office: Office, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    del agent
    monkeypatch.setattr(keyrules, "MAX_SUCCESSION", 3)
    _rotate_strangers_key(office, times=2)
    with pytest.raises(RefusedError, match="at most 2 times"):
        _rotate_strangers_key_again(office)


def _rotate_strangers_key_again(office: Office) -> None:
    old, new = (SeedSigner(seeded(office.seed, f"strange freelancer {n}")) for n in (1, 2))
    office.post([_rotation(office, old, new)])


def _rotation(office: Office, old: SeedSigner, new: SeedSigner) -> Statement:
    return sign(KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new), old)


def _offered(office: Office, word: str, client: SeedSigner) -> Statement:
    terms = office.terms(client=client.public_key)
    return sign(Offer(engagement=unique(office, word), claimed_at=office.now, terms=terms), client)


def _own_keys(office: Office, word: str, count: int) -> list[SeedSigner]:
    """Log a key that no terms name, and those that follow it."""
    keys = [SeedSigner(seeded(office.seed, f"{word} {n}")) for n in range(count)]
    rotations = [_rotation(office, old, new) for old, new in pairwise(keys)]
    office.post([announcement(office, keys[0]), *rotations])
    return keys


def test_who_is_in_no_terms_has_only_so_many_keys(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyrules, "MAX_SUCCESSION", 3)
    keys = _own_keys(office, "own", 3)
    with pytest.raises(RefusedError, match="at most 2 times"):
        office.post([_rotation(office, keys[-1], STRANGER)])


def test_two_persons_who_become_one_have_only_so_many_keys(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyrules, "MAX_SUCCESSION", 3)
    some, others = _own_keys(office, "some", 2), _own_keys(office, "others", 2)
    with pytest.raises(RefusedError, match="at most 2 times"):
        office.post([_rotation(office, some[-1], others[0])])


def test_one_persons_keys_are_one_path(office: Office) -> None:
    keys, others = _own_keys(office, "own", 3), _own_keys(office, "others", 1)
    for new, problem in ((keys[2], "came by another rotation"), (keys[1], "that has ended")):
        found = refused(lambda new=new: office.post([_rotation(office, others[0], new)]))  # type: ignore[misc]
        assert problem in str(found)
    assert office.check() == []


@pytest.mark.usefixtures("agent")
def test_a_key_is_rotated_once(office: Office) -> None:
    old, new = office.people.freelancer, SeedSigner(seeded(office.seed, "once"))
    office.post([_rotation(office, old, new)])
    found = refused(lambda: office.post([_rotation(office, old, STRANGER)]))
    assert "rotated or revoked before" in str(found)


@pytest.mark.parametrize("waits", [False, True])
def test_nobody_is_two_in_the_same_terms(office: Office, *, waits: bool) -> None:
    """Whoever was struck, or decided, would be drawn a second time under another key."""
    first, second = (SeedSigner(seeded(office.seed, f"panel {n}")) for n in range(2))
    offer = offer_of(office, "panel", arbitrators=(first.public_key, second.public_key))
    rotation = _rotation(office, first, second)
    if waits:
        verifier = office.verifier
        tick = verifier.sequencer._admission.begin(size_of(office))
        assert tick.admit(verifier.services.intake.read(offer.encode()), {})
        found = refused(lambda: tick.admit(verifier.services.intake.read(rotation.encode()), {}))
    else:
        office.post([offer])
        found = refused(lambda: office.post([rotation]))
    assert "the same terms name beside it" in str(found)


@pytest.mark.usefixtures("agent")
def test_what_was_signed_about_a_key_long_ago_is_refused(office: Office) -> None:
    """It names no log: the other party could bring it from another one when it suits them."""
    freelancer, new = office.people.freelancer, SeedSigner(seeded(office.seed, "replayed"))
    recovery = SeedSigner(seeded(office.seed, "replayed recovery"))
    told = [
        announcement(office, freelancer, recovery),
        _rotation(office, freelancer, new),
        _revocation(office, freelancer, freelancer),
    ]
    office.now += keyrules.BACK_MS + 1
    for statement in told:
        found = refused(lambda statement=statement: office.post([statement]))  # type: ignore[misc]
        assert "signed more than 60 minutes ago" in str(found)
    office.now -= 1
    office.post(told[1:2])


@pytest.mark.parametrize("ended", ["revoked", "rotated"])
@pytest.mark.parametrize("where", ["before the rotation", "in terms of the new key", "here"])
def test_a_recovery_key_that_has_ended_ends_no_key(office: Office, where: str, ended: str) -> None:
    """Whose recovery key was stolen ends it, and is safe from it ever after."""
    key, new, recovery = (SeedSigner(seeded(office.seed, f"stolen {n}")) for n in range(3))
    if where != "in terms of the new key":
        office.post([_offered(office, "old", key)])
    office.post([announcement(office, key, recovery), announcement(office, recovery)])
    if ended == "revoked":
        office.post([_revocation(office, recovery, recovery)])
    else:
        office.post([_rotation(office, recovery, STRANGER)])
    if where != "here":
        office.post([_rotation(office, key, new)])
        office.post([_offered(office, "new", new)])
        key = new
    for thief in (recovery, STRANGER):
        revoke = _revocation(office, key, thief)
        found = refused(lambda revoke=revoke: office.post([revoke]))  # type: ignore[misc]
        assert found.reason in {Reason.REFUSED, Reason.UNKNOWN_PARTY}
    assert office.check() == []


def test_that_a_recovery_key_had_ended_is_told_where_it_becomes_known(office: Office) -> None:
    """Its end stands before the rotation by which the engagement comes to know of it."""
    key, new, recovery = (SeedSigner(seeded(office.seed, f"told {n}")) for n in range(3))
    office.post([announcement(office, key, recovery), announcement(office, recovery)])
    office.post([_revocation(office, recovery, recovery)])
    office.post([_offered(office, "told", new)])
    office.post([_rotation(office, key, new)])
    listing = office.verifier.services.reader.listing(unique(office, "told"))
    kinds = [entry.kind for entry in listing if entry.kind.startswith("key.")]
    assert kinds == ["key.announce", "key.announce", "key.revoke", "key.rotate"]
    assert office.check() == []


def test_two_keys_of_one_path_name_one_recovery_key(office: Office) -> None:
    old, new, first, second = (SeedSigner(seeded(office.seed, f"two {n}")) for n in range(4))
    office.post([announcement(office, old, first), announcement(office, new, second)])
    found = refused(lambda: office.post([_rotation(office, old, new)]))
    assert "different recovery keys" in str(found)


def test_a_key_that_was_revoked_elsewhere_follows_nobody(
    office: Office, agent: ScriptedAgent
) -> None:
    """What is logged of it was reached with the rotation, and took away what was said since."""
    first, new = _own_keys(office, "before", 2)
    office.post([_revocation(office, new, new)])
    freelancer = office.people.freelancer
    found = refused(lambda: office.post([_rotation(office, freelancer, new)]))
    assert "leads to a key that has ended" in str(found)
    office.post([_rotation(office, freelancer, STRANGER)])
    reader = office.verifier.services.reader
    before = [entry.position for entry in reader.listing(agent.engagement)]
    size = size_of(office)
    found = refused(lambda: office.post([announcement(office, freelancer, first)]))
    assert "rotated or revoked before" in str(found)
    assert [one.position for one in reader.listing(agent.engagement, size)] == before


def test_offers_of_others_take_nothing_from_a_recovery_key(
    office: Office, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads both keys could name them in as many terms as are looked at."""
    monkeypatch.setattr(draft, "MAX_NAMED", 2)
    new, recovery = (SeedSigner(seeded(office.seed, f"crowd {n}")) for n in range(2))
    old = office.people.freelancer
    office.post([announcement(office, old, recovery), announcement(office, recovery)])
    office.post([_rotation(office, old, new)])
    for number in range(3):
        stranger = SeedSigner(seeded(office.seed, "crowd", number))
        terms = office.terms(
            client=stranger.public_key,
            freelancer=new.public_key,
            arbitrators=(old.public_key,),
        )
        record = Offer(engagement=bytes(15) + bytes([number]), claimed_at=office.now, terms=terms)
        office.post([sign(record, stranger)])
    office.post([_revocation(office, new, recovery)])
    events, offer = office.verifier.sequencer._admission.events, agent.made[0][1]
    assert events is not None
    assert isinstance(offer, Offer)
    history = events.history(offer.terms)
    assert not history.roles_of(new.public_key.thumbprint, size_of(office))


def test_strangers_who_name_a_recovery_key_take_nothing_from_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_vouchers(monkeypatch)
    first, second, recovery = (SeedSigner(seeded(office.seed, f"vouch {n}")) for n in range(3))
    office.post([announcement(office, first, recovery), announcement(office, recovery)])
    for number in range(2):
        stranger = SeedSigner(seeded(office.seed, f"stranger {number}"))
        office.post([announcement(office, stranger, recovery)])
    office.post([offer_of(office, freelancer=second.public_key)])
    office.post([announcement(office, second, recovery)])
    office.post([_revocation(office, second, recovery)])


@pytest.mark.parametrize("named", [True, False])
def test_terms_that_name_a_later_key_take_nothing_from_its_recovery_key(
    office: Office, *, named: bool
) -> None:
    """Whoever stole the key may well make such an offer."""
    old, new, recovery = (SeedSigner(seeded(office.seed, f"later {n}")) for n in range(3))
    office.post([announcement(office, old, recovery), announcement(office, recovery)])
    office.post([_rotation(office, old, new)])
    if named:
        office.post([offer_of(office, freelancer=new.public_key)])
    office.post([_revocation(office, new, recovery)])
    assert office.check() == []


def test_a_listing_of_an_earlier_size_has_the_key_statements_of_then(
    office: Office, agent: ScriptedAgent
) -> None:
    reader = office.verifier.services.reader
    before = size_of(office)
    office.post([announcement(office, office.people.freelancer)])
    for size, expected in ((None, 1), (before, 0), (before + 1, 1)):
        listed = reader.listing(agent.engagement, size)
        assert sum(entry.kind.startswith("key.") for entry in listed) == expected
    office.post([announcement(office, office.people.client)])
    listed = reader.listing(agent.engagement)
    assert sum(entry.kind.startswith("key.") for entry in listed) == 2


# --- who may revoke, and what is looked at for it ---


def test_a_key_is_known_in_the_tick_of_its_offer(office: Office) -> None:
    """Two submissions that wait together: the second is about whom the first one names."""
    verifier = office.verifier
    client = SeedSigner(seeded(office.seed, "quick client"))
    terms = office.terms(client=client.public_key)
    offer = Offer(engagement=unique(office, "quick"), claimed_at=office.now, terms=terms)
    tick = verifier.sequencer._admission.begin(size_of(office))
    for statement in (sign(offer, client), announcement(office, client)):
        assert tick.admit(verifier.services.intake.read(statement.encode()), {})


def _revocation(office: Office, key: SeedSigner, signer: SeedSigner) -> Statement:
    record = KeyRevoke(
        claimed_at=office.now,
        key=key.public_key.thumbprint,
        reason=RevocationReason.COMPROMISED,
    )
    return sign(record, signer)


@pytest.fixture
def looked_at(office: Office, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Note every engagement that is read from the store, of which memory holds none."""
    records = office.verifier.records
    read: list[bytes] = []
    for name in ("of_engagement", "first_of"):
        ask = getattr(records, name)

        def noted(
            engagement: bytes, *given: Any, ask: Callable[..., Any] = ask, **more: Any
        ) -> Any:
            read.append(engagement)
            return ask(engagement, *given, **more)

        monkeypatch.setattr(records, name, noted)
    return read


def test_a_stranger_who_speaks_of_a_key_has_nothing_looked_at(
    office: Office, looked_at: list[bytes]
) -> None:
    """The key may stand in thousands of engagements, and all others wait meanwhile."""
    office.post([offer_of(office, f"one of many {number}") for number in range(5)])
    client, own = office.people.client, SeedSigner(seeded(office.seed, "other client", 1))
    office.verifier.sequencer._admission.forget()
    looked_at.clear()
    found = refused(lambda: office.post([_revocation(office, client, STRANGER)]))
    assert found.reason is Reason.UNKNOWN_PARTY
    # A party of something else.
    office.post([stranger_offer(office, 1)])
    office.verifier.sequencer._admission.forget()
    looked_at.clear()
    found = refused(lambda: office.post([_revocation(office, client, own)]))
    assert found.reason is Reason.REFUSED
    other = SeedSigner(seeded(office.seed, "another key"))
    rotate = KeyRotate(
        claimed_at=office.now,
        public_key=other.public_key,
        old=client.public_key.thumbprint,
        proof=bytes(64),
    )
    assert refused(lambda: office.post([sign(rotate, own)])).reason is Reason.REFUSED
    assert looked_at == []


def test_a_key_is_looked_for_in_so_many_engagements(
    office: Office, looked_at: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft, "MAX_NAMED", 3)
    client = office.people.client
    office.post([offer_of(office, f"one of many {number}") for number in range(5)])
    office.post([_revocation(office, client, client)])
    office.verifier.sequencer._admission.forget()
    looked_at.clear()
    office.now += 1
    # It has ended in each of them.
    found = refused(lambda: office.post([_revocation(office, client, client)]))
    assert "rotated or revoked before" in str(found)
    assert len(looked_at) == len(set(looked_at)) == 3
    assert office.check() == []


def test_a_party_who_speaks_of_anothers_key_has_nothing_looked_at(
    office: Office, looked_at: list[bytes]
) -> None:
    """The terms name both: the log must not read them for what has force nowhere."""
    verifier, people = office.verifier, office.people
    revoke = _revocation(office, people.client, people.freelancer)
    tick = verifier.sequencer._admission.begin(size_of(office))
    offer = offer_of(office, "waits in the tick")
    assert tick.admit(verifier.services.intake.read(offer.encode()), {})
    for submit in (
        lambda: tick.admit(verifier.services.intake.read(revoke.encode()), {}),
        lambda: office.post([offer, revoke]),
    ):
        looked_at.clear()
        assert "neither the key nor" in str(refused(submit))
    office.post([offer])
    verifier.sequencer._admission.forget()
    looked_at.clear()
    assert "neither the key nor" in str(refused(lambda: office.post([revoke])))
    assert looked_at == []
