"""The OpenAPI description: complete, true, and what real answers keep to."""

import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from fastapi import APIRouter

from support.examples import FILE, encode, examples_of
from support.office import LiveServer, Office, new_home
from workseal_verifier.api import openapi
from workseal_verifier.api.openapi.operations import COMMON, DOORS, OPERATIONS
from workseal_verifier.api.openapi.schemas import octets
from workseal_verifier.api.problems import PREFIX, TABLE
from workseal_verifier.api.routing import operations
from workseal_verifier.app import create_app
from workseal_verifier.errors import Reason, VerifierError
from workseal_verifier.services.access import Shown

SIGNED = {Reason.UNPROVEN, Reason.STALE, Reason.WAITING, Reason.MISDIRECTED}
CARRIED = {Reason.UNPROVEN, Reason.CROSS_SITE, Reason.WAITING, Reason.MISDIRECTED}
AT_THE_DOOR: dict[Shown, set[Reason]] = {
    Shown.NOTHING: set(),
    Shown.CONTENT: set(),
    Shown.SIGNATURE: SIGNED,
    Shown.SESSION: CARRIED,
    Shown.KEY: SIGNED | CARRIED,
    Shown.PARTY: SIGNED | CARRIED | {Reason.NOT_FOUND},
}


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    app = create_app(new_home(tmp_path_factory.mktemp("home")))
    description: dict[str, Any] = json.loads(json.dumps(app.openapi()))
    return description


def told(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


def contents(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """List what stands under each media type of a request and its answers."""
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    return [one for body in bodies for one in body.get("content", {}).values()]


def test_is_openapi_3_1(described: dict[str, Any]) -> None:
    assert described["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(described).validate()


def test_describes_every_route_and_nothing_else(described: dict[str, Any], tmp_path: Path) -> None:
    routes = operations(create_app(new_home(tmp_path)).routes)
    # Pages are for people, and change with what people need.
    real = {name for name, route in routes if route.include_in_schema}
    assert set(told(described)) == {name.replace(":path", "") for name in real}


def test_every_request_answer_and_problem_has_an_example(described: dict[str, Any]) -> None:
    for name, operation in told(described).items():
        assert operation["summary"].endswith("."), name
        for content in contents(operation):
            assert "example" in content or content["examples"], name
        for parameter in operation.get("parameters", []):
            if parameter["required"]:
                assert parameter["example"], name


def test_a_page_of_an_engagement_may_be_empty(described: dict[str, Any]) -> None:
    """There may be nothing at or after an index, of a log below a size."""
    for part in ("statements", "indices"):
        answer = told(described)[f"GET /v1/engagements/{{name}}/{part}"]["responses"]["200"]
        (content,) = answer["content"].values()
        jsonschema_rs.validate(content["schema"], [])


def test_every_example_is_of_its_schema(described: dict[str, Any]) -> None:
    count = 0
    for operation in told(described).values():
        for parameter in operation.get("parameters", []):
            if "example" in parameter:
                jsonschema_rs.validate(parameter["schema"], parameter["example"])
        for content in contents(operation):
            examples = [one["value"] for one in content.get("examples", {}).values()]
            for example in [content["example"]] if "example" in content else examples:
                jsonschema_rs.validate(content["schema"], example)
                count += 1
    assert count > 200


def test_the_examples_are_what_a_verifier_answers(tmp_path: Path) -> None:
    """Regenerate with `python tests/support/examples.py` after a change that means it."""
    assert FILE.read_text() == encode(examples_of(tmp_path))


def test_every_problem_of_an_operation_is_told(described: dict[str, Any]) -> None:
    for name, operation in told(described).items():
        row = DOORS[name]
        asked = (*COMMON, *OPERATIONS[name].refuses, *AT_THE_DOOR[row.shown])
        wanted = {PREFIX + reason for reason in asked}
        wanted |= {PREFIX + Reason.NOT_FRESH} if row.sensitive else set()
        found = {
            kind
            for status, answer in operation["responses"].items()
            if int(status) >= 400
            for kind in answer["content"]["application/problem+json"]["schema"]["properties"][
                "type"
            ]["enum"]
        }
        assert found == wanted, name


def test_every_kind_of_problem_is_told_somewhere(described: dict[str, Any]) -> None:
    text = json.dumps(described)
    # What no route answers: an address that knows the method not.
    assert {reason for reason in TABLE if f'"{PREFIX}{reason}"' not in text} == {Reason.NOT_ALLOWED}


def test_is_served(office: Office) -> None:
    with LiveServer(office) as live:
        assert live.app.state.description._text == b"", "written before anybody asked"
        answer = httpx.get(f"{live.url}/openapi.json", trust_env=False)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == json.loads(json.dumps(live.app.openapi()))


def test_nothing_is_left_undescribed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(new_home(tmp_path))
    extra = APIRouter()
    extra.get("/extra")(lambda: None)
    with pytest.raises(VerifierError, match="GET /extra is not described"):
        openapi.Description([*app.routes, *extra.routes])
    rows = {**OPERATIONS, "DELETE /entries": OPERATIONS["POST /entries"]}
    monkeypatch.setattr(openapi, "OPERATIONS", rows)
    with pytest.raises(VerifierError, match="no operation DELETE /entries exists"):
        openapi.Description(app.routes)


def test_lengths_are_those_of_the_bytes() -> None:
    schema = dict(octets(2, 4, each=2))
    for good in ("0011", "00112233"):
        jsonschema_rs.validate(schema, good)
    for bad in ("", "00", "001122", "0011223344", "00AA"):
        with pytest.raises(jsonschema_rs.ValidationError):
            jsonschema_rs.validate(schema, bad)
