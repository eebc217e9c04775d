"""An act that dies by SIGKILL at any of its points: nothing twice, nothing lost, and it goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from support import killedact
from support.court import Bench, bench
from workseal_protocol.cli.acting import CaseFolder
from workseal_protocol.keys import Role
from workseal_protocol.records import Act

from .conftest import Run

# Offers of a party in one case: then another one is filed.
MOST_OFFERS: Final = 8


class Killing:
    """Let the client make offers, each killed at another point, in one case after the other."""

    def __init__(self, court: Bench, folder: Path) -> None:
        self.court, self.told = court, folder / "told"
        self.offers = 0
        assert court.file().code == 0

    @property
    def folder(self) -> CaseFolder:
        return CaseFolder.beside(self.court.key("client"))

    def room(self) -> None:
        """Have room for one more offer, in a new case if need be."""
        if self.offers == MOST_OFFERS:
            self.court.hearing.act(Role.CLIENT, Act.WITHDRAW)
            self.court.turn(self.court.office.now + 1_000)
            assert self.court.file().code == 0
            self.offers = 0

    def run(self, kill_at: int, *, before: bool) -> tuple[int, str, list[str]]:
        """Offer in a process of its own that dies; returns how, what it said, and its points."""
        self.told.write_text("")
        court, when = self.court, "before" if before else "after"
        done = subprocess.run(
            [
                sys.executable, killedact.__file__, self.told, str(court.office.now), str(kill_at),
                when, "case", "act", "offer", court.name, "--amount", "1.00", "--text", "so much",
                "--yes", "--from", court.url, "--key", court.key("client"),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )  # fmt: skip
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr
        return done.returncode, done.stdout, self.told.read_text().split()

    def goes_on(self, said: str) -> None:
        """Type it again, if nothing was said; there is one offer more, and nothing left over."""
        court, kept = self.court, self.folder.unanswered(self.court.name)
        before = len(court.case.statements)
        if "logged, and in the case" not in said:
            again = court.act("client", "offer", "--amount", "1.00", "--text", "so much")
            assert again.code == 0, again.err
        elif kept is not None:
            # Seen logged, and not let go of: whatever comes next does, and says so.
            again = court.act("client", "offer", "--amount", "2.00", "--text", "less")
            assert "nothing new was signed" in again.out
        self.offers += 1
        court.follow()
        assert len(court.case.statements) == before + 1
        if kept is not None:
            assert kept.digest in court.case.statements
        conflicts = court.office.verifier.services.conflicts
        assert list(conflicts.listing(court.agent.engagement)) == []
        names = sorted(path.name for path in self.folder.folder.iterdir())
        assert [one for one in names if one.endswith((".part", ".unanswered"))] == []
        court.turn(court.office.now + 1_000)


def trials_of(points: list[str]) -> list[tuple[int, bool]]:
    """Choose where to die: everywhere in the long form, else where most hangs on it."""
    every = [(number, before) for number in range(1, len(points) + 1) for before in (True, False)]
    if os.environ.get("WORKSEAL_LONG"):
        return every
    # Kept, sent, answered, let go of.
    kept, sent = points.index("link") + 1, points.index("POST") + 1
    let_go = len(points) - points[::-1].index("unlink")
    return [(number, one) for number in (kept, sent + 1, let_go) for one in (True, False)] + [
        (sent, True)
    ]


@pytest.fixture
def killing(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Killing]:
    (tmp_path / "verifier").mkdir()
    with bench(tmp_path / "verifier", run) as court:
        monkeypatch.setattr(time, "time_ns", lambda: court.office.now * 1_000_000)
        yield Killing(court, tmp_path)


def test_an_act_that_is_killed_anywhere_is_made_once_and_goes_on(killing: Killing) -> None:
    ended, said, points = killing.run(0, before=True)
    assert (ended, "logged, and in the case" in said) == (0, True)
    killing.goes_on(said)
    assert {"fsync", "link", "unlink", "GET", "POST", "getresponse"} <= set(points)
    for number, before in trials_of(points):
        killing.room()
        ended, said, passed = killing.run(number, before=before)
        assert (ended, len(passed)) == (-signal.SIGKILL, number), (number, before, passed)
        killing.goes_on(said)
