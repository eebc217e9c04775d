"""What client and arbitrator ask a real verifier for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.office import LiveServer, Office, new_home, stranger_offer, unique
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, START, seeded
from workseal_protocol.cli import server
from workseal_protocol.cli.seeds import write_seed
from workseal_protocol.encoding import decode
from workseal_protocol.keys import Role
from workseal_protocol.records import Offer, sign
from workseal_protocol.statement import Statement

from .conftest import Run

SEALED = bytes(2_000)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Give a verifier whose clock is not this machine's: each first signature is stale to it."""
    made = Office(new_home(tmp_path)).open()
    made.now = START
    for name in ("client", "arbitrator"):
        write_seed(tmp_path / name, seeded(made.seed, "party", name))
    yield made
    made.close()


@pytest.fixture
def agent(office: Office) -> ScriptedAgent:
    return ScriptedAgent(office, terms=office.terms(capture_rate=65_536))


@pytest.fixture
def url(office: Office) -> Iterator[str]:
    with LiveServer(office) as live:
        yield live.url


def test_a_client_fetches_what_its_terms_let_it_read(
    agent: ScriptedAgent, url: str, tmp_path: Path, run: Run
) -> None:
    out = tmp_path / "indices"
    path = f"{url}/v1/engagements/{agent.engagement.hex()}/indices?size=99"
    done = run("fetch", path, "--key", tmp_path / "client", "--out", out)
    assert (done.code, done.err) == (0, "")
    assert isinstance(decode(out.read_bytes()), list)
    assert out.stat().st_mode & 0o777 == 0o600
    assert "not verified" in done.out


def test_an_arbitrator_fetches_the_package_that_was_sealed_for_them(
    office: Office, agent: ScriptedAgent, url: str, tmp_path: Path, run: Run
) -> None:
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    request = agent.request(agent.frames[:1])
    office.verifier.services.mailbox.put(request.digest, agent.engagement, SEALED)
    path = f"{url}/v1/sealed/{request.digest}"
    refused = run("fetch", path, "--key", tmp_path / "client", "--out", tmp_path / "sealed")
    assert (refused.code, refused.out) == (1, "")
    assert "not-found" in refused.err
    assert not (tmp_path / "sealed").exists()
    done = run("fetch", path, "--key", tmp_path / "arbitrator", "--out", tmp_path / "sealed")
    assert done.code == 0
    assert (tmp_path / "sealed").read_bytes() == SEALED


@pytest.mark.usefixtures("agent")
def test_a_link_is_printed_that_signs_in(
    office: Office, url: str, tmp_path: Path, run: Run
) -> None:
    done = run("sign-in", f"{url}/", "--key", tmp_path / "client")
    assert (done.code, done.err) == (0, "")
    found = re.match(rf"{re.escape(url)}/#signin=([\w-]{{43}})\n", done.out)
    assert found is not None
    taken = office.verifier.services.signin
    from workseal_verifier.api.access import read_token  # noqa: PLC0415

    token = read_token(found[1])
    assert token is not None
    assert taken.begin(token).session.thumbprint == office.people.client.public_key.thumbprint


def test_an_invitation_is_accepted_with_a_key_of_ones_own(
    office: Office, url: str, tmp_path: Path, run: Run
) -> None:
    from workseal_verifier.api.access import write_token  # noqa: PLC0415

    token = write_token(office.verifier.invitations.make(Role.CLIENT, uses=1, days=1))
    for words in ((f"{url}/#invitation={token}",),):
        done = run("accept", *words, "--key", tmp_path / "client")
    assert done.code == 0
    assert done.out == f"accepted, as client: {office.people.client.public_key.text()}\n"
    again = run("accept", f"{url}/#invitation={'A' * 43}", "--key", tmp_path / "client")
    assert (again.code, again.out) == (1, "")


def offer_in(office: Office, path: Path) -> Statement:
    record = Offer(engagement=unique(office, "new"), claimed_at=office.now, terms=office.terms())
    statement = sign(record, office.people.client)
    path.write_bytes(statement.encode())
    return statement


def test_an_offer_is_logged_and_its_link_printed(
    office: Office, url: str, tmp_path: Path, run: Run
) -> None:
    offer = offer_in(office, tmp_path / "offer")
    for _ in range(2):  # safe to repeat
        done = run("invite", f"{url}/", tmp_path / "offer", "--key", tmp_path / "client")
        assert (done.code, done.err) == (0, "")
        link = f"{url}/#offer={unique(office, 'new').hex()}.{offer.digest}"
        assert done.out.splitlines()[0] == link
    assert [one.digest for one in office.verifier.records.all()].count(offer.digest) == 1


def test_an_answer_that_shows_something_else_is_not_believed(
    office: Office, url: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_in(office, tmp_path / "offer")
    other = stranger_offer(office, 1).encode()
    answer = httpx.post(f"{url}/v1/statements", content=other, trust_env=False).content
    for body in (answer, b"", b"x" * 99):
        monkeypatch.setattr(server, "ask", lambda *_, body=body, **__: body)
        done = run("invite", url, tmp_path / "offer", "--key", tmp_path / "client")
        assert (done.code, done.out) == (1, "")
        assert "not show that the offer is in the log" in done.err


def test_what_is_no_offer_is_not_sent(
    office: Office, agent: ScriptedAgent, url: str, tmp_path: Path, run: Run
) -> None:
    before = office.checkpoint()
    for data in (b"", b"x" * 70_000, agent.made[1][0].encode()):
        (tmp_path / "no offer").write_bytes(data)
        done = run("invite", url, tmp_path / "no offer", "--key", tmp_path / "client")
        assert (done.code, done.out) == (2, "")
        assert done.err.count("\n") == 1
    assert office.checkpoint() == before


@pytest.mark.parametrize(
    "words",
    [
        ("fetch", "http://example.com/x", "--key", "{key}", "--out", "{out}"),
        ("fetch", "ftp://localhost/x", "--key", "{key}", "--out", "{out}"),
        ("fetch", "https://user@example.com/x", "--key", "{key}", "--out", "{out}"),
        ("fetch", "http://localhost:99999/", "--key", "{key}", "--out", "{out}"),
        ("fetch", "http://localhost:1/#x", "--key", "{key}", "--out", "{out}"),
        ("fetch", "http://localhost:1/ä", "--key", "{key}", "--out", "{out}"),
        ("fetch", "http://localhost:1/x", "--key", "{out}", "--out", "{out}"),
        ("fetch", "http://localhost:1/x", "--key", "{key}", "--out", "{key}"),
        ("accept", "http://localhost:1/", "--key", "{key}"),
        ("accept", "http://localhost:1/#signin=x", "--key", "{key}"),
        ("accept", "http://localhost:1/#invitation=", "--key", "{key}"),
        ("sign-in", "localhost:8080", "--key", "{key}"),
    ],
    ids=" ".join,
)
def test_wrong_use_is_told_before_anything_is_sent(
    words: tuple[str, ...], tmp_path: Path, run: Run
) -> None:
    write_seed(tmp_path / "key", bytes(32))
    places = {"key": tmp_path / "key", "out": tmp_path / "out"}
    done = run(*(word.format(**places) for word in words))
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_json_is_not_believed(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write_seed(tmp_path / "key", bytes(32))
    for told in (b"", b"[" * 5_000, b"[]", json.dumps({"token": 5, "expires_in": 1}).encode()):
        monkeypatch.setattr("workseal_protocol.cli.asking.ask", lambda *_, told=told, **__: told)
        done = run("sign-in", "http://localhost:1", "--key", tmp_path / "key")
        assert (done.code, done.out) == (1, "")
