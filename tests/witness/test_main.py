import sys

import pytest

import workseal_witness


def test_a_missing_extra_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [one for one in sys.modules if one.startswith("workseal_witness.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "typer", None)
    assert workseal_witness.main() == 2
    assert capsys.readouterr().err == (
        "workseal-witness needs the witness extra: pip install 'workseal[witness]'\n"
    )
