"""A verifier with an agreement, a request, a sealed package and a case, held to its description."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from support.hearings import Hearing
from support.office import LiveServer, Office, new_home, unique
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, START
from workseal_client import Request, Response, Transport, VerifierClient, default_transport
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Signer
from workseal_protocol.sealing import ENCAPSULATED_BYTES

SEALED = bytes(ENCAPSULATED_BYTES + 16_400)


@dataclass(slots=True)
class Described:
    """Pass requests on, and hold each of them and its answer against the description."""

    description: dict[str, Any]
    inner: Transport = field(default_factory=default_transport)
    asked: list[str] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        url, headers = urlsplit(request.target), dict(request.headers)
        name, operation = self._operation(request.method, url.path)
        self.asked.append(name)
        known = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
        assert set(parse_qs(url.query, strict_parsing=bool(url.query))) <= known, name
        if request.body:
            taken = operation["requestBody"]["content"]
            assert headers["content-type"] in taken, name
        answer = self.inner.send(request)
        told = operation["responses"][str(answer.status)]
        media = answer.headers.get("content-type", "").partition(";")[0]
        assert media in {one.partition(";")[0] for one in told.get("content", {"": {}})}, name
        return answer

    def close(self) -> None:
        self.inner.close()

    def _operation(self, method: str, asked: str) -> tuple[str, dict[str, Any]]:
        """Find what is asked among the addresses: the one with the most words of its own."""
        found = [
            (path.count("{"), path)
            for path in self.description["paths"]
            if re.fullmatch(_pattern(path), asked)
        ]
        _, path = min(found)
        return f"{method} {path}", self.description["paths"][path][method.lower()]


def _pattern(path: str) -> str:
    """Write an address of the description as a pattern; only a tile's path has slashes."""
    return re.sub(r"\{\w+\}", "[^/]+", path.replace("{path}", ".+"))


@dataclass(slots=True)
class World:
    """What the clients of a test ask."""

    office: Office
    agent: ScriptedAgent
    hearing: Hearing
    request: Digest
    transport: Described
    url: str

    def client(self, signer: Signer) -> VerifierClient:
        return VerifierClient(
            self.url, self.transport, signer=signer, now_ms=lambda: self.office.now
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    office = Office(new_home(tmp_path_factory.mktemp("world"))).open()
    office.now = START
    agent = ScriptedAgent(
        office, terms=office.terms(capture_rate=65_536), engagement=unique(office, "client")
    )
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    request = agent.request(agent.frames[:1]).digest
    hearing = Hearing(office, agent.engagement, agent.terms).file().seated()
    office.verifier.services.mailbox.put(request, agent.engagement, SEALED)
    with LiveServer(office) as live:
        description = json.loads(json.dumps(live.app.openapi()))
        transport = Described(description)
        yield World(office, agent, hearing, request, transport, live.url)
        transport.close()
    office.close()
