from pathlib import Path

import pytest

from support.tsa import Authority
from support.tsahttp import ServedTsa
from workseal_verifier.errors import ConfigError
from workseal_verifier.tsa import TsaClient, load_intermediates, load_roots


def test_sends_the_request_and_returns_the_answer() -> None:
    with ServedTsa(lambda query: b"token for " + query) as served:
        assert TsaClient(served.url).send(b"query") == b"token for query"


def test_refuses_an_answer_that_no_token_has() -> None:
    with ServedTsa(lambda _: bytes(65_537)) as served, pytest.raises(OSError, match="exceeds"):
        TsaClient(served.url).send(b"query")


def test_reads_each_certificate_once(tmp_path: Path) -> None:
    first, second = (Authority.root(name) for name in ("First", "Second"))
    middle = first.issue("Middle", authority=True)
    (tmp_path / "roots.pem").write_bytes(first.pem + second.pem)
    (tmp_path / "again.pem").write_bytes(first.pem)
    (tmp_path / "middle.pem").write_bytes(middle.pem)
    files = [tmp_path / "roots.pem", tmp_path / "again.pem"]
    assert load_roots(files) == (first.der, second.der)
    assert load_intermediates([tmp_path / "middle.pem"]) == (middle.der,)


def test_refuses_a_root_that_is_none(tmp_path: Path) -> None:
    """It would stand in everybody's policy, and nothing would lead to it."""
    path = tmp_path / "middle.pem"
    path.write_bytes(Authority.root().issue("Middle", authority=True).pem)
    with pytest.raises(ConfigError, match="not self-signed"):
        load_roots([path])


def test_refuses_a_file_without_a_certificate(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("nothing")
    for name in ("root.pem", "missing.pem"):
        with pytest.raises(ConfigError, match="holds no certificate"):
            load_roots([tmp_path / name])
        with pytest.raises(ConfigError, match="holds no certificate"):
            load_intermediates([tmp_path / name])
