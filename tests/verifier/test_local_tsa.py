"""Time-stamps from a real authority process, verified as a client does."""

import os
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.office import FakeClock, LiveServer, Office, new_home, stranger_offer
from support.world import wait_for
from workseal_protocol.errors import VerificationError
from workseal_protocol.timestamp import token_request, verify_token
from workseal_verifier.errors import ConfigError
from workseal_verifier.local_tsa import POLICY, ROOT_FILE, LocalTsa, answer, prepare
from workseal_verifier.tsa import TsaClient, load_roots


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalTsa, Path]]:
    folder = tmp_path_factory.mktemp("home") / "tsa"
    running = LocalTsa(folder)
    yield running, folder
    running.close()


def test_its_tokens_verify_under_its_root_and_no_other(
    tsa: tuple[LocalTsa, Path], tmp_path: Path
) -> None:
    running, folder = tsa
    message = b"a checkpoint"
    token = TsaClient(running.url).send(token_request(message, 4711))
    stamp = verify_token(token, message=message, roots=load_roots([folder / ROOT_FILE]), nonce=4711)
    assert stamp.accuracy == 1_000
    prepare(tmp_path / "other")
    with pytest.raises(VerificationError):
        verify_token(token, message=message, roots=load_roots([tmp_path / "other" / ROOT_FILE]))


def test_openssl_agrees(tsa: tuple[LocalTsa, Path], tmp_path: Path) -> None:
    running, folder = tsa
    (tmp_path / "data").write_bytes(b"a checkpoint")
    token = TsaClient(running.url).send(token_request(b"a checkpoint", 4711))
    (tmp_path / "token").write_bytes(token)
    done = subprocess.run(
        [
            *("openssl", "ts", "-verify", "-data", str(tmp_path / "data")),
            *("-in", str(tmp_path / "token"), "-CAfile", str(folder / ROOT_FILE)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Verification: OK" in done.stdout + done.stderr


def test_its_key_is_its_owners_alone_and_the_roots_key_is_gone(
    tsa: tuple[LocalTsa, Path],
) -> None:
    _, folder = tsa
    assert stat.S_IMODE((folder / "tsa.key").stat().st_mode) == 0o600
    keys = [path.name for path in folder.iterdir() if b"PRIVATE KEY" in path.read_bytes()]
    assert keys == ["tsa.key"]


def test_keeps_its_root_over_restarts(tsa: tuple[LocalTsa, Path]) -> None:
    _, folder = tsa
    before = (folder / ROOT_FILE).read_bytes()
    prepare(folder)
    assert (folder / ROOT_FILE).read_bytes() == before


def test_its_process_ends_when_its_owner_is_gone(tmp_path: Path) -> None:
    running = LocalTsa(tmp_path / "tsa")
    pipe = running._process.stdin
    assert pipe is not None
    # What the kernel does with a dead parent's end of the pipe.
    os.close(pipe.fileno())
    running._process.wait(timeout=20)
    with pytest.raises(OSError, match="did not answer"):
        TsaClient(running.url).send(b"x")
    with pytest.raises(OSError, match="Bad file descriptor"):
        pipe.close()
    running.close()


def test_answers_in_a_folder_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(Path("authority"))
    token = answer(Path("authority"), token_request(b"a checkpoint", 1))
    roots = load_roots([Path("authority") / ROOT_FILE])
    assert verify_token(token, message=b"a checkpoint", roots=roots, nonce=1).accuracy == 1_000


def test_says_that_openssl_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="needs the program 'openssl'"):
        LocalTsa(tmp_path / "tsa")


def test_a_refused_query_is_an_error(tsa: tuple[LocalTsa, Path]) -> None:
    with pytest.raises(OSError, match="answered 413"):
        TsaClient(tsa[0].url).send(bytes(10_000))


def test_the_log_is_stamped_and_serves_its_tokens(
    tsa: tuple[LocalTsa, Path], tmp_path: Path
) -> None:
    import httpx  # noqa: PLC0415

    from workseal_protocol.checkpoint import SignedCheckpoint  # noqa: PLC0415
    from workseal_protocol.encoding import decode  # noqa: PLC0415
    from workseal_verifier.services.stamping import Authority  # noqa: PLC0415

    running, folder = tsa
    roots = load_roots([folder / ROOT_FILE])
    send = TsaClient(running.url).send
    authority = Authority(name="local", send=send, roots=roots, policy=POLICY)
    # The time that `openssl ts` will tell.
    clock = FakeClock(time.time_ns() // 1_000_000)
    office = Office(new_home(tmp_path), clock=clock, authorities=[authority]).open()
    with LiveServer(office) as live, httpx.Client(base_url=live.url, trust_env=False) as client:
        # The first stamp is fetched beside the server, which answers before it is there.
        wait_for(lambda: decode(client.get("/v1/log/timestamps").content), "the first token")
        match decode(client.get("/v1/log/timestamps").content):
            case [[int(size), bytes(token)]]:
                signed = SignedCheckpoint.parse(client.get("/v1/log/checkpoint").content)
            case _:
                pytest.fail("expected one token")
        assert size == signed.checkpoint.size
        verify_token(token, message=signed.log_signed(office.log_key), roots=roots)
        assert decode(client.get(f"/v1/log/timestamps?from={size + 1}").content) == []
        pem = client.get("/v1/log/tsa-ca.pem").content
        assert pem == (folder / ROOT_FILE).read_bytes()
        office.post([stranger_offer(office, 1)])
    assert office.check() == []
    office.close()
