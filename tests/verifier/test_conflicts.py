"""Evidence of forks: what is kept, how much, and for whom it can be read."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event

from support.asking import SignedBy
from support.office import FlakyDatabase, LiveServer, Office, new_home, stranger_offer
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, START
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import decode
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import ChainedRecord, KeyRotate, Segment, sign
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.store import conflicts
from workseal_verifier.store.conflicts import Conflict, ConflictStore


@pytest.fixture
def worked(agent: ScriptedAgent) -> ScriptedAgent:
    agent.open_session()
    agent.work(3 * ROUND_MS)
    agent.send()
    return agent


@pytest.fixture
def client(office: Office) -> Iterator[httpx.Client]:
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as made,
    ):
        made.auth = SignedBy(office.people.freelancer, lambda: office.now)
        yield made


def second(agent: ScriptedAgent, back: int = 1, change: int = 1) -> Statement:
    """Sign another body for a number that is taken."""
    segment = agent.made[-back][1]
    assert isinstance(segment, Segment)
    return sign(replace(segment, end=segment.end - change), agent.verifier.people.freelancer)


def listed(client: httpx.Client, agent: ScriptedAgent) -> list[tuple[int, bytes, bytes]]:
    answer = client.get(f"/v1/engagements/{agent.engagement.hex()}/conflicts")
    assert answer.status_code == 200
    value = decode(answer.content, max_bytes=1 << 20)
    assert isinstance(value, list)
    return [tuple(row) for row in value]  # type: ignore[misc,arg-type]


def test_both_bodies_of_a_number_are_kept(
    office: Office, worked: ScriptedAgent, client: httpx.Client
) -> None:
    assert listed(client, worked) == []
    wanted = []
    for back in (2, 1):
        first, record = worked.made[-back]
        assert isinstance(record, ChainedRecord)
        other = second(worked, back)
        for _ in range(2):
            answer = client.post("/v1/statements", content=other.encode())
            assert answer.status_code == 409
            assert answer.json()["detail"] == f"another statement has number {record.seq}"
        wanted.append((record.seq, first.encode(), other.encode()))
    assert listed(client, worked) == sorted(wanted)
    assert office.check() == []


def test_two_bodies_in_one_tick_are_evidence_too(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    agent.open_session()
    agent.work(ROUND_MS)
    first = agent.pending[0]
    other = second(agent)
    services = office.verifier.services
    waiting = [
        services.sequencer.submit(services.intake.read(one.encode())) for one in (first, other)
    ]
    with pytest.raises(RefusedError) as caught:
        waiting[1].result(20)
    assert caught.value.reason is Reason.CONFLICT
    assert waiting[0].result(20).indices
    record = agent.made[-1][1]
    assert isinstance(record, Segment)
    assert listed(client, agent) == [(record.seq, first.encode(), other.encode())]


def test_what_another_signed_is_no_evidence_of_a_fork(
    office: Office, worked: ScriptedAgent, client: httpx.Client
) -> None:
    record = worked.made[-1][1]
    for signer in (office.people.client, SeedSigner(bytes(32))):
        forged = sign(record, signer)
        assert client.post("/v1/statements", content=forged.encode()).status_code == 403
    false = replace(second(worked), signature=bytes(64))
    assert client.post("/v1/statements", content=false.encode()).status_code == 422
    assert listed(client, worked) == []


def test_the_rotated_key_of_the_chain_is_its_own_signer(
    office: Office, worked: ScriptedAgent, client: httpx.Client
) -> None:
    old, new = office.people.freelancer, SeedSigner(bytes(range(32)))
    office.post([sign(KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new), old)])
    record = worked.made[-1][1]
    answer = client.post("/v1/statements", content=sign(record, new).encode())
    assert answer.status_code == 409
    # The new key reads later; the client sees the fork at once.
    client.auth = SignedBy(office.people.client, lambda: office.now)
    assert len(listed(client, worked)) == 1


def test_a_number_that_is_free_is_no_conflict(worked: ScriptedAgent, client: httpx.Client) -> None:
    record = worked.made[-1][1]
    assert isinstance(record, Segment)
    ahead = sign(replace(record, seq=record.seq + 5), worked.verifier.people.freelancer)
    assert client.post("/v1/statements", content=ahead.encode()).status_code == 422
    assert listed(client, worked) == []


def test_beyond_what_is_kept_it_is_refused_in_the_same_words(
    worked: ScriptedAgent, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [
        client.post("/v1/statements", content=second(worked, change=n).encode())
        for n in range(1, conflicts.MOST_OF_ENGAGEMENT + 3)
    ]
    assert {(one.status_code, one.text) for one in answers} == {(409, answers[0].text)}
    assert len(listed(client, worked)) == conflicts.MOST_OF_ENGAGEMENT
    assert "beyond what is kept: 1 bodies" in caplog.text


def test_a_disk_that_is_nearly_full_takes_no_evidence(
    office: Office, worked: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statements that are still to come need the room."""
    space = office.verifier.space
    for least, kept in ((1 << 60, 0), (1, 1)):
        monkeypatch.setattr(space, "_least", least)
        space.look()
        with pytest.raises(RefusedError) as caught:
            office.post([second(worked)])
        assert caught.value.reason is Reason.CONFLICT
        assert office.verifier.conflicts.count() == kept


def test_all_together_have_a_bound(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ConflictStore(office.verifier.database)
    monkeypatch.setattr(conflicts, "MOST_BYTES", 1_000)
    found = [Conflict(bytes([n]) * 16, n, Digest.of(bytes([n])), bytes(400)) for n in range(4)]
    assert store.keep(found) == 2
    assert store.keep(found) == 2
    assert store.count() == 2
    assert store.of_engagement(bytes(16)) == found[:1]


def test_what_is_kept_already_costs_no_write(office: Office) -> None:
    store = ConflictStore(office.verifier.database)
    found = [Conflict(bytes(16), 1, Digest.of(b"x"), b"x")]
    assert store.keep(found) == 0
    statements: list[str] = []
    engine = office.verifier.database._engine
    event.listen(
        engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2])
    )
    assert store.keep(found) == 0
    assert not [one for one in statements if one.startswith(("INSERT", "BEGIN IMM"))]


def test_an_unknown_engagement_has_no_list(worked: ScriptedAgent, client: httpx.Client) -> None:
    assert worked.made
    assert client.get(f"/v1/engagements/{'00' * 16}/conflicts").status_code == 404
    assert client.get("/v1/engagements/xyz/conflicts").status_code == 400


def test_evidence_that_cannot_be_kept_stops_nothing(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path), database=FlakyDatabase).open()
    office.now = START
    agent = ScriptedAgent(office)
    agent.open_session()
    agent.work(ROUND_MS)
    agent.send()
    database = office.verifier.database
    assert isinstance(database, FlakyDatabase)
    # The turn itself, in which the second body is refused, then the evidence.
    database.fail_at = {database.writes + 1: "lost"}
    with pytest.raises(RefusedError) as caught:
        office.post([second(agent)])
    assert caught.value.reason is Reason.CONFLICT
    assert database.writes > max(database.fail_at)
    office.post([stranger_offer(office, 1)])
    assert office.check() == []
    office.close()
