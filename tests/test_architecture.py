"""Who may import whom, that the protocol is pure, and that every module has its tests."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {
    "protocol": ROOT / "protocol" / "workseal_protocol",
    "client": ROOT / "protocol" / "workseal_client",
    "witness": ROOT / "protocol" / "workseal_witness",
    "agent": ROOT / "agent" / "workseal_agent",
    "verifier": ROOT / "verifier" / "workseal_verifier",
}
# What would give the protocol a clock, a file, a random number, a thread or a framework.
IMPURE = frozenset(
    {
        "asyncio", "concurrent", "getpass", "http", "importlib", "io", "logging", "multiprocessing",
        "os", "pathlib", "platform", "random", "secrets", "select", "shutil", "signal", "socket",
        "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
        "zipfile", "zoneinfo",
    }
)  # fmt: skip
FOREIGN = frozenset({"cbor2", "cryptography"})
# (module, import): the token's library inside the functions that need it, and a faster check of
# signatures where it is installed.
ALLOWED_INSIDE = {("timestamp", "rfc3161_client"), ("ed25519", "nacl")}

# Test modules about what a whole package does, not about one module of it.
ABOUT_THE_WHOLE = {"test_main"}


def modules(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts)


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Give the top-level name of each import, and whether it stands at the module's top."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        top = node in tree.body
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0], top
        elif isinstance(node, ast.ImportFrom) and id(node) not in typing_only:
            yield (node.module or "").split(".")[0], top


def pure_modules() -> list[Path]:
    folder = SOURCES["protocol"]
    return [path for path in modules(folder) if path.relative_to(folder).parts[0] != "cli"]


def test_import_contracts_hold() -> None:
    command = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", pure_modules(), ids=lambda path: path.stem)
def test_the_protocol_is_pure(path: Path) -> None:
    for name, top in imports(path):
        assert name not in IMPURE, f"{path.name} imports {name}"
        known = name in FOREIGN or name == "workseal_protocol" or name in sys.stdlib_module_names
        inside = not top and (path.stem, name) in ALLOWED_INSIDE
        assert known or inside, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", pure_modules(), ids=lambda path: path.stem)
def test_the_protocol_never_asks_for_the_time_or_for_chance(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"now", "utcnow", "today", "urandom", "generate"}, path.name
        if isinstance(node, ast.Name):
            assert node.id not in {"open", "input", "print", "eval", "exec"}, path.name


@pytest.mark.parametrize("name", SOURCES)
def test_every_module_says_what_it_is_for(name: str) -> None:
    for path in modules(SOURCES[name]):
        text = path.read_text()
        if text.strip():
            assert ast.get_docstring(ast.parse(text)), path


@pytest.mark.parametrize("name", SOURCES)
def test_every_module_has_its_tests(name: str) -> None:
    tested = {path.stem for path in modules_of_tests(name)}
    missing = [
        module.relative_to(SOURCES[name]).as_posix()
        for module in modules(SOURCES[name])
        if module.stem != "__init__" and not possible_tests(module, name) & tested
    ]
    assert missing == []


@pytest.mark.parametrize("name", SOURCES)
def test_every_test_module_is_about_a_module(name: str) -> None:
    expected = set().union(*(possible_tests(path, name) for path in modules(SOURCES[name])))
    astray = [
        path.relative_to(ROOT).as_posix()
        for path in modules_of_tests(name)
        if path.stem not in expected | ABOUT_THE_WHOLE
        and not any(path.stem.startswith(f"{one}_") for one in expected)
    ]
    assert astray == []


def modules_of_tests(name: str) -> Iterator[Path]:
    return (path for path in modules(ROOT / "tests" / name) if path.stem.startswith("test_"))


def possible_tests(module: Path, name: str) -> set[str]:
    """Give the names that a module's tests may have: its own, or that of a package it is part of.

    A package that is one idea in several files may be tested as one.
    """
    parts = module.relative_to(SOURCES[name]).with_suffix("").parts
    return {f"test_{part}" for part in parts if part != "__init__"}
