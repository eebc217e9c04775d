"""Whoever wants no more to be recorded is held up by nothing, and told what is not in force."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bridge import Bridge, bridged
from support.typed import Typed, typed_in
from support.worker import PATIENCE_S, Worker, ended
from workseal_agent.ledger import CaptureRow

CHANGED = "config.toml was changed since this recording began"
# What an editor leaves who is in a hurry.
WRONG: dict[str, str | bytes] = {
    "half a rule": "\n[[mask.rule\n",
    "an unknown key": "\n[mask]\nrulez = 3\n",
    "a stray byte": b"\n\xff\n",
}


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with bridged() as bridge:
        yield bridge
    ended()


@pytest.fixture
def worker(tmp_path: Path, bridge: Bridge) -> Worker:
    return Worker(tmp_path / "home", bridge, capture_rate=65_536, max_withdrawn_percent=20)


@pytest.fixture
def run(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Typed:
    return typed_in(worker.home, monkeypatch, capfd)


def captures(worker: Worker) -> tuple[CaptureRow, ...]:
    with worker.ledger() as ledger:
        return ledger.captures(worker.engagement.id)


def spoil(worker: Worker, wrong: str | bytes) -> None:
    file = worker.home / "config.toml"
    before = file.read_bytes() if file.exists() else b""
    file.write_bytes(before + (wrong if isinstance(wrong, bytes) else wrong.encode()))


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mistake_in_the_settings_keeps_nobody_from_stopping(
    worker: Worker, run: Typed, wrong: str
) -> None:
    process = worker.start()
    worker.wait(process)
    deadline = time.monotonic() + PATIENCE_S
    while len(rows := captures(worker)) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    first, second, *_ = rows
    spoil(worker, WRONG[wrong])
    for words in (("pause",), ("resume",), ("seal",), ("seal",), ("mode", "working")):
        done = run(*words)
        assert done.code == 0, (words, done.err)
        # The rule that was to be added protects nothing yet.
        assert CHANGED in done.out
    done = run("status")
    assert (done.code, "trouble: config.toml" in done.out) == (0, True), done.err
    assert json.loads(run("status", "--json").out)["daemon"] is True
    done = run("withdraw", first.number, "--reason", "private", "--yes")
    assert done.code == 0, done.err
    assert run("stop").code == 0
    process.wait(PATIENCE_S)
    # It is destroyed; only its sending needs the settings.
    done = run("withdraw", second.number, "--reason", "private", "--yes")
    assert "is withdrawn; worked time is unchanged" in done.out
    assert all(row.withdrawn for row in captures(worker)[:2])
    # What begins needs them: there is no guessing what its owner wanted to be hidden.
    done = run("start")
    assert (done.code, done.out) == (2, ""), done.err


def test_a_recording_that_was_killed_says_so(worker: Worker, run: Typed) -> None:
    process = worker.start()
    worker.wait(process)
    assert "ended by itself" not in run("status").out
    os.kill(process.pid, signal.SIGKILL)
    process.wait(PATIENCE_S)
    done = run("status")
    assert "the recording ended by itself, and nobody stopped it: nothing after " in done.out
    assert json.loads(run("status", "--json").out)["ended_by_itself_ms"] > 0
    process = worker.start()
    worker.wait(process)
    worker.ask("stop")
    process.wait(PATIENCE_S)
    assert "ended by itself" not in run("status").out


def test_an_only_rule_for_no_engagement_of_the_home_is_refused(worker: Worker, run: Typed) -> None:
    """It would hold nowhere, and the whole screen would be in the vault."""
    spoil(worker, '\n[[mask.only]]\nname = "editor"\nengagement = "ffff"\napplication = "code"\n')
    done = run("doctor")
    assert done.code != 0
    assert "the rule editor of [[mask.only]] is for the engagement ffff" in done.out
    process = worker.start()
    assert process.wait(PATIENCE_S) != 0


def test_which_windows_alone_are_recorded_is_told(worker: Worker, run: Typed) -> None:
    number = worker.engagement.id.hex()[:6]
    spoil(worker, f'\n[[mask.only]]\nname = "editor"\nengagement = "{number}"\ntitle = "x"\n')
    process = worker.start()
    worker.wait(process)
    assert "pictures have these windows only: editor\n" in run("status").out
    worker.ask("stop")
    process.wait(PATIENCE_S)
