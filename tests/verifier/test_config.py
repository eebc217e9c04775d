from pathlib import Path

import pytest

from workseal_verifier.config import SETTINGS_FILE, Settings, render
from workseal_verifier.errors import ConfigError


def load(folder: Path, text: str) -> Settings:
    (folder / SETTINGS_FILE).write_text(text)
    return Settings.load(folder)


def test_reads_back_what_init_writes(tmp_path: Path) -> None:
    settings = load(tmp_path, render('log.example/"2026"\\', (1000, 30_000)))
    assert settings == Settings(
        home=tmp_path, origin='log.example/"2026"\\', periods_ms=(1000, 30_000)
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "must set origin", id="no origin"),
        pytest.param("origin = 3", "must set origin", id="origin a number"),
        pytest.param('origin = "a b"', "origin must be", id="a space"),
        pytest.param('origin = "a+b"', "origin must be", id="a plus"),
        pytest.param('origin = "a"\nperiods_ms = []', "periods_ms", id="no period"),
        pytest.param('origin = "a"\nperiods_ms = [500]', "periods_ms", id="short period"),
        pytest.param('origin = "a"\nperiods_ms = [true]', "periods_ms", id="period a truth"),
        pytest.param('origin = "a"\nperiods_ms = 1000', "a list", id="periods no list"),
        pytest.param('origin = "a"\nperiod_ms = [1000]', "unknown setting", id="misspelt"),
        pytest.param('origin = "a"\nhome = "x"', "unknown setting", id="home in the file"),
        pytest.param('origin = "a"\ntick_ms = -1', "tick_ms", id="negative"),
        pytest.param('origin = "a"\ntick_ms = 1.5', "tick_ms", id="a fraction"),
        pytest.param('origin = "a"\nheader_timeout_s = 0', "header_timeout_s", id="no time"),
        pytest.param('origin = "a"\ntsa_url = "ftp://x"', "tsa_url", id="not http"),
        pytest.param('origin = "a"\ntsa_url = "http://x"', "belong together", id="no root"),
        pytest.param('origin = "a"\nclients = [3]', "clients", id="client a number"),
        pytest.param("origin = ", "cannot be read", id="not TOML"),
    ],
)
def test_refuses_with_a_reason(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load(tmp_path, text)


def test_says_what_to_do_without_a_home(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="workseal-verifier init"):
        Settings.load(tmp_path)
