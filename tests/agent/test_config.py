import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_agent.config import (
    HOME_VARIABLE,
    DisplaySettings,
    MaskRuleSettings,
    Settings,
    WitnessSettings,
    home_folder,
    load_settings,
    parse_settings,
    prepare_home,
    write_default_settings,
)
from workseal_agent.errors import SettingsError

HOME = Path("/home/ada/agent")
FULL = b"""
[verifier]
url = "https://verifier.example/base/"
ca_file = "/etc/ca.pem"
[screen]
kind = "replay"
display = ":7"
replay = "/pictures"
[activity]
kind = "none"
[mask]
defaults = false
[[mask.rule]]
name = "bank"
application = "firefox"
title = "*My Bank*"
[[mask.rule]]
name = "mail"
title = "*inbox*"
[lock]
time = "count"
[seal]
key = "Ctrl+Alt+S"
[display]
hours = "12"
totals = "minute"
zone = "Asia/Tokyo"
[witness]
listen = "[::1]:8090"
"""


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings(tmp_path)
    assert Settings(tmp_path).mask.defaults
    assert not Settings(tmp_path).lock.counts


def test_reads_every_setting() -> None:
    settings = parse_settings(HOME, FULL)
    assert settings.verifier.url == "https://verifier.example/base"
    assert settings.verifier.ca_file == Path("/etc/ca.pem")
    assert (settings.screen.kind, settings.screen.display) == ("replay", ":7")
    assert settings.screen.replay == Path("/pictures")
    assert settings.activity.kind == "none"
    assert not settings.mask.defaults
    assert settings.mask.rules == (
        MaskRuleSettings("bank", "firefox", "*My Bank*"),
        MaskRuleSettings("mail", None, "*inbox*"),
    )
    assert settings.lock.counts
    assert str(settings.seal.key) == "ctrl+alt+s"
    assert settings.display == DisplaySettings("12", "minute", "Asia/Tokyo")
    assert settings.witness == WitnessSettings("::1", 8090)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("[masks]", "masks in config.toml is not known", id="table"),
        pytest.param("[screen]\ndisplai=':0'", r"displai in \[screen\]", id="key"),
        pytest.param("[[mask.rule]]\nname='x'\ntitel='y'", "titel in .*rule.* 1", id="rule key"),
        pytest.param("[[mask.rule]]\ntitle='y'", "needs a name", id="rule without name"),
        pytest.param("[[mask.rule]]\nname='x'", "application or a title", id="rule of nothing"),
        pytest.param(
            "[[mask.rule]]\nname='x'\ntitle='y'\n[[mask.rule]]\nname='x'\ntitle='z'",
            "same name",
            id="rule twice",
        ),
        pytest.param("[mask]\ndefaults='yes'", "true or false", id="flag as text"),
        pytest.param("[mask]\nrule=[1]", "array of at most", id="rule of no table"),
        pytest.param("[seal]\nkey='s'", "letters and digits need", id="key that types"),
        pytest.param("[lock]\ntime='stop'", "one of pause, count", id="time while locked"),
        pytest.param("mask=1", "mask in config.toml must be a table", id="table as number"),
        pytest.param(
            "[screen]\nkind='wayland'",
            "one of auto, x11, grim, cast, portal, native, replay",
            id="choice",
        ),
        pytest.param("[screen]\nkind='replay'", "needs replay", id="replay without folder"),
        pytest.param("[witness]\nlisten='8090'", "ADDRESS:PORT", id="listen without address"),
        pytest.param("[witness]\nlisten='a:port'", "ADDRESS:PORT", id="listen without port"),
        pytest.param("[witness]\nlisten='a:65536'", "ADDRESS:PORT", id="listen too high"),
        pytest.param("[witness]\nport=1", r"port in \[witness\]", id="witness key"),
        pytest.param("[screen]\ndisplay=''", "1 to 256 characters", id="empty text"),
        pytest.param("[verifier]\nurl='http://verifier.example'", "must be https", id="plain http"),
        pytest.param("[verifier]\nurl='ftp://localhost'", "must be https", id="scheme"),
        pytest.param("[verifier]\nurl='https://'", "must be https", id="no host"),
        pytest.param("[verifier]\nurl='https://a:b@c'", "must be https", id="password in url"),
        pytest.param("[verifier]\nurl='https://[x'", "must be https", id="bad host"),
        pytest.param("[verifier]\nurl='https://a:port'", "must be https", id="bad port"),
        pytest.param("[verifier]\nurl='https://a\"b'", "must be https", id="quote in url"),
        pytest.param("[display]\nhours=12", "hours in .display. must be text", id="hours"),
        pytest.param("[display]\ntotals='hour'", "one of second, minute", id="totals"),
        pytest.param("[display]\nzone='Atlantis'", "zone in .display. must be", id="no zone"),
        pytest.param("[display]\nzone='../etc'", "zone in .display. must be", id="zone as path"),
        pytest.param("[display]\nzone='America'", "zone in .display. must be", id="a folder"),
        pytest.param("[verifier", "not TOML", id="not toml"),
    ],
)
def test_refuses_and_says_where(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        parse_settings(HOME, text.encode())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_plain_http_reaches_this_machine_only(host: str) -> None:
    text = f'[verifier]\nurl = "http://{host}:8000"'
    assert parse_settings(HOME, text.encode()).verifier.url == f"http://{host}:8000"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_only_settings_errors_leave_the_parser(data: bytes) -> None:
    try:
        parse_settings(HOME, data)
    except SettingsError as error:
        assert len(str(error)) < 300  # noqa: PT017 - nothing unbounded is echoed


def test_a_secret_in_an_unknown_place_is_not_echoed() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(HOME, b'[verifier]\npassword = "hunter22"')
    assert "hunter22" not in str(caught.value)


def test_refuses_a_huge_file(tmp_path: Path) -> None:
    Settings(tmp_path).config_file.write_bytes(b"#" * 65_537)
    with pytest.raises(SettingsError, match="larger than"):
        load_settings(tmp_path)


def test_the_default_file_says_what_the_defaults_are(tmp_path: Path) -> None:
    file = write_default_settings(tmp_path, None)
    assert load_settings(tmp_path) == Settings(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_default_file_names_the_verifier_and_is_never_replaced(tmp_path: Path) -> None:
    write_default_settings(tmp_path, "https://verifier.example")
    assert load_settings(tmp_path).verifier.url == "https://verifier.example"
    with pytest.raises(SettingsError, match="exists already"):
        write_default_settings(tmp_path, None)


def test_the_commented_settings_are_settings_too(tmp_path: Path) -> None:
    file = write_default_settings(tmp_path, "https://verifier.example")
    lines = [
        line.removeprefix("# ")
        for line in file.read_text().splitlines()
        if line.startswith("# ") and (" = " in line or line.startswith("# [["))
    ]
    text = file.read_text() + "\n".join(line for line in lines if "replay" not in line)
    rule = text[text.rindex("[[mask.rule]]") :]
    assert parse_settings(tmp_path, rule.encode()).mask.rules[0].name == "bank"


def test_the_home_is_named_by_argument_then_environment_then_system() -> None:
    named = {HOME_VARIABLE: "/elsewhere"}
    assert home_folder(HOME, named) == HOME
    assert home_folder(None, named) == Path("/elsewhere")
    assert home_folder(None, {}).name == "workseal-agent"


def test_the_home_is_made_private(tmp_path: Path) -> None:
    new, old = tmp_path / "a" / "new", tmp_path / "old"
    old.mkdir(mode=0o755)
    for home in (new, old):
        prepare_home(home)
        assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_refuses_a_home_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 54_321)
    with pytest.raises(SettingsError, match="another user"):
        prepare_home(tmp_path)


def test_refuses_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsError, match="cannot be used"):
        prepare_home(tmp_path / "file")
