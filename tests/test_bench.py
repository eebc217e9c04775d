"""The benches run, and their checks of what they measured hold. No figure is judged here."""

import importlib.util
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from workseal_agent.suggestions import Kind

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.journey
def test_ingest_measures_both_servers_and_verifies_what_it_got(tmp_path: Path) -> None:
    told = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "ingest.py", "--quick", "--json", told],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every tile and root derived again" in done.stdout
    figures = json.loads(told.read_text())["figures"]
    rates = [value for name, (value, *_) in figures.items() if name.endswith("per second")]
    assert len(rates) >= 9
    assert min(rates) > 0


@pytest.mark.screen
def test_agent_measures_a_capture_and_the_resident_process(tmp_path: Path) -> None:
    told = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "agent.py", "--quick", "--json", told],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(told.read_text())
    cost, resident = figures["capture 1080p"], figures["resident 1080p"]
    assert cost["capture to sealed commitment"] > cost["grab and mask alone"] > 0
    assert resident["peak, MiB"] >= resident["after captures, MiB"] > 0


@pytest.mark.screen
def test_suggest_plants_on_a_real_screen_and_counts_what_is_hidden(tmp_path: Path) -> None:
    told = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "suggest.py", "--quick", "--json", told],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(told.read_text())
    assert figures["planted"] == 8
    assert figures["hidden with all text"] >= 6


def loaded(name: str) -> ModuleType:
    """Load a part of a bench; its folder has names that stand for other things elsewhere."""
    spec = importlib.util.spec_from_file_location(f"bench_{name}", ROOT / "bench" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_planted_is_what_its_class_says() -> None:
    made = loaded("planted")
    secrets = list(made.secrets_of(random.Random(7)))
    assert len(secrets) == 8
    for seed in range(20):  # one wrong card in ten would pass by chance
        text = dict(made.secrets_of(random.Random(seed)))[Kind.CARD]
        digits = [int(one) for one in text.replace(" ", "")]
        doubled = [2 * one - 9 * (one > 4) for one in digits[::2]]
        assert (sum(doubled) + sum(digits[1::2])) % 10 == 0, seed
    passwords = Counter(kind for kind, _ in made.passwords_of(random.Random(7)))
    assert passwords == {Kind.PASSWORD: 4 * len(made.WRITTEN), Kind.NAME: len(made.NAMES)}


def test_a_seed_plants_the_same_again() -> None:
    made = loaded("planted")
    for secrets in (made.secrets_of, made.passwords_of):
        assert list(secrets(random.Random(3))) == list(secrets(random.Random(3)))
        assert list(secrets(random.Random(3))) != list(secrets(random.Random(4)))
