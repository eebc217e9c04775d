import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.twofaced import TwoFacedLog
from workseal_agent.config import WitnessSettings
from workseal_agent.daemon.watch import Watch
from workseal_witness.home import Home, create, opened

LOG = TwoFacedLog()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "home" / "witness"
    create(Home(made), "freelancer.example/w1")
    return made


def watch_of(folder: Path, port: int) -> Watch:
    return Watch(folder, WitnessSettings("127.0.0.1", port), [LOG.key], os.environ)


def ask(port: int, body: bytes) -> int:
    """Ask as soon as somebody listens."""
    for _ in range(400):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("POST", "/add-checkpoint", body)
            return connection.getresponse().status
        except ConnectionRefusedError:
            time.sleep(0.05)
        finally:
            connection.close()
    pytest.fail("nobody listened")


def is_gone(port: int) -> bool:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            pass  # A listener that just closed drops who waited: the next one is refused.
        time.sleep(0.05)
    return False


def test_cosigns_the_log_of_the_terms_while_it_runs(folder: Path) -> None:
    port = free_port()
    watch = watch_of(folder, port)
    watch.start()
    try:
        assert ask(port, LOG.request(0, LOG.history(3))) == 200
        assert ask(port, LOG.request(3, LOG.history(3, 1))) == 422
        assert watch.trouble is None
    finally:
        watch.stop()
    assert is_gone(port)
    assert watch.trouble is None
    with opened(Home(folder)) as state, state.store.write() as reading:
        assert len(reading.forks()) == 1
    assert (folder.parent / "witness.log").stat().st_mode & 0o777 == 0o600


def test_ends_with_the_process_that_started_it(folder: Path) -> None:
    port = free_port()
    program = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from workseal_agent.config import WitnessSettings\n"
        "from workseal_agent.daemon.watch import Watch\n"
        "watch = Watch(Path(sys.argv[1]), WitnessSettings('127.0.0.1', int(sys.argv[2])),"
        " [], os.environ)\n"
        "watch.start()\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, folder, str(port)]) as parent:
        try:
            assert ask(port, b"nonsense") == 400
        finally:
            parent.send_signal(signal.SIGKILL)
    assert is_gone(port)


def test_no_witness_is_one_sentence(tmp_path: Path) -> None:
    watch = watch_of(tmp_path / "witness", 1)
    watch.start()
    assert watch.trouble == (
        "your witness does not run: there is none yet: `workseal-agent witness --name NAME`"
    )
    watch.stop()
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_one_sentence(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        watch = watch_of(folder, port)
        watch.start()
        for _ in range(400):
            if watch.trouble is not None:
                break
            time.sleep(0.05)
        assert watch.trouble == (
            f"your witness does not run: cannot listen on 127.0.0.1 port {port}:"
            " address already in use"
        )
        watch.stop()


def test_a_damaged_memory_is_one_sentence(folder: Path) -> None:
    Home(folder).database.write_bytes(b"nonsense" * 99)
    watch = watch_of(folder, 1)
    watch.start()
    assert watch.trouble == "your witness does not run: the database refused: SQLITE_NOTADB"
    watch.stop()
