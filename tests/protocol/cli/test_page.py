import hashlib
from pathlib import Path

import pytest

from workseal_protocol.cli import main
from workseal_protocol.cli.page import offline_page


def test_writes_the_page_and_prints_its_hash(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "page.html"
    assert main(["page", "--out", str(target)]) == 0
    data = target.read_bytes()
    assert data == offline_page()
    assert capsys.readouterr().out == f"{hashlib.sha256(data).hexdigest()}  {target}\n"


def test_is_called_verify_html_where_no_name_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["page"]) == 0
    assert (tmp_path / "verify.html").read_bytes() == offline_page()


def test_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "verify.html"
    target.write_text("mine")
    assert main(["page", "--out", str(target)]) == 2
    assert target.read_text() == "mine"
    assert "nothing is overwritten" in capsys.readouterr().err
