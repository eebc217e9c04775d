"""The benches run, and their checks of what they measured hold. No figure is judged here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
