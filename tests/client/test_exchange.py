import gzip
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from support.asking import target_of
from support.carried import Carrying, Mocked
from support.wire import problem
from workseal_client import RefusedError, UnreachableError, VerifierClient, require_url
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Value, encode
from workseal_protocol.httpsignature import RequestSignature
from workseal_protocol.keys import SeedSigner


def client_for(answer: httpx.Response | Exception) -> VerifierClient:
    def respond(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return VerifierClient("http://localhost", Mocked(respond))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.ConnectError("refused"), id="refused connection"),
        pytest.param(httpx.ReadTimeout("slow"), id="no answer in time"),
        pytest.param(httpx.RemoteProtocolError("half"), id="half an answer"),
        pytest.param(httpx.Response(500), id="server error"),
        pytest.param(httpx.Response(502, text="<html>"), id="proxy"),
        pytest.param(httpx.Response(403, text="log in first"), id="captive portal"),
        pytest.param(httpx.Response(302, headers={"location": "http://x/"}), id="redirect"),
        pytest.param(problem(503, "busy"), id="busy"),
        pytest.param(httpx.Response(200, content=b"\xff"), id="not CBOR"),
        pytest.param(httpx.Response(200, content=encode({1: 5})), id="fields missing"),
        pytest.param(httpx.Response(200, content=b"x" * 2_000_000), id="too long"),
    ],
)
def test_whatever_is_no_answer_may_be_asked_again(answer: httpx.Response | Exception) -> None:
    with pytest.raises(UnreachableError):
        client_for(answer).operator()


def test_reads_no_more_than_an_answer_may_have() -> None:
    with pytest.raises(UnreachableError, match="too long"):
        client_for(httpx.Response(200, content=b"x" * 2_000_000)).checkpoint()


def test_gives_up_on_a_half_closed_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def half() -> None:
            connection, _ = server.accept()
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nonly this")
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
            connection.close()

        thread = threading.Thread(target=half)
        thread.start()
        client = VerifierClient(f"http://127.0.0.1:{server.getsockname()[1]}", seconds=3)
        with pytest.raises(UnreachableError):
            client.checkpoint()
        client.close()
        thread.join(5)


@pytest.mark.parametrize(
    "url",
    [
        "http://verifier.example",
        "ftp://localhost",
        "https://",
        "https://user:pw@verifier.example",
        "https://verifier.example?x=1",
        "https://verifier.example:port",
        "verifier.example",
    ],
)
def test_refuses_an_address_that_is_not_safe(url: str) -> None:
    with pytest.raises(ValueError, match="https://HOST"):
        require_url(url)


class Listening(Carrying):
    """Answer what only a party reads with a refusal, or as told, and keep what was asked."""

    def __init__(self, clock_ms: int, *answers: httpx.Response) -> None:
        self.clock_ms = clock_ms
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if request.url.path == "/v1/operator":
            facts: dict[int, Value] = {1: b"", 2: "", 3: [], 4: [], 5: self.clock_ms}
            return httpx.Response(200, content=encode(facts))
        self.asked.append(request)
        return self.answers.pop(0)

    def signatures(self) -> list[RequestSignature]:
        """Check each request's signature, and return them."""
        found = []
        for request in self.asked:
            headers = request.headers
            signature = RequestSignature.parse(
                headers["signature-input"], headers["signature"], headers.get("content-digest")
            )
            signature.verify(target_of(request), OWN.public_key)
            signature.verify_body(request.content)
            found.append(signature)
        return found


OWN = SeedSigner(b"\x05" * 32)
NOW = 1_700_000_000_000


def signing(transport: Listening, url: str = "http://localhost:8080") -> VerifierClient:
    return VerifierClient(url, transport, signer=OWN, now_ms=lambda: NOW)


def test_reads_and_the_sealed_package_are_signed() -> None:
    empty = httpx.Response(200, content=encode([]))
    plain = httpx.Response(200)
    transport = Listening(NOW, empty, plain, empty, plain, plain)
    client = signing(transport)
    client.statements(bytes(16), size=9)
    client.keys(bytes(16))
    client.receipt(Digest.of(b"x"), 5)
    client.put_sealed(Digest.of(b"x"), b"sealed")
    signatures = transport.signatures()
    assert len(signatures) == 5
    assert {one.created for one in signatures} == {NOW // 1_000}
    assert len({one.nonce for one in signatures}) == 5
    assert transport.asked[3].url.query == b"size=5"


@pytest.mark.parametrize(
    "url", ["https://log.example", "https://log.example:443", "https://log.example:8443"]
)
def test_the_authority_is_that_of_the_request(url: str) -> None:
    transport = Listening(NOW, httpx.Response(200, content=encode([])))
    signing(transport, url).keys(bytes(16))
    assert len(transport.signatures()) == 1


def test_a_wrong_clock_is_set_right_by_the_verifiers_once() -> None:
    empty = httpx.Response(200, content=encode([]))
    transport = Listening(NOW + 7_200_000, problem(401, "stale"), empty, empty)
    client = signing(transport)
    client.keys(bytes(16))
    client.keys(bytes(16))
    assert [one.created for one in transport.signatures()] == [
        NOW // 1_000,
        NOW // 1_000 + 7_200,
        NOW // 1_000 + 7_200,
    ]


def test_a_verifier_that_calls_every_time_wrong_is_a_refusal() -> None:
    transport = Listening(NOW, problem(401, "stale"), problem(401, "stale"))
    with pytest.raises(RefusedError):
        signing(transport).keys(bytes(16))
    assert len(transport.asked) == 2


def test_two_signed_requests_have_the_same_length() -> None:
    """What is sent tells nothing by its length."""
    empty = httpx.Response(200, content=encode([]))
    transport = Listening(NOW, empty, empty)
    client = signing(transport)
    client.keys(bytes(16))
    client.keys(b"\xff" * 16)
    lengths = {sum(len(k) + len(v) for k, v in one.headers.raw) for one in transport.asked}
    assert len(lengths) == 1


class Parts(httpx.SyncByteStream):
    """An answer that is read as it comes, as from a network."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.read_from = 0

    def __iter__(self) -> Iterator[bytes]:
        self.read_from += 1
        yield self.data


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "deflate", "br", "identity, gzip"])
def test_an_encoding_that_was_not_asked_for_is_not_undone(encoding: str) -> None:
    """32 KB of zstd took 3 GB of memory before its length was looked at."""
    body = Parts(gzip.compress(bytes(1_000)))
    answer = httpx.Response(200, headers={"content-encoding": encoding}, stream=body)
    with pytest.raises(UnreachableError, match="encoding that was not asked for"):
        client_for(answer).checkpoint()
    assert body.read_from == 0


@pytest.mark.parametrize(
    "path",
    ["../../v1/cases", "0/000?x=1", "..%2f0", "//evil.example/x", "0/000\r\nx: y", "0/0", "64/000"],
)
def test_what_is_no_tile_is_asked_for_nowhere(path: str) -> None:
    with pytest.raises(ValueError, match="expected a tile's path"):
        client_for(AssertionError("asked")).tile(path)


@pytest.mark.parametrize(
    "answer",
    [
        {"token": "\x1b[2J" + "A" * 39, "role": "\x1b[2J"},
        {"token": "A" * 44, "role": "A" * 60_000},
        {"token": 1, "role": ["client"]},
        [],
    ],
)
def test_what_would_be_shown_or_opened_is_of_its_form(answer: object) -> None:
    client = client_for(httpx.Response(200, json=answer))
    with pytest.raises(UnreachableError, match="not in the right form"):
        client.sign_in_link()
    with pytest.raises(UnreachableError, match="not in the right form"):
        client.accept_invitation("A" * 43, "key")


def test_a_time_that_cannot_be_is_not_signed_at() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/operator":
            return httpx.Response(200, content=encode({5: 2**53 - 1}))
        return problem(401, "stale")

    client = VerifierClient("http://localhost", Mocked(respond), signer=SeedSigner(bytes(32)))
    with pytest.raises(UnreachableError, match="its time is none"):
        client.cases()


def test_only_what_is_not_there_is_no_receipt() -> None:
    digest = Digest(bytes(32))
    assert client_for(problem(404, "not-found")).receipt(digest, 1) is None
    with pytest.raises(RefusedError):
        client_for(problem(403, "waiting")).receipt(digest, 1)
