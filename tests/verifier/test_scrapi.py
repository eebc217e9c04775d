from collections.abc import Iterator
from dataclasses import replace

import cbor2
import httpx
import pytest

from support.asking import SignedBy
from support.office import LiveServer, Office, stranger_offer
from support.simulator import seeded
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import decode
from workseal_protocol.keys import SeedSigner
from workseal_protocol.receipt import SubmissionAnswer, cose_receipt_place, verify_cose_receipt
from workseal_verifier.api.problems import CONCISE, PREFIX, TABLE
from workseal_verifier.errors import Reason


@pytest.fixture
def client(office: Office) -> Iterator[httpx.Client]:
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as made,
    ):
        yield made


@pytest.fixture
def own(office: Office) -> SignedBy:
    """Sign as the client whose offer is registered."""
    signer = SeedSigner(seeded(office.seed, "other client", 1))
    return SignedBy(signer, lambda: office.now)


def check_concise(answer: httpx.Response, reason: Reason) -> str:
    """RFC 9290: title, detail, and what a problem of ours says beyond, under its type."""
    assert answer.headers["content-type"] == CONCISE
    value = cbor2.loads(answer.content)
    status, title = TABLE[reason]
    assert answer.status_code == status
    detail: str = value.pop(-2)
    assert value == {-1: title, PREFIX + reason: {"status": status}}
    return detail


@pytest.mark.parametrize("media", ["application/cose", "application/scitt-statement+cose", ""])
def test_a_statement_is_registered_and_its_receipt_verifies(
    office: Office, client: httpx.Client, own: SignedBy, media: str
) -> None:
    offer = stranger_offer(office, 1)
    headers = {"content-type": media} if media else {}
    answer = client.post("/entries", content=offer.encode(), headers=headers)
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/scitt-receipt+cose"
    key = office.log_key.key
    root = verify_cose_receipt(answer.content, entry=offer.digest, key=key)
    assert root == office.checkpoint().checkpoint.root
    fetched = client.get(answer.headers["location"], auth=own)
    assert fetched.status_code == 200
    assert verify_cose_receipt(fetched.content, entry=offer.digest, key=key) == root


def test_the_same_bytes_are_the_same_entry_whichever_way_they_come(
    office: Office, client: httpx.Client
) -> None:
    offer = stranger_offer(office, 1)
    first = client.post("/entries", content=offer.encode())
    again = client.post("/entries", content=offer.encode())
    batch = client.post("/v1/statements", content=offer.encode())
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.headers["location"] == again.headers["location"] == f"/entries/{offer.digest}"
    (place,) = SubmissionAnswer.parse(batch.content).indices
    assert {cose_receipt_place(one.content)[1] for one in (first, again)} == {place}
    assert office.check() == []


@pytest.mark.parametrize(
    ("accept", "told"),
    [
        ("", "application/scitt-receipt+cose"),
        ("*/*", "application/scitt-receipt+cose"),
        ("application/cbor, application/cose", "application/cose"),
        (
            "application/cose;q=0.5, application/scitt-receipt+cose",
            "application/scitt-receipt+cose",
        ),
    ],
)
def test_a_receipt_is_named_as_the_client_knows_it(
    office: Office, client: httpx.Client, own: SignedBy, accept: str, told: str
) -> None:
    offer = stranger_offer(office, 1)
    headers = {"accept": accept}
    posted = client.post("/entries", content=offer.encode(), headers=headers)
    fetched = client.get(f"/entries/{offer.digest}", headers=headers, auth=own)
    assert posted.headers["content-type"] == fetched.headers["content-type"] == told
    assert fetched.headers["vary"] == "accept"


def test_the_key_set_verifies_receipts_by_their_own_name(
    office: Office, client: httpx.Client
) -> None:
    answer = client.get("/.well-known/scitt-keys")
    assert answer.headers["content-type"] == "application/cbor"
    key = office.log_key.key
    expected = {1: 1, 2: key.thumbprint.raw, 3: -8, -1: 6, -2: key.raw}
    assert decode(answer.content) == [expected]
    name = key.uri.rpartition(":")[2]
    assert decode(client.get(f"/.well-known/scitt-keys/{name}").content) == expected
    for other in (name + "=", key.thumbprint.raw.hex(), "x"):
        check_concise(client.get(f"/.well-known/scitt-keys/{other}"), Reason.NOT_FOUND)


def test_an_entry_is_for_the_parties_whom_its_receipt_would_name(
    office: Office, client: httpx.Client, own: SignedBy
) -> None:
    offer = stranger_offer(office, 1)
    path = f"/entries/{offer.digest}"
    assert client.post("/entries", content=offer.encode()).status_code == 201
    closed = client.get(path)
    check_concise(closed, Reason.UNPROVEN)
    assert closed.headers["www-authenticate"] == "Signature"
    assert client.post("/entries", content=stranger_offer(office, 2).encode()).status_code == 201
    other = SeedSigner(seeded(office.seed, "other client", 2))
    hidden = client.get(path, auth=SignedBy(other, lambda: office.now))
    nothing = client.get(f"/entries/{Digest.of(b'none')}", auth=own)
    check_concise(hidden, Reason.NOT_FOUND)
    assert hidden.content == nothing.content
    assert client.get(path, auth=own).status_code == 200


def test_head_is_signed_as_head_and_lets_in_whom_get_does(
    office: Office, client: httpx.Client, own: SignedBy
) -> None:
    offer = stranger_offer(office, 1)
    path = f"/entries/{offer.digest}"
    assert client.post("/entries", content=offer.encode()).status_code == 201
    assert client.head(path).status_code == 401
    answer = client.head(path, auth=own)
    assert (answer.status_code, answer.content) == (200, b"")
    request = next(own.auth_flow(client.build_request("GET", path)))
    assert client.head(path, headers=request.headers).status_code == 401
    # What an address knows does not depend on what is there.
    told = [client.options(one) for one in (path, f"/entries/{Digest.of(b'none')}")]
    assert told[0].headers["allow"] == told[1].headers["allow"] == "GET, HEAD, OPTIONS"


def test_problems_are_concise(office: Office, client: httpx.Client, own: SignedBy) -> None:
    offer = stranger_offer(office, 1)
    false = replace(offer, signature=bytes(64))
    for body, reason in (
        (b"", Reason.MALFORMED),
        (b"\xa0", Reason.MALFORMED),
        (offer.encode() * 2, Reason.MALFORMED),
        (false.encode(), Reason.REFUSED),
        (bytes(65_537), Reason.TOO_LARGE),
    ):
        check_concise(client.post("/entries", content=body), reason)
    wrong = {"content-type": "application/cbor"}
    check_concise(client.post("/entries", content=b"", headers=wrong), Reason.MEDIA)
    check_concise(client.get(f"/entries/{Digest.of(b'none')}", auth=own), Reason.UNPROVEN)
    check_concise(client.get("/entries/x"), Reason.MALFORMED)
    check_concise(client.get("/entries"), Reason.NOT_ALLOWED)
    check_concise(client.get("/entries/x/y"), Reason.NOT_FOUND)
