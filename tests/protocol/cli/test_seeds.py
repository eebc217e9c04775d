from pathlib import Path

import pytest

from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.seeds import (
    read_case_key,
    read_signer,
    read_tag_key,
    write_case_key,
    write_seed,
    write_tag_key,
)
from workseal_protocol.keys import SeedSigner

SEED = bytes(range(32))
CASE = bytes(range(96))


def secret_file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_a_seed_comes_back_as_the_same_key(tmp_path: Path) -> None:
    write_seed(tmp_path / "key", SEED)
    assert read_signer(tmp_path / "key").public_key == SeedSigner(SEED).public_key


def test_a_case_key_comes_back(tmp_path: Path) -> None:
    write_case_key(tmp_path / "case", CASE)
    assert read_case_key(tmp_path / "case") == CASE


def test_a_tag_key_comes_back(tmp_path: Path) -> None:
    write_tag_key(tmp_path / "tag", SEED)
    assert read_tag_key(tmp_path / "tag") == SEED
    with pytest.raises(CommandError, match="workseal-seed"):
        read_signer(tmp_path / "tag")


def test_one_kind_of_secret_is_not_taken_for_the_other(tmp_path: Path) -> None:
    write_seed(tmp_path / "key", SEED)
    write_case_key(tmp_path / "case", CASE)
    with pytest.raises(CommandError, match="workseal-case-key"):
        read_case_key(tmp_path / "key")
    with pytest.raises(CommandError, match="workseal-seed"):
        read_signer(tmp_path / "case")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"workseal-seed ed25519:" + b"A" * 43, id="no newline"),
        pytest.param(b"workseal-seed ed25519:" + b"A" * 42 + b"B\n", id="stray bits"),
        pytest.param(b"workseal-seed ed25519:" + b"A" * 44 + b"\n", id="33 bytes"),
        pytest.param(b"workseal-seed ed25519:" + b"A" * 45 + b"\n", id="impossible length"),
        pytest.param(b"workseal-seed ed25519:" + b"A" * 43 + b"\n\n", id="second line"),
        pytest.param(b"workseal-seed ed25519:" + b"=" * 43 + b"\n", id="not base64url"),
    ],
)
def test_refuses_other_bytes_without_showing_them(tmp_path: Path, content: bytes) -> None:
    file = secret_file(tmp_path / "key", content)
    with pytest.raises(CommandError, match="is not one line") as caught:
        read_signer(file)
    assert "AAAA" not in str(caught.value)
