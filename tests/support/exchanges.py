"""One real exchange for every operation of the HTTP interface, the same bytes in each run.

A verifier with fixed secrets and a fixed clock lives through a short engagement with a fork and a
dispute. What is asked and answered on the way are the examples of the OpenAPI description.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

from support.asking import SignedBy
from support.authenticator import Authenticator
from support.drand import OneMan
from support.hearings import Hearing
from support.office import LiveServer, Office, cbor_map, new_home, stranger_offer
from support.scripted import ScriptedAgent, disclose
from support.simulator import ROUND_MS, START, seeded
from support.stamp import FixedTsa
from workseal_protocol.encoding import encode
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, DisclosedFrame, DisputeDisclosure, Segment, sign
from workseal_protocol.sealing import MIN_SEALED_BYTES, encode_package
from workseal_verifier.api.access import write_token
from workseal_verifier.keyfiles import create_secret
from workseal_verifier.services.invitations import Invitations
from workseal_verifier.services.passkeys import Passkeys
from workseal_verifier.services.relaying import PUBLISHED_MS, DrandRelay
from workseal_verifier.services.signin import SignIn

SEED = b"examples"
CBOR, SEQUENCE, JSON = "application/cbor", "application/cbor-seq", "application/json"
SITE = "https://office.workseal.example"


@dataclass(frozen=True, slots=True)
class Exchange:
    """Hold one request and its answer."""

    operation: str
    method: str
    path: str
    media: str
    body: bytes
    answer: httpx.Response


class Asker:
    """Ask, and keep what was asked and answered."""

    def __init__(self, client: httpx.Client, office: Office) -> None:
        self._client = client
        self._office = office
        self._cookie = ""
        self.kept: dict[str, Exchange] = {}

    def ask(
        self,
        operation: str,
        path: str = "",
        body: bytes = b"",
        media: str = "",
        *,
        by: SeedSigner | None = None,
    ) -> httpx.Response:
        """Ask, signed `by` a party where one is named."""
        auth = None if by is None else SignedBy(by, lambda: self._office.now)
        return self._asked(operation, path, body, {"content-type": media} if media else {}, auth)

    def ask_on_page(self, operation: str, form: object = None) -> httpx.Response:
        """Ask as a page of the server does, with its cookie."""
        headers = {"sec-fetch-site": "same-origin", "origin": SITE}
        if self._cookie:
            headers["cookie"] = self._cookie
        body = b""
        if form is not None:
            body, headers["content-type"] = json.dumps(form).encode(), JSON
        answer = self._asked(operation, "", body, headers, None)
        self._client.cookies.clear()
        self._cookie = answer.headers.get("set-cookie", self._cookie).partition(";")[0]
        return answer

    def _asked(
        self, operation: str, path: str, body: bytes, headers: dict[str, str], auth: Any
    ) -> httpx.Response:
        method, _, template = operation.partition(" ")
        path, media = path or template, headers.get("content-type", "")
        answer = self._client.request(method, path, content=body, headers=headers, auth=auth)
        assert answer.is_success, (operation, answer.text)
        self.kept[operation] = Exchange(operation, method, path, media, body, answer)
        return answer


def _secret(path: Path, value: bytes | None = None) -> bytes:
    return create_secret(path, seeded(SEED, path.name) if value is None else value)


@contextmanager
def fixed_office(folder: Path) -> Iterator[Office]:
    """Give an office whose secrets follow from a seed."""
    with (
        mock.patch("workseal_verifier.homekeys.create_secret", _secret),
        mock.patch("workseal_verifier.services.beacon.create_secret", _secret),
    ):
        office = Office(new_home(folder), seed=SEED).open()
        office.now = START
        try:
            yield office
        finally:
            office.close()


def exchanges(folder: Path) -> dict[str, Exchange]:
    """Live through it; give one exchange for each operation."""
    with fixed_office(folder) as office:
        tsa = FixedTsa.from_seed(SEED)
        _make_fixed(office, tsa)
        host = {"host": SITE.partition("//")[2]}
        with (
            LiveServer(office) as live,
            httpx.Client(base_url=live.url, headers=host, trust_env=False, timeout=30) as client,
        ):
            asker = Asker(client, office)
            _tell(office, asker, tsa)
    return asker.kept


def _relay(office: Office) -> DrandRelay:
    man = OneMan(SEED)

    def source(number: int | None) -> tuple[int, bytes]:
        found = number or man.network.at(office.now - PUBLISHED_MS)
        return found, man.sign(found)

    return DrandRelay(man.network, [source], clock=office.clock, health=office.verifier.health)


def _random(what: str) -> Callable[[int], bytes]:
    """Give bytes that are the same in each run."""
    numbers = itertools.count()
    return lambda length: seeded(SEED, what, next(numbers))[:length]


def _make_fixed(office: Office, tsa: FixedTsa) -> None:
    verifier = office.verifier
    signin = SignIn(verifier.access, office.clock, _random("token"))
    secret = seeded(SEED, "access.seed")
    verifier.invitations = Invitations(verifier.invited, office.clock, _random("invitation"))
    verifier.services = replace(
        verifier.services,
        tsa_certificates=(tsa.root_der,),
        drand=_relay(office),
        signin=signin,
        passkeys=Passkeys(
            verifier.access, signin, office.clock, secret, random=_random("challenge")
        ),
        invitations=verifier.invitations,
    )


def _tell(office: Office, asker: Asker, tsa: FixedTsa) -> None:
    agent = ScriptedAgent(office, terms=office.terms(capture_rate=65_536))
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    _ask_of_parties(office, asker, agent)
    signed = office.checkpoint()
    office.verifier.log.save_token(
        signed.checkpoint.size,
        tsa.stamp(signed.log_signed(office.log_key), office.now),
        office.now + 1_000,
    )
    _ask_of_all(office, asker)


def _ask_of_parties(office: Office, asker: Asker, agent: ScriptedAgent) -> None:
    first, second = (stranger_offer(office, word).encode() for word in ("first", "second"))
    asker.ask("POST /v1/statements", "/v1/statements?old=4", first, SEQUENCE)
    asker.ask("POST /entries", "", second, "application/cose")
    own = office.people.freelancer
    asker.ask("GET /entries/{name}", f"/entries/{agent.made[0][0].digest}", by=own)
    name = agent.made[-1][0].digest
    asker.ask("GET /v1/statements/{name}", f"/v1/statements/{name}")
    asker.ask("GET /v1/statements/{name}/receipt", f"/v1/statements/{name}/receipt", by=own)
    _fork(asker, agent, office)
    place = f"/v1/engagements/{agent.engagement.hex()}"
    for what in ("statements", "indices", "conflicts", "keys"):
        asker.ask(f"GET /v1/engagements/{{name}}/{what}", f"{place}/{what}", by=own)
    _dispute(office, asker, agent)
    _case(office, asker, agent)
    _sign_in(office, asker)


def _fork(asker: Asker, agent: ScriptedAgent, office: Office) -> None:
    segment = agent.made[-1][1]
    assert isinstance(segment, Segment)
    other = sign(replace(segment, end=segment.end - 1), office.people.freelancer)
    answer = asker._client.post("/v1/statements", content=other.encode())
    assert answer.status_code == 409, answer.text


def _dispute(office: Office, asker: Asker, agent: ScriptedAgent) -> None:
    frame = agent.frames[0]
    request = agent.request([frame])
    disclosure = disclose(frame, (0,))
    record = DisputeDisclosure(
        engagement=agent.engagement,
        claimed_at=office.now,
        request=request.digest,
        frames=(DisclosedFrame(frame.tree.commitment, disclosure.digest),),
    )
    statement = sign(record, office.people.freelancer)
    package = encode_package([statement.encode(), disclosure.encode()])
    asker.ask("POST /v1/disclosures", "", package, SEQUENCE)
    path = f"/v1/sealed/{request.digest}"
    sealed = b"".join(seeded(SEED, "sealed", n) for n in range(548))[:MIN_SEALED_BYTES]
    asker.ask(
        "PUT /v1/sealed/{name}",
        path,
        sealed,
        "application/octet-stream",
        by=office.people.freelancer,
    )
    asker.ask("GET /v1/sealed/{name}", path, by=office.people.arbitrator)


def _case(office: Office, asker: Asker, agent: ScriptedAgent) -> None:
    hearing = Hearing(office, agent.engagement, agent.terms).file()
    hearing.act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)
    place, own = f"/v1/cases/{hearing.case.case}", office.people.freelancer
    asker.ask("GET /v1/cases", "/v1/cases?before=0-1000", by=own)
    asker.ask("GET /v1/cases/{name}", place, by=own)
    asker.ask("GET /v1/cases/{name}/statements", f"{place}/statements", by=own)
    asker.ask("GET /v1/notices", "/v1/notices?before=1000", by=own)
    contact = {"mail": None, "webhook": None, "zone": "Europe/Berlin", "digest": False}
    asker.ask("PUT /v1/contact", "", json.dumps(contact).encode(), JSON, by=own)
    asker.ask("GET /v1/contact", by=own)
    asker.ask("DELETE /v1/contact", by=own)


def _sign_in(office: Office, asker: Asker) -> None:
    guest = SeedSigner(seeded(SEED, "guest"))
    token = office.verifier.invitations.make(Role.CLIENT, uses=1, days=1)
    form = {"token": write_token(token), "key": guest.public_key.text()}
    asker.ask("POST /v1/invitations/accept", "", json.dumps(form).encode(), JSON, by=guest)
    link = asker.ask("POST /v1/signin/links", by=office.people.freelancer).json()
    asker.ask_on_page("POST /v1/signin", {"token": link["token"]})
    device = Authenticator(SITE, random=_random("device"))
    made = device.create(asker.ask_on_page("POST /v1/passkeys/options").json())
    asker.ask_on_page("POST /v1/passkeys", {"credential": made})
    used = device.get(asker.ask_on_page("POST /v1/signin/passkey/options").json())
    asker.ask_on_page("POST /v1/signin/passkey", {"credential": used})
    asker.ask_on_page("GET /v1/session")
    asker.ask_on_page("DELETE /v1/session")
    asker.ask("DELETE /v1/sessions", by=office.people.freelancer)
    asker.ask("DELETE /v1/passkeys", by=office.people.freelancer)


def _ask_of_all(office: Office, asker: Asker) -> None:
    size = office.checkpoint().checkpoint.size
    asker.ask("GET /v1/log/checkpoint")
    asker.ask("GET /v1/log/checkpoints/{size}", "/v1/log/checkpoints/3")
    asker.ask("GET /v1/log/tile/{path:path}", f"/v1/log/tile/0/000.p/{size}")
    asker.ask("POST /v1/log/proof", "", encode({1: size, 2: [0, size - 1], 3: [3]}), CBOR)
    asker.ask("GET /v1/log/timestamps", "/v1/log/timestamps?from=0&to=100")
    asker.ask("GET /v1/log/tsa-ca.pem")
    asker.ask("GET /v1/operator")
    asker.ask("GET /v1/beacon/{period}", f"/v1/beacon/{ROUND_MS}")
    asker.ask("GET /v1/beacon/{period}/{place}", f"/v1/beacon/{ROUND_MS}/{office.now // ROUND_MS}")
    newest = cbor_map(asker.ask("GET /v1/beacon/drand/latest").content)[2]
    asker.ask("GET /v1/beacon/drand/{place}", f"/v1/beacon/drand/{newest}")
    key = asker.ask("GET /.well-known/scitt-keys").content
    assert key
    asker.ask("GET /.well-known/scitt-keys/{kid}", f"/.well-known/scitt-keys/{_kid(office)}")
    asker.ask("GET /healthz")
    asker.ask("GET /readyz")
    asker.ask("GET /openapi.json")


def _kid(office: Office) -> str:
    return office.log_key.key.uri.rpartition(":")[2]
