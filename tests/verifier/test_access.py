"""The table, its page, and every cell of it against the running application."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cbor2
import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from support.asking import SignedBy
from support.hearings import Hearing
from support.office import LiveServer, Office, new_home, stranger_offer, unique
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, START, seeded
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import Offer, sign
from workseal_verifier.api.access import COOKIE, HIDDEN, write_token
from workseal_verifier.api.pageform import HTML
from workseal_verifier.api.problems import CONCISE, PREFIX
from workseal_verifier.api.routing import operations
from workseal_verifier.app import create_app
from workseal_verifier.errors import VerifierError
from workseal_verifier.services.access import (
    TABLE,
    About,
    Row,
    Shown,
    Standing,
    State,
    Verdict,
    Who,
    decide,
)
from workseal_verifier.services.signin import Root

PAGE = Path(__file__).resolve().parents[2] / "docs" / "spec" / "access.md"
# One row for the operations that are alike.
ROW = re.compile(r"^\| ((?:(?:, )?`[A-Z]+ /\S*`)+)( \(sensitive\))? \|(.+)\|$", re.MULTILINE)
OPERATION = re.compile(r"`([^`]*)`")
CELLS = {
    "yes": frozenset(State),
    "no": frozenset[State](),
    "offered": frozenset({State.OFFERED, State.ACCEPTED, State.DISPUTED}),
    "disputed": frozenset({State.DISPUTED}),
}
WHO = (Who.FREELANCER, Who.CLIENT, Who.ARBITRATOR, Who.OPERATOR, Who.PUBLIC)
NOBODY = SeedSigner(b"\x77" * 32)
DOOR = {"unproven", "stale", "waiting", "not-fresh", "cross-site", "misdirected"}
SEALED = bytes(2_000)


def unnamed(operation: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", operation)


# --- the table, as code and as page ---


def test_every_operation_has_its_row_and_every_row_its_operation(tmp_path: Path) -> None:
    real = [name for name, _ in operations(create_app(new_home(tmp_path)).routes)]
    assert sorted(real) == sorted(TABLE)


def test_an_operation_without_a_row_is_not_answered(office: Office) -> None:
    with LiveServer(office) as live, httpx.Client(base_url=live.url, trust_env=False) as client:
        live.app.add_api_route("/v1/forgotten", lambda: "what nobody thought about")
        assert "GET /v1/forgotten" in dict(operations(live.app.routes))
        answer = client.get("/v1/forgotten")
    assert answer.status_code == 500
    assert "nobody thought" not in answer.text


async def forgotten(*_: object) -> PlainTextResponse:
    return PlainTextResponse("what nobody thought about")


@pytest.mark.parametrize(
    ("route", "told"),
    [
        (Route("/v1/forgotten", forgotten), "a route of another kind: Route"),
        (Mount("/v1/forgotten", routes=[Route("/", forgotten)]), "a route of another kind: Mount"),
        (WebSocketRoute("/v1/forgotten", forgotten), "a route of another kind: WebSocketRoute"),
        (APIRoute("/v1/forgotten", forgotten), "GET /v1/forgotten has no row"),
        (APIRoute("/healthz", forgotten, methods=["DELETE"]), "DELETE /healthz has no row"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_no_application_is_made_with_a_route_that_the_door_does_not_stand_before(
    office: Office, monkeypatch: pytest.MonkeyPatch, route: BaseRoute, told: str
) -> None:
    settings, verifier = office.verifier.settings, office.verifier
    plain = FastAPI.include_router

    def also(app: FastAPI, router: APIRouter) -> None:
        plain(app, router)
        if route not in app.router.routes:
            app.router.routes.append(route)

    monkeypatch.setattr(FastAPI, "include_router", also)
    with pytest.raises(VerifierError, match=told):
        create_app(settings, verifier)


@pytest.mark.parametrize(
    ("shown", "status"), [(Shown.SESSION, 401), (Shown.SIGNATURE, 200), (Shown.KEY, 200)]
)
def test_the_row_alone_says_what_is_shown(
    office: Office, monkeypatch: pytest.MonkeyPatch, shown: Shown, status: int
) -> None:
    """Not the route: one that takes whoever is let in is guarded all the same."""
    ScriptedAgent(office)
    row = Row(shown, {Who.CLIENT: frozenset(State)})
    monkeypatch.setitem(TABLE, "GET /v1/new", row)
    with LiveServer(office) as live, httpx.Client(base_url=live.url, trust_env=False) as client:
        live.app.add_api_route("/v1/new", lambda: "in")
        auth = SignedBy(office.people.client, lambda: office.now)
        assert client.get("/v1/new", auth=auth).status_code == status
        auth = SignedBy(office.people.freelancer, lambda: office.now)
        assert client.get("/v1/new", auth=auth).status_code == 401


def test_the_page_has_the_table() -> None:
    told: dict[str, tuple[str, bool, dict[Who, frozenset[State]]]] = {}
    for named, sensitive, line in ROW.findall(PAGE.read_text()):
        shown, *states = (cell.strip() for cell in line.split("|"))
        cells = {who: CELLS[state] for who, state in zip(WHO, states, strict=True)}
        for operation in OPERATION.findall(named):
            assert told.setdefault(operation, row := (shown, bool(sensitive), cells)) is row
    real = {
        unnamed(operation): (
            row.shown.value,
            row.sensitive,
            {who: row.cells.get(who, frozenset()) for who in WHO},
        )
        for operation, row in TABLE.items()
    }
    assert told == real


# --- the decision ---


@pytest.mark.parametrize(
    ("standings", "fresh", "verdict"),
    [
        ([Standing(Who.FREELANCER, State.DISPUTED)], True, Verdict.ALLOWED),
        ([Standing(Who.FREELANCER, State.DISPUTED)], False, Verdict.NOT_FRESH),
        ([Standing(Who.FREELANCER, State.DISPUTED, from_ms=11)], True, Verdict.WAITING),
        ([Standing(Who.FREELANCER, State.DISPUTED, from_ms=10)], True, Verdict.ALLOWED),
        ([Standing(Who.FREELANCER, State.ACCEPTED)], True, Verdict.HIDDEN),
        ([Standing(Who.CLIENT, State.DISPUTED)], True, Verdict.HIDDEN),
        ([Standing()], True, Verdict.HIDDEN),
        ([], True, Verdict.HIDDEN),
        ([Standing(), Standing(Who.FREELANCER, State.DISPUTED)], True, Verdict.ALLOWED),
        # Who waits in vain hears nothing of the waiting.
        ([Standing(Who.CLIENT, State.DISPUTED, from_ms=11)], True, Verdict.HIDDEN),
    ],
)
def test_the_decision(standings: list[Standing], fresh: bool, verdict: Verdict) -> None:  # noqa: FBT001
    row = Row(Shown.PARTY, {Who.FREELANCER: CELLS["disputed"]}, About.REQUEST, sensitive=True)
    assert decide(row, standings, fresh=fresh, now_ms=10) is verdict


# --- every cell against the running application ---


@dataclass(frozen=True)
class World:
    """Three engagements of the same people, one in each state, and what names them."""

    office: Office
    client: httpx.Client
    url: str
    names: dict[tuple[About, State], str]

    def signer(self, who: Who) -> SeedSigner:
        if who is Who.PUBLIC:
            return NOBODY
        signer: SeedSigner = getattr(self.office.people, who.value)
        return signer

    def ask(self, operation: str, means: str, who: Who, state: State) -> httpx.Response:
        """Ask as somebody, by some means, about an engagement in a state."""
        method, path = operation.split(" ")
        name = self.names.get((TABLE[operation].about, state), "0" * 64)
        path = re.sub(r"\{name\}", name, path)
        path = re.sub(r"\{path:path\}", "0/000.p/1", re.sub(r"\{(size|place)\}", "1", path))
        path = path.replace("{period}", str(ROUND_MS)).replace("{kid}", "x")
        headers = {"origin": self.url, "sec-fetch-site": "same-origin"}
        auth = None
        if means == "signature":
            auth = SignedBy(self.signer(who), lambda: self.office.now)
        elif means != "nothing":
            headers["cookie"] = f"{COOKIE}={self.session(who, means)}"
        content = b"" if method in {"GET", "DELETE"} else SEALED
        return self.client.request(method, path, content=content, headers=headers, auth=auth)

    def session(self, who: Who, means: str) -> str:
        root = Root.PASSKEY if means == "fresh session" else Root.KEY
        key = self.signer(who).public_key.thumbprint
        begun = self.office.verifier.services.signin.new_session(key, root)
        self.office.verifier.access.add_session(begun.session)
        return write_token(begun.token)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    office = Office(new_home(tmp_path_factory.mktemp("world"))).open()
    office.now = START
    terms = office.terms(capture_rate=65_536)
    names: dict[tuple[About, State], str] = {
        (About.ENGAGEMENT, State.NONE): "f" * 32,
        (About.REQUEST, State.NONE): "f" * 64,
        (About.STATEMENT, State.NONE): "f" * 64,
        (About.CASE, State.NONE): "f" * 64,
        (About.SAID, State.NONE): "f" * 64,
    }
    offer = sign(
        Offer(engagement=unique(office, "offered"), claimed_at=office.now, terms=terms),
        office.people.client,
    )
    office.post([offer])
    names[About.ENGAGEMENT, State.OFFERED] = unique(office, "offered").hex()
    names[About.STATEMENT, State.OFFERED] = names[About.REQUEST, State.OFFERED] = str(offer.digest)
    for state in (State.ACCEPTED, State.DISPUTED):
        agent = ScriptedAgent(office, terms=terms, engagement=unique(office, state))
        names[About.ENGAGEMENT, state] = agent.engagement.hex()
        names[About.STATEMENT, state] = names[About.REQUEST, state] = str(agent.made[0][0].digest)
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    request = agent.request(agent.frames[:1])
    names[About.REQUEST, State.DISPUTED] = str(request.digest)
    # What is no case is one of another state: a case is there from its filing on.
    for state in (State.OFFERED, State.ACCEPTED):
        names[About.CASE, state] = names[About.SAID, state] = names[About.STATEMENT, state]
    hearing = Hearing(office, agent.engagement, terms).file().seated()
    names[About.CASE, State.DISPUTED] = names[About.SAID, State.DISPUTED] = str(hearing.case.case)
    office.verifier.services.mailbox.put(request.digest, agent.engagement, SEALED)
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as client,
    ):
        yield World(office, client, live.url, names)
    office.close()


def expected(row: Row, means: str, who: Who, state: State) -> str:
    """Say what the page promises, in the page's words."""
    if row.shown in {Shown.NOTHING, Shown.CONTENT}:
        return "in"
    takes = {
        Shown.SIGNATURE: {"signature"},
        Shown.SESSION: {"session", "fresh session"},
    }.get(row.shown, {"signature", "session", "fresh session"})
    if means not in takes:
        return "unproven"
    if who is Who.PUBLIC and (means == "signature" or row.about is About.NOTHING):
        return "unproven"
    if state not in row.cells.get(who, frozenset()):
        return "hidden"
    return "not-fresh" if row.sensitive and means == "session" else "in"


def told(answer: httpx.Response) -> tuple[str, str]:
    """Read a problem's name and detail, in JSON, in CBOR or from a page."""
    if answer.headers["content-type"] == HTML:
        parts = (re.search(f'id="{name}">([^<]*)<', answer.text) for name in ("problem", "detail"))
        kind, detail = (html.unescape(part[1]) for part in parts if part is not None)
        return kind, detail
    if answer.headers["content-type"] == CONCISE:
        value = cbor2.loads(answer.content)
        (kind,) = [key for key in value if isinstance(key, str)]
        return kind.removeprefix(PREFIX), value[-2]
    members: dict[str, Any] = answer.json()
    return members["type"].removeprefix(PREFIX), members["detail"]


def found(row: Row, answer: httpx.Response) -> str:
    """Say what the door did, by the answer alone."""
    if answer.status_code < 400:
        return "in"
    name, detail = told(answer)
    if name == "not-found" and detail == HIDDEN.get(row.about):
        return "hidden"
    return name if name in DOOR else "in"


@pytest.mark.parametrize("operation", TABLE)
def test_each_cell_is_what_the_application_does(world: World, operation: str) -> None:
    row = TABLE[operation]
    states = [State.NONE] if row.about is About.NOTHING else list(State)
    seen = set()
    for who in Who:
        for state in states:
            for means in ("nothing", "signature", "session", "fresh session"):
                answer = world.ask(operation, means, who, state)
                cell = (who, state, means, found(row, answer))
                assert cell == (who, state, means, expected(row, means, who, state))
                seen.add(cell[-1])
    # A row that nobody ever passes, or everybody, tests nothing.
    assert "in" in seen
    assert len(seen) > 1 or row.shown in {Shown.NOTHING, Shown.CONTENT}


@pytest.mark.parametrize(
    "operation", [one for one, row in TABLE.items() if row.shown is Shown.PARTY]
)
def test_a_party_of_another_engagement_hears_the_same_whatever_there_is(
    world: World, operation: str
) -> None:
    office = world.office
    if office.verifier.records.by_digest(stranger_offer(office, 1).digest) is None:
        office.post([stranger_offer(office, 1)])
    other = SeedSigner(seeded(office.seed, "other client", 1))
    answers = []
    for state in State:
        name = world.names[TABLE[operation].about, state]
        method, path = operation.replace("{name}", name).split(" ")
        auth = SignedBy(other, lambda: office.now)
        answer = world.client.request(method, path, auth=auth)
        headers = {key: value for key, value in answer.headers.items() if key != "date"}
        answers.append((answer.status_code, headers, answer.content))
    assert answers[0][0] == 404
    assert answers.count(answers[0]) == len(State)


def test_an_arbitrator_who_asked_nothing_reads_nothing_of_anothers_case(tmp_path: Path) -> None:
    """Two arbitrators stand in the terms, one of them asked."""
    office = Office(new_home(tmp_path)).open()
    office.now = START
    second = SeedSigner(b"\x55" * 32)
    keys = (office.people.arbitrator.public_key, second.public_key)
    agent = ScriptedAgent(office, terms=office.terms(arbitrators=keys, capture_rate=65_536))
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    request = agent.request(agent.frames[:1])
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False) as client,
    ):
        paths = (f"/v1/engagements/{agent.engagement.hex()}/keys", f"/v1/sealed/{request.digest}")
        for path in paths:
            answer = client.get(path, auth=SignedBy(second, lambda: office.now))
            assert answer.json()["detail"] in HIDDEN.values()
        answer = client.get(paths[0], auth=SignedBy(office.people.arbitrator, lambda: office.now))
        assert answer.status_code == 200
        # And when the second asks too, each still opens their own package alone.
        office.people = replace(office.people, arbitrator=second)
        own = agent.request(agent.frames[1:2])
        office.verifier.services.mailbox.put(request.digest, agent.engagement, SEALED)
        office.verifier.services.mailbox.put(own.digest, agent.engagement, SEALED)
        for name, status in ((request.digest, 404), (own.digest, 200)):
            path = f"/v1/sealed/{name}"
            auth = SignedBy(second, lambda: office.now)
            assert client.get(path, auth=auth).status_code == status
    office.close()
