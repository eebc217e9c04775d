"""The short way answers as the framework's long way does, in every case."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Response
from starlette.types import Receive, Scope, Send

from support.office import LiveServer, Office, new_home, stranger_offer
from support.simulator import START
from workseal_protocol.digest import Digest
from workseal_protocol.keys import SeedSigner
from workseal_protocol.receipt import SubmissionAnswer
from workseal_protocol.records import KeyRevoke, RevocationReason, sign
from workseal_verifier.api import statements
from workseal_verifier.api.direct import Direct
from workseal_verifier.api.routing import operations
from workseal_verifier.api.statements import MAX_BODY
from workseal_verifier.app import create_app
from workseal_verifier.errors import StoreError, StoreFullError
from workseal_verifier.services.access import TABLE, Row, Shown, State, Who

PATH = "/v1/statements"
CBOR = {"content-type": "application/cbor-seq"}


def framework_alone(office: Office) -> FastAPI:
    app = create_app(office.verifier.settings, office.verifier)
    left = [
        one for one in app.user_middleware if getattr(one.cls, "__name__", "") != Direct.__name__
    ]
    assert len(left) == len(app.user_middleware) - 1
    app.user_middleware = left
    return app


def ask(app: FastAPI, method: str, path: str, **options: Any) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.request(method, path, **options)

    return asyncio.run(asked())


def told(answer: httpx.Response) -> tuple[int, Mapping[str, str], bytes]:
    return answer.status_code, dict(answer.headers), answer.content


def test_the_door_stands_before_both_ways(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Row(Shown.SIGNATURE, {Who.CLIENT: frozenset(State)})
    monkeypatch.setitem(TABLE, f"POST {PATH}", row)
    body = stranger_offer(office, 1).encode()
    for app in (create_app(office.verifier.settings, office.verifier), framework_alone(office)):
        answer = ask(app, "POST", PATH, content=body, headers={**CBOR, "host": "localhost"})
        assert answer.status_code == 401, answer.text


def test_a_question_out_of_form_is_told_before_the_door(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Row(Shown.SIGNATURE, {Who.CLIENT: frozenset(State)})
    monkeypatch.setitem(TABLE, "GET /v1/log/checkpoint", row)
    apps = create_app(office.verifier.settings, office.verifier), framework_alone(office)
    answers = [told(ask(app, "GET", "/v1/log/checkpoint?now=1")) for app in apps]
    assert answers[0][0] == 400
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("path", "content", "headers", "status"),
    [
        pytest.param(PATH, b"\xff", CBOR, 400, id="no CBOR"),
        pytest.param(PATH, b"", CBOR, 400, id="nothing"),
        pytest.param(PATH, b"", {"content-type": "text/plain"}, 415, id="another type"),
        pytest.param(PATH, b"x", {"content-length": str(MAX_BODY + 1)}, 413, id="too large"),
        pytest.param(f"{PATH}?new=1", b"", CBOR, 400, id="an unknown parameter"),
        pytest.param(f"{PATH}?old=1&old=1", b"", CBOR, 400, id="a parameter twice"),
        pytest.param(f"{PATH}?old=-1", b"", CBOR, 400, id="a parameter out of its form"),
        pytest.param(f"{PATH}?old=", b"", CBOR, 400, id="a parameter without a value"),
        pytest.param(f"{PATH}/", b"", CBOR, 404, id="a slash too many"),
        pytest.param(f"/{PATH}", b"", CBOR, 404, id="a slash in front"),
    ],
)
def test_refuses_as_the_long_way_does(
    office: Office, path: str, content: bytes, headers: Mapping[str, str], status: int
) -> None:
    app = create_app(office.verifier.settings, office.verifier)
    answer = ask(app, "POST", path, content=content, headers=headers)
    assert answer.status_code == status
    assert told(answer) == told(
        ask(framework_alone(office), "POST", path, content=content, headers=headers)
    )


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "post"])
def test_other_methods_are_answered_as_before(office: Office, method: str) -> None:
    app = create_app(office.verifier.settings, office.verifier)
    assert told(ask(app, method, PATH)) == told(ask(framework_alone(office), method, PATH))


@pytest.mark.parametrize(
    ("error", "status"),
    [(StoreError("x"), 503), (StoreFullError("x"), 503), (ValueError("x"), 500)],
)
def test_errors_are_told_as_the_long_way_does(
    office: Office, error: Exception, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_body: bytes, **_: object) -> None:
        raise error

    monkeypatch.setattr(office.verifier.services.intake, "read", fails)
    app = create_app(office.verifier.settings, office.verifier)
    answer = ask(app, "POST", PATH, content=b"x")
    assert answer.status_code == status
    assert told(answer) == told(ask(framework_alone(office), "POST", PATH, content=b"x"))


def test_reads_get_the_same_answer_on_both_ways(office: Office) -> None:
    offer = stranger_offer(office, 1)
    office.submit([offer])
    office.others(300)
    size = office.checkpoint().checkpoint.size
    apps = create_app(office.verifier.settings, office.verifier), framework_alone(office)
    for path in (
        "/v1/log/checkpoint",
        "/v1/log/checkpoint?now=1",
        "/v1/log/checkpoint/",
        f"{PATH}/{offer.digest}",
        f"{PATH}/{offer.digest}?size=1",
        f"{PATH}/{offer.digest}/",
        f"{PATH}/x",
        f"{PATH}/a/b",
        f"{PATH}/{offer.digest}/receipt",
        "/v1/log/tile/0/000",
        "/v1/log/tile/0/000?now=1",
        "/v1/log/tile/0/000.p/3",
        f"/v1/log/tile/0/001.p/{size - 256}",
        "/v1/log/tile/0/001",
        "/v1/log/tile/1/000.p/1",
        "/v1/log/tile/entries/000",
        "/v1/log/tile/entries/000.p/3",
        "/v1/log/tile/",
        "/v1/log/tile//",
        "/v1/log/tile/0/000/",
        "/v1/log/tile/0%2F000",
        "/v1/log/tile/0/0%0A",
    ):
        for method in ("GET", "HEAD", "OPTIONS", "PUT"):
            # The second time, what is kept in memory answers.
            answers = [told(ask(app, method, path)) for app in (*apps, *apps)]
            assert answers == [answers[0]] * 4, path


@pytest.fixture(scope="module")
def both_ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, FastAPI]]:
    """Give the short way and the long one to a log with a full tile, for tests that only read."""
    office = Office(new_home(tmp_path_factory.mktemp("both"))).open()
    office.now = START
    office.others(300)
    yield create_app(office.verifier.settings, office.verifier), framework_alone(office)
    office.close()


@pytest.mark.parametrize("letter", ["%0A", "%0D", "%00", "%1F", "%7F"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
def test_no_address_has_a_control_character(
    both_ways: tuple[FastAPI, FastAPI], method: str, letter: str
) -> None:
    for path in ("/v1/log/checkpoint", "/v1/log/tile/0/000", "/healthz", PATH, "/v1/log%0A/x"):
        answers = [told(ask(app, method, path + letter)) for app in both_ways]
        assert answers[0][0] == 404, path
        assert answers[0] == answers[1]


def test_the_short_way_has_its_own_addresses_alone(office: Office) -> None:
    """Where the layer around both ways would let more through."""
    app = create_app(office.verifier.settings, office.verifier)
    asked: list[str] = []

    async def beneath(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await Response()(scope, receive, send)

    ways = [
        (route, statements.post_directly)
        for name, route in operations(app.routes)
        if name == f"POST {PATH}"
    ]
    direct = Direct(beneath, ways=ways)

    async def heard() -> None:
        transport = httpx.ASGITransport(direct)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            await client.post(f"{PATH}%0A")

    asyncio.run(heard())
    assert asked == [f"{PATH}\n"]


def test_a_tile_that_is_kept_is_asked_of_nobody_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.others(300)
    app = create_app(office.verifier.settings, office.verifier)
    first = {
        path: ask(app, "GET", path).content
        for path in ("/v1/log/tile/0/000", "/v1/log/tile/entries/000")
    }
    assert [*map(len, first.values())] == [256 * 32, 256 * 34]
    monkeypatch.setattr(office.verifier.services.reader, "_current", None)
    for path, content in first.items():
        assert ask(app, "GET", path).content == content


def test_a_part_of_a_tile_is_never_kept(office: Office) -> None:
    office.others(300)
    app = create_app(office.verifier.settings, office.verifier)
    reader = office.verifier.services.reader
    for level, name in ((0, "0"), (None, "entries")):
        part = ask(app, "GET", f"/v1/log/tile/{name}/000.p/255").content
        assert reader.kept(level, 0, 256) is None
        whole = ask(app, "GET", f"/v1/log/tile/{name}/000").content
        assert reader.kept(level, 0, 256) == whole
        assert reader.kept(level, 0, 255) is None
        assert whole.startswith(part)
        assert len(whole) > len(part)


def test_a_statement_gets_the_same_answer_on_both_ways(office: Office) -> None:
    app = create_app(office.verifier.settings, office.verifier)
    body = stranger_offer(office, 1).encode()
    answers = [
        ask(one, "POST", f"{PATH}?old=1", content=body, headers=CBOR)
        for one in (app, framework_alone(office))
    ]
    assert told(answers[0]) == told(answers[1])
    assert SubmissionAnswer.parse(answers[0].content).indices


@pytest.mark.parametrize("path", [PATH, "/entries"])
def test_the_store_is_asked_for_a_key_where_nobody_waits_for_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A store that does not answer must not stop those who need nothing of it."""
    party_key, asked = office.verifier.records.parties.key, 0

    def in_a_thread(thumbprint: Digest) -> bytes | None:
        nonlocal asked
        asked += 1
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return party_key(thumbprint)

    monkeypatch.setattr(office.verifier.records.parties, "key", in_a_thread)
    revoke = KeyRevoke(
        claimed_at=office.now,
        key=office.people.client.public_key.thumbprint,
        reason=RevocationReason.LOST,
    )
    body = sign(revoke, SeedSigner(bytes(32))).encode()
    media = {"content-type": "application/cose"} if path == "/entries" else CBOR
    app = create_app(office.verifier.settings, office.verifier)
    assert ask(app, "POST", path, content=body, headers=media).status_code == 403
    assert asked


def test_it_is_taken_and_counted_under_the_name_of_its_operation(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The framework is not asked, and the name is that of its route."""
    counted: list[tuple[str, int]] = []
    monkeypatch.setattr(office.verifier.meters, "answered", lambda *told: counted.append(told))
    with LiveServer(office) as live:
        router = live.app.router
        monkeypatch.setattr(router, "middleware_stack", None)
        answer = httpx.post(f"{live.url}{PATH}", content=b"", trust_env=False)
    assert answer.status_code == 400
    assert counted == [(f"POST {PATH}", 400)]
