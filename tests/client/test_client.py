"""Each method against a real verifier, whose OpenAPI description names what a client may ask."""

import json
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from support.carried import Mocked
from support.office import stranger_offer
from support.simulator import Simulator
from workseal_client import PAGE, RefusedError, UnreachableError, VerifierClient
from workseal_client.client import MOST_IN_CASE
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import split_sequence
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Role
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.receipt import Receipt, verify_cose_receipt, verify_receipt
from workseal_protocol.statement import Statement

from .conftest import SEALED, World

# What each operation is asked by.
CALLS: dict[str, Callable[[World, VerifierClient], object]] = {
    "GET /v1/operator": lambda _world, client: client.operator(),
    "GET /v1/log/checkpoint": lambda _world, client: client.checkpoint(),
    "GET /v1/log/checkpoints/{size}": lambda world, client: client.checkpoint_at(size_of(world)),
    "GET /v1/log/tile/{path}": lambda world, client: client.tile(f"0/000.p/{size_of(world)}"),
    "GET /v1/log/timestamps": lambda _world, client: client.timestamps(0, 9),
    "GET /v1/log/tsa-ca.pem": lambda _world, client: refusal(client.authority, 404),
    "POST /v1/log/proof": lambda world, client: client.proof(size_of(world), [0], []),
    "GET /v1/statements/{name}": lambda world, client: client.statement_proof(offer_of(world)),
    "GET /v1/statements/{name}/receipt": lambda world, client: client.receipt(
        offer_of(world), size_of(world)
    ),
    "POST /v1/statements": lambda world, client: client.submit(
        [world.agent.made[0][0].encode()], 0
    ),
    "GET /v1/engagements/{name}/statements": lambda world, client: client.statements(
        world.agent.engagement, size=size_of(world)
    ),
    "GET /v1/engagements/{name}/indices": lambda world, client: client.statements(
        world.agent.engagement, size=size_of(world)
    ),
    "GET /v1/engagements/{name}/keys": lambda world, client: client.keys(world.agent.engagement),
    "GET /v1/cases": lambda _world, client: client.cases(),
    "GET /v1/cases/{name}": lambda world, client: client.case(world.hearing.case.case),
    "GET /v1/cases/{name}/statements": lambda world, client: client.case_statements(
        world.hearing.case.case
    ),
    "GET /v1/notices": lambda _world, client: client.notices(before=1_000),
    "GET /v1/contact": lambda _world, client: client.contact(),
    "PUT /v1/contact": lambda _world, client: client.put_contact(zone="Europe/Berlin"),
    "DELETE /v1/contact": lambda _world, client: client.delete_contact(),
    "POST /v1/disclosures": lambda _world, client: refusal(
        lambda: client.disclose(b"\xa0", [b""]), 400
    ),
    "PUT /v1/sealed/{name}": lambda world, client: client.put_sealed(world.request, SEALED),
    "GET /v1/sealed/{name}": lambda world, _client: world.client(
        world.office.people.arbitrator
    ).sealed(world.request),
    "GET /v1/beacon/{period}": lambda world, client: client.beacon(world.office.round_ms),
    "GET /v1/beacon/{period}/{place}": lambda world, client: client.beacon_value(
        world.office.round_ms, world.office.now // world.office.round_ms
    ),
    "GET /v1/engagements/{name}/conflicts": lambda world, client: client.conflicts(
        world.agent.engagement
    ),
    "DELETE /v1/sessions": lambda _world, client: client.end_sessions(),
    "DELETE /v1/passkeys": lambda _world, client: client.delete_passkeys(),
    "POST /v1/signin/links": lambda _world, client: client.sign_in_link(),
    "POST /v1/invitations/accept": lambda world, client: refusal(
        lambda: client.accept_invitation(
            "A" * 43, world.office.people.freelancer.public_key.text()
        ),
        404,
    ),
}
# Operations that this library has no method for, and why.
LEFT_OUT = {
    **dict.fromkeys(
        (
            "DELETE /v1/session",
            "GET /v1/session",
            "POST /v1/passkeys",
            "POST /v1/passkeys/options",
            "POST /v1/signin",
            "POST /v1/signin/passkey",
            "POST /v1/signin/passkey/options",
        ),
        "what a browser does: it has cookies and passkeys",
    ),
    **dict.fromkeys(
        (
            "GET /.well-known/scitt-keys",
            "GET /.well-known/scitt-keys/{kid}",
            "GET /entries/{name}",
            "POST /entries",
        ),
        "the same again for clients of SCRAPI, which exist",
    ),
    **dict.fromkeys(("GET /healthz", "GET /readyz"), "for whoever runs it"),
    "GET /openapi.json": "the description itself",
    **dict.fromkeys(
        ("GET /v1/beacon/drand/latest", "GET /v1/beacon/drand/{place}"),
        "drand has relays and clients of its own",
    ),
}


def key_of(world: World) -> str:
    return world.office.people.freelancer.public_key.text()


def size_of(world: World) -> int:
    return world.office.checkpoint().checkpoint.size


def offer_of(world: World) -> Digest:
    return world.agent.made[0][0].digest


def policy_of(world: World) -> TlogPolicy:
    policy: TlogPolicy = world.office.policy
    return policy


def refusal(call: Callable[[], object], status: int) -> None:
    with pytest.raises(RefusedError) as caught:
        call()
    assert caught.value.status == status


def freelancer(world: World) -> VerifierClient:
    return world.client(world.office.people.freelancer)


def test_there_is_a_method_or_a_reason_for_each_operation(world: World) -> None:
    described = {
        f"{method.upper()} {path}"
        for path, methods in world.transport.description["paths"].items()
        for method in methods
    }
    assert not CALLS.keys() & LEFT_OUT.keys()
    assert described == CALLS.keys() | LEFT_OUT.keys()


@pytest.mark.parametrize("operation", CALLS)
def test_what_is_asked_and_answered_is_as_described(world: World, operation: str) -> None:
    world.transport.asked.clear()
    CALLS[operation](world, freelancer(world))
    assert operation in world.transport.asked


def test_what_is_submitted_is_seen_in_the_log(world: World) -> None:
    client, policy = freelancer(world), policy_of(world)
    places, first = client.submit_verified([stranger_offer(world.office, "one")], policy)
    _, later = client.submit_verified(
        [stranger_offer(world.office, "two")], policy, first.checkpoint
    )
    assert later.checkpoint.size == first.checkpoint.size + 1
    again, _ = client.submit_verified([stranger_offer(world.office, "one")], policy)
    assert again == places


def test_an_answer_of_another_log_is_refused(world: World) -> None:
    other = TlogPolicy.parse(Simulator(b"another").policy.encode())
    with pytest.raises(VerificationError):
        freelancer(world).submit_verified([stranger_offer(world.office, "three")], other)


def test_a_log_that_forgot_what_was_seen_is_refused(world: World) -> None:
    client, policy = freelancer(world), policy_of(world)
    _, seen = client.submit_verified([stranger_offer(world.office, "four")], policy)
    forged = replace(seen.checkpoint, root=Digest.of(b"another"))
    with pytest.raises(VerificationError):
        client.submit_verified([stranger_offer(world.office, "five")], policy, forged)


def test_proofs_and_receipts_hold_for_the_protocol(world: World) -> None:
    client, policy = freelancer(world), policy_of(world)
    statement = offer_of(world)
    verify_receipt(Receipt.parse(client.statement_proof(statement)), statement, policy)
    receipt = client.receipt(statement, size_of(world))
    assert receipt is not None
    verify_cose_receipt(receipt, entry=statement, key=world.office.log_key.key)
    assert client.receipt(Digest.of(b"nowhere"), size_of(world)) is None
    assert client.has_statement(statement)
    assert not client.has_statement(Digest.of(b"nowhere"))


def test_statements_come_with_their_places(world: World) -> None:
    rows = freelancer(world).statements(world.agent.engagement, size=size_of(world))
    assert 0 < len(rows) < PAGE
    bodies = {Statement.parse(body).digest for _, body in rows}
    assert offer_of(world) in bodies


def test_a_case_is_replayed_from_what_is_fetched(world: World) -> None:
    client, hearing = world.client(world.office.people.client), world.hearing
    data = client.case_statements(hearing.case.case)
    bodies = split_sequence(data, max_items=MOST_IN_CASE)
    assert [Statement.parse(one) for one in bodies] == hearing.told
    told = json.loads(client.case(hearing.case.case))
    assert (told["head"], told["you"]) == (str(hearing.case.head), Role.CLIENT.name.lower())
    assert [one["case"] for one in json.loads(client.cases())["cases"]] == [str(hearing.case.case)]


def test_where_to_be_told_is_kept_until_it_is_deleted(world: World) -> None:
    client = freelancer(world)
    client.put_contact(zone="Asia/Tokyo")
    assert json.loads(client.contact())["zone"] == "Asia/Tokyo"
    client.delete_contact()
    assert json.loads(client.contact())["zone"] is None
    refusal(lambda: client.put_contact(mail="freelancer@example.com"), 422)
    assert json.loads(client.notices())["notices"]


def test_a_stranger_is_told_that_there_is_nothing(world: World) -> None:
    stranger = world.client(world.office.people.operator)
    refusal(lambda: stranger.sealed(Digest.of(b"nothing")), 404)


def test_a_sealed_package_comes_back_as_it_was_put(world: World) -> None:
    address = freelancer(world).put_sealed(world.request, SEALED)
    assert address == f"{world.url}/v1/sealed/{world.request}"
    assert world.client(world.office.people.arbitrator).sealed(world.request) == SEALED


def test_a_link_signs_in_at_the_same_verifier(world: World) -> None:
    assert freelancer(world).sign_in_link().startswith(f"{world.url}/#signin=")


@pytest.mark.parametrize("body", [b"", b"[", b"[1]", b'"x"', b"7", b"{}"])
def test_an_answer_of_another_form_may_be_asked_again(body: bytes) -> None:
    answer = httpx.Response(200, content=body)
    client = VerifierClient("http://localhost", Mocked(lambda _request: answer))
    for ask in (client.sign_in_link, lambda: client.accept_invitation("t", "k")):
        with pytest.raises(UnreachableError, match=r"form|JSON"):
            ask()
