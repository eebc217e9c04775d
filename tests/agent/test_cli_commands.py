"""The table of commands is true of each of them, and what is typed loads no other."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from support.paged import PagedHome
from workseal_agent.cli import app
from workseal_agent.cli.commands import _MODULES, GROUPS, load, load_all

PACKAGE = "workseal_agent.cli."
# Ends like the installed command, and names all that was loaded by then.
PROGRAM = """
import sys
from workseal_agent import main
code = main()
print(code, *sys.modules, file=sys.stderr)
"""
# What shows, discloses and verifies: most of a second of a processor.
OTHERS = (
    "workseal_agent.attestations", "workseal_agent.cases", "workseal_agent.disclose",
    "workseal_agent.export", "workseal_agent.pages", "workseal_agent.suggestions",
    "workseal_protocol.attestation", "workseal_protocol.bundle", "workseal_protocol.casefile",
    "workseal_protocol.cli.acting", "workseal_protocol.desk", "workseal_protocol.dispute",
    "workseal_protocol.verify", "workseal_witness",
)  # fmt: skip
# What speaks with the verifier.
CLIENT = ("h11", "ssl", "workseal_client", "workseal_agent.uplink")
# All that a home is made of.
HOME = ("cryptography", "rich", "sqlite3", "workseal_agent.cli.home", "workseal_agent.ledger")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    paged = PagedHome(tmp_path_factory.mktemp("commands"))
    paged.rig.ledger.close()
    paged.rig.client.close()
    return paged.home


def ended(*words: str, home: Path) -> tuple[int, set[str]]:
    """Run a command, and tell its exit code and what it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        env={**os.environ, "WORKSEAL_AGENT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    code, *loaded = done.stderr.splitlines()[-1].split()
    return int(code), set(loaded)


@pytest.mark.parametrize(
    ("words", "code", "unneeded"),
    [
        (("--help",), 0, (*OTHERS, *CLIENT, *HOME)),
        (("mode", "--help"), 0, (*OTHERS, *CLIENT)),
        (("status",), 0, (*OTHERS, *CLIENT)),
        # Nothing is recording.
        (("pause",), 1, (*OTHERS, *CLIENT)),
        (("stop",), 1, (*OTHERS, *CLIENT)),
        (("start", "--screen", "replay"), 2, (*OTHERS, *CLIENT)),
    ],
    ids=["help", "mode", "status", "pause", "stop", "start"],
)
def test_a_command_loads_what_it_needs(
    home: Path, words: tuple[str, ...], code: int, unneeded: tuple[str, ...]
) -> None:
    found, loaded = ended(*words, home=home)
    assert found == code
    assert "workseal_agent.cli" in loaded
    assert loaded.intersection(unneeded) == set()


def modules_of(command: Any) -> Iterator[str]:
    if command.callback is not None:
        yield command.callback.__module__.removeprefix(PACKAGE)
    for below in getattr(command, "commands", {}).values():
        yield from modules_of(below)


def test_each_command_is_where_the_table_says() -> None:
    load_all()
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert _MODULES.keys() == commands.keys()
    for name, command in commands.items():
        assert set(modules_of(command)) == set(_MODULES[name]), name


def test_each_command_is_told_as_it_tells_itself() -> None:
    load_all()
    commands = get_command(app).commands  # type: ignore[attr-defined]
    told = {name: place.sentence for _, group in GROUPS for name, place in group.items()}
    assert told == {name: one.help for name, one in commands.items() if not one.hidden}


def test_what_is_no_command_has_all_of_them_near_it(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr("workseal_agent.cli.commands.import_module", loaded.append)
    load("pause")
    assert loaded == [f"{PACKAGE}recording"]
    load("pauze")
    assert {f"{PACKAGE}{one}" for modules in _MODULES.values() for one in modules} <= set(loaded)


def test_a_command_is_whole_where_one_of_its_modules_was_loaded_before(home: Path) -> None:
    """As by a program that keeps modules ready, and loads what it uses of them."""
    early = PROGRAM.replace("import main", "import main\nimport workseal_agent.cli.casework")
    for words in (("case", "openings", "--help"), ("case", "check", "--help")):
        done = subprocess.run(
            [sys.executable, "-c", early, *words],
            env={**os.environ, "WORKSEAL_AGENT_HOME": str(home)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr.split()[0] == "0", done.stderr
