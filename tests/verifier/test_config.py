from pathlib import Path

import pytest

from workseal_protocol.keys import SeedSigner
from workseal_protocol.note import NoteType, VerifierKey
from workseal_verifier.config import SETTINGS_FILE, Settings, WitnessSettings, render
from workseal_verifier.errors import ConfigError

KEY = SeedSigner(b"\x05" * 32).public_key
VKEY = VerifierKey("w.example/1", KEY, NoteType.COSIGNATURE).encode()
LOG_VKEY = VerifierKey("w.example/1", KEY, NoteType.LOG_ED25519).encode()
WITNESS = f'[[witness]]\nname = "w"\nvkey = "{VKEY}"\nurl = "https://w.example/"\n'


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
        pytest.param('origin = "a"\nclients = [3]', "clients", id="client a number"),
        pytest.param("origin = ", "cannot be read", id="not TOML"),
        pytest.param('origin = "a"\nquorum = ["quorum w"]', "belong together", id="no witness"),
        pytest.param(f'origin = "a"\n{WITNESS}', "belong together", id="no quorum"),
        pytest.param('origin = "a"\nquorum = [3]', "quorum must be", id="quorum a number"),
        pytest.param('origin = "a"\nwitness = 3', "a list", id="witness a number"),
        pytest.param('origin = "a"\nwitness = [3]', "must set name", id="a witness a number"),
        pytest.param(f'origin = "a"\n{WITNESS}more = 1\n', "must set name", id="more"),
        pytest.param(f'origin = "a"\n{WITNESS}'.replace("+", "-"), "verifier key", id="vkey"),
        pytest.param(f'origin = "a"\n{WITNESS}'.replace("https", "ftp"), "url of", id="url"),
        pytest.param(
            'origin = "a"\n' + WITNESS.replace(VKEY, LOG_VKEY), "found 01", id="a log's key"
        ),
    ],
)
def test_refuses_with_a_reason(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load(tmp_path, text)


def test_reads_witnesses_and_their_quorum(tmp_path: Path) -> None:
    settings = load(tmp_path, f'origin = "a"\nquorum = ["quorum w"]\n{WITNESS}')
    key = VerifierKey.parse(VKEY)
    assert settings.witness == (WitnessSettings("w", key, "https://w.example"),)
    assert settings.quorum == ("quorum w",)


def test_the_example_that_init_writes_can_be_uncommented(tmp_path: Path) -> None:
    written = render("log.example", (1_000,))
    example = written[written.index("# quorum = ") :].replace("# ", "").splitlines()
    known = [line for line in example if line.startswith(("quorum", "[[", "name", "vkey", "url"))]
    text = "\n".join(known).replace("witness.client.example/w1+…", VKEY)
    settings = load(tmp_path, f'origin = "a"\n{text}\n')
    assert [one.name for one in settings.witness] == ["client"]


def test_says_what_to_do_without_a_home(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="workseal-verifier init"):
        Settings.load(tmp_path)
