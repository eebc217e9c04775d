import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from support.carried import Mocked
from workseal_agent.connection import (
    DepartureRecorder,
    Departures,
    Request,
    UnreachableError,
    VerifierClient,
)
from workseal_client.transport import Address

URL = "http://localhost"


class Asking:
    """Send requests through a recorder."""

    def __init__(self, recorder: DepartureRecorder) -> None:
        self.recorder = recorder

    def request(
        self, method: str, target: str, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> int:
        told = {"Host": "localhost"} | (headers or {})
        address = Address.of(URL)
        request = Request(method, address, target, tuple(told.items()), content)
        return self.recorder.send(request).status

    def get(self, target: str) -> int:
        return self.request("GET", target)

    def post(self, target: str, content: bytes, headers: dict[str, str] | None = None) -> int:
        return self.request("POST", target, content, headers)


Opened = Callable[..., Asking]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sent.sqlite"


@pytest.fixture
def opened(file: Path) -> Iterator[Opened]:
    """Give clients whose requests are written down, and then answered or lost."""
    clients = []

    def make(
        answer: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(200),
        most_bytes: int = 1 << 20,
    ) -> Asking:
        inner = Mocked(answer)
        recorder = DepartureRecorder(inner, file, lambda: 1_000, most_bytes=most_bytes)
        clients.append(Asking(recorder))
        return clients[-1]

    yield make
    for client in clients:
        client.recorder.close()


def test_every_byte_is_written_down(file: Path, opened: Opened) -> None:
    opened().post("/v1/statements?old=7", content=b"\x00\xffbody", headers={"x-one": "1"})
    (row,) = Departures(file).newest()
    assert (row.number, row.at_ms, row.method, row.target) == (
        1,
        1_000,
        "POST",
        "/v1/statements?old=7",
    )
    assert row.head.startswith(b"POST /v1/statements?old=7 HTTP/1.1\r\nHost: localhost\r\n")
    assert b"x-one: 1\r\n" in row.head
    assert row.head.endswith(b"\r\n\r\n")
    assert row.body == b"\x00\xffbody"
    assert Departures(file).one(1) == row
    assert Departures(file).one(2) is None
    assert "body" not in repr(row)


def test_it_is_written_before_it_is_sent(file: Path, opened: Opened) -> None:
    seen: list[int] = []

    def answer(_request: httpx.Request) -> httpx.Response:
        seen.append(len(Departures(file).newest()))
        raise httpx.ConnectError("lost")

    with pytest.raises(UnreachableError):
        opened(answer).get("/v1/operator")
    assert seen == [1]


def test_it_is_its_owners_alone(file: Path, opened: Opened) -> None:
    opened().get("/v1/operator")
    for path in file.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("method", "target"), [("POST", "/v1/disclosures"), ("PUT", "/v1/sealed/x")]
)
def test_no_tile_is_repeated_outside_the_vault(
    file: Path, opened: Opened, method: str, target: str
) -> None:
    opened().request(method, target, content=b"pixels" * 1_000)
    (row,) = Departures(file).newest()
    assert (row.body, row.length) == (None, 6_000)
    assert row.size == len(row.head) + 6_000
    for path in file.parent.iterdir():
        assert b"pixels" not in path.read_bytes()


def test_the_oldest_give_way_and_are_counted(file: Path, opened: Opened) -> None:
    client = opened(most_bytes=10_000)
    for number in range(40):
        client.post(f"/v1/statements?old={number}", content=bytes(1_000))
    rows = Departures(file).newest()
    sums = Departures(file).sums()
    assert rows[0].target.endswith("=39")
    assert sums.kept == len(rows)
    assert sums.kept + sums.gone == 40
    assert sums.kept_bytes <= 10_000 < sums.kept_bytes + 2_000
    # The first ten have one digit less in their address.
    assert sums.gone_bytes == sums.gone * rows[0].size - 10
    client.post("/v1/statements", content=bytes(20_000))
    assert [len(row.body or b"") for row in Departures(file).newest()] == [20_000]


def test_several_processes_share_one_list(file: Path, opened: Opened) -> None:
    clients = [opened() for _ in range(4)]

    def ask(client: Asking) -> None:
        for _ in range(10):
            client.get("/v1/operator")

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row.number for row in Departures(file).newest()) == list(range(1, 41))


def test_what_cannot_be_written_down_is_sent_and_counted(
    file: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = opened()
    client.get("/v1/operator")

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(DepartureRecorder, "_give_way", full)
        assert [client.get("/v1/operator") for _ in range(3)] == [200] * 3
    assert Departures(file).sums().unwritten == 0
    client.get("/v1/operator")
    sums = Departures(file).sums()
    assert (sums.kept, sums.unwritten) == (2, 3)


def test_pages_of_a_list_and_kinds(file: Path, opened: Opened) -> None:
    client = opened()
    for number in range(6):
        client.get(f"/v1/beacon/30000/{number}")
        client.get("/v1/operator")
    departures = Departures(file)
    first = departures.newest(like="/v1/beacon/%", limit=4)
    assert [row.target[-1] for row in first] == ["5", "4", "3", "2"]
    rest = departures.newest(before=first[-1].number, like="/v1/beacon/%", limit=4)
    assert [row.target[-1] for row in rest] == ["1", "0"]


def test_a_list_that_is_not_there_is_empty(file: Path) -> None:
    assert Departures(file).newest() == ()
    assert Departures(file).sums().kept == 0
    assert not file.exists()


def test_the_agents_client_works_through_it(file: Path) -> None:
    inner = Mocked(lambda _: httpx.Response(200, content=b"checkpoint"))
    client = VerifierClient(URL, DepartureRecorder(inner, file, lambda: 5))
    assert client.checkpoint() == b"checkpoint"
    client.close()
    assert Departures(file).newest()[0].target == "/v1/log/checkpoint"
