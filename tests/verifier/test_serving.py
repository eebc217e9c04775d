import gc
import resource
import signal
import socket
import sys
from collections.abc import Iterator

import pytest

from support.office import LiveServer, Office
from workseal_verifier import serving
from workseal_verifier.errors import ConfigError
from workseal_verifier.serving import allow_connections, bind, stopped_by_hangup


def test_a_port_in_use_is_one_sentence() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}: address already in use$"):
            bind("127.0.0.1", port)


def test_an_accepted_connection_sends_at_once() -> None:
    with (
        bind("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()) as _client,
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("now", "most", "possible", "set_to"),
    [
        pytest.param(1_024, 20_000, 2_048, 2_304, id="raised"),
        pytest.param(1_024, 1_024, 768, None, id="as many as the system allows"),
        pytest.param(10_000, 20_000, 2_048, None, id="enough already"),
        pytest.param(1_024, resource.RLIM_INFINITY, 2_048, 2_304, id="without an end"),
        pytest.param(resource.RLIM_INFINITY, resource.RLIM_INFINITY, 2_048, None, id="no limit"),
        pytest.param(100, 100, 1, None, id="very few"),
    ],
)
def test_as_many_connections_as_the_system_allows(
    monkeypatch: pytest.MonkeyPatch, now: int, most: int, possible: int, set_to: int | None
) -> None:
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (now, most))
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: seen.append(pair))
    assert min(allow_connections(2_048), 2_048) == possible
    assert seen == ([] if set_to is None else [(set_to, most)])


@pytest.fixture
def interpreter() -> Iterator[None]:
    """Give back how the interpreter was."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("interpreter")
def test_who_waits_for_the_interpreter_has_it_soon(office: Office) -> None:
    sys.setswitchinterval(0.005)
    gc.set_threshold(700, 10, 10)
    with LiveServer(office) as live, live.connect() as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"
        assert sys.getswitchinterval() == pytest.approx(0.0005)
        assert gc.get_threshold() == (10_000, 10, 10)


@pytest.mark.usefixtures("interpreter")
def test_who_connected_last_is_answered_though_nobody_listens_any_more(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "LAST_WORD_S", 20.0)
    with LiveServer(office, drain_s=0.01) as live, live.connect() as client:
        live.stop()
        while True:
            try:
                live.connect().close()
            except ConnectionRefusedError:
                break
        client.sendall(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = client.recv(4_096)
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"connection: close" in answer


@pytest.fixture
def hangup() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangup")
def test_a_terminal_that_goes_away_stops_it_in_order() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    told: list[int] = []
    with stopped_by_hangup(lambda number, _: told.append(number)):
        signal.raise_signal(signal.SIGHUP)
    assert told == [signal.SIGHUP]
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


@pytest.mark.usefixtures("hangup")
def test_who_told_it_to_outlive_its_terminal_is_obeyed() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stopped_by_hangup(lambda _number, _: pytest.fail("stopped by what is to be ignored")):
        signal.raise_signal(signal.SIGHUP)
