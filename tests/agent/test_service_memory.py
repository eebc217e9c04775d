"""What is in the memory of the process that records, while all of its threads run."""

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.bridge import Bridge, bridged
from support.buses import private_bus
from support.inspected import all_in_memory
from support.worker import PASSPHRASE, PROGRAM, Worker
from support.worker import ended as end_workers
from workseal_protocol.cli.png import encode_png

WIDTH, HEIGHT = 640, 480
CAPTURES = 4
# A process that neither gives memory back nor overwrites it.
CARELESS = "import workseal_agent.lightheap as heap; heap.keep_heap_light = lambda: True"


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """End what a failing test left recording."""
    yield
    end_workers()


def pattern(number: int) -> bytes:
    """Give eight pixels that make up the whole of a picture: each piece of it holds them."""
    return random.Random(number).randbytes(24)


def words_of(number: int) -> tuple[bytes, bytes]:
    """Give the pixels of a picture as they are kept, and in the order of a screen."""
    pixels = pattern(number)
    return pixels, b"".join(pixels[at : at + 3][::-1] for at in range(0, 24, 3))


def recorded(home: Path, bridge: Bridge, patch: str | None) -> tuple[Worker, int]:
    """Record some pictures with a witness beside it, and pause; returns the process."""
    worker = Worker(home, bridge, capture_rate=65_536, tile=32)
    for picture in worker.pictures.iterdir():
        picture.unlink()
    for number in range(40):
        data = encode_png(WIDTH, HEIGHT, pattern(number) * (WIDTH * HEIGHT // 8))
        (worker.pictures / f"{number:02}.png").write_bytes(data)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (home / "config.toml").write_text(f'[witness]\nlisten = "127.0.0.1:{port}"\n')
    subprocess.run(
        [sys.executable, "-c", PROGRAM, "--home", home, "--passphrase-file", home / "passphrase",
         "witness", "--name", "freelancer.example/w1"],
        check=True, capture_output=True,
    )  # fmt: skip
    process = worker.start(patch)
    worker.wait(process)
    told = capture(worker, CAPTURES)
    assert not [trouble for trouble in told["troubles"] if "witness" in trouble]
    return worker, process.pid


def capture(worker: Worker, total: int) -> dict[str, Any]:
    """Record until so many pictures were taken in the session, and pause."""
    if worker.ask("status")["state"] == "paused":
        worker.ask("resume")
    until = time.monotonic() + 60
    while worker.ask("status")["captured"] < total and time.monotonic() < until:
        time.sleep(0.1)
    told = worker.ask("pause")
    assert told["captured"] >= total
    return told


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("patch", [None, CARELESS], ids=["as it is", "careless"])
def test_neither_the_vaults_key_nor_an_older_frame_is_in_the_recording_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patch: str | None
) -> None:
    with bridged() as bridge, private_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        worker, pid = recorded(tmp_path / "home", bridge, patch)
        key = worker.keystore.unlock_vault(PASSPHRASE)
        parts = [key[at : at + 32] for at in range(0, len(key), 32)]
        seed = worker.keystore.unlock_seed(PASSPHRASE)
        frames = [word for number in range(CAPTURES - 1) for word in words_of(number)]
        wanted = [*parts, seed, *frames]
        found = all_in_memory(pid, wanted)
        for rounds in range(2, 6):
            if patch is None or found is None or any(found[word] for word in frames):
                break
            # What a careless process freed may by chance have been written over: once more.
            frames += [
                word for number in range(CAPTURES) for word in words_of(rounds * 4 - 5 + number)
            ]
            wanted = [*parts, seed, *frames]
            capture(worker, rounds * CAPTURES)
            found = all_in_memory(pid, wanted)
        # The beacon, the sender, the forgetting, logind and the control socket beside the recorder.
        assert len(list(Path(f"/proc/{pid}/task").iterdir())) >= 6
        assert worker.ask("stop")["state"] == "stopped"
        if found is None:
            # The system lets nobody look, which is what the process asked it for.
            assert os.geteuid() != 0
            return
        # What is there is found: it signs with this key.
        assert found[seed] > 0
        assert sum(found[part] for part in parts) == 0
        assert (sum(found[word] for word in frames) == 0) is (patch is None)
