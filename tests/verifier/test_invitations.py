from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.asking import SignedBy
from support.browser import name_of
from support.office import LiveServer, Office, new_home, stranger_offer
from support.scripted import ScriptedAgent
from support.simulator import seeded
from workseal_protocol.keys import Algorithm, Role, SeedSigner
from workseal_verifier.api.access import COOKIE, write_token
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.invitations import DAY_MS, MAX_DAYS, MAX_USES
from workseal_verifier.services.signin import Root

GUEST, OTHER = SeedSigner(b"\x41" * 32), SeedSigner(b"\x42" * 32)
PATH = "/v1/invitations/accept"


@pytest.fixture
def client(office: Office) -> Iterator[httpx.Client]:
    with LiveServer(office) as live, httpx.Client(base_url=live.url, trust_env=False) as made:
        yield made


def accept(
    office: Office,
    client: httpx.Client,
    token: bytes,
    key: SeedSigner = GUEST,
    signer: SeedSigner | None = None,
) -> httpx.Response:
    body = {"token": write_token(token), "key": key.public_key.text()}
    auth = SignedBy(signer or key, lambda: office.now)
    return client.post(PATH, json=body, auth=auth)


def test_a_guest_names_a_key_and_may_sign_in(office: Office, client: httpx.Client) -> None:
    auth = SignedBy(GUEST, lambda: office.now)
    assert client.post("/v1/signin/links", auth=auth).status_code == 401
    token = office.verifier.invitations.make(Role.CLIENT, uses=1, days=1)
    answer = accept(office, client, token)
    assert answer.json() == {"role": "client"}
    assert client.post("/v1/signin/links", auth=auth).status_code == 201


def test_an_invitation_is_used_so_often_and_again_by_the_same_key(
    office: Office, client: httpx.Client
) -> None:
    token = office.verifier.invitations.make(Role.FREELANCER, uses=1, days=1)
    for _ in range(2):
        assert accept(office, client, token).status_code == 200
    assert name_of(accept(office, client, token, OTHER)) == "not-found"
    assert office.verifier.invitations.open() == []


def test_keys_that_nobody_knows_take_no_place_in_memory(
    office: Office, client: httpx.Client
) -> None:
    """Else whoever makes keys enough could stop everybody's signed requests."""
    nonces = office.verifier.services.prover._nonces
    token = office.verifier.invitations.make(Role.CLIENT, uses=1, days=1)
    for signer, status in ((GUEST, 200), (GUEST, 200), (OTHER, 404)):
        assert accept(office, client, token, signer).status_code == status
    assert not nonces._until


def test_a_key_whose_invitation_was_withdrawn_is_nobody_here(
    office: Office, client: httpx.Client
) -> None:
    """Its session ends with it; a key that terms name keeps what they give it."""
    ScriptedAgent(office)
    invitations = office.verifier.invitations
    party = office.people.client
    for signer in (GUEST, party):
        token = invitations.make(Role.CLIENT, uses=1, days=1)
        assert accept(office, client, token, signer).status_code == 200
    signin = office.verifier.services.signin
    begun = signin.begin(signin.link(GUEST.public_key.thumbprint, Root.KEY))
    headers = {"cookie": f"{COOKIE}={write_token(begun.token)}", "sec-fetch-site": "same-origin"}
    assert client.get("/v1/session", headers=headers).status_code == 200
    assert invitations.withdraw_key(GUEST.public_key)
    assert invitations.withdraw_key(party.public_key)
    assert client.get("/v1/session", headers=headers).status_code == 401
    for signer, status in ((GUEST, 401), (party, 201)):
        auth = SignedBy(signer, lambda: office.now)
        assert client.post("/v1/signin/links", auth=auth).status_code == status


def test_an_invitation_expires(office: Office, client: httpx.Client) -> None:
    token = office.verifier.invitations.make(Role.CLIENT, uses=9, days=1)
    assert len(office.verifier.invitations.open()) == 1
    office.now += DAY_MS
    assert name_of(accept(office, client, token)) == "not-found"
    assert office.verifier.invitations.open() == []


def test_the_key_that_is_named_signs(office: Office, client: httpx.Client) -> None:
    token = office.verifier.invitations.make(Role.CLIENT, uses=1, days=1)
    assert name_of(accept(office, client, token, signer=OTHER)) == "unproven"
    body = {"token": write_token(token), "key": GUEST.public_key.text()}
    assert name_of(client.post(PATH, json=body)) == "unproven"
    assert len(office.verifier.invitations.open()) == 1


def test_the_body_that_was_signed_is_the_one_that_counts(
    office: Office, client: httpx.Client
) -> None:
    """A signature over another body does not name this key."""
    token = office.verifier.invitations.make(Role.CLIENT, uses=1, days=1)
    body = {"token": write_token(token), "key": GUEST.public_key.text()}
    request = client.build_request("POST", PATH, json=body | {"token": "A" * 43})
    signed = next(SignedBy(GUEST, lambda: office.now).auth_flow(request)).headers
    fields = {name: signed[name] for name in ("signature-input", "signature", "content-digest")}
    answer = client.post(PATH, json=body, headers=fields)
    assert name_of(answer) == "unproven"
    assert len(office.verifier.invitations.open()) == 1


@pytest.mark.parametrize(
    "key",
    ["ed25519:x", "", SeedSigner(b"\x01" * 32, Algorithm.ML_DSA_44).public_key.text()],
    ids=["form", "empty", "other algorithm"],
)
def test_what_is_no_key_is_malformed(office: Office, client: httpx.Client, key: str) -> None:
    token = office.verifier.invitations.make(Role.CLIENT, uses=1, days=1)
    body = {"token": write_token(token), "key": key}
    auth = SignedBy(GUEST, lambda: office.now)
    assert name_of(client.post(PATH, json=body, auth=auth)) == "malformed"


def test_an_invited_key_reads_nothing_that_terms_do_not_give_it(
    office: Office, client: httpx.Client
) -> None:
    token = office.verifier.invitations.make(Role.CLIENT, uses=1, days=1)
    accept(office, client, token)
    office.post([stranger_offer(office, 1)])
    name = seeded(office.seed, "engagement", 1)[:16].hex()
    auth = SignedBy(GUEST, lambda: office.now)
    assert client.get(f"/v1/engagements/{name}/keys", auth=auth).status_code == 404


@pytest.mark.parametrize(("role", "allowed"), [(Role.CLIENT, True), (Role.FREELANCER, False)])
def test_where_only_invited_clients_offer_an_invitation_lets_one_in(
    tmp_path: Path, role: Role, *, allowed: bool
) -> None:
    office = Office(new_home(tmp_path, invited_only=True)).open()
    offer = stranger_offer(office, 1)
    with pytest.raises(RefusedError) as caught:
        office.post([offer])
    assert caught.value.reason is Reason.UNKNOWN_PARTY
    invitations = office.verifier.invitations
    token = invitations.make(role, uses=1, days=1)
    invitations.accept(token, SeedSigner(seeded(office.seed, "other client", 1)).public_key)
    if allowed:
        office.post([offer])
    else:
        with pytest.raises(RefusedError):
            office.post([offer])
    office.close()


def test_an_invitation_alone_changes_nothing_where_clients_are_listed(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path, clients=(OTHER.public_key.text(),))).open()
    invitations = office.verifier.invitations
    token = invitations.make(Role.CLIENT, uses=1, days=1)
    invitations.accept(token, SeedSigner(seeded(office.seed, "other client", 1)).public_key)
    with pytest.raises(RefusedError):
        office.post([stranger_offer(office, 1)])
    office.close()


@pytest.mark.parametrize(("uses", "days"), [(0, 1), (MAX_USES + 1, 1), (1, 0), (1, MAX_DAYS + 1)])
def test_an_invitation_is_bounded(office: Office, uses: int, days: int) -> None:
    with pytest.raises(ValueError, match="uses"):
        office.verifier.invitations.make(Role.CLIENT, uses=uses, days=days)
