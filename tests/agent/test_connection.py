import resource
from pathlib import Path

import pytest

from support.rig import Rig
from workseal_agent.connection import TrafficRecorder, UnreachableError, VerifierClient
from workseal_protocol.encoding import encode


def test_writes_every_request_as_it_leaves(rig: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "traffic"
    client = VerifierClient("http://localhost", TrafficRecorder(rig.wire, folder))
    client.operator()
    client.proof(3, [1], [2])
    first, second = sorted(folder.iterdir())
    assert (first.name, second.name) == ("000001.http", "000002.http")
    assert first.read_bytes().startswith(b"GET /v1/operator HTTP/1.1\r\n")
    head, _, body = second.read_bytes().partition(b"\r\n\r\n")
    assert b"POST /v1/log/proof HTTP/1.1" in head
    assert body == encode({1: 3, 2: [1], 3: [2]})
    assert rig.wire.requests[-1][2] == body


def test_nothing_is_sent_that_could_not_be_written_down(rig: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "traffic"
    client = VerifierClient("http://localhost", TrafficRecorder(rig.wire, folder))
    folder.rmdir()
    before = len(rig.wire.requests)
    with pytest.raises(UnreachableError, match="traffic folder, and is not sent: no such file"):
        client.operator()
    assert len(rig.wire.requests) == before


def test_a_request_that_is_half_written_down_does_not_count_as_sent(
    rig: Rig, tmp_path: Path
) -> None:
    client = VerifierClient("http://localhost", TrafficRecorder(rig.wire, tmp_path))
    before = len(rig.wire.requests)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        with pytest.raises(UnreachableError, match="too large"):
            client.operator()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(rig.wire.requests) == before
    assert list(tmp_path.glob("*.http")) == []


def test_a_stray_file_in_the_traffic_folder_is_stepped_over(rig: Rig, tmp_path: Path) -> None:
    for name in ("notes.http", "000007.http", "-3.http", "1.http", "٣.http", "9" * 100 + ".http"):
        (tmp_path / name).write_bytes(b"mine")
    client = VerifierClient("http://localhost", TrafficRecorder(rig.wire, tmp_path))
    client.checkpoint()
    assert (tmp_path / "000008.http").read_bytes().startswith(b"GET /v1/log/checkpoint ")
    assert (tmp_path / "notes.http").read_bytes() == b"mine"


def test_two_processes_share_a_traffic_folder(rig: Rig, tmp_path: Path) -> None:
    for _ in range(2):
        recorder = TrafficRecorder(rig.wire, tmp_path / "traffic")
        VerifierClient("http://localhost", recorder).operator()
    assert len(list((tmp_path / "traffic").iterdir())) == 2


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)
