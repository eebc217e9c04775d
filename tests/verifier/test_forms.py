from collections.abc import Iterator

import httpx
import pytest

from support.browser import name_of
from support.office import LiveServer, Office
from workseal_verifier.api.forms import MAX_FORM
from workseal_verifier.app import create_app


@pytest.fixture
def client(office: Office) -> Iterator[httpx.Client]:
    with LiveServer(office) as live:
        headers = {"origin": live.url, "sec-fetch-site": "same-origin"}
        with httpx.Client(base_url=live.url, trust_env=False, headers=headers) as made:
            yield made


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"\xff", "malformed"),
        (b"[" * 10_000, "malformed"),
        (b'{"token": "a", "token": "b", "secret": "canary"}', "malformed"),
        (b'{"token": ' + b" " * MAX_FORM + b'"a"}', "too-large"),
    ],
)
def test_what_is_no_form_is_a_problem_that_quotes_nothing(
    client: httpx.Client, body: bytes, name: str
) -> None:
    answer = client.post("/v1/signin", content=body)
    assert name_of(answer) == name
    assert "canary" not in answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/signin", '{"token": "%s", "token": "%s"}'),
        ("/v1/signin", '{"token": "%s", "\\u0074oken": "%s"}'),
        ("/v1/signin/passkey", '{"credential": {"id": "%s"}, "credential": {"id": "%s"}}'),
        ("/v1/signin/passkey", '{"credential": {"id": "%s", "id": "%s"}}'),
        ("/v1/signin/passkey", '{"credential": {"response": [{"x": "%s", "x": "%s"}]}}'),
    ],
)
def test_a_member_that_comes_twice_is_refused(client: httpx.Client, path: str, body: str) -> None:
    """Even twice the same, which whoever takes the last one would take."""
    answer = client.post(path, content=body % ("A" * 43, "A" * 43))
    assert name_of(answer) == "malformed"


def test_a_form_of_another_type_is_refused(client: httpx.Client) -> None:
    """What a page of another origin can send without asking first is no form."""
    answer = client.post(
        "/v1/signin", content=b'{"token": "a"}', headers={"content-type": "text/plain"}
    )
    assert name_of(answer) == "unsupported-media"


def test_each_form_is_described(office: Office) -> None:
    paths = create_app(office.verifier.settings, office.verifier).openapi()["paths"]
    for path in ("/v1/signin", "/v1/passkeys", "/v1/signin/passkey", "/v1/invitations/accept"):
        schema = paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert schema["additionalProperties"] is False
        assert schema["required"]
