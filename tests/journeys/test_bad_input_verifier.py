"""Bad input to `workseal-verifier`: homes, settings, keys, ports, and two servers on one home."""

import shutil
from pathlib import Path

import pytest

from parties import free_port
from support.world import Done, World, attempt, unharmed

pytestmark = pytest.mark.journey
pytest_plugins = ["support.told"]


def verifier(world: World, *words: str | Path) -> Done:
    return attempt(world.server, "workseal-verifier", *words)


@pytest.fixture(scope="module")
def made(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("verifier") / "home"
    verifier(world, "init", "--home", home, "--origin", "other.example/1").fine()
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "home"))


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "server.lock"
    }


def test_a_home_is_never_made_twice(world: World, made: Path) -> None:
    before = files(made)
    done = verifier(world, "init", "--home", made, "--origin", "other.example/2")
    assert "already a verifier home" in done.told(1)
    assert files(made) == before


@pytest.mark.parametrize(
    "words",
    [
        ("--origin", "two words"),
        ("--origin", ""),
        ("--origin", "log.example", "--period-ms", "5"),
        ("--origin", "log.example", "--period-ms", "2000", "--period-ms", "2000"),
    ],
    ids=" ".join,
)
def test_a_refused_init_leaves_no_home(
    world: World, tmp_path: Path, words: tuple[str, ...]
) -> None:
    verifier(world, "init", "--home", tmp_path / "home", *words).told(2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", [".", "home"])
def test_a_home_that_cannot_be_made_is_told(world: World, tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    done = verifier(world, "init", "--home", file / below, "--origin", "log.example")
    assert str(file) in done.told(1)
    assert "found a file" in done.told(1)
    assert file.read_text() == "mine"


@pytest.mark.parametrize("command", ["serve", "check-log"])
def test_an_unknown_home_says_how_to_make_one(world: World, tmp_path: Path, command: str) -> None:
    done = verifier(world, command, "--home", tmp_path / "nowhere")
    assert "workseal-verifier init" in done.told(1)
    assert list(tmp_path.iterdir()) == []


def test_one_home_has_one_server_and_one_port_too(world: World, made: Path) -> None:
    with unharmed(world.server):
        other = ("--port", str(free_port()))
        same = ("--port", str(world.server.port))
        for port in (other, same):
            done = verifier(world, "serve", "--home", world.server.data, *port)
            assert "another process holds this home" in done.told(1)
        done = verifier(world, "serve", "--home", made, *same)
        assert "address already in use" in done.told(1)
        done = verifier(world, "serve", "--home", made, "--host", "no.such.invalid")
        assert "no.such.invalid" in done.told(1)
    assert not (made / "verifier.db").exists()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (b"origin = ", "verifier.toml"),
        (b"\xff\xfe", "verifier.toml"),
        (b"origin = 5\n", "origin"),
        (b'origin = "a"\nperiods_ms = [7]\n', "periods_ms"),
        (b'origin = "a"\nbody_timeout_s = nan\n', "body_timeout_s"),
        (b'origin = "a"\nclients = ["Alice"]\n', "clients"),
        (b'origin = "a"\ntsa_url = "http://tsa.example"\n', "[[tsa]]"),
        (b'origin = "a"\ncolour = 1\n', "colour"),
    ],
)
def test_damaged_settings_are_told(world: World, home: Path, settings: bytes, named: str) -> None:
    (home / "verifier.toml").write_bytes(settings)
    before = files(home)
    assert named in verifier(world, "policy", "--home", home).told(2)
    assert files(home) == before


def test_the_server_does_not_start_on_damaged_settings(world: World, home: Path) -> None:
    (home / "verifier.toml").write_text("origin = ")
    assert "verifier.toml" in verifier(world, "serve", "--home", home, "--port", "0").told(2)


@pytest.mark.parametrize("damage", ["missing", "short", "open to others"])
def test_a_key_file_that_is_not_whole_and_private_stops_the_server(
    world: World, home: Path, damage: str
) -> None:
    key = home / "keys" / "log.seed"
    if damage == "missing":
        key.unlink()
    elif damage == "short":
        key.write_text("00\n")
    else:
        key.chmod(0o644)
    before = files(home)
    done = verifier(world, "serve", "--home", home, "--port", "0")
    assert str(key) in done.told(1)
    assert files(home) == before


@pytest.mark.parametrize("command", ["serve", "check-log"])
def test_a_database_that_is_none_is_told(world: World, home: Path, command: str) -> None:
    (home / "verifier.db").write_bytes(bytes(range(256)) * 32)
    words = ("--port", "0") if command == "serve" else ()
    assert "database" in verifier(world, command, "--home", home, *words).told(1)
    assert (home / "verifier.db").read_bytes() == bytes(range(256)) * 32


def test_a_damaged_lock_and_a_damaged_authority_are_told(world: World, home: Path) -> None:
    (home / "tsa").mkdir()
    (home / "tsa" / "root.pem").write_text("no certificate")
    done = verifier(world, "serve", "--home", home, "--port", "0", "--local-tsa")
    assert "root.pem" in done.told(1)
    shutil.rmtree(home / "tsa")
    (home / "lock" / "server.lock").write_text("no mark")
    done = verifier(world, "serve", "--home", home, "--port", "0")
    assert "lock file is damaged" in done.told(1)


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("serve",),
        ("init", "--home", "x"),
        ("serve", "--home", "x", "--port", "99999"),
    ],
    ids=" ".join,
)
def test_wrong_words_show_the_usage(world: World, words: tuple[str, ...]) -> None:
    assert "Usage:" in verifier(world, *words).usage()
