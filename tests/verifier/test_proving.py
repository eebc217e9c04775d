"""Signed requests over HTTP: near in time, once, for this server, and by a key that counts."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select

from support.asking import SignedBy
from support.browser import name_of
from support.office import LiveServer, Office
from support.scripted import ScriptedAgent
from workseal_protocol.httpsignature import Target, sign_request
from workseal_protocol.keys import SeedSigner
from workseal_verifier.services.access import TABLE, Row, Shown
from workseal_verifier.services.replay import GRACE_MS, WINDOW_MS, NonceMemory
from workseal_verifier.store.schema import spent

UNKNOWN = SeedSigner(b"\x77" * 32)


@pytest.fixture
def client(office: Office) -> Iterator[httpx.Client]:
    with LiveServer(office) as live, httpx.Client(base_url=live.url, trust_env=False) as made:
        yield made


@pytest.fixture
def path(agent: ScriptedAgent) -> str:
    return f"/v1/engagements/{agent.engagement.hex()}/keys"


def signed(
    office: Office,
    client: httpx.Client,
    path: str,
    signer: SeedSigner | None = None,
    method: str = "GET",
) -> httpx.Request:
    """Give a request with a signature, which may be sent again or changed."""
    request = client.build_request(method, path)
    auth = SignedBy(signer or office.people.client, lambda: office.now)
    return next(auth.auth_flow(request))


def test_a_recorded_request_is_taken_once(office: Office, client: httpx.Client, path: str) -> None:
    request = signed(office, client, path)
    assert client.send(request).status_code == 200
    again = client.send(request)
    assert (again.status_code, name_of(again)) == (401, "stale")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/signin/links"), ("DELETE", "/v1/sessions"), ("DELETE", "/v1/passkeys")],
)
@pytest.mark.usefixtures("agent")
def test_a_recorded_change_is_taken_once_by_all_workers(
    office: Office, client: httpx.Client, method: str, path: str
) -> None:
    """Else who recorded a request for a link could have one of their own from another worker."""
    request = signed(office, client, path, method=method)
    assert client.send(request).status_code < 300
    # What another worker remembers of it.
    restart(office)
    again = client.send(request)
    assert (again.status_code, name_of(again)) == (401, "stale")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_read_that_was_signed_before_the_server_began_is_stale(
    office: Office, client: httpx.Client, path: str, method: str
) -> None:
    """It may have been taken by the process before this one, which nobody remembers."""
    recorded = signed(office, client, path, method=method)
    office.now += GRACE_MS + 1
    restart(office)
    assert client.send(recorded).status_code == 401
    office.now += GRACE_MS
    assert client.send(signed(office, client, path, method=method)).status_code == 200


@pytest.mark.usefixtures("agent")
def test_a_change_that_was_signed_before_the_server_began_is_taken(
    office: Office, client: httpx.Client
) -> None:
    """Whether it was taken before stands in the database."""
    change = signed(office, client, "/v1/signin/links", method="POST")
    office.now += GRACE_MS + 1
    restart(office)
    assert client.send(change).status_code == 201


def restart(office: Office) -> None:
    """Begin with an empty memory, as another process does."""
    office.verifier.services.prover._nonces = NonceMemory(office.clock)


@pytest.mark.parametrize("off_ms", [-WINDOW_MS - 1_000, WINDOW_MS + 1_000])
def test_a_request_of_another_time_is_stale(
    office: Office, client: httpx.Client, path: str, off_ms: int
) -> None:
    request = signed(office, client, path)
    office.now += off_ms
    assert name_of(client.send(request)) == "stale"


def test_a_stranger_learns_nothing_about_which_keys_there_are(
    office: Office, client: httpx.Client, path: str
) -> None:
    """An unknown key, a known one with another's signature, and no signature: one answer."""
    unknown = signed(office, client, path, UNKNOWN)
    forged = signed(office, client, path)
    forged.headers["signature"] = unknown.headers["signature"]
    answers = [client.send(one) for one in (unknown, forged, client.build_request("GET", path))]
    assert [name_of(one) for one in answers] == ["unproven"] * 3
    assert len({one.content for one in answers}) == 1


def test_a_signature_that_fails_uses_up_no_nonce(
    office: Office, client: httpx.Client, path: str
) -> None:
    """Else whoever saw a nonce could spoil the request that it belongs to."""
    request = signed(office, client, path)
    good = request.headers["signature"]
    request.headers["signature"] = signed(office, client, path, UNKNOWN).headers["signature"]
    assert name_of(client.send(request)) == "unproven"
    request.headers["signature"] = good
    assert client.send(request).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_request_that_the_table_refuses_leaves_nothing_behind(
    office: Office, client: httpx.Client, path: str, method: str
) -> None:
    """Else a guest who may nothing here could fill memory and database with refused requests."""
    request = signed(office, client, f"/v1/sealed/{'0' * 64}", method=method)
    for _ in range(2):
        assert name_of(client.send(request)) == "not-found"
    assert not office.verifier.services.prover._nonces._until
    with office.verifier.database.read() as connection:
        assert connection.execute(select(spent)).all() == []
    assert client.send(signed(office, client, path)).status_code == 200
    assert len(office.verifier.services.prover._nonces._until) == 1


@pytest.mark.usefixtures("agent")
def test_a_request_that_was_refused_is_taken_when_the_table_lets_it_in(
    office: Office, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = signed(office, client, "/v1/signin/links", method="POST")
    with monkeypatch.context() as patch:
        patch.setitem(TABLE, "POST /v1/signin/links", Row(Shown.SIGNATURE, {}))
        assert name_of(client.send(request)) == "unproven"
    assert client.send(request).status_code == 201
    assert name_of(client.send(request)) == "stale"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_a_request_for_another_server_is_not_taken_here(
    office: Office, client: httpx.Client, path: str, host: str
) -> None:
    """Whoever runs the other server must not use it here."""
    target = Target("GET", host, path)
    fields = sign_request(
        target, office.people.client, created=office.now // 1_000, nonce=bytes(16)
    )
    answer = client.get(path, headers={"host": host, **fields})
    assert (answer.status_code, name_of(answer)) == (421, "misdirected")
    answer = client.get(path, headers=fields)
    assert name_of(answer) == "unproven"


def test_another_address_under_the_same_signature_is_refused(
    office: Office, client: httpx.Client, path: str
) -> None:
    request = signed(office, client, path)
    for other in (f"/v1/engagements/{'0' * 32}/keys", path.replace("keys", "indices")):
        answer = client.get(other, headers=request.headers)
        assert name_of(answer) == "unproven"
    request = signed(office, client, path.replace("keys", "indices"))
    answer = client.get(f"{request.url.path}?size=1", headers=request.headers)
    assert name_of(answer) == "unproven"


def test_a_signature_is_for_the_method_that_was_asked_for(
    office: Office, client: httpx.Client, path: str
) -> None:
    """HEAD is answered as GET, yet neither's signature is the other's."""
    assert client.send(signed(office, client, path, method="HEAD")).status_code == 200
    headers = signed(office, client, path, method="HEAD").headers
    assert name_of(client.get(path, headers=headers)) == "unproven"
    headers = signed(office, client, path).headers
    assert client.head(path, headers=headers).status_code == 401


def test_two_signatures_are_none(office: Office, client: httpx.Client, path: str) -> None:
    request = signed(office, client, path)
    for name in ("signature", "signature-input"):
        twice = [*request.headers.raw, (name.encode(), request.headers[name].encode())]
        assert name_of(client.get(path, headers=twice)) == "malformed"
        once = {key: value for key, value in request.headers.items() if key != name}
        assert name_of(client.get(path, headers=once)) == "malformed"


def test_a_refusal_says_how_to_prove_oneself(client: httpx.Client, path: str) -> None:
    assert client.get(path).headers["www-authenticate"] == "Signature"
