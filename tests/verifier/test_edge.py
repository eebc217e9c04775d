"""Headers and methods that do not depend on the operation, for every operation."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.exchanges import Exchange, exchanges
from support.office import LiveServer, Office, new_home
from support.simulator import ROUND_MS
from workseal_verifier.api.edge import is_public
from workseal_verifier.api.routing import operations
from workseal_verifier.app import create_app
from workseal_verifier.services.access import TABLE, Shown

IMMUTABLE = "public, max-age=31536000, immutable"
FRESH, NEVER = "no-cache", "no-store"
CACHING = {
    "POST /v1/statements": NEVER,
    "GET /v1/statements/{name}": FRESH,
    "GET /v1/statements/{name}/receipt": NEVER,
    "POST /entries": NEVER,
    "GET /entries/{name}": NEVER,
    "GET /.well-known/scitt-keys": FRESH,
    "GET /.well-known/scitt-keys/{kid}": FRESH,
    "GET /v1/log/checkpoint": FRESH,
    "GET /v1/log/checkpoints/{size}": IMMUTABLE,
    "GET /v1/log/tile/{path:path}": IMMUTABLE,
    "POST /v1/log/proof": NEVER,
    "GET /v1/log/timestamps": FRESH,
    "GET /v1/log/tsa-ca.pem": FRESH,
    "GET /v1/engagements/{name}/statements": NEVER,
    "GET /v1/engagements/{name}/indices": NEVER,
    "GET /v1/cases": NEVER,
    "GET /v1/cases/{name}": NEVER,
    "GET /v1/cases/{name}/statements": NEVER,
    "GET /v1/notices": NEVER,
    "GET /v1/contact": NEVER,
    "PUT /v1/contact": NEVER,
    "DELETE /v1/contact": NEVER,
    "GET /v1/engagements/{name}/conflicts": NEVER,
    "GET /v1/engagements/{name}/keys": NEVER,
    "POST /v1/invitations/accept": NEVER,
    "POST /v1/signin/links": NEVER,
    "POST /v1/signin": NEVER,
    "POST /v1/signin/passkey/options": NEVER,
    "POST /v1/signin/passkey": NEVER,
    "GET /v1/session": NEVER,
    "DELETE /v1/session": NEVER,
    "DELETE /v1/sessions": NEVER,
    "POST /v1/passkeys/options": NEVER,
    "POST /v1/passkeys": NEVER,
    "DELETE /v1/passkeys": NEVER,
    "POST /v1/disclosures": NEVER,
    "PUT /v1/sealed/{name}": NEVER,
    "GET /v1/sealed/{name}": NEVER,
    "GET /v1/operator": FRESH,
    "GET /v1/beacon/{period}": FRESH,
    "GET /v1/beacon/{period}/{place}": IMMUTABLE,
    "GET /v1/beacon/drand/latest": FRESH,
    "GET /v1/beacon/drand/{place}": IMMUTABLE,
    "GET /healthz": FRESH,
    "GET /readyz": FRESH,
    "GET /openapi.json": FRESH,
}
# What a verifier in a browser, on a page of somebody else, can do.
PUBLIC = {
    "GET /openapi.json",
    "GET /.well-known/scitt-keys",
    "GET /.well-known/scitt-keys/{kid}",
    "GET /v1/log/checkpoint",
    "GET /v1/log/checkpoints/{size}",
    "GET /v1/log/tile/{path:path}",
    "POST /v1/log/proof",
    "GET /v1/log/timestamps",
    "GET /v1/log/tsa-ca.pem",
    "GET /v1/operator",
    "GET /v1/beacon/{period}",
    "GET /v1/beacon/{period}/{place}",
    "GET /v1/beacon/drand/latest",
    "GET /v1/beacon/drand/{place}",
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exchange]:
    return exchanges(tmp_path_factory.mktemp("examples"))


@pytest.fixture
def client(office: Office) -> Iterator[httpx.Client]:
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as made,
    ):
        yield made


def test_every_operation_says_how_long_it_may_be_kept(
    seen: dict[str, Exchange], tmp_path: Path
) -> None:
    routes = operations(create_app(new_home(tmp_path)).routes)
    # Of pages test_web tells it.
    real = {name for name, route in routes if route.include_in_schema}
    assert real == set(CACHING)
    told = {name: one.answer.headers["cache-control"] for name, one in seen.items()}
    assert told == CACHING


def test_pages_of_other_origins_read_what_anybody_may_and_nothing_else(
    seen: dict[str, Exchange],
) -> None:
    allow = "access-control-allow-origin"
    told = {
        name: one.answer.headers[allow] for name, one in seen.items() if allow in one.answer.headers
    }
    assert told == dict.fromkeys(PUBLIC, "*")


def test_what_any_page_may_read_is_told_to_whoever_asks() -> None:
    assert {TABLE[name].shown for name in PUBLIC} == {Shown.NOTHING}


def test_no_answer_varies_by_origin_and_none_but_a_sign_in_sets_a_cookie(
    seen: dict[str, Exchange],
) -> None:
    for one in seen.values():
        assert one.answer.headers.get("vary", "accept") == "accept"
    setting = {name for name, one in seen.items() if "set-cookie" in one.answer.headers}
    assert setting == {
        "POST /v1/signin",
        "POST /v1/signin/passkey",
        "DELETE /v1/session",
        "DELETE /v1/sessions",
        "DELETE /v1/passkeys",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/v1/log/checkpoint",
        "/v1/log/tile/0/000.p/3",
        "/v1/log/tile/entries/000.p/2",
        "/v1/operator",
        "/healthz",
        "/v1/log/tile/0/001",
        "/v1/nowhere",
    ],
)
def test_head_is_get_without_a_body(client: httpx.Client, path: str) -> None:
    asked, head = client.get(path), client.head(path)
    assert head.content == b""
    assert head.status_code == asked.status_code
    ignored = {"date"}
    assert {k: v for k, v in head.headers.items() if k not in ignored} == {
        k: v for k, v in asked.headers.items() if k not in ignored
    }
    # The connection is still in step.
    assert client.get("/healthz").text == "ok"


def test_head_knows_no_address_that_get_does_not(client: httpx.Client) -> None:
    answer = client.head("/v1/statements")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "OPTIONS, POST"


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/v1/log/checkpoint", "GET, HEAD, OPTIONS"),
        ("/v1/log/proof", "OPTIONS, POST"),
        (f"/v1/sealed/{'0' * 64}", "GET, HEAD, OPTIONS, PUT"),
        ("/entries", "OPTIONS, POST"),
    ],
)
def test_options_lists_what_an_address_knows(client: httpx.Client, path: str, allow: str) -> None:
    answer = client.options(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == allow


def test_options_of_nothing_is_not_found(client: httpx.Client) -> None:
    assert client.options("/v1/nowhere").status_code == 404


def test_a_page_of_another_origin_may_ask_for_proofs(client: httpx.Client) -> None:
    asking = {
        "origin": "https://verify.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    answer = client.options("/v1/log/proof", headers=asking)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "content-type"
    for path in ("/v1/statements", "/entries", "/v1/disclosures"):
        refused = client.options(path, headers=asking)
        assert not [name for name in refused.headers if name.startswith("access-control")]


def test_a_page_of_another_origin_reads_problems_too(client: httpx.Client) -> None:
    answer = client.get(f"/v1/beacon/{ROUND_MS}/999999999999")
    assert answer.status_code == 404
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "path",
    ["/v1/log/tile/0/001", "/v1/log/checkpoints/99", "/v1/beacon/7", "/entries/x", "/nowhere"],
)
def test_no_cache_keeps_a_problem(client: httpx.Client, path: str) -> None:
    """A tile that is not there yet would stay missing for everybody behind a proxy."""
    answer = client.get(path)
    assert answer.status_code >= 400
    assert answer.headers["cache-control"] == "no-store"


def test_what_is_public_is_told_by_the_address() -> None:
    assert is_public("/v1/log/anything")
    assert not is_public("/v1/statements")
    assert not is_public("/v1/engagements/x/statements")
    assert not is_public("/entries")


@pytest.mark.parametrize(
    "query",
    ["?size=1", "?old=0&old=1", "?old=0&x=1", "?=1"],
)
def test_an_unknown_or_doubled_parameter_is_refused(client: httpx.Client, query: str) -> None:
    answer = client.post("/v1/statements" + query, content=b"\xa0")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "expected query parameters: old, each once"


def test_every_operation_refuses_an_unknown_parameter(
    client: httpx.Client, seen: dict[str, Exchange]
) -> None:
    for one in seen.values():
        path = one.path + ("&" if "?" in one.path else "?") + "x=1"
        answer = client.request(one.method, path, content=one.body)
        assert answer.status_code == 400, one.operation


def test_a_packed_body_is_told_so(client: httpx.Client, seen: dict[str, Exchange]) -> None:
    for one in (seen["POST /v1/statements"], seen["POST /entries"], seen["POST /v1/log/proof"]):
        told = {"content-type": one.media}
        for coding in ("gzip", "identity, gzip", "GZIP"):
            headers = told | {"content-encoding": coding}
            answer = client.post(one.path, content=one.body, headers=headers)
            assert answer.status_code == 415, one.operation
        headers = told | {"content-encoding": "identity"}
        assert client.post(one.path, content=one.body, headers=headers).status_code != 415


def test_no_browser_guesses_what_an_answer_is(
    client: httpx.Client, seen: dict[str, Exchange]
) -> None:
    for one in seen.values():
        if one.answer.content:
            assert one.answer.headers["x-content-type-options"] == "nosniff", one.operation
    for answer in (client.get("/v1/nothing"), client.post("/v1/statements", content=b"\xa0")):
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_body_of_another_type_is_refused(
    client: httpx.Client, seen: dict[str, Exchange]
) -> None:
    sent = [one for one in seen.values() if one.media]
    assert len(sent) == 10
    page = {"origin": str(client.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
    for one in sent:
        if TABLE[one.operation].shown in {Shown.PARTY, Shown.SESSION, Shown.KEY}:
            continue  # nobody is let in here: the door comes before the body
        for media in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
            if media == one.media:
                continue
            headers = page | {"content-type": media}
            answer = client.request(one.method, one.path, content=one.body, headers=headers)
            assert answer.status_code == 415, one.operation
