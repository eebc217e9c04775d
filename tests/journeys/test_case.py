"""Whole cases at a verifier's process: all three parties act by their commands alone."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from parties import TERMS
from support.agreed import today, yesterday
from support.shifted import COMMANDS, Served, served
from workseal_agent.cli import main as agent_main
from workseal_agent.cli.handover import PASSPHRASE_VARIABLE
from workseal_agent.connection import UnreachableError, VerifierClient
from workseal_protocol.cli import main as workseal_main
from workseal_protocol.encoding import split_sequence

pytestmark = pytest.mark.journey

ROUND_MS = 1_000
RECORDED = Path(__file__).resolve().parents[2] / "deploy" / "recorded"
PASSPHRASE = "a passphrase for tests"  # noqa: S105


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


class Parties:
    """Hold everybody's files, and type their commands."""

    def __init__(self, folder: Path, verifier: Served, run: Callable[..., Done]) -> None:
        self.folder, self.verifier, self._run = folder, verifier, run
        self.case = ""

    # --- commands ---

    def agent(self, *words: object) -> str:
        return self._ended(self._run(agent_main, "workseal-agent", *words))

    def run_agent(self, *words: object) -> Done:
        return self._run(agent_main, "workseal-agent", *words)

    def workseal(self, *words: object) -> str:
        return self._ended(self._run(workseal_main, "workseal", *words))

    def tried(self, who: str, act: str, *words: object) -> Done:
        """Act where it may be refused."""
        if who == "freelancer":
            return self.run_agent("case", "act", act, self.case, *words, "--yes")
        said = self._words(who, (act, self.case, *words))
        return self._run(workseal_main, "workseal", "case", "act", *said)

    def act(self, who: str, act: str, *words: object) -> str:
        """Let somebody act in the case."""
        return self._ended(self.tried(who, act, *words))

    def both(self, act: str) -> None:
        for who in ("client", "freelancer"):
            self.act(who, act)

    def show(self, who: str = "client") -> dict[str, Any]:
        """Read where the case stands."""
        if who == "freelancer":
            return dict(json.loads(self.agent("case", "show", self.case, "--json")))
        words = ("--from", self.verifier.url, "--key", self.key(who), "--json")
        return dict(json.loads(self.workseal("case", "show", self.case, *words)))

    def key(self, who: str) -> Path:
        return self.folder / f"{who}.key"

    def _words(self, who: str, words: tuple[object, ...]) -> tuple[object, ...]:
        return (*words, "--from", self.verifier.url, "--key", self.key(who), "--yes")

    def _ended(self, done: Done) -> str:
        assert done.code == 0, done.err + done.out
        return done.out

    # --- the story so far ---

    def agree(self) -> None:
        """Make everybody's keys, offer terms and accept them."""
        people = ("client", "arbitrator 1", "arbitrator 2")
        keys = {who: self.workseal("keygen", self.key(who)).split()[0] for who in people}
        self.agent("init")
        freelancer = self.agent("status", "--public-key").split()[0]
        policy = "workseal-policy v1\n"
        for who, key in (*keys.items(), ("freelancer", freelancer)):
            policy += f"party {who.split()[0]} {key}\n"
        (self.folder / "policy").write_text(policy + self.verifier.policy_lines())
        (self.folder / "terms").write_text(TERMS.format(round_ms=ROUND_MS, rate=65_536))
        offer = self.folder / "offer.cose"
        self.workseal(
            "offer", "--terms", self.folder / "terms", "--policy", self.folder / "policy",
            "--key", self.key("client"), "--out", offer,
        )  # fmt: skip
        self.agent("join", offer, "--verifier", self.verifier.url, "--yes")

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
        deadline = time.monotonic() + 60
        try:
            while time.monotonic() < deadline and process.poll() is None:
                done = self._run(agent_main, "workseal-agent", "frames", "--json")
                if done.code == 0 and len(json.loads(done.out)) >= frames:
                    break
                time.sleep(0.3)
            self.agent("stop")
        finally:
            out, _ = process.communicate(timeout=60)
        assert process.returncode == 0, out
        self.agent("send")

    def file(self) -> None:
        """Let the client file, over today and, should midnight have passed, yesterday."""
        self.begin, self.end = yesterday(), today()
        number = json.loads(self.agent("status", "--json"))["engagement"]
        printed = self.workseal(
            "case", "file", "not-worked", "--engagement", number,
            "--begin", self.begin, "--end", self.end,
            "--amount", "480.00", "--text", "nothing came of these hours",
            "--from", self.verifier.url, "--key", self.key("client"), "--yes",
        )  # fmt: skip
        self.case = printed.split()[-1]

    def seat(self) -> str:
        """End the talks, draw, and take the case; returns who was drawn."""
        self.act("client", "end")
        self.verifier.shift.move(70)
        self.drawn("freelancer", "draw")
        drawn = self.show()["arbitrator"]
        who = next(
            one
            for one in ("arbitrator 1", "arbitrator 2")
            if drawn in self.workseal("keygen", "--show", self.key(one))
        )
        self.act(who, "declare", "--text", "nothing ties me to either", "--calendar", "DE")
        self.both("pass")
        return who

    def drawn(self, who: str, act: str) -> None:
        """Write a draw down, or find that the operator did: it does, once the value is out."""
        done = self.tried(who, act)
        sooner = ("moved on", "nobody is to be drawn now", "not drawn yet")
        assert done.code == 0 or any(one in done.err for one in sooner), done.err
        assert self.show()["statements"][-1]["move"] == act

    def ask(self, who: str, level: int, count: int) -> None:
        self.act(
            who, "ask", "--level", level, "--count", count, "--begin", self.begin,
            "--end", self.end, "--text", "was there work", "--why", "what is known does not tell",
        )  # fmt: skip


@pytest.fixture
def parties(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Parties]:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    monkeypatch.setenv("WORKSEAL_AGENT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def run(program: Callable[[], int], *words: object) -> Done:
        monkeypatch.setattr(sys, "argv", [*map(str, words)])
        capfd.readouterr()
        try:
            code = program()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        said = capfd.readouterr()
        return Done(code, said.out, said.err)

    with served(tmp_path, monkeypatch, ROUND_MS) as verifier:
        made = Parties(tmp_path, verifier, run)
        made.agree()
        yield made


def test_three_parties_go_through_a_case_by_their_commands(parties: Parties) -> None:
    parties.work()
    parties.file()
    parties.act("freelancer", "answer", "--text", "the report was written in them")
    who = parties.seat()
    parties.ask(who, 1, 5)
    parties.both("pass")
    parties.act(who, "rule", "--ruling", "grant", "--text", "it may tell")
    open_some(parties)
    parties.act("client", "pass")
    parties.ask(who, 2, 2)
    for one in ("client", "freelancer", who):
        parties.act(one, "commit")
    parties.both("pass")
    parties.act(who, "rule", "--ruling", "grant", "--text", "it is in dispute what was seen")
    for one in ("client", "freelancer", who):
        parties.act(one, "reveal")
    parties.verifier.shift.move(22 * 3_600 + 10)
    parties.drawn("client", "sample")
    parties.act(who, "request", "--text", "was this the report?")
    disclose(parties, who)
    parties.act("client", "comment", "--text", "I see no report")
    climb(parties, who)
    said = ("--verdict", "in-part", "--amount", "120.00", "--text", "half of it", "--cite")
    parties.act(who, "draft", *said, parties.case)
    parties.both("pass")
    parties.act(who, "decide", *said, parties.case)
    parties.both("pass")
    assert parties.show("freelancer")["state"] == "final"
    export(parties, who)


def open_some(parties: Parties) -> None:
    """Open the activity of the granted segments and of no other, and have it checked."""
    opened, salted = parties.folder / "openings", parties.folder / "openings.salted"
    assert "no pixel is in it" in parties.agent("case", "openings", parties.case, "--out", opened)
    assert len(split_sequence(opened.read_bytes(), max_items=99)) == 5
    parties.act("freelancer", "show", "--file", opened, "--salted", salted)
    (parties.folder / "got").write_bytes(salted.read_bytes()[:-16])
    parties.agent("export", parties.folder / "work.workseal")
    told = parties.workseal(
        "case", "checks", parties.folder / "work.workseal", "--policy", parties.folder / "policy",
        "--openings", parties.folder / "got", "--json",
    )  # fmt: skip
    assert json.loads(told)["checks"]
    again = parties.run_agent("case", "openings", parties.case, "--out", parties.folder / "more")
    assert (again.code, "no openings are granted" in again.err) == (1, True)


def climb(parties: Parties, who: str) -> None:
    """Go up the ladder to its end: at the last level a whole frame, approved twice."""
    granted(parties, who, 3, 2)
    parties.act(who, "request", "--text", "more of the same frames")
    parties.act("freelancer", "withhold", "--ground", "third-party-nda", "--text", "another's")
    parties.act("client", "pass")
    granted(parties, who, 4, 1)
    rungs = {one["level"]: one["state"] for one in parties.show()["ladder"]}
    assert rungs == {**dict.fromkeys(range(4), "reached"), 4: "granted"}
    frame = json.loads(parties.agent("frames", "--json"))[0]["commitment"]
    unnamed = parties.tried(who, "request", "--text", "this one")
    assert (unnamed.code, "expected --frame" in unnamed.err) == (2, True)
    parties.act(who, "request", "--text", "this one", "--frame", frame[:16])
    asked = parties.folder / "whole.cose"
    parties.agent("case", "show", parties.case, "--request", asked)
    words = ("disclose", asked, "--show", "0,0,9999,9999", "--unread", "--yes")
    early = parties.run_agent(*words)
    assert (early.code, "does not take a disclosure now" in early.err) == (1, True)
    parties.act("freelancer", "approve")
    assert "the verifier got no tile" in parties.agent(*words, "--sealed-only")
    moves = [one["move"] for one in parties.show("freelancer")["statements"]]
    assert moves[-2:] == ["approve", "disclosure"]
    found = parties.folder / "finding.cose"
    save(parties, who)
    opened(
        parties, who, asked, "whole",
        "--finding", found, "--key", parties.key(who), "--case", parties.folder / "case.cbor",
    )  # fmt: skip
    terms = parties.folder / "whole.workseal"
    parties.workseal("case", "send", found, "--terms", terms, "--from", parties.verifier.url)
    last = parties.show("freelancer")["statements"][-1]
    assert (last["move"], last["by"]) == ("finding", "arbitrator")
    parties.act("client", "comment", "--text", "this one shows the report")


def granted(parties: Parties, who: str, level: int, count: int) -> None:
    parties.ask(who, level, count)
    parties.both("pass")
    parties.act(who, "rule", "--ruling", "grant", "--text", "the level below did not tell")


@contextmanager
def lost_answer() -> Iterator[None]:
    """Let the verifier take a disclosure, and its answer get lost."""
    true = VerifierClient.disclose

    def disclose(client: VerifierClient, statement: bytes, tiles: Sequence[bytes]) -> Any:
        true(client, statement, tiles)
        raise UnreachableError("the test lost the answer")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VerifierClient, "disclose", disclose)
        yield


def disclose(parties: Parties, who: str) -> None:
    """Show one corner of the drawn frames, and let the arbitrator open it."""
    asked = parties.folder / "request.cose"
    parties.agent("case", "show", parties.case, "--request", asked)
    words = ("disclose", asked, "--show", "0,0,64,64", "--unread", "--yes")
    with lost_answer():
        failed = parties.run_agent(*words)
    assert (failed.code, "may be run again" in failed.err) == (1, True)
    # The log has it; the same command finds that, signs nothing new, and seals the package.
    assert "what you signed before is logged" in parties.agent(*words)
    opened(parties, who, asked, "corner")


def opened(parties: Parties, who: str, asked: Path, name: str, *more: object) -> None:
    """Let the arbitrator fetch what was sealed to them, and open it."""
    bundle = parties.folder / f"{name}.workseal"
    parties.agent("export", bundle)
    request = parties.show()["request"]
    sealed = parties.folder / f"{name}.sealed"
    parties.workseal(
        "fetch", f"{parties.verifier.url}/v1/sealed/{request}", "--key", parties.key(who),
        "--out", sealed,
    )  # fmt: skip
    told = parties.workseal(
        "open", sealed, "--request", asked,
        "--case-key", Path(f"{parties.key(who)}.cases") / f"{parties.case}.key",
        "--bundle", bundle, "--policy", parties.folder / "policy",
        "--out", parties.folder / f"{name} opened", *more,
    )  # fmt: skip
    assert "holds" in told


def save(parties: Parties, who: str) -> None:
    """Save the statements of the case."""
    parties.workseal(
        "case", "show", parties.case, "--from", parties.verifier.url, "--key", parties.key(who),
        "--save", parties.folder / "case.cbor",
    )  # fmt: skip


def export(parties: Parties, who: str) -> None:
    """Write the whole case, and verify it."""
    statements, policy = parties.folder / "case.cbor", parties.folder / "policy"
    statements.unlink()
    save(parties, who)
    parties.workseal(
        "case", "export", parties.folder / "file", "--bundle", parties.folder / "whole.workseal",
        "--policy", policy, "--sealed", parties.folder / "corner.sealed",
        "--sealed", parties.folder / "whole.sealed", statements,
    )  # fmt: skip
    parties.workseal("case", "verify", parties.folder / "file", "--policy", policy)
