"""Bad input to each HTTP address: an RFC 9457 problem, and a log that is as it was."""

import json
import os
import re
import socket
import time
from typing import Any

import pytest

from stages import RECORDED
from support.world import ROUND_MS, Answer, World, signed, unharmed
from workseal_protocol.encoding import Value, encode
from workseal_protocol.sealing import MAX_SEALED_BYTES, MIN_SEALED_BYTES
from workseal_protocol.statement import Statement

pytestmark = pytest.mark.journey
pytest_plugins = ["support.told"]

MIB = 1 << 20
NONE = "0" * 64
NOBODY = "0" * 32
ADDRESSES = {
    "/healthz": "GET, HEAD, OPTIONS",
    "/readyz": "GET, HEAD, OPTIONS",
    "/openapi.json": "GET, HEAD, OPTIONS",
    "/v1/operator": "GET, HEAD, OPTIONS",
    "/v1/beacon/1000": "GET, HEAD, OPTIONS",
    "/v1/beacon/1000/1": "GET, HEAD, OPTIONS",
    "/v1/statements": "OPTIONS, POST",
    f"/v1/statements/{NONE}": "GET, HEAD, OPTIONS",
    f"/v1/statements/{NONE}/receipt": "GET, HEAD, OPTIONS",
    "/v1/log/checkpoint": "GET, HEAD, OPTIONS",
    "/v1/log/checkpoints/1": "GET, HEAD, OPTIONS",
    "/v1/log/tile/0/000": "GET, HEAD, OPTIONS",
    "/v1/log/proof": "OPTIONS, POST",
    "/v1/log/timestamps": "GET, HEAD, OPTIONS",
    "/v1/log/tsa-ca.pem": "GET, HEAD, OPTIONS",
    f"/v1/engagements/{NOBODY}/statements": "GET, HEAD, OPTIONS",
    f"/v1/engagements/{NOBODY}/indices": "GET, HEAD, OPTIONS",
    f"/v1/engagements/{NOBODY}/conflicts": "GET, HEAD, OPTIONS",
    f"/v1/engagements/{NOBODY}/keys": "GET, HEAD, OPTIONS",
    "/entries": "OPTIONS, POST",
    f"/entries/{NONE}": "GET, HEAD, OPTIONS",
    "/.well-known/scitt-keys": "GET, HEAD, OPTIONS",
    "/.well-known/scitt-keys/x": "GET, HEAD, OPTIONS",
    "/v1/disclosures": "OPTIONS, POST",
    f"/v1/sealed/{NONE}": "GET, HEAD, OPTIONS, PUT",
    "/v1/invitations/accept": "OPTIONS, POST",
    "/v1/signin": "OPTIONS, POST",
    "/v1/signin/links": "OPTIONS, POST",
    "/v1/signin/passkey": "OPTIONS, POST",
    "/v1/signin/passkey/options": "OPTIONS, POST",
    "/v1/session": "DELETE, GET, HEAD, OPTIONS",
    "/v1/sessions": "DELETE, OPTIONS",
    "/v1/passkeys": "DELETE, OPTIONS, POST",
    "/v1/passkeys/options": "OPTIONS, POST",
}
# What only a party may ask for.
CLOSED = {
    f"/v1/statements/{NONE}/receipt": "GET",
    f"/v1/engagements/{NOBODY}/statements": "GET",
    f"/v1/engagements/{NOBODY}/indices": "GET",
    f"/v1/engagements/{NOBODY}/conflicts": "GET",
    f"/v1/engagements/{NOBODY}/keys": "GET",
    f"/v1/sealed/{NONE}": "GET",
}
GARBAGE = {
    "nothing": b"",
    "zero": b"\x00",
    "text": b"garbage",
    "breaks": b"\xff" * 100,
    "endless": b"\x9f" * 1_000,
    "promising": b"\x5b" + b"\xff" * 8,
    "deep": b"\x81" * 5_000 + b"\x00",
    "picture": (RECORDED / "00.png").read_bytes(),
    "random": os.urandom(3_000),
}


def problem(answer: Answer, status: int, name: str) -> dict[str, Any]:
    """Return the members of a problem of this kind, or fail."""
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json"
    members: dict[str, Any] = json.loads(answer.body)
    assert members["type"] == f"urn:workseal:problem:{name}"
    assert members["status"] == status
    assert len(members["title"]) > 5
    assert 5 < len(members["detail"]) < 300
    assert "Traceback" not in members["detail"]
    return members


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_wrong_method_is_told_with_the_right_ones(world: World, path: str) -> None:
    known = ADDRESSES[path]
    with unharmed(world.server):
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"} - set(known.split(", ")):
            answer = world.server.ask(method, path)
            if not path.startswith(("/entries", "/.well-known")):
                problem(answer, 405, "method-not-allowed")
            assert answer.status == 405
            assert answer.headers["allow"] == known


@pytest.mark.parametrize(
    "path",
    [
        "/static/nowhere.js",
        "/v1",
        "/v1/",
        "/v2/log/checkpoint",
        "/healthz/",
        "/docs",
        "/openapi.json/",
        "/v1/statements/..%2f..",
        "/v1/log/tile/9/zzz",
        "/v1/log/tile/0/999",
        f"/v1/statements/{NONE}",
        "/v1/log/checkpoints/99999999",
        "/v1/beacon/7",
        "/v1/beacon/7/1",
        "/v1/beacon/1000/1",
    ],
)
def test_what_is_not_there_is_not_found(world: World, path: str) -> None:
    problem(world.server.ask("GET", path), 404, "not-found")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/statements/xyz",
        f"/v1/statements/{'A' * 64}",
        "/v1/sealed/xyz",
        "/v1/log/checkpoints/x",
        "/v1/log/checkpoints/-1",
        f"/v1/log/checkpoints/{'9' * 400}",
        "/v1/log/timestamps?from=x",
        "/v1/log/timestamps?to=1e3",
        "/v1/beacon/x",
        "/v1/beacon/1000/x",
        "/v1/beacon/1000/99999999999999999999",
        "/v1/engagements/xyz/statements",
        f"/v1/engagements/{NOBODY[:-1]}/keys",
    ],
)
def test_an_address_that_is_not_in_its_form_is_malformed(world: World, path: str) -> None:
    problem(world.server.ask("GET", path), 400, "malformed")


@pytest.mark.parametrize("path", ["/v1/statements/%00", "/v1/log/checkpoint%0A", "/%7F"])
def test_nothing_is_at_an_address_with_a_control_character(world: World, path: str) -> None:
    problem(world.server.ask("GET", path), 404, "not-found")


@pytest.mark.parametrize("path", CLOSED)
def test_what_is_a_partys_is_closed_to_strangers_and_hidden_from_other_parties(
    world: World, path: str
) -> None:
    answer = world.server.ask("GET", path)
    problem(answer, 401, "unproven")
    assert answer.headers["www-authenticate"] == "Signature"
    problem(world.server.ask_as(world.freelancers_signer, "GET", path), 404, "not-found")


@pytest.mark.parametrize("name", ["signature-input", "signature", "content-digest"])
@pytest.mark.parametrize("value", ["", "x", "\u00e9", "workseal=()", '"' * 500])
def test_a_signature_that_is_none_is_malformed(world: World, name: str, value: str) -> None:
    path = f"/v1/sealed/{NONE}"
    fields = signed(world.freelancers_signer, world.server.url + path, "PUT", b"x")
    with unharmed(world.server):
        answer = world.server.ask("PUT", path, b"x", **fields | {name: value})
        problem(answer, 400, "malformed")


def test_a_round_that_has_not_begun_is_too_early(world: World) -> None:
    later = time.time_ns() // 1_000_000 // ROUND_MS + 600
    answer = world.server.ask("GET", f"/v1/beacon/{ROUND_MS}/{later}")
    problem(answer, 425, "too-early")
    assert 0 < int(answer.headers["retry-after"]) <= 600


@pytest.mark.parametrize("path", ["/v1/statements", "/v1/log/proof", "/v1/disclosures"])
@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_malformed(world: World, path: str, name: str) -> None:
    with unharmed(world.server):
        problem(world.server.ask("POST", path, GARBAGE[name]), 400, "malformed")


@pytest.mark.parametrize("old", ["x", "-1", "999999"])
def test_statements_after_a_size_that_never_was_are_malformed(world: World, old: str) -> None:
    with unharmed(world.server):
        body = world.offer.read_bytes()
        problem(world.server.ask("POST", f"/v1/statements?old={old}", body), 400, "malformed")


def test_one_bad_statement_keeps_out_the_good_ones(world: World) -> None:
    flipped = bytearray(world.request.read_bytes())
    flipped[-3] ^= 1
    with unharmed(world.server):
        body = world.request.read_bytes() + bytes(flipped)
        told = problem(world.server.ask("POST", "/v1/statements", body), 422, "refused")
        assert told["item"] == 1


def test_strangers_and_other_statements_are_refused(world: World) -> None:
    request = world.request.read_bytes()
    with unharmed(world.server):
        # A request is no disclosure, and nothing answers it yet.
        problem(world.server.ask("POST", "/v1/disclosures", request), 400, "malformed")
        name = "0" * 63 + "1"
        path, body = f"/v1/sealed/{name}", b"x" * 2_000
        problem(world.server.ask("PUT", path, body), 401, "unproven")
        answer = world.server.ask_as(world.freelancers_signer, "PUT", path, body)
        problem(answer, 404, "not-found")


@pytest.mark.parametrize(
    "value",
    [
        {1: 10**6, 2: [], 3: []},
        {1: 5, 2: [9], 3: []},
        {1: 5, 2: [3, 1], 3: []},
        {1: 5, 2: [1, 1], 3: []},
        {1: 5, 2: [], 3: [0]},
        {1: 5, 2: ["x"], 3: []},
        {1: 5, 2: [-1], 3: []},
        {1: 5, 2: []},
        {1: 5, 2: [], 3: [], 4: 1},
        [1],
    ],
    ids=str,
)
def test_a_proof_of_what_cannot_be_is_malformed(world: World, value: Value) -> None:
    problem(world.server.ask("POST", "/v1/log/proof", encode(value)), 400, "malformed")


def raw(world: World, head: str, body: bytes = b"", end: str = "\r\n\r\n") -> Answer:
    """Send these bytes, and read the answer until the server closes."""
    with socket.create_connection(("127.0.0.1", world.server.port), timeout=10) as connection:
        connection.sendall((head + end).encode() + body)
        data = b""
        while chunk := connection.recv(65_536):
            data += chunk
    top, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = top.decode().split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return Answer(int(first.split()[1]), {k.lower(): v for k, _, v in pairs}, rest)


@pytest.mark.parametrize(
    ("address", "limit"),
    [
        ("POST /v1/statements", MIB),
        ("POST /v1/log/proof", MIB),
        ("POST /v1/disclosures", 64 * MIB),
        ("PUT /v1/sealed/{request}", MAX_SEALED_BYTES),
    ],
)
def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(
    world: World, address: str, limit: int
) -> None:
    request = world.request.read_bytes()
    # The mailbox knows this request already when its frames were disclosed.
    assert world.server.ask("POST", "/v1/statements", request).status == 200
    head = address.format(request=Statement.parse(request).digest)
    method, path = head.split(" ")
    for length in (limit + 1, 10**15):
        fields = signed(world.freelancers_signer, world.server.url + path, method)
        lines = [f"{name}: {value}" for name, value in fields.items()]
        # Not one byte of the body is sent: the answer comes all the same.
        lines += [f"host: 127.0.0.1:{world.server.port}", f"content-length: {length}"]
        answer = raw(world, "\r\n".join((f"{head} HTTP/1.1", *lines)))
        problem(answer, 413, "too-large")
        assert answer.headers["connection"] == "close"


def test_a_body_that_grows_too_large_is_refused(world: World) -> None:
    piece = b"10000\r\n" + bytes(65_536) + b"\r\n"
    head = "POST /v1/statements HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked"
    with unharmed(world.server):
        # Exactly the byte that is too much: all of it is read before the answer.
        body = piece * 16 + b"1\r\n\x00\r\n"
        problem(raw(world, head, body), 413, "too-large")


@pytest.mark.parametrize(
    "head",
    [
        "NONSENSE",
        "GET /healthz HTTP/1.1",
        "POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: many",
        "POST /v1/statements HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz",
    ],
    ids=["line", "no host", "length", "chunks"],
)
def test_what_is_not_http_is_malformed(world: World, head: str) -> None:
    problem(raw(world, head), 400, "malformed")


def test_a_header_without_an_end_is_malformed(world: World) -> None:
    head = "GET /healthz HTTP/1.1\r\nhost: x\r\nlong: " + "a" * 20_000
    problem(raw(world, head, end=""), 400, "malformed")


def test_a_sealed_package_that_cannot_be_one_is_refused(world: World) -> None:
    request = world.request.read_bytes()
    assert world.server.ask("POST", "/v1/statements", request).status == 200
    path = f"/v1/sealed/{Statement.parse(request).digest}"
    before = world.server.ask_as(world.arbitrators_signer, "GET", path)
    for length in (0, 1, 1_136, MIN_SEALED_BYTES - 1, MIN_SEALED_BYTES + 1):
        answer = world.server.ask_as(world.freelancers_signer, "PUT", path, bytes(length))
        problem(answer, 400, "malformed")
    after = world.server.ask_as(world.arbitrators_signer, "GET", path)
    assert (before.status, before.body) == (after.status, after.body)


def test_the_servers_log_tells_of_no_mistake(world: World) -> None:
    log = world.server.log()
    assert "Traceback" not in log
    assert re.search(r" in \w+ line \d+", log) is None
    assert world.server.ask("GET", "/healthz").body == b"ok"
