"""A real server under load, told to stop: it answers what it took, and ends with 0."""

import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from support.command import COMMAND
from support.load import Load, load_of
from support.office import ORIGIN, check_store, new_home
from workseal_protocol.digest import Digest
from workseal_verifier.config import SETTINGS_FILE, Settings, render


@dataclass
class Sender:
    """Send until an answer says that the connection was its last; note what got no answer."""

    load: Load
    name: str
    unanswered: list[str] = field(default_factory=list)
    told: bool = False

    def run(self) -> None:
        with httpx.Client(base_url=self.load.url, trust_env=False, timeout=30) as client:
            for number in range(100_000):
                batch = [self.load.offer(f"{self.name} {number} {part}") for part in range(2)]
                body = b"".join(one.encode() for one in batch)
                try:
                    answer = client.post("/v1/statements", content=body)
                except httpx.HTTPError as error:
                    self.unanswered.append(type(error).__name__)
                    return
                if answer.status_code == 200:
                    for one in batch:
                        self.load.acknowledged[one.digest] = -1
                    if len(self.load.acknowledged) >= self.load.enough:
                        self.load.reached.set()
                elif answer.status_code != 503:
                    self.unanswered.append(str(answer.status_code))
                if answer.headers.get("connection") == "close":
                    self.told = True
                    return


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
def test_whoever_has_a_connection_gets_an_answer(tmp_path: Path, number: signal.Signals) -> None:
    settings = new_home(tmp_path, periods_ms=(1_000,))
    (settings.home / SETTINGS_FILE).write_text(render(ORIGIN, (1_000,)) + "drain_s = 5.0\n")
    command = [str(COMMAND), "serve", "--home", str(settings.home), "--port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        load = load_of(url, 60)
        senders = [Sender(load, f"sender {n}") for n in range(4)]
        threads = [threading.Thread(target=one.run) for one in senders]
        for thread in threads:
            thread.start()
        assert load.reached.wait(60)
        with (
            httpx.Client(base_url=url, trust_env=False, timeout=30) as asking,
            httpx.Client(base_url=url, trust_env=False, timeout=30) as idle,
        ):
            assert asking.get("/readyz").text == idle.get("/readyz").text == "ready"
            process.send_signal(number)
            # What was being answered just then is not its connection's last, or was ready still.
            while asking.get("/readyz").headers.get("connection") != "close":
                time.sleep(0.01)
            # Idle, and open: it hears with its next answer that it is over.
            answer = idle.get("/readyz")
            assert (answer.status_code, answer.headers.get("connection")) == (503, "close")
            assert answer.json()["detail"] == "the server is stopping"
        for thread in threads:
            thread.join(60)
        _, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    assert [one.unanswered for one in senders] == [[]] * 4
    assert all(one.told for one in senders)
    assert "Traceback" not in complaints
    assert_logged(settings, load.acknowledged)


def assert_logged(settings: Settings, acknowledged: dict[Digest, int]) -> None:
    """Each acknowledged statement is in the log, and the log holds."""
    missing = [
        line
        for line in check_store(settings, acknowledged)
        if not line.startswith("acknowledged") or line.endswith("None")
    ]
    assert missing == []
    assert len(acknowledged) >= 60
