"""What client A hears is the same whether or not the freelancer has a client B.

Two servers of the same keys, beacon and clock; on one of them B's engagement is logged too, with
work, a dispute and a sealed package. What remains is what the public log shows everybody: its size.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.asking import SignedBy
from support.browser import Browser
from support.office import LiveServer, Office, new_home, unique
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, START
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import decode, split_sequence
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.partykeys import Moment, PartyKey, parse_keys
from workseal_protocol.records import (
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    Offer,
    RevocationReason,
    sign,
)
from workseal_protocol.statement import Statement

CLIENT_B = SeedSigner(b"\x0b" * 32)
NEW = SeedSigner(b"\x21" * 32)
SEALED = bytes(2_000)


@dataclass
class World:
    """One of the two servers, with what A and B did there."""

    office: Office
    a: ScriptedAgent = field(init=False)
    b: ScriptedAgent | None = None

    @property
    def engagement_b(self) -> bytes:
        return unique(self.office, "B")

    def begin_a(self) -> None:
        """Let A offer, and the freelancer accept."""
        self.a = ScriptedAgent(self.office, terms=self.office.terms(capture_rate=65_536))

    def begin_b(self) -> None:
        """Let B offer, and the freelancer accept and work for B."""
        people = self.office.people
        self.office.people = replace(people, client=CLIENT_B)
        terms = self.office.terms(capture_rate=65_536)
        self.b = ScriptedAgent(self.office, terms=terms, engagement=self.engagement_b)
        self.work(self.b)
        self.office.people = people

    def work(self, agent: ScriptedAgent) -> None:
        agent.refresh()
        agent.open_session()
        agent.work(2 * ROUND_MS)
        agent.send()
        agent.close_session()

    def dispute(self, agent: ScriptedAgent) -> Digest:
        request = agent.request(agent.frames[:1])
        mailbox = self.office.verifier.services.mailbox
        mailbox.put(request.digest, agent.engagement, SEALED)
        return request.digest

    def change_keys(self) -> None:
        """Let the freelancer of both name a recovery key and rotate."""
        own = self.office.people.freelancer
        announced = KeyAnnounce(
            claimed_at=self.office.now,
            public_key=own.public_key,
            role=Role.FREELANCER,
            recovery=Digest.of(b"recovery"),
        )
        self.office.post([sign(announced, own)])
        record = KeyRotate.make(claimed_at=self.office.now, old=own.public_key, new=NEW)
        self.office.post([sign(record, own)])


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[tuple[Office, Office]]:
    """Give two servers that are equal to the last byte."""
    first = Office(new_home(tmp_path / "one")).open()
    first.close()
    shutil.copytree(tmp_path / "one" / "home", tmp_path / "two" / "home")
    homes = [
        replace(first.verifier.settings, home=tmp_path / name / "home") for name in ("one", "two")
    ]
    one, two = (Office(settings).open() for settings in homes)
    one.now = two.now = START
    yield one, two
    one.close()
    two.close()


def begun(office: Office) -> World:
    world = World(office)
    world.begin_a()
    return world


def heard(world: World, size: int, foreign: list[str]) -> list[tuple[int, dict[str, str], bytes]]:
    """Return all that A hears: with a signature and in a session, of its own and of B's."""
    office = world.office
    own, other = world.a.engagement.hex(), world.engagement_b.hex()
    paths = [
        f"/v1/engagements/{name}/{what}"
        for name in (own, other)
        for what in (
            "statements",
            "indices",
            "keys",
            "conflicts",
            f"statements?size={size}",
            "indices?size=x",
        )
    ]
    paths += [f"/v1/statements/{one.digest}/receipt?size={size}" for one, _ in world.a.made]
    paths += [
        path
        for name in foreign
        for path in (
            f"/v1/sealed/{name}",
            f"/v1/statements/{name}/receipt",
            f"/entries/{name}",
        )
    ]
    paths += [f"/v1/log/checkpoints/{size}", "/v1/operator", "/v1/session"]
    auth = SignedBy(office.people.client, lambda: office.now)
    answers = []
    with LiveServer(office) as live:
        browser = Browser(office, live)
        browser.sign_in(office.people.client)
        for path in paths:
            answers += [browser.http.get(path, auth=auth), browser.ask("GET", path)]
        for body in refused_bodies(world):
            answers.append(browser.http.post("/v1/statements", content=body))
        browser.close()
    return [(one.status_code, fields(one), one.content) for one in answers]


def refused_bodies(world: World) -> Iterator[bytes]:
    """Give statements of A's that are refused, each for another reason."""
    offer, record = world.a.made[0]
    yield replace(offer, signature=bytes(64)).encode()
    yield sign(replace(record, claimed_at=1), world.office.people.client).encode()
    yield sign(replace(record, claimed_at=1), CLIENT_B).encode()
    _, record = world.a.made[1]
    yield sign(replace(record, claimed_at=1), world.office.people.client).encode()


def fields(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "date"}


def test_every_answer_is_the_same_to_the_last_byte(offices: tuple[Office, Office]) -> None:
    worlds = [begun(office) for office in offices]
    for world in worlds:
        world.work(world.a)
        world.dispute(world.a)
    alone, both = worlds
    size = alone.office.checkpoint().checkpoint.size
    assert alone.office.checkpoint().checkpoint == both.office.checkpoint().checkpoint
    both.begin_b()
    assert both.b is not None
    foreign = [str(both.dispute(both.b)), str(both.b.made[0][0].digest)]
    alone.office.now = both.office.now
    first, second = (heard(world, size, foreign) for world in worlds)
    assert len(first) > 40
    assert {status for status, _, _ in first} == {200, 400, 401, 403, 404, 409, 422}
    for one, two in zip(first, second, strict=True):
        assert one == two


def ranked(world: World) -> tuple[list[Any], list[Any], list[str]]:
    """Return what A reads, with each place in the log by its rank among A's own."""
    office, path = world.office, f"/v1/engagements/{world.a.engagement.hex()}"
    auth = SignedBy(office.people.client, lambda: office.now)
    with LiveServer(office) as live, httpx.Client(base_url=live.url, trust_env=False) as client:
        bodies = split_sequence(client.get(f"{path}/statements", auth=auth).content, max_items=999)
        indices = decode(client.get(f"{path}/indices", auth=auth).content)
        keys = parse_keys(client.get(f"{path}/keys", auth=auth).content)
    assert isinstance(indices, list)
    rank = {index: place for place, index in enumerate(indices)}

    def placed(moment: Moment) -> Moment:
        return Moment(rank[moment.index], moment.at_ms)

    shown = [
        replace(
            one,
            begun=one.begun and placed(one.begun),
            ended=one.ended and placed(one.ended),
            recovery=one.recovery and (one.recovery[0], placed(one.recovery[1])),
        )
        for one in keys
    ]
    kinds = [Statement.parse(body).kind.value for body in bodies]
    return [len(indices), sorted(rank.values())], shown, kinds


def test_statements_of_b_between_those_of_a_move_places_and_nothing_else(
    offices: tuple[Office, Office],
) -> None:
    alone, both = (begun(office) for office in offices)
    both.begin_b()
    alone.office.now = both.office.now
    for world in (alone, both):
        world.work(world.a)
        world.change_keys()
    first, second = ranked(alone), ranked(both)
    assert first == second
    assert both.office.checkpoint().checkpoint.size > alone.office.checkpoint().checkpoint.size
    assert first[2].count("key.rotate") == 1


def test_what_a_key_said_before_the_offer_tells_nothing_of_b(
    offices: tuple[Office, Office],
) -> None:
    """A freelancer names a recovery key, and rotates, with or without a client."""
    alone, both = (World(office) for office in offices)
    both.begin_b()
    for world in (alone, both):
        world.office.now = both.office.now
        world.change_keys()
    shown = [parse_keys(listed_for_an_offer(world.office)) for world in (alone, both)]
    behind = both.office.checkpoint().checkpoint.size - alone.office.checkpoint().checkpoint.size
    assert behind > 0
    assert list(shown[0]) == [moved(one, -behind) for one in shown[1]]
    assert sum(one.recovery is not None for one in shown[0]) == 2


def test_before_the_offer_nobody_learns_whether_a_key_is_known(
    offices: tuple[Office, Office],
) -> None:
    alone, both = (World(office) for office in offices)
    both.begin_b()
    alone.office.now = both.office.now
    own = alone.office.people.freelancer
    revoked = KeyRevoke(
        claimed_at=alone.office.now,
        key=own.public_key.thumbprint,
        reason=RevocationReason.LOST,
    )
    forged = replace(sign(revoked, own), signature=bytes(64)).encode()
    answers = []
    for world in (alone, both):
        with LiveServer(world.office) as live:
            answer = httpx.post(f"{live.url}/v1/statements", content=forged, trust_env=False)
        answers.append((answer.status_code, fields(answer), answer.content))
    assert answers[0] == answers[1]
    assert answers[0][0] == 403


def listed_for_an_offer(office: Office) -> bytes:
    """Let A make an offer to the key that the freelancer had, and return the keys that A sees."""
    engagement, client = unique(office, "A"), office.people.client
    offer = Offer(engagement=engagement, claimed_at=office.now, terms=office.terms())
    office.post([sign(offer, client)])
    auth = SignedBy(client, lambda: office.now)
    with LiveServer(office) as live, httpx.Client(base_url=live.url, trust_env=False) as http:
        return http.get(f"/v1/engagements/{engagement.hex()}/keys", auth=auth).content


def moved(key: PartyKey, by: int) -> PartyKey:
    def further(moment: Moment) -> Moment:
        return replace(moment, index=moment.index + by)

    return replace(
        key,
        begun=key.begun and further(key.begun),
        ended=key.ended and further(key.ended),
        recovery=key.recovery and (key.recovery[0], further(key.recovery[1])),
    )
