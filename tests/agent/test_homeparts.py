from pathlib import Path

import pytest

from workseal_agent.config import Settings, VerifierSettings
from workseal_agent.errors import AgentError, SettingsError, UsageProblem
from workseal_agent.homeparts import client_of, ledger_file_of, settings_of


def test_a_home_without_keys_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="there is no agent in"):
        settings_of(tmp_path)
    Settings(tmp_path).ledger_file.touch()
    with pytest.raises(AgentError, match="`keys` is missing in"):
        settings_of(tmp_path)


def test_a_home_that_others_can_read_is_refused(tmp_path: Path) -> None:
    Settings(tmp_path).keys_file.touch()
    tmp_path.chmod(0o700)
    assert settings_of(tmp_path).home == tmp_path
    tmp_path.chmod(0o755)
    with pytest.raises(AgentError):
        settings_of(tmp_path)


def test_a_ledger_that_is_missing_or_empty_is_not_made(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    for _ in range(2):
        with pytest.raises(AgentError, match="missing or empty: restore it"):
            ledger_file_of(settings)
        settings.ledger_file.touch()
    settings.ledger_file.write_bytes(b"SQLite")
    assert ledger_file_of(settings) == settings.ledger_file


def test_an_address_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem):
        client_of(Settings(tmp_path), "ftp://verifier.example")


def test_a_file_of_authorities_that_is_none_is_named_with_its_setting(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    settings = Settings(tmp_path, verifier=VerifierSettings(ca_file=file))
    for reason in ("no such file or directory", "it holds no certificate in PEM form"):
        with pytest.raises(SettingsError) as refused:
            client_of(settings, "https://verifier.example")
        assert str(refused.value) == f"ca_file in [verifier], {file}, cannot be used: {reason}"
        file.write_text("no certificate")
