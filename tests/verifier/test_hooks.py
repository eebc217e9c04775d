"""Webhooks at a real HTTPS server: the receiver of the specification, and hostile ones."""

import json
import re
import socket
import ssl
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.builders import CLIENT, make_sheet_answer
from support.office import FakeClock
from support.postal import https, make_certificate
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.httpsignature import WEBHOOK_TAG, RequestSignature, Target
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import SheetAnswer, sign
from workseal_verifier.hooks import Hooks, is_public
from workseal_verifier.services.letters import Place, hook_body
from workseal_verifier.store.notices import Channel, Fate, NoticeRow

PAGE = Path(__file__).resolve().parents[2] / "docs" / "spec" / "webhooks.md"
OPERATOR = SeedSigner(b"\x09" * 32)
PLACE = Place("office.workseal.example/2026", "https://office.workseal.example")
ROW = NoticeRow(
    name=Digest.of(b"name"),
    channel=Channel.WEBHOOK,
    kind="turn",
    filing=Digest.of(b"case"),
    step=41,
    recipient=Digest.of(b"person"),
    waiting=1 << 1,
    made_ms=1_794_900_000_000,
    fate=Fate.WAITING,
    tries=0,
    next_ms=0,
    ended_ms=None,
    state="answer",
    until_ms=1_796_079_599_999,
    statement=None,
)


@pytest.fixture
def receiver() -> Any:
    """Give the receiver of the page, knowing this operator and the clock of its notices."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "receiver"}
    exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102 - the example of our own page
    made = names["Receiver"]
    made.operator = OPERATOR.public_key
    made.now = staticmethod(lambda: ROW.made_ms / 1000)
    return made


def test_a_connection_that_says_nothing_does_not_hold_the_receiver(receiver: Any) -> None:
    assert 0 < receiver.timeout <= 10
    receiver.timeout = 0.2
    with HTTPServer(("127.0.0.1", 0), receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = ("127.0.0.1", server.server_port)
        with socket.create_connection(place, timeout=20) as silent:
            silent.sendall(b"POST /workseal HTTP/1.1\r\ncontent-length: 9000\r\n\r\n{")
            with socket.create_connection(place, timeout=20) as other:
                other.sendall(b"POST /workseal HTTP/1.1\r\n\r\n")
                assert other.recv(12) == b"HTTP/1.0 401"
        server.shutdown()


def sender(certificate: tuple[Path, Path], **options: Any) -> Hooks:
    fields: dict[str, Any] = {"roots": certificate[0], "private": True}
    return Hooks(OPERATOR, PLACE, FakeClock(ROW.made_ms), **(fields | options))


def test_the_receiver_of_the_page_takes_a_notice_once(
    receiver: Any, certificate: tuple[Path, Path]
) -> None:
    with https(receiver, certificate) as receiver.authority:
        for _ in range(2):
            sender(certificate).send(ROW, f"https://{receiver.authority}/workseal?a=1")
    assert receiver.taken == {
        str(ROW.name): {
            "id": str(ROW.name),
            "again": False,
            "kind": "turn",
            "case": str(ROW.filing),
            "engagement": None,
            "timesheet": None,
            "replaces": None,
            "answer": None,
            "step": 41,
            "state": "answer",
            "waiting_for": ["freelancer"],
            "until": ROW.until_ms,
            "made": ROW.made_ms,
            "origin": PLACE.origin,
            "link": f"{PLACE.url}/v1/cases/{ROW.filing}",
        }
    }


def test_the_receiver_of_the_page_takes_a_notice_of_hours_without_its_words(
    receiver: Any, certificate: tuple[Path, Path]
) -> None:
    said = make_sheet_answer(answer=SheetAnswer.OBJECTION, text="the secret project")
    row = replace(
        ROW, kind="answer", filing=None, state=None, until_ms=None, tries=1,
        statement=sign(said, CLIENT).encode(),
    )  # fmt: skip
    with https(receiver, certificate) as receiver.authority:
        sender(certificate).send(row, f"https://{receiver.authority}/workseal")
    assert receiver.taken == {
        str(ROW.name): {
            "id": str(ROW.name),
            "again": True,
            "kind": "answer",
            "case": None,
            "engagement": said.engagement.hex(),
            "timesheet": str(said.timesheet),
            "replaces": None,
            "answer": "objection",
            "step": 41,
            "state": None,
            "waiting_for": ["freelancer"],
            "until": None,
            "made": ROW.made_ms,
            "origin": PLACE.origin,
            "link": f"{PLACE.url}/diary/{said.engagement.hex()}",
        }
    }


def test_the_receiver_of_the_page_takes_nothing_else(
    receiver: Any, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with https(receiver, certificate) as receiver.authority:
        url = f"https://{receiver.authority}/"
        other = Hooks(
            SeedSigner(b"\x0a" * 32),
            PLACE,
            FakeClock(ROW.made_ms),
            roots=certificate[0],
            private=True,
        )
        late = Hooks(
            OPERATOR, PLACE, FakeClock(ROW.made_ms + 301_000), roots=certificate[0], private=True
        )
        for wrong in (other, late):
            with pytest.raises(OSError, match="answered 401"):
                wrong.send(ROW, url)
        monkeypatch.setattr(receiver, "authority", "elsewhere.example")
        with pytest.raises(OSError, match="answered 401"):
            sender(certificate).send(ROW, url)
    assert receiver.taken == {}


@pytest.mark.parametrize("length", ["-1", "x", "", "99999999", "1_0"])
def test_the_receiver_of_the_page_reads_no_more_than_there_can_be(
    receiver: Any, certificate: tuple[Path, Path], length: str
) -> None:
    with https(receiver, certificate) as receiver.authority:
        host, _, port = receiver.authority.partition(":")
        trusting = ssl.create_default_context(cafile=str(certificate[0]))
        with (
            socket.create_connection((host, int(port)), timeout=20) as plain,
            trusting.wrap_socket(plain, server_hostname=host) as made,
        ):
            made.sendall(f"POST / HTTP/1.1\r\ncontent-length: {length}\r\n\r\n".encode())
            assert made.recv(100).startswith(b"HTTP/1.0 401")


def test_what_is_signed_for_a_webhook_is_no_request(certificate: tuple[Path, Path]) -> None:
    fields = sender(certificate)._headers("https://hooks.example.com:443/x?y", b"{}")
    signed = [fields[name] for name in ("signature-input", "signature", "content-digest")]
    with pytest.raises(MalformedError, match="form of the specification"):
        RequestSignature.parse(*signed)
    found = RequestSignature.parse(*signed, tag=WEBHOOK_TAG)
    target = Target("POST", "hooks.example.com", "/x", "?y")
    found.verify(target, OPERATOR.public_key)
    with pytest.raises(VerificationError):
        # The tag is part of what is signed.
        replace(found, tag="workseal/request/v1").verify(target, OPERATOR.public_key)


@pytest.mark.parametrize("status", [301, 400, 404, 500, 503])
def test_any_answer_but_yes_is_a_failure_and_no_redirect_is_followed(
    certificate: tuple[Path, Path], status: int
) -> None:
    asked: list[str] = []

    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("location", "/other")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with (
        https(Other, certificate) as authority,
        pytest.raises(OSError, match=f"answered {status}"),
    ):
        sender(certificate).send(ROW, f"https://{authority}/first")
    assert asked == ["/first"]


def test_an_endless_answer_is_not_read(certificate: tuple[Path, Path]) -> None:
    ended = threading.Event()

    class Endless(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(bytes(65_536))
            except OSError:
                ended.set()

        def log_message(self, *_: object) -> None:
            pass

    with https(Endless, certificate) as authority:
        sender(certificate).send(ROW, f"https://{authority}/")
        assert ended.wait(20)


def test_what_is_sent_has_these_headers_and_each_once(certificate: tuple[Path, Path]) -> None:
    found: list[tuple[str, str]] = []

    class Noting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.extend(self.headers.items())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with https(Noting, certificate) as authority:
        sender(certificate).send(replace(ROW, tries=1), f"https://{authority}/")
    assert sorted(name for name, _ in found) == [
        "content-digest", "content-length", "content-type", "host", "idempotency-key", "signature",
        "signature-input", "user-agent",
    ]  # fmt: skip
    assert dict(found)["idempotency-key"] == f'"{ROW.name}"'
    assert dict(found)["host"] == authority


@pytest.mark.parametrize(
    "begin", [b"HTTP/1.1 200 ", b"HTTP/1.1 200 yes\r\nx: ", b"HTTP/1.1 200 yes\r\n"]
)
def test_a_head_without_an_end_is_not_read_to_it(
    certificate: tuple[Path, Path], begin: bytes
) -> None:
    ended = threading.Event()

    class Giant(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                self.wfile.write(begin)
                while True:
                    self.wfile.write(b"x" * 65_536 if begin[-1:] == b" " else b"x: y\r\n" * 999)
            except OSError:
                ended.set()

        def log_message(self, *_: object) -> None:
            pass

    with https(Giant, certificate) as authority:
        with pytest.raises(OSError, match=r"not reached: (LineTooLong|HTTPException)"):
            sender(certificate).send(ROW, f"https://{authority}/")
        assert ended.wait(20)


def test_a_server_that_says_nothing_is_left_in_time(certificate: tuple[Path, Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://localhost:{listener.getsockname()[1]}/"
        with pytest.raises(OSError, match="not reached"):
            sender(certificate, timeout_s=0.2).send(ROW, url)


def test_a_certificate_that_does_not_hold_is_refused(
    receiver: Any, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    other = make_certificate(tmp_path, "elsewhere.example")
    with https(receiver, other) as authority:
        for roots in (other[0], certificate[0]):
            with pytest.raises(OSError, match="not reached: SSL"):
                sender(certificate, roots=roots).send(ROW, f"https://{authority}/")


def test_a_name_that_is_not_found_in_time_is_left(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def resolve(*_: Any, **__: Any) -> Any:
        go.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(OSError, match="not reached: TimeoutError"):
        sender(certificate, timeout_s=0.05).send(ROW, "https://stuck.example/")
    go.set()


def test_an_address_of_this_machine_is_refused_and_not_even_connected_to(
    certificate: tuple[Path, Path],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)  # noqa: FBT003
        port = listener.getsockname()[1]
        for host in ("localhost", "127.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"):  # noqa: S104
            with pytest.raises(OSError, match="not reached"):
                sender(certificate, private=False).send(ROW, f"https://{host}:{port}/")
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when it is looked at, and private a moment later (DNS rebinding)."""
    asked: list[str] = []
    connected: list[str] = []
    answers = ["93.184.215.14", "127.0.0.1"]

    def resolve(host: str, port: int, **_: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[len(asked) - 1], port))]

    def connect(address: tuple[str, int], **_: Any) -> Any:
        connected.append(address[0])
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(OSError, match="not reached"):
        sender(certificate, private=False).send(ROW, "https://rebinding.example/")
    assert (asked, connected) == (["rebinding.example"], ["93.184.215.14"])
    with pytest.raises(OSError, match="PermissionError"):
        sender(certificate, private=False).send(ROW, "https://rebinding.example/")
    assert len(connected) == 1


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1",  # noqa: S104
        "ff02::1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1",
        "::7f00:1", "fec0::1", "64:ff9b:1::a00:1", "5f00::1", "192.88.99.1", "198.18.0.1",
        "2001:db8::1", "2002:c0a8:101::1", "240.0.0.1", "4000::1",
    ],
)  # fmt: skip
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "2606:2800:21f:cb07::1", "::ffff:93.184.215.14", "64:ff9b::808:808"],
)
def test_what_is_public(address: str) -> None:
    assert is_public(address)


def test_the_page_shows_a_body_of_this_form() -> None:
    shown = re.search(r"> (\{\"again\".*?\})\n", PAGE.read_text().replace("\n>  ", " "))
    assert shown is not None
    assert list(json.loads(shown[1])) == sorted(hook_body(ROW, PLACE))


def test_an_answer_that_drips_is_cut_off(certificate: tuple[Path, Path]) -> None:
    ended = threading.Event()

    class Dripping(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                while not ended.wait(0.02):
                    self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            except OSError:
                ended.set()

        def log_message(self, *_: object) -> None:
            pass

    with https(Dripping, certificate) as authority:
        with pytest.raises(OSError, match="not reached"):
            sender(certificate, timeout_s=0.5).send(ROW, f"https://{authority}/")
        assert ended.wait(20)
