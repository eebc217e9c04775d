"""The tutorial as it stands: its own lines, in their order, in one new folder, by a shell.

What a reader puts in place of a word in capitals, answers to a question, or does between two lines
is below, and nothing else. A line that is left out is named with the reason; where it is no longer
in the text, or a line ends in anything but 0, the test fails.
"""

import json
import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from parties import COMMANDS, PASSPHRASE, free_port
from stages import Stage, choose_stage

from .conftest import ROOT

pytestmark = pytest.mark.journey

TUTORIAL = ROOT / "docs" / "tutorial.md"
INVOICES = ROOT / "docs" / "spec" / "invoice.md"
FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# What each file of settings in the text is for, in their order.
SETTINGS = ("terms.toml", "config.toml")
LEFT_OUT = {
    "python3 -m venv ": "the tests run in one",
    ". ~/workseal/bin/activate": "the tests run in one",
    "pip install '.[agent,verifier]'": "the tests run in what it makes",
    "workseal accept LINK": "answers an operator who takes offers from invited clients alone",
    "workseal declare case/*.cose": "a case is told by test_disputes.py",
    "workseal revoke-key": "ends a key that the text goes on with: see test_ownkeys.py",
    "workseal rotate-key": "ends a key that the text goes on with: see test_ownkeys.py",
    "workseal request --case case.cose": "a case is told by test_disputes.py",
    "workseal destroy case/*.cose": "a case is told by test_disputes.py",
}
# Of a round of half a minute three in four have a capture: one of these is enough to go on.
MOST_ROUNDS = 20
ROUND_S = 30


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Give each block with its language."""
    yield from FENCE.findall(text)


def lines_of(block: str) -> list[str]:
    """Give the commands of a block; one that goes on in the next line is one."""
    return [line for line in block.replace("\\\n", " ").splitlines() if line.strip()]


@dataclass
class Reader:
    """Type what stands in the text."""

    folder: Path
    stage: Stage
    port: int = field(default_factory=free_port)
    words: dict[str, str] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    served: subprocess.Popen[bytes] | None = None
    typed: int = 0

    @property
    def environment(self) -> dict[str, str]:
        return {
            **self.stage.environment,
            "PATH": f"{COMMANDS}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "WORKSEAL_PASSPHRASE": PASSPHRASE,
            "TZ": self.words["ZONE"],
            "LC_ALL": "C.UTF-8",
        }

    def read(self, line: str) -> str:
        """Put in what the reader knows by now."""
        for word, known in self.words.items():
            line = re.sub(rf"\b{word}\b", known, line)
        return line.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")

    def do(self, line: str) -> None:
        """Do one line, and what stands between it and the next."""
        for begin in LEFT_OUT:
            if line.startswith(begin):
                self.left_out.add(begin)
                return
        if line.startswith("workseal-verifier serve"):
            self.serve(line)
            return
        typed = self.read(line).replace("/media/stick", f"{self.folder}/stick")
        if " recovery-key " in line:
            # These ask at a terminal alone.
            typed += " --yes"
            (self.folder / "stick").mkdir(exist_ok=True)
        if line == "workseal-agent start" and self.stage.kind == "replay":
            # What the text says of a machine without a screen.
            typed = " ".join((typed, *self.stage.capture_options))
        printed = self.run(typed)
        self.learn(line, printed)
        self.between(line)

    def run(self, line: str) -> str:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.environment,
            # Whatever is asked, the reader agrees.
            input="yes\n" * 4,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        self.typed += 1
        return done.stdout

    def serve(self, line: str) -> None:
        with (self.folder / "serve.log").open("wb") as log:
            self.served = subprocess.Popen(
                ["bash", "-c", f"exec {line} --port {self.port}"],
                cwd=self.folder, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(400):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.folder / "serve.log").read_text())

    def learn(self, line: str, printed: str) -> None:
        """Note what the text later has a word in capitals for."""
        told = {
            "workseal invite": ("LINK", r"(http://\S+)"),
            "workseal-agent timesheet ": ("DIGITS", r"\b([0-9a-f]{12})[0-9a-f]*\b"),
            "workseal request --bundle": ("DIGEST", r"\b([0-9a-f]{64})\b"),
        }
        if line.startswith("workseal-agent join"):
            self.words["NUMBER"] = json.loads(self.run("workseal-agent status --json"))[
                "engagement"
            ]
        for begin, (word, form) in told.items():
            if line.startswith(begin):
                found = re.search(form, printed)
                assert found is not None, printed
                self.words[word] = found[1]
        if line.startswith("workseal inspect work.workseal") and "--extract" not in line:
            # The first was withdrawn.
            shown = re.findall(r"^ +([0-9]{6}) .* segment .*\n +frame ", printed, re.MULTILINE)
            assert len(shown) > 1, printed
            self.words["000008"] = shown[-1]

    def between(self, line: str) -> None:
        """Do what the text says in words."""
        if line.startswith("workseal-agent start"):
            self.work()
        elif re.match(r"workseal-agent (?:resume|mode)", line):
            time.sleep(2)
        elif line.startswith("workseal-agent stop"):
            # "A minute after `stop`".
            time.sleep(62)

    def work(self) -> None:
        """Work until some frames are kept."""
        end = time.monotonic() + MOST_ROUNDS * ROUND_S
        while time.monotonic() < end:
            self.stage.type_text("the report. ")
            time.sleep(1)
            if len(json.loads(self.run("workseal-agent frames --json"))) >= 2:
                return
        raise AssertionError("nothing was captured")


def of_noon() -> str:
    """Give a zone in which it is about noon: no week and no day ends while the text is read."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/UTC"


def test_every_line_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    with ExitStack() as stack:
        stage = stack.enter_context(choose_stage("auto"))
        stage.open_windows("the report", "zebra", "KeePassXC - vault", "orchid")
        reader = Reader(tmp_path, stage)
        reader.words["ZONE"] = of_noon()
        stack.callback(end, reader)
        details = next(
            text for language, text in blocks(INVOICES.read_text()) if 'number = "' in text
        )
        (tmp_path / "invoice.toml").write_text(details)
        settings = iter(SETTINGS)
        for language, text in blocks(TUTORIAL.read_text()):
            if language == "toml":
                write_settings(reader, next(settings), text)
                continue
            for line in lines_of(text):
                reader.do(line)
        assert next(settings, None) is None
    assert reader.left_out == set(LEFT_OUT)
    assert reader.typed >= 50


def write_settings(reader: Reader, name: str, text: str) -> None:
    if name == "terms.toml":
        assert 'zone = "Europe/Berlin"' in text
        text = text.replace("Europe/Berlin", reader.words["ZONE"])
        (reader.folder / name).write_text(text)
        return
    (found,) = reader.folder.rglob(name)
    with found.open("a") as file:
        file.write(text)


def end(reader: Reader) -> None:
    """End what was begun, also where the story broke off."""
    if reader.served is not None:
        subprocess.run(
            [COMMANDS / "workseal-agent", "stop"],
            env=reader.environment, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        reader.served.terminate()
        reader.served.wait(timeout=30)
