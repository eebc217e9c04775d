"""Client, freelancer and arbitrators, each in a folder of their own, typing what they would type.

The verifier is the installed program, with a clock that the test moves; what is typed runs in this
process, where the same clock holds. Whatever is asked, whoever types agrees.
"""

import io
import json
import shlex
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from parties import TERMS
from support.shifted import COMMANDS, Served
from workseal_agent.cli import main as agent_main
from workseal_protocol.cli import main as workseal_main

ROUND_MS = 1_000
HOUR_S = 3_600
DAY_S = 24 * HOUR_S
RECORDED = Path(__file__).resolve().parents[2] / "deploy" / "recorded"
ARBITRATORS = ("one", "two", "three", "four")
# For what comes by itself, on a machine with others at work.
PATIENCE_S = 600
PROGRAMS = {"workseal": workseal_main, "workseal-agent": agent_main}


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


class Terminal(io.StringIO):
    """Agree, as on a terminal."""

    def isatty(self) -> bool:
        return True


class Litigants:
    """Hold everybody's folders, and type their commands."""

    def __init__(self, folder: Path, served: Served, patch: pytest.MonkeyPatch, capfd: Any) -> None:
        self.folder, self.served = folder, served
        self._patch, self._capfd = patch, capfd
        for who in ("client", "freelancer", "arbitrator"):
            (folder / who).mkdir()
        self.url = served.url.replace("127.0.0.1", "localhost")
        self.case = ""

    # --- typing ---

    def type(self, where: str, line: str) -> Done:
        """Type a line in somebody's folder; a program that is not ours is run by a shell."""
        program, *words = shlex.split(line)
        if program not in PROGRAMS:
            done = subprocess.run(
                ["bash", "-c", line],
                cwd=self.folder / where, capture_output=True, text=True, check=False,
            )  # fmt: skip
            return Done(done.returncode, done.stdout, done.stderr)
        self._patch.chdir(self.folder / where)
        self._patch.setattr(sys, "argv", [program, *words])
        self._patch.setattr(sys, "stdin", Terminal("yes\n" * 4))
        self._capfd.readouterr()
        try:
            code = PROGRAMS[program]()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        said = self._capfd.readouterr()
        return Done(code, said.out, said.err)

    def tried(self, who: str, act: str, *words: object) -> Done:
        """Act in the case, where it may be refused."""
        said = shlex.join(map(str, words))
        if who == "freelancer":
            return self.type(who, f"workseal-agent case act {act} {self.case} {said} --yes")
        where = "client" if who == "client" else "arbitrator"
        asked = f"--from {self.url} --key {who}.key --yes"
        return self.type(where, f"workseal case act {act} {self.case} {said} {asked}")

    def act(self, who: str, act: str, *words: object) -> str:
        """Act in the case."""
        return ended(self.tried(who, act, *words))

    def both(self, act: str) -> None:
        for who in ("client", "freelancer"):
            self.act(who, act)

    def workseal(self, where: str, *words: object) -> str:
        return ended(self.type(where, shlex.join(("workseal", *map(str, words)))))

    def agent(self, *words: object) -> str:
        return ended(self.type("freelancer", shlex.join(("workseal-agent", *map(str, words)))))

    def show(self, case: str = "") -> dict[str, Any]:
        """Read where a case stands, as the client sees it."""
        words = ("--from", self.url, "--key", "client.key", "--json")
        return dict(json.loads(self.workseal("client", "case", "show", case or self.case, *words)))

    @property
    def moves(self) -> list[str]:
        return [one["move"] for one in self.show()["statements"]]

    def newest(self, move: str) -> str:
        """Return the digest of the newest statement of a kind."""
        return str([one for one in self.show()["statements"] if one["move"] == move][-1]["digest"])

    # --- time ---

    def pass_s(self, seconds: int) -> None:
        """Let time pass at once, and see that the verifier goes on after it."""
        self.served.shift.move(seconds)
        since = self.served.shift.now_ms - 1_000
        self._until(lambda: self._up_to() >= since and self._committed_to() > since)

    def stay_up(self, until_ms: int) -> None:
        """Let time pass in steps that are no outage."""
        while (left := until_ms - self.served.shift.now_ms) > 0:
            self.pass_s(min(left // 1_000 + 1, 4 * HOUR_S - 60))

    def lapse(self) -> str:
        """Let a deadline pass in silence while the verifier is up, until the case has moved on."""
        told = self.show()
        self.stay_away(told["until"] - 25 * HOUR_S * 1_000)
        self.stay_up(told["until"] + 2_000)
        self._until(lambda: self.show()["statements"][-1]["move"] == "lapse", 0.5)
        return str(self.show()["state"])

    def stay_away(self, until_ms: int) -> None:
        """Let time pass at once up to an instant, if it is still to come."""
        left = until_ms - self.served.shift.now_ms
        if left > 0:
            self.pass_s(left // 1_000 + 1)

    def in_state(self, state: str) -> None:
        """Wait until the operator's key has moved the case on."""
        self._until(lambda: self.show()["state"] == state, 0.5)

    def _committed_to(self) -> int:
        """Return where the committed values of the beacon end: they are ahead of the clock."""
        (end,) = self._asked(
            f"SELECT max(first_round + count) * {ROUND_MS} FROM beacons"  # noqa: S608 - a constant
            f" WHERE period_ms = {ROUND_MS}"
        )
        return int(end or 0)

    def _up_to(self) -> int:
        (found,) = self._asked("SELECT max(end_ms) FROM presence")
        return int(found or 0)

    def _asked(self, question: str) -> tuple[Any, ...]:
        database = sqlite3.connect(f"file:{self.served.home / 'verifier.db'}?mode=ro", uri=True)
        try:
            row: tuple[Any, ...] = database.execute(question).fetchone()
        finally:
            database.close()
        return row

    def _until(self, done: Callable[[], bool], pause_s: float = 0.05) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < deadline
            time.sleep(pause_s)

    def wait_for(self, done: Callable[[], bool]) -> None:
        """Wait until something was done by the verifier."""
        self._until(done)

    # --- what came before any dispute ---

    def agree(self) -> None:
        """Make everybody's keys, offer terms and accept them."""
        keys = {"client": self.workseal("client", "keygen", "client.key").split()[0]}
        for who in ARBITRATORS:
            keys[who] = self.workseal("arbitrator", "keygen", f"{who}.key").split()[0]
        self.agent("init")
        keys["freelancer"] = self.agent("status", "--public-key").split()[0]
        roles = {who: who for who in ("client", "freelancer")}
        lines = [f"party {roles.get(who, 'arbitrator')} {key}\n" for who, key in keys.items()]
        policy = "".join(("workseal-policy v1\n", *lines, self.served.policy_lines()))
        for where in ("client", "arbitrator", "freelancer"):
            (self.folder / where / "policy").write_text(policy)
        client = self.folder / "client"
        (client / "terms").write_text(TERMS.format(round_ms=ROUND_MS, rate=65_536))
        self.workseal(
            "client", "offer", "--terms", "terms", "--policy", "policy",
            "--key", "client.key", "--out", "offer.cose",
        )  # fmt: skip
        self.agent("join", client / "offer.cose", "--verifier", self.url, "--yes")

    def work(self, frames: int = 4) -> None:
        """Record until there are some frames."""
        process = subprocess.Popen(
            [
                COMMANDS / "workseal-agent", "start", "--foreground",
                "--screen", "replay", "--replay", RECORDED,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        try:
            # Its start is slow where others work: frames are waited for, and nothing else.
            self._until(lambda: process.poll() is not None or self._frames() >= frames, 0.5)
            self.agent("stop")
        finally:
            out, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, out
        assert self._frames() >= frames
        self.agent("send")

    def _frames(self) -> int:
        done = self.type("freelancer", "workseal-agent frames --json")
        return len(json.loads(done.out)) if done.code == 0 else 0


def ended(done: Done) -> str:
    assert done.code == 0, done.err + done.out
    return done.out
