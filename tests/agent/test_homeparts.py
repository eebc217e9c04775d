from pathlib import Path

import pytest

from workseal_agent.config import Settings
from workseal_agent.errors import AgentError, UsageProblem
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
