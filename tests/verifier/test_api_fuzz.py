"""Requests drawn from the OpenAPI description against a real server: nothing undocumented, no 5xx.

Each is asked by a party, the operator, a key that nobody knows, or without a signature, by chance.
No browser's session is among them. Twelve for each operation; in the long form, on a desk, more
than 10,000 in all:

    WORKSEAL_LONG=1 pytest -rP tests/verifier/test_api_fuzz.py

What has no part that can vary is asked once; the last test writes how many there were.
"""

import os
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks

from support import bodies
from support.bodies import Deep, deepen, known_names
from support.office import LiveServer, Office, new_home
from support.simulator import START
from support.viewed import view
from workseal_protocol.httpsignature import NONCE_BYTES, Target, sign_request
from workseal_protocol.keys import SeedSigner, Signer
from workseal_verifier.api.openapi.operations import OPERATIONS

ASKED: Counter[int] = Counter()
ASKING: Counter[str] = Counter()
# WORKSEAL_LONG=1 asks more than 10,000 requests.
CASES = 450 if os.environ.get("WORKSEAL_LONG") else 12
CBOR_MEDIA = (
    "application/cbor",
    "application/cbor-seq",
    "application/concise-problem-details+cbor",
    "application/cose",
    "application/scitt-receipt+cose",
    "application/scitt-statement+cose",
    "application/octet-stream",
    "application/x-pem-file",
    "text/plain",
)
# Which of the known names a variable part may be.
KNOWN = {
    "GET /v1/statements/{name}": "statement",
    "GET /v1/statements/{name}/receipt": "statement",
    "GET /entries/{name}": "statement",
    "GET /v1/engagements/{name}/statements": "engagement",
    "GET /v1/engagements/{name}/indices": "engagement",
    "GET /v1/engagements/{name}/conflicts": "engagement",
    "GET /v1/engagements/{name}/keys": "engagement",
    "GET /v1/sealed/{name}": "request",
    "PUT /v1/sealed/{name}": "request",
    "size": "size",
    "path": "tile",
    "period": "period",
    "place": "round",
    "kid": "kid",
    "from": "size",
    "to": "size",
    "old": "size",
}
CHECKS: list[Any] = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
]


@schemathesis.serializer(*CBOR_MEDIA)
def _serialize(_context: Any, value: bytes) -> bytes:
    return value


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deep]:
    office = Office(new_home(tmp_path_factory.mktemp("fuzz"))).open()
    office.now = START
    yield deepen(office)
    assert office.check() == []
    office.close()


@pytest.fixture(scope="module")
def live(deep: Deep) -> Iterator[LiveServer]:
    with LiveServer(deep.office) as server:
        yield server


def body_of(name: str, deep: Deep) -> st.SearchStrategy[bytes] | None:
    drawn = {
        "POST /v1/statements": bodies.statements,
        "POST /entries": bodies.statement,
        "POST /v1/log/proof": bodies.proof_request,
        "POST /v1/disclosures": bodies.package,
    }
    if name == "PUT /v1/sealed/{name}":
        return bodies.sealed()
    return drawn[name](deep) if name in drawn else None


def operation_of(live: LiveServer, name: str) -> Any:
    schema = schemathesis.openapi.from_url(f"{live.url}/openapi.json")
    method, _, path = name.partition(" ")
    return schema[path][method]


def check_body(live: LiveServer, name: str, response: Response) -> None:
    """Check the body against its schema; the library's own check loses `prefixItems` on its way."""
    method, _, path = name.partition(" ")
    answers = live.app.openapi()["paths"][path][method.lower()]["responses"]
    content = answers[str(response.status_code)].get("content", {})
    if not content:
        assert response.content == b""
        return
    media = response.headers["content-type"][0]
    schema = content[media.partition(";")[0]]["schema"]
    jsonschema_rs.validate(schema, view(media, response.content))


def put_known(draw: st.DataObject, name: str, case: Any, known: dict[str, list[str]]) -> None:
    """Let a part of the requests name what exists."""
    for values in (case.path_parameters, case.query):
        for part in values or ():
            kind = KNOWN.get(part, KNOWN.get(name, ""))
            if kind and draw.draw(st.booleans()):
                values[part] = draw.draw(st.sampled_from(known[kind]))


class PartyAuth(requests.auth.AuthBase):
    """Sign as a party, so that what is asked goes behind the door."""

    def __init__(self, signer: Signer, now_ms: Callable[[], int]) -> None:
        self._signer = signer
        self._now_ms = now_ms

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        parts = urlsplit(str(request.url))
        target = Target(str(request.method), parts.netloc, parts.path, f"?{parts.query}")
        body = request.body or b""
        assert isinstance(body, bytes | str)
        fields = sign_request(
            target,
            self._signer,
            created=self._now_ms() // 1000,
            nonce=secrets.token_bytes(NONCE_BYTES),
            body=body.encode() if isinstance(body, str) else body,
        )
        request.headers.update(fields)
        return request


def sessions(deep: Deep) -> dict[str, requests.Session]:
    """Give one session for each who may ask: parties, operator, a key nobody knows, and nobody."""
    people = deep.office.people
    signers = {
        "freelancer": people.freelancer,
        "client": people.client,
        "arbitrator": people.arbitrator,
        "operator": people.operator,
        "stranger": SeedSigner(b"\x77" * 32),
    }
    made = {"nobody": requests.Session()}
    for who, signer in signers.items():
        made[who] = requests.Session()
        made[who].auth = PartyAuth(signer, lambda: deep.office.now)
    for session in made.values():
        session.trust_env = False
    return made


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", OPERATIONS)
def test_answers_as_it_is_described(
    live: LiveServer, deep: Deep, name: str, mode: GenerationMode
) -> None:
    operation = operation_of(live, name)
    drawn = body_of(name, deep)
    if not list(operation.iter_parameters()):
        mode = GenerationMode.POSITIVE  # no part of the address can be wrong
    options = {} if drawn is None else {"body": b"", "media_type": operation.body[0].media_type}
    known = known_names(deep)
    seen: set[int] = set()
    asking = sessions(deep)
    # One of those who may, half of the time: else nearly nothing would go behind the door.
    reader = "arbitrator" if name == "GET /v1/sealed/{name}" else "freelancer"

    @settings(
        max_examples=CASES // 2,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode, **options), draw=st.data())
    def ask(case: Any, draw: st.DataObject) -> None:
        if drawn is not None:
            case.body = draw.draw(drawn)
        if mode.is_positive or draw.draw(st.booleans()):
            put_known(draw, name, case, known)
        anybody = st.sampled_from(sorted(asking))
        who = reader if draw.draw(st.booleans()) else draw.draw(anybody)
        response = case.call(base_url=live.url, session=asking[who])
        seen.add(response.status_code)
        ASKED[response.status_code] += 1
        ASKING[who] += 1
        assert response.status_code < 500, response.text
        case.validate_response(response, checks=CHECKS)
        check_body(live, name, response)

    ask()
    if drawn is not None and CASES > 400:
        # What is drawn goes deep: of so much, some is taken and some is not.
        assert min(seen) < 300
        assert max(seen) >= 400


def test_an_undescribed_answer_would_be_noticed(
    live: LiveServer, deep: Deep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks can fail: an answer in another form than the description's."""
    reader = deep.office.verifier.services.reader
    monkeypatch.setattr(type(reader), "cose_receipt", lambda *_: b"short")
    operation = operation_of(live, "GET /entries/{name}")
    case = operation.Case(path_parameters={"name": known_names(deep)["statement"][0]})
    session = sessions(deep)["freelancer"]
    response = case.call(base_url=live.url, session=session)
    case.validate_response(response, checks=CHECKS)
    with pytest.raises(jsonschema_rs.ValidationError):
        check_body(live, "GET /entries/{name}", response)
    response.headers["content-type"] = ["text/html"]
    with pytest.raises(BaseExceptionGroup):
        case.validate_response(response, checks=CHECKS)


def test_all_of_it_was_asked() -> None:
    told = ", ".join(f"{status}: {count}" for status, count in sorted(ASKED.items()))
    by = ", ".join(f"{who}: {count}" for who, count in sorted(ASKING.items()))
    sys.stdout.write(f"{ASKED.total()} requests; {told}; {by}\n")
    assert ASKED.total() > len(OPERATIONS)
