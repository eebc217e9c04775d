"""The four parties of the demo, each with a folder, a home and processes of its own.

Nothing is shared between them but what they hand over as files or send over HTTP on loopback: the
same commands that real people type.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

COMMANDS = Path(sys.executable).parent
PASSPHRASE = "a demo passphrase"  # noqa: S105 - the demo's parties live for four minutes

# Characters of a command that is told when it failed.
_MAX_SHOWN = 400

# What the client offers, once round length and capture rate are filled in.
TERMS = """\
round_ms = {round_ms}
capture_rate = {rate}
level = "frames"
tile = 32
max_withdrawn_percent = 50
max_offline_ms_per_week = 14400000
weekly_cap_ms = 0
granularity = "interval"
rate_minor_per_hour = 6000
currency = "EUR"
rounding_ms = 60000
rounding_mode = "nearest"
zone = "Europe/Berlin"
client_calendar = "DE"
freelancer_calendar = "PT"
review_days = 10
answer_days = 10
retention_days = 180
worth_percent = {{ working = 100, off_screen = 100, sealed = 100, late = 50 }}
"""


class CommandFailed(Exception):  # noqa: N818 - reads as a sentence in the demo's output
    """Say which command ended otherwise than the story expects, and what it printed."""


class Party:
    """One person with a folder, an environment and the commands they run."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.name = name
        self.folder = folder
        folder.mkdir(parents=True, mode=0o700)
        home = folder / "home"
        home.mkdir()
        kept = {k: os.environ[k] for k in ("PATH", "LANG", "TZ") if k in os.environ}
        self.environment = {**kept, "HOME": str(home), **(environment or {})}

    def run(self, command: str, *arguments: str | Path, expect: int = 0) -> str:
        """Run one command to its end and return what it printed."""
        shown = " ".join(str(word) for word in (command, *arguments))[:_MAX_SHOWN]
        try:
            done = subprocess.run(
                [COMMANDS / command, *arguments],
                cwd=self.folder,
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise CommandFailed(f"{self.name}: '{shown}' did not end in two minutes") from late
        if done.returncode != expect:
            raise CommandFailed(
                f"{self.name}: '{shown}' ended with {done.returncode}, not {expect}:\n"
                f"{done.stdout[-1500:]}{done.stderr[-1500:]}"
            )
        return done.stdout

    def start(self, command: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Start a long-running command; its output goes to a log in the party's folder."""
        with (self.folder / f"{command}.log").open("ab") as log:
            return subprocess.Popen(
                [COMMANDS / command, *arguments],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


class Operator(Party):
    """Hosts the verifier; can be killed and started again."""

    def __init__(self, folder: Path, round_ms: int) -> None:
        super().__init__("operator", folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.data = folder / "verifier"
        self.run(
            "workseal-verifier", "init", "--home", self.data,
            "--origin", "verifier.example/2026", "--period-ms", str(round_ms),
        )  # fmt: skip

    def serve(self) -> None:
        """Start the verifier and wait until it answers."""
        self.process = self.start(
            "workseal-verifier", "serve", "--home", self.data,
            "--host", "127.0.0.1", "--port", str(self.port), "--local-tsa", "--stamp-interval", "5",
        )  # fmt: skip
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        log = (self.folder / "workseal-verifier.log").read_text(errors="replace")
        raise CommandFailed(f"operator: the verifier did not answer:\n{log[-1500:]}")

    def kill(self) -> None:
        """Kill the verifier's whole process group with SIGKILL, as a power cut would."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def policy_lines(self) -> str:
        """Return the lines of a trust policy that describe this verifier."""
        return self.run("workseal-verifier", "policy", "--home", self.data)


class Freelancer(Party):
    """Runs the agent; its vault and keys never leave its folder."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        super().__init__("freelancer", folder, {**environment, "WORKSEAL_PASSPHRASE": PASSPHRASE})
        self.home = folder / "agent"
        self.traffic = folder / "traffic"
        self.process: subprocess.Popen[bytes] | None = None

    def agent(self, *arguments: str | Path, expect: int = 0) -> str:
        """Run one agent command; what it sends is written down."""
        words = ("--home", self.home, "--traffic", self.traffic, *arguments)
        return self.run("workseal-agent", *words, expect=expect)

    def work(self, *arguments: str | Path) -> None:
        """Start recording and wait until the agent says so."""
        words = ("--home", self.home, "--traffic", self.traffic, "start", "--foreground")
        self.process = self.start("workseal-agent", *words, *arguments)
        # Each look at the status is a process, which would take its processor from the one that
        # begins; before its socket is there, there is nothing to see.
        deadline = time.monotonic() + 30
        while not (self.home / "control.sock").exists() and time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.wait_for(lambda status: bool(status["daemon"]), "recording to begin")

    def status(self) -> dict[str, Any]:
        """Return the agent's own status."""
        status: dict[str, Any] = json.loads(self.agent("status", "--json"))
        return status

    def wait_for(self, ready: Any, what: str, seconds: float = 60) -> dict[str, Any]:
        """Poll the status until `ready(status)`, or say what did not happen."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.status()
            if ready(status):
                return status
            if self.process is not None and self.process.poll() not in (None, 0):
                break
            time.sleep(0.4)
        log = self.folder / "workseal-agent.log"
        tail = log.read_text(errors="replace")[-1500:] if log.exists() else ""
        raise CommandFailed(f"freelancer: waited in vain for {what}\n{tail}")


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
