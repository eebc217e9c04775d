"""Who is answered: the matrix of everybody else, asked of a real server, one test a row."""

import asyncio
import ctypes
import http.client
import os
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from support.paged import PASSPHRASE, PagedHome, Visitor, recorded
from workseal_agent.pages import PagesServer, doorway
from workseal_agent.pages.asked import MAX_BODY
from workseal_agent.pages.entrance import COOKIE, IDLE_MS, TOKEN_MS, Entrance
from workseal_agent.pages.guard import HEADERS, STATUS, Denial, Guard, Rules
from workseal_agent.pages.peer import Peer, peer_of

NOBODY = 65_534
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedHome]:
    with recorded(tmp_path_factory.mktemp("guarded"), seconds=30) as home:
        yield home


@dataclass(frozen=True, slots=True)
class Row:
    """Say what is changed of a request that would be answered, and how it is denied."""

    denial: Denial
    method: str = "POST"
    path: str = "/act"
    headers: dict[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    body: bytes | None = None


ELSEWHERE = "http://evil.test"
MATRIX = {
    "rebinding: another name for this address": Row(
        Denial.HOST, "GET", "/today", {"host": "rebind.test"}
    ),
    "rebinding: another name with the right port": Row(
        Denial.HOST, "GET", "/today", {"host": "rebind.test:PORT"}
    ),
    "the name localhost, which is not ours": Row(
        Denial.HOST, "GET", "/today", {"host": "localhost:PORT"}
    ),
    "another port of this machine": Row(Denial.HOST, "GET", "/today", {"host": "127.0.0.1:1"}),
    "rebinding with a form": Row(Denial.HOST, headers={"host": "rebind.test:PORT"}),
    "no cookie, reading": Row(Denial.SESSION, "GET", "/today", drop=("cookie",)),
    "no cookie, the figures": Row(Denial.SESSION, "GET", "/live", drop=("cookie",)),
    "no cookie, a page that is not there": Row(Denial.SESSION, "GET", "/x", drop=("cookie",)),
    "no cookie, acting": Row(Denial.SESSION, drop=("cookie",)),
    "a cookie that was guessed": Row(
        Denial.SESSION, "GET", "/today", {"cookie": f"{COOKIE}=AAAAAAAA"}
    ),
    "GET that would change state, without a cookie": Row(
        Denial.SESSION, "GET", "/act?act=pause", drop=("cookie",)
    ),
    "PUT": Row(Denial.METHOD, "PUT"),
    "DELETE": Row(Denial.METHOD, "DELETE"),
    "OPTIONS, before a request from elsewhere": Row(
        Denial.METHOD, "OPTIONS", headers={"origin": ELSEWHERE, "sec-fetch-site": "cross-site"}
    ),
    "a link on another site": Row(
        Denial.SITE, "GET", "/today", {"sec-fetch-site": "cross-site"}
    ),
    "a picture in another site's page": Row(
        Denial.SITE, "GET", "/live",
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
    ),
    "a page of another server of this machine": Row(
        Denial.SITE, "GET", "/today", {"sec-fetch-site": "same-site"}
    ),
    "a script of another server of this machine": Row(
        Denial.SITE, "GET", "/static/app.js",
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"},
    ),
    "a browser that does not say where from, reading": Row(
        Denial.SITE, "GET", "/today", drop=("sec-fetch-site",)
    ),
    "in a frame of another page": Row(
        Denial.FRAMED, "GET", "/today", {"sec-fetch-dest": "iframe"}
    ),
    "in an object of another page": Row(
        Denial.FRAMED, "GET", "/today", {"sec-fetch-dest": "object"}
    ),
    "the door in a frame": Row(Denial.FRAMED, "GET", "/", {"sec-fetch-dest": "iframe"}),
    "the door fetched by a script": Row(Denial.SITE, "GET", "/", {"sec-fetch-dest": "empty"}),
    "a cross-site form": Row(
        Denial.SITE,
        headers={
            "origin": ELSEWHERE, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate",
        },
    ),
    "a form of another server of this machine": Row(
        Denial.SITE, headers={"origin": "http://127.0.0.1:1", "sec-fetch-site": "same-site"}
    ),
    "a form whose browser says no site": Row(Denial.SITE, drop=("sec-fetch-site",)),
    "another origin, said to be the same site": Row(
        Denial.ORIGIN, headers={"origin": ELSEWHERE}
    ),
    "the null origin": Row(Denial.ORIGIN, headers={"origin": "null"}),
    "the right origin with https": Row(Denial.ORIGIN, headers={"origin": "https://127.0.0.1:PORT"}),
    "no origin": Row(Denial.ORIGIN, drop=("origin",)),
    "reading with another origin": Row(
        Denial.ORIGIN, "GET", "/live", {"origin": ELSEWHERE}
    ),
    "fetch with no-cors": Row(Denial.MODE, headers={"sec-fetch-mode": "no-cors"}),
    "a beacon": Row(
        Denial.SITE,
        headers={"origin": ELSEWHERE, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors",
                 "content-type": "text/plain"},
    ),
    "WebSocket upgrade": Row(
        Denial.UPGRADE, "GET", "/live", {"upgrade": "websocket", "connection": "upgrade"}
    ),
    "HTTP/2 upgrade": Row(Denial.UPGRADE, "GET", "/live", {"upgrade": "h2c"}),
    "an oversized body": Row(Denial.LENGTH, body=b"a" * (MAX_BODY + 1)),
    "an oversized body that never comes": Row(
        Denial.LENGTH, headers={"content-length": "999999999"}, body=b""
    ),
    "a body with a length that is none": Row(Denial.LENGTH, headers={"content-length": "+3"}),
    "a text that only looks like a form": Row(
        Denial.MEDIA, headers={"content-type": "text/plain"}
    ),
    "a multipart form": Row(
        Denial.MEDIA, headers={"content-type": "multipart/form-data; boundary=x"}
    ),
    "no content type": Row(Denial.MEDIA, drop=("content-type",)),
    "a form without what only our pages know": Row(Denial.FORM, body=b"act=pause"),
    "a form with another page's secret": Row(Denial.FORM, body=b"act=pause&form=AAAA"),
    "JSON without the header": Row(
        Denial.FORM, path="/unlock", headers={"content-type": "application/json"}, body=b"{}"
    ),
    "a second time the same": Row(
        Denial.ORIGIN, headers={"origin": "http://127.0.0.1:PORT, http://evil.test"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", MATRIX.values(), ids=MATRIX.keys())
def test_denies(visitor: Visitor, home: PagedHome, row: Row) -> None:
    before = home.desk.running()
    headers = {"content-type": FORM} if row.method == "POST" else {}
    headers |= {
        name: value.replace("PORT", str(visitor.server.port)) for name, value in row.headers.items()
    }
    body = row.body if row.body is not None else f"act=pause&form={visitor.form}".encode()
    denied = visitor.server.denied[row.denial]
    status, text = raw(visitor, row.method, row.path, headers, row.drop, body)
    assert (status, text) in {
        (STATUS[row.denial], row.denial.value),
        # What is no HTTP at all is refused before anybody reads it.
        (400, "Invalid HTTP request received."),
    }
    assert status == 400 or visitor.server.denied[row.denial] == denied + 1
    assert home.desk.running() == before


def raw(
    visitor: Visitor,
    method: str,
    path: str,
    headers: dict[str, str],
    drop: tuple[str, ...],
    body: bytes,
) -> tuple[int, str]:
    """Send just these headers; a client library would mend them."""
    reads = method in {"GET", "HEAD"}
    sent = {
        "host": f"127.0.0.1:{visitor.server.port}",
        "sec-fetch-site": "same-origin",
        "sec-fetch-mode": "navigate" if reads else "cors",
        "sec-fetch-dest": "document" if reads else "empty",
        "cookie": visitor.cookie,
    }
    if not reads:
        sent |= {"origin": visitor.server.origin, "content-length": str(len(body))}
    sent |= headers
    connection = http.client.HTTPConnection("127.0.0.1", visitor.server.port, timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in sent.items():
        if name not in drop:
            connection.putheader(name, value)
    connection.endheaders(None if reads else body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_the_same_requests_unchanged_are_answered(visitor: Visitor, home: PagedHome) -> None:
    assert visitor.get("/today").status_code == 200
    assert visitor.get("/live").status_code == 200
    assert visitor.get("/x").status_code == 404
    assert visitor.post("/act", act="pause").status_code == 303
    assert (home.desk.running() or {})["state"] == "paused"
    assert visitor.post("/act", act="resume").status_code == 303
    assert (home.desk.running() or {})["state"] == "working"


def test_a_get_changes_nothing_wherever_a_post_would(visitor: Visitor, home: PagedHome) -> None:
    for path in ("/act?act=pause", "/leave", "/lock", "/unlock", "/engagement", "/enter"):
        assert visitor.get(path).status_code in {404, 405}, path
    assert (home.desk.running() or {})["state"] == "working"


def test_a_body_in_pieces_is_cut_off_too(visitor: Visitor) -> None:
    pieces = (b"a" * 65_536 for _ in range(8))
    headers = {"content-type": FORM}
    answer = visitor.ask("POST", "/act", headers=headers, content=pieces)
    assert answer.status_code == 413


def test_every_answer_says_what_may_be_done_with_it(visitor: Visitor) -> None:
    for path in ("/", "/today", "/live", "/static/app.css", "/x"):
        answer = visitor.get(path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (path, name)
    refused = visitor.ask("GET", "/today", drop=("cookie",), headers={"cookie": ""})
    assert refused.headers["cache-control"] == "no-store"
    assert "unsafe" not in HEADERS["content-security-policy"]


def test_a_token_works_once(server: PagesServer, visitor: Visitor) -> None:
    assert server.entrance.token is None
    assert "#" not in server.address
    for token in ("", "AAAA", None, 7, "x" * 4096):
        answer = visitor.ask("POST", "/enter", json={"token": token})
        assert answer.status_code in {400, 401}
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "half", [b"\\ud800", b"\\udfff", b"\xed\xa0\x80"], ids=["high", "low", "bytes"]
)
def test_half_a_character_is_no_token(visitor: Visitor, half: bytes) -> None:
    for body in (b'{"token": "%s"}', b'{"token": ["%s"]}', b'{"token": "A", "%s": 0}'):
        headers = {"content-type": "application/json"}
        answer = visitor.ask("POST", "/enter", content=body % half, headers=headers)
        assert answer.status_code == 400, answer.text
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("half", ["%ED%A0%80", "%ed%bf%bf", "%FF"])
def test_half_a_character_is_no_value_of_a_form(visitor: Visitor, half: str) -> None:
    for content in (f"form={half}", f"form={visitor.form}&act={half}", f"{half}=pause"):
        answer = visitor.ask("POST", "/act", content=content, headers={"content-type": FORM})
        assert (answer.status_code, answer.text) == (415, Denial.MEDIA.value)


def test_a_used_token_lets_nobody_in() -> None:
    now = [0]
    entrance = Entrance(lambda: now[0])
    token = entrance.token or ""
    session = entrance.enter(token)
    assert session is not None
    assert entrance.enter(token) is None
    assert entrance.find(session.identity) is session
    assert session.identity not in repr(session)


def test_a_token_that_nobody_used_in_time_lets_nobody_in() -> None:
    now = [0]
    entrance = Entrance(lambda: now[0])
    token = entrance.token or ""
    now[0] = TOKEN_MS
    assert entrance.enter(token) is None


def test_a_session_ends_when_nobody_comes_back() -> None:
    now = [0]
    entrance = Entrance(lambda: now[0])
    session = entrance.enter(entrance.token or "")
    assert session is not None
    now[0] = IDLE_MS - 1
    entrance.touch()
    now[0] = 2 * IDLE_MS - 2
    assert entrance.find(session.identity) is session
    now[0] += 1
    assert entrance.find(session.identity) is None
    assert entrance.is_over()


def test_an_open_page_that_asks_by_itself_keeps_no_session_open(
    visitor: Visitor, home: PagedHome
) -> None:
    visitor.get("/today")
    seen = visitor.server.entrance._seen_ms
    home.rig.clock.run(5)
    assert visitor.get("/live").status_code == 200
    assert visitor.server.entrance._seen_ms == seen
    visitor.get("/today")
    assert visitor.server.entrance._seen_ms == seen + 5_000


def test_leaving_ends_the_session_and_the_command(tmp_path: Path) -> None:
    home = PagedHome(tmp_path)
    with home.served() as server:
        visitor = Visitor(server).enter()
        home.desk.unlock(PASSPHRASE)
        assert "closed" in visitor.post("/leave").text
        assert server.entrance.is_over()
        assert home.desk.unlocked.use() is None
        visitor.close()


def test_a_cookie_of_the_same_name_from_elsewhere_changes_nothing(visitor: Visitor) -> None:
    both = f"{COOKIE}=other; {visitor.cookie}"
    assert visitor.ask("GET", "/today", headers={"cookie": both}).status_code == 200


ASK = """
import socket, sys
port, cookie = int(sys.argv[1]), sys.argv[2]
with socket.create_connection(("127.0.0.1", port)) as connection:
    connection.sendall(
        f"GET /today HTTP/1.1\\r\\nhost: 127.0.0.1:{port}\\r\\ncookie: {cookie}\\r\\n"
        "sec-fetch-site: none\\r\\nsec-fetch-mode: navigate\\r\\nsec-fetch-dest: document\\r\\n"
        "connection: close\\r\\n\\r\\n".encode())
    answer = b""
    try:
        while piece := connection.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
print(answer.partition(b" ")[2][:3].decode())
"""


def as_nobody(port: int, cookie: str) -> str:
    """Ask as another user of this machine, with the right cookie; return the status."""
    if os.geteuid() != 0:
        done = subprocess.run(
            ["sudo", "-n", "-u", "nobody", "python3", "-c", ASK, str(port), cookie],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()
    told: list[str] = []

    def ask() -> None:
        # Of this thread alone: its sockets belong to nobody.
        ctypes.CDLL(None).setfsuid(NOBODY)
        scope: dict[str, Any] = {"print": told.append}
        exec(ASK.replace("sys.argv[1]", str(port)).replace("sys.argv[2]", repr(cookie)), scope)  # noqa: S102

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(20)
    return told[0]


def test_another_user_with_the_cookie_gets_nothing(visitor: Visitor) -> None:
    before = visitor.server.denied[Denial.OTHER_USER]
    assert as_nobody(visitor.server.port, visitor.cookie) == ""
    assert visitor.server.denied[Denial.OTHER_USER] == before + 1
    assert visitor.get("/today").status_code == 200


IDLE = """
import socket, sys
opened = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(300)]
print(len(opened), flush=True)
sys.stdin.read()
"""


@contextmanager
def idle_of_nobody(port: int) -> Iterator[None]:
    """Hold 300 connections of another user of this machine."""
    if os.geteuid() != 0:
        command = ["sudo", "-n", "-u", "nobody", "python3", "-c", IDLE, str(port)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as idle:
            assert idle.stdout is not None
            assert idle.stdout.readline() == b"300\n"
            yield
        return
    opened: list[socket.socket] = []

    def connect() -> None:
        # Of this thread alone: its sockets belong to nobody.
        ctypes.CDLL(None).setfsuid(NOBODY)
        opened.extend(socket.create_connection(("127.0.0.1", port)) for _ in range(300))

    thread = threading.Thread(target=connect)
    thread.start()
    thread.join(20)
    assert len(opened) == 300
    yield
    for one in opened:
        one.close()


def test_idle_connections_of_another_user_keep_nobody_out(visitor: Visitor) -> None:
    before = visitor.server.denied[Denial.OTHER_USER]
    with idle_of_nobody(visitor.server.port):
        assert visitor.get("/today").status_code == 200
        end = time.monotonic() + 20
        while visitor.server.denied[Denial.OTHER_USER] < before + 300:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_who_connects_and_asks_nothing_goes_again(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workseal_agent.pages.doorway._HEAD_SECONDS", 0.2)
    for begun in (b"", b"GET /today HTTP/1.1\r\nhost: "):
        with socket.create_connection(("127.0.0.1", visitor.server.port), timeout=20) as idle:
            idle.sendall(begun)
            assert idle.recv(1) == b""
    assert visitor.get("/today").status_code == 200


@contextmanager
def connected(port: int, count: int, begun: bytes = b"") -> Iterator[list[socket.socket]]:
    """Connect as often to the pages as the owner's own program, and ask for nothing."""
    opened = []
    try:
        for _ in range(count):
            opened.append(socket.socket())
            opened[-1].settimeout(20)
            # As little as the system lets one take of what is not read.
            opened[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            opened[-1].connect(("127.0.0.1", port))
            with suppress(OSError):  # it may have been ended already
                opened[-1].sendall(begun)
        yield opened
    finally:
        for one in opened:
            one.close()


def ends(one: socket.socket) -> bool:
    """Wait for an end of a connection, whatever comes before it."""
    with suppress(ConnectionError):
        while one.recv(65_536):
            pass
    return True


@pytest.mark.parametrize("begun", [b"", b"GET /today HTTP/1.1\r\nhost: "])
def test_the_owners_program_cannot_keep_more_places_than_there_are(
    visitor: Visitor, begun: bytes
) -> None:
    before = visitor.server.denied[Denial.CROWD]
    places = doorway._PLACES
    with connected(visitor.server.port, 3 * places, begun) as opened:
        # The first of them went for the last.
        assert all(ends(one) for one in opened[: 2 * places])
        assert visitor.server.denied[Denial.CROWD] >= before + 2 * places
        # And who comes now, and asks, has a place.
        assert visitor.get("/today").status_code == 200


def test_a_form_that_never_comes_to_its_end_is_not_waited_for(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workseal_agent.pages.doorway._HEAD_SECONDS", 0.2)
    lines = (
        "POST /act HTTP/1.1", f"host: 127.0.0.1:{visitor.server.port}", f"cookie: {visitor.cookie}",
        f"origin: {visitor.server.origin}", "sec-fetch-site: same-origin", "sec-fetch-mode: cors",
        f"content-type: {FORM}", "content-length: 9", "", "act=",
    )  # fmt: skip
    with connected(visitor.server.port, 1, "\r\n".join(lines).encode()) as (one,):
        assert one.recv(1) == b""


def test_who_does_not_read_an_answer_is_not_waited_for(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workseal_agent.pages.doorway._HEAD_SECONDS", 0.2)
    head = f"host: 127.0.0.1:{visitor.server.port}\r\nsec-fetch-site: same-origin"
    # So many that no buffer of the system holds the answers.
    asked = f"GET /static/app.css HTTP/1.1\r\n{head}\r\n\r\n".encode() * 5_000
    with connected(visitor.server.port, 1) as (one,):
        until(lambda: held(visitor, one))
        threading.Thread(target=partial(sent, one, asked), daemon=True).start()
        until(lambda: not held(visitor, one))
    assert visitor.get("/today").status_code == 200


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def held(visitor: Visitor, one: socket.socket) -> bool:
    """Say whether the server keeps a connection; its end may wait behind what is not read."""
    there: tuple[Any, ...] = tuple(visitor.server._server.server_state.connections)
    return one.getsockname() in {connection.client for connection in there}


def sent(one: socket.socket, data: bytes) -> None:
    with suppress(OSError):
        one.sendall(data)


LINE = " 0: 0100007F:{client:04X} 0100007F:{server:04X} 01 0:0 00:0 0 {uid} 0 1"


def test_a_connection_is_its_owners(tmp_path: Path) -> None:
    table = tmp_path / "tcp"
    ends = ("127.0.0.1", 40_000), ("127.0.0.1", 5_000)
    table.write_text("head\n" + LINE.format(client=40_000, server=5_000, uid=os.geteuid()))
    assert peer_of(*ends, [table]) is Peer.OWN
    table.write_text(LINE.format(client=40_000, server=5_000, uid=os.geteuid() + 1))
    assert peer_of(*ends, [table]) is Peer.OTHER
    table.write_text(LINE.format(client=5_000, server=40_000, uid=os.geteuid()))
    assert peer_of(*ends, [table]) is Peer.GONE
    assert peer_of(*ends, [tmp_path / "no such list"]) is Peer.OWN
    own = LINE.format(client=40_000, server=5_000, uid=os.geteuid())
    mapped = "0000000000000000FFFF0000"
    for line, whose in (
        (own.replace(" 0100007F", f" {mapped}0100007F"), Peer.OWN),
        # The same port of another loopback address, and what was closed already.
        (own.replace("0100007F:9C40", "0200007F:9C40"), Peer.GONE),
        (own.replace(" 01 ", " 06 "), Peer.GONE),
        # Whoever else claims to be this end.
        (
            own + "\n" + own.replace(f" {os.geteuid()} 0 1", f" {os.geteuid() + 1} 0 1"),
            Peer.OTHER,
        ),
    ):
        table.write_text(line)
        assert peer_of(*ends, [table]) is whose, line


def test_another_user_on_the_browsers_port_gets_nothing(visitor: Visitor, home: PagedHome) -> None:
    """Ports are told to everybody: the same one can be taken on another loopback address."""
    del home
    port = visitor.server.port
    with socket.create_connection(("127.0.0.1", port)) as browsing:
        taken = browsing.getsockname()[1]
        ends = ("127.0.0.2", taken), ("127.0.0.1", port)
        assert peer_of(("127.0.0.1", taken), ("127.0.0.1", port)) is Peer.OWN
        assert peer_of(*ends) is not Peer.OWN


def test_what_a_browser_closes_again_is_no_other_user(visitor: Visitor) -> None:
    before = dict(visitor.server.denied)
    for asked in (b"", b"GET /today HTTP/1.1\r\n\r\n"):
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", visitor.server.port)) as ahead:
                ahead.sendall(asked)
    assert visitor.get("/today").status_code == 200
    told = visitor.server.denied - Counter(before)
    assert told[Denial.OTHER_USER] == 0


@pytest.mark.parametrize(("whose", "counted"), [(Peer.GONE, 0), (Peer.OTHER, 1)])
def test_who_went_away_before_the_answer_is_not_counted(whose: Peer, counted: int) -> None:
    denied: Counter[Denial] = Counter()

    async def ask() -> list[int]:
        told: list[int] = []

        async def send(message: Any) -> None:
            told.extend([message["status"]] if "status" in message else [])

        rules = Rules(5_000, Entrance(lambda: 0))
        guard = Guard(PlainTextResponse("a page"), rules, denied, peer=lambda *_: whose)
        ends = {"client": ("127.0.0.1", 40_000), "server": ("127.0.0.1", 5_000)}
        scope = {"type": "http", "method": "GET", "path": "/today", "headers": [], **ends}
        await guard(scope, lambda: asyncio.sleep(0, {"type": "http.disconnect"}), send)
        return told

    assert asyncio.run(ask()) == [403]
    assert +denied == Counter({Denial.OTHER_USER: counted} if counted else {})


def test_it_listens_on_loopback_alone(server: PagesServer) -> None:
    assert server._socket.getsockname()[0] == "127.0.0.1"
    with (
        pytest.raises(OSError, match="refused"),
        socket.create_connection(("127.0.0.2", server.port), timeout=5),
    ):
        pass
