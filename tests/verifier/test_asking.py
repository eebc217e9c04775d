import gzip
import socket
import threading
from typing import Any

import pytest

from support.tsahttp import Dripping, ServedTsa
from workseal_verifier.asking import ask


def post(url: str, *, limit: int = 100, timeout_s: float = 20.0) -> bytes:
    return ask(url, limit=limit, timeout_s=timeout_s, method="POST", content=b"query")


def test_returns_an_answer_up_to_the_limit() -> None:
    with ServedTsa(lambda _: bytes(100)) as served:
        assert post(served.url) == bytes(100)


def test_whatever_goes_wrong_is_an_os_error_without_the_address() -> None:
    with (
        ServedTsa(lambda _: b"", status=500) as ill,
        ServedTsa(lambda _: bytes(101)) as long,
        ServedTsa(lambda _: b"here") as good,
        ServedTsa(lambda _: b"", status=307, location=good.url) as elsewhere,
    ):
        for url, text in {
            ill.url: "it answered 500",
            long.url: "its answer exceeds 100 bytes",
            elsewhere.url: "it answered 307",
            "http://user:secret@127.0.0.1:1/": "it did not answer: ConnectError",
            "http://a\nb/": "it did not answer: InvalidURL",
        }.items():
            with pytest.raises(OSError, match=r"^it") as raised:
                post(url)
            assert str(raised.value) == text
        assert good.asked == 0


def test_a_packed_answer_is_not_unpacked() -> None:
    """A kilobyte could become a gigabyte."""
    packed = gzip.compress(bytes(100_000))
    with ServedTsa(lambda _: packed, encoding="gzip") as served:
        assert post(served.url, limit=len(packed)) == packed


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n"]
)
def test_an_answer_that_drips_is_not_waited_for(begun: bytes) -> None:
    """Each byte comes in time, the whole never does: no byte, head, body."""
    with (
        Dripping(begun, b"a" if begun else b"") as served,
        pytest.raises(OSError, match=r"in 0\.5 s"),
    ):
        post(served.url, limit=10_000, timeout_s=0.5)


def test_a_name_that_nobody_resolves_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver has no deadline of its own, and cannot be interrupted."""
    asked_too_long = threading.Event()
    end = threading.Event()

    def stuck(*_: Any, **__: Any) -> Any:
        if not end.wait(20):
            asked_too_long.set()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    with pytest.raises(OSError, match=r"in 0\.2 s"):
        post("http://tsa.example/", timeout_s=0.2)
    assert not asked_too_long.is_set()
    end.set()
