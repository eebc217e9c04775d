"""Client and arbitrator go through a case by commands alone, at a real verifier."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.court import Bench, bench
from workseal_protocol.dispute import State
from workseal_protocol.keys import Role
from workseal_protocol.records import Act

from .conftest import Run


@pytest.fixture
def court(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench(tmp_path, run) as made:
        monkeypatch.setattr(time, "time_ns", lambda: made.office.now * 1_000_000)
        yield made


def seated(court: Bench) -> None:
    """File, answer, end the talks, draw; the arbitrator takes the case and nobody strikes."""
    assert court.file().code == 0
    court.hearing.act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)
    assert court.act("client", "end").code == 0
    court.turn((court.case.panel_round + 1) * court.office.round_ms)
    assert court.act("client", "draw").code == 0
    done = court.act("arbitrator", "declare", "--text", "no ties", "--calendar", "DE-BY")
    assert done.code == 0, done.err
    assert court.act("client", "pass").code == 0
    assert court.act("freelancer", "pass").code == 0


def standing(court: Bench) -> State:
    return court.case.state


HOURS = ("--begin", "2026-03-02", "--end", "2026-03-02")


def asked(court: Bench, level: int, count: int) -> None:
    done = court.act(
        "arbitrator", "ask", "--level", level, "--count", count, *HOURS,
        "--text", "was there work in these hours", "--why", "what is known does not tell",
    )  # fmt: skip
    assert done.code == 0, done.err


def both(court: Bench, act: str, *words: object) -> None:
    for who in ("client", "freelancer"):
        done = court.act(who, act, *words)
        assert done.code == 0, done.err


def ruled(court: Bench, *words: object) -> None:
    done = court.act("arbitrator", "rule", "--ruling", "grant", "--text", "it tells", *words)
    assert done.code == 0, done.err


def sampled(court: Bench) -> None:
    """Ask for frames, let all three mix in a secret, and draw."""
    asked(court, 2, 3)
    people = ("client", "freelancer", "arbitrator")
    for who in people:
        assert court.act(who, "commit").code == 0
    both(court, "pass")
    ruled(court)
    for who in people:
        assert court.act(who, "reveal").code == 0
    early = court.act("client", "sample")
    assert (early.code, "too-early" in early.err) == (1, True)
    number = court.case.sample_round
    assert number is not None
    court.turn((number + 1) * court.office.round_ms)
    assert court.act("client", "sample").code == 0


def decided(court: Bench, appeal: str = "pass") -> None:
    said = ("--verdict", "in-part", "--amount", "120.00", "--text", "half of it was work")
    assert court.act("arbitrator", "draft", *said, "--cite", court.name).code == 0
    assert court.act("client", "comment", "--text", "too little").code == 0
    assert court.act("freelancer", "pass").code == 0
    assert court.act("arbitrator", "decide", *said, "--cite", court.name).code == 0
    both(court, appeal)


def test_a_whole_case_by_commands(court: Bench) -> None:
    seated(court)
    asked(court, 1, 5)
    both(court, "pass")
    ruled(court)
    openings = court.folder / "openings"
    openings.write_bytes(b"values and salts")
    salted = court.folder / "salted"
    assert court.act("freelancer", "show", "--file", openings, "--salted", salted).code == 0
    assert salted.read_bytes()[:-16] == b"values and salts"
    assert court.act("client", "comment", "--text", "numbers").code == 0
    sampled(court)
    assert court.act("arbitrator", "request", "--text", "the drawn frames").code == 0
    assert standing(court) is State.DISCLOSURE
    why = ("--ground", "third-party-nda", "--text", "another client's")
    assert court.act("freelancer", "withhold", *why).code == 0
    assert court.act("client", "pass").code == 0
    decided(court)
    assert standing(court) is State.FINAL
    shown = court.run("client", "show", court.name)
    assert (shown.code, shown.err) == (0, "")
    assert re.search(r"3 of [0-9]+ frames are looked at", shown.out)
    assert "amount: 120.00 EUR" in shown.out
    told = json.loads(court.run("client", "show", court.name, "--json").out)
    assert (told["state"], told["you"], told["head"]) == ("final", "client", str(court.case.head))
    assert court.case.drawn is not None
    assert told["drawn"] == list(court.case.drawn)
    # What was secret is out, so it is kept no longer.
    for who in ("client", "freelancer", "arbitrator"):
        folder = Path(f"{court.key(who)}.cases")
        assert not (folder / f"{court.name}.secret").exists()
        assert folder.stat().st_mode & 0o777 == 0o700
