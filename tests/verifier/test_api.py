"""The HTTP interface, through real sockets to a real server."""

import json
import logging
import re
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.asking import SignedBy
from support.office import (
    FlakyDatabase,
    LiveServer,
    Office,
    cbor_map,
    new_home,
    stranger_offer,
    unique,
)
from support.scripted import ScriptedAgent, disclose, stored
from support.simulator import ROUND_MS, START, seeded
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import decode, encode, split_sequence
from workseal_protocol.frame import commit_frame
from workseal_protocol.keys import SeedSigner
from workseal_protocol.merkle import leaf_hash, root_of, verify_sparse
from workseal_protocol.policy import TlogPolicy, verify_checkpoint
from workseal_protocol.receipt import (
    Receipt,
    SubmissionAnswer,
    verify_answer,
    verify_cose_receipt,
    verify_receipt,
)
from workseal_protocol.records import (
    DisclosedFrame,
    DisputeDisclosure,
    KeyRotate,
    Segment,
    read_record,
    sign,
)
from workseal_protocol.sealing import MIN_SEALED_BYTES, encode_package
from workseal_protocol.statement import Statement
from workseal_verifier.api.body import MIB
from workseal_verifier.api.doors import Doors
from workseal_verifier.api.problems import MEDIA, PREFIX, TABLE
from workseal_verifier.errors import Reason, StoreError
from workseal_verifier.services import disclosures
from workseal_verifier.services.health import HOUSEKEEPING, STAMPING

SEQUENCE = {"content-type": "application/cbor-seq"}


@pytest.fixture
def live(office: Office) -> Iterator[LiveServer]:
    with LiveServer(office) as server:
        yield server


@pytest.fixture
def client(live: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=live.url, trust_env=False, timeout=30) as made:
        yield made


def by(office: Office, signer: SeedSigner | None = None) -> SignedBy:
    """Sign requests as a party, the freelancer if nobody is named, at the office's time."""
    return SignedBy(signer or office.people.freelancer, lambda: office.now)


def worked(agent: ScriptedAgent, rounds: int = 3) -> ScriptedAgent:
    agent.open_session()
    agent.work(rounds * ROUND_MS)
    agent.send()
    return agent


def check_problem(answer: httpx.Response, reason: Reason) -> dict[str, Any]:
    """RFC 9457: the media type, and a body that says what the status line says."""
    assert answer.headers["content-type"] == MEDIA
    members: dict[str, Any] = answer.json()
    assert members["type"] == PREFIX + reason
    assert members["status"] == answer.status_code == TABLE[reason][0]
    assert members["title"] == TABLE[reason][1]
    assert set(members) <= {"type", "title", "status", "detail", "item"}
    return members


# --- what an agent does ---


def test_a_submission_is_answered_with_a_proof_that_verifies(
    office: Office, client: httpx.Client
) -> None:
    offer = stranger_offer(office, 1)
    old = SignedCheckpoint.parse(client.get("/v1/log/checkpoint").content)
    size = old.checkpoint.size
    answer = client.post(f"/v1/statements?old={size}", content=offer.encode(), headers=SEQUENCE)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/cbor"
    parsed = SubmissionAnswer.parse(answer.content)
    verify_answer(parsed, [offer.digest], old.checkpoint, office.policy)
    assert parsed.indices == (size,)
    again = client.post("/v1/statements", content=offer.encode())
    assert SubmissionAnswer.parse(again.content).indices == (size,)


def test_the_operators_facts_are_those_of_the_log(office: Office, client: httpx.Client) -> None:
    facts = cbor_map(client.get("/v1/operator").content)
    assert facts == {
        1: office.people.operator.public_key.raw,
        2: office.policy.encode(),
        3: [],
        4: [ROUND_MS],
        5: office.now,
        6: 0,
    }
    policy = TlogPolicy.parse(facts[2])
    verify_checkpoint(SignedCheckpoint.parse(client.get("/v1/log/checkpoint").content), policy)


def test_the_beacon_releases_a_value_when_its_round_begins(
    office: Office, client: httpx.Client
) -> None:
    chain = cbor_map(client.get(f"/v1/beacon/{ROUND_MS}").content)
    now = office.now // ROUND_MS
    assert chain[1] <= now < chain[1] + chain[2]
    answer = client.get(f"/v1/beacon/{ROUND_MS}/{now}")
    assert (answer.status_code, len(answer.content)) == (200, 32)
    early = client.get(f"/v1/beacon/{ROUND_MS}/{now + 1}")
    check_problem(early, Reason.TOO_EARLY)
    assert int(early.headers["retry-after"]) == ROUND_MS // 1000
    check_problem(client.get(f"/v1/beacon/{ROUND_MS}/1"), Reason.NOT_FOUND)
    check_problem(client.get("/v1/beacon/77"), Reason.NOT_FOUND)
    check_problem(client.get(f"/v1/beacon/{ROUND_MS}/soon"), Reason.MALFORMED)


def void(_: object) -> None:
    """Forget what something returned."""


def test_the_beacon_names_the_commitment_of_a_round_that_is_over(
    office: Office, client: httpx.Client
) -> None:
    first = cbor_map(client.get(f"/v1/beacon/{ROUND_MS}").content)
    number = office.now // ROUND_MS
    office.now += 2 * 86_400_000
    office.verifier.beacon.commit_ahead(lambda ones: void(office.post(ones)))
    assert cbor_map(client.get(f"/v1/beacon/{ROUND_MS}").content) != first
    asked = f"/v1/beacon/{ROUND_MS}?round="
    assert cbor_map(client.get(f"{asked}{number}").content) == first
    check_problem(client.get(f"{asked}1"), Reason.NOT_FOUND)
    check_problem(client.get(f"{asked}soon"), Reason.MALFORMED)


def test_receipts_verify_against_the_newest_and_an_older_checkpoint(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    worked(agent)
    statement = agent.made[0][0]
    proof = client.get(f"/v1/statements/{statement.digest}")
    verify_receipt(Receipt.parse(proof.content), statement.digest, office.policy)
    key = office.log_key.key
    older = office.acknowledged[agent.made[1][0].digest] + 1
    for size in ("", f"?size={older}"):
        path = f"/v1/statements/{statement.digest}/receipt{size}"
        data = client.get(path, auth=by(office)).content
        root = verify_cose_receipt(data, entry=statement.digest, key=key)
        newest = office.checkpoint().checkpoint
        assert (root == newest.root) is (size == "")
    signed = client.get(f"/v1/log/checkpoints/{older}").content
    assert root == SignedCheckpoint.parse(signed).checkpoint.root
    check_problem(
        client.get(
            f"/v1/statements/{agent.made[-1][0].digest}/receipt?size={older}", auth=by(office)
        ),
        Reason.NOT_FOUND,
    )
    check_problem(client.get(f"/v1/statements/{Digest.of(b'none')}"), Reason.NOT_FOUND)
    check_problem(client.get("/v1/log/checkpoints/99999"), Reason.NOT_FOUND)


def test_one_proof_covers_a_whole_engagement(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    worked(agent, 8)
    path, auth = f"/v1/engagements/{agent.engagement.hex()}", by(office)
    bodies = split_sequence(client.get(f"{path}/statements", auth=auth).content, max_items=65_536)
    indices = decode(client.get(f"{path}/indices", auth=auth).content)
    assert isinstance(indices, list)
    assert len(bodies) == len(indices) == len(set(indices))
    signed = SignedCheckpoint.parse(client.get("/v1/log/checkpoint").content).checkpoint
    request = encode({1: signed.size, 2: indices, 3: [4, signed.size]})
    joined = cbor_map(client.post("/v1/log/proof", content=request).content)[1]
    earlier = SignedCheckpoint.parse(client.get("/v1/log/checkpoints/4").content).checkpoint
    verify_sparse(
        size=signed.size,
        root=signed.root.raw,
        leaves={
            index: leaf_hash(Digest.of(body).raw)
            for index, body in zip(indices, bodies, strict=True)
            if isinstance(index, int)
        },
        earlier={4: earlier.root.raw, signed.size: signed.root.raw},
        hashes=[joined[at : at + 32] for at in range(0, len(joined), 32)],
    )
    # What verifying needs of the operator is there, and nothing of other engagements.
    kinds = [Statement.parse(body).kind.value for body in bodies]
    assert kinds.count("beacon.commitment") == 2
    assert kinds.count("offer") == 1
    check_problem(client.get(f"/v1/engagements/{'00' * 16}/indices", auth=auth), Reason.NOT_FOUND)
    check_problem(client.get("/v1/engagements/xyz/indices"), Reason.MALFORMED)


def test_a_listing_only_grows_at_its_end(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    """Statements and indices are two requests: what one lists, the other continues."""
    path = f"/v1/engagements/{agent.engagement.hex()}/indices"
    client.auth = by(office)
    seen = [decode(client.get(path).content)]
    for _ in range(3):
        office.now += 86_400_000
        office.verifier.housekeeping.keep()
        office.others(1)
        seen.append(decode(client.get(path).content))
        worked(agent, 1)
        agent.close_session()
        seen.append(decode(client.get(path).content))
    for before, after in pairwise(seen):
        assert isinstance(before, list)
        assert isinstance(after, list)
        assert after[: len(before)] == before
    size = f"?size={office.acknowledged[agent.made[1][0].digest] + 1}"
    assert decode(client.get(path + size).content) == seen[0]


def test_a_listing_in_pages_is_the_same_listing(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    worked(agent, 6)
    office.others(2)
    path = f"/v1/engagements/{agent.engagement.hex()}"
    client.auth = by(office)
    size = office.checkpoint().checkpoint.size
    agent.close_session()
    whole = decode(client.get(f"{path}/indices?size={size}").content)
    bodies = client.get(f"{path}/statements?size={size}").content
    assert isinstance(whole, list)
    worked(agent, 2)
    pages: list[Any] = []
    joined, since = b"", 0
    while not pages or len(pages[-1]) == 3:
        query = f"?size={size}&from={since}&count=3"
        pages.append(decode(client.get(f"{path}/indices{query}").content))
        joined += client.get(f"{path}/statements{query}").content
        since = pages[-1][-1] + 1 if pages[-1] else since
    assert [index for page in pages for index in page] == whole
    assert joined == bodies
    assert len(pages) > 3
    for query in ("from=x", "count=-1", "from=01", "count="):
        check_problem(client.get(f"{path}/indices?{query}"), Reason.MALFORMED)
    assert client.get(f"{path}/statements?count=0").content == b""


def test_tiles_are_those_of_the_tree(office: Office, client: httpx.Client) -> None:
    size = office.checkpoint().checkpoint.size
    tile = client.get(f"/v1/log/tile/0/000.p/{size}")
    entry = next(iter(office.verifier.records.all()))
    assert tile.content[:32] == leaf_hash(entry.digest.raw)
    assert len(tile.content) == 32 * size
    for path in (
        f"0/000.p/{size + 1}",
        "0/000",
        "0/001.p/1",
        "0/x000/000",
        "64/000",
        "0/0",
        "1/000",
    ):
        check_problem(client.get(f"/v1/log/tile/{path}"), Reason.NOT_FOUND)


def test_nothing_is_served_before_it_is_signed_for(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path), database=FlakyDatabase).open()
    office.now = START
    database = office.verifier.database
    assert isinstance(database, FlakyDatabase)
    offer = stranger_offer(office, 1)
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False) as client,
    ):
        # Committed, but what was signed could not be kept: nobody may see it yet.
        database.fail_at = {database.writes + 1: "lost"}
        check_problem(client.post("/v1/statements", content=offer.encode()), Reason.BUSY)
        assert database.writes > max(database.fail_at)
        own = SeedSigner(seeded(office.seed, "other client", 1))
        for path in (
            "/v1/log/tile/0/000.p/4",
            f"/v1/statements/{offer.digest}",
            "/v1/log/checkpoints/4",
            f"/v1/engagements/{unique(office, 1).hex()}/indices",
        ):
            check_problem(client.get(path, auth=by(office, own)), Reason.NOT_FOUND)
        assert client.post("/v1/statements", content=offer.encode()).status_code == 200
        assert client.get("/v1/log/tile/0/000.p/4").status_code == 200
    office.close()


def test_entries_are_the_leaves_of_the_tree(office: Office, client: httpx.Client) -> None:
    """A monitor mirrors the whole log: bundle by bundle, up to the root that is signed."""
    office.others(300)
    checkpoint = office.checkpoint().checkpoint
    first = client.get("/v1/log/tile/entries/000")
    rest = client.get(f"/v1/log/tile/entries/001.p/{checkpoint.size - 256}")
    for answer in (first, rest):
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["content-type"] == "application/octet-stream"
    data = first.content + rest.content
    assert len(data) == 34 * checkpoint.size
    entries = [data[at : at + 34] for at in range(0, len(data), 34)]
    assert {entry[:2] for entry in entries} == {b"\x00\x20"}
    leaves = [leaf_hash(entry[2:]) for entry in entries]
    assert root_of(leaves) == checkpoint.root.raw
    assert client.get("/v1/log/tile/0/000").content == b"".join(leaves[:256])
    for path in (
        "entries/001",
        f"entries/001.p/{checkpoint.size - 255}",
        "entries/002.p/1",
        "entries/001.p/256",
        "entries/1",
        "entries/x000/001",
        "entry/000",
    ):
        check_problem(client.get(f"/v1/log/tile/{path}"), Reason.NOT_FOUND)


def test_proves_nothing_beyond_what_is_signed(office: Office, client: httpx.Client) -> None:
    size = office.checkpoint().checkpoint.size
    for asked in (encode({1: size + 1, 2: [0], 3: []}), encode({1: size + 1, 2: [], 3: [size]})):
        problem = check_problem(client.post("/v1/log/proof", content=asked), Reason.MALFORMED)
        assert problem["detail"] == f"the log has {size} leaves"


def test_health_names_what_fails(office: Office, client: httpx.Client) -> None:
    for _ in range(3):
        office.verifier.health.failed(STAMPING)
    told = client.get("/healthz")
    assert (told.status_code, told.text) == (200, "ok\nfailing: stamping")
    for _ in range(3):
        office.verifier.health.failed(HOUSEKEEPING)
    problem = check_problem(client.get("/healthz"), Reason.BUSY)
    assert "housekeeping, stamping" in problem["detail"]


# --- disputes ---


def disclosed(office: Office, agent: ScriptedAgent) -> tuple[bytes, bytes]:
    """Return a package and the pixels that it shows."""
    request = agent.request(agent.frames[:1])
    made = len(agent.made)
    office.admit, admit = (lambda _: ()), office.admit  # type: ignore[method-assign,assignment]
    office.submit, submit = (lambda *_: None), office.submit  # type: ignore[method-assign,assignment]
    (disclosure,) = agent.answer(request, agent.frames[:1])
    office.admit, office.submit = admit, submit  # type: ignore[method-assign]
    statement = agent.made[made][0]
    return encode_package([statement.encode(), disclosure.encode()]), disclosure.pixels


def test_a_disclosure_is_checked_and_logged_with_its_finding(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    worked(agent)
    package, _ = disclosed(office, agent)
    answers = []
    for _ in range(2):
        answers.append(cbor_map(client.post("/v1/disclosures", content=package).content))
        # A second finding would tell another time: sending again gets the first one.
        office.now += 1_000
    assert answers[0][1] == answers[1][1]
    finding = Statement.parse(answers[0][1])
    statement = Statement.parse(split_sequence(package, max_items=2, max_item_bytes=1 << 20)[0])
    answer = SubmissionAnswer.parse(answers[0][2])
    verify_answer(answer, [statement.digest, finding.digest], None, office.policy)
    value = decode(finding.payload)
    assert isinstance(value, dict)
    assert value[11] == [[value[11][0][0], 1, 2, 4]]  # type: ignore[index]
    assert office.check() == []


def test_a_false_disclosure_is_found_to_fail(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    """The freelancer signs for tiles that are not the committed ones."""
    worked(agent)
    frame = agent.frames[0]
    request = agent.request([frame])
    honest = disclose(frame, (0, 1))
    false = replace(honest, deflated=stored(bytes([honest.pixels[0] ^ 1]) + honest.pixels[1:]))
    record = DisputeDisclosure(
        engagement=agent.engagement,
        claimed_at=office.now,
        request=request.digest,
        frames=(DisclosedFrame(frame.tree.commitment, false.digest),),
    )
    statement = sign(record, office.people.freelancer)
    package = encode_package([statement.encode(), false.encode()])
    answer = cbor_map(client.post("/v1/disclosures", content=package).content)
    value = decode(Statement.parse(answer[1]).payload)
    assert isinstance(value, dict)
    assert value[11] == [[false.digest.raw, 2, 2, 4]]


@pytest.mark.parametrize("told", ["moment", "display", "round", "tile"])
def test_a_frame_of_another_moment_or_place_is_found_to_fail(
    office: Office, agent: ScriptedAgent, client: httpx.Client, told: str
) -> None:
    """Tiles that verify, of a frame whose header is not that of the place and instant owed."""
    agent.open_session()
    agent.work(ROUND_MS)
    frame = agent.frames[0]
    true = frame.tree.header
    header = {
        "display": replace(true, display=1),
        "moment": replace(true, offset_ms=true.offset_ms ^ 1),
        # The same instant, told as one of the round before.
        "round": replace(true, round=true.round - 1, offset_ms=true.offset_ms + ROUND_MS),
        "tile": replace(true, tile=true.tile // 2),
    }[told]
    tree = commit_frame(header, frame.pixels, frame.seed)
    segment = agent.made[-1][1]
    assert isinstance(segment, Segment)
    posed = sign(replace(segment, frames=(tree.commitment,)), office.people.freelancer)
    office.post([posed])
    posed_frame = replace(frame, tree=tree, segment=posed.digest)
    request = agent.request([posed_frame])
    disclosure = disclose(posed_frame, (0,))
    record = DisputeDisclosure(
        engagement=agent.engagement,
        claimed_at=office.now,
        request=request.digest,
        frames=(DisclosedFrame(tree.commitment, disclosure.digest),),
    )
    statement = sign(record, office.people.freelancer)
    package = encode_package([statement.encode(), disclosure.encode()])
    answer = cbor_map(client.post("/v1/disclosures", content=package).content)
    value = decode(Statement.parse(answer[1]).payload)
    assert isinstance(value, dict)
    assert value[11] == [[disclosure.digest.raw, 2, 1, header.grid.count]]


@pytest.mark.parametrize("change", ["one missing", "another one", "too many"])
def test_refuses_a_package_that_is_not_what_its_statement_names(
    office: Office, agent: ScriptedAgent, client: httpx.Client, change: str
) -> None:
    worked(agent)
    package, _ = disclosed(office, agent)
    statement, wrapped = split_sequence(package, max_items=2, max_item_bytes=1 << 20)
    before = office.checkpoint()
    body = {
        "one missing": statement,
        "another one": statement + encode(b"another"),
        "too many": statement + wrapped + wrapped,
    }[change]
    check_problem(client.post("/v1/disclosures", content=body), Reason.REFUSED)
    assert office.checkpoint() == before


def test_a_stranger_holds_no_place_for_a_large_body(
    office: Office, agent: ScriptedAgent, live: LiveServer, client: httpx.Client
) -> None:
    worked(agent)
    package, _ = disclosed(office, agent)
    statement = Statement.parse(split_sequence(package, max_items=9, max_item_bytes=1 << 20)[0])
    record = read_record(statement)
    forged = sign(record, SeedSigner(bytes(32))).encode()
    for start, reason in (
        (forged, Reason.UNKNOWN_PARTY),
        (agent.made[0][0].encode(), Reason.MALFORMED),
        (replace(statement, signature=bytes(64)).encode(), Reason.UNKNOWN_PARTY),
    ):
        with live.connect() as connection:
            connection.sendall(
                b"POST /v1/disclosures HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
                b"content-length: 60000000\r\n\r\n" + start + bytes(70_000)
            )
            # The answer comes although 60 MB never do.
            answer = read_all(connection)
        assert answer.startswith(f"HTTP/1.1 {TABLE[reason][0]} ".encode())
    assert client.post("/v1/disclosures", content=package).status_code == 200


def test_a_package_for_no_request_holds_no_place(
    office: Office, agent: ScriptedAgent, live: LiveServer
) -> None:
    worked(agent)
    package, _ = disclosed(office, agent)
    record = read_record(
        Statement.parse(split_sequence(package, max_items=9, max_item_bytes=1 << 20)[0])
    )
    assert isinstance(record, DisputeDisclosure)
    known = agent.made[0][0].digest
    for false, reason in (
        (replace(record, request=Digest.of(b"none")), Reason.REFUSED),
        (replace(record, request=known), Reason.REFUSED),
        (replace(record, engagement=unique(office, "other")), Reason.UNKNOWN_PARTY),
    ):
        with live.connect() as connection:
            connection.sendall(
                b"POST /v1/disclosures HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
                b"content-length: 60000000\r\n\r\n"
                + sign(false, office.people.freelancer).encode()
                + bytes(70_000)
            )
            answer = read_all(connection)
        assert answer.startswith(f"HTTP/1.1 {TABLE[reason][0]} ".encode())
        assert reason is Reason.UNKNOWN_PARTY or b"no logged request" in answer


@pytest.mark.parametrize("who", ["client", "arbitrator", "freelancer of another"])
def test_no_other_party_holds_a_freelancers_place(
    office: Office, agent: ScriptedAgent, live: LiveServer, who: str
) -> None:
    worked(agent)
    package, _ = disclosed(office, agent)
    record = read_record(
        Statement.parse(split_sequence(package, max_items=9, max_item_bytes=1 << 20)[0])
    )
    office.post([stranger_offer(office, 1)])
    signer = {
        "client": office.people.client,
        "arbitrator": office.people.arbitrator,
        "freelancer of another": SeedSigner(seeded(office.seed, "other freelancer", 1)),
    }[who]
    with live.connect() as connection:
        connection.sendall(
            b"POST /v1/disclosures HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
            b"content-length: 60000000\r\n\r\n" + sign(record, signer).encode() + bytes(70_000)
        )
        assert read_all(connection).startswith(b"HTTP/1.1 403 ")


def test_a_rotated_key_holds_its_place(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    worked(agent)
    package, _ = disclosed(office, agent)
    statement, wrapped = split_sequence(package, max_items=9, max_item_bytes=1 << 20)
    new, old = SeedSigner(seeded(office.seed, "new key")), office.people.freelancer
    office.post([sign(KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new), old)])
    again = sign(read_record(Statement.parse(statement)), new).encode()
    assert client.post("/v1/disclosures", content=again + wrapped).status_code == 200


def test_only_one_large_body_for_a_request_arrives_at_once(
    office: Office, agent: ScriptedAgent, live: LiveServer, client: httpx.Client
) -> None:
    worked(agent)
    package, _ = disclosed(office, agent)
    name = next(office.verifier.records.of_kinds(["dispute.request"], below=10**9)).digest
    path, body = f"/v1/sealed/{name}", b"part" + bytes(MIN_SEALED_BYTES - 4)
    client.auth = by(office)
    request = client.build_request("PUT", path, content=body)
    signed = next(by(office).auth_flow(request)).headers.raw
    fields = b"".join(name + b": " + value + b"\r\n" for name, value in signed)
    head = f"PUT {path} HTTP/1.1\r\n".encode() + fields + b"\r\n"
    with live.connect() as connection:
        connection.sendall(head + b"part")
        while not live.app.state.sealing.count:
            time.sleep(0.01)
        check_problem(client.put(path, content=bytes(MIN_SEALED_BYTES)), Reason.BUSY)
        # What nobody signed does not stand in the way of what the freelancer did.
        assert client.post("/v1/disclosures", content=package).status_code == 200
        connection.sendall(bytes(MIN_SEALED_BYTES - 4))
        assert connection.recv(65_536).startswith(b"HTTP/1.1 204 ")
    assert client.put(path, content=bytes(MIN_SEALED_BYTES)).status_code == 204
    assert live.app.state.sealing.count == live.app.state.disclosing.count == 0


def test_a_slow_package_gives_way_to_another_one(
    office: Office, agent: ScriptedAgent, live: LiveServer, client: httpx.Client
) -> None:
    """As many as may arrive are arriving, of no case, and the one that came is late."""
    worked(agent)
    slow, other = (agent.request(agent.frames[n : n + 1]).digest for n in range(2))
    live.app.state.sealing = doors = Doors(most_bytes=MIB, most=1)
    client.auth = by(office)
    body = bytes(MIN_SEALED_BYTES)
    request = client.build_request("PUT", f"/v1/sealed/{slow}", content=body)
    signed = next(by(office).auth_flow(request)).headers.raw
    fields = b"".join(name + b": " + value + b"\r\n" for name, value in signed)
    with live.connect() as connection:
        connection.sendall(f"PUT /v1/sealed/{slow} HTTP/1.1\r\n".encode() + fields + b"\r\npart")
        while not doors.count:
            time.sleep(0.01)
        assert client.get("/healthz").status_code == 200
        # It has one place, and strangers' bodies push it out of none.
        assert live.app.state.arrivals.count == 0
        (late,) = doors._bodies
        late.since -= 60
        assert client.put(f"/v1/sealed/{other}", content=body).status_code == 204
        told = connection.recv(65_536)
    assert told.startswith(b"HTTP/1.1 503 ")
    assert b"other bodies came first" in told
    longer = bytes(MIN_SEALED_BYTES - 16_384 + 2 * MIB)
    check_problem(client.put(f"/v1/sealed/{slow}", content=longer), Reason.BUSY)
    assert doors.count == 0
    assert office.verifier.services.mailbox.get(other) == body


def test_a_sealed_package_may_be_as_long_as_the_page_says(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    """Longer than all that may arrive at once of what nobody signed, which is 32 MiB."""
    worked(agent)
    disclosed(office, agent)
    name = next(office.verifier.records.of_kinds(["dispute.request"], below=10**9)).digest
    client.auth = by(office)
    body = bytes(MIN_SEALED_BYTES - 16_384 + 33 * MIB)
    assert client.put(f"/v1/sealed/{name}", content=body).status_code == 204


def test_a_log_that_takes_long_to_write_is_busy_and_not_broken(
    office: Office,
    agent: ScriptedAgent,
    client: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worked(agent)
    package, _ = disclosed(office, agent)
    with monkeypatch.context() as patch:
        patch.setattr(disclosures, "ANSWER_TIMEOUT_S", 0)
        answer = client.post("/v1/disclosures", content=package)
        check_problem(answer, Reason.BUSY)
        assert answer.headers["retry-after"] == "5"
    assert client.post("/v1/disclosures", content=package).status_code == 200
    assert office.check() == []


def test_no_pixel_of_a_disclosure_is_kept_anywhere(
    office: Office,
    agent: ScriptedAgent,
    client: httpx.Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    worked(agent)
    package, pixels = disclosed(office, agent)
    word = pixels[:24]
    assert word in package
    # Whoever opens a temporary file now fails, and with it the request.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert client.post("/v1/disclosures", content=package).status_code == 200
    broken = package[:-9] + b"x" + package[-8:]
    assert client.post("/v1/disclosures", content=broken).status_code >= 400
    sealed = (b"sealed:" + pixels).ljust(MIN_SEALED_BYTES, b"\x00")
    assert len(sealed) == MIN_SEALED_BYTES
    request = office.verifier.records.of_kinds(["dispute.request"], below=10**9)
    name = next(iter(request)).digest
    path, arbitrator = f"/v1/sealed/{name}", by(office, office.people.arbitrator)
    assert client.put(path, content=sealed, auth=by(office)).status_code == 204
    assert client.get(path, auth=arbitrator).content == sealed
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "verifier.db-wal" for path in files)
    assert not [path for path in files if word in path.read_bytes()]
    assert word.hex() not in caplog.text
    assert repr(word)[2:-1] not in caplog.text


def test_the_mailbox_needs_a_logged_request(
    office: Office, agent: ScriptedAgent, client: httpx.Client
) -> None:
    worked(agent)
    for digest in (Digest.of(b"nothing"), agent.made[0][0].digest):
        path, arbitrator = f"/v1/sealed/{digest}", by(office, office.people.arbitrator)
        check_problem(client.put(path, content=b"x", auth=by(office)), Reason.NOT_FOUND)
        check_problem(client.get(path, auth=arbitrator), Reason.NOT_FOUND)
    assert office.check() == []


# --- errors ---


@pytest.mark.parametrize(
    ("method", "path", "body", "reason"),
    [
        pytest.param("GET", "/nowhere", b"", Reason.NOT_FOUND, id="no such address"),
        pytest.param("GET", "/v1/statements", b"", Reason.NOT_ALLOWED, id="method"),
        pytest.param("DELETE", "/healthz", b"", Reason.NOT_ALLOWED, id="method of a page"),
        pytest.param("POST", "/v1/statements", b"", Reason.MALFORMED, id="no statement"),
        pytest.param("POST", "/v1/statements", b"\xff", Reason.MALFORMED, id="not CBOR"),
        pytest.param("POST", "/v1/statements", b"\x00" * 257, Reason.MALFORMED, id="too many"),
        pytest.param("POST", "/v1/statements", b"\xa0", Reason.MALFORMED, id="no envelope"),
        pytest.param("POST", "/v1/statements?old=-1", b"", Reason.MALFORMED, id="old negative"),
        pytest.param("POST", "/v1/statements?old=1e3", b"", Reason.MALFORMED, id="old a float"),
        pytest.param("POST", "/v1/log/proof", b"\xa0", Reason.MALFORMED, id="empty proof request"),
        pytest.param(
            "POST", "/v1/log/proof", encode({1: 3, 2: [2, 1], 3: []}), Reason.MALFORMED, id="order"
        ),
        pytest.param(
            "POST", "/v1/log/proof", encode({1: 99, 2: [1], 3: []}), Reason.MALFORMED, id="size"
        ),
        pytest.param(
            "POST", "/v1/log/proof", encode({1: 3, 2: [b""], 3: []}), Reason.MALFORMED, id="type"
        ),
        pytest.param(
            "POST",
            "/v1/log/proof",
            encode({1: 3, 2: [0] * 65_536, 3: [1]}),
            Reason.TOO_LARGE,
            id="too many proof items",
        ),
        pytest.param("POST", "/v1/disclosures", b"", Reason.MALFORMED, id="empty package"),
        pytest.param("POST", "/v1/disclosures", b"\xa0", Reason.MALFORMED, id="no package"),
        pytest.param("GET", "/v1/log/timestamps?from=x", b"", Reason.MALFORMED, id="range"),
        pytest.param("GET", "/v1/log/tsa-ca.pem", b"", Reason.NOT_FOUND, id="no authority"),
        pytest.param("GET", "/v1/statements/zz", b"", Reason.MALFORMED, id="no digest"),
        pytest.param("GET", f"/v1/statements/{'AB' * 32}", b"", Reason.MALFORMED, id="upper case"),
    ],
)
def test_every_error_is_a_problem(
    client: httpx.Client, method: str, path: str, body: bytes, reason: Reason
) -> None:
    check_problem(client.request(method, path, content=body), reason)


@pytest.mark.parametrize("size", ["x", "-1", "007", "9" * 20])
def test_a_size_that_is_no_number_is_a_problem(
    office: Office, agent: ScriptedAgent, client: httpx.Client, size: str
) -> None:
    for path in (
        f"/v1/engagements/{agent.engagement.hex()}/statements",
        f"/v1/statements/{agent.made[0][0].digest}/receipt",
    ):
        answer = client.get(f"{path}?size={size}", auth=by(office))
        check_problem(answer, Reason.MALFORMED)


def test_a_refused_item_is_named(office: Office, client: httpx.Client) -> None:
    good, bad = stranger_offer(office, 1), stranger_offer(office, 2)
    false = replace(bad, signature=bytes(64))
    answer = client.post("/v1/statements", content=good.encode() + false.encode())
    assert check_problem(answer, Reason.REFUSED)["item"] == 1
    assert check_problem(client.get(f"/v1/statements/{good.digest}"), Reason.NOT_FOUND)


def test_an_old_size_beyond_the_log_is_refused(office: Office, client: httpx.Client) -> None:
    body = stranger_offer(office, 1).encode()
    answer = client.post("/v1/statements?old=99", content=body)
    assert "the log has 3 leaves" in check_problem(answer, Reason.MALFORMED)["detail"]


def test_an_unforeseen_mistake_is_a_problem_without_its_text(
    office: Office,
    client: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a secret of somebody")

    monkeypatch.setattr(type(office.verifier.services.sequencer), "current", property(fail))
    answer = client.get("/v1/log/checkpoint")
    check_problem(answer, Reason.INTERNAL)
    assert "secret" not in answer.text + caplog.text
    assert "KeyError in fail" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_database_that_is_away_is_one_line_however_often_it_is_asked(
    office: Office,
    client: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Strangers would fill the disk with lines."""

    def fail(*_: object) -> None:
        raise StoreError("gone, says this test")

    monkeypatch.setattr(type(office.verifier.services.sequencer), "current", property(fail))
    for _ in range(20):
        check_problem(client.get("/v1/log/checkpoint"), Reason.BUSY)
    assert [one.getMessage() for one in caplog.records if "gone" in one.getMessage()] == [
        "the log could not be read: gone, says this test"
    ]


def test_a_full_disk_is_told_and_recovers(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path), database=FlakyDatabase).open()
    office.now = START
    database = office.verifier.database
    assert isinstance(database, FlakyDatabase)
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False) as client,
    ):
        with database.read() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        # A real SQLITE_FULL, in the middle of a real transaction.
        database.page_limit = pages
        offers = [stranger_offer(office, n) for n in range(40)]
        body = b"".join(offer.encode() for offer in offers)
        answer = client.post("/v1/statements", content=body)
        check_problem(answer, Reason.FULL)
        assert int(answer.headers["retry-after"]) > 0
        assert client.get("/healthz").text == "ok"
        database.page_limit = 1 << 30
        assert client.post("/v1/statements", content=body).status_code == 200
    assert office.check() == []
    office.close()


def test_refuses_new_statements_before_the_disk_is_full(
    office: Office, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office.verifier.space, "_least", 1 << 60)
    offer = stranger_offer(office, 1).encode()
    check_problem(client.post("/v1/statements", content=offer), Reason.FULL)
    check_problem(client.get("/readyz"), Reason.FULL)
    assert client.get("/v1/log/checkpoint").status_code == 200
    monkeypatch.setattr(office.verifier.space, "_least", 1)
    assert client.get("/readyz").text == "ready"
    assert client.post("/v1/statements", content=offer).status_code == 200


def test_no_log_line_names_an_address(
    office: Office, client: httpx.Client, live: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    """At the lowest level, so whatever level an operator sets."""
    caplog.set_level(logging.DEBUG)
    client.get("/healthz")
    client.get("/nowhere")
    client.post("/v1/statements", content=stranger_offer(office, 1).encode())
    with live.connect() as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        read_all(connection)
    # The client's own library logs too, in this process.
    ours = [one for one in caplog.records if one.name.startswith(("uvicorn", "workseal"))]
    assert not [one for one in ours if "127.0.0.1" in one.getMessage()]
    # Nor a digest or an engagement.
    assert not [one for one in ours if re.search(r"[0-9a-f]{16}", one.getMessage())]


# --- bodies that are too large or too slow ---


def test_a_declared_large_body_is_refused_before_it_is_sent(live: LiveServer) -> None:
    with live.connect() as connection:
        connection.sendall(
            b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: 200000000\r\n\r\n"
        )
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] == PREFIX + "too-large"


def test_an_undeclared_large_body_is_refused_while_it_arrives(live: LiveServer) -> None:
    piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    sent = 0
    with live.connect() as connection:
        connection.sendall(
            b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        answer = b""
        for _ in range(3_000):
            try:
                connection.sendall(piece)
            except OSError:
                break
            sent += len(piece)
        try:
            answer = read_all(connection)
        except OSError:
            answer = b""
    # 200 MB were on their way; the server hung up after the first MiB and what sockets buffer.
    assert sent < 50_000_000
    assert answer[:13] in (b"HTTP/1.1 413 ", b"")


@pytest.mark.parametrize("begun", [b"", b"ab"])
def test_a_slow_body_is_cut_off(office: Office, begun: bytes) -> None:
    with LiveServer(office, body_timeout_s=0.2) as live, live.connect() as connection:
        connection.sendall(
            b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n" + begun
        )
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")


def test_a_body_in_crumbs_is_refused(live: LiveServer) -> None:
    """Each crumb costs as much as a large piece: thousands of them are no usual client's."""
    with live.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(
            b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        answer = b""
        connection.settimeout(0)
        for _ in range(200_000):
            try:
                connection.send(b"1\r\na\r\n")
                answer = connection.recv(65_536)
            except BlockingIOError:
                time.sleep(0.0005)
                continue
            except OSError:
                break
            break
        connection.settimeout(20)
        while b"}" not in answer and (piece := connection.recv(65_536)):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"too many small pieces" in answer


def read_all(connection: Any) -> bytes:
    data = b""
    while piece := connection.recv(65_536):
        data += piece
    return data


# --- what B can learn of A ---


def test_what_a_hears_does_not_depend_on_whether_b_exists(tmp_path: Path) -> None:
    """Client A's answers are the same bytes in a world with and without freelancer's client B."""
    worlds = []
    for word in ("alone", "with B"):
        folder = tmp_path / word
        folder.mkdir()
        office = Office(new_home(folder)).open()
        with (
            LiveServer(office) as live,
            httpx.Client(base_url=live.url, trust_env=False) as client,
        ):
            office.now = START
            agent = ScriptedAgent(office)
            if word == "with B":
                office.others(3)
                agent.refresh()
            name = agent.engagement.hex()
            unknown = "ff" * 16
            false = replace(agent.made[0][0], signature=bytes(64))
            statement, record = agent.made[1]
            worlds.append(
                [
                    # Bodies alone: whose they are, their number and order.
                    [
                        Statement.parse(body).kind.value
                        for body in split_sequence(
                            client.get(
                                f"/v1/engagements/{name}/statements",
                                auth=by(office, office.people.client),
                            ).content,
                            max_items=99,
                        )
                    ],
                    client.get(
                        f"/v1/engagements/{unknown}/statements",
                        auth=by(office, office.people.client),
                    ).content,
                    client.post("/v1/statements", content=false.encode()).content,
                    client.post(
                        "/v1/statements",
                        content=sign(
                            replace(record, claimed_at=1), office.people.freelancer
                        ).encode(),
                    ).content,
                    client.get(f"/v1/statements/{Digest.of(statement.encode() + b'x')}").content,
                ]
            )
        assert office.check() == []
        office.close()
    assert worlds[0] == worlds[1]


def test_the_overlap_answer_is_the_same_whoever_the_other_client_is(tmp_path: Path) -> None:
    answers = []
    for word in (b"one", b"another"):
        folder = tmp_path / word.decode()
        folder.mkdir()
        office = Office(new_home(folder)).open()
        with (
            LiveServer(office) as live,
            httpx.Client(base_url=live.url, trust_env=False) as client,
        ):
            office.now = START
            here = ScriptedAgent(office)
            people = office.people
            office.people = replace(people, client=SeedSigner(Digest.of(word).raw))
            there = ScriptedAgent(
                office,
                terms=office.terms(client=office.people.client.public_key),
                engagement=unique(office, word),
            )
            office.people = people
            there.open_session()
            here.open_session()
            there.work(ROUND_MS)
            there.send()
            office.now -= ROUND_MS
            here.work(ROUND_MS)
            office.verifier.publisher._last_signed_at = 0
            body = here.pending[0].encode()
            answer = client.post("/v1/statements", content=body)
            check_problem(answer, Reason.OVERLAP)
            answers.append((answer.content, sorted(answer.headers.keys())))
        office.close()
    assert answers[0] == answers[1]
