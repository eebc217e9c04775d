"""Keys that change: who reads from when, and what the other parties are shown of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.asking import SignedBy
from support.hearings import Hearing
from support.office import LiveServer, Office, new_home, stranger_offer, unique
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, seeded
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import decode
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import (
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    Offer,
    RevocationReason,
    sign,
)
from workseal_verifier.services import keyevents, loggedkeys, standing
from workseal_verifier.services.access import About, Standing, Who
from workseal_verifier.services.publishedengagement import WAIT_MS
from workseal_verifier.services.standing import Standings
from workseal_verifier.store.engine import Database
from workseal_verifier.store.invitations import InvitedRow

NEW = SeedSigner(b"\x21" * 32)
RECOVERY = SeedSigner(b"\x22" * 32)


@pytest.fixture
def standings(office: Office) -> Standings:
    return office.verifier.services.standings


@pytest.fixture
def client(office: Office) -> Iterator[httpx.Client]:
    with LiveServer(office) as live, httpx.Client(base_url=live.url, trust_env=False) as made:
        yield made


def rotate(office: Office, old: SeedSigner, new: SeedSigner) -> None:
    record = KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new)
    office.post([sign(record, old)])


def announce(office: Office, signer: SeedSigner, recovery: SeedSigner | None = None) -> None:
    record = KeyAnnounce(
        claimed_at=office.now,
        public_key=signer.public_key,
        role=Role.FREELANCER,
        recovery=None if recovery is None else recovery.public_key.thumbprint,
    )
    office.post([sign(record, signer)])


def revoke(office: Office, key: SeedSigner, by: SeedSigner) -> None:
    record = KeyRevoke(
        claimed_at=office.now,
        key=key.public_key.thumbprint,
        reason=RevocationReason.COMPROMISED,
    )
    office.post([sign(record, by)])


def status(
    office: Office, client: httpx.Client, agent: ScriptedAgent, signer: SeedSigner
) -> tuple[int, str]:
    path = f"/v1/engagements/{agent.engagement.hex()}/keys"
    answer = client.get(path, auth=SignedBy(signer, lambda: office.now))
    if answer.status_code == 200:
        return 200, ""
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def shown(office: Office, client: httpx.Client, agent: ScriptedAgent) -> list[dict[int, object]]:
    """Return what the client is shown of the parties' keys."""
    path = f"/v1/engagements/{agent.engagement.hex()}/keys"
    auth = SignedBy(office.people.client, lambda: office.now)
    value = decode(client.get(path, auth=auth).content)
    assert isinstance(value, list)
    return [dict(one) for one in value if isinstance(one, dict)]


# --- reading with changed keys ---


def test_a_rotated_key_reads_nothing_and_the_new_one_after_the_waiting_time(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    old = office.people.freelancer
    assert status(office, client, agent, old) == (200, "")
    rotate(office, old, NEW)
    begun = office.now
    assert status(office, client, agent, old) == (404, "not-found")
    assert status(office, client, agent, NEW) == (403, "waiting")
    office.now = begun + WAIT_MS - 1_000
    assert status(office, client, agent, NEW) == (403, "waiting")
    office.now = begun + WAIT_MS
    assert status(office, client, agent, NEW) == (200, "")


@pytest.mark.usefixtures("agent")
def test_what_a_waiting_key_signs_counts_at_once(office: Office) -> None:
    """The protocol has no clock: only what is read waits."""
    rotate(office, office.people.freelancer, NEW)
    announce(office, NEW)
    assert office.check() == []


def test_a_revoked_key_reads_nothing_at_once(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    own = office.people.freelancer
    announce(office, own, RECOVERY)
    announce(office, RECOVERY)
    assert status(office, client, agent, own) == (200, "")
    revoke(office, own, by=RECOVERY)
    assert status(office, client, agent, own) == (404, "not-found")
    assert status(office, client, agent, RECOVERY) == (401, "unproven")


def test_a_thief_who_rotates_is_revoked_before_the_new_key_reads(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    own = office.people.freelancer
    announce(office, own, RECOVERY)
    announce(office, RECOVERY)
    rotate(office, own, NEW)
    revoke(office, NEW, by=RECOVERY)
    office.now += 2 * WAIT_MS
    assert status(office, client, agent, NEW) == (404, "not-found")


@pytest.mark.usefixtures("agent")
def test_an_ended_key_gets_no_link(office: Office, client: httpx.Client) -> None:
    def link(signer: SeedSigner) -> int:
        auth = SignedBy(signer, lambda: office.now)
        return client.post("/v1/signin/links", auth=auth).status_code

    assert link(office.people.freelancer) == 201
    rotate(office, office.people.freelancer, NEW)
    assert link(office.people.freelancer) == 401
    assert link(NEW) == 403
    office.now += WAIT_MS
    assert link(NEW) == 201


# --- how much is looked at ---


@pytest.fixture
def loaded(office: Office, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Note every engagement whose statements are read."""
    records, read = office.verifier.records, []
    ask = records.of_engagement_and_kinds

    def noted(engagement: bytes, *given: Any, **more: Any) -> Any:
        read.append(engagement)
        return ask(engagement, *given, **more)

    monkeypatch.setattr(records, "of_engagement_and_kinds", noted)
    return read


def offers(office: Office, count: int) -> None:
    """Let the client of them all make some offers."""
    terms, client = office.terms(), office.people.client
    for number in range(count):
        record = Offer(
            engagement=unique(office, f"one of {number}"), claimed_at=office.now, terms=terms
        )
        office.post([sign(record, client)])


def test_a_key_that_ended_has_nothing_looked_at(
    office: Office, standings: Standings, loaded: list[bytes]
) -> None:
    offers(office, 5)
    old = office.people.client
    thumbprint = old.public_key.thumbprint
    own = next(iter(office.verifier.records.all())).digest
    assert standings.anywhere(thumbprint).who is Who.CLIENT
    assert len(loaded) == 1
    rotate(office, old, NEW)
    loaded.clear()
    assert standings.anywhere(thumbprint) == Standing()
    assert standings.of(thumbprint, About.STATEMENT, own.raw) == []
    assert loaded == []
    # The one that came after it is a party, and waits.
    assert standings.anywhere(NEW.public_key.thumbprint).from_ms > office.now
    # Who revokes their own leaves nobody.
    revoke(office, NEW, by=NEW)
    loaded.clear()
    assert standings.anywhere(NEW.public_key.thumbprint) == Standing()
    assert loaded == []


def test_an_invited_key_that_ended_is_nobodys(
    office: Office, standings: Standings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = office.people.client
    row = InvitedRow(old.public_key, Role.CLIENT, office.now)
    monkeypatch.setattr(office.verifier.invited, "invited", lambda _: [row])
    thumbprint = old.public_key.thumbprint
    assert standings.anywhere(thumbprint).who is Who.CLIENT
    offers(office, 1)
    rotate(office, old, NEW)
    assert standings.anywhere(thumbprint) == Standing()


def test_an_invited_key_that_ended_before_any_terms_named_it_is_nobodys(
    office: Office, standings: Standings, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = InvitedRow(NEW.public_key, Role.FREELANCER, office.now)
    monkeypatch.setattr(office.verifier.invited, "invited", lambda _: [row])
    announce(office, NEW, RECOVERY)
    announce(office, RECOVERY)
    thumbprint = NEW.public_key.thumbprint
    assert standings.anywhere(thumbprint).who is Who.FREELANCER
    revoke(office, NEW, by=RECOVERY)
    assert standings.anywhere(thumbprint) == Standing()


def test_a_key_of_many_engagements_has_some_of_them_looked_at(
    office: Office,
    standings: Standings,
    loaded: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(standing, "MOST_CASES", 3)
    offers(office, 5)
    client = office.people.client.public_key.thumbprint
    own = next(iter(office.verifier.records.all())).digest
    assert len(standings.of(client, About.STATEMENT, own.raw)) == len(loaded) == 3
    revoke(office, office.people.client, by=office.people.client)
    loaded.clear()
    assert standings.anywhere(client) == Standing()
    assert loaded == []
    told = office.verifier.records.of_kinds(["key.revoke"], below=99)
    freelancer = office.people.freelancer.public_key.thumbprint
    loaded.clear()
    assert len(standings.of(freelancer, About.STATEMENT, next(told).digest.raw)) == 3
    assert len(loaded) <= 3


def test_for_a_stranger_an_engagement_is_as_if_it_were_not(
    office: Office, agent: ScriptedAgent, standings: Standings, loaded: list[bytes]
) -> None:
    """By how long a refusal takes, nobody learns which statements are of one engagement."""
    office.post([stranger_offer(office, 1)])
    other = SeedSigner(seeded(office.seed, "other client", 1)).public_key.thumbprint
    loaded.clear()
    for about, name in (
        (About.ENGAGEMENT, agent.engagement),
        (About.STATEMENT, agent.made[0][0].digest.raw),
    ):
        assert standings.of(other, about, name) == [Standing()]
    assert loaded == []


@pytest.mark.parametrize("about", [About.CASE, About.SAID, About.REQUEST])
def test_for_a_stranger_no_statement_is_a_filing_or_a_request(
    office: Office, standings: Standings, about: About, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The public entries name every statement: the store is asked as often for each of them."""
    agent = ScriptedAgent(office, terms=office.terms(capture_rate=65_536))
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    request = agent.request(agent.frames[:1])
    filing = Hearing(office, agent.engagement, agent.terms).file().told[0]
    stranger = NEW.public_key.thumbprint
    standings.of(stranger, about, bytes(32))
    asked: list[Database] = []
    plain = Database.read

    def counted(database: Database) -> object:
        asked.append(database)
        return plain(database)

    monkeypatch.setattr(Database, "read", counted)
    counts = set()
    for name in (request.digest, filing.digest, agent.made[0][0].digest, Digest(bytes(32))):
        asked.clear()
        assert standings.of(stranger, about, name.raw) == [Standing()]
        counts.add(len(asked))
    assert counts == {2}


def test_whether_a_key_is_known_is_asked_of_every_place(
    office: Office, standings: Standings, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.post([stranger_offer(office, 1)])
    verifier, asked = office.verifier, []
    for place, name in (
        (verifier.records.parties, "key"),
        (verifier.records, "rotation_to"),
        (verifier.invited, "invited"),
    ):
        ask = getattr(place, name)

        def noted(*given: Any, ask: Callable[..., Any] = ask, name: str = name) -> Any:
            asked.append(name)
            return ask(*given)

        monkeypatch.setattr(place, name, noted)
    known = SeedSigner(seeded(office.seed, "other client", 1))
    for signer, found in ((known, known.public_key), (NEW, None)):
        asked.clear()
        assert standings.key(signer.public_key.thumbprint) == found
        assert asked == ["key", "rotation_to", "invited"]


# --- what the other parties are shown ---


def test_the_parties_keys_are_those_of_the_terms_at_first(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    assert shown(office, client, agent) == [
        {1: role, 2: signer.public_key.raw}
        for role, signers in sorted(office.people.keys().items())
        for signer in signers
    ]


def test_the_other_party_sees_a_new_key_and_from_when_it_reads(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    own = office.people.freelancer
    announce(office, own, RECOVERY)
    index = office.checkpoint().checkpoint.size - 1
    at = office.now // 1000 * 1000
    rotate(office, own, NEW)
    named = RECOVERY.public_key.thumbprint.raw
    keys = [one for one in shown(office, client, agent) if one[1] == Role.FREELANCER]
    assert keys == [
        {1: 1, 2: own.public_key.raw, 4: [index + 1, at], 5: [named, index, at]},
        {
            1: 1,
            2: NEW.public_key.raw,
            3: [index + 1, at],
            5: [named, index, at],
            6: at + WAIT_MS,
        },
    ]


def test_a_revocation_is_shown(office: Office, agent: ScriptedAgent, client: httpx.Client) -> None:
    revoke(office, office.people.freelancer, by=office.people.freelancer)
    index = office.checkpoint().checkpoint.size - 1
    (key,) = [one for one in shown(office, client, agent) if one[1] == Role.FREELANCER]
    assert key[4] == [index, office.now // 1000 * 1000]


def test_a_recovery_key_that_is_rotated_elsewhere_breaks_nothing(
    office: Office, standings: Standings
) -> None:
    """A party's recovery key may be a party's key of another engagement, and change there."""
    agent = ScriptedAgent(office)
    announce(office, office.people.freelancer, RECOVERY)
    ScriptedAgent(
        office,
        terms=office.terms(arbitrators=(RECOVERY.public_key,)),
        engagement=unique(office, "there"),
    )
    announce(office, RECOVERY)
    rotate(office, RECOVERY, NEW)
    keys = standings.keys_of(agent.engagement)
    assert [one.key for one in keys if one.role is Role.FREELANCER] == [
        office.people.freelancer.public_key
    ]


def test_a_changed_key_is_seen_by_a_reader_who_asked_before(
    office: Office, agent: ScriptedAgent, standings: Standings
) -> None:
    """What is known of an engagement is kept: a change must reach it."""
    own = office.people.freelancer.public_key.thumbprint
    assert standings.of(own, About.ENGAGEMENT, agent.engagement)[0].who is Who.FREELANCER
    revoke(office, office.people.freelancer, by=office.people.freelancer)
    assert standings.of(own, About.ENGAGEMENT, agent.engagement) == [Standing()]


# --- receipts of statements without an engagement ---


@pytest.mark.usefixtures("agent")
def test_a_key_statement_is_for_who_shares_an_engagement_with_its_person(
    office: Office, standings: Standings
) -> None:
    other_client, other = SeedSigner(b"\x31" * 32), SeedSigner(b"\x32" * 32)
    people = office.people
    office.people = type(people)(other_client, other, people.arbitrator, people.operator)
    ScriptedAgent(office, engagement=unique(office, "theirs"))
    office.people = people
    announce(office, people.freelancer, RECOVERY)
    announce(office, RECOVERY)
    told = list(office.verifier.records.of_kinds(["key.announce"], below=10**9))
    for entry in told:
        for signer, allowed in ((people.client, True), (other_client, False), (other, False)):
            found = standings.of(signer.public_key.thumbprint, About.STATEMENT, entry.digest.raw)
            assert any(one.who is not Who.PUBLIC for one in found) is allowed


@pytest.mark.usefixtures("agent")
def test_strangers_hide_no_recovery_key_from_whom_it_concerns(
    office: Office, standings: Standings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who named it last, after as many strangers as are looked at, is a party all the same."""
    for module in (keyevents, loggedkeys):
        monkeypatch.setattr(module, "MAX_VOUCHERS", 2)
    for number in range(3):
        announce(office, SeedSigner(seeded(office.seed, f"crowd {number}")), RECOVERY)
    announce(office, office.people.freelancer, RECOVERY)
    announce(office, RECOVERY)
    entry = office.verifier.records.at([office.checkpoint().checkpoint.size - 1])
    (name,) = [one.digest.raw for one in entry]
    for asker in (office.people.client, office.people.freelancer):
        found = standings.of(asker.public_key.thumbprint, About.STATEMENT, name)
        assert [one.who for one in found] == [Who.of(role_of(office, asker))]
    crowd = SeedSigner(seeded(office.seed, "crowd 0")).public_key.thumbprint
    assert not [one for one in standings.of(crowd, About.STATEMENT, name) if one != Standing()]


def role_of(office: Office, key: SeedSigner) -> Role:
    return Role.CLIENT if key is office.people.client else Role.FREELANCER


@pytest.mark.usefixtures("agent")
def test_an_operators_statement_is_for_every_party(office: Office, standings: Standings) -> None:
    first = next(office.verifier.records.of_kinds(["log.policy"], below=1))
    for signer, count in ((office.people.client, 1), (NEW, 0)):
        found = standings.of(signer.public_key.thumbprint, About.STATEMENT, first.digest.raw)
        assert len(found) == count


def test_the_operators_key_is_the_one_that_the_log_says(
    office: Office, agent: ScriptedAgent, standings: Standings
) -> None:
    """Another host may have rotated it while this one ran; the new one waits for nobody."""
    assert agent.engagement
    old = office.people.operator
    assert standings.anywhere(old.public_key.thumbprint) == Standing(Who.OPERATOR)
    rotate(office, old, NEW)
    assert standings.anywhere(old.public_key.thumbprint) == Standing()
    assert standings.anywhere(NEW.public_key.thumbprint) == Standing(Who.OPERATOR)
    assert standings.key(NEW.public_key.thumbprint) == NEW.public_key
    revoke(office, NEW, NEW)
    assert standings.anywhere(NEW.public_key.thumbprint) == Standing()


def test_nothing_is_known_of_what_is_not_signed_for(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path)).open()
    agent = ScriptedAgent(office)
    size = 1
    standings = office.verifier.services.standings
    standings._size = lambda: size
    own = office.people.client.public_key.thumbprint
    assert standings.of(own, About.ENGAGEMENT, agent.engagement) == [Standing()]
    assert standings.of(own, About.STATEMENT, agent.made[0][0].digest.raw) == []
    size = office.checkpoint().checkpoint.size
    assert standings.of(own, About.ENGAGEMENT, agent.engagement)[0].who is Who.CLIENT
    rotate(office, office.people.client, NEW)
    assert standings.key(NEW.public_key.thumbprint) is None
    assert standings.of(own, About.ENGAGEMENT, agent.engagement)[0].who is Who.CLIENT
    size = office.checkpoint().checkpoint.size
    assert standings.key(NEW.public_key.thumbprint) == NEW.public_key
    assert standings.of(own, About.ENGAGEMENT, agent.engagement) == [Standing()]
    office.close()


def test_a_key_that_came_before_the_terms_has_the_recovery_key_of_those_before(
    office: Office,
) -> None:
    old, new, recovery = (SeedSigner(seeded(office.seed, f"before {n}")) for n in range(3))
    announce(office, old, recovery)
    rotate(office, old, new)
    terms = office.terms(freelancer=new.public_key)
    name = unique(office, "before")
    offer = Offer(engagement=name, claimed_at=office.now, terms=terms)
    office.post([sign(offer, office.people.client)])
    office.checkpoint()
    keys = office.verifier.services.standings.keys_of(name)
    own = next(one for one in keys if one.key == new.public_key)
    assert own.begun is None
    assert own.recovery is not None
    assert own.recovery[0] == recovery.public_key.thumbprint
